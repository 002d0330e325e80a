package tcpsock

import (
	"net"
	"syscall"
)

// TryWriteUrgent queues as much of b as there is room for, as urgent data: send(2) with MSG_OOB, RFC 9293, 3.8.5. It returns how
// many octets. Errors: those of TryWrite.
func (c *Conn) TryWriteUrgent(b []byte) (int, error) {
	c.lock()
	defer c.sh.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	n, err := c.tcb.SendUrgent(b)
	if err != nil {
		return 0, err
	}
	if n < len(b) {
		c.starve()
	}
	if n == 0 && len(b) > 0 {
		return 0, syscall.EAGAIN
	}
	c.pump(c.layer.rt.Now())
	return n, nil
}

// ReadUrgent returns the urgent octet, if it is not in line, and keeps it if peek is true: recv(2) with MSG_OOB. n is 0 with a nil
// error where none will ever come. Errors: EINVAL where there is none, EAGAIN when it has not come yet, ENOTCONN,
// net.ErrClosed.
func (c *Conn) ReadUrgent(peek bool) (b byte, n int, err error) {
	c.lock()
	defer c.sh.Unlock()
	if c.closed {
		return 0, 0, net.ErrClosed
	}
	return c.tcb.ReadUrgent(peek)
}

// AtMark reports whether the urgent octet is the next to be read: sockatmark(3).
func (c *Conn) AtMark() bool {
	c.lock()
	defer c.sh.Unlock()
	return c.tcb.AtMark()
}
