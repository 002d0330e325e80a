package sim_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

// explained is a host with four wires, of which it is asked what it would send, and what depends on. All of it is at random.
//
//	eth0  two routers, to networks of small MTU behind them; each knows the other's, and redirects
//	eth1  two routers that advertise themselves, with an MTU
//	eth2  a router, and IPv4 link-local addresses
//	eth3  a router, in a VRF
type explained struct {
	*rand.Rand
	host    *sim.Node
	routers []*sim.Node
	sent    []sentFrame // since they were last looked at
	left    []func()    // groups that can be left
	port    int         // the last one used
	open    []io.Closer // sockets of the last case
	heard   int         // datagrams that came to ourselves
}

// sentFrame is what the host put on one of its wires.
type sentFrame struct {
	on    string // the interface
	frame []byte
}

// explainedVRF is the table of eth3.
const explainedVRF = 10

func newExplained(n *sim.Network, seed uint64) *explained {
	x := &explained{Rand: rand.New(rand.NewPCG(seed, 7)), host: n.Host("host"), port: 2000}
	for k := range 4 {
		x.link(n, k)
	}
	for k, r := range x.routers[:2] {
		far := n.Host(fmt.Sprintf("far%d", k))
		n.Wire(r.Port("far", fmt.Sprintf("172.16.%d.254/24", k+1), fmt.Sprintf("2001:db8:100:%x::fe/64", k+1)),
			far.Port("eth0", fmt.Sprintf("172.16.%d.1/24", k+1), fmt.Sprintf("2001:db8:100:%x::1/64", k+1)).
				Gateway(fmt.Sprintf("172.16.%d.254", k+1), fmt.Sprintf("2001:db8:100:%x::fe", k+1)), sim.Line{MTU: 1300 + 100*k, Delay: 10 * time.Microsecond})
		o := 2 - k  // the other's network
		if k == 0 { // it knows a better way to one half, and says so
			ll := r.Interface("eth0").State().Addresses
			x.host.AddRoute(onlink.Route{Prefix: prefixf("172.16.0.0/12"), Gateway: addrf("10.0.0.254"), Metric: 5},
				onlink.Route{Prefix: prefixf("2001:db8:100::/40"), Gateway: ll[slices.IndexFunc(ll, func(a onlink.AddressState) bool {
					return a.Origin == "link-local"
				})].Prefix.Addr(), Interface: "eth0", Metric: 5})
		}
		r.AddRoute(onlink.Route{Prefix: prefixf("172.16.%d.0/24", o), Gateway: addrf("10.0.0.%d", 253+k)},
			onlink.Route{Prefix: prefixf("2001:db8:100:%x::/64", o), Gateway: addrf("2001:db8::%x", 0xfd+k)})
	}
	return x
}

// link lays the k-th wire.
func (x *explained) link(n *sim.Network, k int) {
	name := fmt.Sprintf("eth%d", k)
	port := x.host.Port(name, fmt.Sprintf("10.0.%d.1/24", k))
	switch k {
	case 1:
		port.Config.IPv6.Temporary = onlink.PreferTemporary
	case 2:
		port.Config.Addresses = append(port.Config.Addresses, prefixf("169.254.7.7/16"))
	case 3:
		port.Config.VRF = explainedVRF
	}
	for range 1 + x.IntN(3) {
		if p := prefixf("2001:db8:%x:%x::%x/64", k, x.IntN(2), 0x10+x.IntN(100)); !slices.Contains(port.Config.Addresses, p) {
			port.Config.Addresses = append(port.Config.Addresses, p)
		}
	}
	if x.IntN(2) == 0 {
		port.Config.Addresses = append(port.Config.Addresses, prefixf("fd00::%d:%x/64", k, 1+x.IntN(9)))
	}
	ports := []sim.Port{port}
	for j := range 1 + (4-k)/3 { // two on eth0 and eth1
		r := n.Router(fmt.Sprintf("r%d%d", k, j))
		x.routers = append(x.routers, r)
		p := r.Port("eth0", fmt.Sprintf("10.0.%d.%d/24", k, 254-j), fmt.Sprintf("2001:db8:%x::%x/64", k, 0xfe-j))
		p.Config.DisableDAD = true
		ports = append(ports, p)
	}
	n.Switch(sim.Line{Delay: 10 * time.Microsecond}, ports...)[0].Filter(func(from *sim.Node, f []byte) bool {
		if !isNoise(f) {
			x.sent = append(x.sent, sentFrame{name, append([]byte(nil), f...)})
		}
		return true
	})
	if k == 1 {
		for j, r := range x.routers[len(x.routers)-2:] {
			r.Interface("eth0").Advertise(&onlink.RouterAdvertisement{MTU: 1400, Preference: x.IntN(3) - 1, HopLimit: 60 + j,
				Prefixes: []onlink.AdvertisedPrefix{{Prefix: prefixf("2001:db8:1%d::/64", j)}}})
		}
	}
}

