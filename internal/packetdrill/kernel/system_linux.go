package kernel

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/internal/packetdrill"
)

// System is the kernel under us as a packetdrill.System, in the network namespace of the thread that calls. It remembers the
// descriptors it has opened, and closes no others. Its zero value is ready.
type System struct {
	// Opening is added to the flags of all that is opened: O_CLOEXEC, or nothing. SOCK_CLOEXEC and EPOLL_CLOEXEC are the
	// same number.
	Opening int

	mu   sync.Mutex
	open []int
}

func (s *System) opened(fd int, err error) (int, error) {
	if err != nil {
		return -1, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = append(s.open, fd)
	return fd, nil
}

// CloseAll ends the calls under way, and closes what is open.
func (s *System) CloseAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fd := range s.open {
		unix.Shutdown(fd, unix.SHUT_RDWR)
		unix.Close(fd)
	}
	s.open = nil
}

// sockaddr lays out an address as a sockaddr; an invalid one is AF_UNSPEC's.
func sockaddr(a netip.AddrPort) []byte {
	const size4, size6 = 16, 28
	switch ip := a.Addr(); {
	case !ip.IsValid():
		return make([]byte, size4)
	case ip.Is4():
		b := make([]byte, size4)
		binary.NativeEndian.PutUint16(b, unix.AF_INET)
		binary.BigEndian.PutUint16(b[2:], a.Port())
		copy(b[4:], ip.AsSlice())
		return b
	default:
		b := make([]byte, size6)
		binary.NativeEndian.PutUint16(b, unix.AF_INET6)
		binary.BigEndian.PutUint16(b[2:], a.Port())
		copy(b[8:], ip.AsSlice())
		return b
	}
}

func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// raw makes a system call whose second argument points to b.
func raw(number uintptr, fd int, b []byte) error {
	if _, _, e := unix.Syscall(number, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b))); e != 0 {
		return e
	}
	return nil
}

func (s *System) Socket(domain, typ, proto int) (int, error) {
	return s.opened(unix.Socket(domain, typ|s.Opening, proto))
}

func (s *System) Bind(fd int, a netip.AddrPort) error { return raw(unix.SYS_BIND, fd, sockaddr(a)) }
func (s *System) Connect(fd int, a netip.AddrPort) error {
	return raw(unix.SYS_CONNECT, fd, sockaddr(a))
}
func (s *System) Listen(fd, backlog int) error { return unix.Listen(fd, backlog) }
func (s *System) Shutdown(fd, how int) error   { return unix.Shutdown(fd, how) }

func (s *System) Accept(fd, flags int) (int, netip.AddrPort, error) {
	n, sa, err := unix.Accept4(fd, flags|s.Opening)
	n, err = s.opened(n, err)
	return n, addrPort(sa), err
}

func (s *System) Recvmsg(fd int, m *packetdrill.Msg, flags int) (int, error) {
	n, control, got, from, err := unix.RecvmsgBuffers(fd, m.Buf, m.Control, flags)
	if err == unix.ENOTSOCK && flags == 0 && m.Control == nil {
		return unix.Readv(fd, m.Buf) // of a file
	}
	if err != nil {
		return -1, err
	}
	m.Control, m.Flags, m.Name = m.Control[:control], got&^unix.MSG_CMSG_CLOEXEC, addrPort(from)
	return n, nil
}

func (s *System) Sendmsg(fd int, m *packetdrill.Msg, flags int) (int, error) {
	var to unix.Sockaddr
	if a := m.Name; a.Addr().Is4() {
		to = &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	} else if a.IsValid() {
		to = &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	}
	n, err := unix.SendmsgBuffers(fd, m.Buf, m.Control, to, flags)
	if err == unix.ENOTSOCK && flags == 0 && to == nil {
		return unix.Writev(fd, m.Buf) // of a file
	}
	if err != nil {
		return -1, err
	}
	return n, nil
}

