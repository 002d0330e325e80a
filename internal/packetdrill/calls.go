package packetdrill

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
	"github.com/onlink-go/onlink/wire"
)

// syscalls are the system calls that scripts can make: each reads the arguments and says what to do.
var syscalls map[string]func(r *runner, c *call, a args) error

func init() {
	syscalls = map[string]func(r *runner, c *call, a args) error{
		"socket": callSocket, "bind": callBind, "listen": callListen, "accept": callAccept, "accept4": callAccept,
		"connect": callConnect, "close": callClose, "shutdown": callShutdown, "dup": callDup, "fcntl": callFcntl,
		"ioctl": callIoctl, "getsockname": callName, "getpeername": callName,
		"read": callRead, "recv": callRead, "recvfrom": callRead, "readv": callReadv, "recvmsg": callRecvmsg,
		"write": callWrite, "send": callWrite, "sendto": callWrite, "writev": callWritev, "sendmsg": callSendmsg,
		"getsockopt": callGetsockopt, "setsockopt": callSetsockopt, "poll": callPoll,
		"epoll_create": callEpollCreate, "epoll_create1": callEpollCreate, "epoll_ctl": callEpollCtl,
		"epoll_wait": callEpollWait, "open": callOpen, "pipe": callPipe, "pipe2": callPipe, "sendfile": callSendfile,
		"splice": callSplice,
	}
	for _, name := range []string{"cap_set", "psp_rx_assoc", "psp_tx_assoc",
		"mmap", "select", "kqueue", "kevent", "vmsplice", "tee", "io_setup", "io_uring_setup"} {
		syscalls[name] = callUnsupported
	}
}

func callUnsupported(r *runner, c *call, a args) error {
	return fmt.Errorf("%s is not supported", c.name)
}

// Types of sockets, Linux's numbers.
const (
	sockStream   = 1
	sockDgram    = 2
	sockTypeMask = 0xf
)

func callSocket(r *runner, c *call, a args) error {
	if err := a.count(3); err != nil {
		return err
	}
	domain := r.cfg.domain()
	if !a.any(0) {
		d, err := a.int(0)
		if err != nil {
			return err
		}
		domain = d
	}
	n, err := a.ints(3, 1, 2)
	if err != nil {
		return err
	}
	c.run = func() (int, error) { return r.world.Socket(domain, n[0], n[1]) }
	c.opens(func(fd int) error {
		s := r.newSock(domain, n[0]&sockTypeMask, r.protoOf(domain, n[0]&sockTypeMask, n[1]))
		return r.opened(c, fd, s)
	})
	return nil
}

// protoOf is what a socket's packets have as their protocol.
func (r *runner) protoOf(domain, typ, proto int) uint8 {
	switch {
	case proto != 0:
		return uint8(proto)
	case typ == sockStream:
		return wire.ProtoTCP
	}
	return wire.ProtoUDP
}

// newSock makes a socket that has no descriptor yet.
func (r *runner) newSock(domain, typ int, proto uint8) *sock {
	return &sock{domain: domain, typ: typ, proto: proto, fd: noFD, scriptFD: noFD, cookies: &r.cookies}
}

// opened notes a new socket. The script's packets belong to it from now on.
func (r *runner) opened(c *call, fd int, s *sock) error {
	number, err := r.newFD(c, fd, s)
	if err != nil {
		return err
	}
	s.fd, s.scriptFD = fd, number
	r.socks = append(r.socks, s)
	r.current = s
	return nil
}

// newFD notes a new descriptor under the number the script gives it.
func (r *runner) newFD(c *call, fd int, s *sock) (int, error) {
	if _, any := c.sc.Result.(*script.Ellipsis); any {
		return 0, errors.New("the script must name the new descriptor")
	}
	number, err := r.eval().int32(c.sc.Result)
	if err != nil {
		return 0, err
	}
	if r.descriptor(number) != nil {
		return 0, fmt.Errorf("the script has a descriptor %d already", number)
	}
	r.addFD(number, fd, s)
	return number, nil
}

