package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

// chain is client — r1 — r2 — server, with static routes.
type chain struct {
	*sim.Network
	client, r1, r2, server *sim.Node
	near, middle, far      *sim.Cable
}

// The addresses of the chain by family: of the server, of the routers as the client sees them, of nobody on the server's
// link, and of nobody anywhere.
var chainAddrs = []struct{ family, server, r1, r2, nobody, nowhere string }{
	{"IPv4", "203.0.113.9", "192.0.2.1", "198.51.100.2", "203.0.113.77", "10.9.9.9"},
	{"IPv6", "2001:db8:3::9", "2001:db8:1::1", "2001:db8:2::2", "2001:db8:3::77", "2001:db8:99::1"},
}

func newChain(t testing.TB, seed uint64, middle sim.Line) *chain {
	t.Helper()
	n := sim.New(seed)
	t.Cleanup(n.Stop)
	c := &chain{Network: n, client: n.Host("client"), r1: n.Router("r1"), r2: n.Router("r2"), server: n.Host("server")}
	line := sim.Line{Delay: time.Millisecond}
	if middle.Delay == 0 {
		middle.Delay = time.Millisecond
	}
	c.near = n.Wire(c.client.Port("eth0", "192.0.2.9/24", "2001:db8:1::9/64").Gateway("192.0.2.1", "2001:db8:1::1"),
		c.r1.Port("eth0", "192.0.2.1/24", "2001:db8:1::1/64"), line)
	c.middle = n.Wire(c.r1.Port("eth1", "198.51.100.1/24", "2001:db8:2::1/64"),
		c.r2.Port("eth0", "198.51.100.2/24", "2001:db8:2::2/64"), middle)
	c.far = n.Wire(c.r2.Port("eth1", "203.0.113.1/24", "2001:db8:3::1/64"),
		c.server.Port("eth0", "203.0.113.9/24", "2001:db8:3::9/64").Gateway("203.0.113.1", "2001:db8:3::1"), line)
	route(t, c.r1, "203.0.113.0/24", "198.51.100.2")
	route(t, c.r1, "2001:db8:3::/64", "2001:db8:2::2")
	route(t, c.r2, "192.0.2.0/24", "198.51.100.1")
	route(t, c.r2, "2001:db8:1::/64", "2001:db8:2::1")
	n.RunFor(5 * time.Second) // duplicate address detection is over
	return c
}

func route(t testing.TB, node *sim.Node, prefix, gateway string) {
	t.Helper()
	if err := node.AddRoute(onlink.Route{Prefix: netip.MustParsePrefix(prefix), Gateway: netip.MustParseAddr(gateway)}); err != nil {
		t.Fatal(err)
	}
}

// ping pings host from node, once, and with a time-out of ten seconds.
func ping(node *sim.Node, host string, cfg onlink.PingConfig) (onlink.PingReply, error) {
	cfg.Timeout = 10 * time.Second
	return node.Ping(context.Background(), netip.MustParseAddr(host), cfg)
}

// packets calls f with each IPv4 or IPv6 packet that cable carries in the direction from node.
func packets(cable *sim.Cable, node *sim.Node, f func(b []byte)) {
	cable.Filter(func(from *sim.Node, frame []byte) bool {
		h, err := wire.CheckEthernet(frame)
		if err == nil && from == node && (h.EtherType() == wire.EtherTypeIPv4 || h.EtherType() == wire.EtherTypeIPv6) {
			f(frame[wire.EthernetLen:])
		}
		return true
	})
}

// isND reports whether an IP packet is one of Neighbor Discovery.
func isND(b []byte) bool {
	return b[0]>>4 == 6 && b[6] == wire.ProtoICMPv6 && len(b) > 40 && b[40] >= wire.ICMPv6RouterSolicitation
}

