package tcp

import "syscall"

// Queue tells how full a connection's buffers are, in octets.
type Queue struct {
	Unread   int    // received in order, not read, and to be read in line
	ToMark   int    // of these, what comes before the urgent octet: ioctl(2)'s SIOCINQ
	Urgent   bool   // an urgent octet has come: poll(2)'s POLLPRI
	Received uint64 // received in order, ever
	EOF      bool   // the peer's FIN has been processed
	Unacked  int    // written and not acknowledged
	Unsent   int    // written and not sent
	Room     int    // what Send takes
	Finished bool   // the user has closed: nothing more can be written
	Dead     bool   // the connection is over
}

// Queue returns how full the connection's buffers are.
func (c *TCB) Queue() Queue {
	received := c.stats.bytesRcvd
	if c.rcv.eof {
		received-- // the FIN
	}
	all, next := c.readable()
	switch {
	case c.cfg != nil && c.cfg.UrgentInline:
		next = all
	case c.AtMark() && c.rcv.in.size > 0:
		next = 0
	}
	return Queue{
		Unread: all, ToMark: next, Urgent: c.Urgent(), Received: received, EOF: c.rcv.eof,
		Unacked: c.snd.out.end, Unsent: c.unsent(), Room: c.room(),
		Finished: c.snd.fin, Dead: c.state == Closed,
	}
}

// Errno is Err as a number: 0 while the connection lives and after an orderly end.
func (c *TCB) Errno() syscall.Errno { return c.err }

// TakeSoftError returns what an ICMP error that may pass said of the connection last (RFC 5461), and forgets it; 0: none.
func (c *TCB) TakeSoftError() syscall.Errno {
	e := c.softErr
	c.softErr = 0
	return e
}

// Peek copies received octets into b, from the one that is off octets behind the first unread one, and leaves them where
// they are. It returns how many: like Receive it ends at the urgent mark, and leaves out an octet that is not in line.
func (c *TCB) Peek(off int, b []byte) int {
	end := c.rcv.in.size
	if c.urg.state != urgentNone {
		at := c.urg.at.Sub(c.unreadSeq())
		switch {
		case at > off:
			end = min(end, at)
		case at >= 0 && !c.cfg.UrgentInline:
			off++ // the octet is before, or next
		}
	}
	n := min(len(b), end-off)
	if n <= 0 {
		return 0
	}
	c.rcv.in.readAt(off, b[:n])
	return n
}

// Pending returns what TakePending would, and does not forget it.
func (c *TCB) Pending() syscall.Errno { return c.pending }

// ReceiveBuffer returns the size of the receive buffer, in octets of memory.
func (c *TCB) ReceiveBuffer() int { return c.rcv.space.size }
