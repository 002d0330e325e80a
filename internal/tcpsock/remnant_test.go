package tcpsock

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// finish opens a connection to peer4's port 80 from port 4000 and closes it as far as TIME-WAIT; with or without
// timestamps. It returns the number behind our FIN.
func (r *rig) finish(stamps bool) uint32 {
	r.Helper()
	r.got = nil
	c, err := r.tcp.Open(OpenConfig{Local: flow.Endpoint{Port: 4000}, Remote: flow.Endpoint{Addr: peer4, Port: 80}})
	r.pass(0)
	if err != nil || len(r.got) != 1 {
		r.Fatal(err)
	}
	iss, o := r.got[0].Seq, wire.TCPOptions{}
	stamp := func(v uint32) wire.TCPOptions {
		if o = (wire.TCPOptions{}); stamps {
			o = wire.TCPOptions{HasTimestamps: true, TSVal: v, TSEcr: r.options.TSVal}
		}
		return o
	}
	r.send(peer4, wire.TCPHeader{SrcPort: 80, DstPort: 4000, Seq: 7000, Ack: iss + 1, Flags: wire.SYN | wire.ACK, Options: stamp(1)})
	r.sim.Start("close", func() { c.Close() })
	r.pass(0)
	r.send(peer4, wire.TCPHeader{SrcPort: 80, DstPort: 4000, Seq: 7001, Ack: iss + 2, Flags: wire.FIN | wire.ACK, Options: stamp(2)})
	if r.conns() != 0 || r.tcp.waiting.Load() != 1 {
		r.Fatalf("%d connections, %d remnants", r.conns(), r.tcp.waiting.Load())
	}
	return iss + 2
}

// tcp_tw_reuse: an own dial takes the place of a connection in TIME-WAIT if that had timestamps, and a second has passed; its
// initial sequence number is above what the old one has used.
func TestRedial(t *testing.T) {
	for _, row := range []struct {
		name   string
		reuse  int
		stamps bool
		after  time.Duration
		ok     bool
	}{
		{"may", 1, true, 1100 * time.Millisecond, true},
		{"too early", 1, true, 900 * time.Millisecond, false},
		{"without timestamps", 1, false, 10 * time.Second, false},
		{"never", 0, true, 10 * time.Second, false},
		{"on loopback only", 2, true, 10 * time.Second, false},
		{"after two MSL", 0, false, 61 * time.Second, true},
	} {
		r := newRig(t, 1)
		r.set(func(l *Limits) { l.TimeWaitReuse = row.reuse })
		next := r.finish(row.stamps)
		r.pass(row.after)
		r.got = nil
		_, err := r.tcp.Open(OpenConfig{Local: flow.Endpoint{Port: 4000}, Remote: flow.Endpoint{Addr: peer4, Port: 80}})
		r.pass(0)
		if row.ok != (err == nil) {
			t.Errorf("%s: %v", row.name, err)
		}
		if !row.ok || row.after > time.Minute {
			continue
		}
		if len(r.got) != 1 || r.got[0].Flags != wire.SYN || int32(r.got[0].Seq-next) < 65535 {
			t.Errorf("%s: sent %+v, the old one's next number is %d", row.name, r.got, next)
		}
		if r.tcp.waiting.Load() != 0 || r.count(mib.TcpExtTWRecycled) != 1 {
			t.Errorf("%s: %d remnants", row.name, r.tcp.waiting.Load())
		}
	}
}

