package tcp

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// onWire is what an end of the model has said to the other in segments, which is all that the other knows of it.
type onWire struct {
	ack, edge Seq // the highest ACK, and the right-most edge of the window
	said      bool
}

// inspect asserts what holds of every segment that end i sends, data being what it carries.
func (m *model) inspect(i int, seg *Segment, data []byte) {
	e, o := &m.ends[i], &m.ends[1-i]
	c := e.tcb
	off := seg.Seq.Sub(c.snd.iss) - 1
	for k, v := range data {
		if off+k < 0 || off+k >= len(e.wrote) || v != octet(i, off+k) {
			m.fail("end %d sends %d octets at offset %d that nobody wrote", i, len(data), off)
		}
	}
	// RFC 9293, 3.8.6: what the peer's window does not admit is not sent, but for an octet that probes it.
	if end := seg.Seq.Add(len(data)); len(data) > 1 && c.snd.edge.Less(end) {
		m.fail("end %d sends up to %d, its peer takes up to %d: SND.UNA %d, SND.NXT %d, SND.WND %d, %+v", i, end, c.snd.edge, c.snd.una, c.snd.nxt, c.snd.wnd, seg)
	}
	if seg.Flags&wire.ACK == 0 || seg.Flags&wire.RST != 0 {
		return
	}
	m.inspectACK(i, seg)
	for k, b := range seg.Options.SACK[:seg.Options.SACKCount] {
		from, to := Seq(b.Left), Seq(b.Right)
		if !from.Less(to) || from.LessEq(c.rcv.irs) || o.tcb.snd.nxt.Less(to) && o.synced {
			m.fail("end %d reports a block %d to %d of data that was not sent", i, from, to)
		}
		// RFC 2018, 3: "contiguous and isolated" data "received and queued"; the first block may tell of a duplicate.
		if s, ok := c.outOfOrder(from); k > 0 && (!ok || s != (span{from, to}) || from.LessEq(seg.Ack)) {
			m.fail("end %d reports a block %d to %d that it does not hold", i, from, to)
		}
	}
}

// inspectACK asserts that neither the acknowledgment nor the window's right edge ever moves back: RFC 9293, 3.8.6, SHLD-14;
// RFC 7323, 2.4, for what the scale rounds off.
func (m *model) inspectACK(i int, seg *Segment) {
	e := &m.ends[i]
	c, w := e.tcb, &e.told
	if seg.Flags&wire.SYN != 0 {
		// Its window is not scaled, and may be less than a step of the scale behind what a challenge ACK has said.
		if !w.said {
			w.ack, w.edge, w.said = seg.Ack, seg.Ack.Add(int(seg.Window)), true
		}
		return
	}
	edge := seg.Ack.Add(int(seg.Window) << c.rcv.shift)
	if seg.Ack != c.rcv.nxt {
		m.fail("end %d acknowledges %d, RCV.NXT is %d", i, seg.Ack, c.rcv.nxt)
	}
	if w.said && (seg.Ack.Less(w.ack) || edge.Less(w.edge) && !c.rcv.eof) {
		m.fail("end %d says ACK %d, right edge %d after %d, %d", i, seg.Ack, edge, w.ack, w.edge)
	}
	w.ack, w.edge, w.said = seg.Ack, edge, true
}

// timed asserts that what is owed has a timer.
func (m *model) timed(i int) {
	c := m.ends[i].tcb
	switch c.state {
	case Established, FinWait1, FinWait2, CloseWait:
	default:
		return
	}
	if c.rcv.nxt != c.rcv.acked && c.timers[delackTimer] == clock.Never {
		m.fail("end %d owes an ACK for %d octets, and no timer runs", i, c.rcv.nxt.Sub(c.rcv.acked))
	}
	if c.cfg.KeepAlive && c.timers[keepAliveTimer] == clock.Never {
		m.fail("end %d keeps the connection alive, and no timer runs", i)
	}
}
