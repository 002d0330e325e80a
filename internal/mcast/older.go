package mcast

import (
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Versions 1 and 2 of IGMP (RFC 1112, appendix I; RFC 2236) and MLDv1 (RFC 2710): a timer for each group, and reports that
// those of others suppress. They know nothing of sources.

// join has g reported.
//
// RFC 2236, 3: "When a host joins a multicast group, it should immediately transmit an unsolicited Version 2 Membership Report for
// that group … it is recommended that it be repeated once or twice after short delays [Unsolicited Report Interval]." RFC
// 2710, 4: likewise.
func (m *Machine) join(now clock.Instant, g *group, delay time.Duration) {
	g.suppressed = false
	g.reportsLeft = m.robust()
	g.replyAt = now.Add(delay)
}

// leave tells that nobody here wants g any more.
//
// RFC 2236, 3: "When a host leaves a multicast group, if it was the last host to reply to a Query with a Membership Report for that
// group, it SHOULD send a Leave Group message to the all-routers multicast group (224.0.0.2). If it was not the last host
// to reply to a Query, it MAY send nothing". RFC 2710, 4: likewise, a Done message. Version 1 has none: a host leaves
// silently.
func (m *Machine) leave(g *group) {
	g.replyAt, g.reportsLeft = clock.Never, 0
	if m.version != V2 || g.suppressed {
		return
	}
	dst := wire.AllRouters6
	if m.cfg.IPv4 {
		dst = wire.AllRouters4
	}
	m.out = append(m.out, Message{Version: V2, Dst: dst, Leave: true, Group: g.addr})
}

// queryOld schedules reports for a query.
//
// RFC 2236, 3: "If a timer for the group is already running, it is reset to the random value only if the requested Max Response
// Time is less than the remaining value of the running timer." RFC 2710, 4: likewise.
func (m *Machine) queryOld(now clock.Instant, q *wire.GroupQuery) {
	most := q.MaxResp
	all := q.Group.IsUnspecified()
	if m.version == V1 {
		// RFC 1112, appendix I: a host answers for every group within 10 seconds. There are no queries about one.
		most, all = DefaultResponse, true
	}
	for _, g := range m.groups {
		if !all && g.addr != q.Group || g.filter.None() {
			continue
		}
		if g.replyAt == clock.Never || most < g.replyAt.Sub(now) {
			g.replyAt = now.Add(m.random(most))
		}
	}
}

// Heard takes another host's report of version 1 or 2.
//
// RFC 2236, 3: "If the host receives another host's Report (version 1 or 2) while it has a timer running, it stops its timer for the
// specified group and does not send a Report, in order to suppress duplicate Reports." RFC 2710, 4: likewise. RFC 3376, 7.2.2:
// in version 3 "A host MAY allow its IGMPv3 Membership Record to be suppressed": it is not here, since it says more.
func (m *Machine) Heard(group wire.Addr) {
	i, ok := m.find(group)
	if !ok || m.version == V3 {
		return
	}
	if g := m.groups[i]; g.replyAt != clock.Never {
		g.replyAt, g.reportsLeft, g.suppressed = clock.Never, 0, true
	}
}

// sendOld sends the reports that are due, each to the group it is about.
func (m *Machine) sendOld(now clock.Instant) {
	for _, g := range m.groups {
		if g.replyAt > now {
			continue
		}
		m.out = append(m.out, Message{Version: m.version, Dst: g.addr, Group: g.addr})
		g.replyAt, g.suppressed = clock.Never, false
		if g.reportsLeft > 0 {
			g.reportsLeft--
		}
		if g.reportsLeft > 0 {
			g.replyAt = now.Add(m.random(m.unsolicited()))
		}
	}
	m.groups = slices.DeleteFunc(m.groups, (*group).over)
}
