package sim_test

import (
	"errors"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/socket"
	"github.com/onlink-go/onlink/wire"
)

// second has a table of its own, 100, whose default route leads to router 1.
func (r *routed) second(t testing.TB, family string, rule onlink.Rule) {
	t.Helper()
	via := onlink.Route{Prefix: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("192.0.2.2"), Table: 100}
	if family == "IPv6" {
		via.Prefix, via.Gateway = netip.MustParsePrefix("::/0"), netip.MustParseAddr("2001:db8:1::2")
	}
	rule.Table, rule.Priority, rule.IPv6 = 100, 1000, family == "IPv6"
	if err := errors.Join(r.client.AddRoute(via), r.client.AddRule(rule)); err != nil {
		t.Fatal(err)
	}
}

// Marks choose a table: of a TCP connection from its SYN on, and of datagrams.
func TestMarkRoutes(t *testing.T) {
	eachRouted(t, 2, []int{1}, func(t *testing.T, r *routed, family, server string) {
		r.second(t, family, onlink.Rule{Mark: 7})
		for _, c := range []struct {
			mark uint32
			want int
		}{{0, 0}, {7, 1}, {6, 0}} {
			r.used()
			k := r.talk(t, onlink.Dialer{TCP: onlink.TCPOptions{Mark: c.mark}}, server)
			if got := k.used(); got != c.want {
				t.Errorf("mark %d: the SYN by router %d, want %d", c.mark, got, c.want)
			}
			k.want("a connection", c.want)
			k.Close()
			r.client.Sleep(time.Second)
		}
		u := dialUDP(t, r.client, netip.AddrPortFrom(nobody(family, 1), 9).String())
		for mark, want := range []int{7: 1, 8: 0} {
			u.SetMark(uint32(mark))
			r.used()
			u.Write([]byte("x"))
			r.client.Sleep(100 * time.Millisecond)
			if got := r.used(); got != want {
				t.Errorf("a datagram with mark %d by router %d, want %d", mark, got, want)
			}
		}
		u.Close()
	})
}

// Rules look at the source: a host with two addresses leaves by the router that each belongs to (RFC 8028's case).
func TestSourceRules(t *testing.T) {
	eachRouted(t, 2, []int{1}, func(t *testing.T, r *routed, family, server string) {
		other := map[string]string{"IPv4": "192.0.2.19/24", "IPv6": "2001:db8:1::19/64"}[family]
		p := netip.MustParsePrefix(other)
		i := r.client.Interface("eth0")
		if err := errors.Join(i.AddAddress(p), i.WaitReady(t.Context())); err != nil {
			t.Fatal(err)
		}
		r.second(t, family, onlink.Rule{From: netip.PrefixFrom(p.Addr(), p.Addr().BitLen())})
		for _, c := range []struct {
			from string
			want int
		}{{"", 0}, {netip.AddrPortFrom(p.Addr(), 0).String(), 1}} {
			k := r.talk(t, onlink.Dialer{LocalAddr: c.from}, server)
			k.want("from "+c.from, c.want)
			k.Close()
			r.client.Sleep(time.Second)
		}
	})
}