// sockOf returns the socket of a descriptor of the script, nil if there is none.
func (r *runner) sockOf(script int) *sock {
	if d := r.descriptor(script); d != nil {
		return d.sock
	}
	return nil
}

// address reads the address and its length of bind, connect and sendto. Where the script leaves it open it is given;
// AF_UNSPEC in its place is the invalid one.
func (a args) address(i int, given netip.AddrPort) (netip.AddrPort, error) {
	switch x := a.list[i].(type) {
	case *script.Ellipsis:
		return given, nil
	case *script.Struct:
		return a.r.eval().sockaddr(x)
	}
	family, err := a.int(i)
	if err != nil {
		return netip.AddrPort{}, err
	}
	switch family {
	case afUnspec:
		return netip.AddrPort{}, nil
	case afINET:
		return netip.AddrPortFrom(netip.IPv4Unspecified(), 0), nil
	case afINET6:
		return netip.AddrPortFrom(netip.IPv6Unspecified(), 0), nil
	}
	return netip.AddrPort{}, fmt.Errorf("argument %d: address family %d is not supported", i+1, family)
}

func callBind(r *runner, c *call, a args) error {
	if err := a.count(3); err != nil {
		return err
	}
	script, fd, err := a.fd(0)
	if err != nil {
		return err
	}
	addr, err := a.address(1, r.cfg.sockAddr(r.cfg.LocalIP, r.cfg.BindPort))
	if err != nil {
		return err
	}
	c.run = func() (int, error) { return 0, r.world.Bind(fd, addr) }
	c.after = func(result int) error {
		if s := r.sockOf(script); s != nil && result == 0 && addr.IsValid() {
			ip := addr.Addr().Unmap()
			if ip.IsUnspecified() {
				ip = r.cfg.LocalIP
			}
			s.live.local = netip.AddrPortFrom(ip, addr.Port())
		}
		return nil
	}
	return nil
}

func callListen(r *runner, c *call, a args) error {
	n, err := a.ints(2, 0, 1)
	if err != nil {
		return err
	}
	fd := r.liveFD(n[0])
	c.run = func() (int, error) { return 0, r.world.Listen(fd, n[1]) }
	c.after = func(result int) error {
		if s := r.sockOf(n[0]); s != nil && result == 0 {
			s.state = sockListening
		}
		return nil
	}
	return nil
}

func callAccept(r *runner, c *call, a args) error {
	flags, want := 0, 3
	if c.name == "accept4" {
		want = 4
	}
	if err := a.count(want); err != nil {
		return err
	}
	if want == 4 {
		f, err := a.int(3)
		if err != nil {
			return err
		}
		flags = f
	}
	_, fd, err := a.fd(0)
	if err != nil {
		return err
	}
	var peer netip.AddrPort
	c.run = func() (n int, err error) {
		n, peer, err = r.world.Accept(fd, flags)
		return n, err
	}
	c.opens(func(n int) error {
		return r.accepted(c, n, netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port()))
	})
	return nil
}

// accepted finds the socket, which packets may have belonged to before, that accept returned.
func (r *runner) accepted(c *call, fd int, peer netip.AddrPort) error {
	for i := len(r.socks) - 1; i >= 0; i-- {
		s := r.socks[i]
		if r.open(s) || s.live.remote != peer || s.state != sockSynAckSent && s.state != sockSynAckAcked {
			continue
		}
		number, err := r.newFD(c, fd, s)
		s.fd, s.scriptFD = fd, number
		return err
	}
	return fmt.Errorf("the connection accepted, from %v, is none of the script's", peer)
}

// open reports whether the script has a descriptor of s. What it has closed may come again: in TIME-WAIT a SYN can open the
// connection anew.
func (r *runner) open(s *sock) bool {
	for _, d := range r.fds {
		if d.sock == s {
			return true
		}
	}
	return false
}

