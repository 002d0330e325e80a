package tcp

import (
	"math/bits"
	"syscall"

	"github.com/onlink-go/onlink/clock"
)

// sendSpace is the account of a send buffer, in octets of memory, as Linux keeps it: written data is gathered in chunks of
// many segments, each with some overhead, and a chunk is begun if less memory is taken than there is. So a write may go
// somewhat beyond.
type sendSpace struct {
	size   int   // the whole buffer (Linux's sk_sndbuf)
	used   int   // taken by what is written and not acknowledged (sk_wmem_queued)
	fixed  bool  // the user set size
	wanted bool  // Send has found no room since the buffer was looked at last (SOCK_NOSPACE)
	acked  bool  // something was acknowledged since
	chunk  Seq   // where the last chunk begins
	goal   int32 // octets of data in a whole chunk
}

const (
	leastSendBuffer = 4608            // of one that the user sets (SOCK_MIN_SNDBUF)
	chunkOverhead   = 832             // of a chunk
	largestBurst    = 65536 - 1 - 256 // octets of a chunk (sk_gso_max_size)
)

// fix makes the buffer one of memory for n octets of data; 0: it stays as it is, and is tuned.
func (s *sendSpace) fix(n int) {
	if s.fixed = n > 0; s.fixed {
		s.size = min(max(2*n, leastSendBuffer), maxBuffer)
	}
}

// Send copies what fits of b behind what is queued (RFC 9293, 3.10.2) and returns how much that was; 0 with a nil
// error: the buffer is full. Before ESTABLISHED it queues. Errors: Err() of a dead connection, else EPIPE after Close;
// ENOTCONN before it was opened.
func (c *TCB) Send(now clock.Instant, b []byte) (int, error) { return c.SendMore(now, b, false) }

// SendMore is Send for a user who has more to say: less than a full segment waits for it, though for no longer than for
// an acknowledgment or the persist timer (Linux's MSG_MORE). RFC 9293, 3.9.1.2: it is a SEND without the PUSH flag, and
// "When an application issues a series of SEND calls without setting the PUSH flag, the TCP implementation MAY aggregate
// the data internally without sending it (MAY-16)."
func (c *TCB) SendMore(now clock.Instant, b []byte, more bool) (int, error) {
	return c.send(b, more)
}

func (c *TCB) send(b []byte, more bool) (int, error) {
	if err := c.refuses(); err != nil {
		return 0, err
	}
	c.noteLimited()
	n := c.gather(b)
	c.snd.more = more && n == len(b)
	if n < len(b) {
		// The user has to wait; what is there goes without waiting for more.
		c.snd.space.wanted = true
		c.snd.push = c.written()
	}
	c.noteWritten(n)
	return n, nil
}

// refuses returns why Send takes nothing.
func (c *TCB) refuses() error {
	switch {
	case c.state == Closed && c.err != 0:
		return c.err
	case c.cc == nil:
		return syscall.ENOTCONN
	case c.pending != 0:
		return c.TakePending()
	case !c.sending() || c.snd.fin:
		// RFC 9293, 3.10.2: "Return "error: connection closing" and do not service request."
		return syscall.EPIPE
	}
	return nil
}

// refusing reports whether refuses has something to return, which it may do only once.
func (c *TCB) refusing() bool { return c.pending != 0 || !c.sending() || c.snd.fin }

// noteWritten marks the end of n octets that were written for PSH, if it is one.
func (c *TCB) noteWritten(n int) {
	if n > 0 && (!c.snd.more || c.farFromPush()) {
		c.pushMark(c.written())
	}
}

// written returns the sequence number behind what was written.
func (c *TCB) written() Seq { return c.snd.base.Add(c.snd.out.end) }

// gather writes what there is room for into chunks and returns how much.
func (c *TCB) gather(b []byte) (n int) {
	for n < len(b) {
		room := c.openChunk(n == 0)
		if room == 0 {
			break
		}
		c.gatherLong(len(b) - n)
		k := min(room, len(b)-n)
		c.snd.out.write(b[n : n+k])
		c.wrote(k, room)
		n += k
	}
	return n
}