// RFC 1812, 5.3.1: "When a router forwards a packet, it MUST reduce the TTL by at least one." RFC 8200, 3: the Hop
// Limit is "decremented by 1 by each node that forwards the packet".
func TestRoutersDecrementHopLimit(t *testing.T) {
	c := newChain(t, 1, sim.Line{})
	var seen []uint8
	packets(c.far, c.r2, func(b []byte) {
		switch {
		case b[0]>>4 == 4:
			if !wire.IPv4(b).ChecksumOK() {
				t.Error("a router left a bad checksum")
			}
			seen = append(seen, wire.IPv4(b).TTL())
		case !isND(b):
			seen = append(seen, wire.IPv6(b).HopLimit())
		}
	})
	c.client.Go("ping", func() {
		for _, a := range chainAddrs {
			for _, limit := range []uint8{0, 200, 3} {
				r, err := ping(c.client, a.server, onlink.PingConfig{HopLimit: limit})
				if err != nil || r.HopLimit != 62 || r.From.String() != a.server {
					t.Errorf("%s, hop limit %d: %+v, %v", a.server, limit, r, err)
				}
			}
		}
	})
	run(t, c.Network)
	if want := "[62 198 1 62 198 1]"; fmt.Sprint(seen) != want {
		t.Errorf("requests arrived with hop limits %v, want %v", seen, want)
	}
}

// A packet whose hop limit ends comes back as time exceeded, with the router that says so, and a socket is told.
func TestTimeExceeded(t *testing.T) {
	c := newChain(t, 1, sim.Line{})
	c.client.Go("client", func() {
		for _, a := range chainAddrs {
			for i, router := range []string{a.r1, a.r2} {
				_, err := ping(c.client, a.server, onlink.PingConfig{HopLimit: uint8(i + 1)})
				wantErr(t, "ping", err, syscall.EHOSTUNREACH)
				e, ok := errors.AsType[*onlink.ICMPError](err)
				if !ok || e.From.String() != router || e.Type != wire.ICMPv4TimeExceeded && e.Type != wire.ICMPv6TimeExceeded {
					t.Errorf("hop limit %d: %v (%+v), want time exceeded from %s", i+1, err, e, router)
				}
				if !strings.Contains(err.Error(), router) {
					t.Errorf("%q does not name %s", err, router)
				}
				u := dialUDP(t, c.client, netip.AddrPortFrom(netip.MustParseAddr(a.server), 9).String())
				u.SetHopLimit(uint8(i + 1))
				u.SetReadDeadline(c.client.Wall().Add(10 * time.Second))
				u.Write([]byte("x"))
				_, err = u.Read(make([]byte, 1))
				wantErr(t, "UDP", err, syscall.EHOSTUNREACH)
				u.Close()
			}
		}
	})
	run(t, c.Network)
}

// A connection whose packets stop reaching the peer goes on trying: what ICMP says of it is soft (RFC 5461). When they
// arrive again, it goes on.
func TestTimeExceededIsSoftForTCP(t *testing.T) {
	c := newChain(t, 1, sim.Line{})
	got := 0
	serve(t, c.server, func(s *onlink.TCPConn) { got = discard(t, s) })
	c.client.Go("client", func() {
		s := dial(t, c.client, "203.0.113.9:80")
		s.SetHopLimit(1)
		s.Write(make([]byte, 10000))
		c.client.Sleep(20 * time.Second)
		s.SetHopLimit(0)
		s.Close()
	})
	run(t, c.Network)
	if got != 10000 {
		t.Errorf("the server got %d octets", got)
	}
}

