package tcpsock

import (
	"io"
	"net"
	"syscall"

	"github.com/onlink-go/onlink/clock"
)

// The calls of this file do not wait: where Read, Write or Accept would, they return EAGAIN. They know nothing of
// deadlines.

// AwaitData tells whether somebody waits for the end of the handshake to send data at once: the ACK that ends it then
// carries the data.
func (c *Conn) AwaitData(yes bool) {
	c.lock()
	defer c.sh.Unlock()
	c.tcb.AwaitData(yes)
}

// TryRead moves what has come into the buffers of b, in their order, and returns how many octets. Errors: EAGAIN, and
// those of Read.
func (c *Conn) TryRead(b [][]byte) (int, error) {
	c.lock()
	defer c.sh.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	now := c.layer.rt.Now()
	n := 0
	for _, b := range b {
		if len(b) == 0 {
			continue
		}
		k, err := c.tcb.Receive(now, b)
		n += k
		if err != nil && n == 0 {
			return 0, err
		}
		if k < len(b) {
			break
		}
	}
	if n == 0 {
		return 0, syscall.EAGAIN
	}
	c.pump(now) // a window update may be due
	return n, nil
}

// Discard reads up to n octets and throws them away. Errors: those of TryRead.
func (c *Conn) Discard(n int) (int, error) {
	var scratch [512]byte
	var b [1][]byte
	done := 0
	for done < n {
		b[0] = scratch[:min(n-done, len(scratch))]
		k, err := c.TryRead(b[:])
		done += k
		if err != nil {
			if done > 0 {
				return done, nil
			}
			return 0, err
		}
	}
	return done, nil
}

// Peek copies what has come into the buffers of b, from the octet that is off octets behind the first unread one, and
// leaves it unread. Errors: those of TryRead.
func (c *Conn) Peek(off int, b [][]byte) (int, error) {
	c.lock()
	defer c.sh.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	n := 0
	for _, b := range b {
		k := c.tcb.Peek(off+n, b)
		n += k
		if k < len(b) {
			break
		}
	}
	return c.peeked(n)
}

// PeekLen is Peek for those who want no more than to know how many of up to n octets it would return.
func (c *Conn) PeekLen(off, n int) (int, error) {
	c.lock()
	defer c.sh.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	return c.peeked(max(min(n, c.tcb.Queue().Unread-off), 0))
}

// peeked returns what Peek does after n octets. sh locked.
func (c *Conn) peeked(n int) (int, error) {
	switch {
	case n > 0:
		return n, nil
	case !c.tcb.Readable():
		return 0, syscall.EAGAIN
	case c.tcb.Err() != nil && !c.tcb.Queue().EOF:
		return 0, c.tcb.Err()
	}
	return 0, io.EOF
}

// EndRecord has no segment carry what was written so far and what follows (TCB.EndRecord).
func (c *Conn) EndRecord() {
	c.lock()
	defer c.sh.Unlock()
	if !c.closed {
		c.tcb.EndRecord()
	}
}

// TryWrite queues as much as there is room for of the octets of b, skip of them left out at the beginning, and returns
// how many. With more, less than a full segment waits for what is still to be written (TCB.SendMore). Errors: EAGAIN,
// and those of Write.
func (c *Conn) TryWrite(b [][]byte, skip int, more bool) (int, error) {
	c.lock()
	defer c.sh.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	now := c.layer.rt.Now()
	n, want := 0, 0
	total := -skip
	for _, b := range b {
		total += len(b)
	}
	for _, octets := range b {
		if skip >= len(octets) {
			skip -= len(octets)
			continue
		}
		octets, skip = octets[skip:], 0
		want += len(octets)
		k, err := c.tcb.SendMore(now, octets, more || want < total)
		n += k
		if err != nil && n == 0 {
			return 0, err
		}
		if k < len(octets) {
			break
		}
	}
	if n < want {
		c.starve()
	}
	if n == 0 && want > 0 {
		return 0, syscall.EAGAIN
	}
	c.pump(now)
	return n, nil
}

// TryAccept returns a connection that waits to be accepted. Errors: EAGAIN, net.ErrClosed.
func (l *Listener) TryAccept() (*Conn, error) {
	l.in.Lock()
	defer l.in.Unlock()
	if l.in.Closed() {
		return nil, net.ErrClosed
	}
	if len(l.queue) == 0 {
		return nil, syscall.EAGAIN
	}
	return l.pop(), nil
}

// SetQuickACK and QuickACK are TCP_QUICKACK (TCB.SetQuickACK).
func (c *Conn) SetQuickACK(v int) error {
	return c.do(func(now clock.Instant) error { c.tcb.SetQuickACK(now, v); return nil })
}

func (c *Conn) QuickACK() bool {
	c.lock()
	defer c.sh.Unlock()
	return c.tcb.QuickACK()
}