// isNoise reports whether a frame comes by itself, and not of what an application sends: reports of IGMP and MLD, what goes to
// routers or verifies addresses, asks known neighbors whether they are still there, and answers.
func isNoise(f []byte) bool {
	b, toMany := f[wire.EthernetLen:], f[0]&1 != 0
	if h, err := wire.CheckIPv4(b); err == nil {
		return h.Protocol() == wire.ProtoIGMP
	}
	if m, err := wire.ParseARP(b); err == nil {
		return m.Op != wire.ARPRequest || m.SenderIP == m.TargetIP || m.SenderIP.IsUnspecified() || !toMany
	}
	h, err := wire.CheckIPv6(b)
	if err != nil {
		return false
	}
	if h.NextHeader() != wire.ProtoICMPv6 {
		return h.NextHeader() == 0 // MLD
	}
	t := wire.ICMP(h.Payload()).Type()
	return t == wire.ICMPv6RouterSolicitation || t == wire.ICMPv6NeighborAdvertisement || h.Src().IsUnspecified() ||
		t == wire.ICMPv6NeighborSolicitation && !toMany
}

// prefixf and addrf read what Sprintf writes.
func prefixf(format string, a ...any) netip.Prefix {
	return netip.MustParsePrefix(fmt.Sprintf(format, a...))
}

func addrf(format string, a ...any) netip.Addr { return netip.MustParseAddr(fmt.Sprintf(format, a...)) }

// shake changes something that decisions depend on. That an operation fails, because it was done already, or would make no
// sense, is as well.
func (x *explained) shake() {
	k := x.IntN(4)
	i := x.host.Interface(fmt.Sprintf("eth%d", k))
	switch x.IntN(17) {
	case 0, 1, 2:
		x.host.AddRoute(x.aRoute(k))
	case 3:
		r := x.aRoute(k)
		x.host.RemoveRoute(onlink.Route{Prefix: r.Prefix, Table: r.Table, Type: r.Type})
	case 4:
		x.host.SetPolicy(append(onlink.DefaultPolicy(), onlink.PolicyEntry{Prefix: prefixf("2001:db8:%x::/48", x.IntN(3)),
			Precedence: 9, Label: x.IntN(3)}))
	case 5:
		i.SetUp(x.IntN(4) != 0)
	case 6:
		all := i.Addresses()
		if len(all) > 0 {
			i.ChangeAddress(all[x.IntN(len(all))].Addr(), onlink.AddressOptions{Preferred: time.Duration(x.IntN(2) - 1), Temporary: x.IntN(2) == 0})
		}
	case 7, 8:
		x.address(k)
	case 9:
		x.neighbor(k)
	case 10:
		x.host.AddRule(x.aRule(k))
	case 11:
		if rs := x.host.Rules(); x.IntN(2) == 0 {
			if r := rs[x.IntN(len(rs))]; r.Priority < 30000 {
				x.host.RemoveRule(r)
			}
		}
	case 12:
		g := netip.MustParseAddr([]string{"ff02::99", "ff05::99", "ff01::99", "224.0.0.99", "239.1.1.1"}[x.IntN(5)])
		if leave, err := i.JoinGroup(g); err == nil {
			x.left = append(x.left, leave)
		}
	case 13:
		if n := len(x.left); n > 0 {
			x.left[n-1]()
			x.left = x.left[:n-1]
		}
	case 14:
		all := [...][2]string{{"net.ipv4.fib_multipath_hash_policy", "1"}, {"net.ipv4.fib_multipath_hash_policy", "0"}, {"net.ipv6.fib_multipath_hash_policy", "1"},
			{"net.ipv6.fib_multipath_hash_policy", "0"}, {"net.ipv4.ip_default_ttl", "77"}, {"net.ipv6.auto_flowlabels", "0"}, {"net.ipv6.auto_flowlabels", "1"}}
		s := all[x.IntN(len(all))]
		if err := x.host.SetSysctl(s[0], s[1]); err != nil {
			panic(err)
		}
	case 16:
		x.share()
	case 15:
		if x.IntN(4) == 0 {
			i.SetMTU(1280 + 20*x.IntN(12))
		}
	}
}