// Destinations that cannot be reached: the errno that Linux gives, at Dial, at a connected UDP socket, and at Ping,
// and no waiting for a time-out.
func TestUnreachable(t *testing.T) {
	c := newChain(t, 1, sim.Line{})
	c.client.Go("client", func() {
		for _, a := range chainAddrs {
			for _, row := range []struct {
				what, host string
				port       uint16
				want       error
				from       string
			}{
				{"no route at r1", a.nowhere, 80, syscall.ENETUNREACH, a.r1},
				{"nobody on r2's link", a.nobody, 80, syscall.EHOSTUNREACH, a.r2},
				{"no such port", a.server, 81, syscall.ECONNREFUSED, ""},
			} {
				address := netip.AddrPortFrom(netip.MustParseAddr(row.host), row.port).String()
				what := a.family + ", " + row.what
				began := c.client.Now()
				_, err := c.client.DialContext(t.Context(), "tcp", address)
				wantErr(t, what+": Dial", err, row.want)
				if took := c.client.Now().Sub(began); took > 5*time.Second {
					t.Errorf("%s: Dial took %v", what, took)
				}
				c.client.Sleep(5 * time.Second) // a failed resolution is remembered for a while
				u := dialUDP(t, c.client, address)
				u.SetReadDeadline(c.client.Wall().Add(10 * time.Second))
				u.Write([]byte("x"))
				_, err = u.Read(make([]byte, 1))
				wantErr(t, what+": UDP", err, row.want)
				u.Close()
				if row.from == "" {
					continue
				}
				c.client.Sleep(5 * time.Second)
				_, err = ping(c.client, row.host, onlink.PingConfig{})
				wantErr(t, what+": Ping", err, row.want)
				if e, ok := errors.AsType[*onlink.ICMPError](err); !ok || e.From.String() != row.from {
					t.Errorf("%s: %v does not come from %s", what, err, row.from)
				}
			}
		}
	})
	run(t, c.Network)
}

// Packets too big for the link between the routers: TCP learns the path's MTU and goes on (RFC 1191, RFC 8201).
func TestPathMTUDiscovery(t *testing.T) {
	for _, mtu := range []int{1400, 1280} {
		for i, a := range chainAddrs {
			for _, upload := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s, MTU %d, upload %v", a.family, mtu, upload), func(t *testing.T) {
					t.Parallel()
					const size = 300_000
					c := newChain(t, uint64(mtu+i), sim.Line{MTU: mtu})
					got := 0
					var info onlink.TCPInfo
					sender := func(s *onlink.TCPConn) {
						s.Write(make([]byte, size))
						s.CloseWrite()
						io.Copy(io.Discard, s)
						info = s.Info()
						s.Close()
					}
					receiver := func(s *onlink.TCPConn) { got = discard(t, s) }
					began := c.Now()
					first, second := sender, receiver
					if !upload {
						first, second = receiver, sender
					}
					serve(t, c.server, second)
					c.client.Go("client", func() {
						first(dial(t, c.client, netip.AddrPortFrom(netip.MustParseAddr(a.server), 80).String()))
					})
					run(t, c.Network)
					headers := 40 + 12
					if a.family == "IPv6" {
						headers += 20
					}
					if got != size || info.MSS != mtu-headers {
						t.Errorf("%d octets arrived; the sender's MSS is %d, want %d", got, info.MSS, mtu-headers)
					}
					if took := c.Now().Sub(began); took > 2*time.Second || info.Timeouts > 0 {
						t.Errorf("took %v, with %d time-outs", took, info.Timeouts)
					}
				})
			}
		}
	}
}

// A datagram too big for the middle link: a router fragments it if it is one of IPv4 that may be (RFC 791), and otherwise
// tells the sender, which fragments the next one (RFC 1191, 3; RFC 8200, 5).
func TestUDPOverNarrowLink(t *testing.T) {
	for _, discover := range []onlink.MTUDiscovery{onlink.DiscoverNot, onlink.DiscoverWant} {
		udpOverNarrowLink(t, discover)
	}
}

