package onlink_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/bpf"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/pcapfilter"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/simtest"
	"github.com/onlink-go/onlink/wire"
)

// framePair returns two hosts on one wire, of which the first has no IPv4 address.
func framePair(t testing.TB) (client, server *onlink.Stack, ci, si *onlink.Interface) {
	a, b := mem.Pair(mem.Config{})
	client, server = newStack(t, onlink.Config{}), newStack(t, onlink.Config{})
	return client, server, addLink(t, client, a, clientAddrs[1:]), addLink(t, server, b, serverAddrs)
}

func listenFrames(t testing.TB, s *onlink.Stack, i *onlink.Interface, cfg onlink.FrameConfig) *onlink.FrameConn {
	t.Helper()
	c, err := s.ListenFrames(i, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// broadcast4 returns a frame with a UDP datagram from 0.0.0.0 to everybody, as a host without an address begins DHCP.
func broadcast4(payload string) []byte {
	b := make([]byte, wire.EthernetLen+wire.IPv4MinLen+wire.UDPLen+len(payload))
	wire.PutEthernet(b, wire.BroadcastMAC, wire.MAC{2, 0, 0, 0, 0, 1}, wire.EtherTypeIPv4)
	ip := b[wire.EthernetLen:]
	copy(ip, []byte{0x45, 0, 0, byte(len(ip)), 0, 0, 0, 0, 64, wire.ProtoUDP, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255})
	wire.IPv4(ip).UpdateChecksum()
	u := ip[wire.IPv4MinLen:]
	wire.PutUDP(u, 68, 67, len(u))
	copy(u[wire.UDPLen:], payload)
	return b
}

// A host without an IPv4 address sends and hears IPv4 frames through a packet socket.
func TestFramesWithoutAddress(t *testing.T) {
	client, server, ci, si := framePair(t)
	c := listenFrames(t, client, ci, onlink.FrameConfig{EtherType: wire.EtherTypeIPv4})
	s := listenFrames(t, server, si, onlink.FrameConfig{EtherType: wire.EtherTypeIPv4})
	b := make([]byte, 2000)
	discover, offer := broadcast4("discover"), broadcast4("offer")
	for _, row := range []struct {
		from, to *onlink.FrameConn
		at       *onlink.Interface
		frame    []byte
	}{{c, s, si, discover}, {s, c, ci, offer}} {
		if err := row.from.WriteFrame(row.frame); err != nil {
			t.Fatal(err)
		}
		n, i, err := row.to.ReadFrame(b)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b[:n], row.frame) || i.Len != len(row.frame) || i.Outgoing || i.Interface != "eth0" || i.Index != row.at.Index() ||
			i.EtherType != wire.EtherTypeIPv4 || time.Since(i.Wall) > time.Hour {
			t.Errorf("%x\n%+v", b[:n], i)
		}
	}
	if st := c.Stats(); st != (onlink.FrameStats{Received: 1}) {
		t.Errorf("%+v", st)
	}
}

// A program listens to an interface with a filter in tcpdump's language.
func ExampleStack_ListenFrames() {
	a, b := mem.Pair(mem.Config{})
	host, err := onlink.New(onlink.Config{})
	if err != nil {
		panic(err)
	}
	eth0, err := host.AddLink("eth0", a, onlink.InterfaceConfig{})
	if err != nil {
		panic(err)
	}
	filter, err := pcapfilter.Compile("udp dst port 67 and ether broadcast", link.Ethernet, pcapfilter.Options{})
	if err != nil {
		panic(err)
	}
	conn, err := host.ListenFrames(eth0, onlink.FrameConfig{Filter: filter})
	if err != nil {
		panic(err)
	}
	var frames packet.Batch // of somebody else on the link
	frames.Push(packet.From(broadcast4("who gives me an address?")))
	if err := b.Send(0, &frames); err != nil {
		panic(err)
	}
	frame := make([]byte, 1514)
	n, info, err := conn.ReadFrame(frame)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d octets by %s: %s\n", n, info.Interface, frame[42:n])
	conn.Close()
	host.Close(context.Background())
	// Output:
	// 66 octets by eth0: who gives me an address?
}

// What goes out is seen on request, and what comes in can be left out.
func TestFramesOutgoing(t *testing.T) {
	client, _, ci, _ := framePair(t)
	both := listenFrames(t, client, ci, onlink.FrameConfig{Outgoing: true, EtherType: wire.EtherTypeIPv6})
	in := listenFrames(t, client, nil, onlink.FrameConfig{EtherType: wire.EtherTypeIPv6})
	out := listenFrames(t, client, nil, onlink.FrameConfig{OutgoingOnly: true, EtherType: wire.EtherTypeIPv6})
	if _, err := client.Ping(t.Context(), serverAddrs[1].Addr(), onlink.PingConfig{}); err != nil {
		t.Fatal(err)
	}
	directions := func(c *onlink.FrameConn) (got [2]int) {
		for range c.Stats().Received {
			if _, i, err := c.ReadFrame(nil); err != nil {
				t.Fatal(err)
			} else if i.Outgoing {
				got[1]++
			} else {
				got[0]++
			}
		}
		return got
	}
	b, i, o := directions(both), directions(in), directions(out)
	if b[0] == 0 || b[1] == 0 || i != [2]int{b[0], 0} || o != [2]int{0, b[1]} {
		t.Errorf("in and out: both %v, in %v, out %v", b, i, o)
	}
}

// On the loopback interface a packet goes out and comes in, without a link header.
func TestFramesLoopback(t *testing.T) {
	s := newStack(t, onlink.Config{})
	c := listenFrames(t, s, nil, onlink.FrameConfig{Outgoing: true})
	if _, err := s.Ping(t.Context(), netip.MustParseAddr("127.0.0.1"), onlink.PingConfig{Size: 8}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	for k, outgoing := range []bool{true, false, true, false} {
		n, i, err := c.ReadFrame(b)
		if err != nil {
			t.Fatal(err)
		}
		if i.Interface != "lo" || i.Outgoing != outgoing || n != 36 || b[0] != 0x45 || i.EtherType != wire.EtherTypeIPv4 {
			t.Errorf("frame %d: %+v, %x", k, i, b[:n])
		}
	}
	// A packet written is received.
	u, err := s.ListenPacket(t.Context(), "udp", "127.0.0.1:67")
	if err != nil {
		t.Fatal(err)
	}
	p := broadcast4("to me")[wire.EthernetLen:]
	copy(p[12:], []byte{127, 0, 0, 1, 127, 0, 0, 1})
	wire.IPv4(p).UpdateChecksum()
	if _, err := c.WriteTo(p, &onlink.FrameAddr{Index: 1}); err != nil {
		t.Fatal(err)
	}
	if n, from, err := u.ReadFrom(b); err != nil || string(b[:n]) != "to me" || from.String() != "127.0.0.1:68" {
		t.Errorf("%q from %v, %v", b[:n], from, err)
	}
}

func TestFrameFilter(t *testing.T) {
	client, server, ci, si := framePair(t)
	s := listenFrames(t, server, si, onlink.FrameConfig{})
	program := func(snap uint32) []bpf.RawInstruction {
		raw, err := bpf.Assemble([]bpf.Instruction{bpf.LoadAbsolute{Off: 42, Size: 1},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: 'y', SkipFalse: 1}, bpf.RetConstant{Val: snap}, bpf.RetConstant{}})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	if err := s.SetFilter(program(44)); err != nil {
		t.Fatal(err)
	}
	c := listenFrames(t, client, ci, onlink.FrameConfig{})
	for _, payload := range []string{"no", "yes", "", "you"} {
		if err := c.WriteFrame(broadcast4(payload)); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 100)
	for _, want := range []string{"yes", "you"} {
		n, i, err := s.ReadFrame(b)
		if err != nil || string(b[42:n]) != want[:2] || i.Len != 42+3 {
			t.Errorf("%q, %+v, %v", b[42:n], i, err)
		}
	}
	for _, row := range []struct {
		what    string
		program []bpf.RawInstruction
	}{
		{"jumping past program bounds", []bpf.RawInstruction{{Op: 0x15, Jt: 7}, {Op: 6}}},
		{"must end with", []bpf.RawInstruction{{Op: 0x20}}},
		{"instruction 0: operation 0xffff is not known", []bpf.RawInstruction{{Op: 0xffff}, {Op: 6}}},
		{"extension 8 not implemented", []bpf.RawInstruction{{Op: 0x20, K: 0xfffff008}, {Op: 6}}},
		{"negation", []bpf.RawInstruction{{Op: 0x84}, {Op: 6}}},
		{"at most 4096", make([]bpf.RawInstruction, 4097)},
	} {
		err := s.SetFilter(row.program)
		if !errors.Is(err, syscall.EINVAL) || !contains(err, row.what) {
			t.Errorf("%v, want %q", err, row.what)
		}
		if _, err := server.ListenFrames(si, onlink.FrameConfig{Filter: row.program}); !errors.Is(err, syscall.EINVAL) {
			t.Error(err)
		}
	}
	if err := s.SetFilter(nil); err != nil {
		t.Error(err)
	}
}

// Each medium and each direction has its own filter, if it is asked for.
func TestFrameFilterFor(t *testing.T) {
	client, _, _, _ := framePair(t)
	ret := func(n uint32) []bpf.RawInstruction { return []bpf.RawInstruction{{Op: 6, K: n}} }
	c := listenFrames(t, client, nil, onlink.FrameConfig{Outgoing: true, EtherType: wire.EtherTypeIPv6,
		FilterFor: func(m link.Medium, outgoing bool) ([]bpf.RawInstruction, error) {
			switch {
			case m == link.IP && outgoing:
				return nil, nil
			case m == link.IP:
				return ret(0), nil
			case outgoing:
				return ret(20), nil
			}
			return ret(30), nil
		}})
	for _, dst := range []netip.Addr{netip.IPv6Loopback(), serverAddrs[1].Addr()} {
		if _, err := client.Ping(t.Context(), dst, onlink.PingConfig{Size: 1}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int{}
	for c.Stats().Waiting > 0 {
		n, i, err := c.ReadFrame(make([]byte, 100))
		if err != nil {
			t.Fatal(err)
		}
		seen[fmt.Sprint(i.Medium, i.Outgoing)]++
		if want := map[link.Medium]map[bool]int{link.IP: {true: i.Len}, link.Ethernet: {false: 30, true: 20}}[i.Medium][i.Outgoing]; n != want {
			t.Errorf("%d octets of %+v", n, i)
		}
	}
	if len(seen) != 3 {
		t.Error(seen)
	}
	wrong := errors.New("wrong")
	_, err := client.ListenFrames(nil, onlink.FrameConfig{FilterFor: func(link.Medium, bool) ([]bpf.RawInstruction, error) { return nil, wrong }})
	if !errors.Is(err, wrong) {
		t.Error(err)
	}
	_, err = client.ListenFrames(nil, onlink.FrameConfig{FilterFor: func(link.Medium, bool) ([]bpf.RawInstruction, error) { return ret(0)[:1:1], nil }})
	if err != nil {
		t.Error(err)
	}
}

func contains(err error, what string) bool {
	return err != nil && bytes.Contains([]byte(err.Error()), []byte(what))
}

func TestFrameConnErrors(t *testing.T) {
	client, _, ci, si := framePair(t)
	if _, err := client.ListenFrames(si, onlink.FrameConfig{}); !errors.Is(err, syscall.EINVAL) {
		t.Error(err)
	}
	if _, err := client.ListenFrames(ci, onlink.FrameConfig{ReceiveBuffer: -1}); !errors.Is(err, syscall.EINVAL) {
		t.Error(err)
	}
	all := listenFrames(t, client, nil, onlink.FrameConfig{})
	c := listenFrames(t, client, ci, onlink.FrameConfig{})
	tagged := make([]byte, 1518)
	tagged[12], tagged[13] = 0x81, 0
	for _, row := range []struct {
		conn  *onlink.FrameConn
		frame []byte
		err   error
	}{{all, make([]byte, 60), syscall.ENXIO}, {c, make([]byte, 13), syscall.EINVAL}, {c, nil, syscall.EINVAL}, {c, make([]byte, 14), nil},
		{c, make([]byte, 1514), nil}, {c, make([]byte, 1515), syscall.EMSGSIZE}, {c, tagged, nil}, {c, append(tagged, 0), syscall.EMSGSIZE},
		{c, make([]byte, 1<<20), syscall.EMSGSIZE}} {
		if err := row.conn.WriteFrame(row.frame); !errors.Is(err, row.err) || row.err == nil && err != nil {
			t.Errorf("%d octets: %v, want %v", len(row.frame), err, row.err)
		}
	}
	if _, err := all.WriteTo(make([]byte, 60), &onlink.FrameAddr{Index: 77}); !errors.Is(err, syscall.ENODEV) {
		t.Error(err)
	}
	if _, err := all.WriteTo(make([]byte, 60), &net.UDPAddr{}); !errors.Is(err, syscall.EINVAL) {
		t.Error(err)
	}
	c.SetDeadline(time.Now().Add(-time.Second))
	if err := c.WriteFrame(make([]byte, 60)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	c.SetDeadline(time.Time{})
	if err := ci.SetUp(false); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteFrame(make([]byte, 60)); !errors.Is(err, syscall.ENETDOWN) {
		t.Error(err)
	}
	if err := ci.Remove(); err != nil {
		t.Fatal(err)
	}
	var err error
	for err == nil {
		_, _, err = c.ReadFrame(nil)
	}
	if !errors.Is(err, syscall.ENETDOWN) {
		t.Error(err)
	}
	if err := c.WriteFrame(make([]byte, 60)); !errors.Is(err, syscall.ENODEV) {
		t.Error(err)
	}
	if _, err := client.ListenFrames(ci, onlink.FrameConfig{}); !errors.Is(err, syscall.ENODEV) {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if _, _, err := c.ReadFrame(nil); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if err := c.WriteFrame(make([]byte, 60)); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	client.Close(t.Context())
	if _, _, err := all.ReadFrame(nil); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if _, err := client.ListenFrames(nil, onlink.FrameConfig{}); !errors.Is(err, syscall.ESHUTDOWN) {
		t.Error(err)
	}
}

// What finds no room is counted; what waits stays in order.
func TestFrameDrops(t *testing.T) {
	client, server, ci, si := framePair(t)
	c := listenFrames(t, client, ci, onlink.FrameConfig{})
	s := listenFrames(t, server, si, onlink.FrameConfig{EtherType: wire.EtherTypeIPv4, ReceiveBuffer: 40 << 10})
	const sent = 100
	for k := range sent {
		if err := c.WriteFrame(broadcast4(string(rune('!' + k)))); err != nil {
			t.Fatal(err)
		}
	}
	st := s.Stats()
	if st != (onlink.FrameStats{Received: sent, Dropped: sent - 20, Waiting: 20}) {
		t.Fatalf("%+v", st)
	}
	b := make([]byte, 60)
	for k := range sent - int(st.Dropped) {
		n, _, err := s.ReadFrame(b)
		if err != nil || string(b[42:n]) != string(rune('!'+k)) {
			t.Fatalf("%d: %q, %v", k, b[42:n], err)
		}
	}
	// There is room again.
	if err := c.WriteFrame(broadcast4("z")); err != nil {
		t.Fatal(err)
	}
	if n, from, err := s.ReadFrom(b); err != nil || string(b[42:n]) != "z" || from.String() != "02:00:00:00:00:01%eth0" {
		t.Errorf("%q from %v, %v", b[:n], from, err)
	}
}

// In a bubble, a reader waits in virtual time and is woken by its deadline and by Close.
func TestFramesInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _, ci, _ := framePair(t)
		c := listenFrames(t, client, ci, onlink.FrameConfig{EtherType: 0x9999})
		began := time.Now()
		c.SetReadDeadline(began.Add(time.Minute))
		if _, _, err := c.ReadFrame(nil); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Minute {
			t.Error(err, time.Since(began))
		}
		c.SetReadDeadline(time.Time{})
		time.AfterFunc(time.Hour, func() { c.Close() })
		if _, _, err := c.ReadFrame(nil); !errors.Is(err, net.ErrClosed) || time.Since(began) != time.Minute+time.Hour {
			t.Error(err, time.Since(began))
		}
	})
}

// In a simulation the frames of a ping are read by an application, the same in every run.
func TestFramesSimulated(t *testing.T) {
	simtest.Replay(t, 1, func(t testing.TB, n *sim.Network) {
		a, b := n.Node("a", onlink.Config{}), n.Node("b", onlink.Config{})
		n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"), sim.Line{})
		c, err := b.ListenFrames(b.Interface("eth0"), onlink.FrameConfig{Outgoing: true})
		if err != nil {
			t.Fatal(err)
		}
		var seen []string
		want := []string{"false 0x0806 42", "true 0x0806 42", // who has b?
			"false 0x0800 46", "true 0x0800 46", // the echo
			"true 0x0806 42", "false 0x0806 42"} // is a still there? (RFC 4861, 7.3.3, DELAY)
		var ended error
		b.Go("capture", func() {
			c.SetReadDeadline(b.Wall().Add(10 * time.Second))
			buf := make([]byte, 2000)
			for {
				k, i, err := c.ReadFrame(buf)
				if err != nil {
					ended = err
					return
				}
				if i.EtherType != wire.EtherTypeIPv6 {
					seen = append(seen, fmt.Sprintf("%v %#04x %d", i.Outgoing, i.EtherType, k))
				}
			}
		})
		a.Go("ping", func() {
			a.Ping(t.Context(), netip.MustParseAddr("192.0.2.2"), onlink.PingConfig{Size: 4})
		})
		n.RunFor(20 * time.Second)
		if !errors.Is(ended, os.ErrDeadlineExceeded) || !slices.Equal(seen, want) {
			t.Errorf("%q, want %q; %v", seen, want, ended)
		}
	})
}
