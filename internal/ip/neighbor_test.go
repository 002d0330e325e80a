package ip

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/neigh"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

var (
	new4, new6 = a4("192.0.2.77"), a6("2001:db8::77")
	newMAC     = wire.MAC{0x02, 0, 0, 0, 0, 0x77}
)

// ns and na read Neighbor Discovery messages that were sent.
func ns(t *testing.T, f []byte) (wire.NeighborSolicitation, message) {
	t.Helper()
	m, ok := parseICMP(t, f, link.Ethernet)
	if !ok {
		t.Fatalf("sent %x", f)
	}
	n, err := wire.ParseNeighborSolicitation(m.raw)
	if err == nil {
		err = n.Validate(m.src, m.dst, m.hop)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n, m
}

func na(t *testing.T, f []byte) (wire.NeighborAdvertisement, message) {
	t.Helper()
	m, ok := parseICMP(t, f, link.Ethernet)
	if !ok {
		t.Fatalf("sent %x", f)
	}
	n, err := wire.ParseNeighborAdvertisement(m.raw)
	if err == nil {
		err = n.Validate(m.src, m.dst, m.hop)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n, m
}

// nd6 returns a frame with a Neighbor Discovery message.
func nd6(linkDst, linkSrc wire.MAC, src, dst wire.Addr, m interface {
	Len() int
	Put([]byte)
}) []byte {
	b := make([]byte, m.Len())
	m.Put(b)
	wire.FinishICMPv6(b, src, dst)
	return eth(linkDst, linkSrc, wire.EtherTypeIPv6, ip6(src, dst, 58, b, func(h *wire.IPv6Header) { h.HopLimit = 255 }))
}

func arp(dst wire.MAC, m wire.ARP) []byte {
	b := make([]byte, wire.ARPLen)
	m.Put(b)
	return eth(dst, m.SenderMAC, wire.EtherTypeARP, b)
}

// Packets wait for resolution and leave in order; from then on nothing is asked.
func TestResolve(t *testing.T) {
	b := newBed(t, setup{})
	for _, c := range []struct {
		src, dst wire.Addr
		answer   func() []byte
	}{
		{us4, new4, func() []byte {
			return arp(usMAC, wire.ARP{Op: wire.ARPReply, SenderMAC: newMAC, SenderIP: new4, TargetMAC: usMAC, TargetIP: us4})
		}},
		{us6, new6, func() []byte {
			return nd6(usMAC, newMAC, new6, us6, &wire.NeighborAdvertisement{Solicited: true, Override: true, Target: new6, TargetLink: newMAC})
		}},
	} {
		path, err := b.l.Route(0, Query{Dst: c.dst})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			b.send(path, Params{Proto: 17}, []byte{byte(i), 0, 0, 0, 0, 0, 0, 0})
		}
		sent := b.eth0.take()
		if len(sent) != 1 {
			t.Fatalf("%d sent", len(sent))
		}
		f := wire.Ethernet(sent[0])
		if c.dst.Is4() {
			m, err := wire.ParseARP(f.Payload())
			if err != nil || f.Dst() != wire.BroadcastMAC || m.Op != wire.ARPRequest || m.SenderIP != us4 || m.SenderMAC != usMAC || m.TargetIP != c.dst {
				t.Errorf("%v %+v", err, m)
			}
		} else {
			n, m := ns(t, sent[0])
			if f.Dst() != c.dst.SolicitedNode().MulticastMAC() || n.Target != c.dst || n.SourceLink != usMAC || m.src != us6 || m.dst != c.dst.SolicitedNode() {
				t.Errorf("%+v %+v", n, m)
			}
		}
		b.in(b.eth0, c.answer())
		b.send(path, Params{Proto: 17}, []byte{3, 0, 0, 0, 0, 0, 0, 0})
		sent = b.eth0.take()
		if len(sent) != 4 {
			t.Fatalf("%d sent", len(sent))
		}
		for i, f := range sent {
			if e := wire.Ethernet(f); e.Dst() != newMAC || f[len(f)-8] != byte(i) {
				t.Errorf("frame %d to %v: %x", i, e.Dst(), f)
			}
		}
		if path.entry.Load() == nil {
			t.Error("the path does not know its neighbor")
		}
	}
	v := b.values()
	if v.Get(mib.ArpOutRequests) == 0 || v.Get(mib.ArpInReplies) != 1 || v.Get(mib.Icmp6OutNeighborSolicits) != 1 || v.Get(mib.Icmp6InNeighborAdvertisements) != 1 {
		t.Error("counters wrong")
	}
}

// Failure reaches the socket as EHOSTUNREACH, and the source of a forwarded packet as an ICMP error.
func TestUnreachable(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	b.out(Query{Dst: new4}, Params{Proto: 17}, udp(us4, new4, "x"))
	b.out(Query{Dst: new6}, Params{Proto: 17}, udp(us6, new6, "x"))
	b.out(Query{Dst: a6("fe80::77"), Scope: 2}, Params{Proto: 17}, udp(usLL, a6("fe80::77"), "x"))
	b.in(b.eth1, eth(us1MAC, otherMAC, wire.EtherTypeIPv4, ip4(other4, new4, 17, udp(other4, new4, "x"))),
		eth(us1MAC, otherMAC, wire.EtherTypeIPv6, ip6(other6, new6, 17, udp(other6, new6, "x"))))
	b.pass(5 * time.Second)
	if len(b.udp.errors) != 3 {
		t.Fatalf("%d errors", len(b.udp.errors))
	}
	for i, want := range []Error{{Src: us4, Dst: new4}, {Src: us6, Dst: new6}, {Src: usLL, Dst: a6("fe80::77"), Scope: 2}} {
		e := b.udp.errors[i]
		if e.Errno != syscall.EHOSTUNREACH || !e.Local || e.Src != want.Src || e.Dst != want.Dst || e.Scope != want.Scope || e.Proto != 17 || len(e.Quote) != 9 {
			t.Errorf("%+v", e)
		}
	}
	sent := b.eth1.take()
	if len(sent) != 2 {
		t.Fatalf("%d sent", len(sent))
	}
	for i, want := range []message{{src: us14, dst: other4, typ: 3, code: 1}, {src: us16, dst: other6, typ: 1, code: 3}} {
		if m, _ := parseICMP(t, sent[i], link.Ethernet); m.src != want.src || m.dst != want.dst || m.typ != want.typ || m.code != want.code {
			t.Errorf("%+v", m)
		}
	}
	v := b.values()
	if v.Dropped(mib.Ip4NeighborUnreachable) != 2 || v.Dropped(mib.Ip6NeighborUnreachable) != 3 {
		t.Error("not all dropped")
	}
}

// RFC 826, "Packet Reception": answered for our own addresses only, whichever interface has them (RFC 1122, 3.3.4.2: the weak
// end system model, as in Linux).
func TestARPInput(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	ask := func(target wire.Addr) wire.ARP {
		return wire.ARP{Op: wire.ARPRequest, SenderMAC: newMAC, SenderIP: new4, TargetIP: target}
	}
	b.in(b.eth0, arp(wire.BroadcastMAC, ask(us4)))
	sent := b.eth0.take()
	if len(sent) != 1 {
		t.Fatalf("%d sent", len(sent))
	}
	m, err := wire.ParseARP(sent[0][14:])
	if want := (wire.ARP{Op: wire.ARPReply, SenderMAC: usMAC, SenderIP: us4, TargetMAC: newMAC, TargetIP: new4}); err != nil || m != want || wire.Ethernet(sent[0]).Dst() != newMAC {
		t.Errorf("%+v", m)
	}
	b.in(b.eth0, arp(wire.BroadcastMAC, ask(us14)))
	if sent := b.eth0.take(); len(sent) != 1 || wire.MAC(sent[0][22:]) != usMAC || wire.AddrFrom4(sent[0][28:]) != us14 {
		t.Errorf("for the other interface's address: %x", sent)
	}
	for _, target := range []wire.Addr{far4, peer4, wire.Loopback4, a4("192.0.2.255"), wire.Broadcast4, wire.Unspecified4} {
		if b.in(b.eth0, arp(wire.BroadcastMAC, ask(target))); len(b.eth0.take()) != 0 {
			t.Errorf("answered for %v", target)
		}
	}
	b.in(b.eth0, eth(usMAC, newMAC, wire.EtherTypeARP, make([]byte, 27)), eth(usMAC, newMAC, wire.EtherTypeARP, make([]byte, 46)))
	if n := b.values().Dropped(mib.ArpMalformed); n != 2 {
		t.Errorf("%d malformed", n)
	}
	// The asker was learned: STALE, and used from there.
	b.out(Query{Dst: new4}, Params{Proto: 17}, make([]byte, 8))
	if sent := b.eth0.take(); len(sent) != 1 || wire.Ethernet(sent[0]).Dst() != newMAC {
		t.Errorf("%d sent", len(sent))
	}
}

// RFC 4861, 7.1.1, 7.2.3, 7.2.4.
func TestNeighborSolicitation(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	for _, target := range []wire.Addr{us6, usLL} {
		b.in(b.eth0, nd6(target.SolicitedNode().MulticastMAC(), newMAC, new6, target.SolicitedNode(), &wire.NeighborSolicitation{Target: target, SourceLink: newMAC}))
		sent := b.eth0.take()
		if len(sent) != 1 {
			t.Fatalf("%d sent", len(sent))
		}
		n, m := na(t, sent[0])
		if want := (wire.NeighborAdvertisement{Router: true, Solicited: true, Override: true, Target: target, TargetLink: usMAC}); n != want ||
			m.dst != new6 || m.src != target || wire.Ethernet(sent[0]).Dst() != newMAC {
			t.Errorf("%+v %+v", n, m)
		}
	}
	// Duplicate address detection of another: "multicast the advertisement to the all-nodes address."
	b.in(b.eth0, nd6(us6.SolicitedNode().MulticastMAC(), newMAC, wire.Addr{}, us6.SolicitedNode(), &wire.NeighborSolicitation{Target: us6}))
	sent := b.eth0.take()
	if len(sent) != 1 {
		t.Fatalf("%d sent", len(sent))
	}
	if n, m := na(t, sent[0]); n.Solicited || m.dst != wire.AllNodes6 {
		t.Errorf("%+v %+v", n, m)
	}
	ask := func(src, dst, target wire.Addr, link wire.MAC) []byte {
		return nd6(usMAC, newMAC, src, dst, &wire.NeighborSolicitation{Target: target, SourceLink: link})
	}
	good := ask(new6, us6, us6, newMAC)
	for name, f := range map[string][]byte{
		"hop limit":              poke(good, 14+7, 254),
		"from :: to unicast":     ask(wire.Addr{}, us6, us6, wire.MAC{}),
		"from :: with link":      ask(wire.Addr{}, us6.SolicitedNode(), us6, newMAC),
		"target is a group":      ask(new6, us6, wire.AllNodes6, newMAC),
		"truncated":              in6(ip6(new6, us6, 58, icmp6(new6, us6, 135, 0, 0, make([]byte, 8)), func(h *wire.IPv6Header) { h.HopLimit = 255 })),
		"option of length zero":  in6(ip6(new6, us6, 58, icmp6(new6, us6, 135, 0, 0, cat(good[14+40+8:14+40+24], make([]byte, 8))), func(h *wire.IPv6Header) { h.HopLimit = 255 })),
		"code":                   in6(ip6(new6, us6, 58, icmp6(new6, us6, 135, 1, 0, good[14+40+8:]), func(h *wire.IPv6Header) { h.HopLimit = 255 })),
		"not ours":               nil,
		"our own address as src": ask(us6, us6, us6, newMAC),
	} {
		before := b.values()
		if f == nil {
			f = ask(new6, us6, far6, newMAC)
		}
		b.in(b.eth0, f)
		if sent := b.eth0.take(); len(sent) != 0 {
			t.Errorf("%s: answered", name)
		}
		want := mib.NdInvalid
		if name == "from :: to unicast" {
			want = mib.Ip6FromUnspecified
		}
		if r, n := drops(b.values(), before); name != "not ours" && name != "our own address as src" && (n != 1 || r[0] != want) {
			t.Errorf("%s: %v", name, r)
		}
	}
}

func (b *bed) addr(index int32, a wire.Addr) netif.State {
	e := b.l.Snapshot().Interface(index).Address(a)
	if e == nil {
		b.Fatalf("%v is gone", a)
	}
	return e.State
}

// RFC 4862, 5.4: tentative until nobody objected; not assigned before.
func TestDAD(t *testing.T) {
	b := newBed(t, setup{dad: true, tracing: true})
	if b.addr(2, us6) != netif.Tentative || b.addr(2, usLL) != netif.Tentative || b.l.Assigned(us6, 0) || !b.l.Assigned(us4, 0) {
		t.Error("not tentative")
	}
	if _, err := b.l.Route(0, Query{Dst: far6}); err != ErrTentative || !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Error(err)
	}
	if _, err := b.l.Route(0, Query{Dst: far6, Src: us6}); err != ErrTentative {
		t.Error(err)
	}
	// RFC 4862, 5.4.2 and 2: packets to a tentative address are not taken.
	b.in(b.eth0, in6(ip6(peer6, us6, 17, udp(peer6, us6, "x"))))
	if b.udp.n != 0 {
		t.Error("a tentative address was used")
	}
	// RFC 4862, 5.4.3: somebody resolves the tentative address: silently ignored.
	b.in(b.eth0, nd6(us6.SolicitedNode().MulticastMAC(), newMAC, new6, us6.SolicitedNode(), &wire.NeighborSolicitation{Target: us6, SourceLink: newMAC}))
	b.pass(time.Second)
	asked := map[wire.Addr]int{}
	for _, f := range b.eth0.take() {
		n, m := ns(t, f)
		if !m.src.IsUnspecified() || m.dst != n.Target.SolicitedNode() || n.SourceLink != (wire.MAC{}) {
			t.Errorf("%+v %+v", n, m)
		}
		asked[n.Target]++
	}
	if asked[us6] != 1 || asked[usLL] != 1 || len(asked) != 2 {
		t.Errorf("asked %v", asked)
	}
	ready := make(chan error, 3)
	b.sim.Start("waiter", func() { ready <- b.l.WaitReady(context.Background(), 2) })
	b.sim.Start("dialer", func() {
		p, err := b.l.WaitSettled(context.Background(), Query{Dst: far6})
		if err == nil && p.Src != us6 {
			t.Errorf("from %v", p.Src)
		}
		ready <- err
	})
	b.pass(time.Second)
	for range 2 {
		select {
		case err := <-ready:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Fatal("not ready")
		}
	}
	if b.addr(2, us6) != netif.Preferred || b.addr(2, usLL) != netif.Preferred {
		t.Error("not ready")
	}
	// They are announced.
	for _, f := range b.eth0.take() {
		if n, m := na(t, f); m.dst != wire.AllNodes6 || n.Solicited || n.TargetLink != usMAC {
			t.Errorf("%+v", n)
		}
	}
	b.in(b.eth0, in6(ip6(peer6, us6, 17, udp(peer6, us6, "x"))))
	if b.udp.n != 1 || b.events.count(trace.AddressTentative) != 2 || b.events.count(trace.AddressReady) < 3 {
		t.Error("not assigned")
	}
}

