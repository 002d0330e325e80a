package tcpsock

import (
	"net"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/tcp"
)

// writing is whether a Write is under way; others wait for their turn.
type writing uint8

const (
	notWriting writing = iota
	writes
	fills // and will pump soon after it has the lock again
)

// Write writes all of b, waiting for room; it returns early only with an error: net.ErrClosed,
// os.ErrDeadlineExceeded, EPIPE after CloseWrite, and the errno the connection died of.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.write(b, nil)
	return int(n), err
}

// WriteBuffers is Write of several slices, one behind the other, which leave as if they were one.
func (c *Conn) WriteBuffers(v net.Buffers) (int64, error) {
	if len(v) == 0 {
		return c.write(nil, nil)
	}
	return c.write(v[0], v[1:])
}

// write writes b and what is in rest.
func (c *Conn) write(b []byte, rest [][]byte) (written int64, err error) {
	c.sh.LockToSend()
	defer func() { c.sh.Unlock() }()
	for c.writing != notWriting {
		if err := c.refused(c.writeable); err != nil {
			return 0, err
		}
		c.writers.wait(c.sh, c.table())
	}
	c.writing = writes
	held := false // octets wait for what is behind them
	defer func() {
		if (held || err != nil) && !c.gone {
			c.pump(c.layer.rt.Now())
		}
		c.writing = notWriting
		c.writers.wake()
	}()
	left := copyQuantum // octets that may be copied in this hold of the lock
	for {
		if err := c.refused(c.writeable); err != nil {
			return written, err
		}
		gap := c.awake().Gap()
		part := b[:min(len(b), gap)]
		room := c.tcb.Reserve(len(part))
		if n := len(room.Room); n > 0 {
			part = part[:n]
			c.fill(room.Room, part)
			left = copyQuantum
		} else {
			part = part[:min(len(part), left)]
		}
		now := c.layer.rt.Now()
		more := len(part) < len(b) || len(rest) > 0
		n, err := c.put(now, room, part, more)
		if err != nil {
			return written, err
		}
		b = b[n:]
		written += int64(n)
		c.said = true
		switch {
		case n == len(part) && more && n < gap:
			held = true // what fills a super-packet leaves as one
		case n > 0 || held:
			held = false
			c.pump(now)
		}
		if len(room.Room) == 0 {
			left -= n
		}
		switch {
		case n < len(part) && n == 0:
			c.waitToWrite()
			left = copyQuantum
		case !more && len(b) == 0:
			return written, nil
		case n < len(part) || left == 0:
			if n == len(part) && more {
				c.writing = fills
			}
			c.sh.Unlock() // sends what is staged, and lets others in
			c.sh.Lock()
			c.writing = writes
			left = copyQuantum
		}
		if len(b) == 0 && len(rest) > 0 {
			b, rest = rest[0], rest[1:]
		}
	}
}

// fill copies text to the room that was reserved for it, without the lock: nobody else writes while c.writing.
func (c *Conn) fill(room, text []byte) {
	c.writing = fills
	c.sh.Unlock()
	copy(room, text)
	c.sh.Lock()
	c.writing = writes
}

// put writes text, with which room is filled if there is any.
func (c *Conn) put(now clock.Instant, room tcp.Reserved, text []byte, more bool) (int, error) {
	if len(room.Room) == 0 {
		return c.tcb.SendMore(now, text, more)
	}
	n, err := c.awake().SendReserved(room, more)
	if err != nil && c.closed {
		err = net.ErrClosed
	}
	return n, err
}
