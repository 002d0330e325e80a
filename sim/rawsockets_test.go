package sim_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

// Ping and raw sockets that are bound to an interface send by it and hear by it alone, in its VRF: two hosts with one address differ by
// their links.
func TestBoundRawSockets(t *testing.T) {
	for name, vrf := range map[string][2]int{"one table": {}, "VRFs": {10, 20}} {
		t.Run(name, func(t *testing.T) {
			w := newTwoLinks(t, vrf)
			w.host.Go("host", func() {
				for _, addr := range []string{"192.0.2.2", "2001:db8::2"} {
					for i, ifi := range []string{"eth0", "eth1"} {
						before := w.pings(i)
						if _, err := ping(w.host, addr, onlink.PingConfig{Interface: ifi, Timeout: time.Second}); err != nil {
							t.Errorf("ping of %s by %s: %v", addr, ifi, err)
						}
						if w.pings(i) != before+1 {
							t.Errorf("the ping of %s by %s went elsewhere", addr, ifi)
						}
						w.rawEcho(t, addr, ifi)
					}
				}
				if _, err := ping(w.host, "192.0.2.2", onlink.PingConfig{Interface: "eth9"}); err == nil {
					t.Error("by an interface that is not there")
				}
			})
			run(t, w.Network)
		})
	}
}

// pings returns how many echo requests a peer has heard.
func (w *twoLinks) pings(i int) uint64 {
	c := w.peers[i].Snapshot().Counters
	return c.Get(mib.IcmpInEchos) + c.Get(mib.Icmp6InEchos)
}

// rawEcho has a raw socket that is bound to an interface ask and hear the answer; one that is bound to the other one hears nothing.
func (w *twoLinks) rawEcho(t *testing.T, addr, ifi string) {
	network, m := "ip6:58", make([]byte, wire.ICMPLen)
	wire.PutICMP(m, wire.ICMPv6EchoRequest, 0, 7)
	if to := netip.MustParseAddr(addr); to.Is4() {
		network = "ip4:1"
		wire.PutICMP(m, wire.ICMPv4EchoRequest, 0, 7)
		wire.FinishICMPv4(m)
	}
	conns := map[string]net.PacketConn{}
	for _, name := range []string{"eth0", "eth1"} {
		l := onlink.ListenConfig{Stack: w.host.Stack, Interface: name}
		c, err := l.ListenPacket(t.Context(), network, "")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(w.host.Runtime().Wall().Add(time.Second))
		c.(*onlink.IPConn).SetICMPFilter(wire.ICMPv4EchoReply, wire.ICMPv6EchoReply)
		conns[name] = c
	}
	if _, err := conns[ifi].WriteTo(m, &net.IPAddr{IP: net.ParseIP(addr)}); err != nil {
		t.Errorf("%s by %s: %v", addr, ifi, err)
	}
	b := make([]byte, 100)
	if _, from, err := conns[ifi].ReadFrom(b); err != nil || from.String() != addr {
		t.Errorf("%s by %s: an answer from %v, %v", addr, ifi, from, err)
	}
	delete(conns, ifi)
	for name, c := range conns {
		if _, from, err := c.ReadFrom(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s by %s: a socket on %s hears %v, %v", addr, ifi, name, from, err)
		}
	}
}

// Raw sockets hear groups that they have joined, whole datagrams that came in fragments, and learn of the path's MTU.
func TestRawOverRouter(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	client, router, server := n.Host("client"), n.Router("router"), n.Host("server")
	n.Wire(client.Port("eth0", "192.0.2.1/24", "2001:db8:1::1/64").Gateway("192.0.2.2", "2001:db8:1::2"),
		router.Port("eth0", "192.0.2.2/24", "2001:db8:1::2/64"), sim.Line{})
	n.Wire(router.Port("eth1", "198.51.100.1/24", "2001:db8:2::1/64"),
		server.Port("eth0", "198.51.100.2/24", "2001:db8:2::2/64").Gateway("198.51.100.1", "2001:db8:2::1"), sim.Line{MTU: 1280})
	n.RunFor(5 * time.Second)
	client.Go("client", func() {
		for _, c := range []struct{ network, to string }{{"ip4:253", "198.51.100.2"}, {"ip6:253", "2001:db8:2::2"}} {
			in, err := server.ListenPacket(t.Context(), c.network, "")
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			out, err := client.Dial(c.network, c.to)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			if err := out.(*onlink.IPConn).SetMTUDiscovery(onlink.DiscoverDo); err != nil {
				t.Error(err)
			}
			// The router says what its narrower link takes; after that it is known here.
			if _, err := out.Write(make([]byte, 1400)); err != nil {
				t.Errorf("%s: %v", c.network, err)
			}
			client.Sleep(time.Second)
			if _, err := out.Write(make([]byte, 1400)); !errors.Is(err, syscall.EMSGSIZE) {
				t.Errorf("%s: a packet larger than the path takes: %v", c.network, err)
			}
			if mtu, err := out.(*onlink.IPConn).PathMTU(); mtu != 1280 || err != nil {
				t.Errorf("%s: the path takes %d, %v", c.network, mtu, err)
			}
			out.(*onlink.IPConn).SetMTUDiscovery(onlink.DiscoverWant)
			big := make([]byte, 5000)
			big[4999] = 7
			if _, err := out.Write(big); err != nil {
				t.Errorf("%s: %v", c.network, err)
			}
			in.SetReadDeadline(server.Runtime().Wall().Add(time.Second))
			b := make([]byte, 6000)
			if k, _, err := in.ReadFrom(b); k != 5000 || err != nil || b[4999] != 7 {
				t.Errorf("%s: %d octets come of 5000, %v", c.network, k, err)
			}
		}
	})
	run(t, n)
}
