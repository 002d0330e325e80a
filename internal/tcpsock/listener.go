package tcpsock

import (
	"sync/atomic"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpauth"
	"github.com/onlink-go/onlink/wire"
)

// ListenConfig is what a listener is opened with.
type ListenConfig struct {
	Bound flow.Bound // port 0 asks for an ephemeral one
	// Backlog is how many connections may wait to be accepted, and how many handshakes be under way; 0, and what is
	// more: Settings.SoMaxConn.
	Backlog int
	TCP     *tcp.Config // settings of its connections, complete; nil: the layer's
	// Change, if not nil, changes them; what it does not change follows the layer's.
	Change  func(*tcp.Config)
	Headers Headers
	Keys    *tcpauth.Keys // authenticate its connections with the peers they are for
	// FastOpenKeys make and check its Fast Open cookies, the first the new ones; none: the layer's.
	FastOpenKeys []FastOpenKey
	Claim        *Claim // what Bound was claimed by; nil: Listen claims it
}

// Listener is a passive open for anybody (RFC 9293, 3.10.1): its connections wait in a queue to be accepted.
type Listener struct {
	layer   *Layer
	bound   flow.Bound
	claim   *Claim // nil: none
	backlog int
	device  atomic.Int32 // the interface that it hears by; 0: all

	in       shard.Leaf    // guards all below
	queue    []*Conn       // established, not accepted
	empty    []*Conn       // memory for the queue, once it is empty
	embryos  int           // handshakes under way
	fast     fastPending   // those opened with data in the SYN
	fastKeys []FastOpenKey // none: the layer's
	overflow clock.Instant // when a SYN was last answered with a cookie
	settings listenerSettings
	headers  Headers
	keys     *tcpauth.Keys  // see SetKeys
	watcher  ready.Notifier // who is told of connections to accept; nil: nobody
}

// Listen makes a listener. Errors: EADDRINUSE, EADDRNOTAVAIL.
func (t *Layer) Listen(cfg ListenConfig) (*Listener, error) {
	bound := cfg.Bound
	if a := bound.Local.Addr; !a.IsUnspecified() && !t.ip.Assigned(a, bound.Local.Scope) {
		return nil, syscall.EADDRNOTAVAIL
	}
	l := &Listener{layer: t, bound: bound, claim: cfg.Claim, backlog: t.Settings().SoMaxConn, headers: cfg.Headers,
		keys: cfg.Keys, fastKeys: cfg.FastOpenKeys, overflow: longAgo}
	if cfg.Backlog > 0 {
		l.backlog = min(l.backlog, cfg.Backlog)
	}
	l.device.Store(bound.Device)
	l.settings.base(cfg.TCP)
	if cfg.Change != nil {
		l.settings.change(cfg.Change)
	}
	l.in.Init(t.ip.ShardFor(&flow.Key{Local: bound.Local.Addr, Ports: flow.Ports(bound.Local.Port, 0), Proto: wire.ProtoTCP}))
	t.binding.Lock()
	defer t.binding.Unlock()
	switch {
	case cfg.Claim != nil:
		if err := cfg.Claim.listenOn(); err != nil {
			return nil, err
		}
	case bound.Local.Port != 0 && t.claimed(&bound):
		return nil, syscall.EADDRINUSE
	}
	if e := t.listen.Bind(l, t.ports); e != 0 {
		return nil, e
	}
	return l, nil
}

// longAgo is before anything that matters.
const longAgo clock.Instant = -1 << 62

// Local returns the listener's end.
func (l *Listener) Local() flow.Endpoint { return l.bound.Local }

// SetInterface has the listener hear by the interface with the given index alone, 0: by all, and its connections to come as their
// Headers say.
func (l *Listener) SetInterface(index int32) { l.device.Store(index) }

// full reports whether no more connections can be queued: Linux admits one more than the backlog. l.in locked.
func (l *Listener) full() bool { return len(l.queue) > l.backlog }

// enqueue queues c to be accepted, and returns false if the queue is full or the listener closed. A shard is locked.
func (l *Listener) enqueue(c *Conn) bool {
	l.in.Lock()
	defer l.in.Unlock()
	if l.in.Closed() || l.full() {
		return false
	}
	if len(l.queue) == 0 {
		l.queue = l.empty
	}
	if l.queue = append(l.queue, c); len(l.queue) == 1 {
		l.empty = l.queue[:0]
	}
	l.in.WakeOne()
	if l.watcher != nil {
		l.watcher.Notify(ready.Read)
	}
	return true
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
	l.in.Lock()
	if l.watcher != nil {
		l.watcher.Notify(ready.All)
	}
	l.in.Unlock()
	if l.claim != nil {
		l.claim.listening.Store(false)
	}
	for _, c := range queue {
		c.Abort()
	}
	return nil
}

// Binding implements flow.Socket.
func (l *Listener) Binding() *flow.Bound { return &l.bound }

// Conflicts implements flow.Socket.
func (l *Listener) Conflicts(o *Listener) bool {
	if l.claim != nil && o.claim != nil {
		return false // they have settled that
	}
	return l.bound.Overlaps(&o.bound)
}

// listeners finds listeners by port.
type listeners struct{ flow.Table[*Listener] }

// find returns the listener that matches k best, or nil. Of several that share by ReusePort each gets a part of the
// flows.
// Those bound to the interface in come before others; apart says that it is in a VRF.
func (ls *listeners) find(k *flow.Key, in int32, apart bool) *Listener {
	var best *Listener
	bestScore, group := -1, uint32(0)
	for _, l := range ls.On(k.LocalPort()) {
		n, on := l.bound.Match(k.Local, k.Scope), flow.Hears(l.device.Load(), in, apart)
		if n < 0 || on < 0 {
			continue
		}
		n = 2*n + on
		switch {
		case n < bestScore:
		case n > bestScore:
			best, bestScore, group = l, n, 1
		default:
			// Each is chosen with the same probability, and for a flow always the same.
			group++
			if k.Hash(uint64(group))%group == 0 {
				best = l
			}
		}
	}
	return best
}
