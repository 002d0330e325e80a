package tcpsock

import (
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// ListenConfig is what a listener is opened with.
type ListenConfig struct {
	Bound flow.Bound // port 0 asks for an ephemeral one
	// Backlog is how many connections may wait to be accepted, those still in their handshake included; 0, and what
	// is more: Settings.SoMaxConn.
	Backlog int
	TCP     *tcp.Config // settings of its connections, complete; nil: the layer's
	// Change, if not nil, changes them; what it does not change follows the layer's.
	Change  func(*tcp.Config)
	Headers Headers
}

// Listener is a passive open for anybody (RFC 9293, 3.10.1): its connections wait in a queue to be accepted.
type Listener struct {
	layer   *Layer
	bound   flow.Bound
	backlog int

	in       shard.Leaf // guards all below
	queue    []*Conn    // established, not accepted
	embryos  int        // still in their handshake
	settings listenerSettings
	headers  Headers
	watcher  ready.Notifier // who is told of connections to accept; nil: nobody
}

// Listen makes a listener. Errors: EADDRINUSE, EADDRNOTAVAIL.
func (t *Layer) Listen(cfg ListenConfig) (*Listener, error) {
	bound := cfg.Bound
	if a := bound.Local.Addr; !a.IsUnspecified() && !t.ip.Assigned(a, bound.Local.Scope) {
		return nil, syscall.EADDRNOTAVAIL
	}
	l := &Listener{layer: t, bound: bound, backlog: t.Settings().SoMaxConn, headers: cfg.Headers}
	if cfg.Backlog > 0 {
		l.backlog = min(l.backlog, cfg.Backlog)
	}
	l.settings.base(cfg.TCP)
	if cfg.Change != nil {
		l.settings.change(cfg.Change)
	}
	l.in.Init(t.ip.ShardFor(&flow.Key{Local: bound.Local.Addr, Ports: flow.Ports(bound.Local.Port, 0), Proto: wire.ProtoTCP}))
	if e := t.listen.Bind(l, t.rt); e != 0 {
		return nil, e
	}
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
	l.in.Lock()
	cfg := l.settings.config(l.layer)
	header := l.headers.of(key.Remote)
	full := l.in.Closed() || l.embryos+len(l.queue) >= l.backlog
	if !full {
		l.embryos++
	}
	l.in.Unlock()
	if full {
		return false
	}
	c := l.layer.newConn(sh, key, path)
	c.header = header
	c.listener = l
	if !c.insert() { // its key is free, Input has looked; so the stack is closing
		c.listener = nil
		l.forget()
		return false
	}
	c.tcb.Accept(now, c.opened(now, cfg), syn)
	c.pump(now)
	return true
}

// established queues c to be accepted; false if the listener is closed. The shard of c is locked.
func (l *Listener) established(c *Conn) bool {
	l.in.Lock()
	defer l.in.Unlock()
	l.embryos--
	if l.in.Closed() {
		return false
	}
	l.queue = append(l.queue, c)
	l.in.Wake()
	if l.watcher != nil {
		l.watcher.Notify(ready.Read)
	}
	return true
}

// forget takes note that a connection died in its handshake.
func (l *Listener) forget() {
	l.in.Lock()
	defer l.in.Unlock()
	l.embryos--
}

// Accept waits for a connection and returns it. Errors: net.ErrClosed, os.ErrDeadlineExceeded.
func (l *Listener) Accept() (*Conn, error) {
	l.in.Lock()
	defer l.in.Unlock()
	for {
		if err := l.in.Refused(); err != nil {
			return nil, err
		}
		if len(l.queue) > 0 {
			return l.pop(), nil
		}
		l.in.Wait()
	}
}

// pop takes the first connection out of the queue. l.in locked.
func (l *Listener) pop() *Conn {
	c := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	return c
}

// SetDeadline sets the instant after which Accept fails; clock.Never for none. Errors: net.ErrClosed.
func (l *Listener) SetDeadline(at clock.Instant) error { return l.in.SetDeadline(at) }

// Close ends the listener and resets the connections nobody accepted. A second Close returns net.ErrClosed.
func (l *Listener) Close() error {
	var queue []*Conn
	if err := l.in.Close(func() { queue, l.queue = l.queue, nil }); err != nil {
		return err
	}
	l.layer.listen.Unbind(l)
	for _, c := range queue {
		c.Abort()
	}
	return nil
}

// Binding implements flow.Socket.
func (l *Listener) Binding() *flow.Bound { return &l.bound }

// Conflicts implements flow.Socket.
func (l *Listener) Conflicts(o *Listener) bool { return l.bound.Overlaps(&o.bound) }

// listeners finds listeners by port.
type listeners struct{ flow.Table[*Listener] }

// find returns the listener that matches k best, or nil.
func (ls *listeners) find(k *flow.Key) *Listener {
	var best *Listener
	bestScore := -1
	for _, l := range ls.On(k.LocalPort()) {
		if n := l.bound.Match(k.Local, k.Scope); n > bestScore {
			best, bestScore = l, n
		}
	}
	return best
}