// openChunk returns how much room the last chunk has, or a new one that it begins; 0: there is room for none. first is whether a write
// begins with it.
func (c *TCB) openChunk(first bool) (room int) {
	s, goal := &c.snd.space, int(c.snd.space.goal)
	last := c.lastChunk()
	if last > 0 && last < goal {
		if first {
			c.unmark(c.written())
		}
		return goal - last
	}
	if !c.roomForChunk() {
		return 0
	}
	s.chunk = c.written()
	s.used += chunkOverhead
	return goal
}

// wrote accounts for n octets that were written to the last chunk, which had so much room.
func (c *TCB) wrote(n, room int) {
	c.snd.space.used += n
	if n == room && c.farFromPush() {
		c.pushMark(c.written())
	}
}

// lastChunk returns how many unsent octets the last chunk has: writes are added to it until it is full.
func (c *TCB) lastChunk() int { return max(c.written().Sub(maxSeq(c.snd.space.chunk, c.snd.nxt)), 0) }

// setChunkSize computes how large a chunk may be: whole segments, up to half of the largest window the peer has offered.
func (c *TCB) setChunkSize() {
	c.snd.space.goal = int32(c.wholeSegments(boundToHalf(largestBurst, c.snd.maxWnd)))
}

// roomForChunk reports whether a further chunk may be begun.
func (c *TCB) roomForChunk() bool {
	s := &c.snd.space
	if c.starved() && s.used >= c.cfg.WMem[0] {
		return false
	}
	return s.used < s.size && c.unsent() < c.cfg.NotSentLowWater
}

// room returns how many octets Send takes.
func (c *TCB) room() int {
	s, goal := &c.snd.space, int(c.snd.space.goal)
	n := 0
	if last := c.lastChunk(); last > 0 {
		n = max(goal-last, 0)
	}
	if c.roomForChunk() {
		n += (s.size - s.used + goal + chunkOverhead - 1) / (goal + chunkOverhead) * goal
	}
	return n
}

// Roomy reports whether it is worth while to wake a writer: a third of the buffer is free (sk_stream_is_writeable), and
// little enough is not sent (RFC 9293 leaves it open; TCP_NOTSENT_LOWAT).
func (c *TCB) Roomy() bool {
	s := &c.snd.space
	return s.size-s.used >= s.used/2 && 2*c.unsent() < c.cfg.NotSentLowWater && c.roomForChunk()
}

// Writable reports whether it is worth while to call Send: there is room, or Send returns an error.
func (c *TCB) Writable() bool { return c.refusing() || c.Roomy() }

// SendBuffer returns the size of the send buffer, in octets of memory.
func (c *TCB) SendBuffer() int { return c.snd.space.size }

// releaseSent gives back the memory of n octets that were acknowledged of total.
func (c *TCB) releaseSent(n, total int) {
	s := &c.snd.space
	s.acked = true
	if n >= total {
		s.used = 0
	} else {
		s.used -= s.used * n / total
	}
}

// tuneSendBuffer lets the buffer grow if the user had to wait for room while the congestion window was not full
// (tcp_new_space): then it is the buffer that holds the connection back.
func (c *TCB) tuneSendBuffer() {
	s := &c.snd.space
	if !s.acked || !s.wanted {
		return
	}
	s.acked = false
	if !c.pressed() && c.board.pipe() < c.cw.Window {
		c.expandSendBuffer()
	}
	if c.Roomy() {
		s.wanted = false
	}
}

// expandSendBuffer makes the buffer large enough for two congestion windows, in the worst case of a segment a piece of
// memory (tcp_sndbuf_expand).
func (c *TCB) expandSendBuffer() {
	s := &c.snd.space
	if s.fixed {
		return
	}
	segment := max(c.snd.peerMSS, c.snd.mss) + 320 + segmentTail
	segment = 1<<bits.Len(uint(segment-1)) + segmentRecord
	n := max(10, c.cw.Window, c.cfg.Reordering+1)
	s.size = max(s.size, min(2*n*segment, c.sendLimit(segment)))
}
