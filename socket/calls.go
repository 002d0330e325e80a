package socket

import (
	"net/netip"
	"syscall"
)

// Msg is what Recvmsg and Sendmsg take: struct msghdr.
type Msg struct {
	Name    netip.AddrPort // of the peer
	Link    LinkAddr       // of the peer, in place of Name, with AF_PACKET
	Buf     [][]byte       // the data, in several buffers as one likes
	Control []byte         // control messages, each a struct cmsghdr with its data; Recvmsg cuts it to what it wrote
	Flags   int            // from Recvmsg: MSG_TRUNC, MSG_CTRUNC, MSG_OOB, MSG_ERRQUEUE
}

// len returns how many octets the buffers have.
func (m *Msg) len() int {
	n := 0
	for _, b := range m.Buf {
		n += len(b)
	}
	return n
}

// Socket makes a socket: of AF_INET or AF_INET6, SOCK_STREAM (TCP), SOCK_DGRAM (UDP, or a ping socket of IPPROTO_ICMP or
// IPPROTO_ICMPV6) or SOCK_RAW (any protocol); or of AF_PACKET, SOCK_RAW or SOCK_DGRAM, where proto is htons(ETH_P_…); with SOCK_NONBLOCK and SOCK_CLOEXEC. Errors: EAFNOSUPPORT, EINVAL, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EMFILE.
func (t *Table) Socket(domain, typ, proto int) (int, error) {
	flags := typ &^ SOCK_TYPE_MASK
	typ &= SOCK_TYPE_MASK
	switch {
	case flags&^(SOCK_NONBLOCK|SOCK_CLOEXEC) != 0:
		return -1, syscall.EINVAL
	case domain == AF_PACKET:
		return t.packetSocket(typ, proto, flags)
	case domain != AF_INET && domain != AF_INET6:
		return -1, syscall.EAFNOSUPPORT
	case proto < 0 || proto > 262:
		return -1, syscall.EINVAL
	}
	var s sock
	switch {
	case typ > 10:
		return -1, syscall.EINVAL
	case typ == SOCK_STREAM && (proto == 0 || proto == IPPROTO_TCP):
		s = newStream(t, domain, flags&SOCK_NONBLOCK != 0)
	case typ == SOCK_DGRAM && (proto == 0 || proto == IPPROTO_UDP):
		s = newDatagram(t, domain, SOCK_DGRAM, IPPROTO_UDP, flags&SOCK_NONBLOCK != 0)
	case typ == SOCK_DGRAM && proto == pingProtocol(domain):
		s = newDatagram(t, domain, SOCK_DGRAM, proto, flags&SOCK_NONBLOCK != 0)
	case typ == SOCK_RAW && proto > 0 && proto <= 255:
		r, err := newRaw(t, domain, proto, flags&SOCK_NONBLOCK != 0)
		if err != nil {
			return -1, err
		}
		s = r
	case typ == SOCK_STREAM || typ == SOCK_DGRAM || typ == SOCK_RAW:
		return -1, syscall.EPROTONOSUPPORT
	default:
		return -1, syscall.ESOCKTNOSUPPORT
	}
	return t.install(s, flags&SOCK_CLOEXEC != 0)
}

// Bind gives a socket its local end. Errors: EBADF, ENOTSOCK, EINVAL (bound already), EAFNOSUPPORT, EADDRINUSE,
// EADDRNOTAVAIL.
func (t *Table) Bind(fd int, a netip.AddrPort) error {
	s, err := t.socket(fd)
	if err != nil {
		return err
	}
	defer t.put(s)
	return s.bind(a)
}

// Listen lets a TCP socket take connections, of which up to backlog wait to be accepted. A second call changes the
// backlog. Errors: EBADF, ENOTSOCK, EINVAL, EADDRINUSE, EOPNOTSUPP.
func (t *Table) Listen(fd, backlog int) error {
	s, err := t.socket(fd)
	if err != nil {
		return err
	}
	defer t.put(s)
	return s.listen(backlog)
}

// Accept returns a descriptor of the next connection, and its peer. It waits for one. flags are accept4's, SOCK_NONBLOCK
// and SOCK_CLOEXEC. Errors: EBADF, ENOTSOCK, EINVAL (not listening), EAGAIN, EOPNOTSUPP, EMFILE.
func (t *Table) Accept(fd, flags int) (nfd int, peer netip.AddrPort, err error) {
	if flags&^(SOCK_NONBLOCK|SOCK_CLOEXEC) != 0 {
		return -1, peer, syscall.EINVAL
	}
	s, err := t.socket(fd)
	if err != nil {
		return -1, peer, err
	}
	defer t.put(s)
	c, peer, err := s.accept(flags)
	if err != nil {
		return -1, peer, err
	}
	if nfd, err = t.install(c, flags&SOCK_CLOEXEC != 0); err != nil {
		c.release() // the connection is lost, as with Linux
		return -1, netip.AddrPort{}, err
	}
	return nfd, peer, nil
}

