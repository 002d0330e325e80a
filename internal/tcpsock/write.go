package tcpsock

import "net"

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
	c.sh.Lock()
	defer func() { c.sh.Unlock() }()
	for c.writing {
		if err := c.refused(c.writeable); err != nil {
			return 0, err
		}
		c.writers.wait(c.sh, c.table())
	}
	c.writing = true
	held := false // octets wait for what is behind them
	defer func() {
		if held && !c.gone {
			c.pump(c.layer.rt.Now())
		}
		c.writing = false
		c.writers.wake()
	}()
	copied := 0 // in this hold of the lock
	for {
		if err := c.refused(c.writeable); err != nil {
			return written, err
		}
		now := c.layer.rt.Now()
		tcb := c.awake()
		gap := tcb.Gap()
		part := b[:min(len(b), copyQuantum-copied, gap)]
		more := len(part) < len(b) || len(rest) > 0
		n, err := tcb.SendMore(now, part, more)
		if err != nil {
			return written, err
		}
		b = b[n:]
		written += int64(n)
		copied += n
		switch {
		case n == len(part) && more && n < gap:
			held = true // what fills a super-packet leaves as one
		case n > 0 || held:
			held = false
			c.pump(now)
		}
		switch {
		case n < len(part) && n == 0:
			c.writers.wait(c.sh, c.table())
			copied = 0
		case !more && len(b) == 0:
			return written, nil
		case n < len(part) || copied == copyQuantum:
			c.sh.Unlock() // sends what is staged, and lets others in
			c.sh.Lock()
			copied = 0
		}
		if len(b) == 0 && len(rest) > 0 {
			b, rest = rest[0], rest[1:]
		}
	}
}