// Types of route end packets with Linux's errnos at the sockets of the host that has them, and with ICMP errors for hosts
// behind it.
func TestRouteTypes(t *testing.T) {
	type code struct {
		typ, code uint8 // of the ICMP message; both 0: there is none
		errno     error
	}
	for _, c := range []struct {
		name      string
		typ       onlink.RouteType
		here      error
		four, six code
	}{
		{"blackhole", onlink.BlackholeRoute, syscall.EINVAL, code{errno: os.ErrDeadlineExceeded}, code{errno: os.ErrDeadlineExceeded}},
		{"unreachable", onlink.UnreachableRoute, syscall.EHOSTUNREACH,
			code{wire.ICMPv4DestUnreachable, wire.ICMPv4HostUnreachable, syscall.EHOSTUNREACH},
			code{wire.ICMPv6DestUnreachable, wire.ICMPv6NoRoute, syscall.ENETUNREACH}},
		{"prohibit", onlink.ProhibitRoute, syscall.EACCES,
			code{wire.ICMPv4DestUnreachable, wire.ICMPv4AdminProhibited, syscall.EHOSTUNREACH},
			code{wire.ICMPv6DestUnreachable, wire.ICMPv6AdminProhibited, syscall.EACCES}},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachRouted(t, 1, []int{1}, func(t *testing.T, r *routed, family, server string) {
				far := netip.MustParseAddr(server)
				route := onlink.Route{Prefix: netip.PrefixFrom(far, far.BitLen()), Type: c.typ}
				address := netip.AddrPortFrom(far, 80).String()
				u := dialUDP(t, r.client, address) // from before there was the route
				if err := r.client.AddRoute(route); err != nil {
					t.Fatal(err)
				}
				_, err := u.Write([]byte("x"))
				wantErr(t, "UDP, connected", err, c.here)
				for _, network := range []string{"tcp", "udp"} {
					_, err := r.client.DialContext(t.Context(), network, address)
					wantErr(t, network, err, c.here)
				}
				_, err = ping(r.client, server, onlink.PingConfig{})
				wantErr(t, "ping", err, c.here)

				if err := errors.Join(r.client.RemoveRoute(route), r.routers[0].AddRoute(route)); err != nil {
					t.Fatal(err)
				}
				want := c.four
				if family == "IPv6" {
					want = c.six
				}
				_, err = ping(r.client, server, onlink.PingConfig{})
				wantErr(t, "ping through a router", err, want.errno)
				if e, ok := errors.AsType[*onlink.ICMPError](err); ok != (want.typ != 0) || ok && (e.Type != want.typ || e.Code != want.code) {
					t.Errorf("ICMP: %+v, want %+v", e, want)
				}
				u.SetReadDeadline(r.client.Wall().Add(10 * time.Second))
				u.Write([]byte("x"))
				_, err = u.Read(make([]byte, 1))
				wantErr(t, "UDP through a router", err, want.errno)
				u.Close()
			})
		})
	}
}

// Multipath routes give each gateway its weight's part of the flows, and all packets of a flow to one. With
// fib_multipath_hash_policy 1 a flow is a connection; without, a pair of hosts.
func TestMultipath(t *testing.T) {
	eachRouted(t, 2, nil, func(t *testing.T, r *routed, family, server string) {
		any, gateways := "0.0.0.0/0", []string{"192.0.2.1", "192.0.2.2"}
		if family == "IPv6" {
			any, gateways = "::/0", []string{"2001:db8:1::1", "2001:db8:1::2"}
		}
		for i, g := range gateways {
			if err := r.client.AddRoute(onlink.Route{Prefix: netip.MustParsePrefix(any), Gateway: netip.MustParseAddr(g), Weight: 1 + 2*i}); err != nil {
				t.Fatal(err)
			}
		}
		k := r.talk(t, onlink.Dialer{}, server)
		first := k.exchange()
		for range 20 {
			k.want("the same connection", first)
		}
		// share returns how many of 400 datagrams, number i to dst(i), go to the second router.
		share := func(dst func(i int) netip.Addr) (n int) {
			for i := range 400 {
				n += r.tell(t, dst(i))
			}
			return n
		}
		one := func(int) netip.Addr { return nobody(family, 1) }
		if n := share(func(i int) netip.Addr { return nobody(family, i) }); n < 270 || n > 330 {
			t.Errorf("400 hosts: %d by the router with three quarters", n)
		}
		if n := share(one); n != 0 && n != 400 {
			t.Errorf("one host: %d by one router, %d by the other", n, 400-n)
		}
		sysctl := map[string]string{"IPv4": "net.ipv4.fib_multipath_hash_policy", "IPv6": "net.ipv6.fib_multipath_hash_policy"}[family]
		if err := r.client.SetSysctl(sysctl, "1"); err != nil {
			t.Fatal(err)
		}
		if n := share(one); n < 270 || n > 330 {
			t.Errorf("400 sockets: %d by the router with three quarters", n)
		}
		connections := 0
		for range 100 {
			r.used()
			ctx, cancel := r.client.WithTimeout(t.Context(), 50*time.Millisecond)
			r.client.DialContext(ctx, "tcp", netip.AddrPortFrom(nobody(family, 1), 80).String())
			cancel()
			connections += r.used()
		}
		if connections < 62 || connections > 88 {
			t.Errorf("100 connections: %d by the router with three quarters", connections)
		}
		first = k.exchange()
		r.kill(first, true)
		k.want("its router is dead", 1-first)
		k.Close()
	})
}

