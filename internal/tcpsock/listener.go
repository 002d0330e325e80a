package tcpsock

import (
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// DefaultBacklog is how many connections may wait to be accepted, those still in their handshake included:
// Linux's SOMAXCONN.
const DefaultBacklog = 4096

// Listener is a passive open for anybody (RFC 9293, 3.10.1): its connections wait in a queue to be accepted.
type Listener struct {
	layer   *Layer
	bound   flow.Bound
	backlog int
	home    *shard.Shard // of the deadline timer
	node    shard.Node   // home locked

	mu       sync.Mutex // a leaf; guards all below
	arrived  clock.Cond // made at the first wait
	queue    []*Conn    // established, not accepted
	embryos  int        // still in their handshake
	deadline clock.Instant
	closed   bool
}

// Listen makes a listener on what bound says; port 0 asks for an ephemeral one.
// Errors: EADDRINUSE, EADDRNOTAVAIL.
func (t *Layer) Listen(bound flow.Bound, backlog int) (*Listener, error) {
	if a := bound.Local.Addr; !a.IsUnspecified() && !t.ip.Assigned(a, bound.Local.Scope) {
		return nil, syscall.EADDRNOTAVAIL
	}
	if backlog <= 0 {
		backlog = DefaultBacklog
	}
	l := &Listener{layer: t, bound: bound, backlog: backlog, deadline: clock.Never}
	l.node.Owner = l
	if e := t.listen.add(l, t.rt); e != 0 {
		return nil, e
	}
	l.home = t.ip.ShardFor(&flow.Key{Local: bound.Local.Addr, Ports: flow.Ports(l.bound.Local.Port, 0), Proto: wire.ProtoTCP})
	return l, nil
}

// Local returns the listener's end.
func (l *Listener) Local() flow.Endpoint { return l.bound.Local }

// open makes a connection in SYN-RECEIVED of a SYN (RFC 9293, 3.10.7.2), or returns false if the backlog is
// full, the listener closed, or there is no way back to the peer. sh locked.
func (l *Listener) open(sh *shard.Shard, now clock.Instant, key flow.Key, p *packet.Buffer, syn *tcp.Segment) bool {
	path, err := l.layer.ip.Route(now, ip.Query{Src: key.Local, Dst: key.Remote, Scope: key.Scope})
	if err != nil {
		return false
	}
	l.mu.Lock()
	full := l.closed || l.embryos+len(l.queue) >= l.backlog
	if !full {
		l.embryos++
	}
	l.mu.Unlock()
	if full {
		return false
	}
	c := l.layer.newConn(sh, key, path)
	c.listener = l
	if !c.insert() { // its key is free, Input has looked; so the stack is closing
		c.listener = nil
		l.forget()
		return false
	}
	c.tcb.Accept(now, c.tcbConfig(now), syn)
	c.pump(now)
	return true
}

// established queues c to be accepted; false if the listener is closed. The shard of c is locked.
func (l *Listener) established(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.embryos--
	if l.closed {
		return false
	}
	l.queue = append(l.queue, c)
	l.wake()
	return true
}

// forget takes note that a connection died in its handshake.
func (l *Listener) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.embryos--
}

// wake wakes the callers of Accept. l.mu held.
func (l *Listener) wake() {
	if l.arrived != nil {
		l.arrived.Broadcast()
	}
}

// Accept waits for a connection and returns it. Errors: net.ErrClosed, os.ErrDeadlineExceeded.
func (l *Listener) Accept() (*Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.closed:
			return nil, net.ErrClosed
		case l.deadline != clock.Never && l.layer.rt.Now() >= l.deadline:
			return nil, os.ErrDeadlineExceeded
		case len(l.queue) > 0:
			c := l.queue[0]
			l.queue[0] = nil
			l.queue = l.queue[1:]
			return c, nil
		}
		if l.arrived == nil {
			l.arrived = l.layer.rt.NewCond(&l.mu)
		}
		l.arrived.Wait()
	}
}

// SetDeadline sets the instant after which Accept fails; clock.Never for none. Errors: net.ErrClosed.
func (l *Listener) SetDeadline(at clock.Instant) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return net.ErrClosed
	}
	l.deadline = at
	l.wake()
	l.mu.Unlock()
	l.home.Lock()
	l.home.Arm(&l.node, at)
	l.home.Unlock()
	return nil
}

// Expire implements shard.Timed.
func (l *Listener) Expire(now clock.Instant) clock.Instant {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now < l.deadline {
		return l.deadline
	}
	l.wake()
	return clock.Never
}

// Close ends the listener and resets the connections nobody accepted. A second Close returns net.ErrClosed.
func (l *Listener) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return net.ErrClosed
	}
	l.closed = true
	queue := l.queue
	l.queue = nil
	l.wake()
	l.mu.Unlock()
	l.layer.listen.remove(l)
	l.home.Lock()
	l.home.Disarm(&l.node)
	l.home.Unlock()
	for _, c := range queue {
		c.Abort()
	}
	return nil
}

// listeners finds listeners by port. Readers take no lock: the map is immutable and replaced.
type listeners struct {
	mu     sync.Mutex
	list   []*Listener // all, in the order they were made; mu
	byPort atomic.Pointer[map[uint16][]*Listener]
}

func (ls *listeners) on(port uint16) []*Listener {
	if m := ls.byPort.Load(); m != nil {
		return (*m)[port]
	}
	return nil
}

// find returns the listener that matches k best, or nil.
func (ls *listeners) find(k *flow.Key) *Listener {
	var best *Listener
	bestScore := -1
	for _, l := range ls.on(k.LocalPort()) {
		if n := l.bound.Match(k.Local, k.Scope); n > bestScore {
			best, bestScore = l, n
		}
	}
	return best
}

// add gives l its port and publishes it, or returns EADDRINUSE.
func (ls *listeners) add(l *Listener, rt clock.Runtime) syscall.Errno {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if l.bound.Local.Port != 0 {
		if !ls.free(l) {
			return syscall.EADDRINUSE
		}
	} else {
		for port := range flow.EphemeralPorts(rt) {
			l.bound.Local.Port = port
			if ls.free(l) {
				break
			}
			l.bound.Local.Port = 0
		}
		if l.bound.Local.Port == 0 {
			return syscall.EADDRINUSE
		}
	}
	ls.list = append(ls.list, l)
	ls.publish(l.bound.Local.Port, append(slices.Clip(ls.on(l.bound.Local.Port)), l))
	return 0
}

func (ls *listeners) free(l *Listener) bool {
	return !slices.ContainsFunc(ls.on(l.bound.Local.Port), func(o *Listener) bool { return l.bound.Overlaps(&o.bound) })
}

func (ls *listeners) remove(l *Listener) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	port := l.bound.Local.Port
	isL := func(o *Listener) bool { return o == l }
	ls.list = slices.DeleteFunc(ls.list, isL)
	ls.publish(port, slices.DeleteFunc(slices.Clone(ls.on(port)), isL))
}

// all returns every listener.
func (ls *listeners) all() []*Listener {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return slices.Clone(ls.list)
}

// publish replaces the listeners of port. ls.mu held.
func (ls *listeners) publish(port uint16, l []*Listener) {
	next := make(map[uint16][]*Listener)
	if old := ls.byPort.Load(); old != nil {
		next = maps.Clone(*old)
	}
	if len(l) == 0 {
		delete(next, port)
	} else {
		next[port] = l
	}
	ls.byPort.Store(&next)
}