func callConnect(r *runner, c *call, a args) error {
	if err := a.count(3); err != nil {
		return err
	}
	script, fd, err := a.fd(0)
	if err != nil {
		return err
	}
	addr, err := a.address(1, r.cfg.sockAddr(r.cfg.RemoteIP, r.cfg.ConnectPort))
	if err != nil {
		return err
	}
	r.connecting(script, addr)
	c.run = func() (int, error) { return 0, r.world.Connect(fd, addr) }
	return nil
}

// connecting notes that a socket is about to send its first packet, to addr.
func (r *runner) connecting(script int, addr netip.AddrPort) {
	s := r.sockOf(script)
	switch {
	case s == nil:
	case !addr.IsValid():
		s.state = sockNew // disconnected
	case s.state == sockNew:
		s.state = sockConnecting
		s.script = side{}
		s.live.remote = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	}
}

func callClose(r *runner, c *call, a args) error {
	if err := a.count(1); err != nil {
		return err
	}
	script, fd, err := a.fd(0)
	c.run = func() (int, error) { return 0, r.world.Close(fd) }
	c.after = func(int) error {
		if s := r.sockOf(script); s != nil && s.fd == fd {
			s.fd = closedFD
		}
		r.removeFD(script)
		return nil
	}
	return err
}

func callShutdown(r *runner, c *call, a args) error {
	n, err := a.ints(2, 0, 1)
	if err != nil {
		return err
	}
	fd := r.liveFD(n[0])
	c.run = func() (int, error) { return 0, r.world.Shutdown(fd, n[1]) }
	return nil
}

func callDup(r *runner, c *call, a args) error {
	n, err := a.ints(1, 0)
	if err != nil {
		return err
	}
	const dupFD = 0 // F_DUPFD
	fd := r.liveFD(n[0])
	c.run = func() (int, error) { return r.world.Fcntl(fd, dupFD, 0) }
	c.opens(func(fd int) error {
		_, err := r.newFD(c, fd, r.sockOf(n[0]))
		return err
	})
	return nil
}

func callFcntl(r *runner, c *call, a args) error {
	if len(a.list) != 2 && len(a.list) != 3 {
		return fmt.Errorf("%d arguments, expected 2 or 3", len(a.list))
	}
	_, fd, err := a.fd(0)
	if err != nil {
		return err
	}
	cmd, err := a.int(1)
	arg := 0
	if err == nil && len(a.list) == 3 {
		arg, err = a.int(2)
	}
	c.run = func() (int, error) { return r.world.Fcntl(fd, cmd, arg) }
	return err
}

func callIoctl(r *runner, c *call, a args) error {
	if len(a.list) != 2 && len(a.list) != 3 {
		return fmt.Errorf("%d arguments, expected 2 or 3", len(a.list))
	}
	_, fd, err := a.fd(0)
	if err != nil {
		return err
	}
	req, err := a.int(1)
	if err != nil {
		return err
	}
	arg := make([]byte, 4)
	c.run = func() (int, error) { return 0, r.world.Ioctl(fd, uint(uint32(req)), arg) }
	if len(a.list) == 2 {
		return nil
	}
	want, err := a.bracketed(2)
	putInt(arg, want)
	c.after = func(result int) error {
		if got := getInt(arg); result >= 0 && got != want {
			return fmt.Errorf("the value is %d, expected %d", got, want)
		}
		return nil
	}
	return err
}

// callName is getsockname and getpeername.
func callName(r *runner, c *call, a args) error {
	if err := a.count(3); err != nil {
		return err
	}
	_, fd, err := a.fd(0)
	if err != nil {
		return err
	}
	var got netip.AddrPort
	c.run = func() (_ int, err error) {
		if c.name == "getsockname" {
			got, err = r.world.Getsockname(fd)
		} else {
			got, err = r.world.Getpeername(fd)
		}
		return 0, err
	}
	if a.any(1) {
		return nil
	}
	want, err := a.address(1, netip.AddrPort{})
	c.after = func(result int) error {
		if result == 0 && got != want {
			return fmt.Errorf("the address is %v, expected %v", got, want)
		}
		return nil
	}
	return err
}
