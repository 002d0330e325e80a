package sim_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

// sentFrame is what a host put on one of its wires.
type sentFrame struct {
	wire     string // the interface
	src, dst netip.Addr
	mac      wire.MAC
}

// explained is a host with three wires, each with a router at the other end, and all at random.
type explained struct {
	*rand.Rand
	host *sim.Node
	sent []sentFrame // datagrams
}

func newExplained(n *sim.Network, seed uint64) *explained {
	x := &explained{Rand: rand.New(rand.NewPCG(seed, 7)), host: n.Host("host")}
	for k := range 3 {
		name := fmt.Sprintf("eth%d", k)
		port := x.host.Port(name, fmt.Sprintf("10.0.%d.1/24", k))
		port.Config.DisableDAD = true
		for range 1 + x.IntN(3) {
			p := netip.MustParsePrefix(fmt.Sprintf("2001:db8:%x:%x::%x/64", k, x.IntN(2), 0x10+x.IntN(100)))
			if !slices.Contains(port.Config.Addresses, p) {
				port.Config.Addresses = append(port.Config.Addresses, p)
			}
		}
		if x.IntN(2) == 0 {
			port.Config.Addresses = append(port.Config.Addresses, netip.MustParsePrefix(fmt.Sprintf("fd00::%d:%x/64", k, 1+x.IntN(9))))
		}
		other := n.Router("r"+name).Port("eth0", fmt.Sprintf("10.0.%d.254/24", k), fmt.Sprintf("2001:db8:%x::fe/64", k))
		other.Config.DisableDAD = true
		cable := n.Wire(port, other, sim.Line{})
		cable.Filter(func(from *sim.Node, f []byte) bool {
			if from == x.host {
				x.see(name, f)
			}
			return true
		})
	}
	return x
}

// see notes a frame if it carries a datagram.
func (x *explained) see(name string, f []byte) {
	e := sentFrame{wire: name, mac: wire.MAC(f[:6])}
	switch {
	case f[12] == 0x08 && f[13] == 0 && f[14+9] == wire.ProtoUDP:
		e.src, e.dst = netip.AddrFrom4([4]byte(f[26:30])), netip.AddrFrom4([4]byte(f[30:34]))
	case f[12] == 0x86 && f[20] == wire.ProtoUDP:
		e.src, e.dst = netip.AddrFrom16([16]byte(f[22:38])), netip.AddrFrom16([16]byte(f[38:54]))
	default:
		return
	}
	x.sent = append(x.sent, e)
}

// shake changes what decisions depend on.
func (x *explained) shake() {
	k := x.IntN(3)
	prefixes := []string{"0.0.0.0/0", "172.16.0.0/12", "172.16.1.0/24", "::/0", "2001:db8:100::/40", "2001:db8:100:1::/64", "fd00::/8"}
	p := netip.MustParsePrefix(prefixes[x.IntN(len(prefixes))])
	g := netip.MustParseAddr(fmt.Sprintf("10.0.%d.254", k))
	if p.Addr().Is6() {
		g = netip.MustParseAddr(fmt.Sprintf("2001:db8:%x::fe", k))
	}
	name := fmt.Sprintf("eth%d", k)
	i := x.host.Interface(name)
	// That an operation fails, because it was done already, is as well.
	switch x.IntN(8) {
	case 0, 1, 2:
		x.host.AddRoute(onlink.Route{Prefix: p, Gateway: g, Interface: name, Metric: x.IntN(3), Weight: x.IntN(2)})
	case 3:
		x.host.RemoveRoute(onlink.Route{Prefix: p})
	case 4:
		x.host.SetPolicy(append(onlink.DefaultPolicy(), onlink.PolicyEntry{
			Prefix: netip.MustParsePrefix(fmt.Sprintf("2001:db8:%x::/48", x.IntN(3))), Precedence: 9, Label: x.IntN(3)}))
	case 5:
		i.SetUp(x.IntN(4) != 0)
	case 6:
		all := i.Addresses()
		i.ChangeAddress(all[x.IntN(len(all))].Addr(), onlink.AddressOptions{Preferred: time.Duration(x.IntN(2) - 1), Temporary: x.IntN(2) == 0})
	case 7:
		i.SetNeighbor(netip.MustParseAddr(fmt.Sprintf("10.0.%d.9", k)), wire.MAC{2, 7, 7, 7, 7, byte(k)})
	}
}

