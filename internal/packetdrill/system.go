package packetdrill

import (
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/socket"
)

// What system calls take and return, in the shape of package socket.
type (
	Msg        = socket.Msg
	PollFD     = socket.PollFD
	EpollEvent = socket.EpollEvent
)

// System is a set of system calls, with the kernel's semantics and, in octets, the ABI of Linux on a 64-bit little-endian
// machine. Descriptors are small numbers. Errors are a syscall.Errno, or wrap one. Package socket's Table makes them on a
// stack, Kernel on the kernel.
type System interface {
	Socket(domain, typ, proto int) (int, error)
	Bind(fd int, a netip.AddrPort) error
	Listen(fd, backlog int) error
	Accept(fd, flags int) (int, netip.AddrPort, error)
	Connect(fd int, a netip.AddrPort) error
	Recvmsg(fd int, m *Msg, flags int) (int, error)
	Sendmsg(fd int, m *Msg, flags int) (int, error)
	Shutdown(fd, how int) error
	Close(fd int) error
	Getsockname(fd int) (netip.AddrPort, error)
	Getpeername(fd int) (netip.AddrPort, error)
	Setsockopt(fd, level, name int, value []byte) error
	Getsockopt(fd, level, name int, value []byte) (int, error)
	Fcntl(fd, cmd, arg int) (int, error)
	Ioctl(fd int, req uint, arg []byte) error
	Poll(fds []PollFD, timeout time.Duration) (int, error)
	EpollCreate(flags int) (int, error)
	EpollCtl(epfd, op, fd int, ev EpollEvent) error
	EpollWait(epfd int, ev []EpollEvent, timeout time.Duration) (int, error)
}

// Admin is what shell commands of scripts can do to a system.
type Admin interface {
	// SetSysctl sets a setting by its name with dots, as "net.ipv4.tcp_sack".
	SetSysctl(name, value string) error
	// Sysctl returns a setting's value.
	Sysctl(name string) (string, error)
	// Command runs a command that administers the network: ip, tc, ethtool, ….
	Command(argv []string) (string, error)
}
