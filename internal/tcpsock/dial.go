package tcpsock

import (
	"context"
	"net"
	"syscall"

	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpauth"
	"github.com/onlink-go/onlink/wire"
)

// OpenConfig is what a connection is opened with (RFC 9293, 3.10.1).
type OpenConfig struct {
	Local       flow.Endpoint // a zero address and port are chosen
	Remote      flow.Endpoint
	TCP         *tcp.Config       // the connection's settings, complete; nil: the layer's
	Change      func(*tcp.Config) // changes them, if it is not nil
	Header      Header
	Keys        *tcpauth.Keys       // authenticate the connection, if there is one for the peer
	Watcher     ready.Notifier      // who is told of readiness; nil: nobody
	SourcePrefs addrsel.Preferences // of a local address that is to be chosen

	data [][]byte // to be sent in the SYN, if fast is set
	fast *int     // how many octets of data were taken
}

// Dial opens a connection and waits until it is established. Errors: ctx.Err(), EADDRINUSE, EADDRNOTAVAIL, those of
// ip.Route, and the errno the attempt ended with (ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, …).
func (t *Layer) Dial(ctx context.Context, cfg OpenConfig) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := t.Open(cfg)
	if err != nil {
		return nil, err
	}
	return c, c.connect(ctx)
}

// Open begins to open a connection, as Dial does, and does not wait: its SYN is on its way when Open returns. The errors
// are those that are known at once.
func (t *Layer) Open(cfg OpenConfig) (*Conn, error) {
	if t.closing.Load() {
		return nil, net.ErrClosed
	}
	path, err := t.pathOf(&cfg)
	if err != nil {
		return nil, err
	}
	cfg.TCP = cfg.settings(t)
	return t.open(path, cfg.Local.Port, cfg.Remote, &cfg)
}

// pathOf returns the way to cfg's remote end, which it makes complete.
func (t *Layer) pathOf(cfg *OpenConfig) (*ip.Path, error) {
	local, remote := cfg.Local, cfg.Remote
	src := local.Addr
	if src.IsUnspecified() {
		src = wire.Addr{}
	}
	path, err := t.ip.Share(t.rt.Now(), ip.Query{Src: src, Dst: remote.Addr, Scope: remote.Scope, Out: cfg.Header.Interface,
		SourcePrefs: cfg.SourcePrefs, Dry: t.ip.SpreadsFlows(remote.Addr.Is4()), // tryOpen asks again then
		Flow: ip.Flow{Mark: cfg.Header.Mark,
			TrafficClass: cfg.Header.TrafficClass, Proto: wire.ProtoTCP}})
	if err != nil {
		return nil, err // ip.ErrTentative among them, if src is not usable yet
	}
	if src != (wire.Addr{}) && !t.ip.Assigned(src, local.Scope) {
		return nil, syscall.EADDRNOTAVAIL
	}
	if err := Refuses(path); err != nil {
		return nil, err
	}
	remote.Addr = path.Dst
	if remote.Addr.NeedsScope() {
		remote.Scope = uint32(path.If.Index)
	}
	cfg.Remote = remote
	return path, nil
}

// open makes a connection in SYN-SENT, whose SYN is on its way when open returns.
func (t *Layer) open(path *ip.Path, port uint16, remote flow.Endpoint, cfg *OpenConfig) (*Conn, error) {
	if port != 0 {
		if c := t.tryOpen(path, port, remote, cfg); c != nil {
			return c, nil
		}
		return nil, syscall.EADDRINUSE
	}
	ends := flow.Key{Local: path.Src, Remote: remote.Addr, Ports: flow.Ports(0, remote.Port), Scope: remote.Scope,
		Proto: wire.ProtoTCP}
	for port := range t.ports.Connect(ends) {
		if len(t.listen.On(port)) > 0 || len(t.claims.On(port)) > 0 {
			continue
		}
		if c := t.tryOpen(path, port, remote, cfg); c != nil {
			return c, nil
		}
	}
	return nil, syscall.EADDRNOTAVAIL // what connect(2) says when the ports are used up
}

// tryOpen is open for one local port; nil if the four-tuple is in use.
func (t *Layer) tryOpen(path *ip.Path, port uint16, remote flow.Endpoint, cfg *OpenConfig) *Conn {
	key := flow.Key{Local: path.Src, Remote: remote.Addr, Ports: flow.Ports(port, remote.Port),
		Scope: remote.Scope, Proto: wire.ProtoTCP}
	if t.ip.SpreadsFlows(key.Remote.Is4()) {
		// With the port, it may be another way.
		if p, err := t.ip.Route(t.rt.Now(), t.query(&key, &cfg.Header, nil)); err == nil {
			path = p
		}
	}
	sh := t.ip.ShardFor(&key)
	sh.LockToSend()
	defer sh.Unlock()
	if t.tables[sh.Index].demux.find(&key).conn != nil {
		return nil // where few ports are left, so it is with most that are tried
	}
	c := t.newConn(sh, key, path)
	c.header = cfg.Header
	if cfg.Watcher != nil {
		c.watch = &watch{to: cfg.Watcher, state: tcp.SynSent}
	}
	now := t.rt.Now()
	iss := t.redial(sh, now, &key)
	if !c.insert() {
		return nil
	}
	first, offset := t.isn(now, &key)
	if iss != 0 {
		first = uint32(iss)
	}
	c.auth = newAuth(cfg.Keys, &key, first)
	o := c.opened(cfg.TCP)
	o.ISS, o.TSOffset = first, offset
	c.startFast(now, cfg, &o)
	c.tcb.Connect(now, o)
	c.fillFast(now, cfg, &o)
	c.pump(now)
	return c
}

// connect waits until the handshake is over, one way or the other.
func (c *Conn) connect(ctx context.Context) error {
	c.sh.Lock()
	defer c.sh.Unlock()
	if over, err := c.connected(ctx); over { // so it is on a link in memory
		return err
	}
	c.sh.Unlock()
	stop := c.layer.rt.AfterDone(ctx, func() {
		c.sh.Lock()
		defer c.sh.Unlock()
		c.writers.wake()
	})
	defer stop()
	c.sh.Lock()
	for {
		if over, err := c.connected(ctx); over {
			return err
		}
		c.writers.wait(c.sh, c.table())
	}
}

// connected reports whether the handshake, or the patience of who waits for it, is over, and what came of it. sh locked.
func (c *Conn) connected(ctx context.Context) (over bool, err error) {
	switch {
	case c.gone && c.layer.closing.Load():
		return true, net.ErrClosed
	case c.gone:
		return true, c.awake().Err()
	case c.tcb == nil, c.tcb.Established():
		return true, nil
	case ctx.Err() != nil:
		c.abort(c.layer.rt.Now())
		return true, ctx.Err()
	}
	return false, nil
}
