package neigh

import (
	"fmt"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

func ours(a wire.Addr) bool { return a == self4 }

func arp(op uint16, senderMAC wire.MAC, sender wire.Addr, targetMAC wire.MAC, target wire.Addr) wire.ARP {
	return wire.ARP{Op: op, SenderMAC: senderMAC, SenderIP: sender, TargetMAC: targetMAC, TargetIP: target}
}

func TestARP(t *testing.T) {
	var (
		other = wire.Addr4(192, 0, 2, 9)
		zero  = wire.Unspecified4
		reply = wire.ARP{Op: wire.ARPReply, SenderMAC: own, SenderIP: self4, TargetMAC: macB, TargetIP: peer4}
	)
	for _, row := range []struct {
		name   string
		from   State // of peer4, at macA
		m      wire.ARP
		to     State
		mac    wire.MAC
		answer wire.ARP
	}{
		// RFC 826: "?Am I the target protocol address? Yes: If Merge_flag is false, add the triplet … to the
		// translation table. ?Is the opcode ares_op$REQUEST? … Send the packet to the (new) target hardware address".
		{"request", None, arp(1, macB, peer4, wire.MAC{}, self4), Stale, macB, reply},
		{"unicast request", None, arp(1, macB, peer4, own, self4), Stale, macB, reply},
		{"request, resolving", Incomplete, arp(1, macB, peer4, wire.MAC{}, self4), Stale, macB, reply},
		{"request, known", Reachable, arp(1, macA, peer4, wire.MAC{}, self4), Reachable, macA,
			wire.ARP{Op: 2, SenderMAC: own, SenderIP: self4, TargetMAC: macA, TargetIP: peer4}},
		{"request, moved", Reachable, arp(1, macB, peer4, wire.MAC{}, self4), Stale, macB, reply},
		{"request, failed", Failed, arp(1, macB, peer4, wire.MAC{}, self4), Stale, macB, reply},
		// "If the pair … is already in my translation table, update the sender hardware address field", also if the
		// target is somebody else.
		{"request to another", None, arp(1, macB, peer4, wire.MAC{}, other), None, wire.MAC{}, wire.ARP{}},
		{"request to another, resolving", Incomplete, arp(1, macB, peer4, wire.MAC{}, other), Stale, macB, wire.ARP{}},
		{"request to another, moved", Delay, arp(1, macB, peer4, wire.MAC{}, other), Stale, macB, wire.ARP{}},
		{"request to another, failed", Failed, arp(1, macB, peer4, wire.MAC{}, other), Failed, wire.MAC{}, wire.ARP{}},
		{"announcement", Reachable, arp(1, macB, peer4, wire.MAC{}, peer4), Stale, macB, wire.ARP{}},
		{"announcement of nothing new", Reachable, arp(1, macA, peer4, wire.MAC{}, peer4), Reachable, macA, wire.ARP{}},
		{"announcement by reply", Reachable, arp(2, macB, peer4, wire.MAC{}, peer4), Stale, macB, wire.ARP{}},
		{"announcement, unknown", None, arp(1, macB, peer4, wire.MAC{}, peer4), None, wire.MAC{}, wire.ARP{}},
		// A reply to us confirms; one to nobody does not; one for which there is no entry makes none.
		{"reply", Incomplete, arp(2, macB, peer4, own, self4), Reachable, macB, wire.ARP{}},
		{"reply to a probe", Probe, arp(2, macA, peer4, own, self4), Reachable, macA, wire.ARP{}},
		{"reply, moved", Probe, arp(2, macB, peer4, own, self4), Reachable, macB, wire.ARP{}},
		{"reply to another", Incomplete, arp(2, macB, peer4, macA, other), Stale, macB, wire.ARP{}},
		{"reply to our address elsewhere", Incomplete, arp(2, macB, peer4, macA, self4), Stale, macB, wire.ARP{}},
		{"reply, unknown", None, arp(2, macB, peer4, own, self4), None, wire.MAC{}, wire.ARP{}},
		{"reply, permanent", Permanent, arp(2, macB, peer4, own, self4), Permanent, macA, wire.ARP{}},
		// RFC 1812, 3.3.2: "MUST not believe any ARP reply that claims that the Link Layer address of another host or
		// router is a broadcast or multicast address."
		{"reply from broadcast", Incomplete, arp(2, wire.BroadcastMAC, peer4, own, self4), Incomplete, wire.MAC{}, wire.ARP{}},
		{"reply from none", Incomplete, arp(2, wire.MAC{}, peer4, own, self4), Incomplete, wire.MAC{}, wire.ARP{}},
		{"reply from ourselves", Incomplete, arp(2, own, peer4, own, self4), Incomplete, wire.MAC{}, wire.ARP{}},
		{"request from broadcast", None, arp(1, wire.BroadcastMAC, peer4, wire.MAC{}, self4), None, wire.MAC{}, wire.ARP{}},
		// RFC 5227, 1.1: an ARP Probe is "all zeroes, to avoid polluting ARP caches"; it is answered.
		{"probe", None, arp(1, macB, zero, wire.MAC{}, self4), None, wire.MAC{},
			wire.ARP{Op: 2, SenderMAC: own, SenderIP: self4, TargetMAC: macB, TargetIP: zero}},
		{"probe of another", None, arp(1, macB, zero, wire.MAC{}, other), None, wire.MAC{}, wire.ARP{}},
		// A conflict is no neighbor.
		{"our own address", None, arp(1, macB, self4, wire.MAC{}, self4), None, wire.MAC{}, wire.ARP{}},
		{"operation unknown", Reachable, arp(9, macB, peer4, own, self4), Stale, macB, wire.ARP{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, Config{})
			r.reach(peer4, row.from)
			answer, ok := r.ARP(r.now, &row.m, ours)
			r.drain()
			if answer != row.answer || ok != (row.answer != wire.ARP{}) {
				t.Errorf("answer %+v %v, want %+v", answer, ok, row.answer)
			}
			if r.state(peer4) != row.to {
				t.Errorf("%v, want %v", r.state(peer4), row.to)
			}
			if row.to != None {
				r.wantState(peer4, row.to, row.mac)
			} else if r.Len() != 0 {
				t.Errorf("%+v", r.List())
			}
			r.check(t)
		})
	}
}

