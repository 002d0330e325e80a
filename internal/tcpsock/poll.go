package tcpsock

import (
	"syscall"

	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/internal/tcp"
)

// watch tells a Notifier what changes about a connection. Guarded by the connection's shard.
type watch struct {
	to       ready.Notifier
	state    tcp.State // as it was told last
	received uint64
	eof      bool
	urgent   bool
	starved  bool // somebody found no room to write, and is to be told of some
}

// tell compares c with what was told last. Data tells those who read, an acknowledgment those who found no room to
// write, and a new state everybody, as Linux's sockets do. sh locked.
func (w *watch) tell(c *Conn) {
	if w == nil {
		return
	}
	var ev ready.Events
	q := c.tcb.Queue()
	if state := c.tcb.State(); state != w.state || q.EOF != w.eof {
		w.state, w.eof = state, q.EOF
		ev = ready.All
	}
	if q.Urgent && !w.urgent {
		ev |= ready.Pri
	}
	w.urgent = q.Urgent
	if q.Received != w.received {
		w.received = q.Received
		if c.tcb.Readable() { // with SO_RCVLOWAT not every segment is worth a call
			ev |= ready.Read | ready.Pri
		}
	}
	if c.tcb.Pending() != 0 {
		ev |= ready.Err
	}
	if w.starved && c.tcb.Roomy() {
		w.starved = false
		ev |= ready.Write
	}
	if ev != 0 {
		w.to.Notify(ev)
	}
}

// Notify has n told from now on of what changes about c; nil: nobody.
func (c *Conn) Notify(n ready.Notifier) {
	c.lock()
	defer c.sh.Unlock()
	if n == nil {
		c.watch = nil
		return
	}
	q := c.tcb.Queue()
	c.watch = &watch{to: n, state: c.tcb.State(), received: q.Received, eof: q.EOF}
}

// Status is what a connection's readiness follows from.
type Status struct {
	State tcp.State
	tcp.Queue
	Errno    syscall.Errno // what it died of; 0: nothing, or it lives
	Pending  syscall.Errno // TCB.Pending
	Readable bool          // as much as SO_RCVLOWAT asks for has come, or the end
	Writable bool          // a third of the send buffer is free
}

// Status returns c's status. If starving is true and there is no room to write, the Notifier will be told of some.
func (c *Conn) Status(starving bool) Status {
	c.lock()
	defer c.sh.Unlock()
	s := Status{State: c.tcb.State(), Queue: c.tcb.Queue(), Errno: c.tcb.Errno(), Pending: c.tcb.Pending(), Readable: c.tcb.Readable()}
	s.Writable = c.tcb.Roomy()
	if starving && !s.Writable {
		c.starve()
	}
	return s
}

// starve notes that somebody waits for room to write. sh locked.
func (c *Conn) starve() {
	if c.watch != nil {
		c.watch.starved = true
	}
}

// Notify has n told from now on of connections to be accepted; nil: nobody.
func (l *Listener) Notify(n ready.Notifier) {
	l.in.Lock()
	defer l.in.Unlock()
	l.watcher = n
}

// Waiting returns how many connections wait to be accepted.
func (l *Listener) Waiting() int {
	l.in.Lock()
	defer l.in.Unlock()
	return len(l.queue)
}

// Backlog returns how many connections may wait to be accepted, and SetBacklog changes it: at most Settings.SoMaxConn.
func (l *Listener) Backlog() int {
	l.in.Lock()
	defer l.in.Unlock()
	return l.backlog
}

func (l *Listener) SetBacklog(n int) {
	l.in.Lock()
	defer l.in.Unlock()
	l.backlog = min(n, l.layer.Settings().SoMaxConn)
}

// TakeSoftError returns what an ICMP error that may pass said of the connection last, and forgets it; 0: none.
func (c *Conn) TakeSoftError() syscall.Errno {
	c.lock()
	defer c.sh.Unlock()
	return c.tcb.TakeSoftError()
}

// TakePending returns what the user asked to be told of ICMP errors and was not told yet (TCB.TakePending).
func (c *Conn) TakePending() syscall.Errno {
	c.lock()
	defer c.sh.Unlock()
	return c.tcb.TakePending()
}

// Buffers returns the sizes of the send and receive buffers, in octets of memory.
func (c *Conn) Buffers() (send, receive int) {
	c.lock()
	defer c.sh.Unlock()
	return c.tcb.SendBuffer(), c.tcb.ReceiveBuffer()
}
