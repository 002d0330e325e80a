package onlink

import (
	"fmt"
	"net"
	"syscall"
	"time"

	"golang.org/x/net/bpf"

	"github.com/onlink-go/onlink/internal/framesock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/wire"
)

// FrameConfig is what frames a FrameConn reads. The zero FrameConfig reads every frame that comes in.
type FrameConfig struct {
	// Outgoing reads also the frames that the interface sends, as they are given to the link, behind the queue; those
	// of WriteFrame too. OutgoingOnly reads only those.
	Outgoing, OutgoingOnly bool

	// EtherType is that of the frames to read; 0: any. On a link without Ethernet headers it is what one would say: 0x0800
	// for IPv4, 0x86dd for IPv6.
	EtherType uint16

	// Filter is a program of classic BPF that chooses frames, as SetFilter takes it; none: all. Package pcapfilter makes
	// one of an expression of tcpdump.
	Filter []bpf.RawInstruction

	// FilterFor, if it is not nil, is asked in place of Filter for a program for each medium, and for the frames that come in and
	// those that go out: when interfaces with Ethernet headers and without are read at once, or a direction counts. An error
	// of it is one of ListenFrames.
	FilterFor func(medium link.Medium, outgoing bool) ([]bpf.RawInstruction, error)

	// ReceiveBuffer is how many octets of memory may wait for the reader, counted in blocks of 2, 10 or 66 KiB; 0: 2 MiB.
	ReceiveBuffer int
}

// FrameInfo says of a frame what its octets do not.
type FrameInfo struct {
	Interface string // name of the interface
	Index     int    // and its index
	Medium    link.Medium
	EtherType uint16    // also where the link has no Ethernet header
	Outgoing  bool      // the interface sent it
	Wall      time.Time // when it came from the link, or was given to it
	Len       int       // octets of the frame: more than were read if the filter or the reader's buffer cut it off
}

// FrameStats counts the frames that a FrameConn wanted.
type FrameStats struct {
	Received uint64 // passed the filter; the dropped ones are among them
	Dropped  uint64 // found no room in the receive buffer
	Waiting  int    // are there to be read
}

// FrameConn is a packet socket: it reads and writes whole frames of the link, from the Ethernet header on (on a link of IP
// packets, from the IP header on). Frames that come in are read as the link delivered them, whatever becomes of them, and
// whether or not the interface has addresses; those that go out as the link gets them. A stack sees each of them beside what
// it does otherwise: a FrameConn neither takes frames away nor answers them.
//
// There is no promiscuous mode to switch: what frames a link delivers is the link's business. A TAP, an in-memory
// link and the simulation's wires deliver all there are, those for other stations too.
//
// All methods may be called at once from several goroutines. Errors are *net.OpError around [net.ErrClosed],
// [os.ErrDeadlineExceeded], or an errno: ENETDOWN once the interface was removed, and those that WriteFrame names.
type FrameConn struct {
	stack *Stack
	sock  *framesock.Socket
	local *FrameAddr
}

// FrameAddr is where a frame came from or is to go. It implements [net.Addr].
type FrameAddr struct {
	Interface string
	Index     int      // of the interface; 0: all
	LinkAddr  wire.MAC // of the sender; zero where the link has none
	EtherType uint16   // 0: any
}

// Network returns "frame".
func (a *FrameAddr) Network() string { return "frame" }

// String returns the link address and the interface: "02:00:00:00:00:01%eth0"; or only the interface, "any" for all.
func (a *FrameAddr) String() string {
	name := a.Interface
	if name == "" {
		name = "any"
	}
	if a.LinkAddr == (wire.MAC{}) {
		return name
	}
	return a.LinkAddr.String() + "%" + name
}

// ListenFrames opens a packet socket on the interface ifi; nil: on all interfaces, the loopback interface and those to come
// included. Errors name what is wrong with cfg (EINVAL), or are ENODEV if ifi was removed, ESHUTDOWN after Close.
func (s *Stack) ListenFrames(ifi *Interface, cfg FrameConfig) (*FrameConn, error) {
	local := &FrameAddr{EtherType: cfg.EtherType}
	if ifi != nil {
		local.Interface, local.Index, local.LinkAddr = ifi.Name(), ifi.Index(), ifi.i.LinkAddr
	}
	fail := func(err error) (*FrameConn, error) { return nil, opError("listen", "frame", local, nil, err) }
	if ifi != nil && ifi.stack != s {
		return fail(fmt.Errorf("interface %s belongs to another stack: %w", ifi.Name(), syscall.EINVAL))
	}
	if cfg.ReceiveBuffer < 0 {
		return fail(fmt.Errorf("FrameConfig.ReceiveBuffer is %d: must not be negative: %w", cfg.ReceiveBuffer, syscall.EINVAL))
	}
	filters, err := cfg.filters()
	if err != nil {
		return fail(err)
	}
	directions := framesock.In
	switch {
	case cfg.OutgoingOnly:
		directions = framesock.Out
	case cfg.Outgoing:
		directions |= framesock.Out
	}
	sock, err := s.frames().Open(framesock.Config{Index: int32(local.Index), EtherType: cfg.EtherType, Directions: directions,
		Filters: filters, ReceiveBuffer: cfg.ReceiveBuffer})
	if err != nil {
		return fail(err)
	}
	return &FrameConn{stack: s, sock: sock, local: local}, nil
}

