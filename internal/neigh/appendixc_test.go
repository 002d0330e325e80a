package neigh

import (
	"testing"
	"time"

	"github.com/onlink-go/onlink/wire"
)

// advertise is a Neighbor Advertisement from peer6 with the Router flag clear.
func advertise(mac wire.MAC, solicited, override bool) func(*rig) {
	return func(r *rig) {
		r.Advertised(r.now, peer6, mac, mac != wire.MAC{}, false, solicited, override)
	}
}

// TestAppendixC is the table of RFC 4861, appendix C. The address cached is macA, packet 1 brought the entry about.
func TestAppendixC(t *testing.T) {
	var (
		send    = func(r *rig) { r.output(peer6) }
		solicit = func(mac wire.MAC) func(*rig) { return func(r *rig) { r.Solicited(r.now, peer6, mac) } }
		wait    = func(d time.Duration) func(*rig) { return func(r *rig) { r.advance(d) } }
		confirm = func(r *rig) {
			r.Lookup(r.now, peer6).Confirm(r.now)
			r.settle(r.now, r.Lookup(r.now, peer6))
		}
		bare wire.MAC // no link-layer address
	)
	known := knownStates()
	for _, row := range []struct {
		state  []State
		event  string
		do     func(*rig)
		action string // with the change of state
		to     State
		mac    wire.MAC
		keep   bool // the state is unchanged: to is ignored
	}{
		// "-; Packet to send.; Create entry. Send multicast NS. Start retransmit timer; INCOMPLETE"
		{[]State{None}, "packet to send", send, "NONE->INCOMPLETE; multicast", Incomplete, bare, false},
		// "INCOMPLETE; Retransmit timeout, less than N retransmissions.; Retransmit NS; Start retransmit timer;
		// INCOMPLETE"
		{[]State{Incomplete}, "retransmit timeout", wait(time.Second), "multicast", Incomplete, bare, false},
		// "INCOMPLETE; Retransmit timeout, N or more retransmissions.; Discard entry, Send ICMP error; -"
		{[]State{Incomplete}, "N timeouts", wait(3 * time.Second), "multicast; multicast; INCOMPLETE->FAILED; fail 1",
			Failed, bare, false},
		// "INCOMPLETE; NA, Solicited=0, Override=any; Record link-layer address. Send queued packets.; STALE"
		{[]State{Incomplete}, "NA S=0 O=0", advertise(macB, false, false), "INCOMPLETE->STALE; send 1 00:0b",
			Stale, macB, false},
		{[]State{Incomplete}, "NA S=0 O=1", advertise(macB, false, true), "INCOMPLETE->STALE; send 1 00:0b", Stale, macB, false},
		// "INCOMPLETE; NA, Solicited=1, Override=any; Record link-layer address. Send queued packets.; REACHABLE"
		{[]State{Incomplete}, "NA S=1 O=0", advertise(macB, true, false), "INCOMPLETE->REACHABLE; send 1 00:0b", Reachable, macB, false},
		{[]State{Incomplete}, "NA S=1 O=1", advertise(macB, true, true), "INCOMPLETE->REACHABLE; send 1 00:0b", Reachable, macB, false},
		// "INCOMPLETE; NA, Solicited=any, Override=any, No Link-layer address; Update content of IsRouter flag;
		// unchanged". The flag is in TestIsRouter.
		{[]State{Incomplete}, "NA S=0 O=0 bare", advertise(bare, false, false), "", Incomplete, bare, false},
		{[]State{Incomplete}, "NA S=0 O=1 bare", advertise(bare, false, true), "", Incomplete, bare, false},
		{[]State{Incomplete}, "NA S=1 O=0 bare", advertise(bare, true, false), "", Incomplete, bare, false},
		{[]State{Incomplete}, "NA S=1 O=1 bare", advertise(bare, true, true), "", Incomplete, bare, false},
		// "-; NS, RS, Redirect, No link-layer address; -; -"
		{[]State{None}, "NS bare", solicit(bare), "", None, bare, false},
		// "!INCOMPLETE; NA, Solicited=1, Override=0, Same link-layer address as cached.; -; REACHABLE"
		{known, "NA S=1 O=0 same", advertise(macA, true, false), "->REACHABLE", Reachable, macA, false},
		// "!INCOMPLETE; NA, Solicited=any, Override=any, No link-layer address; Update content of IsRouter flag.;
		// unchanged". Not so with Solicited=1: 7.2.5, II: "or no Target Link-Layer Address option was supplied …
		// If the Solicited flag is set, the state of the entry MUST be set to REACHABLE." An answer to a unicast
		// solicitation need not have the option (7.2.4), and the text outranks its summary.
		{known, "NA S=0 O=0 bare", advertise(bare, false, false), "", 0, macA, true},
		{known, "NA S=0 O=1 bare", advertise(bare, false, true), "", 0, macA, true},
		{known, "NA S=1 O=0 bare", advertise(bare, true, false), "->REACHABLE", Reachable, macA, false},
		{known, "NA S=1 O=1 bare", advertise(bare, true, true), "->REACHABLE", Reachable, macA, false},
		// "REACHABLE; NA, Solicited=1, Override=0, Different link-layer address than cached.; -; STALE"
		{[]State{Reachable}, "NA S=1 O=0 different", advertise(macB, true, false), "->STALE", Stale, macA, false},
		// "STALE, PROBE Or DELAY; NA, Solicited=1, Override=0, Different link-layer address than cached.; -;
		// unchanged"
		{[]State{Stale, Probe, Delay}, "NA S=1 O=0 different", advertise(macB, true, false), "", 0, macA, true},
		// "!INCOMPLETE; NA, Solicited=1, Override=1; Record link-layer address (if different).; REACHABLE"
		{known, "NA S=1 O=1 same", advertise(macA, true, true), "->REACHABLE", Reachable, macA, false},
		{known, "NA S=1 O=1 different", advertise(macB, true, true), "->REACHABLE", Reachable, macB, false},
		// "!INCOMPLETE; NA, Solicited=0, Override=0; -; unchanged"
		{known, "NA S=0 O=0 same", advertise(macA, false, false), "", 0, macA, true},
		{[]State{Stale, Probe, Delay}, "NA S=0 O=0 different", advertise(macB, false, false), "", 0, macA, true},
		// Not so in REACHABLE: 7.2.5, I: "If the Override flag is clear and the supplied link-layer address differs
		// from that in the cache … a. If the state of the entry is REACHABLE, set it to STALE".
		{[]State{Reachable}, "NA S=0 O=0 different", advertise(macB, false, false), "->STALE", Stale, macA, false},
		// "!INCOMPLETE; NA, Solicited=0, Override=1, Same link-layer address as cached.; -; unchanged"
		{known, "NA S=0 O=1 same", advertise(macA, false, true), "", 0, macA, true},
		// "!INCOMPLETE; NA, Solicited=0, Override=1, Different link-layer address than cached.; Record link-layer
		// address.; STALE"
		{known, "NA S=0 O=1 different", advertise(macB, false, true), "->STALE", Stale, macB, false},
		// "!INCOMPLETE; upper-layer reachability confirmation; -; REACHABLE"
		{known, "confirmation", confirm, "->REACHABLE", Reachable, macA, false},
		// 7.3.3: "upper-layer advice has no effect on entries in the INCOMPLETE state"
		{[]State{Incomplete}, "confirmation", confirm, "", Incomplete, bare, false},
		// "REACHABLE; timeout, more than N seconds since reachability confirm.; -; STALE"
		{[]State{Reachable}, "timeout", wait(30 * time.Second), "->STALE", Stale, macA, false},
		// "STALE; Sending packet; Start delay timer; DELAY"
		{[]State{Stale}, "packet to send", send, "STALE->DELAY; out 1 00:0a", Delay, macA, false},
		// "DELAY; Delay timeout; Send unicast NS probe, Start retransmit timer; PROBE"
		{[]State{Delay}, "delay timeout", wait(5 * time.Second), "DELAY->PROBE; unicast 00:0a", Probe, macA, false},
		// "PROBE; Retransmit timeout, less than N retransmissions.; Retransmit NS; PROBE"
		{[]State{Probe}, "retransmit timeout", wait(time.Second), "unicast 00:0a", Probe, macA, false},
		// "PROBE; Retransmit timeout, N or more retransmissions.; Discard entry; -"
		{[]State{Probe}, "N timeouts", wait(3 * time.Second), "unicast 00:0a; unicast 00:0a; PROBE->FAILED", Failed, bare, false},
		// 7.3.3: "a node continues sending packets to that neighbor using the cached link-layer address."
		{[]State{Reachable}, "packet to send", send, "out 2 00:0a", Reachable, macA, false},
		{[]State{Delay, Probe}, "packet to send", send, "out 2 00:0a", 0, macA, true},

		// "-; NS, RS, RA, Redirect; Create entry.; STALE"
		{[]State{None}, "NS", solicit(macB), "NONE->STALE", Stale, macB, false},
		// "INCOMPLETE; NS, RS, RA, Redirect; Record link-layer address. Send queued packets.; STALE"
		{[]State{Incomplete}, "NS", solicit(macB), "INCOMPLETE->STALE; send 1 00:0b", Stale, macB, false},
		// "!INCOMPLETE; NS, RS, RA, Redirect, Different link-layer address than cached.; Update link-layer address;
		// STALE"
		{known, "NS different", solicit(macB), "->STALE", Stale, macB, false},
		// "INCOMPLETE; NS, RS No link-layer address; -; unchanged"
		{[]State{Incomplete}, "NS bare", solicit(bare), "", Incomplete, bare, false},
		// "!INCOMPLETE; NS, RS, RA, Redirect, Same link-layer address as cached.; -; unchanged"
		{known, "NS same", solicit(macA), "", 0, macA, true},

		// What is not in the table. 7.2.5: "If no entry exists, the advertisement SHOULD be silently discarded." A
		// FAILED neighbor has no entry to the RFC.
		{[]State{None, Failed}, "NA", advertise(macA, true, true), "", 0, bare, true},
		{[]State{Failed}, "NS", solicit(macB), "FAILED->STALE", Stale, macB, false},
		{[]State{Failed}, "packet to send at once", send, "fail 2", Failed, bare, false},
		// PERMANENT is what it was configured to be.
		{[]State{Permanent}, "NA", advertise(macB, true, true), "", Permanent, macA, false},
		{[]State{Permanent}, "NS", solicit(macB), "", Permanent, macA, false},
		{[]State{Permanent}, "packet to send", send, "out 1 00:0a", Permanent, macA, false},
		{[]State{Permanent}, "an hour", wait(time.Hour), "", Permanent, macA, false},
	} {
		for _, from := range row.state {
			t.Run(from.String()+" "+row.event, func(t *testing.T) {
				r := newRig(t, Config{})
				r.reach(peer6, from)
				row.do(r)
				to, action := row.to, row.action
				if row.keep {
					to = from
				}
				if len(action) > 2 && action[:2] == "->" {
					action = from.String() + action
					if from == to && row.mac == macA {
						action = "" // nothing changes
					}
				}
				r.expect(action)
				r.wantState(peer6, to, row.mac)
				r.check(t)
			})
		}
	}
}