func udpOverNarrowLink(t *testing.T, discover onlink.MTUDiscovery) {
	c := newChain(t, 1, sim.Line{MTU: 1280})
	byRouter := func(family string) bool { return discover == onlink.DiscoverNot && family == "IPv4" }
	for _, a := range chainAddrs {
		got := 0
		pc, err := c.server.ListenPacket(t.Context(), "udp", netip.AddrPortFrom(netip.MustParseAddr(a.server), 9).String())
		if err != nil {
			t.Fatal(err)
		}
		c.server.Go("server", func() {
			b := make([]byte, 2000)
			pc.(*onlink.UDPConn).SetReadDeadline(c.server.Wall().Add(time.Minute))
			for {
				n, _, err := pc.ReadFrom(b)
				if err != nil {
					break
				}
				if n != 1400 || b[0] != 1 || b[1399] != 2 {
					t.Errorf("%s: a datagram of %d octets", a.family, n)
				}
				got++
			}
			pc.Close()
		})
		c.client.Go("client", func() {
			u := dialUDP(t, c.client, pc.LocalAddr().String())
			u.SetMTUDiscovery(discover)
			b := make([]byte, 1400)
			b[0], b[1399] = 1, 2
			for range 5 {
				if _, err := u.Write(b); err != nil {
					t.Errorf("%s: %v", a.family, err)
				}
				c.client.Sleep(time.Second)
			}
			u.Close()
		})
		run(t, c.Network)
		want := 4 // the first told the sender
		if byRouter(a.family) {
			want = 5
		}
		if got != want {
			t.Errorf("%s: %d datagrams arrived, want %d", a.family, got, want)
		}
	}
	router, client4, client6 := c.r1.Snapshot().Counters.Get(mib.IpFragOKs), c.client.Snapshot().Counters.Get(mib.IpFragOKs),
		c.client.Snapshot().Counters.Get(mib.Ip6FragOKs)
	want := [3]uint64{0, 4, 4}
	if byRouter("IPv4") {
		want = [3]uint64{5, 0, 4}
	}
	if got := [3]uint64{router, client4, client6}; got != want {
		t.Errorf("the router fragmented %d IPv4 packets, the client %d and %d IPv6 packets, want %v", router, client4, client6, want)
	}
}

// A routing loop ends by the hop limit, and the sender is told.
func TestRoutingLoop(t *testing.T) {
	c := newChain(t, 1, sim.Line{})
	route(t, c.r1, "0.0.0.0/0", "198.51.100.2")
	route(t, c.r1, "::/0", "2001:db8:2::2")
	route(t, c.r2, "0.0.0.0/0", "198.51.100.1")
	route(t, c.r2, "::/0", "2001:db8:2::1")
	c.client.Go("client", func() {
		for i, host := range []string{chainAddrs[0].nowhere, chainAddrs[1].nowhere} {
			before := c.forwarded(i)
			_, err := ping(c.client, host, onlink.PingConfig{})
			wantErr(t, "ping", err, syscall.EHOSTUNREACH)
			if e, ok := errors.AsType[*onlink.ICMPError](err); !ok || e.Type != wire.ICMPv4TimeExceeded && e.Type != wire.ICMPv6TimeExceeded {
				t.Errorf("ping %s: %v, want time exceeded", host, err)
			}
			// 63 times until the hop limit is 1, and the error back from r2.
			if n := c.forwarded(i) - before; n != 64 {
				t.Errorf("ping %s: forwarded %d times", host, n)
			}
		}
	})
	run(t, c.Network)
}

// forwarded returns how many packets of a family (0: IPv4, 1: IPv6) the routers forwarded.
func (c *chain) forwarded(family int) uint64 {
	counter := []mib.Counter{mib.IpForwDatagrams, mib.Ip6OutForwDatagrams}[family]
	a, b := c.r1.Snapshot(), c.r2.Snapshot()
	return a.Counters.Get(counter) + b.Counters.Get(counter)
}

// Broadcasts, groups and what is link-local stay on their link.
func TestNotForwarded(t *testing.T) {
	c := newChain(t, 1, sim.Line{})
	link := "%eth0"
	pc, err := c.client.ListenPacket(t.Context(), "udp", ":9")
	if err != nil {
		t.Fatal(err)
	}
	u := pc.(*onlink.UDPConn)
	c.client.Go("client", func() {
		for _, to := range []string{"255.255.255.255:9", "192.0.2.255:9", "198.51.100.255:9", "203.0.113.255:9", "224.0.0.1:9",
			"239.1.2.3:9", "[ff02::1" + link + "]:9", "[ff05::2" + link + "]:9", "[ff0e::1234" + link + "]:9",
			"[fe80::1234" + link + "]:9"} {
			_, err := u.WriteToUDPAddrPort([]byte("x"), netip.MustParseAddrPort(to))
			if err != nil {
				t.Errorf("%s: %v", to, err)
			}
			c.client.Sleep(5 * time.Second)
		}
		u.Close()
	})
	packets(c.far, c.r2, func(b []byte) {
		if !isND(b) {
			t.Errorf("r2 sent on % x", b[:40])
		}
	})
	run(t, c.Network)
	// 203.0.113.255 is a directed broadcast only at r2, to whom r1 forwards it like any packet.
	if n := c.forwarded(0) + c.forwarded(1); n != 1 {
		t.Errorf("%d packets were forwarded", n)
	}
}

