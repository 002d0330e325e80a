package mcast

import (
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// TestMerge is the examples of RFC 3376, 3.2, and RFC 3810, 4.2.
func TestMerge(t *testing.T) {
	families(t, func(t *testing.T, four bool) {
		r := newRig(t, four, Settings{})
		for _, c := range []struct{ a, b, c, want string }{
			{"EX abcd", "EX bcde", "IN def", "EX bc"},
			{"EX bc", "EX", "IN", "EX"},
			{"IN abc", "IN bcd", "IN ef", "IN abcdef"},
			{"IN def", "EX abcd", "EX bcde", "EX bc"},
			{"IN", "IN", "IN", "IN"},
		} {
			if got := Merge(Merge(r.filter(c.a), r.filter(c.b)), r.filter(c.c)); !got.Equal(r.filter(c.want)) {
				t.Errorf("%s, %s, %s: %v", c.a, c.b, c.c, got)
			}
		}
	})
}

// TestStateChange is the table of RFC 3376, 5.1, and RFC 3810, 6.1: each change is told [Robustness Variable] times, the first
// time at once, then within the [Unsolicited Report Interval].
func TestStateChange(t *testing.T) {
	families(t, func(t *testing.T, four bool) {
		for _, c := range []struct{ old, new, want string }{
			{"IN ab", "IN bc", "1 ALLOW(c) 1 BLOCK(a)"}, // INCLUDE (A)  INCLUDE (B)  ALLOW (B-A), BLOCK (A-B)
			{"EX ab", "EX bc", "1 ALLOW(a) 1 BLOCK(c)"}, // EXCLUDE (A)  EXCLUDE (B)  ALLOW (A-B), BLOCK (B-A)
			{"IN ab", "EX bc", "1 TO_EX(bc)"},           // INCLUDE (A)  EXCLUDE (B)  TO_EX (B)
			{"EX ab", "IN bc", "1 TO_IN(bc)"},           // EXCLUDE (A)  INCLUDE (B)  TO_IN (B)
			{"IN", "EX", "1 TO_EX()"},                   // join
			{"EX", "IN", "1 TO_IN()"},                   // leave
			{"IN", "IN a", "1 ALLOW(a)"},                // "that record is omitted"
			{"IN a", "IN", "1 BLOCK(a)"},
		} {
			r := newRig(t, four, Settings{})
			r.set(1, c.old)
			r.run(time.Minute)
			r.set(1, c.new)
			r.want(c.old+" to "+c.new, r.sent(), c.want)
			began := r.now
			if at := r.Deadline(); at <= began || at > began.Add(time.Second) {
				t.Errorf("%s to %s: repeated after %v", c.old, c.new, at.Sub(began))
			}
			r.want(c.old+" to "+c.new+", again", r.run(time.Minute), c.want)
			if r.Deadline() != clock.Never {
				t.Error("a timer is left")
			}
			if want := r.filter(c.new); !r.has(1).Equal(want) || want.None() != (len(r.groups) == 0) {
				t.Errorf("left with %v", r.groups)
			}
		}
	})
}

// TestMergedChanges: RFC 3376, 5.1, from "If more changes to the same interface state entry occur" on.
func TestMergedChanges(t *testing.T) {
	families(t, func(t *testing.T, four bool) {
		start := func(f string) *rig {
			r := newRig(t, four, Settings{Robustness: 3})
			r.set(1, f)
			r.run(time.Minute)
			return r
		}
		one := func(r *rig) []string { // the next retransmission
			r.now = r.Deadline()
			r.Timeout(r.now)
			return r.sent()
		}

		// "these records are not transmitted in a message but instead merged with the contents of the pending report".
		r := start("IN a")
		r.set(1, "IN ab")
		r.want("first change", r.sent(), "1 ALLOW(b)")
		r.set(1, "IN b")
		r.want("merged", r.sent(), "1 ALLOW(b) 1 BLOCK(a)")
		// "retransmission state for that source needs to be maintained until [Robustness Variable] State-Change reports
		// have been sent": b has had two of three.
		r.want("third of b", one(r), "1 ALLOW(b) 1 BLOCK(a)")
		r.want("third of a", one(r), "1 BLOCK(a)")
		r.want("rest", r.run(time.Minute))

		// "If the interface reception-state change that triggers the new report is a filter-mode change, then the next
		// [Robustness Variable] State-Change Reports will include a Filter-Mode-Change record. This applies even if any number
		// of source-list changes occur in that period."
		r = start("IN a")
		r.set(1, "EX b")
		r.want("mode", r.sent(), "1 TO_EX(b)")
		r.set(1, "EX bc")
		r.want("and source", r.sent(), "1 TO_EX(bc)")
		r.want("third of the mode", one(r), "1 TO_EX(bc)")
		// "When [Robustness Variable] State-Change reports with Filter-Mode-Change records have been transmitted after the last
		// filter-mode change, … then the next State-Change report will include Source-List-Change records."
		r.want("third of c", one(r), "1 BLOCK(c)")
		r.want("rest", r.run(time.Minute))

		// A group that is left and joined again in between.
		r = start("EX")
		r.set(1, "IN")
		r.set(1, "EX")
		r.want("left and joined", r.sent(), "1 TO_IN()", "1 TO_EX()")
		r.want("rest", r.run(time.Minute), "1 TO_EX()", "1 TO_EX()")

		// What comes together before it is sent is one change.
		r = start("IN")
		r.Set(r.now, r.group(1), r.filter("IN a"), 0)
		r.Set(r.now, r.group(1), r.filter("EX"), 0)
		r.Set(r.now, r.group(2), r.filter("EX"), 0)
		r.Timeout(r.now)
		r.want("at once", r.sent(), "1 TO_EX() 2 TO_EX()")
	})
}

// TestNeverReported: RFC 3376, 5, and RFC 3810, 6: "No MLD messages are ever sent regarding" these.
func TestNeverReported(t *testing.T) {
	for _, g := range []wire.Addr{wire.AllHosts4, wire.AllNodes6, {Hi: 0xff01 << 48, Lo: 5}, {Hi: 0xff00 << 48, Lo: 5}, {Hi: 0xff11 << 48, Lo: 5}} {
		r := newRig(t, g.Is4(), Settings{})
		r.Set(r.now, g, All, 0)
		r.query(V3, 0, "", time.Second)
		r.query(V2, 0, "", time.Second)
		r.Set(r.now, g, Filter{}, 0)
		r.want(g.String(), r.run(time.Hour))
	}
}

// TestReportSize: RFC 3376, 4.2.16; RFC 3810, 5.2.15.
func TestReportSize(t *testing.T) {
	families(t, func(t *testing.T, four bool) {
		addr := 16
		if four {
			addr = 4
		}
		r := newRig(t, four, Settings{Robustness: 1})
		r.SetRoom(8 + 2*(4+addr)) // two records without sources
		for n := 1; n <= 5; n++ {
			r.Set(r.now, r.group(n), All, 0)
		}
		r.Timeout(r.now)
		// "the Group Records are sent in as many Report messages as needed to report the entire set."
		r.want("many groups", r.sent(), "1 TO_EX() 2 TO_EX()", "3 TO_EX() 4 TO_EX()", "5 TO_EX()")

		r.SetRoom(8 + 4 + 4*addr) // a record with three sources
		// "if its Type is not MODE_IS_EXCLUDE or CHANGE_TO_EXCLUDE_MODE, it is split into multiple Group Records, each containing a
		// different subset of the source addresses and each sent in a separate Report message."
		r.set(6, "IN abcdefg")
		r.want("many sources", r.sent(), "6 ALLOW(abc)", "6 ALLOW(def)", "6 ALLOW(g)")
		// "If its Type is MODE_IS_EXCLUDE or CHANGE_TO_EXCLUDE_MODE, a single Group Record is sent, containing as many source
		// addresses as can fit, and the remaining source addresses are not reported".
		r.set(7, "EX abcdefg")
		r.want("many sources excluded", r.sent(), "7 TO_EX(abc)")
	})
}

// TestLinkChange: after the link was down, and when an address has become usable, everything is reported as if it were new.
func TestLinkChange(t *testing.T) {
	families(t, func(t *testing.T, four bool) {
		r := newRig(t, four, Settings{})
		r.set(1, "EX a")
		r.set(2, "IN b")
		r.run(time.Minute)
		r.Down()
		r.query(V3, 0, "", time.Second)
		r.set(3, "EX")
		r.set(1, "IN")
		r.want("link down", r.run(time.Hour))
		r.Up(r.now)
		r.Set(r.now, r.group(4), All, 10*time.Second)
		r.Timeout(r.now)
		r.want("link up", r.sent(), "2 ALLOW(b) 3 TO_EX()")
		r.want("once more each", r.run(5*time.Second), "3 TO_EX()", "2 ALLOW(b)")
		r.want("delayed", r.run(time.Minute), "4 TO_EX()", "4 TO_EX()")
		r.Renew(r.now)
		r.Timeout(r.now)
		r.want("renewed", r.sent(), "2 ALLOW(b) 3 TO_EX() 4 TO_EX()")
	})
}
