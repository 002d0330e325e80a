package socket

import (
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/raw"
	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/internal/udp"
	"github.com/onlink-go/onlink/wire"
)

// datagram is a UDP socket, a ping socket or a raw socket.
type datagram struct {
	inet
	typ, proto int           // SOCK_DGRAM or SOCK_RAW, and IPPROTO_UDP, IPPROTO_ICMP, …
	u          *dgram.Socket // mu; nil: it has no port yet
	raw        *raw.Socket   // of SOCK_RAW: it is u from the beginning
	groups     *dgram.Groups
	// timestamp is SO_TIMESTAMP: mu.
	timestamp stampKind
	label     autoLabel // IPV6_AUTOFLOWLABEL: mu

	// What ICMP reported: queue.mu.
	errors errQueue
	err    syscall.Errno // pending
	// What the reports are heeded for, copied from the options: queue.mu.
	wantErrors          [2]bool // IP_RECVERR, IPV6_RECVERR
	want4884            [2]bool // IP_RECVERR_RFC4884, IPV6_RECVERR_RFC4884
	pmtudisc, pmtudisc6 int
	connected           bool
}

func newDatagram(t *Table, domain, typ, proto int, nonblock bool) *datagram {
	s := &datagram{typ: typ, proto: proto}
	s.init(t, domain, nonblock)
	s.groups = dgram.NewGroups(t.ip)
	s.datagrams = true
	if !s.isUDP() {
		s.only6, s.opt.reuseAddr = true, true // as Linux has them at first
	}
	s.hasPort = func() bool { return s.u != nil && s.raw == nil }
	s.shareOptions()
	return s
}

func (s *datagram) bind(a netip.AddrPort) error {
	e, err := s.endpoint(a)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.raw != nil {
		return s.bindRaw(e)
	}
	if s.u != nil || s.v6only && e.Addr.Is4() {
		return syscall.EINVAL
	}
	if err := s.open(e); err != nil {
		return err
	}
	s.boundPort, s.boundAddr = a.Port() != 0, !e.Addr.IsUnspecified()
	return nil
}

// open gives the socket a port. mu locked.
func (s *datagram) open(e flow.Endpoint) error {
	cfg := dgram.Config{Bound: flow.Bound{Local: e, Family: s.family(), Device: s.opt.device}, Watcher: s, Groups: s.groups, Mark: uint32(s.opt.mark)}
	var err error
	if s.isUDP() {
		s.u, err = s.openUDP(cfg)
	} else {
		s.u, err = s.openPing(cfg)
	}
	if err != nil {
		return errno(err)
	}
	s.local = s.u.Local()
	s.u.SetReceiveBuffer(s.rcvbuf())
	s.u.SetCoalesce(s.opt.coalesce)
	return nil
}

// openUDP makes a UDP socket. mu locked.
func (s *datagram) openUDP(cfg dgram.Config) (*dgram.Socket, error) {
	var sharing udp.Sharing
	if s.opt.reuseAddr {
		sharing |= udp.ReuseAddr
	}
	if s.opt.reusePort {
		sharing |= udp.ReusePort
	}
	u, err := s.t.udp.Open(udp.Config{Sharing: sharing, Config: cfg})
	if err != nil {
		return nil, err
	}
	return &u.Socket, nil
}

// autobind gives the socket a port if it has none. mu locked.
func (s *datagram) autobind() error {
	if s.u != nil {
		return nil
	}
	return s.open(flow.Endpoint{Addr: s.wildcard()})
}

func (s *datagram) listen(int) error { return syscall.EOPNOTSUPP }

func (s *datagram) accept(int) (sock, netip.AddrPort, error) {
	return nil, netip.AddrPort{}, syscall.EOPNOTSUPP
}

func (s *datagram) connect(a netip.AddrPort) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a == (netip.AddrPort{}) {
		s.disconnect()
		return nil
	}
	e, err := s.target(a)
	if err != nil {
		return err
	}
	if err := s.autobind(); err != nil {
		return err
	}
	s.u.SetSourcePrefs(s.opt.sources.preferences())
	if err := s.u.Connect(s.destination(e)); err != nil {
		return errno(err)
	}
	s.setConnected(true)
	return nil
}

// target converts the address of a peer. Unlike TCP's, UDP's AF_INET6 sockets take plain IPv4 addresses. mu locked.
func (s *datagram) target(a netip.AddrPort) (flow.Endpoint, error) {
	if s.domain == AF_INET6 && a.Addr().Is4() {
		if s.v6only || !s.isUDP() {
			return flow.Endpoint{}, syscall.EAFNOSUPPORT
		}
		return flow.Endpoint{Addr: wire.AddrFrom(a.Addr()), Port: a.Port()}, nil
	}
	e, err := s.endpoint(a)
	if err == nil && s.v6only && e.Addr.Is4() {
		err = syscall.ENETUNREACH
	}
	return e, err
}

// disconnect is connect to AF_UNSPEC. A port that bind did not ask for is given up. mu locked.
func (s *datagram) disconnect() {
	s.setConnected(false)
	s.shut = 0
	if s.u == nil {
		return
	}
	if s.boundPort || s.raw != nil {
		s.u.Disconnect()
		return
	}
	s.u.Close() // it is open
	s.u, s.local = nil, flow.Endpoint{Addr: s.wildcard()}
}

func (s *datagram) setConnected(on bool) {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	s.connected = on
}

func (s *datagram) sockname() (netip.AddrPort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.u == nil {
		return s.name(s.local), nil
	}
	return s.name(s.u.Local()), nil
}

func (s *datagram) peername() (netip.AddrPort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.u == nil || s.u.Remote().Port == 0 {
		return netip.AddrPort{}, syscall.ENOTCONN
	}
	return s.name(s.u.Remote()), nil
}

func (s *datagram) shutdown(how int) error {
	s.mu.Lock()
	defer s.Notify(ready.All)
	defer s.mu.Unlock()
	s.shut |= how + 1
	if s.u == nil || !s.u.Connected() {
		return syscall.ENOTCONN
	}
	return nil
}

// release implements file.
func (s *datagram) release() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups.LeaveAll()
	if s.u != nil {
		s.u.Close() // fails only if the stack has closed it
	}
	return nil
}

// poll implements file, as Linux's datagram_poll says.
func (s *datagram) poll() ready.Events {
	s.mu.Lock()
	defer s.mu.Unlock()
	ev := ready.Write | ready.WrBand
	s.queue.mu.Lock()
	if s.err != 0 || len(s.errors.entries) > 0 {
		ev |= ready.Err
	}
	s.queue.mu.Unlock()
	if s.shut&shutRead != 0 {
		ev |= ready.RdHup | ready.Read
	}
	if s.shut == shutBoth {
		ev |= ready.Hup
	}
	if s.u != nil {
		if n, _ := s.u.Queued(); n > 0 {
			ev |= ready.Read
		}
	}
	return ev
}

// takeError returns the pending error, once.
func (s *datagram) takeError() syscall.Errno {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	e := s.err
	s.err = 0
	return e
}

// ioctl implements sock.
func (s *datagram) ioctl(req uint, arg []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	if s.isPing() {
		return syscall.ENOTTY
	}
	switch req {
	case SIOCINQ:
		if s.u != nil {
			_, n = s.u.Queued()
		}
	case SIOCOUTQ: // nothing waits: it is sent when Sendmsg returns
	default:
		return syscall.ENOTTY
	}
	putInt32(arg, int32(n))
	return nil
}
