package ip

import (
	"context"
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// arps returns the ARP packets among the frames sent since the last call. All of them must be broadcast if they are
// requests.
func arps(t *testing.T, c *cable) (list []wire.ARP) {
	t.Helper()
	for _, f := range c.take() {
		if wire.Ethernet(f).EtherType() != wire.EtherTypeARP {
			continue
		}
		m, err := wire.ParseARP(f[wire.EthernetLen:])
		if err != nil || m.Op == wire.ARPRequest && wire.Ethernet(f).Dst() != wire.BroadcastMAC {
			t.Errorf("sent %x: %v", f, err)
		}
		list = append(list, m)
	}
	return list
}

func (b *bed) wantState(a wire.Addr, want netif.State) {
	b.Helper()
	if got := b.addr(2, a); got != want {
		b.Errorf("%v is %v, want %v", a, got, want)
	}
}

// An address is not used before it was probed: RFC 5227, 2.1: "Before beginning to use an IPv4 address …, a host
// implementing this specification MUST test to see if the address is already in use".
func TestConflictDetection(t *testing.T) {
	b := newBed(t, setup{tracing: true, cfg: netif.Config{Conflicts: netif.DefendOnce}})
	b.wantState(us4, netif.Tentative)
	ask := wire.ARP{Op: wire.ARPRequest, SenderMAC: newMAC, SenderIP: new4, TargetIP: us4}
	b.in(b.eth0, arp(wire.BroadcastMAC, ask))
	if sent := arps(t, b.eth0); len(sent) != 0 {
		t.Errorf("answered for a tentative address: %+v", sent)
	}
	if _, err := b.l.Route(b.sim.Now(), Query{Dst: peer4}); !errors.Is(err, ErrTentative) {
		t.Errorf("a route meanwhile: %v", err)
	}
	waited := false
	b.sim.Start("waiter", func() {
		if err := b.l.WaitReady(context.Background(), 2); err != nil {
			t.Error(err)
		}
		waited = true
	})
	b.pass(3 * time.Second)
	if waited {
		t.Error("WaitReady did not wait")
	}
	b.pass(9 * time.Second)
	sent := arps(t, b.eth0)
	if len(sent) != 5 || !waited || b.events.count(trace.AddressTentative) != 1 {
		t.Fatalf("%d sent, ready %v: %+v", len(sent), waited, sent)
	}
	for i, m := range sent {
		want := wire.ARP{Op: wire.ARPRequest, SenderMAC: usMAC, SenderIP: wire.Unspecified4, TargetIP: us4}
		if i >= 3 {
			want.SenderIP = us4
		}
		if m != want {
			t.Errorf("%d: %+v", i, m)
		}
	}
	b.wantState(us4, netif.Preferred)
	// RFC 5227, 2.5: "the host MUST answer ARP Requests in the usual way": also probes.
	probe := wire.ARP{Op: wire.ARPRequest, SenderMAC: newMAC, SenderIP: wire.Unspecified4, TargetIP: us4}
	b.in(b.eth0, arp(wire.BroadcastMAC, ask), arp(wire.BroadcastMAC, probe))
	if sent := arps(t, b.eth0); len(sent) != 2 || sent[1] != (wire.ARP{Op: wire.ARPReply, SenderMAC: usMAC, SenderIP: us4, TargetMAC: newMAC, TargetIP: wire.Unspecified4}) {
		t.Errorf("answered %+v", sent)
	}

	// RFC 5227, 2.4 (b): defended once, lost at the next conflict.
	claim := wire.ARP{Op: wire.ARPReply, SenderMAC: newMAC, SenderIP: us4, TargetIP: peer4}
	b.in(b.eth0, arp(wire.BroadcastMAC, claim))
	if sent := arps(t, b.eth0); len(sent) != 1 || sent[0].SenderIP != us4 || sent[0].TargetIP != us4 || b.events.count(trace.AddressDefended) != 1 {
		t.Errorf("defended by %+v", sent)
	}
	b.wantState(us4, netif.Preferred)
	b.pass(5 * time.Second)
	b.in(b.eth0, arp(wire.BroadcastMAC, claim))
	b.wantState(us4, netif.Duplicate)
	if n := b.values().Get(mib.ArpInConflicts); n != 2 || b.events.count(trace.AddressDuplicate) != 1 {
		t.Errorf("%d conflicts counted", n)
	}
	b.in(b.eth0, arp(wire.BroadcastMAC, ask))
	if sent := arps(t, b.eth0); len(sent) != 0 {
		t.Errorf("answered for a lost address: %+v", sent)
	}
	err := b.l.WaitReady(context.Background(), 2)
	var dup *DuplicateError
	if !errors.As(err, &dup) || dup.Owner != newMAC || dup.Addr != us4.Netip() || !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("WaitReady: %v", err)
	}

	// RFC 5227, 2.1: probed again "when a link-state change signals that an Ethernet cable has been connected".
	info := b.eth0.info
	info.Up = false
	b.eth0.r.Changed(info)
	info.Up = true
	b.eth0.r.Changed(info)
	b.wantState(us4, netif.Tentative)
	b.pass(12 * time.Second)
	b.wantState(us4, netif.Preferred)
}