// filters checks the programs.
func (cfg *FrameConfig) filters() (all framesock.Filters, err error) {
	if cfg.FilterFor == nil {
		f, err := framesock.NewFilter(cfg.Filter)
		return framesock.Same(f), err
	}
	for _, m := range framesock.Media {
		for k, outgoing := range []bool{false, true} {
			program, err := cfg.FilterFor(m, outgoing)
			if err != nil {
				return all, err
			}
			if all[m][k], err = framesock.NewFilter(program); err != nil {
				return all, err
			}
		}
	}
	return all, nil
}

func (c *FrameConn) err(op string, err error) error { return opError(op, "frame", c.local, nil, err) }

// ReadFrame reads the next frame into b and tells about it. What does not fit into b is lost. It allocates nothing.
func (c *FrameConn) ReadFrame(b []byte) (int, FrameInfo, error) {
	n, i, err := c.sock.Receive(b)
	if err != nil {
		return 0, FrameInfo{}, c.err("read", err)
	}
	return n, FrameInfo{Interface: i.Name, Index: int(i.Index), Medium: i.Medium, EtherType: i.EtherType, Outgoing: i.Outgoing,
		Wall: i.Wall, Len: i.Len}, nil
}

// WriteFrame sends b, a frame from its link header on, through the queue of the interface. Nothing is added or looked at: the
// addresses, the EtherType and all checksums are the caller's. It does not wait. Errors: EMSGSIZE for more octets than the
// interface's MTU and an Ethernet header (a VLAN tag too), EINVAL for fewer than a header, ENETDOWN for an interface that
// is down, ENODEV for one that was removed, ENXIO on a FrameConn of all interfaces: there, WriteTo names one.
func (c *FrameConn) WriteFrame(b []byte) error { return c.err("write", c.sock.Send(0, b)) }

// ReadFrom is ReadFrame with the sender as *FrameAddr.
func (c *FrameConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, i, err := c.ReadFrame(b)
	if err != nil {
		return 0, nil, err
	}
	a := &FrameAddr{Interface: i.Interface, Index: i.Index, EtherType: i.EtherType}
	if h, err := wire.CheckEthernet(b[:n]); err == nil && i.Medium == link.Ethernet {
		a.LinkAddr = h.Src()
	}
	return n, a, nil
}

// WriteTo is WriteFrame by the interface whose Index addr, a *FrameAddr, has. Its other fields are not used: b has the link
// header.
func (c *FrameConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	a, ok := addr.(*FrameAddr)
	if !ok || a == nil {
		return 0, c.err("write", syscall.EINVAL)
	}
	if err := c.sock.Send(int32(a.Index), b); err != nil {
		return 0, opError("write", "frame", c.local, a, err)
	}
	return len(b), nil
}

// SetFilter makes a program of classic BPF choose the frames that come from now on; none: all. It runs over the frame from its
// link header on and returns how many octets to keep; 0: the frame is not read. Errors (EINVAL) say what is wrong with
// the program; what was before stays then. Of Linux's extensions there is the length of the frame.
func (c *FrameConn) SetFilter(program []bpf.RawInstruction) error {
	f, err := framesock.NewFilter(program)
	if err != nil {
		return c.err("set", err)
	}
	c.sock.SetFilters(framesock.Same(f))
	return nil
}

// Stats returns what was counted since the FrameConn was opened.
func (c *FrameConn) Stats() FrameStats {
	n := c.sock.Stats()
	return FrameStats{Received: n.Received, Dropped: n.Dropped, Waiting: c.sock.Waiting()}
}

// LocalAddr returns the interface, as *FrameAddr.
func (c *FrameConn) LocalAddr() net.Addr { return c.local }

// SetReadBuffer sets how many octets may wait for the reader, as FrameConfig.ReceiveBuffer has it.
func (c *FrameConn) SetReadBuffer(bytes int) error {
	c.sock.SetReceiveBuffer(bytes)
	return nil
}

// SetDeadline sets both deadlines. The zero time means none.
func (c *FrameConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline sets the time after which reads fail with [os.ErrDeadlineExceeded].
func (c *FrameConn) SetReadDeadline(t time.Time) error {
	return c.err("set", c.sock.SetReadDeadline(c.stack.deadline(t)))
}

// SetWriteDeadline sets the time after which writes fail with [os.ErrDeadlineExceeded].
func (c *FrameConn) SetWriteDeadline(t time.Time) error {
	return c.err("set", c.sock.SetWriteDeadline(c.stack.deadline(t)))
}

// Close closes the packet socket; calls under way return [net.ErrClosed].
func (c *FrameConn) Close() error { return c.err("close", c.sock.Close()) }