// RFC 4862, 5.4.3, 5.4.4: another node has the address, or wants it too.
func TestDADDuplicate(t *testing.T) {
	for name, f := range map[string][]byte{
		"advertised": nd6(wire.AllNodes6.MulticastMAC(), newMAC, us6, wire.AllNodes6, &wire.NeighborAdvertisement{Override: true, Target: us6, TargetLink: newMAC}),
		"solicited":  nd6(us6.SolicitedNode().MulticastMAC(), newMAC, wire.Addr{}, us6.SolicitedNode(), &wire.NeighborSolicitation{Target: us6}),
	} {
		b := newBed(t, setup{dad: true, tracing: true})
		var err error
		b.sim.Start("waiter", func() { err = b.l.WaitReady(context.Background(), 2) })
		b.pass(time.Millisecond)
		b.in(b.eth0, f)
		b.pass(3 * time.Second)
		var dup *DuplicateError
		if !errors.As(err, &dup) || dup.Addr != netip.MustParseAddr("2001:db8::2") || dup.Owner != newMAC || !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatalf("%s: %v", name, err)
		}
		if want := "interface eth0: address 2001:db8::2 is a duplicate: 02:00:00:00:00:77 has it"; err.Error() != want {
			t.Errorf("%q", err)
		}
		if b.l.Assigned(us6, 0) || b.addr(2, usLL) != netif.Preferred || b.events.count(trace.AddressDuplicate) != 1 {
			t.Errorf("%s: assigned", name)
		}
		if _, err := b.l.Route(0, Query{Dst: far6}); err == ErrTentative {
			t.Error("still waiting")
		}
		if i := b.l.Snapshot().Interface(2); i.Member(us6.SolicitedNode()) || !i.Member(usLL.SolicitedNode()) {
			t.Error("still listening for a duplicate")
		}
		// Another link, another try.
		info := b.eth0.info
		for _, info.Up = range []bool{false, true} {
			b.eth0.r.Changed(info)
		}
		b.pass(3 * time.Second)
		if b.addr(2, us6) != netif.Preferred {
			t.Error("not tried again")
		}
	}
}