// A router that has better things to do sends the host to another one, and a connection follows, until that one dies.
func TestRedirectedConnection(t *testing.T) {
	client6, first6, second6 := wire.AddrFrom(netip.MustParseAddr("2001:db8:1::9")), wire.AddrFrom(netip.MustParseAddr("fe80::1")), wire.AddrFrom(netip.MustParseAddr("fe80::2"))
	client4, first4, second4 := wire.AddrFrom(netip.MustParseAddr("192.0.2.9")), wire.AddrFrom(netip.MustParseAddr("192.0.2.1")), wire.AddrFrom(netip.MustParseAddr("192.0.2.2"))
	for _, c := range []struct {
		family, gateway, server string
		redirect                func(dst wire.Addr) []byte
	}{
		{"IPv4", "192.0.2.1", "198.51.100.9", func(dst wire.Addr) []byte {
			quote := make([]byte, wire.IPv4MinLen+8)
			h := wire.IPv4Header{TotalLen: len(quote), TTL: 64, Protocol: wire.ProtoTCP, Src: client4, Dst: dst}
			h.Put(quote)
			return icmp4(first4, client4, wire.ICMPv4Redirect, 1, uint32(second4.V4()), quote)
		}},
		{"IPv6", "fe80::1", "2001:db8:2::9", func(dst wire.Addr) []byte {
			m := wire.Redirect{Target: second6, Destination: dst}
			const header = wire.EthernetLen + wire.IPv6Len
			f := make([]byte, header+m.Len())
			wire.PutEthernet(f, wire.MACFromUint64(0x02_00_00_00_00_01), wire.MACFromUint64(0x02_00_00_00_00_02), wire.EtherTypeIPv6)
			h := wire.IPv6Header{PayloadLen: m.Len(), NextHeader: wire.ProtoICMPv6, HopLimit: wire.NDHopLimit, Src: first6, Dst: client6}
			h.Put(f[wire.EthernetLen:])
			m.Put(f[header:])
			wire.FinishICMPv6(wire.ICMP(f[header:]), first6, client6)
			return f
		}},
	} {
		t.Run(c.family, func(t *testing.T) {
			r := newRouted(t, 2, c.gateway)
			r.client.Go("client", func() {
				k := r.talk(t, onlink.Dialer{}, c.server)
				k.want("the gateway", 0)
				r.near[0].Inject(r.client, c.redirect(wire.AddrFrom(netip.MustParseAddr(c.server))))
				k.want("redirected", 1)
				if got := r.tell(t, nobody(c.family, 1)); got != 0 {
					t.Errorf("elsewhere by router %d", got)
				}
				r.kill(1, true)
				k.want("the better one is dead", 0)
				k.Close()
			})
			run(t, r.Network)
		})
	}
}

// icmp4 returns the frame of an ICMP message from the first router to the client.
func icmp4(src, dst wire.Addr, typ, code uint8, rest uint32, body []byte) []byte {
	const header = wire.EthernetLen + wire.IPv4MinLen
	f := make([]byte, header+wire.ICMPLen+len(body))
	wire.PutEthernet(f, wire.MACFromUint64(0x02_00_00_00_00_01), wire.MACFromUint64(0x02_00_00_00_00_02), wire.EtherTypeIPv4)
	h := wire.IPv4Header{TotalLen: len(f) - wire.EthernetLen, TTL: 64, Protocol: wire.ProtoICMP, Src: src, Dst: dst}
	h.Put(f[wire.EthernetLen:])
	wire.PutICMP(f[header:], typ, code, rest)
	copy(f[header+wire.ICMPLen:], body)
	wire.FinishICMPv4(f[header:])
	return f
}

