package mcast

import (
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// change has a change of g's filter from old reported: RFC 3376, 5.1; RFC 3810, 6.1.
func (m *Machine) change(now clock.Instant, g *group, old Filter, delay time.Duration) {
	if old.Mode != g.filter.Mode {
		// RFC 3810, 6.1: "When the filter mode changes, the counter is set to [Robustness Variable]."
		g.modeLeft = m.robust()
	} else {
		//	INCLUDE (A)       INCLUDE (B)       ALLOW (B-A), BLOCK (A-B)
		//	EXCLUDE (A)       EXCLUDE (B)       ALLOW (A-B), BLOCK (B-A)
		//
		// Which of the two a source belongs to is decided when the report is sent. "When a source is included in the list,
		// its counter is set to [Robustness Variable]."
		for _, s := range minus(g.filter.Sources, old.Sources) {
			g.retransmit(s, m.robust())
		}
		for _, s := range minus(old.Sources, g.filter.Sources) {
			g.retransmit(s, m.robust())
		}
	}
	// RFC 3376, 5.1: "each such additional change triggers the immediate transmission of a new State-Change Report."
	g.changeAt = now.Add(delay)
}

// retransmit puts s on the Retransmission List.
func (g *group) retransmit(s wire.Addr, times int) {
	i, ok := slices.BinarySearchFunc(g.sources, s, func(s source, a wire.Addr) int { return compare(s.addr, a) })
	if !ok {
		g.sources = slices.Insert(g.sources, i, source{addr: s})
	}
	g.sources[i].left = times
}

// sendChanges reports the state changes that are due.
func (m *Machine) sendChanges(now clock.Instant) {
	var rs []wire.GroupRecord
	over := false
	for _, g := range m.groups {
		if g.changeAt > now {
			continue
		}
		rs = g.changes(rs)
		g.changeAt = clock.Never
		if g.counted() {
			// RFC 3376, 5.1: "it is retransmitted [Robustness Variable] - 1 more times, at intervals chosen at random from
			// the range (0, [Unsolicited Report Interval])."
			g.changeAt = now.Add(m.random(m.unsolicited()))
		}
		over = over || g.over()
	}
	if over {
		m.groups = slices.DeleteFunc(m.groups, (*group).over)
	}
	m.send(rs)
}

// changes appends the State-Change Records of g.
//
//	TO_IN    All in the current interface state that must be forwarded
//	TO_EX    All in the current interface state that must be blocked
//	ALLOW    All with retransmission state that must be forwarded
//	BLOCK    All with retransmission state that must be blocked
func (g *group) changes(rs []wire.GroupRecord) []wire.GroupRecord {
	if g.modeLeft > 0 {
		t := wire.ChangeToInclude
		if g.filter.Mode == Exclude {
			t = wire.ChangeToExclude
		}
		return append(rs, wire.GroupRecord{Type: t, Group: g.addr, Sources: g.filter.Sources})
	}
	allow := wire.GroupRecord{Type: wire.AllowNewSources, Group: g.addr}
	block := wire.GroupRecord{Type: wire.BlockOldSources, Group: g.addr}
	for _, s := range g.sources {
		if g.filter.Accepts(s.addr) {
			allow.Sources = append(allow.Sources, s.addr)
		} else {
			block.Sources = append(block.Sources, s.addr)
		}
	}
	// "If the computed source list for either an ALLOW or a BLOCK record is empty, that record is omitted".
	for _, r := range [...]wire.GroupRecord{allow, block} {
		if len(r.Sources) > 0 {
			rs = append(rs, r)
		}
	}
	return rs
}

// counted counts a State-Change Report of g, and reports whether another is to follow.
//
// RFC 3810, 6.1: "Each time a State Change Report is sent the counter is decreased by one unit. When the counter reaches zero,
// the source is deleted from the Retransmission List". A report with a Filter Mode Change Record says it of every source.
func (g *group) counted() bool {
	g.modeLeft = max(g.modeLeft-1, 0)
	left := g.sources[:0]
	for _, s := range g.sources {
		if s.left--; s.left > 0 {
			left = append(left, s)
		}
	}
	g.sources = left
	return g.modeLeft > 0 || len(left) > 0
}

// send packs records into reports: RFC 3376, 4.2.16; RFC 3810, 5.2.15.
func (m *Machine) send(rs []wire.GroupRecord) {
	dst := wire.MLDRouters
	if m.cfg.IPv4 {
		dst = wire.IGMPRouters
	}
	addr, used := 16, 0
	if m.cfg.IPv4 {
		addr = 4
	}
	var packed []wire.GroupRecord
	flush := func() {
		if len(packed) > 0 {
			m.out = append(m.out, Message{Version: V3, Dst: dst, Report: wire.GroupReport{Records: packed}})
		}
		packed, used = nil, 0
	}
	most := max((m.room-4)/addr-1, 1) // sources in a report of one record
	for _, r := range rs {
		size := 4 + addr*(1+len(r.Sources))
		if used+size > m.room {
			flush()
		}
		for size > m.room && len(r.Sources) > most {
			part := r
			part.Sources = r.Sources[:most]
			packed = append(packed, part)
			flush()
			if r.Type == wire.ModeIsExclude || r.Type == wire.ChangeToExclude {
				// "a single Group Record is sent, containing as many source addresses as can fit, and the remaining
				// source addresses are not reported".
				r.Sources = nil
				break
			}
			// "it is split into multiple Group Records, each containing a different subset of the source addresses and
			// each sent in a separate Report message."
			r.Sources = r.Sources[most:]
			size -= addr * most
		}
		if size <= m.room || len(r.Sources) > 0 {
			packed = append(packed, r)
			used += size
		}
	}
	flush()
}
