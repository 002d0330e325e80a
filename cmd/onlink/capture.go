package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/net/bpf"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/capture"
	"github.com/onlink-go/onlink/pcapfilter"
	"github.com/onlink-go/onlink/wire"
)

// captureCmd is `onlink capture`, in the manner of tcpdump(8).
type captureCmd struct {
	targetFlags `embed:""`
	Interface   string   `help:"Interface to listen on, or any; by default the first one, apart from lo." short:"i" placeholder:"NAME"`
	Write       string   `help:"Write pcapng to FILE, or with - to standard output, in place of a line for each packet." short:"w" placeholder:"FILE"`
	Count       int      `help:"End after so many packets." short:"c" placeholder:"COUNT"`
	SnapLen     uint32   `help:"Octets to keep of each packet." short:"s" name:"snapshot-length" default:"262144"`
	Direction   string   `help:"Packets of which direction: in, out or inout." short:"Q" name:"direction" enum:"in,out,inout" default:"inout"`
	LinkHeader  bool     `help:"Print the link header, too." short:"e"`
	Absolute    bool     `help:"Print sequence numbers of TCP as they are, not from the connection's first." short:"S" name:"absolute-tcp-sequence-numbers"`
	Time        int      `help:"Time in front of lines: -t none, -tt seconds since 1970, -ttt since the line before, -tttt with the date, -ttttt since the first." short:"t" type:"counter"`
	Program     bool     `help:"Print the program that the expression is compiled to, and end." short:"d"`
	Numeric     int      `help:"Addresses and ports as numbers: it is never otherwise." short:"n" type:"counter"`
	Unbuffered  bool     `help:"Each packet at once: it is never otherwise." short:"U"`
	Lines       bool     `help:"Each line at once: it is never otherwise." short:"l"`
	Here        bool     `help:"No promiscuous mode: there is none to switch; what the link delivers is captured." short:"p"`
	Expression  []string `arg:"" optional:"" help:"What to capture, in tcpdump's language: port 80 and not host 192.0.2.1"`
}

// Run opens the file and has the command work on the host that the flags say.
func (c *captureCmd) Run(ctx context.Context) error {
	if c.Count < 0 {
		return usagef("-c %d: must not be negative", c.Count)
	}
	if _, err := c.program(link.Ethernet, false, [4]byte{}); err != nil {
		return usageError{err}
	}
	i := *invoked(ctx)
	if c.Program {
		return c.print(i.out)
	}
	if c.Write == "" || c.Write == "-" {
		return c.target(ctx, c)
	}
	f := &lateFile{name: c.Write}
	i.out = f
	return errors.Join(c.target(context.WithValue(ctx, invocationKey{}, &i), c), f.close())
}

// lateFile is a file that is made when something is written to it, so that a command that makes no sense leaves what was there.
type lateFile struct {
	name string
	*os.File
}

// Write makes the file if need be.
func (f *lateFile) Write(b []byte) (n int, err error) {
	if f.File == nil {
		if f.File, err = os.Create(f.name); err != nil {
			return 0, err
		}
	}
	return f.File.Write(b)
}

func (f *lateFile) close() error {
	if f.File == nil {
		return nil
	}
	return f.File.Close()
}

// program compiles the expression for a kind of frames.
func (c *captureCmd) program(m link.Medium, outgoing bool, mask [4]byte) ([]bpf.RawInstruction, error) {
	o := pcapfilter.Options{SnapLen: c.SnapLen, Netmask: mask, Direction: pcapfilter.Inbound}
	if outgoing {
		o.Direction = pcapfilter.Outbound
	}
	return pcapfilter.Compile(strings.Join(c.Expression, " "), m, o)
}

// print prints the program for Ethernet, as tcpdump -d.
func (c *captureCmd) print(out io.Writer) error {
	raw, err := c.program(link.Ethernet, false, [4]byte{})
	if err != nil {
		return err
	}
	var b bytes.Buffer
	program, _ := bpf.Disassemble(raw)
	for i, x := range program {
		fmt.Fprintf(&b, "(%03d) %v\n", i, x)
	}
	_, err = out.Write(b.Bytes())
	return err
}

// packets is where captured packets go.
type packets interface {
	packet(b []byte, i *onlink.FrameInfo) error
	flush() error // the packets so far are to be seen
}

func (c *captureCmd) run(s *session) error {
	ifi, err := c.listenOn(s.stack)
	if err != nil {
		return err
	}
	if c.SnapLen == 0 {
		c.SnapLen = pcapfilter.DefaultSnapLen // as tcpdump -s 0
	}
	if ifi != nil { // what is wrong on this link; of all, it is of those where it makes sense
		if _, err := c.program(mediumOf(s.stack, ifi), false, [4]byte{}); err != nil {
			return usageError{err}
		}
	}
	conn, err := s.stack.ListenFrames(ifi, c.config(ifi))
	if err != nil {
		return err
	}
	defer conn.Close()
	// What wakes the reader is a deadline that is over.
	stop := func() { conn.SetReadDeadline(s.stack.Runtime().Wall().Add(-time.Second)) }
	defer s.stack.Runtime().AfterDone(s.ctx, stop)()
	if c.Node != "" {
		s.spawn(func() {
			playLab(s, c.Node)
			stop()
		})
	}
	c.announce(s, ifi)
	var to packets = newFramePrinter(s.out, c, ifi == nil)
	if c.Write != "" {
		to = newPcapngWriter(s, c, ifi)
	}
	captured, unseen, err := c.loop(conn, to)
	n := conn.Stats()
	fmt.Fprintf(s.err, "%s captured\n%s received by filter\n%s dropped\n", counted(captured), counted(n.Received-unseen), counted(n.Dropped))
	return err
}