// Connect connects a socket; the zero AddrPort (AF_UNSPEC) disconnects it. A blocking TCP socket waits for the end of the
// handshake, another one returns EINPROGRESS. Errors: EBADF, ENOTSOCK, EINPROGRESS, EALREADY, EISCONN, EINVAL,
// EAFNOSUPPORT, EADDRNOTAVAIL, ENETUNREACH, and what the attempt ended with: ECONNREFUSED, ETIMEDOUT, ….
func (t *Table) Connect(fd int, a netip.AddrPort) error {
	s, err := t.socket(fd)
	if err != nil {
		return err
	}
	defer t.put(s)
	return s.connect(a)
}

// Recvmsg receives. It returns how many octets; 0 with TCP is the end. Errors: EBADF, ENOTSOCK, EAGAIN, ENOTCONN, EINVAL,
// and what the connection died of or ICMP reported.
func (t *Table) Recvmsg(fd int, m *Msg, flags int) (int, error) {
	s, err := t.socket(fd)
	if err != nil {
		return -1, err
	}
	defer t.put(s)
	return s.recvmsg(m, flags)
}

// Sendmsg sends. It returns how many octets were taken. Errors: EBADF, ENOTSOCK, EAGAIN, EPIPE, EDESTADDRREQ, EMSGSIZE,
// EISCONN, EOPNOTSUPP, and what the connection died of or ICMP reported.
func (t *Table) Sendmsg(fd int, m *Msg, flags int) (int, error) {
	s, err := t.socket(fd)
	if err != nil {
		return -1, err
	}
	defer t.put(s)
	return s.sendmsg(m, flags)
}

// Shutdown ends a direction of a connection, or both: SHUT_RD, SHUT_WR, SHUT_RDWR. Errors: EBADF, ENOTSOCK, EINVAL,
// ENOTCONN.
func (t *Table) Shutdown(fd, how int) error {
	s, err := t.socket(fd)
	if err != nil {
		return err
	}
	defer t.put(s)
	if how < SHUT_RD || how > SHUT_RDWR {
		return syscall.EINVAL
	}
	return s.shutdown(how)
}

// Getsockname returns a socket's local end. Errors: EBADF, ENOTSOCK.
func (t *Table) Getsockname(fd int) (netip.AddrPort, error) {
	s, err := t.socket(fd)
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer t.put(s)
	return s.sockname()
}

// Getpeername returns a socket's remote end. Errors: EBADF, ENOTSOCK, ENOTCONN.
func (t *Table) Getpeername(fd int) (netip.AddrPort, error) {
	s, err := t.socket(fd)
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer t.put(s)
	return s.peername()
}

// Setsockopt sets an option. Errors: EBADF, ENOTSOCK, ENOPROTOOPT for one the stack lacks, EINVAL and others for a value
// that will not do.
func (t *Table) Setsockopt(fd, level, name int, value []byte) error {
	s, err := t.socket(fd)
	if err != nil {
		return err
	}
	defer t.put(s)
	return s.setsockopt(level, name, value)
}

// Getsockopt writes an option's value, cut off at len(value), and returns how many octets it wrote. Errors: EBADF,
// ENOTSOCK, ENOPROTOOPT.
func (t *Table) Getsockopt(fd, level, name int, value []byte) (n int, err error) {
	s, err := t.socket(fd)
	if err != nil {
		return 0, err
	}
	defer t.put(s)
	return s.getsockopt(level, name, value)
}

// Fcntl knows F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL and F_SETFL. Errors: EBADF, EINVAL, EMFILE.
func (t *Table) Fcntl(fd, cmd, arg int) (int, error) {
	f, err := t.file(fd)
	if err != nil {
		return -1, err
	}
	defer t.put(f)
	switch cmd {
	case F_DUPFD, F_DUPFD_CLOEXEC:
		if arg < 0 || arg >= maxFDs+firstFD {
			return -1, syscall.EINVAL
		}
		return t.installFrom(arg, f, cmd == F_DUPFD_CLOEXEC)
	case F_GETFD, F_SETFD:
		return t.descriptorFlags(fd, cmd, arg)
	case F_GETFL:
		c := f.base()
		c.mu.Lock()
		defer c.mu.Unlock()
		flags := O_RDWR
		if c.nonblock {
			flags |= O_NONBLOCK
		}
		return flags, nil
	case F_SETFL:
		c := f.base()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.nonblock = arg&O_NONBLOCK != 0
		return 0, nil
	}
	return -1, syscall.EINVAL
}

func (t *Table) descriptorFlags(fd, cmd, arg int) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.slot(fd)
	switch {
	case s == nil:
		return -1, syscall.EBADF
	case cmd == F_SETFD:
		s.cloexec = arg&FD_CLOEXEC != 0
	case s.cloexec:
		return FD_CLOEXEC, nil
	}
	return 0, nil
}

// Ioctl knows FIONBIO, SIOCINQ (FIONREAD), SIOCOUTQ, SIOCOUTQNSD and SIOCATMARK; arg is the int each of them points
// at. Errors: EBADF, ENOTTY, EFAULT if arg is too short, EINVAL.
func (t *Table) Ioctl(fd int, req uint, arg []byte) error {
	f, err := t.file(fd)
	if err != nil {
		return err
	}
	defer t.put(f)
	if len(arg) < 4 {
		return syscall.EFAULT
	}
	if req == FIONBIO {
		c := f.base()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.nonblock = int32At(arg) != 0
		return nil
	}
	s, ok := f.(sock)
	if !ok {
		return syscall.ENOTTY
	}
	return s.ioctl(req, arg)
}
