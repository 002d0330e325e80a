package afpacket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/wire"
)

// state is what the kernel says of an interface.
type state struct {
	kind uint16 // ARPHRD_…
	up   bool   // it is, and has a carrier
	mtu  int
	addr wire.MAC
}

// watch hears what becomes of an interface, on a routing socket (rtnetlink(7)).
type watch struct {
	name  string
	index int
	fd    int      // until begin
	file  *os.File // since begin
	raw   syscall.RawConn
	buf   []byte
}

// openWatch returns a watch of the interface.
func openWatch(name string, index int) (*watch, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err == nil {
		if err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK}); err != nil {
			unix.Close(fd)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("afpacket: cannot hear of changes of %s: %w", name, err)
	}
	return &watch{name: name, index: index, fd: fd, buf: make([]byte, 64<<10)}, nil
}

// first returns the interface's present state.
func (w *watch) first() (s state, err error) {
	for err = w.ask(w.fd); err == nil; {
		var n int
		var from unix.Sockaddr
		if n, from, err = w.receive(w.fd); err != nil {
			break
		}
		var found bool
		if s, found, err = w.parse(n, from); found {
			return s, nil
		}
	}
	return s, fmt.Errorf("afpacket: cannot ask for the state of %s: %w", w.name, err)
}

// begin makes the watch one that next can wait on.
func (w *watch) begin() error {
	if err := unix.SetNonblock(w.fd, true); err != nil {
		return err
	}
	w.file = os.NewFile(uintptr(w.fd), "routing socket for "+w.name)
	var err error
	w.raw, err = w.file.SyscallConn()
	return err
}

// next waits for news. The error is os.ErrClosed after close, ENODEV if the interface is gone, or the socket's.
func (w *watch) next() (s state, err error) {
	for {
		var n int
		var from unix.Sockaddr
		var fault error
		err := w.raw.Read(func(fd uintptr) bool {
			n, from, fault = w.receive(int(fd))
			return fault != unix.EAGAIN
		})
		if err == nil {
			err = fault
		}
		if err != nil {
			return s, err
		}
		if s, found, err := w.parse(n, from); found || err != nil {
			return s, err
		}
	}
}

// receive reads one datagram into the buffer.
func (w *watch) receive(fd int) (n int, from unix.Sockaddr, err error) {
	for {
		n, from, err = unix.Recvfrom(fd, w.buf, 0)
		if err == unix.ENOBUFS { // there was more news than the socket holds
			err = w.ask(fd)
		} else if err != unix.EINTR {
			return n, from, err
		}
		if err != nil && err != unix.EINTR {
			return 0, nil, err
		}
	}
}

// close ends next.
func (w *watch) close() error {
	if w.file == nil {
		return unix.Close(w.fd)
	}
	return w.file.Close()
}

// ask asks for the interface's state. The answer comes like news.
func (w *watch) ask(fd int) error {
	const n = unix.SizeofNlMsghdr + unix.SizeofIfInfomsg
	b := make([]byte, n)
	ne := binary.NativeEndian
	ne.PutUint32(b, n)
	ne.PutUint16(b[4:], unix.RTM_GETLINK)
	ne.PutUint16(b[6:], unix.NLM_F_REQUEST)
	ne.PutUint32(b[unix.SizeofNlMsghdr+4:], uint32(w.index))
	return unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

// parse returns the state that the n octets in the buffer tell of, and whether they do. The error is ENODEV if the interface is
// gone.
func (w *watch) parse(n int, from unix.Sockaddr) (s state, found bool, err error) {
	if a, ok := from.(*unix.SockaddrNetlink); !ok || a.Pid != 0 {
		return s, false, nil // not the kernel
	}
	all, err := syscall.ParseNetlinkMessage(w.buf[:n])
	if err != nil {
		return s, false, err
	}
	for _, m := range all {
		switch m.Header.Type {
		case unix.NLMSG_ERROR: // the answer to a question
			if len(m.Data) >= 4 {
				if code := int32(binary.NativeEndian.Uint32(m.Data)); code != 0 {
					return s, false, unix.Errno(-code)
				}
			}
		case unix.RTM_NEWLINK:
			if w.about(m.Data) {
				if s, err = parseState(&m); err != nil {
					return s, false, err
				}
				found = true
			}
		case unix.RTM_DELLINK:
			if w.about(m.Data) {
				return s, false, unix.ENODEV
			}
		}
	}
	return s, found, nil
}

// about reports whether a message is about the interface as such; there are others about it as the port of a bridge.
func (w *watch) about(b []byte) bool {
	return len(b) >= unix.SizeofIfInfomsg && b[0] == unix.AF_UNSPEC && int(binary.NativeEndian.Uint32(b[4:])) == w.index
}

// parseState reads the message m, which has its fixed part.
func parseState(m *syscall.NetlinkMessage) (s state, err error) {
	attributes, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return s, err
	}
	const working = unix.IFF_UP | unix.IFF_RUNNING
	ne := binary.NativeEndian
	s.kind, s.up = ne.Uint16(m.Data[2:]), ne.Uint32(m.Data[8:])&working == working
	for _, a := range attributes {
		switch {
		case a.Attr.Type == unix.IFLA_MTU && len(a.Value) == 4:
			s.mtu = int(ne.Uint32(a.Value))
		case a.Attr.Type == unix.IFLA_ADDRESS && len(a.Value) == len(s.addr):
			s.addr = wire.MAC(a.Value)
		}
	}
	if s.mtu == 0 {
		return s, errors.New("the kernel does not say what its MTU is")
	}
	return s, nil
}
