package mcast

import (
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// members returns a rig with the groups 1, EXCLUDE (ab), and 2, INCLUDE (cd), whose reports are over.
func members(t *testing.T, four bool) *rig {
	r := newRig(t, four, Settings{})
	r.set(1, "EX ab")
	r.set(2, "IN cd")
	r.run(time.Minute)
	return r
}

// TestCurrentState is the tables of RFC 3376, 5.2, and RFC 3810, 6.3.
func TestCurrentState(t *testing.T) {
	families(t, func(t *testing.T, four bool) {
		for _, c := range []struct {
			name    string
			group   int
			sources string
			want    []string
		}{
			{"one Current-State Record is sent for each multicast address", 0, "", []string{"1 IS_EX(ab) 2 IS_IN(cd)"}},
			{"Group-Specific Query, EXCLUDE", 1, "", []string{"1 IS_EX(ab)"}},
			{"Group-Specific Query, INCLUDE", 2, "", []string{"2 IS_IN(cd)"}},
			{"EXCLUDE (A)  B  IS_IN (B-A)", 1, "bcd", []string{"1 IS_IN(cd)"}},
			{"INCLUDE (A)  B  IS_IN (A*B)", 2, "abc", []string{"2 IS_IN(c)"}},
			{"an empty set of source addresses: no response is sent", 1, "ab", nil},
			{"an empty set of source addresses: no response is sent", 2, "ab", nil},
			{"if and only if the interface has reception state for that group address", 3, "", nil},
		} {
			r := members(t, four)
			r.query(V3, c.group, c.sources, 10*time.Second)
			// "MUST NOT send a Report immediately on reception of a General Query."
			r.want(c.name+", at once", r.sent())
			r.want(c.name, r.run(10*time.Second), c.want...)
			r.want(c.name+", later", r.run(time.Hour))
		}
	})
}

// TestCombinedResponses is the five rules of RFC 3376, 5.2, and RFC 3810, 6.2.
func TestCombinedResponses(t *testing.T) {
	const soon, late = 2 * time.Second, 8 * time.Second
	families(t, func(t *testing.T, four bool) {
		type q struct {
			group   int
			sources string
			after   time.Duration // selected delay
		}
		for _, c := range []struct {
			name          string
			first, second q
			soon, late    []string // sent at these times
		}{
			{"1. a pending response to a previous General Query scheduled sooner: no additional response",
				q{0, "", soon}, q{1, "", late}, []string{"1 IS_EX(ab) 2 IS_IN(cd)"}, nil},
			{"2. Any previously pending response to a General Query is canceled",
				q{0, "", late}, q{0, "", soon}, []string{"1 IS_EX(ab) 2 IS_IN(cd)"}, nil},
			{"3. no pending response to a previous Query for this group",
				q{1, "c", soon}, q{2, "c", late}, []string{"1 IS_IN(c)"}, []string{"2 IS_IN(c)"}},
			{"3. nor one to a General Query that is sooner",
				q{0, "", late}, q{1, "c", soon}, []string{"1 IS_IN(c)"}, []string{"1 IS_EX(ab) 2 IS_IN(cd)"}},
			{"4. the new Query is a Group-Specific Query: the source-list is cleared, the earliest",
				q{1, "c", soon}, q{1, "", late}, []string{"1 IS_EX(ab)"}, nil},
			{"4. the recorded source-list is empty",
				q{1, "", late}, q{1, "c", soon}, []string{"1 IS_EX(ab)"}, nil},
			{"5. the group source list is augmented",
				q{1, "c", late}, q{1, "d", soon}, []string{"1 IS_IN(cd)"}, nil},
		} {
			r := members(t, four)
			for _, q := range []q{c.first, c.second} {
				r.rand = func() uint64 { return uint64(q.after) - 1 }
				r.query(V3, q.group, q.sources, 10*time.Second)
			}
			r.want(c.name+", soon", r.run(soon), c.soon...)
			r.want(c.name+", in between", r.run(late-soon-1))
			r.want(c.name+", late", r.run(time.Minute), c.late...)
		}
	})
}

// TestManyQueriedSources: what queries make the machine remember is bounded.
func TestManyQueriedSources(t *testing.T) {
	r := members(t, false)
	for i := range 3 {
		var s string
		for k := range 250 {
			s += string(rune(1000 + 250*i + k))
		}
		r.query(V3, 1, s, 10*time.Second)
	}
	r.want("more than are remembered", r.run(time.Minute), "1 IS_EX(ab)")
}

// TestResponseDelay: RFC 3376, 5.2: "a delay for a response is randomly selected in the range (0, [Max Resp Time])".
func TestResponseDelay(t *testing.T) {
	families(t, func(t *testing.T, four bool) {
		r := members(t, four)
		var sum time.Duration
		for range 1000 {
			r.query(V3, 0, "", 10*time.Second)
			d := r.Deadline().Sub(r.now)
			if d <= 0 || d > 10*time.Second {
				t.Fatalf("after %v", d)
			}
			sum += d
			r.run(10 * time.Second)
		}
		if mean := sum / 1000; mean < 4500*time.Millisecond || mean > 5500*time.Millisecond {
			t.Errorf("after %v in the mean", mean)
		}
		// Who has nothing to report does not wait for anything.
		r = newRig(t, four, Settings{})
		r.query(V3, 0, "", 10*time.Second)
		if r.Deadline() != clock.Never {
			t.Error("a timer without a group")
		}
	})
}

// TestRobustness: the querier's QRV is how often changes are told from then on.
func TestRobustness(t *testing.T) {
	families(t, func(t *testing.T, four bool) {
		r := members(t, four)
		q := queryOf(r, 0)
		q.QRV = 4
		r.Query(r.now, &q)
		r.run(time.Minute)
		r.set(3, "EX")
		r.want("QRV 4", r.run(time.Minute), "3 TO_EX()", "3 TO_EX()", "3 TO_EX()", "3 TO_EX()")
		q.QRV = 0 // "unless that most recently received QRV was zero, in which case the receivers use the default"
		r.Query(r.now, &q)
		r.run(time.Minute)
		r.set(4, "EX")
		r.want("QRV 0", r.run(time.Minute), "4 TO_EX()", "4 TO_EX()")
	})
}