// What comes in by an interface of a VRF leaves by one of the same VRF only, whatever ways others know.
func TestVRFForwarding(t *testing.T) {
	n := sim.New(1)
	t.Cleanup(n.Stop)
	router := n.Router("router")
	hosts := map[string]*sim.Node{}
	for i, name := range []string{"a1", "a2", "b1", "plain"} {
		h := n.Host(name)
		hosts[name] = h
		mine, its := netip.AddrFrom4([4]byte{10, byte(i), 0, 2}), netip.AddrFrom4([4]byte{10, byte(i), 0, 1})
		p := router.Port("to-"+name, netip.PrefixFrom(its, 24).String())
		p.Config.VRF = map[byte]int{'a': 10, 'b': 20}[name[0]]
		n.Wire(h.Port("eth0", netip.PrefixFrom(mine, 24).String()).Gateway(its.String()), p, sim.Line{})
	}
	n.RunFor(5 * time.Second)
	hosts["a1"].Go("ping", func() {
		for dst, want := range map[string]error{"10.1.0.2": nil, "10.2.0.2": syscall.ENETUNREACH, "10.3.0.2": syscall.ENETUNREACH} {
			if _, err := ping(hosts["a1"], dst, onlink.PingConfig{}); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", dst, err, want)
			}
		}
	})
	router.Go("ping", func() {
		// It answers each by the table that it asked by.
		for _, name := range []string{"a1", "a2", "b1", "plain"} {
			h := hosts[name]
			var its string
			for _, p := range h.Interface("eth0").Addresses() {
				if p.Addr().Is4() {
					its = p.Addr().Prev().String()
				}
			}
			h.Go("ping", func() {
				if _, err := ping(h, its, onlink.PingConfig{}); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	})
	// What is ours is one table, so VRFs cannot have one address.
	if err := router.Interface("to-b1").AddAddress(netip.MustParsePrefix("10.0.0.1/24")); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("an address of another VRF: %v", err)
	}
	hosts["plain"].Go("ping", func() {
		if _, err := ping(hosts["plain"], "10.0.0.2", onlink.PingConfig{}); !errors.Is(err, syscall.ENETUNREACH) {
			t.Errorf("from outside into a VRF: %v", err)
		}
	})
	run(t, n)
}

// SO_MARK, set while a connection is there, has it go another way, as with Linux.
func TestMarkMovesConnection(t *testing.T) {
	eachRouted(t, 2, []int{1}, func(t *testing.T, r *routed, family, server string) {
		r.second(t, family, onlink.Rule{Mark: 7})
		serve(t, r.server, func(c *onlink.TCPConn) { discard(t, c) })
		p := r.client.Sockets()
		domain := map[string]int{"IPv4": socket.AF_INET, "IPv6": socket.AF_INET6}[family]
		fd, err := p.Socket(domain, socket.SOCK_STREAM, 0)
		if err == nil {
			err = p.Connect(fd, netip.AddrPortFrom(netip.MustParseAddr(server), 80))
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			mark byte
			want int
		}{{0, 0}, {7, 1}, {0, 0}} {
			if err := p.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_MARK, []byte{c.mark, 0, 0, 0}); err != nil {
				t.Error(err)
			}
			r.used()
			if _, err := p.Sendmsg(fd, &socket.Msg{Buf: [][]byte{make([]byte, 1000)}}, 0); err != nil {
				t.Error(err)
			}
			r.client.Sleep(time.Second)
			if got := r.used(); got != c.want {
				t.Errorf("mark %d: by router %d, want %d", c.mark, got, c.want)
			}
		}
		if err := p.Close(fd); err != nil {
			t.Error(err)
		}
	})
}