// Several remnants, forgotten in another order than they came to be.
func TestRemnantsGo(t *testing.T) {
	r := newRig(t, 1)
	l := r.listen(80, 10)
	for port := range uint16(3) {
		a := r.syn(peer4, 5000+port, 80)
		r.ack(peer4, a)
		c, err := r.accept(l)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		r.send(peer4, wire.TCPHeader{SrcPort: 5000 + port, DstPort: 80, Seq: 1001, Ack: a.Seq + 2, Flags: wire.ACK})
	}
	// In FIN-WAIT-2 a RST is the end, and data is answered by one: nobody reads it any more.
	r.send(peer4, wire.TCPHeader{SrcPort: 5001, DstPort: 80, Seq: 1001, Flags: wire.RST})
	if r.tcp.waiting.Load() != 2 || r.count(mib.TcpExtTWKilled) != 1 {
		t.Errorf("%d remnants after a RST", r.tcp.waiting.Load())
	}
	ack := r.tcp.tables[0].firstRemnant.NextISS() - 65537
	r.got = nil
	r.sendData(peer4, wire.TCPHeader{SrcPort: 5002, DstPort: 80, Seq: 1001, Ack: uint32(ack), Flags: wire.ACK}, "late")
	if r.tcp.waiting.Load() != 1 || len(r.got) != 1 || r.got[0].Flags&wire.RST == 0 {
		t.Errorf("%d remnants after data, which was answered by %+v", r.tcp.waiting.Load(), r.got)
	}
	tab := &r.tcp.tables[0]
	if tab.firstRemnant == nil || tab.firstRemnant.next != nil || tab.firstRemnant.key.RemotePort() != 5000 {
		t.Error("the list is wrong")
	}
	r.pass(2 * time.Minute)
	if r.tcp.waiting.Load() != 0 || tab.firstRemnant != nil {
		t.Errorf("%d remnants in the end", r.tcp.waiting.Load())
	}
}

// Whoever listens to events is told of a connection's way, also when nothing but a remnant is left of it.
func TestTrace(t *testing.T) {
	r := newRig(t, 1)
	var got []string
	r.tcp.tracer = new(trace.Tracer)
	defer r.tcp.tracer.Add(sink(func(e *trace.Event) {
		if e.Kind == trace.TCPStateChanged && e.Src == us4 && e.Dst == peer4 && e.SrcPort == 4000 && e.DstPort == 80 {
			got = append(got, e.To)
		}
	}))()
	r.finish(false)
	r.pass(2 * time.Minute)
	want := []string{"SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSED"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

type sink func(*trace.Event)

func (f sink) Trace(e *trace.Event) { f(e) }

// The stack's Close waits until what was written is acknowledged, and the FIN; then it resets what is left, and says how many.
func TestLayerClose(t *testing.T) {
	r := newRig(t, 2)
	l := r.listen(80, 10)
	open := func(port uint16) (*Conn, uint32) {
		a := r.syn(peer4, port, 80)
		r.ack(peer4, a)
		c, err := r.accept(l)
		if err != nil {
			t.Fatal(err)
		}
		return c, a.Seq
	}
	polite, iss := open(5000)
	mute, _ := open(5001)
	half, iss2 := open(5002)
	half.Close()
	r.send(peer4, wire.TCPHeader{SrcPort: 5002, DstPort: 80, Seq: 1001, Ack: iss2 + 2, Flags: wire.ACK})
	if r.tcp.waiting.Load() != 1 {
		t.Fatal("not in FIN-WAIT-2")
	}
	r.sim.Start("write", func() { polite.Write([]byte("bye")); mute.Write([]byte("hello?")) })
	r.pass(0)
	ctx, cancel := r.sim.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	reset, closed := 0, false
	r.sim.Start("close", func() { reset, closed = r.tcp.Close(ctx, r.shards), true })
	r.pass(time.Second)
	if closed {
		t.Fatal("Close did not wait")
	}
	if _, err := r.tcp.Open(OpenConfig{Remote: flow.Endpoint{Addr: peer4, Port: 80}}); err == nil {
		t.Error("a new connection while the stack closes")
	}
	r.send(peer4, wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 1001, Ack: iss + 5, Flags: wire.ACK})
	r.got = nil
	r.pass(5 * time.Second)
	if !closed || reset != 1 || ctx.Err() != context.DeadlineExceeded {
		t.Errorf("closed: %v, %d reset", closed, reset)
	}
	resets := make(map[uint16]bool)
	for _, h := range r.got {
		if h.Flags&wire.RST != 0 {
			resets[h.DstPort] = true
		}
	}
	// The peers that may still send are told that nobody listens: those in FIN-WAIT-2, with a TCB or without.
	if !resets[5000] || !resets[5001] || !resets[5002] {
		t.Errorf("reset %v", resets)
	}
	if r.conns() != 0 || r.tcp.waiting.Load() != 0 || mute.state() != tcp.Closed {
		t.Errorf("%d connections, %d remnants left", r.conns(), r.tcp.waiting.Load())
	}
}
