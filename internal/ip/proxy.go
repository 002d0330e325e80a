package ip

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// proxy is for whom a device answers though the address is another's (RFC 4861, 7.2.8; RFC 1027). Control locked.
type proxy struct{ proxies []wire.Addr }

// maxSubnetBits bounds the prefixes whose first address is the routers': a /127 has none for them (RFC 6164, 6), and a longer one
// no room.
const maxSubnetBits = 126

// subnetRouters returns the anycast addresses that d has as a router.
//
// RFC 4291, 2.6.1: "All routers are required to support the Subnet-Router anycast addresses for the subnets to which they have
// interfaces."
func (d *device) subnetRouters() (all []wire.Addr) {
	if !d.l.Settings().Forward6 || d.lk == nil || d.noIPv6() {
		return nil
	}
	for i := range d.addrs {
		e := &d.addrs[i]
		if e.Addr.Is4() || !e.Assigned() || e.Bits > maxSubnetBits {
			continue
		}
		a := wire.AddrFrom(e.Prefix().Masked().Addr())
		if !a.IsUnspecified() && d.address(a) == nil && !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}

func (d *device) isSubnetRouter(a wire.Addr) bool { return slices.Contains(d.subnetRouters(), a) }

// viewRouter fills in what a router does on the interface.
func (d *device) viewRouter(i *netif.Interface) {
	i.SubnetRouters = d.subnetRouters()
	i.Proxies = d.proxies6()
	i.Redirects4 = d.conf4.SendRedirects
}

// proxies6 returns the IPv6 addresses that d answers for now: as in Linux, a router's only, and with proxy_ndp.
func (d *device) proxies6() (all []wire.Addr) {
	if !d.l.Settings().Forward6 || !d.conf.ProxyNDP || d.noIPv6() {
		return nil
	}
	for _, a := range d.proxies {
		if !a.Is4() {
			all = append(all, a)
		}
	}
	return all
}

func (d *device) isProxied6(a wire.Addr) bool { return slices.Contains(d.proxies6(), a) }

// isProxied4 reports whether d answers the ARP request m for another: for one in the list, or with proxy_arp for any, if the
// way there leaves by another interface. As Linux, it does not answer one who only asks whether an address is free.
func (d *device) isProxied4(m *wire.ARP) bool {
	to, from := m.TargetIP, m.SenderIP
	if m.Op != wire.ARPRequest || !d.l.Settings().Forward4 || from.IsUnspecified() || from == to || d.address(from) != nil ||
		to.IsMulticast() || to == wire.Broadcast4 || to.IsLoopback() || to.IsUnspecified() {
		return false
	}
	// RFC 3927, 2.7: "a router or other host MUST NOT indiscriminately answer all ARP Requests for addresses in the 169.254/16
	// prefix."
	if (!d.conf4.ProxyARP || to.IsLinkLocal()) && !slices.Contains(d.proxies, to) {
		return false
	}
	if d.l.snap.Load().Lookup(to, d.index).Kind != netif.NotOurs {
		return false
	}
	var r route.Result
	query := route.Query{Dst: to, In: d.index, VRF: d.cfg.VRF}
	return d.l.fib.Lookup(&query, &r) && r.Hop.Out != d.index
}

// forProxy reports whether p is Neighbor Discovery that a neighbor sends to an address that the interface answers for. The rest
// that is sent there is forwarded.
func (q *queue) forProxy(p *packet.Buffer, h wire.IPv6) bool {
	return h.NextHeader() == wire.ProtoICMPv6 && len(h.Payload()) > 0 && isND(h.Payload()[0]) && q.iface.Proxied(p.Dst)
}

// AddProxy has the interface with the given index answer for a, which is another node's, while the node forwards. For IPv6 it
// turns proxy_ndp on. Errors: ENODEV, EINVAL for what is no unicast address, EEXIST.
func (l *Layer) AddProxy(index int32, addr netip.Addr) error {
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	if err != nil {
		return err
	}
	a := wire.AddrFrom(addr)
	switch {
	case d.cache == nil:
		return fmt.Errorf("interface %s: nobody asks for addresses on this link: %w", d.name, syscall.EOPNOTSUPP)
	case !addr.IsValid() || a.IsMulticast() || a.IsUnspecified() || a.IsLoopback() || a == wire.Broadcast4:
		return fmt.Errorf("proxy for %v: not a unicast address: %w", addr, syscall.EINVAL)
	case slices.Contains(d.proxies, a), d.address(a) != nil:
		return fmt.Errorf("proxy for %v: interface %s answers for it already: %w", addr, d.name, syscall.EEXIST)
	}
	d.proxies = append(d.proxies, a)
	if !a.Is4() {
		d.conf.ProxyNDP = true
	}
	l.rebuild()
	return nil
}

// RemoveProxy undoes AddProxy. Errors: ENODEV, ESRCH.
func (l *Layer) RemoveProxy(index int32, addr netip.Addr) error {
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	if err != nil {
		return err
	}
	i := slices.Index(d.proxies, wire.AddrFrom(addr))
	if i < 0 {
		return fmt.Errorf("proxy for %v: interface %s is none: %w", addr, d.name, syscall.ESRCH)
	}
	d.proxies = slices.Delete(d.proxies, i, i+1)
	l.rebuild()
	return nil
}

// Proxies returns the addresses of others that the interface is to answer for. Errors: ENODEV.
func (l *Layer) Proxies(index int32) ([]wire.Addr, error) {
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	if err != nil {
		return nil, err
	}
	return slices.Clone(d.proxies), nil
}
