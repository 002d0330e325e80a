package tcpsock

import (
	"bytes"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/wire"
)

// call runs f, which may wait, and lets d pass. It returns whether f is over by then.
func (r *rig) call(d time.Duration, f func()) *bool {
	over := new(bool)
	r.sim.Start("call", func() {
		f()
		*over = true
	})
	r.pass(d)
	return over
}

// talk sends data from peer4's port, which is ours too, off octets behind the beginning.
func (r *rig) talk(port uint16, answer wire.TCPHeader, off uint32, data string, flags wire.TCPFlags) {
	r.sendData(peer4, wire.TCPHeader{SrcPort: port, DstPort: port, Seq: 1001 + off, Ack: answer.Seq + 1, Flags: wire.ACK | flags}, data)
}

// Read waits for data, for its deadline, or until the connection is closed.
func TestRead(t *testing.T) {
	r := newRig(t, 1)
	c, answer := r.accepted(7)
	var b [10]byte
	var n int
	var err error
	read := func() { n, err = c.Read(b[:]) }
	over := r.call(time.Second, read)
	if *over {
		t.Fatalf("read %d, %v of nothing", n, err)
	}
	if r.talk(7, answer, 0, "hello", 0); !*over || string(b[:n]) != "hello" || err != nil {
		t.Errorf("read %q, %v", b[:n], err)
	}
	if n, err := c.Read(nil); n != 0 || err != nil {
		t.Errorf("reading into nothing: %d, %v", n, err)
	}
	if err := c.SetReadDeadline(r.sim.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if over = r.call(900*time.Millisecond, read); *over {
		t.Errorf("before the deadline: %d, %v", n, err)
	}
	if r.pass(200 * time.Millisecond); !*over || err != os.ErrDeadlineExceeded {
		t.Errorf("after the deadline: %v, %v", *over, err)
	}
	c.SetReadDeadline(clock.Never)
	over = r.call(0, read)
	if r.talk(7, answer, 5, "", wire.FIN); !*over || n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	c.Close()
	for name, err := range map[string]error{
		"Close": c.Close(), "CloseRead": c.CloseRead(), "CloseWrite": c.CloseWrite(), "SetReadDeadline": c.SetReadDeadline(0),
		"SetWriteDeadline": c.SetWriteDeadline(0), "SetHopLimit": c.SetHopLimit(1), "SetHeader": c.SetHeader(Header{}),
		"Configure": c.Configure(func(*tcp.Config) {}), "SetQuickACK": c.SetQuickACK(1),
	} {
		if err != net.ErrClosed {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
	read()
	_, e1 := c.TryRead(nil)
	_, e2 := c.TryWrite([][]byte{{1}}, 0, false)
	_, e3 := c.Peek(0, nil)
	_, e4 := c.PeekLen(0, 1)
	_, e5 := c.TryWriteUrgent([]byte{1})
	_, _, e6 := c.ReadUrgent(false)
	_, e7 := c.Write([]byte{1})
	for i, err := range []error{err, e1, e2, e3, e4, e5, e6, e7} {
		if err != net.ErrClosed {
			t.Errorf("call %d after Close: %v", i, err)
		}
	}
}

// Write waits for room, and its turn; CloseWrite ends it.
func TestWrite(t *testing.T) {
	r := newRig(t, 1)
	c, answer := r.accepted(7)
	if err := c.Configure(func(cfg *tcp.Config) { cfg.SendBuffer = 8192 }); err != nil {
		t.Fatal(err)
	}
	var n int
	var err, err2 error
	over := r.call(0, func() { n, err = c.Write(make([]byte, 100000)) })
	if *over {
		t.Fatalf("wrote %d, %v", n, err)
	}
	second := r.call(0, func() { _, err2 = c.Write([]byte("behind it")) })
	if err := c.SetWriteDeadline(r.sim.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if s := c.Status(true); s.Writable || s.Unacked == 0 {
		t.Errorf("%+v", s)
	}
	r.pass(2 * time.Second)
	if !*over || err != os.ErrDeadlineExceeded || n == 0 || n == 100000 {
		t.Errorf("at the deadline: %v, %d, %v", *over, n, err)
	}
	if !*second || err2 != os.ErrDeadlineExceeded {
		t.Errorf("the second at the deadline: %v, %v", *second, err2)
	}
	c.SetWriteDeadline(clock.Never)
	if err := c.CloseWrite(); err != nil {
		t.Error(err)
	}
	if _, err := c.Write([]byte("x")); err != syscall.EPIPE {
		t.Errorf("after CloseWrite: %v", err)
	}
	if send, receive := c.Buffers(); send < 8192 || receive < 8192 {
		t.Errorf("buffers of %d and %d octets", send, receive)
	}
	r.send(peer4, wire.TCPHeader{SrcPort: 7, DstPort: 7, Seq: 1001, Ack: answer.Seq + 1, Flags: wire.RST | wire.ACK})
	if err := c.CloseWrite(); err != syscall.ENOTCONN {
		t.Errorf("CloseWrite after a RST: %v", err)
	}
	if err := c.CloseRead(); err != syscall.ENOTCONN {
		t.Errorf("CloseRead after a RST: %v", err)
	}
	if err := c.SetReadDeadline(0); err != nil {
		t.Errorf("a deadline after a RST: %v", err)
	}
}

// After CloseRead reading ends where nothing is queued.
func TestCloseRead(t *testing.T) {
	r := newRig(t, 1)
	c, answer := r.accepted(7)
	r.talk(7, answer, 0, "rest", 0)
	if err := c.CloseRead(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); string(got) != "rest" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// The calls that do not wait.
func TestTry(t *testing.T) {
	r := newRig(t, 1)
	l := r.listen(7, 1)
	if _, err := l.TryAccept(); err != syscall.EAGAIN {
		t.Errorf("TryAccept: %v", err)
	}
	answer := r.syn(peer4, 7, 7)
	r.ack(peer4, answer)
	c, err := l.TryAccept()
	if err != nil {
		t.Fatal(err)
	}
	if l.Close(); l.in.Closed() {
		if _, err := l.TryAccept(); err != net.ErrClosed {
			t.Errorf("TryAccept of a closed listener: %v", err)
		}
	}
	var a, b [3]byte
	both := [][]byte{a[:], nil, b[:]}
	for name, f := range map[string]func() (int, error){
		"TryRead": func() (int, error) { return c.TryRead(both) },
		"Peek":    func() (int, error) { return c.Peek(0, both) },
		"PeekLen": func() (int, error) { return c.PeekLen(0, 5) },
		"Discard": func() (int, error) { return c.Discard(5) },
	} {
		if n, err := f(); n != 0 || err != syscall.EAGAIN {
			t.Errorf("%s of nothing: %d, %v", name, n, err)
		}
	}
	r.talk(7, answer, 0, "abcdefgh", 0)
	if n, err := c.PeekLen(2, 100); n != 6 || err != nil {
		t.Errorf("PeekLen: %d, %v", n, err)
	}
	if n, err := c.Peek(1, both); n != 6 || err != nil || string(a[:])+string(b[:]) != "bcdefg" {
		t.Errorf("Peek: %d, %v, %q %q", n, err, a, b)
	}
	if n, err := c.TryRead(both); n != 6 || err != nil || string(a[:])+string(b[:]) != "abcdef" {
		t.Errorf("TryRead: %d, %v, %q %q", n, err, a, b)
	}
	r.talk(7, answer, 8, strings.Repeat("x", 1000), 0)
	if n, err := c.Discard(700); n != 700 || err != nil {
		t.Errorf("Discard: %d, %v", n, err)
	}
	if n, err := c.Discard(700); n != 302 || err != nil {
		t.Errorf("Discard of the rest: %d, %v", n, err)
	}
	// Writing: some octets are left out, and more is announced.
	r.got, r.data = nil, ""
	if n, err := c.TryWrite([][]byte{[]byte("skip"), []byte("pedhello"), []byte(" world")}, 7, false); n != 11 || err != nil {
		t.Errorf("TryWrite: %d, %v", n, err)
	}
	if r.pass(0); r.data != "hello world" {
		t.Errorf("sent %q", r.data)
	}
	if n, err := c.TryWrite(nil, 0, false); n != 0 || err != nil {
		t.Errorf("TryWrite of nothing: %d, %v", n, err)
	}
	r.got = nil
	c.TryWrite([][]byte{[]byte("more")}, 0, true)
	if r.pass(0); len(r.got) != 0 {
		t.Errorf("sent %+v though more is to come", r.got)
	}
	total := 0
	for total < 1<<24 {
		n, err := c.TryWrite([][]byte{make([]byte, 5000), make([]byte, 5000)}, 0, false)
		total += n
		if err == syscall.EAGAIN {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if total == 0 || total >= 1<<24 {
		t.Errorf("wrote %d octets", total)
	}
	r.talk(7, answer, 1008, "", wire.FIN)
	if n, err := c.Peek(0, both); n != 0 || err != io.EOF {
		t.Errorf("Peek at the end: %d, %v", n, err)
	}
	if n, err := c.TryRead(both); n != 0 || err != io.EOF {
		t.Errorf("TryRead at the end: %d, %v", n, err)
	}
	r.send(peer4, wire.TCPHeader{SrcPort: 7, DstPort: 7, Seq: 2010, Ack: answer.Seq + 1, Flags: wire.RST | wire.ACK})
	if n, err := c.TryWrite([][]byte{{1}}, 0, false); n != 0 || err != syscall.EPIPE {
		t.Errorf("TryWrite after a RST: %d, %v", n, err)
	}
}

// What a reset leaves is told by Peek too.
func TestPeekReset(t *testing.T) {
	r := newRig(t, 1)
	c, answer := r.accepted(7)
	r.send(peer4, wire.TCPHeader{SrcPort: 7, DstPort: 7, Seq: 1001, Ack: answer.Seq + 1, Flags: wire.RST | wire.ACK})
	if n, err := c.Peek(0, [][]byte{make([]byte, 1)}); n != 0 || err != syscall.ECONNRESET {
		t.Errorf("%d, %v", n, err)
	}
}

// RFC 9293, 3.8.5, at the socket.
func TestUrgent(t *testing.T) {
	r := newRig(t, 1)
	c, answer := r.accepted(7)
	r.got = nil
	if n, err := c.TryWriteUrgent([]byte("now")); n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if r.pass(0); len(r.got) != 1 || r.got[0].Flags&wire.URG == 0 || r.data != "now" {
		t.Errorf("sent %+v %q", r.got, r.data)
	}
	if _, _, err := c.ReadUrgent(false); err != syscall.EINVAL {
		t.Errorf("without urgent data: %v", err)
	}
	r.sendData(peer4, wire.TCPHeader{SrcPort: 7, DstPort: 7, Seq: 1001, Ack: answer.Seq + 1, Flags: wire.ACK | wire.URG, Urgent: 3}, "abcd")
	for _, peek := range []bool{true, false} {
		if b, n, err := c.ReadUrgent(peek); b != 'c' || n != 1 || err != nil {
			t.Errorf("%c, %d, %v", b, n, err)
		}
	}
	if c.AtMark() {
		t.Error("at the mark in the beginning")
	}
	if n, err := c.Discard(2); n != 2 || err != nil || !c.AtMark() {
		t.Errorf("before the mark %d, %v, at it: %v", n, err, c.AtMark())
	}
	for err := error(nil); err == nil; { // until there is no room
		_, err = c.TryWrite([][]byte{make([]byte, 50000)}, 0, false)
	}
	if n, err := c.TryWriteUrgent([]byte("!")); n != 0 || err != syscall.EAGAIN {
		t.Errorf("without room: %d, %v", n, err)
	}
	c.CloseWrite()
	if _, err := c.TryWriteUrgent([]byte("!")); err != syscall.EPIPE {
		t.Errorf("after CloseWrite: %v", err)
	}
}

// events notes what somebody is told.
type events struct{ got ready.Events }

func (e *events) Notify(ev ready.Events) { e.got |= ev }

func (e *events) take() ready.Events {
	ev := e.got
	e.got = 0
	return ev
}

// Who watches is told of data, of room, of urgent data and of every state.
func TestNotify(t *testing.T) {
	r := newRig(t, 1)
	l := r.listen(7, 3)
	var of events
	l.Notify(&of)
	answer := r.syn(peer4, 7, 7)
	if ev := of.take(); ev != 0 {
		t.Errorf("told %#x after the SYN", ev)
	}
	if r.ack(peer4, answer); of.take() != ready.Read || l.Waiting() != 1 {
		t.Error("not told of a connection to accept")
	}
	c, err := l.TryAccept()
	if err != nil {
		t.Fatal(err)
	}
	if l.SetBacklog(1 << 20); l.Backlog() != 4096 {
		t.Errorf("a backlog of %d", l.Backlog())
	}
	if l.Close(); of.take() != ready.All {
		t.Error("not told of the end of the listener")
	}
	c.Notify(&of)
	want := func(what string, ev ready.Events) {
		t.Helper()
		if got := of.take(); got != ev {
			t.Errorf("%s: told %#x, want %#x", what, got, ev)
		}
	}
	r.talk(7, answer, 0, "abc", 0)
	want("data", ready.Read|ready.Pri)
	c.Configure(func(cfg *tcp.Config) { cfg.ReceiveLowWater = 100 })
	r.talk(7, answer, 3, "abc", 0)
	want("less than SO_RCVLOWAT", 0)
	c.Configure(func(cfg *tcp.Config) { cfg.ReceiveLowWater = 1 })
	r.sendData(peer4, wire.TCPHeader{SrcPort: 7, DstPort: 7, Seq: 1007, Ack: answer.Seq + 1, Flags: wire.ACK | wire.URG, Urgent: 1}, "!")
	want("urgent data", ready.Read|ready.Pri)
	n, _ := c.TryWrite([][]byte{make([]byte, 1000)}, 0, false)
	r.send(peer4, wire.TCPHeader{SrcPort: 7, DstPort: 7, Seq: 1008, Ack: answer.Seq + 1 + uint32(n), Flags: wire.ACK})
	want("an ACK that nobody waits for", 0)
	total := uint32(n)
	for err := error(nil); err == nil; {
		n, err = c.TryWrite([][]byte{make([]byte, 50000)}, 0, false)
		total += uint32(n)
	}
	want("no room", 0)
	for range 100 {
		if i := c.Info(); i.Unacked == 0 {
			break
		}
		q := c.Status(true)
		sent := total - uint32(q.Unsent)
		r.send(peer4, wire.TCPHeader{SrcPort: 7, DstPort: 7, Seq: 1008, Ack: answer.Seq + 1 + sent, Flags: wire.ACK})
	}
	want("room", ready.Write)
	c.Configure(func(cfg *tcp.Config) { cfg.ReceiveErrors = true })
	c.TryWrite([][]byte{make([]byte, 10)}, 0, false)
	r.complain(c, wire.ICMPv4DestUnreachable, wire.ICMPv4PortUnreachable, 0, answer.Seq+1+total)
	want("an ICMP error that was asked for", ready.Err)
	if s := c.Status(false); s.Pending != syscall.ECONNREFUSED || c.TakePending() != syscall.ECONNREFUSED || c.TakePending() != 0 {
		t.Errorf("%+v", s)
	}
	r.send(peer4, wire.TCPHeader{SrcPort: 7, DstPort: 7, Seq: 1008, Ack: answer.Seq + 1 + total, Flags: wire.ACK | wire.FIN})
	want("the end", ready.All)
	c.Notify(nil)
	c.Abort()
	want("nobody watches", 0)
}

// Open tells its Watcher.
func TestOpenWatched(t *testing.T) {
	r := newRig(t, 1)
	var of events
	if _, err := r.tcp.Open(OpenConfig{Remote: flow.Endpoint{Addr: peer4, Port: 80}, Watcher: &of}); err != nil {
		t.Fatal(err)
	}
	r.pass(0)
	if of.take() != 0 {
		t.Error("told of the SYN")
	}
	syn := r.got[0]
	r.send(peer4, wire.TCPHeader{SrcPort: 80, DstPort: syn.SrcPort, Seq: 7000, Ack: syn.Seq + 1, Flags: wire.RST | wire.ACK})
	if of.take() != ready.All {
		t.Error("not told of the RST")
	}
}

// What is chosen of the internet header is in the packets, and what is known of the path can be asked for.
func TestChosenHeader(t *testing.T) {
	r := newRig(t, 1)
	c, _ := r.accepted(7)
	if err := c.SetHopLimit(33); err != nil {
		t.Fatal(err)
	}
	if err := c.SetTrafficClass(0xb9); err != nil {
		t.Fatal(err)
	}
	p := r.tcp.params(&c.key, &c.header)
	if p.HopLimit != 33 || p.TrafficClass != 0xb9 || c.PathMTU() != 1500 {
		t.Errorf("%+v, path MTU %d", p, c.PathMTU())
	}
	if err := c.SetQuickACK(0); err != nil || c.QuickACK() {
		t.Errorf("quick ACKs: %v, %v", c.QuickACK(), err)
	}
	if c.SetQuickACK(1); !c.QuickACK() {
		t.Error("no quick ACKs")
	}
	h := Headers{V4: Header{HopLimit: 4}, V6: Header{HopLimit: 6}}
	if h.of(us4).HopLimit != 4 || h.of(us6).HopLimit != 6 {
		t.Errorf("%+v", h)
	}
}

// A list of sockets has listeners and connections.
func TestList(t *testing.T) {
	r := newRig(t, 2)
	c, answer := r.accepted(7)
	r.talk(7, answer, 0, "unread", 0)
	r.ack(peer4, r.syn(peer4, 9, 7))
	c.TryWrite([][]byte{make([]byte, 10)}, 0, false)
	all := r.tcp.List(r.shards)
	if len(all) != 3 || all[0].Info.State != tcp.Listen || all[0].Unread != 1 || all[0].Local.Port != 7 {
		t.Fatalf("%+v", all)
	}
	for _, s := range all[1:] {
		if s.Local != c.Local() || s.Remote.Addr != peer4 || s.Info.State != tcp.Established {
			t.Errorf("%+v", s)
		}
		if s.Remote.Port == 7 && (s.Unread != 6 || s.Unacked != 10) {
			t.Errorf("%d unread, %d unacknowledged", s.Unread, s.Unacked)
		}
	}
}

// story is a Log that writes down what it is told.
type story struct{ bytes.Buffer }

func (s *story) State(_ clock.Instant, from, to tcp.State) {
	s.WriteString(from.String() + "→" + to.String() + " ")
}
func (s *story) Recovery(_ clock.Instant, from, to string) { s.WriteString(from + "→" + to + " ") }
func (s *story) Retransmitted(_ clock.Instant, _ tcp.Seq, _ int, why string) {
	s.WriteString("again ")
}
func (s *story) Path(_ clock.Instant, p tcp.Path, _ int) { s.WriteString(p.String() + " ") }
func (s *story) Episode(_ clock.Instant, e *tcp.Episode) { s.WriteString(e.State + " over ") }
func (s *story) Metrics(_ clock.Instant, m *tcp.Metrics) {
	if m.InFlight > 0 {
		s.WriteString("flight ")
	}
}

// A log is told how the connection stands, and then what changes.
func TestLog(t *testing.T) {
	r := newRig(t, 1)
	c, answer := r.accepted(7)
	var s story
	c.SetLog(&s)
	c.TryWrite([][]byte{[]byte("lost")}, 0, false)
	r.pass(400 * time.Millisecond)
	got := s.String()
	if !strings.HasPrefix(got, "CLOSED→ESTABLISHED flight ") || !strings.Contains(got, "retransmission timeout ") || !strings.Contains(got, "again ") {
		t.Errorf("told %q", got)
	}
	c.SetLog(nil)
	s.Reset()
	r.send(peer4, wire.TCPHeader{SrcPort: 7, DstPort: 7, Seq: 1001, Ack: answer.Seq + 1, Flags: wire.RST | wire.ACK})
	if s.Len() != 0 {
		t.Errorf("told %q when it was over", &s)
	}
}