// Another host has the address: it is never used, and says who has it.
func TestConflictWhileProbing(t *testing.T) {
	b := newBed(t, setup{tracing: true, cfg: netif.Config{Conflicts: netif.DefendAlways}})
	b.pass(2 * time.Second)
	b.in(b.eth0, arp(usMAC, wire.ARP{Op: wire.ARPReply, SenderMAC: newMAC, SenderIP: us4, TargetMAC: usMAC, TargetIP: wire.Unspecified4}))
	b.wantState(us4, netif.Duplicate)
	b.eth0.take()
	b.pass(time.Minute)
	if sent := arps(t, b.eth0); len(sent) != 0 {
		t.Errorf("sent since: %+v", sent)
	}
	if i := b.l.Snapshot().Interface(2); i.Address(us4).Owner != newMAC {
		t.Errorf("%+v", i.Address(us4))
	}
	// The address can be removed, and added again, which begins anew.
	if err := b.l.RemoveAddress(2, us4.Netip()); err != nil {
		t.Fatal(err)
	}
	if err := b.l.AddAddress(2, netip.PrefixFrom(us4.Netip(), 24), netif.AddressOptions{}); err != nil {
		t.Fatal(err)
	}
	b.wantState(us4, netif.Tentative)
	b.pass(12 * time.Second)
	b.wantState(us4, netif.Preferred)
}

// Without the option, as in Linux: used at once; a conflict is counted, and nothing else.
func TestConflictOnlyCounted(t *testing.T) {
	b := newBed(t, setup{tracing: true})
	b.wantState(us4, netif.Preferred)
	for range 3 {
		b.in(b.eth0, arp(wire.BroadcastMAC, wire.ARP{Op: wire.ARPRequest, SenderMAC: newMAC, SenderIP: us4, TargetIP: us4}))
	}
	b.in(b.eth0, arp(wire.BroadcastMAC, wire.ARP{Op: wire.ARPRequest, SenderMAC: usMAC, SenderIP: us4, TargetIP: us4})) // come back
	b.wantState(us4, netif.Preferred)
	if sent := arps(t, b.eth0); len(sent) != 0 || b.values().Get(mib.ArpInConflicts) != 3 {
		t.Errorf("sent %+v, %d counted", sent, b.values().Get(mib.ArpInConflicts))
	}
}

// linkLocal4 returns the IPv4 link-local address of an interface and its state.
func (b *bed) linkLocal4(index int32) (wire.Addr, netif.State, bool) {
	for _, a := range b.l.Snapshot().Interface(index).Addrs {
		if a.Addr.Is4() && a.Addr.IsLinkLocal() {
			return a.Addr, a.State, true
		}
	}
	return wire.Addr{}, 0, false
}