// counted is n packets in words.
func counted(n uint64) string {
	if n == 1 {
		return "1 packet"
	}
	return fmt.Sprint(n, " packets")
}

// listenOn returns the interface that is meant; nil: all.
func (c *captureCmd) listenOn(s *onlink.Stack) (*onlink.Interface, error) {
	switch c.Interface {
	case "any":
		return nil, nil
	case "":
		all := s.Interfaces()
		for _, i := range all {
			if i.Name() != loopbackName {
				return i, nil
			}
		}
		return all[0], nil
	}
	if i := s.Interface(c.Interface); i != nil {
		return i, nil
	}
	return nil, usagef("-i %s: there is no such interface", c.Interface)
}

const loopbackName = "lo"

// config returns what frames are read.
func (c *captureCmd) config(ifi *onlink.Interface) onlink.FrameConfig {
	mask := netmask(ifi)
	return onlink.FrameConfig{Outgoing: c.Direction != "in", OutgoingOnly: c.Direction == "out",
		FilterFor: func(m link.Medium, outgoing bool) ([]bpf.RawInstruction, error) {
			raw, err := c.program(m, outgoing, mask)
			if err != nil && m != link.Ethernet {
				// What is said of link headers is true of no packet without one.
				return []bpf.RawInstruction{{Op: 0x06}}, nil
			}
			return raw, err
		}}
}

// netmask returns the mask of an interface's first IPv4 address; zero if it has none.
func netmask(ifi *onlink.Interface) (mask [4]byte) {
	if ifi == nil {
		return mask
	}
	for _, a := range ifi.Addresses() {
		if a.Addr().Is4() {
			copy(mask[:], net.CIDRMask(a.Bits(), 32))
			return mask
		}
	}
	return mask
}

// announce tells on standard error what is listened on.
func (c *captureCmd) announce(s *session, ifi *onlink.Interface) {
	name := "any"
	if ifi != nil {
		name = fmt.Sprintf("%s, link-type %s", ifi.Name(), linkType(mediumOf(s.stack, ifi)))
	}
	fmt.Fprintf(s.err, "listening on %s, snapshot length %d bytes\n", name, c.SnapLen)
}

func linkType(m link.Medium) string {
	if m == link.Ethernet {
		return "EN10MB (Ethernet)"
	}
	return "RAW (Raw IP)"
}

// loop reads until the count is reached, or the reader is stopped. unseen counts what came and is not for captures: as with
// Linux, a packet on the loopback interface is one although it goes out and comes in.
func (c *captureCmd) loop(conn *onlink.FrameConn, to packets) (captured, unseen uint64, err error) {
	b := make([]byte, 1<<17)
	for c.Count == 0 || captured < uint64(c.Count) {
		n, i, err := conn.ReadFrame(b)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, net.ErrClosed):
			return captured, unseen, to.flush()
		case err != nil:
			return captured, unseen, errors.Join(err, to.flush())
		case i.Interface == loopbackName && i.Outgoing:
			unseen++
		default:
			if err := to.packet(b[:n], &i); err != nil {
				return captured, unseen, err
			}
			captured++
		}
		if conn.Stats().Waiting == 0 {
			if err := to.flush(); err != nil {
				return captured, unseen, err
			}
		}
	}
	return captured, unseen, to.flush()
}

// pcapngWriter writes pcapng.
type pcapngWriter struct {
	*capture.Writer
	stack *onlink.Stack
	ids   map[int]uint32 // by index of the interface
}

// newPcapngWriter returns a pcapngWriter. A single interface is described at once, so that who reads the stream can begin; of all, each
// when it has a packet, since some readers take only one kind.
func newPcapngWriter(s *session, c *captureCmd, ifi *onlink.Interface) *pcapngWriter {
	w := &pcapngWriter{capture.NewWriter(s.out, capture.Config{SnapLen: int(c.SnapLen)}), s.stack, map[int]uint32{}}
	if ifi != nil {
		w.describe(ifi.Name(), ifi.Index(), mediumOf(s.stack, ifi))
	}
	w.Flush() // an error is there at the next one, too
	return w
}

func (w *pcapngWriter) describe(name string, index int, m link.Medium) uint32 {
	id := w.AddInterface(name, link.Info{Medium: m, Addr: linkAddr(w.stack, index)})
	w.ids[index] = id
	return id
}

func (w *pcapngWriter) packet(b []byte, i *onlink.FrameInfo) error {
	id, ok := w.ids[i.Index]
	if !ok {
		id = w.describe(i.Interface, i.Index, i.Medium)
	}
	return w.WriteFrame(&capture.Frame{Interface: id, Medium: i.Medium, Outgoing: i.Outgoing, Wall: i.Wall, Data: b, Len: i.Len})
}

func (w *pcapngWriter) flush() error { return w.Flush() }

// mediumOf returns an interface's medium.
func mediumOf(s *onlink.Stack, ifi *onlink.Interface) link.Medium {
	if linkAddr(s, ifi.Index()) == (wire.MAC{}) {
		return link.IP
	}
	return link.Ethernet
}

// linkAddr returns an interface's link address; zero if it has none.
func linkAddr(s *onlink.Stack, index int) wire.MAC {
	for _, i := range s.Snapshot().Interfaces {
		if i.Index == index {
			return i.LinkAddr
		}
	}
	return wire.MAC{}
}