// share has two routers share the flows to a prefix.
func (x *explained) share() {
	r := onlink.Route{Prefix: netip.MustParsePrefix([]string{"172.16.2.0/24", "2001:db8:100:2::/64", "0.0.0.0/0", "::/0"}[x.IntN(4)]), Interface: "eth0"}
	for last := range 2 {
		if r.Gateway = addrf("10.0.0.%d", 253+last); r.Prefix.Addr().Is6() {
			r.Gateway = addrf("2001:db8::%x", 0xfd+last)
		}
		r.Weight = 1 + x.IntN(3)
		x.host.AddRoute(r)
	}
}

// aRoute returns a route by way of the k-th wire.
func (x *explained) aRoute(k int) onlink.Route {
	all := []string{"0.0.0.0/0", "172.16.0.0/12", "172.16.1.0/24", "172.16.2.0/24", "10.9.0.0/16", "::/0", "2001:db8:100::/40", "2001:db8:100:1::/64",
		"2001:db8:100:2::/64", "fd00::/8", "ff05::/16"}
	r := onlink.Route{Prefix: netip.MustParsePrefix(all[x.IntN(len(all))]), Interface: fmt.Sprintf("eth%d", k), Metric: x.IntN(3)}
	four := r.Prefix.Addr().Is4()
	last := []int{254, 254, 253, 66}[x.IntN(4)] // 66: nobody is there
	if r.Gateway = addrf("10.0.%d.%d", k, last); !four {
		r.Gateway = addrf("2001:db8:%x::%x", k, last)
	}
	if x.IntN(3) == 0 {
		r.Table = []int{7, 8, explainedVRF}[x.IntN(3)]
	}
	switch x.IntN(8) {
	case 0:
		r.Type = []onlink.RouteType{onlink.BlackholeRoute, onlink.UnreachableRoute, onlink.ProhibitRoute, onlink.ThrowRoute}[x.IntN(4)]
		r.Gateway, r.Interface = netip.Addr{}, ""
	case 1, 2, 7:
		r.Weight, r.Metric = 1+x.IntN(3), 1
	case 3:
		r.MTU = 1280 + x.IntN(300)
	case 4:
		r.HopLimit = 9
	case 5:
		if r.Source = addrf("10.0.%d.1", x.IntN(4)); !four {
			r.Source = netip.Addr{}
		}
	case 6:
		r.Gateway = netip.Addr{} // on-link
	}
	return r
}

// address adds an address to the k-th interface, or takes one away.
func (x *explained) address(k int) {
	i := x.host.Interface(fmt.Sprintf("eth%d", k))
	all := i.Addresses()
	if len(all) > 6 || x.IntN(4) == 0 && len(all) > 1 {
		i.RemoveAddress(all[x.IntN(len(all))].Addr())
		return
	}
	opt := onlink.AddressOptions{NoDAD: x.IntN(3) != 0, Temporary: x.IntN(4) == 0, Anycast: x.IntN(8) == 0, Optimistic: x.IntN(4) == 0}
	if x.IntN(3) == 0 {
		opt.Valid = time.Duration(1+x.IntN(60)) * time.Second
		opt.Preferred = opt.Valid / 2
	}
	switch x.IntN(4) {
	case 0:
		i.AddAddressWith(prefixf("10.0.%d.%d/24", k, 2+x.IntN(5)), onlink.AddressOptions{})
	case 1:
		i.AddAddressWith(prefixf("10.0.%d.%d/24", 4+k, 2+x.IntN(5)), onlink.AddressOptions{})
	default:
		i.AddAddressWith(prefixf("2001:db8:%x:%x::%x/64", k, x.IntN(3), 0x100+x.IntN(9)), opt)
	}
}

