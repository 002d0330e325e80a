package socket

import (
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpauth"
	"github.com/onlink-go/onlink/internal/tcpsock"
	"github.com/onlink-go/onlink/wire"
)

// phase is how far connect has come: Linux's SS_UNCONNECTED and so on.
type phase uint8

const (
	unconnected phase = iota
	connecting
	connected
	disconnecting // shut down before it was connected: it can only be disconnected
)

// stream is a TCP socket.
type stream struct {
	inet

	// All below: mu.
	phase    phase
	claim    *tcpsock.Claim      // of its port; nil: it has none, or its connection's
	conn     *tcpsock.Conn       // since connect or accept; nil: none
	listener *tcpsock.Listener   // nil: does not listen
	deferred *tcpsock.OpenConfig // of a connection whose SYN waits for data (TCP_FASTOPEN_CONNECT); nil: none
	pending  syscall.Errno       // an error that no connection tells of any more
	told     bool                // what conn died of has been told

	errors errQueue // queue.mu
	sends  uint32   // with MSG_ZEROCOPY, so far; mu

	// Options of TCP's.
	changes     []func(*tcp.Config) // what was set, for connections to come
	notSent     uint32              // TCP_NOTSENT_LOWAT as it was set
	linger2     int32               // TCP_LINGER2, in seconds; -1: not at all
	deferAccept int                 // TCP_DEFER_ACCEPT, in retransmissions
	ip          streamIP
	fastKeys    []tcpsock.FastOpenKey // TCP_FASTOPEN_KEY; nil: the layer's
	authKeys    []tcpauth.Key         // TCP_MD5SIG
	stampBase   tcp.Seq               // octets are counted from here in time stamps
	inq         bool                  // TCP_INQ: Recvmsg tells how much is left
}

func newStream(t *Table, domain int, nonblock bool) *stream {
	s := new(stream)
	s.init(t, domain, nonblock)
	s.inheritSettings()
	s.hasPort = func() bool { return s.claim != nil || s.conn != nil }
	return s
}

func (s *inet) init(t *Table, domain int, nonblock bool) {
	s.t, s.domain, s.nonblock, s.rt = t, domain, nonblock, t.rt
	s.local.Addr = s.wildcard()
	s.opt.init()
	s.cookie = t.cookies.Add(1)
}

// state returns the state of the socket as Linux's sk_state says it. mu locked.
func (s *stream) state() tcp.State {
	switch {
	case s.listener != nil:
		return tcp.Listen
	case s.deferred != nil:
		return tcp.SynSent
	case s.conn == nil:
		return tcp.Closed
	}
	st := s.conn.Status(false).State
	if st == tcp.TimeWait {
		// The socket of a connection in TIME-WAIT is closed with Linux: what is left of it is no socket's.
		return tcp.Closed
	}
	return st
}

func (s *stream) bind(a netip.AddrPort) error {
	e, err := s.endpoint(a)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.boundPort || s.state() != tcp.Closed || s.v6only && e.Addr.Is4() {
		return syscall.EINVAL
	}
	if err := s.claimPort(e); err != nil {
		return err
	}
	s.boundPort, s.boundAddr = true, !e.Addr.IsUnspecified()
	return nil
}

// claimPort gives the socket a port. mu locked.
func (s *stream) claimPort(e flow.Endpoint) error {
	c, err := s.t.tcp.Bind(flow.Bound{Local: e, Family: s.family(), Device: s.opt.device}, s.sharing())
	if err != nil {
		return errno(err)
	}
	s.claim, s.local = c, c.Local()
	return nil
}

// unclaim gives the port back, if there is one. mu locked.
func (s *stream) unclaim() {
	if s.claim != nil {
		s.claim.Release()
		s.claim = nil
	}
}

// sharing returns with which others the socket shares its port. mu locked.
func (s *inet) sharing() tcpsock.Sharing {
	var h tcpsock.Sharing
	if s.opt.reuseAddr {
		h |= tcpsock.ReuseAddr
	}
	if s.opt.reusePort {
		h |= tcpsock.ReusePort
	}
	return h
}

func (s *stream) listen(backlog int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != unconnected {
		return syscall.EINVAL
	}
	switch s.state() {
	case tcp.Listen:
		s.listener.SetBacklog(queueLength(backlog))
		return nil
	case tcp.Closed:
	default:
		return syscall.EINVAL
	}
	if s.claim == nil {
		if err := s.claimPort(flow.Endpoint{Addr: s.local.Addr, Scope: s.local.Scope}); err != nil {
			return err
		}
	}
	l, err := s.t.tcp.Listen(tcpsock.ListenConfig{Bound: flow.Bound{Local: s.local, Family: s.family(), Device: s.opt.device}, Claim: s.claim,
		TCP: s.ownConfig(), Headers: s.headers(), Keys: s.keys(), FastOpenKeys: s.fastKeys})
	if err != nil {
		return errno(err)
	}
	l.SetBacklog(queueLength(backlog))
	s.listener, s.conn, s.shut = l, nil, 0
	l.Notify(s)
	return nil
}

// queueLength converts a backlog as Linux does, to which a negative number is a large one.
func queueLength(backlog int) int { return int(uint32(backlog)) }

func (s *stream) accept(flags int) (sock, netip.AddrPort, error) {
	s.mu.Lock()
	end := patience(s.rt, !s.nonblock, s.opt.rcvtimeo)
	s.mu.Unlock()
	for {
		turn := s.now()
		s.mu.Lock()
		l := s.listener
		s.mu.Unlock()
		if l == nil {
			return nil, netip.AddrPort{}, syscall.EINVAL
		}
		c, err := l.TryAccept()
		switch {
		case err == nil:
			n := s.child(c, flags&SOCK_NONBLOCK != 0)
			return n, n.name(c.Remote()), nil
		case err != syscall.EAGAIN:
			return nil, netip.AddrPort{}, syscall.EINVAL // it was closed meanwhile
		case !s.wait(turn, end):
			return nil, netip.AddrPort{}, syscall.EAGAIN
		}
	}
}

// child makes the socket of a connection that was accepted.
func (s *stream) child(c *tcpsock.Conn, nonblock bool) *stream {
	n := newStream(s.t, s.domain, nonblock)
	s.mu.Lock()
	n.v6only, n.opt, n.changes, n.linger2, n.notSent = s.v6only, s.opt, s.changes, s.linger2, s.notSent
	n.ip = s.ip
	s.mu.Unlock()
	c.SetSharing(n.sharing())
	n.phase, n.conn, n.local = connected, c, c.Local()
	c.Notify(n)
	return n
}

func (s *stream) sockname() (netip.AddrPort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.local
	if s.conn != nil {
		e = s.conn.Local()
	}
	return s.name(e), nil
}

func (s *stream) peername() (netip.AddrPort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.state() {
	case tcp.Closed, tcp.SynSent, tcp.Listen:
		return netip.AddrPort{}, syscall.ENOTCONN
	}
	return s.name(s.conn.Remote()), nil
}

// destination returns where connect goes: to the loopback address if none is given, as with Linux.
func (s *inet) destination(e flow.Endpoint) flow.Endpoint {
	switch {
	case e.Addr == wire.Unspecified4, e.Addr.IsUnspecified() && s.domain == AF_INET6 && s.local.Addr.Is4():
		e.Addr = wire.Loopback4
	case e.Addr.IsUnspecified():
		e.Addr = wire.Loopback6
	}
	return e
}