// RFC 3927: claimed while there is no other address, deprecated while there is.
func TestLinkLocal4(t *testing.T) {
	b := newBed(t, setup{tracing: true, cfg: netif.Config{LinkLocal4: true}})
	// 1.9: "When an operable routable address is available on an interface, the host SHOULD NOT also assign an IPv4 Link-Local
	// address on that interface."
	b.pass(time.Minute)
	if a, _, ok := b.linkLocal4(2); ok {
		t.Errorf("%v beside %v", a, us4)
	}
	// "If a host finds that an interface no longer has an operable routable address available, the host MAY identify a usable
	// IPv4 Link-Local address".
	b.eth0.take()
	if err := b.l.RemoveAddress(2, us4.Netip()); err != nil {
		t.Fatal(err)
	}
	first, state, ok := b.linkLocal4(2)
	if !ok || state != netif.Tentative {
		t.Fatalf("%v %v", first, state)
	}
	b.pass(2500 * time.Millisecond)
	// 2.2.1: another probe for the address is a conflict: "MUST similarly treat this as an address conflict and select a new
	// address".
	b.in(b.eth0, arp(wire.BroadcastMAC, wire.ARP{Op: wire.ARPRequest, SenderMAC: newMAC, SenderIP: wire.Unspecified4, TargetIP: first}))
	second, state, ok := b.linkLocal4(2)
	if !ok || second == first || state != netif.Tentative {
		t.Fatalf("after %v, %v %v", first, second, state)
	}
	b.pass(12 * time.Second)
	if a, state, _ := b.linkLocal4(2); a != second || state != netif.Preferred {
		t.Fatalf("%v is %v", a, state)
	}
	b.eth0.take()

	// 2.5: "All ARP packets (*replies* as well as requests) that contain a Link-Local 'sender IP address' MUST be sent using
	// link-layer broadcast".
	b.in(b.eth0, arp(wire.BroadcastMAC, wire.ARP{Op: wire.ARPRequest, SenderMAC: newMAC, SenderIP: a4("169.254.7.7"), TargetIP: second}))
	if sent := b.eth0.take(); len(sent) != 1 || wire.Ethernet(sent[0]).Dst() != wire.BroadcastMAC {
		t.Errorf("answered %x", sent)
	}
	// 2.6.2: what has a link-local source or destination never goes to a router.
	for _, dst := range []wire.Addr{a4("169.254.9.9"), far4} {
		p, err := b.l.Route(b.sim.Now(), Query{Dst: dst, Src: second})
		if err != nil || p.NextHop != dst || p.Src != second {
			t.Errorf("to %v: %+v, %v", dst, p, err)
		}
	}
	// 2.7: the limited broadcast and its own.
	if p, err := b.l.Route(b.sim.Now(), Query{Dst: a4("169.254.255.255")}); err != nil || !p.Broadcast {
		t.Errorf("the broadcast address: %+v, %v", p, err)
	}

	// A routable address comes: "the host MUST use the routable address when initiating new communications … MAY continue to
	// accept new communications addressed to the IPv4 Link-Local address".
	if err := b.l.AddAddress(2, netip.PrefixFrom(us4.Netip(), 24), netif.AddressOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, state, _ := b.linkLocal4(2); state != netif.Deprecated {
		t.Errorf("beside a routable address it is %v", state)
	}
	if p, err := b.l.Route(b.sim.Now(), Query{Dst: peer4}); err != nil || p.Src != us4 {
		t.Errorf("from %+v, %v", p, err)
	}
	// 2.5: a conflict is defended once, then another is tried.
	if err := b.l.RemoveAddress(2, us4.Netip()); err != nil {
		t.Fatal(err)
	}
	if _, state, _ := b.linkLocal4(2); state != netif.Preferred {
		t.Errorf("alone again it is %v", state)
	}
	b.eth0.take()
	for i := range 2 {
		b.in(b.eth0, arp(wire.BroadcastMAC, wire.ARP{Op: wire.ARPReply, SenderMAC: newMAC, SenderIP: second, TargetIP: peer4}))
		if i == 0 {
			if sent := arps(t, b.eth0); len(sent) != 1 || sent[0].TargetIP != second || b.events.count(trace.AddressDefended) != 1 {
				t.Errorf("defended by %+v", sent)
			}
		}
	}
	if a, state, ok := b.linkLocal4(2); !ok || a == second || state != netif.Tentative {
		t.Errorf("after it was lost: %v %v", a, state)
	}
}

// RFC 3927, 2.6.2: "This MUST be done whether the interface is configured with a Link-Local or a routable IPv4 address." 2.7:
// no router forwards such packets.
func TestLinkLocal4IsOnLink(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	dst := a4("169.254.9.9")
	if p, err := b.l.Route(b.sim.Now(), Query{Dst: dst}); err != nil || p.NextHop != dst || p.Src != us4 {
		t.Errorf("%+v, %v", p, err)
	}
	for _, f := range [][]byte{ip4(a4("169.254.1.1"), far4, wire.ProtoUDP, make([]byte, 8)), ip4(other4, dst, wire.ProtoUDP, make([]byte, 8))} {
		b.in(b.eth1, eth(us1MAC, otherMAC, wire.EtherTypeIPv4, f))
		if sent := b.eth0.take(); len(sent) != 0 {
			t.Errorf("forwarded %x", sent)
		}
	}
}

// A host that answers every probe: RFC 3927, 2.2.1: "catastrophic ARP storms in pathological failure cases, such as a rogue host
// that answers all ARP probes".
func TestLinkLocal4Rogue(t *testing.T) {
	b := newBed(t, setup{cfg: netif.Config{LinkLocal4: true}})
	if err := b.l.RemoveAddress(2, us4.Netip()); err != nil {
		t.Fatal(err)
	}
	tried := map[wire.Addr]bool{}
	for range 3600 {
		b.pass(time.Second)
		for _, m := range arps(t, b.eth0) {
			tried[m.TargetIP] = true
			b.in(b.eth0, arp(usMAC, wire.ARP{Op: wire.ARPReply, SenderMAC: newMAC, SenderIP: m.TargetIP, TargetMAC: usMAC}))
		}
	}
	// Ten in half a minute, then one a minute.
	if n := len(tried); n < 60 || n > 75 {
		t.Errorf("%d addresses tried in an hour", n)
	}
	if _, state, ok := b.linkLocal4(2); !ok || state != netif.Tentative {
		t.Errorf("%v", state)
	}
}

// RFC 9131, 6.1.1: a router that hears of a new address by an unsolicited advertisement sends there without asking; a host does
// not listen.
func TestUnsolicitedAdvertisement(t *testing.T) {
	for _, router := range []bool{true, false} {
		b := newBed(t, setup{forwarding: router})
		b.in(b.eth0, nd6(wire.AllRouters6.MulticastMAC(), newMAC, new6, wire.AllRouters6, &wire.NeighborAdvertisement{Target: new6, TargetLink: newMAC}))
		b.in(b.eth0, nd6(wire.AllNodes6.MulticastMAC(), newMAC, new6, wire.AllNodes6, &wire.NeighborAdvertisement{Target: new6, TargetLink: newMAC}))
		b.out(Query{Dst: new6}, Params{Proto: 17}, make([]byte, 8))
		sent := b.eth0.take()
		if len(sent) != 1 || (wire.Ethernet(sent[0]).Dst() == newMAC) != router {
			t.Errorf("router %v: sent %x", router, sent)
		}
	}
}

// When the link's address changes, the neighbors are told (RFC 4861, 7.2.6), but of an anycast address without Override
// (7.2.7).
func TestAnnouncedOverride(t *testing.T) {
	b := newBed(t, setup{})
	any := a6("2001:db8::a")
	if err := b.l.AddAddress(2, netip.PrefixFrom(any.Netip(), 64), netif.AddressOptions{Anycast: true}); err != nil {
		t.Fatal(err)
	}
	b.eth0.take()
	info := b.eth0.info
	info.Addr = newMAC
	b.eth0.r.Changed(info)
	told := map[wire.Addr]bool{}
	for _, f := range b.eth0.take() {
		if m, ok := parseICMP(t, f, b.eth0.info.Medium); ok && m.raw[0] == wire.ICMPv6NeighborAdvertisement {
			n, _ := na(t, f)
			told[n.Target] = n.Override
			if n.TargetLink != newMAC {
				t.Errorf("%+v", n)
			}
		}
	}
	if override, ok := told[us6]; !ok || !override {
		t.Errorf("%v: %v", us6, told)
	}
	if override, ok := told[any]; !ok || override {
		t.Errorf("%v: %v", any, told)
	}
}