func (x *explained) destination() string {
	k := x.IntN(3)
	all := []string{fmt.Sprintf("10.0.%d.254", k), fmt.Sprintf("10.0.%d.9", k), "172.16.1.1", "172.16.2.2", "198.51.100.7", fmt.Sprintf("10.0.%d.1", k),
		fmt.Sprintf("2001:db8:%x::fe", k), "2001:db8:100:1::1", "2001:db8:100:2::2", "2001:4860::1", "fd00:1::1", "fd00::fe",
		fmt.Sprintf("ff02::99%%eth%d", k), "ff05::99", "224.0.0.99", "255.255.255.255", fmt.Sprintf("10.0.%d.255", k), "fe80::1%eth1", "::", "0.1.2.3"}
	return all[x.IntN(len(all))]
}

// What Explain says is what is sent then: source, interface, next hop and link-layer address, or the error.
func TestExplainIsWhatIsSent(t *testing.T) {
	const cases = 150
	for seed := range uint64(20) {
		n := sim.New(seed)
		x := newExplained(n, seed)
		n.RunFor(5 * time.Second)
		x.host.Go("app", func() {
			pc, err := x.host.ListenPacket(context.Background(), "udp", ":9")
			if err != nil {
				t.Error(err)
				return
			}
			for range cases {
				for range x.IntN(4) {
					x.shake()
				}
				x.one(t, pc.(*onlink.UDPConn))
				x.host.Sleep(20 * time.Millisecond)
			}
			pc.Close()
		})
		run(t, n)
		n.Stop()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for k, v := range explainedCases {
		if v == 0 {
			t.Errorf("no case of %s", k)
		}
	}
}

// explainedCases counts what came up.
var explainedCases = map[string]int{"error": 0, "local": 0, "known": 0, "unknown": 0, "group": 0, "late": 0}

func (x *explained) one(t *testing.T, pc *onlink.UDPConn) {
	dst := x.destination()
	to := netip.AddrPortFrom(netip.MustParseAddr(dst), 99)
	send := func() error {
		x.sent = nil
		_, err := pc.WriteToUDPAddrPort([]byte("x"), to)
		x.host.Sleep(20 * time.Millisecond) // address resolution
		return err
	}
	for range 2 { // the second time the neighbor is known
		e, err := x.host.Explain("udp", ":9", net.JoinHostPort(to.Addr().String(), "99"))
		if err != nil {
			// No address in the source: it is left to the stack.
			e, err = x.host.Explain("udp", "", net.JoinHostPort(to.Addr().String(), "99"))
		}
		if err != nil {
			t.Errorf("%s: %v", dst, err)
			return
		}
		err = send()
		switch {
		case e.Late:
			explainedCases["late"]++
			if err != nil || len(x.sent) != 0 {
				t.Errorf("%s: %v, %+v is sent, in spite of\n%v", dst, err, x.sent, e)
			}
			continue
		case e.Err != nil:
			explainedCases["error"]++
			if err == nil {
				t.Errorf("%s was sent, in spite of\n%v", dst, e)
			}
			continue
		case err != nil:
			t.Errorf("%s: %v, in spite of\n%v", dst, err, e)
			continue
		}
		got := x.sent
		if e.Local {
			explainedCases["local"]++
			if len(got) != 0 {
				t.Errorf("%s: %+v is sent, in spite of\n%v", dst, got, e)
			}
			continue
		}
		if e.LinkAddr == (wire.MAC{}) {
			explainedCases["unknown"]++
			if len(got) == 0 {
				continue // nobody answers
			}
		} else if explainedCases["known"]++; to.Addr().IsMulticast() {
			explainedCases["group"]++
		}
		if len(got) != 1 || got[0].wire != e.Interface || got[0].src != e.Source.WithZone("") || got[0].dst != to.Addr().WithZone("") ||
			e.LinkAddr != (wire.MAC{}) && got[0].mac != e.LinkAddr {
			t.Errorf("%s: sent %+v, in spite of\n%v", dst, got, e)
			continue
		}
		if i := slices.IndexFunc(x.host.Neighbors(), func(n onlink.Neighbor) bool {
			return n.Interface == e.Interface && n.Addr == e.NextHop.WithZone("")
		}); i >= 0 && x.host.Neighbors()[i].LinkAddr != got[0].mac {
			t.Errorf("%s: sent to %v, which is not %v\n%v", dst, got[0].mac, x.host.Neighbors()[i], e)
		}
	}
}
