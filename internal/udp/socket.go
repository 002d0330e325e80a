package udp

import (
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// DefaultReceiveBuffer is how many octets of packet blocks a socket queues for its reader.
const DefaultReceiveBuffer = 1 << 20

// MaxPayload4 and MaxPayload6 are the longest payloads a datagram can carry: 65,535 octets less the headers
// that the length fields count.
const (
	MaxPayload4 = 65535 - wire.IPv4MinLen - wire.UDPLen
	MaxPayload6 = 65535 - wire.UDPLen
)

// Config is what a socket is made of.
type Config struct {
	flow.Bound                // zero address: wildcard; port 0: an ephemeral one
	Remote      flow.Endpoint // port 0: not connected
	Sharing     Sharing
	Watcher     Watcher             // nil: nobody
	SourcePrefs addrsel.Preferences // what it prefers of sources that it is to choose
	Groups      *Groups             // nil: its own, which it leaves when it is closed
}

// Sharing says with which others a socket shares its port: those that have one of these bits too.
type Sharing uint8

// The ways to share: Linux's SO_REUSEADDR and SO_REUSEPORT.
const (
	ReuseAddr Sharing = 1 << iota
	ReusePort
)

// Socket is a UDP socket. All methods may be called at once from several goroutines.
type Socket struct {
	layer   *Layer
	home    *shard.Shard // where its deadline timer is and its output is staged
	bound   flow.Bound   // as it was opened; its port never changes
	remote  flow.Endpoint
	sharing Sharing
	watcher Watcher // nil: nobody
	ends    atomic.Pointer[ends]

	*Groups
	lent  bool                    // Groups are another's, who leaves them
	path  atomic.Pointer[ip.Path] // the last one used; never nil when connected
	hop   atomic.Uint32           // TTL or hop limit; 0: the default
	tos   atomic.Uint32
	mark  atomic.Uint32
	prefs atomic.Uint32 // addrsel.Preferences
	// device is the interface that it hears by and sends by; 0: all.
	device atomic.Int32
	mtud   atomic.Uint32                // Discover
	sent   atomic.Pointer[destinations] // of an unconnected socket; nil: none yet

	in        shard.Leaf // guards all below; its deadline is the read deadline
	queue     packet.Batch
	queued    int // octets of blocks in queue
	limit     int
	err       error         // pending, from ICMP: a syscall.Errno or *ip.Report
	reporting bool          // every error is told of, by Receive
	reports   []*ip.Report  // to be told of
	writeable clock.Instant // write deadline
}

// Open makes a socket. Errors: EADDRINUSE, EADDRNOTAVAIL for a local address that is not ours, and for a
// connected one those of ip.Route.
func (u *Layer) Open(cfg Config) (*Socket, error) {
	s := &Socket{layer: u, bound: cfg.Bound, remote: cfg.Remote, sharing: cfg.Sharing, watcher: cfg.Watcher,
		limit: DefaultReceiveBuffer, writeable: clock.Never, Groups: cfg.Groups, lent: cfg.Groups != nil}
	s.prefs.Store(uint32(cfg.SourcePrefs))
	s.device.Store(cfg.Bound.Device)
	if s.Groups == nil {
		s.Groups = u.NewGroups()
	}
	if cfg.Remote.Port != 0 {
		o := s.plain()
		path, err := s.route(cfg.Bound.Local.Addr, cfg.Remote, &o)
		if err != nil {
			return nil, err // ip.ErrTentative among them, if the local address is not usable yet
		}
		s.path.Store(path)
		s.bound.Local.Addr = path.Src
		if path.Src.NeedsScope() {
			s.bound.Local.Scope = uint32(path.If.Index)
		}
	}
	s.ends.Store(&ends{s.bound, s.remote})
	if local := s.bound.Local.Addr; !local.IsUnspecified() && !local.IsMulticast() && !u.ip.Assigned(local, s.bound.Local.Scope) && !u.ip.IsBroadcast(local) {
		return nil, syscall.EADDRNOTAVAIL
	}
	// Its datagrams come in under any shard; its own work is spread by the order of opening.
	s.home = u.ip.ShardFor(&flow.Key{Ports: u.opened.Add(1), Proto: wire.ProtoUDP})
	s.in.Init(s.home)
	if e := u.table.Bind(s, u.ports); e != 0 {
		return nil, e
	}
	s.ends.Store(&ends{s.bound, s.remote}) // it has its port now
	return s, nil
}

// Local and Remote return the socket's ends. An unconnected socket's remote port is 0.
func (s *Socket) Local() flow.Endpoint  { return s.ends.Load().bound.Local }
func (s *Socket) Remote() flow.Endpoint { return s.ends.Load().remote }

// match returns how well a datagram fits the socket; negative: not at all.
func (s *Socket) match(local, remote wire.Addr, rport uint16, scope uint32, in int32, apart bool) int {
	e := s.ends.Load()
	n, on := e.bound.Match(local, scope), flow.Hears(s.device.Load(), in, apart)
	if n < 0 || on < 0 {
		return -1
	}
	if n = 2*n + on; !e.connected() {
		return n
	}
	if e.remote.Port != rport || e.remote.Addr != remote || e.remote.Scope != 0 && e.remote.Scope != scope {
		return -1
	}
	return n + 4
}

// Binding implements flow.Socket.
func (s *Socket) Binding() *flow.Bound { return &s.bound }

// Conflicts implements flow.Socket. Of sockets that share a port, and of those opened to different ends, the better match
// wins.
func (s *Socket) Conflicts(o *Socket) bool {
	return s.sharing&o.sharing == 0 && s.remote == o.remote && s.bound.Overlaps(&o.bound)
}

// enqueue gives p to the socket. If it cannot take it, p stays the caller's and the reason is returned.
func (s *Socket) enqueue(p *packet.Buffer) (mib.Reason, bool) {
	size := blockSize(p)
	s.in.Lock()
	defer s.in.Unlock()
	if s.in.Closed() {
		return mib.SocketClosed, false
	}
	if s.queued+size > s.limit {
		return mib.UdpQueueFull, false
	}
	s.queued += size
	s.queue.Push(p)
	s.in.Wake()
	if s.watcher != nil {
		s.watcher.Notify(ready.Read)
	}
	return 0, true
}

// Receive copies the payload of the next datagram into b and says who sent it and how long it was: a longer
// one than b is cut off. It waits for one. Errors: net.ErrClosed, os.ErrDeadlineExceeded, and what was
// reported about a datagram of a connected socket, once: an *ip.Report of what ICMP said, or a syscall.Errno.
func (s *Socket) Receive(b []byte) (n, full int, from flow.Endpoint, err error) {
	p, err := s.next()
	if err != nil {
		return 0, 0, from, err
	}
	h := wire.UDP(p.Bytes())
	payload := h.Payload()
	n, full = copy(b, payload), len(payload)
	from = flow.Endpoint{Addr: p.Src, Port: h.SrcPort(), Scope: flow.ScopeOf(p.Src, p.In)}
	p.Free()
	return n, full, from, nil
}

// next waits for a datagram.
func (s *Socket) next() (*packet.Buffer, error) {
	s.in.Lock()
	defer s.in.Unlock()
	for {
		if err := s.in.Refused(); err != nil {
			return nil, err
		}
		if err := s.takeError(); err != nil {
			return nil, err
		}
		if r := s.takeReport(); r != nil {
			return nil, r
		}
		if p := s.queue.Pop(); p != nil {
			s.queued -= blockSize(p)
			return p, nil
		}
		s.in.Wait()
	}
}

// blockSize returns how many octets of memory p holds.
func blockSize(p *packet.Buffer) int { return p.Headroom() + p.Len() + p.Tailroom() }

// Send sends b to the socket's remote end, or to to if it is not connected. Errors: net.ErrClosed,
// os.ErrDeadlineExceeded, EMSGSIZE, EDESTADDRREQ, EISCONN, EAFNOSUPPORT, those of ip.Route, and a pending one as
// Receive returns it.
func (s *Socket) Send(b []byte, to flow.Endpoint) error {
	e := s.ends.Load()
	switch {
	case e.connected() && to.Port != 0:
		return syscall.EISCONN
	case e.connected():
		to = e.remote
	case to.Port == 0:
		return syscall.EDESTADDRREQ
	case !s.bound.Family.Takes(to.Addr):
		return syscall.EAFNOSUPPORT
	}
	now := s.layer.rt.Now()
	s.in.Lock()
	closed, late, err := s.in.Closed(), now >= s.writeable, s.takeError()
	s.in.Unlock()
	switch {
	case closed:
		return net.ErrClosed
	case late:
		return os.ErrDeadlineExceeded
	case err != nil:
		return err
	case len(b) > MaxPayload6, to.Addr.Is4() && len(b) > MaxPayload4:
		return syscall.EMSGSIZE
	}
	o := s.plain()
	params := ip.Params{Proto: wire.ProtoUDP, HopLimit: o.HopLimit, TrafficClass: o.TrafficClass}
	if to.Addr.IsMulticast() {
		params.HopLimit = 0
		s.toGroup(&to, &o, &params)
	}
	path, err := s.pathTo(e, to, &o)
	if err != nil {
		return err
	}
	if err := s.fit(path, len(b), Discover(s.mtud.Load()), &params); err != nil {
		return err
	}
	if !e.connected() {
		s.note(to.Addr, to.Port)
	}
	s.emit(path, to.Port, [][]byte{b}, &params)
	return nil
}

// emit sends the payload in b to the given port at the end of path.
func (s *Socket) emit(path *ip.Path, port uint16, b [][]byte, params *ip.Params) {
	if !path.Leaves(params) {
		return
	}
	n := wire.UDPLen
	for _, b := range b {
		n += len(b)
	}
	p := packet.New(n)
	u := p.Bytes()
	wire.PutUDP(u, s.bound.Local.Port, port, n)
	at := wire.UDPLen
	for _, b := range b {
		at += copy(u[at:], b)
	}
	wire.FinishChecksum(u, wire.UDPChecksumOffset, wire.ProtoUDP, path.Src, path.Dst)
	s.layer.ip.Output(path, params, p)
	s.home.Counters.Inc(mib.UdpOutDatagrams)
	s.home.Lock()
	s.home.Stage(p)
	s.home.Unlock()
}

// SetReadDeadline sets the instant after which Receive fails; clock.Never for none. Errors: net.ErrClosed.
func (s *Socket) SetReadDeadline(at clock.Instant) error { return s.in.SetDeadline(at) }

// SetWriteDeadline sets the instant after which Send fails; clock.Never for none. Send does not wait, so that no timer
// is needed. Errors: net.ErrClosed.
func (s *Socket) SetWriteDeadline(at clock.Instant) error {
	s.in.Lock()
	defer s.in.Unlock()
	if s.in.Closed() {
		return net.ErrClosed
	}
	s.writeable = at
	return nil
}

// SetReceiveBuffer sets how many octets of packet blocks the socket queues.
func (s *Socket) SetReceiveBuffer(n int) {
	s.in.Lock()
	defer s.in.Unlock()
	s.limit = n
}

// SetHopLimit sets the TTL or hop limit of what the socket sends; 0 for the default.
func (s *Socket) SetHopLimit(n uint8) { s.hop.Store(uint32(n)) }

// SetTrafficClass sets the TOS or traffic class of what the socket sends.
func (s *Socket) SetTrafficClass(n uint8) { s.tos.Store(uint32(n)) }

// Close closes the socket and wakes its readers. A second Close returns net.ErrClosed.
func (s *Socket) Close() error {
	if err := s.in.Close(s.queue.Free); err != nil {
		return err
	}
	s.layer.table.Unbind(s)
	if !s.lent {
		s.LeaveAll()
	}
	if s.watcher != nil {
		s.watcher.Notify(ready.All)
	}
	return nil
}
