package tcpsock

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/wire"
)

// crowd makes so many connections that those before rest, if they may.
func (r *rig) crowd(l *Listener) {
	r.Helper()
	for range mostAwake {
		r.crowded++
		r.ack(peer4, r.syn(peer4, 20_000+r.crowded, 80))
		if _, err := r.accept(l); err != nil {
			r.Fatal(err)
		}
	}
}

// resting returns a connection that rests, and the SYN,ACK it was answered with.
func (r *rig) resting(l *Listener, port uint16) (*Conn, wire.TCPHeader) {
	r.Helper()
	answer := r.syn(peer4, port, 80)
	r.ack(peer4, answer)
	c, err := r.accept(l)
	if err != nil {
		r.Fatal(err)
	}
	r.crowd(l)
	if c.tcb != nil || c.state() != tcp.Established {
		r.Fatalf("it does not rest, in %v", c.state())
	}
	return c, answer
}

// A connection that rests does whatever it is there for.
func TestRest(t *testing.T) {
	r := newRig(t, 1)
	l := r.listen(80, 10)
	segment := func(port uint16, a wire.TCPHeader, data string, flags wire.TCPFlags) {
		r.got = nil
		r.sendData(peer4, wire.TCPHeader{SrcPort: port, DstPort: 80, Seq: 1001, Ack: a.Seq + 1, Flags: wire.ACK | flags}, data)
	}
	t.Run("data comes", func(t *testing.T) {
		c, a := r.resting(l, 5000)
		segment(5000, a, "hello", 0)
		var b [10]byte
		if n, err := c.Read(b[:]); string(b[:n]) != "hello" || err != nil {
			t.Errorf("read %q, %v", b[:n], err)
		}
	})
	t.Run("somebody reads already", func(t *testing.T) {
		a := r.syn(peer4, 5001, 80)
		r.ack(peer4, a)
		c, err := r.accept(l)
		if err != nil {
			t.Fatal(err)
		}
		var b [10]byte
		var n int
		over := r.call(0, func() { n, err = c.Read(b[:]) })
		if r.crowd(l); c.tcb != nil || *over {
			t.Fatal("it does not rest")
		}
		if segment(5001, a, "hello", 0); !*over || string(b[:n]) != "hello" || err != nil {
			t.Errorf("read %q, %v", b[:n], err)
		}
	})
	t.Run("data is written", func(t *testing.T) {
		c, _ := r.resting(l, 5002)
		r.call(0, func() { c.Write([]byte("hello")) })
		if r.data != "hello" {
			t.Errorf("sent %q", r.data)
		}
	})
	t.Run("a FIN comes", func(t *testing.T) {
		c, a := r.resting(l, 5003)
		segment(5003, a, "", wire.FIN)
		if r.pass(time.Millisecond); c.state() != tcp.CloseWait || len(r.got) != 1 || r.got[0].Ack != 1002 {
			t.Errorf("in %v, sent %+v", c.state(), r.got)
		}
	})
	t.Run("a RST comes", func(t *testing.T) {
		c, a := r.resting(l, 5004)
		segment(5004, a, "", wire.RST)
		if _, err := c.Read(make([]byte, 1)); err != syscall.ECONNRESET {
			t.Errorf("read %v", err)
		}
	})
	t.Run("closed", func(t *testing.T) {
		c, _ := r.resting(l, 5005)
		r.got = nil
		r.call(0, func() { c.Close() })
		if len(r.got) != 1 || r.got[0].Flags != wire.FIN|wire.ACK || c.state() != tcp.FinWait1 {
			t.Errorf("in %v, sent %+v", c.state(), r.got)
		}
	})
	t.Run("aborted", func(t *testing.T) {
		c, _ := r.resting(l, 5006)
		r.got = nil
		r.call(0, func() { c.Abort() })
		if len(r.got) != 1 || r.got[0].Flags&wire.RST == 0 || c.tcb != nil || c.state() != tcp.Closed {
			t.Errorf("in %v, sent %+v", c.state(), r.got)
		}
	})
	t.Run("kept alive", func(t *testing.T) {
		a := r.syn(peer4, 5007, 80)
		r.ack(peer4, a)
		c, err := r.accept(l)
		if err != nil {
			t.Fatal(err)
		}
		c.Configure(func(cfg *tcp.Config) { cfg.KeepAlive, cfg.KeepAliveIdle = true, time.Minute })
		if r.crowd(l); c.tcb != nil {
			t.Fatal("it does not rest")
		}
		if r.pass(59 * time.Second); c.tcb != nil {
			t.Fatal("it woke up early")
		}
		if r.pass(2 * time.Second); len(r.got) == 0 || r.got[len(r.got)-1].Seq != a.Seq {
			t.Errorf("sent %+v", r.got)
		}
	})
	t.Run("looked at", func(t *testing.T) {
		c, _ := r.resting(l, 5008)
		if i := c.Info(); i.State != tcp.Established || i.MSS == 0 {
			t.Errorf("%+v", i)
		}
		if r.crowd(l); c.tcb != nil {
			t.Error("it does not rest again")
		}
		if s := c.Status(true); s.State != tcp.Established || s.Readable || !s.Writable {
			t.Errorf("%+v", s)
		}
		if r.tcp.List(r.shards); c.Config().MaxRTO == 0 {
			t.Error("no settings")
		}
	})
}