// neighbor changes what is known of neighbors.
func (x *explained) neighbor(k int) {
	i := x.host.Interface(fmt.Sprintf("eth%d", k))
	a := []netip.Addr{addrf("10.0.%d.9", k), addrf("2001:db8:%x::9", k), addrf("10.0.%d.254", k), addrf("2001:db8:%x::fe", k)}[x.IntN(4)]
	switch x.IntN(3) {
	case 0:
		i.SetNeighbor(a, wire.MAC{2, 7, 7, 7, 7, byte(k)})
	case 1:
		i.RemoveNeighbor(a)
	case 2:
		i.FlushNeighbors()
	}
}

// aRule returns a rule.
func (x *explained) aRule(k int) onlink.Rule {
	r := onlink.Rule{Priority: 100 + x.IntN(1500), IPv6: x.IntN(2) == 0, Table: []int{7, 8}[x.IntN(2)]}
	p := prefixf("10.0.%d.0/24", k)
	if r.IPv6 {
		p = prefixf("2001:db8:%x::/48", k)
	}
	switch x.IntN(6) {
	case 0:
		r.From = p
	case 1:
		r.To = map[bool]netip.Prefix{false: prefixf("172.16.0.0/16"), true: prefixf("2001:db8:100::/48")}[r.IPv6]
	case 2:
		r.Mark = 7
	case 3:
		r.TrafficClass = 0x20
	case 4:
		r.Out = fmt.Sprintf("eth%d", k)
	case 5:
		r.Mark, r.Not = 7, true
	}
	if x.IntN(6) == 0 {
		r.Table, r.Action = 0, []onlink.RuleAction{onlink.RuleBlackhole, onlink.RuleUnreachable, onlink.RuleProhibit}[x.IntN(3)]
	}
	return r
}

// destination returns an address to send to.
func (x *explained) destination() netip.Addr {
	k := x.IntN(4)
	if x.IntN(4) == 0 {
		return netip.MustParseAddr([]string{"172.16.1.1", "172.16.2.1", "2001:db8:100:1::1", "2001:db8:100:2::1"}[x.IntN(4)])
	}
	all := []string{fmt.Sprintf("10.0.%d.254", k), fmt.Sprintf("10.0.%d.9", k), fmt.Sprintf("10.0.%d.77", k), "172.16.1.1", "172.16.2.1", "198.51.100.7",
		fmt.Sprintf("10.0.%d.1", k), "10.9.1.1", "169.254.3.3", "127.0.0.5", "127.0.0.1",
		fmt.Sprintf("2001:db8:%x::fe", k), fmt.Sprintf("2001:db8:%x::9", k), "2001:db8:100:1::1", "2001:db8:100:2::1", "2001:4860::1", "fd00:1::1",
		"fd00::fe", "::1", fmt.Sprintf("fe80::1%%eth%d", k), "fe80::5",
		fmt.Sprintf("ff02::99%%eth%d", k), "ff05::99", "ff01::99", "ff02::1", "224.0.0.99", "239.1.1.1", "255.255.255.255", fmt.Sprintf("10.0.%d.255", k),
		"::", "0.1.2.3", "240.0.0.1"}
	if x.IntN(8) == 0 {
		if own := x.own(); own.IsValid() {
			return own
		}
	}
	return netip.MustParseAddr(all[x.IntN(len(all))])
}

// own returns an address of the host, in whichever state.
func (x *explained) own() netip.Addr {
	i := x.host.Interface(fmt.Sprintf("eth%d", x.IntN(4)))
	all := i.Addresses()
	if len(all) == 0 {
		return netip.Addr{}
	}
	a := all[x.IntN(len(all))].Addr()
	if a.Is6() && a.IsLinkLocalUnicast() {
		a = a.WithZone(i.Name())
	}
	return a
}
