package tcp

import (
	"syscall"

	"github.com/onlink-go/onlink/wire"
)

// urgentState is what is known of the octet that the peer's urgent pointer names.
type urgentState uint8

const (
	urgentNone urgentState = iota // no pointer, or the user has read past it
	urgentSoon                    // the pointer has come, the octet not yet
	urgentHere                    // the octet is in urgent.octet
	urgentRead                    // the user has it
)

// urgent is the state of the urgent mechanism (RFC 9293, 3.8.5) in both directions.
type urgent struct {
	sendTo  Seq  // SND.UP, if sending: the octet behind the urgent data
	sending bool // some urgent data is not acknowledged yet
	state   urgentState
	octet   byte
	at      Seq // RCV.UP, unless state is urgentNone: the urgent octet
}

// SendUrgent is Send with the URGENT flag: RFC 9293, 3.10.2: "If the URGENT flag is set, then SND.UP <- SND.NXT and set the
// urgent pointer in the outgoing segments." SND.NXT is then behind b: 3.8.5: "The urgent pointer MUST point to the sequence
// number of the octet following the urgent data (MUST-62)."
//
// RFC 6093, 5: "new applications SHOULD NOT employ the TCP urgent mechanism. However, TCP implementations MUST still include
// support for the urgent mechanism such that existing applications can still use it."
func (c *TCB) SendUrgent(b []byte) (int, error) {
	n, err := c.send(b, false)
	if n > 0 {
		c.urg.sendTo, c.urg.sending = c.snd.base.Add(c.snd.out.end), true
	}
	return n, err
}

// markUrgent sets the urgent pointer in a segment from seq on, if there is urgent data in it or behind it. A pointer that is
// too far away for its field is set to the farthest, and only where nothing nearer to it is on its way.
func (c *TCB) markUrgent(seg *Segment, seq Seq) {
	off := c.urg.sendTo.Sub(seq)
	switch {
	case !c.urg.sending || off <= 0:
		return
	case off > 0xffff:
		if seq.Add(0xffff).LessEq(c.snd.nxt) {
			return
		}
		off = 0xffff
	}
	seg.Flags |= wire.URG
	seg.Urgent = uint16(off)
}

// unreadSeq returns the sequence number of the first octet the user has not read.
func (c *TCB) unreadSeq() Seq {
	s := c.rcv.nxt.Add(-c.rcv.in.size)
	if c.rcv.eof {
		s--
	}
	return s
}

// takeURG: RFC 9293, 3.10.7.4, "Sixth, check the URG bit: … If the URG bit is set, RCV.UP <- max(RCV.UP,SEG.UP), and signal
// the user that the remote side has urgent data if the urgent pointer (RCV.UP) is in advance of the data consumed.
// If the user has already been signaled (or is still in the "urgent mode") for this continuous sequence of urgent data,
// do not signal the user again."
//
// The pointer is read as all hosts do who have out-of-band data in mind, to name the last octet of urgent data; with
// Config.StdUrg as RFC 1122, 4.2.2.4, says, to name the octet behind (RFC 6093, 2.2, tells the story). That octet is
// delivered out of line, unless Config.UrgentInline.
func (c *TCB) takeURG(seg *Segment) {
	if seg.Flags&wire.URG != 0 {
		c.notePointer(seg)
	}
	if c.urg.state == urgentSoon {
		if i := c.urg.at.Sub(seg.Seq); i >= 0 && i < len(seg.Payload) {
			c.urg.state, c.urg.octet = urgentHere, seg.Payload[i]
		}
	}
}

// notePointer moves RCV.UP up.
func (c *TCB) notePointer(seg *Segment) {
	switch c.state {
	case Established, FinWait1, FinWait2:
	default:
		return // "This should not occur since a FIN has been received from the remote side. Ignore the URG."
	}
	up := seg.Seq.Add(int(seg.Urgent))
	if seg.Urgent > 0 && !c.cfg.StdUrg {
		up--
	}
	if up.Less(c.rcv.nxt) || c.urg.state != urgentNone && up.LessEq(c.urg.at) {
		return // what it names has come before, or is known
	}
	if c.urgentNext() && c.rcv.in.size > 0 {
		c.skipUrgent() // nobody has fetched it, and there is room for one
	}
	c.urg.at, c.urg.state = up, urgentSoon
}

// urgentNext reports whether the octet to be read next is an urgent one that is not in line.
func (c *TCB) urgentNext() bool {
	return c.urg.state != urgentNone && !c.cfg.UrgentInline && c.unreadSeq() == c.urg.at
}

// skipUrgent takes the urgent octet, which is next, out of what is to be read.
func (c *TCB) skipUrgent() {
	c.consume(1)
	c.urg.state = urgentNone
}

// readable returns how many octets Receive has to give in all, and in the next call.
func (c *TCB) readable() (all, next int) {
	all = c.rcv.in.size
	next = all
	if c.urg.state == urgentNone {
		return all, next
	}
	at := c.urg.at.Sub(c.unreadSeq())
	if at > 0 {
		next = min(all, at) // a call ends at the mark
	}
	if at >= 0 && at < all && !c.cfg.UrgentInline {
		all--
		if at == 0 {
			next = all
		}
	}
	return all, next
}

// pastMark ends urgent mode when the user has read past the mark.
func (c *TCB) pastMark() {
	if c.urg.state != urgentNone && c.urg.at.Less(c.unreadSeq()) {
		c.urg.state = urgentNone
	}
}

// Urgent reports whether an urgent octet waits to be read out of line, or in line whether there is one: poll(2)'s POLLPRI.
func (c *TCB) Urgent() bool { return c.urg.state == urgentHere }

// AtMark reports whether the urgent octet is next to be read: sockatmark(3).
func (c *TCB) AtMark() bool {
	return c.urg.state != urgentNone && c.unreadSeq() == c.urg.at
}

// ReadUrgent returns the urgent octet, and keeps it if peek is true: recv(2) with MSG_OOB. Errors are Linux's: EINVAL where there is none,
// it was read before, or it is in line; EAGAIN when it has not come yet; ENOTCONN; and 0 octets where it never will.
func (c *TCB) ReadUrgent(peek bool) (b byte, n int, err error) {
	switch {
	case c.cc == nil:
		return 0, 0, syscall.ENOTCONN
	case c.cfg.UrgentInline, c.urg.state == urgentNone, c.urg.state == urgentRead:
		return 0, 0, syscall.EINVAL
	case c.state == Closed && !c.rcv.eof:
		return 0, 0, syscall.ENOTCONN
	case c.urg.state == urgentHere:
		if !peek {
			c.urg.state = urgentRead
		}
		return c.urg.octet, 1, nil
	case c.state == Closed || c.rcv.shut || c.rcv.eof:
		return 0, 0, nil
	}
	return 0, 0, syscall.EAGAIN
}