// Nor does a router forward what is addressed like that in frames for itself, whatever routes it has: RFC 4291, 2.5.6:
// "Routers must not forward any packets with Link-Local source or destination addresses to other links"; 2.5.3, of
// loopback: "must never be forwarded by an IPv6 router"; RFC 1812, 5.3.7: martian addresses.
func TestImpossibleAddressesAreNotForwarded(t *testing.T) {
	c := newChain(t, 1, sim.Line{})
	route(t, c.r1, "0.0.0.0/0", "198.51.100.2")
	route(t, c.r1, "::/0", "2001:db8:2::2")
	const client4, client6, server4, server6 = "192.0.2.9", "2001:db8:1::9", "203.0.113.9", "2001:db8:3::9"
	for _, row := range []struct {
		src, dst string
		pass     bool
	}{
		{client4, server4, true}, {client6, server6, true}, // but not in a broadcast frame: see below
		{client4, "239.1.2.3", false}, {client4, "224.0.0.1", false}, {client4, "255.255.255.255", false},
		{client4, "169.254.1.2", false}, {client4, "127.0.0.2", false}, {client4, "0.0.0.0", false}, {client4, "240.0.0.1", false},
		{"169.254.1.2", server4, false}, {"127.0.0.1", server4, false}, {"0.0.0.0", server4, false}, {"224.0.0.1", server4, false},
		{"255.255.255.255", server4, false}, {"192.0.2.1", server4, false}, {"192.0.2.255", server4, false}, {"240.0.0.1", server4, false},
		{client6, "ff0e::1234", false}, {client6, "ff02::1", false}, {client6, "fe80::1234", false}, {client6, "::1", false},
		{client6, "::", false}, {"fe80::9", server6, false}, {"::1", server6, false}, {"::", server6, false}, {"ff0e::1", server6, false},
		{"2001:db8:1::1", server6, false},
	} {
		src, dst := wire.AddrFrom(netip.MustParseAddr(row.src)), wire.AddrFrom(netip.MustParseAddr(row.dst))
		frame := make([]byte, wire.EthernetLen+wire.IPv6Len+wire.UDPLen)
		etherType := uint16(wire.EtherTypeIPv6)
		if src.Is4() {
			frame, etherType = frame[:wire.EthernetLen+wire.IPv4MinLen+wire.UDPLen], wire.EtherTypeIPv4
			h := wire.IPv4Header{TotalLen: wire.IPv4MinLen + wire.UDPLen, TTL: 64, Protocol: wire.ProtoUDP, Src: src, Dst: dst}
			h.Put(frame[wire.EthernetLen:])
		} else {
			h := wire.IPv6Header{PayloadLen: wire.UDPLen, NextHeader: wire.ProtoUDP, HopLimit: 64, Src: src, Dst: dst}
			h.Put(frame[wire.EthernetLen:])
		}
		u := frame[len(frame)-wire.UDPLen:]
		wire.PutUDP(u, 9, 9, len(u))
		wire.FinishChecksum(u, 6, wire.ProtoUDP, src, dst)
		// The second interface of the network is r1's eth0.
		wire.PutEthernet(frame, wire.MAC{2, 0, 0, 0, 0, 2}, wire.MAC{2, 0, 0, 0, 0, 1}, etherType)
		if passed := c.passes(frame); passed != row.pass {
			t.Errorf("from %s to %s: forwarded: %v", row.src, row.dst, passed)
		}
		// RFC 1812, 5.3.4: "A router MUST NOT forward any packet that the router received as a Link Layer broadcast".
		copy(frame, wire.BroadcastMAC[:])
		if c.passes(frame) {
			t.Errorf("from %s to %s in a broadcast frame: forwarded", row.src, row.dst)
		}
	}
}

