package dgram

import (
	"sync/atomic"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Socket is what a socket of datagrams has, whatever its kind. All methods may be called at once from several goroutines.
type Socket struct {
	kind    Kind
	ip      *ip.Layer
	rt      clock.Runtime
	home    *shard.Shard // where its deadline timer is and its output is staged
	bound   flow.Bound   // as it was opened; its port never changes
	remote  flow.Endpoint
	watcher Watcher // nil: nobody
	ends    atomic.Pointer[ends]

	*Groups
	lent  bool                    // Groups are another's, who leaves them
	path  atomic.Pointer[ip.Path] // the last one used; never nil when connected
	ways  atomic.Pointer[ways]    // others; nil: it has sent to one destination only
	hop   atomic.Uint32           // TTL or hop limit; 0: the default
	tos   atomic.Uint32
	mark  atomic.Uint32
	prefs atomic.Uint32 // addrsel.Preferences
	label atomic.Uint32 // ip.FlowLabel
	// device is the interface that it hears by and sends by; 0: all.
	device   atomic.Int32
	mtud     atomic.Uint32                // Discover
	segment  atomic.Uint32                // SendOptions.Segment
	coalesce atomic.Bool                  // super-packets are received whole
	included atomic.Bool                  // what is sent has its internet header
	sent     atomic.Pointer[destinations] // of an unconnected socket; nil: none yet

	in        shard.Leaf // guards all below; its deadline is the read deadline
	queue     packet.Batch
	queued    int // octets of blocks in queue
	waiting   int // datagrams in queue
	limit     int
	err       error         // pending, from ICMP: a syscall.Errno or *ip.Report
	reporting bool          // every error is told of, by Receive
	reports   []*ip.Report  // to be told of
	writeable clock.Instant // write deadline
}

// Init makes the socket that k embeds. It does not yet receive: k is to be put where it is found, and then Settle to be
// called. Errors: EADDRNOTAVAIL for a local address that is not ours, and for a connected one those of ip.Route.
func (s *Socket) Init(h *Host, k Kind, cfg *Config) error {
	s.kind, s.ip, s.rt = k, h.IP, h.Runtime
	s.watcher, s.Groups, s.lent = cfg.Watcher, cfg.Groups, cfg.Groups != nil
	s.limit, s.writeable = DefaultReceiveBuffer, clock.Never
	s.prefs.Store(uint32(cfg.SourcePrefs))
	s.mark.Store(cfg.Mark)
	s.device.Store(cfg.Device)
	cfg.Device = 0 // it is device from here on
	if s.Groups == nil {
		s.Groups = NewGroups(h.IP)
	}
	s.Place(cfg.Bound, cfg.Remote)
	if cfg.Remote != (flow.Endpoint{}) {
		o := s.Options(cfg.Remote)
		path, err := s.route(cfg.Local.Addr, cfg.Remote, &o)
		if err != nil {
			return err // ip.ErrTentative among them, if the local address is not usable yet
		}
		s.path.Store(path)
		s.bound.Local.Addr = path.Src
		if path.Src.NeedsScope() {
			s.bound.Local.Scope = uint32(path.If.Index)
		}
	}
	if !s.mayBind(s.bound.Local) {
		return syscall.EADDRNOTAVAIL
	}
	s.Settle()
	// Its datagrams come in under any shard; its own work is spread by the order of opening.
	s.home = h.IP.ShardFor(&flow.Key{Ports: h.opened.Add(1), Proto: wire.ProtoUDP})
	s.in.Init(s.home)
	return nil
}

// mayBind reports whether a socket may be bound to an address: it is ours, or many's.
func (s *Socket) mayBind(e flow.Endpoint) bool {
	return e.Addr.IsUnspecified() || e.Addr.IsMulticast() || s.ip.Assigned(e.Addr, e.Scope) || s.ip.IsBroadcast(e.Addr)
}

// Rebind changes the local address of a socket that is not connected. It is not to be called at once with Connect and Disconnect.
// Errors: EADDRNOTAVAIL, EAFNOSUPPORT.
func (s *Socket) Rebind(a wire.Addr, scope uint32) error {
	switch {
	case !s.bound.Family.Takes(a) && !a.IsUnspecified():
		return syscall.EAFNOSUPPORT
	case !s.mayBind(flow.Endpoint{Addr: a, Scope: scope}):
		return syscall.EADDRNOTAVAIL
	}
	s.bound.Local.Addr, s.bound.Local.Scope = a, scope
	s.Disconnect()
	return nil
}

// Place gives the socket its ends.
func (s *Socket) Place(bound flow.Bound, remote flow.Endpoint) {
	s.bound, s.remote = bound, remote
	s.Settle()
}

// Settle makes what Binding says the socket's local end.
func (s *Socket) Settle() { s.ends.Store(&ends{s.bound, s.remote}) }

// Local and Remote return the socket's ends. An unconnected socket's remote one is zero.
func (s *Socket) Local() flow.Endpoint  { return s.ends.Load().bound.Local }
func (s *Socket) Remote() flow.Endpoint { return s.ends.Load().remote }

// Connected reports whether the socket has a remote end.
func (s *Socket) Connected() bool { return s.ends.Load().connected() }

// Family says which addresses the socket takes.
func (s *Socket) Family() flow.Family { return s.bound.Family }

// Opened returns the remote end that the socket was opened to.
func (s *Socket) Opened() flow.Endpoint { return s.remote }

// Binding is a method of flow.Socket.
func (s *Socket) Binding() *flow.Bound { return &s.bound }

// Watcher returns who is told what happens to the socket; nil: nobody.
func (s *Socket) Watcher() Watcher { return s.watcher }

// Match returns how well a datagram fits the socket; negative: not at all.
func (s *Socket) Match(local, remote wire.Addr, rport uint16, scope uint32, in int32, apart bool) int {
	e := s.ends.Load()
	n := s.matchLocal(e, local, scope, in, apart)
	if n < 0 || !e.connected() {
		return n
	}
	if e.remote.Port != rport || !e.from(remote, scope) {
		return -1
	}
	return n + 4
}

// MatchAddrs is Match of a protocol that has no ports. Who has connected itself to a group or broadcast address hears
// whoever answers.
func (s *Socket) MatchAddrs(local, remote wire.Addr, scope uint32, in int32, apart bool) int {
	e := s.ends.Load()
	n := s.matchLocal(e, local, scope, in, apart)
	if n < 0 || !e.connected() || s.toMany(e) {
		return n
	}
	if !e.from(remote, scope) {
		return -1
	}
	return n + 4
}

// toMany reports whether the remote end is not a single host.
func (s *Socket) toMany(e *ends) bool {
	if e.remote.Addr.IsMulticast() {
		return true
	}
	path := s.path.Load()
	return path != nil && path.Broadcast && path.Dst == e.remote.Addr
}

func (s *Socket) matchLocal(e *ends, local wire.Addr, scope uint32, in int32, apart bool) int {
	n, on := e.bound.Match(local, scope), flow.Hears(s.device.Load(), in, apart)
	if n < 0 || on < 0 {
		return -1
	}
	return 2*n + on
}

// SetReadDeadline sets the instant after which Receive fails; clock.Never for none. Errors: net.ErrClosed.
func (s *Socket) SetReadDeadline(at clock.Instant) error { return s.in.SetDeadline(at) }

// SetReceiveBuffer sets how many octets of packet blocks the socket queues.
func (s *Socket) SetReceiveBuffer(n int) {
	s.in.Lock()
	defer s.in.Unlock()
	s.limit = n
}

// ReceiveBuffer returns how many octets of packet blocks the socket queues.
func (s *Socket) ReceiveBuffer() int {
	s.in.Lock()
	defer s.in.Unlock()
	return s.limit
}

// SetHopLimit sets the TTL or hop limit of what the socket sends; 0 for the default.
func (s *Socket) SetHopLimit(n uint8) { s.hop.Store(uint32(n)) }

// SetTrafficClass sets the TOS or traffic class of what the socket sends.
func (s *Socket) SetTrafficClass(n uint8) { s.tos.Store(uint32(n)) }

// forget frees what is queued. s.in locked.
func (s *Socket) forget() {
	if s.coalesce.Swap(false) {
		s.ip.Coalesce(s.bound.Local.Port, false)
	}
	s.queue.Free()
	s.queued, s.waiting = 0, 0
}

// Close closes the socket and wakes its readers. A second Close returns net.ErrClosed.
func (s *Socket) Close() error {
	if err := s.in.Close(s.forget); err != nil {
		return err
	}
	s.kind.Unbind()
	if !s.lent {
		s.LeaveAll()
	}
	if s.watcher != nil {
		s.watcher.Notify(ready.All)
	}
	return nil
}