// A connection that has been of use rests once it has been quiet for a while, and others keep the shard busy.
func TestRestSweep(t *testing.T) {
	r := newRig(t, 1)
	l := r.listen(80, 10)
	c, a := r.accepted(7)
	r.talk(7, a, 0, "hello", 0)
	if n, err := c.Read(make([]byte, 10)); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	if r.crowd(l); c.tcb == nil {
		t.Fatal("it rests though data has just come")
	}
	busy := r.syn(peer4, 5000, 80)
	r.ack(peer4, busy)
	other, err := r.accept(l)
	if err != nil {
		t.Fatal(err)
	}
	for range restAfter/time.Second + 2 {
		r.pass(time.Second)
		for range 8 * sweepEvery {
			r.send(peer4, wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 1001, Ack: busy.Seq + 1, Flags: wire.ACK})
		}
	}
	if c.tcb != nil || other.tcb == nil {
		t.Fatalf("the quiet one rests: %v, the busy one: %v", c.tcb == nil, other.tcb == nil)
	}
	r.talk(7, a, 5, "again", 0)
	b := make([]byte, 10)
	if n, err := c.Read(b); string(b[:n]) != "again" || err != nil {
		t.Errorf("read %q, %v", b[:n], err)
	}
}

// A connection that is over and closed gives its TCB back, and its methods can be called all the same.
func TestBury(t *testing.T) {
	r := newRig(t, 1)
	c, a := r.accepted(7)
	r.talk(7, a, 0, "hello", 0)
	if n, err := c.Read(make([]byte, 10)); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	r.call(0, func() { c.Close() })
	if c.tcb == nil {
		t.Fatal("it is not over yet")
	}
	was := c.Info()
	r.send(peer4, wire.TCPHeader{SrcPort: 7, DstPort: 7, Seq: 1006, Ack: a.Seq + 2, Flags: wire.ACK | wire.FIN})
	if c.tcb != nil || c.state() != tcp.Closed || r.conns() != 0 {
		t.Fatalf("it keeps its TCB, in %v", c.state())
	}
	_, err := c.Read(make([]byte, 1))
	_, werr := c.Write(make([]byte, 1))
	for _, err := range []error{err, werr, c.Close(), c.CloseRead(), c.Configure(func(*tcp.Config) {})} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v", err)
		}
	}
	c.Abort()
	if i := c.Info(); i.State != tcp.Closed || i.BytesReceived != 6 || i.SegmentsIn != was.SegmentsIn+1 || i.RTT != was.RTT ||
		i.CongestionWindow != was.CongestionWindow || c.Config().MaxRTO == 0 || c.Status(true).State != tcp.Closed {
		t.Errorf("%+v", i)
	}
}

// A connection that rests is not woken up by a timer for what has happened long ago, the answer to its SYN.
func TestRestsOn(t *testing.T) {
	r := newRig(t, 1)
	var first *Conn
	for range mostAwake + 1 {
		r.got = nil
		c, err := r.tcp.Open(OpenConfig{Remote: flow.Endpoint{Addr: peer4, Port: 80}})
		if err != nil {
			t.Fatal(err)
		}
		r.pass(0)
		if len(r.got) != 1 {
			t.Fatalf("sent %+v", r.got)
		}
		syn := r.got[0]
		r.send(peer4, wire.TCPHeader{SrcPort: 80, DstPort: syn.SrcPort, Seq: 9000, Ack: syn.Seq + 1, Flags: wire.SYN | wire.ACK})
		if c.state() != tcp.Established {
			t.Fatalf("in %v", c.state())
		}
		if first == nil {
			first = c
		}
		r.pass(10 * time.Millisecond)
	}
	for range 1000 {
		if first.tcb != nil {
			t.Fatalf("awake at %v", r.sim.Now())
		}
		r.pass(5 * time.Millisecond)
	}
}

// What there is of a connection before and after it is a fraction of it.
func TestSizes(t *testing.T) {
	whole := unsafe.Sizeof(Conn{}) + unsafe.Sizeof(tcp.TCB{})
	for name, s := range map[string][2]uintptr{
		"SYN-RECEIVED":          {unsafe.Sizeof(embryo{}), 160},
		"TIME-WAIT":             {unsafe.Sizeof(remnant{}), 208},
		"a connection, resting": {unsafe.Sizeof(Conn{}), 384},
	} {
		if t.Logf("%s: %d octets of %d", name, s[0], whole); s[0] > s[1] || s[0] > whole/4 {
			t.Errorf("%s: %d octets, more than %d or than a quarter of %d", name, s[0], s[1], whole)
		}
	}
}