func (s *System) Close(fd int) error {
	s.mu.Lock()
	for i, f := range s.open {
		if f == fd {
			s.open = append(s.open[:i], s.open[i+1:]...)
			s.mu.Unlock()
			return unix.Close(fd)
		}
	}
	s.mu.Unlock()
	return unix.EBADF // it is not the script's
}

func (s *System) Getsockname(fd int) (netip.AddrPort, error) {
	sa, err := unix.Getsockname(fd)
	return addrPort(sa), err
}

func (s *System) Getpeername(fd int) (netip.AddrPort, error) {
	sa, err := unix.Getpeername(fd)
	return addrPort(sa), err
}

func (s *System) Setsockopt(fd, level, name int, value []byte) error {
	if _, _, e := unix.Syscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name),
		uintptr(unsafe.Pointer(unsafe.SliceData(value))), uintptr(len(value)), 0); e != 0 {
		return e
	}
	return nil
}

func (s *System) Getsockopt(fd, level, name int, value []byte) (int, error) {
	n := int32(len(value))
	if _, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name),
		uintptr(unsafe.Pointer(unsafe.SliceData(value))), uintptr(unsafe.Pointer(&n)), 0); e != 0 {
		return -1, e
	}
	return int(n), nil
}

func (s *System) Fcntl(fd, cmd, arg int) (int, error) {
	n, err := unix.FcntlInt(uintptr(fd), cmd, arg)
	if err == nil && (cmd == unix.F_DUPFD || cmd == unix.F_DUPFD_CLOEXEC) {
		return s.opened(n, nil)
	}
	return n, err
}

func (s *System) Ioctl(fd int, req uint, arg []byte) error {
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(req), uintptr(unsafe.Pointer(unsafe.SliceData(arg)))); e != 0 {
		return e
	}
	return nil
}

// milliseconds is a timeout of poll and epoll_wait.
func milliseconds(d time.Duration) int {
	if d < 0 {
		return -1
	}
	return int(d.Milliseconds())
}

// restarted goes on with a wait that a signal of the Go runtime has interrupted.
func restarted(timeout time.Duration, wait func(left time.Duration) (int, error)) (int, error) {
	end, left := time.Now().Add(timeout), timeout
	for {
		n, err := wait(left)
		if err != unix.EINTR {
			return n, err
		}
		if timeout > 0 {
			left = max(0, time.Until(end))
		}
	}
}

func (s *System) Poll(fds []packetdrill.PollFD, timeout time.Duration) (int, error) {
	list := make([]unix.PollFd, len(fds))
	for i, f := range fds {
		list[i] = unix.PollFd{Fd: int32(f.FD), Events: f.Events}
	}
	n, err := restarted(timeout, func(left time.Duration) (int, error) { return unix.Poll(list, milliseconds(left)) })
	for i := range fds {
		fds[i].Revents = list[i].Revents
	}
	return n, err
}

func (s *System) EpollCreate(flags int) (int, error) {
	return s.opened(unix.EpollCreate1(flags | s.Opening))
}

func (s *System) EpollCtl(epfd, op, fd int, ev packetdrill.EpollEvent) error {
	return unix.EpollCtl(epfd, op, fd, &unix.EpollEvent{Events: ev.Events, Fd: int32(ev.Data), Pad: int32(ev.Data >> 32)})
}

func (s *System) EpollWait(epfd int, ev []packetdrill.EpollEvent, timeout time.Duration) (int, error) {
	if len(ev) == 0 {
		return -1, unix.EINVAL
	}
	list := make([]unix.EpollEvent, len(ev))
	n, err := restarted(timeout, func(left time.Duration) (int, error) { return unix.EpollWait(epfd, list, milliseconds(left)) })
	for i := range max(n, 0) {
		ev[i] = packetdrill.EpollEvent{Events: list[i].Events, Data: uint64(uint32(list[i].Fd)) | uint64(uint32(list[i].Pad))<<32}
	}
	return n, err
}
