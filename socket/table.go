package socket

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/framesock"
	"github.com/onlink-go/onlink/internal/icmp"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/raw"
	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/internal/tcpsock"
	"github.com/onlink-go/onlink/internal/udp"
)

// firstFD is the first descriptor a Table gives out: 0, 1 and 2 are a process's own.
const firstFD = 3

// maxFDs is how many descriptors a Table has: more are EMFILE.
const maxFDs = 1 << 20

// Table is the descriptors of one process. Stack.Sockets makes one.
type Table struct {
	rt   clock.Runtime
	ip   *ip.Layer
	tcp  *tcpsock.Layer
	udp  *udp.Layer
	icmp *icmp.Layer
	raw  *raw.Layer

	frames *framesock.Layer

	cookies atomic.Uint64 // given out

	mu  sync.Mutex // guards all below, and refs of all files
	fds []slot     // by descriptor, from firstFD on
}

// slot is a descriptor.
type slot struct {
	f       file // nil: free
	cloexec bool
}

// New returns an empty Table of the sockets of the given layers.
func New(rt clock.Runtime, ip *ip.Layer, tcp *tcpsock.Layer, udp *udp.Layer, icmp *icmp.Layer, raw *raw.Layer,
	frames *framesock.Layer) *Table {
	return &Table{rt: rt, ip: ip, tcp: tcp, udp: udp, icmp: icmp, raw: raw, frames: frames}
}

// file is what a descriptor stands for: a socket or an epoll instance.
type file interface {
	base() *common
	// poll returns what the file is ready for. Whoever finds it not ready is told by the queue when it is.
	poll() ready.Events
	// release is called when no descriptor and no call uses the file any more.
	release() error
}

// common is what all files have.
type common struct {
	queue
	refs     int // descriptors and calls that use the file; the Table's
	mu       sync.Mutex
	nonblock bool // mu
}

func (c *common) base() *common { return c }

// install gives f the lowest free descriptor.
func (t *Table) install(f file, cloexec bool) (int, error) { return t.installFrom(firstFD, f, cloexec) }

// installFrom gives f the lowest free descriptor that is not below least.
func (t *Table) installFrom(least int, f file, cloexec bool) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := max(least-firstFD, 0)
	for i < len(t.fds) && t.fds[i].f != nil {
		i++
	}
	if i >= maxFDs {
		return -1, syscall.EMFILE
	}
	for i >= len(t.fds) {
		t.fds = append(t.fds, slot{})
	}
	f.base().refs++
	t.fds[i] = slot{f, cloexec}
	return i + firstFD, nil
}

// slot returns the slot of fd, or nil. t.mu locked.
func (t *Table) slot(fd int) *slot {
	if i := fd - firstFD; i >= 0 && i < len(t.fds) && t.fds[i].f != nil {
		return &t.fds[i]
	}
	return nil
}

// file returns what fd stands for. The caller calls put when it is done with it. Errors: EBADF.
func (t *Table) file(fd int) (file, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.slot(fd)
	if s == nil {
		return nil, syscall.EBADF
	}
	s.f.base().refs++
	return s.f, nil
}

// put ends a use of f, and releases f if it was the last.
func (t *Table) put(f file) error {
	t.mu.Lock()
	c := f.base()
	c.refs--
	last := c.refs == 0
	t.mu.Unlock()
	if !last {
		return nil
	}
	c.forsake()
	return f.release()
}

// socket returns the socket that fd stands for. The caller calls put when it is done with it. Errors: EBADF, ENOTSOCK.
func (t *Table) socket(fd int) (sock, error) {
	f, err := t.file(fd)
	if err != nil {
		return nil, err
	}
	s, ok := f.(sock)
	if !ok {
		t.put(f) // not the last use: the descriptor's is left
		return nil, syscall.ENOTSOCK
	}
	return s, nil
}

// Close closes a descriptor. The socket it stood for ends when no call uses it any more; with SO_LINGER, Close waits for
// that. Errors: EBADF.
func (t *Table) Close(fd int) error {
	t.mu.Lock()
	s := t.slot(fd)
	if s == nil {
		t.mu.Unlock()
		return syscall.EBADF
	}
	f := s.f
	*s = slot{}
	t.mu.Unlock()
	return t.put(f)
}

// Descriptors returns the descriptors that are open, in ascending order.
func (t *Table) Descriptors() []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	var fds []int
	for i := range t.fds {
		if t.fds[i].f != nil {
			fds = append(fds, i+firstFD)
		}
	}
	return fds
}

// sock is a socket. Its methods are the system calls on it, without the descriptor.
type sock interface {
	file
	bind(a netip.AddrPort) error
	listen(backlog int) error
	accept(flags int) (sock, netip.AddrPort, error)
	connect(a netip.AddrPort) error
	recvmsg(m *Msg, flags int) (int, error)
	sendmsg(m *Msg, flags int) (int, error)
	shutdown(how int) error
	sockname() (netip.AddrPort, error)
	peername() (netip.AddrPort, error)
	setsockopt(level, name int, value []byte) error
	getsockopt(level, name int, value []byte) (int, error)
	ioctl(req uint, arg []byte) error
}
