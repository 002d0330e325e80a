package mcast

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// maxQueried bounds how many sources of queries are remembered: beyond, the whole filter is the answer.
const maxQueried = 512

// version returns the version of q, in IGMP's numbers.
func (m *Machine) versionOf(q *wire.GroupQuery) Version {
	if m.cfg.IPv4 {
		return Version(q.Version)
	}
	return Version(q.Version) + 1
}

// Query takes a query, which the receiver has found to be valid.
func (m *Machine) Query(now clock.Instant, q *wire.GroupQuery) {
	if !m.up {
		return
	}
	general := q.Group.IsUnspecified()
	v := m.versionOf(q)
	switch {
	case v == V3:
		m.learn(q, general)
	case v == V1, general, !m.cfg.IPv4:
		// RFC 3376, 7.2.1: "IGMPv1 Querier Present is set to Older Version Querier Present Timeout seconds whenever an IGMPv1
		// Membership Query is received. IGMPv2 Querier Present is set … whenever an IGMPv2 General Query is received." RFC
		// 3810, 8.2.1: "The timer is re-set whenever a new MLDv1 Query is received on that interface."
		m.older[v] = now.Add(m.olderTimeout())
		m.chooseVersion(now)
	}
	if m.version != V3 {
		m.queryOld(now, q)
		return
	}
	m.schedule(now, q, general)
}

// learn takes over what a query of version 3 says of the querier's variables.
//
// RFC 3376, 4.1.6: "Routers adopt the QRV value from the most recently received Query as their own [Robustness Variable] value,
// unless that most recently received QRV was zero". Section 8: settings "MUST be consistent among all systems on a single
// link".
func (m *Machine) learn(q *wire.GroupQuery, general bool) {
	m.robustness, m.interval = int(q.QRV), q.QQI
	if general {
		m.response = q.MaxResp
	}
}

// olderTimeout returns the Older Version Querier Present Timeout.
//
// RFC 3376, 8.12: "This value MUST be ((the Robustness Variable) times (the Query Interval in the last Query received)) plus
// (one Query Response Interval)." RFC 3810, 9.12: likewise.
func (m *Machine) olderTimeout() time.Duration {
	interval, response := m.interval, m.response
	if interval == 0 {
		interval = DefaultQueryInterval
	}
	if response == 0 {
		response = DefaultResponse
	}
	return time.Duration(m.robust())*interval + response
}

// chooseVersion sets the Host Compatibility Mode: RFC 3376, 7.2.1; RFC 3810, 8.2.1.
func (m *Machine) chooseVersion(now clock.Instant) {
	v := V3
	for _, o := range [...]Version{V2, V1} {
		if m.older[o] <= now {
			m.older[o] = clock.Never
		}
		if m.older[o] != clock.Never {
			v = o
		}
	}
	if m.set.Force != 0 {
		v = m.set.Force
	}
	if v != m.version {
		// "Whenever a host changes its compatibility mode, it cancels all its pending response and retransmission timers."
		m.version = v
		m.cancel()
	}
}

// schedule schedules the answer to a query in version 3, by the rules of RFC 3376, 5.2, and RFC 3810, 6.2.
func (m *Machine) schedule(now clock.Instant, q *wire.GroupQuery, general bool) {
	var g *group
	if !general {
		i, ok := m.find(q.Group)
		if !ok || m.groups[i].filter.None() {
			return // "provided the system has state to report"
		}
		g = m.groups[i]
	} else if len(m.groups) == 0 {
		return
	}
	at := now.Add(m.random(q.MaxResp))
	switch {
	case m.generalAt <= at:
		// "1. If there is a pending response to a previous General Query scheduled sooner than the selected delay, no additional
		// response needs to be scheduled."
	case general:
		// "2. If the received Query is a General Query, the interface timer is used to schedule a response to the General Query
		// after the selected delay."
		m.generalAt = at
	case g.replyAt == clock.Never:
		// "3. If … there is no pending response to a previous Query for this group, then the group timer is used to schedule a
		// report. If the received Query is a Group-and-Source-Specific Query, the list of queried sources is recorded".
		g.replyAt = at
		g.queried = NewFilter(Include, q.Sources...).Sources
	case len(q.Sources) == 0 || len(g.queried) == 0:
		// "4. If there already is a pending response …, and either the new Query is a Group-Specific Query or the recorded
		// source-list associated with the group is empty, then the group source-list is cleared and a single response is
		// scheduled …, at the earliest of the remaining time for the pending report and the selected delay."
		g.queried, g.replyAt = nil, min(g.replyAt, at)
	default:
		// "5. … then the group source list is augmented to contain the list of sources in the new Query and a single response is
		// scheduled".
		g.queried, g.replyAt = union(g.queried, NewFilter(Include, q.Sources...).Sources), min(g.replyAt, at)
	}
	if g != nil && len(g.queried) > maxQueried {
		g.queried = nil
	}
}

// answer sends the Current-State Records that are due: RFC 3376, 5.2; RFC 3810, 6.3.
func (m *Machine) answer(now clock.Instant) {
	var rs []wire.GroupRecord
	general := m.generalAt <= now
	if general {
		m.generalAt = clock.Never
	}
	for _, g := range m.groups {
		due := g.replyAt <= now
		if !general && !due || g.filter.None() {
			continue
		}
		if due {
			g.replyAt = clock.Never
		}
		if r, ok := g.current(general); ok {
			rs = append(rs, r)
		}
		// "Finally, after any required Report messages have been generated, the source lists associated with any reported
		// groups are cleared."
		g.queried = nil
	}
	m.send(rs)
}

// current returns the Current-State Record of g; all: of all its state, else of what was asked for.
//
//	INCLUDE (A)                B                   IS_IN (A*B)
//	EXCLUDE (A)                B                   IS_IN (B-A)
func (g *group) current(all bool) (wire.GroupRecord, bool) {
	r := wire.GroupRecord{Type: wire.ModeIsInclude, Group: g.addr, Sources: g.filter.Sources}
	switch {
	case all || len(g.queried) == 0:
		if g.filter.Mode == Exclude {
			r.Type = wire.ModeIsExclude
		}
		return r, true
	case g.filter.Mode == Include:
		r.Sources = intersection(g.filter.Sources, g.queried)
	default:
		r.Sources = minus(g.queried, g.filter.Sources)
	}
	// "If the resulting Current-State Record has an empty set of source addresses, then no response is sent."
	return r, len(r.Sources) > 0
}