// RFC 7527: a solicitation of ours that the link loops back is no duplicate.
func TestDADLoopedBack(t *testing.T) {
	b := newBed(t, setup{dad: true})
	for range 8 {
		b.pass(time.Second)
		for _, f := range b.eth0.take() {
			if wire.Ethernet(f).EtherType() == wire.EtherTypeIPv6 {
				b.in(b.eth0, f)
			}
		}
		if b.addr(2, us6) == netif.Duplicate {
			t.Fatal("a duplicate of itself")
		}
	}
}

func TestWaitReadyContext(t *testing.T) {
	b := newBed(t, setup{dad: true})
	var err, other error
	b.sim.Start("waiter", func() {
		ctx, cancel := b.sim.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		err = b.l.WaitReady(ctx, 2)
		_, other = b.l.WaitSettled(ctx, Query{Dst: far6})
	})
	b.pass(200 * time.Millisecond)
	if err != context.DeadlineExceeded || other != context.DeadlineExceeded {
		t.Error(err, other)
	}
	if err := b.l.WaitReady(context.Background(), 99); !errors.Is(err, syscall.ENODEV) {
		t.Error(err)
	}
}

// A link that went away and came back: neighbors are forgotten, detection that could not end begins again.
func TestCarrier(t *testing.T) {
	b := newBed(t, setup{dad: true, tracing: true})
	info := b.eth0.info
	info.Up = false
	b.eth0.r.Changed(info)
	b.pass(5 * time.Second)
	if b.addr(2, us6) != netif.Tentative || b.events.count(trace.InterfaceDown) != 1 {
		t.Error("ready on a dead link")
	}
	b.eth0.take()
	info.Up = true
	b.eth0.r.Changed(info)
	b.pass(3 * time.Second)
	if b.addr(2, us6) != netif.Preferred || b.events.count(trace.InterfaceUp) < 2 {
		t.Error("not ready")
	}
	var garp int
	for _, f := range b.eth0.take() {
		if m, err := wire.ParseARP(f[14:]); err == nil && m.SenderIP == us4 && m.TargetIP == us4 {
			garp++
		}
	}
	if garp != 1 {
		t.Errorf("%d ARP announcements", garp)
	}
	// The link's address changes: so does the link-local one.
	info.Addr = newMAC
	b.eth0.r.Changed(info)
	b.pass(3 * time.Second)
	i := b.l.Snapshot().Interface(2)
	if i.Address(usLL) != nil || b.addr(2, wire.Addr{Hi: 0xfe80 << 48, Lo: newMAC.InterfaceID()}) != netif.Preferred || i.LinkAddr != newMAC {
		t.Errorf("%+v", i)
	}
}