// No sender that is not one host's address gets an entry.
func TestARPSender(t *testing.T) {
	for _, ip := range []wire.Addr{wire.Broadcast4, wire.Addr4(224, 0, 0, 1), wire.Loopback4, wire.Unspecified4} {
		r := newRig(t, Config{})
		_, answer := r.ARP(0, &wire.ARP{Op: 1, SenderMAC: macB, SenderIP: ip, TargetIP: self4}, ours)
		if answer != (ip == wire.Unspecified4) {
			t.Errorf("%v is answered: %v", ip, answer)
		}
		if r.Len() != 0 {
			t.Errorf("%v got an entry", ip)
		}
	}
}

// ARP says nothing of routers, and so an ARP reply changes no IsRouter flag.
func TestARPKeepsIsRouter(t *testing.T) {
	r := newRig(t, Config{})
	r.reach(peer4, Reachable)
	e := r.Lookup(0, peer4)
	for _, router := range []bool{true, false} {
		e.setRouter(router)
		m := arp(2, macB, peer4, own, self4)
		r.ARP(0, &m, ours)
		if e.IsRouter() != router {
			t.Errorf("IsRouter %v, want %v", e.IsRouter(), router)
		}
	}
}

func TestSolicitByARP(t *testing.T) {
	for _, row := range []struct {
		a    Action
		m    wire.ARP
		want wire.MAC
	}{
		{Action{Target: peer4}, arp(1, own, self4, wire.MAC{}, peer4), wire.BroadcastMAC},
		{Action{Target: peer4, Unicast: true, MAC: macA}, arp(1, own, self4, macA, peer4), macA},
	} {
		m, dst := row.a.ARP(own, self4)
		if m != row.m || dst != row.want {
			t.Errorf("%+v to %v", m, dst)
		}
	}
}

// Two caches resolve each other: what one asks for, encoded, makes the other answer, and the answer resolves.
func TestARPExchange(t *testing.T) {
	const hop = 1000
	a := newRig(t, Config{})
	b := NewCache(Config{Address: macB})
	a.Output(0, peer4, a.packet())
	var act Action
	a.Next(&act)
	m, _ := act.ARP(own, self4)
	octets := make([]byte, wire.ARPLen)
	m.Put(octets)
	got, err := wire.ParseARP(octets)
	if err != nil {
		t.Fatal(err)
	}
	answer, ok := b.ARP(hop, &got, func(a wire.Addr) bool { return a == peer4 })
	if !ok || fmt.Sprint(b.List()) != fmt.Sprint([]Info{{Addr: self4, MAC: own, State: Stale}}) {
		t.Fatalf("%v %+v", ok, b.List())
	}
	a.now = 2 * hop
	a.ARP(a.now, &answer, ours)
	a.got = nil
	a.expect("send 1 00:0b")
	a.wantState(peer4, Reachable, macB)
}
