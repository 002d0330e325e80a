package neigh

import (
	"testing"

	"github.com/onlink-go/onlink/wire"
)

func TestNeighborSolicitation(t *testing.T) {
	group := self6.SolicitedNode()
	for _, row := range []struct {
		name   string
		src    wire.Addr
		dst    wire.Addr
		link   wire.MAC
		router bool
		to     wire.Addr
		want   wire.NeighborAdvertisement
		learnt State
	}{
		{"host", peer6, group, macA, false, peer6, wire.NeighborAdvertisement{Solicited: true, Override: true}, Stale},
		{"router", peer6, group, macA, true, peer6, wire.NeighborAdvertisement{Router: true, Solicited: true, Override: true}, Stale},
		// RFC 4861, 7.2.4: "Because unicast Neighbor Solicitations are not required to include a Source Link-Layer
		// Address, it is possible that a node sending a solicited Neighbor Advertisement does not have a
		// corresponding link-layer address".
		// "If the solicitation's IP Destination Address is not a multicast address, the Target Link-Layer Address option MAY be
		// omitted", and then "the Override flag SHOULD be set to zero": as Linux.
		{"unicast, bare", peer6, self6, wire.MAC{}, false, peer6, wire.NeighborAdvertisement{Solicited: true}, None},
		{"unicast", peer6, self6, macA, false, peer6, wire.NeighborAdvertisement{Solicited: true}, Stale},
		// 7.2.3: "If the Source Address is the unspecified address, the node MUST NOT create or update the Neighbor
		// Cache entry." 7.2.4: "the node MUST set the Solicited flag to zero and multicast the advertisement to the
		// all-nodes address."
		{"DAD", wire.Addr{}, group, wire.MAC{}, false, wire.AllNodes6, wire.NeighborAdvertisement{Override: true}, None},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, Config{})
			if row.want.Target = self6; row.want.Override {
				row.want.TargetLink = own
			}
			na, to := r.NeighborSolicitation(0, row.src, row.dst, &wire.NeighborSolicitation{Target: self6, SourceLink: row.link}, row.router)
			if na != row.want || to != row.to {
				t.Errorf("%+v to %v, want %+v to %v", na, to, row.want, row.to)
			}
			if r.state(peer6) != row.learnt || row.learnt == None && r.Len() != 0 {
				t.Errorf("%+v", r.List())
			}
		})
	}
}

func TestSolicitByND(t *testing.T) {
	for _, row := range []struct {
		a    Action
		dst  wire.Addr
		link wire.MAC
	}{
		{Action{Target: peer6}, wire.Addr{Hi: 0xff02 << 48, Lo: 0x1_ff00_0001}, wire.MAC{0x33, 0x33, 0xff, 0, 0, 1}},
		{Action{Target: peer6, Unicast: true, MAC: macA}, peer6, macA},
	} {
		m, dst, link := row.a.NeighborSolicitation(own)
		if (m != wire.NeighborSolicitation{Target: peer6, SourceLink: own}) || dst != row.dst || link != row.link {
			t.Errorf("%+v to %v %v", m, dst, link)
		}
	}
}

// Two caches resolve each other over the octets, and each learns what the messages tell.
func TestNDExchange(t *testing.T) {
	a := newRig(t, Config{})
	b := NewCache(Config{Address: macB})
	a.Output(0, peer6, a.packet())
	var act Action
	a.Next(&act)
	ns, dst, _ := act.NeighborSolicitation(own)
	octets := make([]byte, ns.Len())
	ns.Put(octets)
	ns, err := wire.ParseNeighborSolicitation(octets)
	if err == nil {
		err = ns.Validate(self6, dst, wire.NDHopLimit)
	}
	if err != nil {
		t.Fatal(err)
	}
	na, to := b.NeighborSolicitation(0, self6, dst, &ns, true)
	octets = make([]byte, na.Len())
	na.Put(octets)
	na, err = wire.ParseNeighborAdvertisement(octets)
	if err == nil {
		err = na.Validate(peer6, to, wire.NDHopLimit)
	}
	if err != nil {
		t.Fatal(err)
	}
	if a.NeighborAdvertisement(0, &na) {
		t.Error("a router that never was is gone")
	}
	a.got = nil
	a.expect("send 1 00:0b")
	a.wantState(peer6, Reachable, macB)
	if !a.Lookup(0, peer6).IsRouter() {
		t.Error("IsRouter was not learnt")
	}
	if l := b.List(); len(l) != 1 || l[0] != (Info{Addr: self6, MAC: own, State: Stale}) {
		t.Errorf("%+v", l)
	}
}

// RFC 9131, 6.1.1: a router learns from advertisements that nobody asked for; in all other states they mean to it what they mean
// to others.
func TestRouterLearnsFromAdvertisements(t *testing.T) {
	for _, row := range []struct {
		name  string
		from  State // of peer6, at macA
		link  wire.MAC
		to    State
		after wire.MAC
	}{
		{"unknown", None, macB, Stale, macB},
		{"unknown, without an address", None, wire.MAC{}, None, wire.MAC{}},
		{"unknown, a group's address", None, wire.AllNodes6.MulticastMAC(), None, wire.MAC{}},
		{"known", Reachable, macB, Reachable, macA},
		{"resolving", Incomplete, macB, Incomplete, wire.MAC{}},
		{"failed", Failed, macB, Failed, wire.MAC{}},
		{"configured", Permanent, macB, Permanent, macA},
	} {
		r := newRig(t, Config{})
		r.reach(peer6, row.from)
		if unknown := r.NeighborAdvertised(r.now, &wire.NeighborAdvertisement{Target: peer6, TargetLink: row.link}); unknown != (row.from == None) {
			t.Errorf("%s: unknown %v", row.name, unknown)
		}
		if r.state(peer6) != row.to {
			t.Errorf("%s: %v, want %v", row.name, r.state(peer6), row.to)
		}
		if row.to != None {
			r.wantState(peer6, row.to, row.after)
		} else if r.Len() != 0 {
			t.Errorf("%s: %+v", row.name, r.List())
		}
	}
}
