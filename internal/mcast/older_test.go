package mcast

import (
	"testing"
	"time"

	"github.com/onlink-go/onlink/wire"
)

func queryOf(r *rig, n int) wire.GroupQuery {
	q := wire.GroupQuery{Version: 3, MaxResp: 10 * time.Second}
	if !r.four {
		q.Version = 2
	}
	if n > 0 {
		q.Group = r.group(n)
	}
	return q
}

// TestCompatibilityMode is the table of RFC 3376, 7.2.1, and RFC 3810, 8.2.1. With the defaults the Older Version Querier
// Present Timeout is 2 × 125 s + 10 s.
func TestCompatibilityMode(t *testing.T) {
	const timeout = 260 * time.Second
	mode := func(r *rig, what string, v Version) {
		r.Helper()
		if r.Version() != v {
			r.Errorf("%s: version %d, want %d", what, r.Version(), v)
		}
	}
	families(t, func(t *testing.T, four bool) {
		r := newRig(t, four, Settings{})
		mode(r, "default", V3)
		r.query(V2, 0, "", time.Second)
		mode(r, "older query", V2)
		r.run(timeout - time.Second)
		mode(r, "just before the timeout", V2)
		r.query(V2, 0, "", time.Second) // "The timer is re-set whenever a new MLDv1 Query is received"
		r.run(timeout - 1)
		mode(r, "just before the second", V2)
		r.run(1)
		mode(r, "after it", V3)
	})
	r := newRig(t, true, Settings{})
	r.query(V2, 0, "", time.Second)
	r.run(100 * time.Second)
	r.query(V1, 0, "", 10*time.Second)
	mode(r, "IGMPv1 Querier Present running", V1)
	r.run(100 * time.Second)
	r.query(V2, 0, "", time.Second)
	mode(r, "IGMPv1 still", V1)
	r.run(160 * time.Second)
	mode(r, "a host switches to … IGMPv2 if it has a running IGMPv2 Querier Present timer", V2)
	r.run(100 * time.Second)
	mode(r, "otherwise to IGMPv3", V3)
	r.set(1, "EX")
	r.query(V2, 1, "", time.Second)
	mode(r, "IGMPv2 Querier Present is set whenever an IGMPv2 General Query is received", V3)

	// The interval is what the last querier told.
	q := queryOf(r, 0)
	q.QRV, q.QQI, q.MaxResp = 3, 10*time.Second, 4*time.Second
	r.Query(r.now, &q)
	r.query(V2, 0, "", time.Second)
	r.run(34*time.Second - 1)
	mode(r, "3 × 10 s + 4 s", V2)
	r.run(1)
	mode(r, "3 × 10 s + 4 s are over", V3)
}

func TestForcedVersion(t *testing.T) {
	families(t, func(t *testing.T, four bool) {
		r := newRig(t, four, Settings{Force: V3})
		r.set(1, "EX")
		r.run(time.Minute)
		r.query(V2, 0, "", time.Second)
		r.want("V3 whatever the querier", r.run(time.Minute), "1 IS_EX()")
		r.Configure(r.now, Settings{Force: V2})
		r.query(V3, 0, "", time.Second)
		r.want("V2 whatever the querier", r.run(time.Minute), "v2 report 1")
		r.Configure(r.now, Settings{})
		r.query(V3, 0, "", time.Second)
		r.want("as the querier", r.run(5*time.Minute), "v2 report 1") // the older query counts still
		r.query(V3, 0, "", time.Second)
		r.want("as the querier", r.run(time.Minute), "1 IS_EX()")
	})
}

// TestVersion2: RFC 2236, 3; RFC 2710, 4.
func TestVersion2(t *testing.T) {
	families(t, func(t *testing.T, four bool) {
		r := newRig(t, four, Settings{})
		r.set(1, "EX")
		// "it cancels all its pending response and retransmission timers", and answers in the older version.
		r.query(V2, 0, "", time.Second)
		r.want("switch", r.run(time.Minute), "1 TO_EX()", "v2 report 1")

		r.set(2, "IN a")
		r.want("should immediately transmit an unsolicited Report", r.sent(), "v2 report 2")
		r.want("it is recommended that it be repeated", r.run(10*time.Second), "v2 report 2")
		r.set(2, "IN ab")
		r.set(2, "EX")
		r.want("sources do not matter", r.run(time.Minute))

		// "it is reset to the random value only if the requested Max Response Time is less than the remaining value".
		r.rand = func() uint64 { return uint64(4*time.Second) - 1 }
		r.query(V2, 1, "", 10*time.Second)
		r.query(V2, 1, "", 5*time.Second)
		r.want("the running timer", r.run(4*time.Second-1))
		r.rand = func() uint64 { return uint64(2*time.Second) - 1 }
		r.query(V2, 1, "", 10*time.Second)
		r.want("goes on", r.run(1), "v2 report 1")

		// "If the host receives another host's Report … while it has a timer running, it stops its timer".
		r.query(V2, 0, "", 10*time.Second)
		r.Heard(r.group(1))
		r.want("suppressed", r.run(time.Minute), "v2 report 2")
		r.set(1, "IN")
		r.want("If it was not the last host to reply to a Query, it MAY send nothing", r.run(time.Minute))
		r.Heard(r.group(2)) // no timer runs: ignored
		r.set(2, "IN")
		r.want("it SHOULD send a Leave Group message", r.run(time.Minute), "v2 leave 2")
	})
}

func TestLeaveGoesToRouters(t *testing.T) {
	for _, c := range []struct {
		four bool
		dst  wire.Addr
	}{{true, wire.Addr4(224, 0, 0, 2)}, {false, wire.AllRouters6}} {
		r := newRig(t, c.four, Settings{Force: V2})
		r.set(1, "EX")
		r.run(time.Minute)
		r.set(1, "IN")
		var m Message
		if !r.Next(&m) || !m.Leave || m.Dst != c.dst {
			t.Errorf("%+v", m)
		}
	}
}

// TestVersion1: RFC 1112, appendix I: reports, but no leaves.
func TestVersion1(t *testing.T) {
	r := newRig(t, true, Settings{})
	r.set(1, "EX")
	r.run(time.Minute)
	r.query(V1, 0, "", 10*time.Second)
	r.want("query", r.run(10*time.Second), "v1 report 1")
	r.query(V3, 2, "", time.Second)
	r.want("a version 3 query with version 1 queriers present", r.run(10*time.Second), "v1 report 1")
	r.set(2, "EX")
	r.want("join", r.run(time.Minute), "v1 report 2", "v1 report 2")
	r.set(2, "IN")
	r.want("leave", r.run(time.Minute))
}