// passes reports whether r1 forwards frame, if it comes from the client.
func (c *chain) passes(frame []byte) bool {
	before := c.forwarded(0) + c.forwarded(1)
	c.near.Inject(c.r1, frame)
	c.RunFor(time.Second)
	return c.forwarded(0)+c.forwarded(1) > before
}

// RFC 4443, 3.1: a packet whose source is link-local cannot leave the link: the sender hears that the destination is
// beyond the scope of its source address.
func TestBeyondScope(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	client, router, server := n.Host("client"), n.Router("router"), n.Host("server")
	n.Wire(client.Port("eth0"), router.Port("eth0", "2001:db8:1::1/64", "fe80::1/64"), sim.Line{})
	n.Wire(router.Port("eth1", "2001:db8:2::1/64"), server.Port("eth0", "2001:db8:2::2/64"), sim.Line{})
	n.RunFor(5 * time.Second)
	err := client.AddRoute(onlink.Route{Prefix: netip.MustParsePrefix("::/0"), Gateway: netip.MustParseAddr("fe80::1"), Interface: "eth0"})
	if err != nil {
		t.Fatal(err)
	}
	client.Go("client", func() {
		_, err := ping(client, "2001:db8:2::2", onlink.PingConfig{})
		e, ok := errors.AsType[*onlink.ICMPError](err)
		if !ok || e.Type != wire.ICMPv6DestUnreachable || e.Code != wire.ICMPv6BeyondScope {
			t.Errorf("ping: %v, want beyond scope", err)
		}
		_, err = client.DialContext(t.Context(), "tcp", "[2001:db8:2::2]:80")
		wantErr(t, "Dial", err, syscall.EHOSTUNREACH)
	})
	run(t, n)
}

// The way to the peer changes in the middle of a transfer, to a narrower link, whose IPv4 prefix lies within the other
// link's.
func TestRouteChangesDuringTransfer(t *testing.T) {
	for i, a := range chainAddrs {
		t.Run(a.family, func(t *testing.T) {
			c := newChain(t, 1, sim.Line{Rate: 20e6})
			c.Wire(c.r1.Port("eth9", "198.51.100.129/25", "2001:db8:9::1/64"), c.r2.Port("eth9", "198.51.100.130/25", "2001:db8:9::2/64"),
				sim.Line{MTU: 1280, Delay: 30 * time.Millisecond, Rate: 10e6, Queue: 1000})
			c.RunFor(5 * time.Second)
			const size = 4 << 20
			got := 0
			serve(t, c.server, func(s *onlink.TCPConn) { got = discard(t, s) })
			c.client.Go("client", func() {
				send(t, dial(t, c.client, netip.AddrPortFrom(netip.MustParseAddr(a.server), 80).String()), size)
			})
			prefix := netip.MustParsePrefix([]string{"203.0.113.0/24", "2001:db8:3::/64"}[i])
			gateways := [][]string{{"198.51.100.2", "198.51.100.130"}, {"2001:db8:2::2", "2001:db8:9::2"}}[i]
			c.r1.Go("change", func() {
				c.r1.Sleep(500 * time.Millisecond)
				err := c.r1.AddRoute(onlink.Route{Prefix: prefix, Gateway: netip.MustParseAddr(gateways[1])})
				err = errors.Join(err, c.r1.RemoveRoute(onlink.Route{Prefix: prefix, Gateway: netip.MustParseAddr(gateways[0])}))
				if err != nil {
					t.Error(err)
				}
			})
			run(t, c.Network)
			if took := c.Now().Duration(); got != size || took > 20*time.Second {
				t.Errorf("%d octets arrived in %v", got, took)
			}
		})
	}
}
