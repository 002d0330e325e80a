package dhcp4

import (
	"net/netip"
	"slices"
)

// Route is a way that a server tells of.
type Route struct {
	Prefix  netip.Prefix
	Gateway netip.Addr // the zero Addr: the prefix is on the link
}

// routesOf returns the routes that a message tells of; bad is how many of its options about them are malformed.
//
// RFC 3442: "If the DHCP server returns both a Classless Static Routes option and a Router option, the DHCP client MUST
// ignore the Router option. Similarly, if the DHCP server returns both a Classless Static Routes option and a Static Routes
// option, the DHCP client MUST ignore the Static Routes option."
func routesOf(o Options) (all []Route, bad int) {
	if v, found := o.Get(OptClasslessRoutes); found {
		if all, ok := classlessRoutes(v); ok {
			return all, 0
		}
		bad++ // as if it were not there: better a default router than none
	}
	static, ok := o.Addrs(OptStaticRoutes)
	if !ok || len(static)%2 != 0 {
		static = nil
		bad++
	}
	for pair := range slices.Chunk(static, 2) {
		// RFC 2132, 5.8: "The default route (0.0.0.0) is an illegal destination for a static route."
		if isHost(pair[0]) && isHost(pair[1]) {
			all = append(all, Route{classful(pair[0]), pair[1]})
		}
	}
	// RFC 2132, 3.5: "Routers SHOULD be listed in order of preference."
	routers, ok := o.Addrs(OptRouters)
	if !ok {
		bad++
	}
	for _, r := range routers {
		if isHost(r) {
			all = append(all, Route{netip.PrefixFrom(netip.IPv4Unspecified(), 0), r})
		}
	}
	return all, bad
}

// classlessRoutes reads a Classless Static Routes option.
//
// RFC 3442: "the DHCP client MUST zero any bits in the subnet number where the corresponding bit in the mask is zero."
func classlessRoutes(b []byte) (all []Route, ok bool) {
	for len(b) > 0 {
		bits := int(b[0])
		octets := (bits + 7) / 8
		if bits > 32 || len(b) < 1+octets+4 {
			return nil, false
		}
		var subnet [4]byte
		copy(subnet[:], b[1:1+octets])
		r := Route{Prefix: netip.PrefixFrom(netip.AddrFrom4(subnet), bits).Masked(), Gateway: addrAt(b[1+octets:])}
		if r.Gateway.IsValid() && !isHost(r.Gateway) {
			return nil, false
		}
		all = append(all, r)
		b = b[1+octets+4:]
	}
	return all, len(all) > 0
}

// SetRoutes is Set with the Classless Static Routes option.
func (o *Options) SetRoutes(all ...Route) {
	var b []byte
	for _, r := range all {
		a := r.Prefix.Masked().Addr().As4()
		b = append(append(b, byte(r.Prefix.Bits())), a[:(r.Prefix.Bits()+7)/8]...)
		var gateway [4]byte
		putAddr(gateway[:], r.Gateway)
		b = append(b, gateway[:]...)
	}
	o.Set(OptClasslessRoutes, b...)
}

// classful returns the network that a names, or a alone if it has host bits (RFC 950, 1): what an address meant before
// there were masks.
func classful(a netip.Addr) netip.Prefix {
	p := netip.PrefixFrom(a, classBits(a))
	if p.Masked().Addr() != a {
		return netip.PrefixFrom(a, 32)
	}
	return p
}

func classBits(a netip.Addr) int {
	switch first := a.As4()[0]; {
	case first < 128:
		return 8
	case first < 192:
		return 16
	}
	return 24
}