// Confirm keeps a neighbor REACHABLE without a probe (RFC 4861, 7.3.1).
func TestConfirm(t *testing.T) {
	b := newBed(t, setup{})
	path, _ := b.l.Route(0, Query{Dst: new4})
	b.send(path, Params{Proto: 17}, make([]byte, 8))
	b.in(b.eth0, arp(usMAC, wire.ARP{Op: wire.ARPReply, SenderMAC: newMAC, SenderIP: new4, TargetMAC: usMAC, TargetIP: us4}))
	b.eth0.take()
	for range 60 {
		b.pass(time.Second)
		b.send(path, Params{Proto: 17}, make([]byte, 8))
		b.l.Confirm(path, b.sim.Now())
	}
	if n := len(b.eth0.take()); n != 60 {
		t.Errorf("%d frames for 60 packets", n)
	}
	if s := path.entry.Load().State(); s != neigh.Reachable {
		t.Error(s)
	}
	list, err := b.l.Neighbors(2)
	if err != nil || !slices.Contains(list, neigh.Info{Addr: new4, MAC: newMAC, State: neigh.Reachable}) {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := b.l.Neighbors(9); !errors.Is(err, syscall.ENODEV) {
		t.Error(err)
	}
}

// A path whose neighbor was forgotten finds it again.
func TestForgottenNeighbor(t *testing.T) {
	b := newBed(t, setup{})
	path, _ := b.l.Route(0, Query{Dst: new4})
	answer := arp(usMAC, wire.ARP{Op: wire.ARPReply, SenderMAC: newMAC, SenderIP: new4, TargetMAC: usMAC, TargetIP: us4})
	b.send(path, Params{Proto: 17}, make([]byte, 8))
	b.in(b.eth0, answer)
	b.send(path, Params{Proto: 17}, make([]byte, 8))
	old := path.entry.Load()
	b.l.control.Lock()
	b.l.devices[1].cache.Remove(b.sim.Now(), new4)
	b.l.control.Unlock()
	b.send(path, Params{Proto: 17}, make([]byte, 8))
	b.in(b.eth0, answer)
	b.send(path, Params{Proto: 17}, make([]byte, 8))
	if e := path.entry.Load(); e == old || e == nil || !old.Evicted() {
		t.Error("still the old entry")
	}
	if n := len(b.eth0.take()); n != 6 { // 4 packets, 2 requests
		t.Errorf("%d sent", n)
	}
}
