package tcp

import (
	"io"
	"syscall"

	"github.com/onlink-go/onlink/clock"
)

// AwaitData tells whether a user waits for the end of the handshake to send data at once: then the ACK that ends it waits
// for that data, for as long as a delayed one, as in Linux.
func (c *TCB) AwaitData(yes bool) { c.snd.awaited = yes }

// sending reports whether the state lets the user send.
func (c *TCB) sending() bool {
	switch c.state {
	case SynSent, SynReceived, Established, CloseWait:
		return true
	}
	return false
}

// Unsent returns how many octets the user has written that were not yet sent.
func (c *TCB) Unsent() int { return c.unsent() }

// unsent returns how many octets are queued and not yet sent.
func (c *TCB) unsent() int {
	if n := c.snd.base.Add(c.snd.out.end).Sub(c.snd.nxt); n > 0 {
		return n
	}
	return 0 // SND.NXT may be behind the FIN
}

// Receive moves received octets into b (RFC 9293, 3.10.3) and returns how many; 0 with a nil error: none are there yet.
// Errors: io.EOF behind the peer's FIN and after CloseRead; when all is read, Err() of a dead connection; ENOTCONN
// before it was opened.
func (c *TCB) Receive(now clock.Instant, b []byte) (int, error) {
	if len(b) > 0 && c.rcv.in.size > 0 && c.urgentNext() {
		c.skipUrgent()
	}
	_, next := c.readable()
	if n := min(len(b), next); n > 0 {
		c.rcv.in.readAt(0, b[:n])
		c.consume(n)
		c.tuneReceiveBuffer(now)
		c.pastMark()
		return n, nil
	}
	switch {
	case next > 0:
		return 0, nil // b is empty
	case c.pending != 0:
		return 0, c.TakePending()
	case c.rcv.shut || c.rcv.eof:
		return 0, io.EOF
	case c.state != Closed:
		return 0, nil
	case c.err != 0:
		return 0, c.err
	case c.cc == nil:
		return 0, syscall.ENOTCONN
	}
	return 0, io.EOF
}

// consume drops n received octets, which the user has read.
func (c *TCB) consume(n int) {
	c.rcv.in.discard(n)
	c.consumed(n)
}

// consumed accounts for n octets that are not in the buffer any more.
func (c *TCB) consumed(n int) {
	c.rcv.space.release(n, c.rcv.in.size == 0 && len(c.rcv.ranges) == 0)
	c.rcv.read = c.state != Closed
}

// Owes is to be called after Receive, ReceiveParts or ReceiveAny. It reports whether Next has something to send because of what was
// read: an acknowledgment, or a window update. If not, Next need not be called.
func (c *TCB) Owes() bool {
	if c.state != Established && c.state != CloseWait {
		return true // it may be over, once all is read
	}
	if c.rcv.read {
		c.rcv.read = false
		c.decideRead()
	}
	c.settleMemory()
	return c.rcv.ackNow
}

// Readable reports whether it is worth while to call Receive: Config.ReceiveLowWater octets are there, or as many as the
// window lets come, or it returns an error.
func (c *TCB) Readable() bool { return c.ReadableFor(maxBuffer) }

// ReadableFor is Readable for one who wants n octets and no more.
func (c *TCB) ReadableFor(n int) bool {
	if c.pending != 0 || c.rcv.shut || c.rcv.eof || c.state == Closed {
		return true
	}
	all, _ := c.readable()
	return all > 0 && (all >= min(n, c.cfg.ReceiveLowWater) || c.rcv.adv.Sub(c.rcv.nxt) < c.rcv.mss)
}

// Close sends a FIN behind what is queued; receiving goes on. RFC 9293, 3.10.4.
func (c *TCB) Close(now clock.Instant) {
	if c.snd.fin {
		// "FIN-WAIT-1 STATE, FIN-WAIT-2 STATE: … An "ok" response would be acceptable, too, as long as a second FIN
		// is not emitted".
		return
	}
	switch c.state {
	case SynSent:
		// "Delete the TCB and return "error: closing" responses to any queued SENDs, or RECEIVEs."
		c.die(now, syscall.ECONNABORTED)
	case SynReceived:
		// "… otherwise, queue for processing after entering ESTABLISHED state": also where nothing was sent.
		c.snd.fin = true
	case Established:
		// "Queue this until all preceding SENDs have been segmentized, then form a FIN segment and send it. In any
		// case, enter FIN-WAIT-1 state."
		c.snd.fin = true
		c.setState(now, FinWait1)
	case CloseWait:
		// "Queue this request until all preceding SENDs have been segmentized; then send a FIN segment, enter
		// LAST-ACK state."
		c.snd.fin = true
	}
}

// CloseRead has Receive return io.EOF where it would have nothing to give yet. What comes is still received; but once the
// user has closed too, new data resets the connection, as after Release. RFC 9293 has no such call; this is shutdown(2)'s,
// as with Linux.
func (c *TCB) CloseRead() { c.rcv.shut = true }

// Release tells that the user has let go of both directions. What is queued is sent, then a FIN; but if there is data
// that the user has not read, or Config.Linger is 0, the connection is reset.
//
// RFC 1122, 4.2.2.13: "If such a host issues a CLOSE call while received data is still pending in TCP, or if new data is
// received after CLOSE is called, its TCP SHOULD send a RST to show that data was lost."
func (c *TCB) Release(now clock.Instant) {
	if c.released {
		return
	}
	unread := c.rcv.in.size > 0
	c.released = true
	c.dropUnread()
	c.rcv.shut = true
	switch {
	case unread && (c.state == Closing || c.state == LastAck):
		c.reset(now, syscall.ECONNABORTED) // which Abort would not in these states
		return
	case unread, c.cfg != nil && c.cfg.discards():
		c.Abort(now)
		return
	}
	c.Close(now)
	c.boundFinWait2(now)
}

// Abort ends the connection at once: RFC 9293, 3.10.5. Err is then ECONNABORTED.
func (c *TCB) Abort(now clock.Instant) {
	switch c.state {
	case SynReceived, Established, FinWait1, FinWait2, CloseWait:
		// "Send a reset segment: <SEQ=SND.NXT><CTL=RST>. All queued SENDs and RECEIVEs should be given "connection
		// reset" notification; all segments queued for transmission (except for the RST formed above) or
		// retransmission should be flushed."
		c.dropUnread()
		c.reset(now, syscall.ECONNABORTED)
	case SynSent, Closing, LastAck, TimeWait:
		// "Respond with "ok" and delete the TCB, enter CLOSED state, and return."
		c.dropUnread()
		c.die(now, syscall.ECONNABORTED)
	}
}
