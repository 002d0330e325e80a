package capture

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/linktest"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

func batch(frames ...*packet.Buffer) *packet.Batch {
	b := new(packet.Batch)
	for _, f := range frames {
		b.Push(f)
	}
	return b
}

func TestConformance(t *testing.T) {
	linktest.Test(t, func(t *testing.T) (a, b link.Link) {
		rt := clock.NewReal()
		w := NewWriter(new(bytes.Buffer), Config{})
		x, y := mem.Pair(mem.Config{Runtime: rt, Limit: 20})
		return New(rt, x, w, "a"), New(rt, y, w, "b")
	})
}

// captured is one frame in a file.
type captured struct {
	iface, flags uint32
	at           int64 // ns
	data         []byte
	length       int
	comment      string
}

// read takes a file apart, checking the form of every block.
func read(t *testing.T, file []byte) (interfaces []string, frames []captured) {
	t.Helper()
	options := func(b []byte) map[uint16]string {
		m := map[uint16]string{}
		for len(b) >= 4 {
			code, n := le.Uint16(b), int(le.Uint16(b[2:]))
			if code == optEnd {
				if n != 0 || len(b) != 4 {
					t.Errorf("%d octets behind the end of options", len(b)-4)
				}
				return m
			}
			m[code] = string(b[4 : 4+n])
			b = b[4+(n+3)&^3:]
		}
		t.Error("options without end")
		return m
	}
	for i := 0; len(file) > 0; i++ {
		kind, n := le.Uint32(file), int(le.Uint32(file[4:]))
		if n%4 != 0 || n > len(file) || int(le.Uint32(file[n-4:])) != n {
			t.Fatalf("block %d, of type %#x, has lengths %d and %d", i, kind, n, le.Uint32(file[n-4:]))
		}
		body := file[8 : n-4]
		file = file[n:]
		switch kind {
		case blockSection:
			if i != 0 || le.Uint32(body) != byteOrderMagic {
				t.Errorf("section header at block %d with magic %#x", i, le.Uint32(body))
			}
		case blockInterface:
			o := options(body[8:])
			if o[optTSResol] != "\x09" {
				t.Errorf("time resolution %q", o[optTSResol])
			}
			interfaces = append(interfaces, fmt.Sprintf("%s type %d", o[optIfName], le.Uint16(body)))
		case blockPacket:
			c := captured{iface: le.Uint32(body), at: int64(le.Uint32(body[4:]))<<32 | int64(le.Uint32(body[8:]))}
			kept := int(le.Uint32(body[12:]))
			c.length = int(le.Uint32(body[16:]))
			c.data = body[20 : 20+kept]
			o := options(body[20+(kept+3)&^3:])
			c.flags, c.comment = le.Uint32([]byte(o[optFlags])), o[optComment]
			frames = append(frames, c)
		default:
			t.Errorf("block of type %#x", kind)
		}
	}
	return interfaces, frames
}

func TestBothDirections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var file bytes.Buffer
		rt := clock.NewReal()
		w := NewWriter(&file, Config{})
		x, y := mem.Pair(mem.Config{Runtime: rt, Addr: []wire.MAC{{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}}})
		l := New(rt, x, w, "eth0")
		var r linktest.Recorder
		l.Attach(&r)
		y.Attach(&linktest.Recorder{})
		began := time.Now()
		l.Send(0, batch(linktest.Frame(l.Info(), y.Info(), 0, 0, 61)))
		time.Sleep(1234567 * time.Nanosecond)
		f := linktest.Frame(y.Info(), l.Info(), 0, 0, 62)
		copy(f.Bytes(), wire.BroadcastMAC[:])
		y.Send(0, batch(f))
		f = linktest.Frame(y.Info(), l.Info(), 0, 1, 63)
		f.Bytes()[0] |= 1
		y.Send(0, batch(f))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		l.Send(0, batch(linktest.Frame(l.Info(), y.Info(), 0, 1, 64)))
		if err := w.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
		r.Check(t, 2)

		interfaces, frames := read(t, file.Bytes())
		if want := []string{"eth0 type 1"}; !slices.Equal(interfaces, want) {
			t.Errorf("interfaces %q, want %q", interfaces, want)
		}
		want := []struct {
			flags  uint32
			at     time.Duration
			length int
		}{
			{flagOutbound | flagUnicast, 0, 61},
			{flagInbound | flagBroadcast, 1234567, 62},
			{flagInbound | flagMulticast, 1234567, 63},
		}
		if len(frames) != len(want) {
			t.Fatalf("%d frames, want %d", len(frames), len(want))
		}
		for i, f := range frames {
			at := time.Duration(f.at - began.UnixNano())
			if f.flags != want[i].flags || at != want[i].at || f.length != want[i].length || len(f.data) != f.length {
				t.Errorf("frame %d: flags %#x at %v, %d octets of %d; want %+v", i, f.flags, at, len(f.data), f.length, want[i])
			}
		}
	})
}

func TestSnapLen(t *testing.T) {
	var file bytes.Buffer
	rt := clock.NewReal()
	w := NewWriter(&file, Config{SnapLen: 33})
	x, y := mem.Pair(mem.Config{Runtime: rt, Medium: link.IP})
	l := New(rt, x, w, "tun0")
	l.Send(0, batch(linktest.Frame(l.Info(), y.Info(), 0, 0, 100)))
	w.Close()
	interfaces, frames := read(t, file.Bytes())
	if want := []string{"tun0 type 101"}; !slices.Equal(interfaces, want) {
		t.Errorf("interfaces %q, want %q", interfaces, want)
	}
	if len(frames) != 1 || len(frames[0].data) != 33 || frames[0].length != 100 || frames[0].flags != flagOutbound {
		t.Errorf("frames %+v, want one with 33 octets of 100", frames)
	}
}

// A frame that causes another is in the file before it, though its own Send returns later.
func TestOrderIsThatOfCauses(t *testing.T) {
	var file bytes.Buffer
	rt := clock.NewReal()
	w := NewWriter(&file, Config{})
	x, y := mem.Pair(mem.Config{Runtime: rt})
	a, b := New(rt, x, w, "a"), New(rt, y, w, "b")
	a.Attach(&linktest.Recorder{})
	b.Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
		p.Free()
		b.Send(0, batch(linktest.Frame(b.Info(), a.Info(), 0, 1, 64)))
	}})
	a.Send(0, batch(linktest.Frame(a.Info(), b.Info(), 0, 0, 64)))
	w.Close()
	var got []string
	_, frames := read(t, file.Bytes())
	for _, f := range frames {
		got = append(got, fmt.Sprintf("%c %d", "ab"[f.iface], f.flags&3))
	}
	if want := []string{"a 2", "b 1", "b 2", "a 1"}; !slices.Equal(got, want) {
		t.Errorf("interface and direction %q, want %q", got, want)
	}
}

// What the link does not take is not in the file, and once it is.
func TestOnlyWhatIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var file bytes.Buffer
		rt := clock.NewReal()
		w := NewWriter(&file, Config{})
		x, y := mem.Pair(mem.Config{Runtime: rt, Limit: 2})
		l := New(rt, x, w, "a")
		release := make(chan struct{})
		y.Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
			p.Free()
			<-release
		}})
		go l.Send(0, batch(linktest.Frame(l.Info(), y.Info(), 0, 0, 64)))
		synctest.Wait()
		b := batch()
		for seq := uint32(1); seq < 5; seq++ {
			b.Push(linktest.Frame(l.Info(), y.Info(), 0, seq, 64))
		}
		l.Send(0, b)
		if b.Len() != 2 {
			t.Fatalf("%d frames left, want 2", b.Len())
		}
		close(release)
		synctest.Wait()
		l.Send(0, b)
		w.Close()
		_, frames := read(t, file.Bytes())
		var got []uint32
		for _, f := range frames {
			_, seq, _ := linktest.Number(packet.From(f.data))
			got = append(got, seq)
		}
		if want := []uint32{0, 1, 2, 3, 4}; !slices.Equal(got, want) {
			t.Errorf("frames %v, want %v", got, want)
		}
	})
}

func TestCommentOnDroppedFrame(t *testing.T) {
	drop := func(l *Link, p *packet.Buffer) {
		l.Trace(&trace.Event{Kind: trace.PacketDropped, Reason: "for a test", Packet: p})
	}
	tests := []struct {
		name    string
		cfg     Config
		deliver func(l *Link, p *packet.Buffer)
		comment bool
	}{
		{"passed on", Config{}, func(l *Link, p *packet.Buffer) {}, false},
		{"dropped", Config{}, drop, true},
		{"another event", Config{}, func(l *Link, p *packet.Buffer) {
			l.Trace(&trace.Event{Kind: trace.ICMPSent, Packet: p})
		}, false},
		{"dropped behind its headers", Config{}, func(l *Link, p *packet.Buffer) {
			p.TrimFront(14)
			p.TrimFront(20)
			drop(l, p)
		}, true},
		{"dropped without its padding", Config{}, func(l *Link, p *packet.Buffer) {
			p.Truncate(50)
			drop(l, p)
		}, true},
		{"dropped after it was changed to be forwarded", Config{}, func(l *Link, p *packet.Buffer) {
			p.Bytes()[0] ^= 0xff
			p.Bytes()[14+8]--
			drop(l, p)
		}, true},
		{"little of it kept", Config{SnapLen: 20}, drop, true},
		{"another packet dropped", Config{}, func(l *Link, p *packet.Buffer) {
			drop(l, linktest.Frame(l.Info(), l.Info(), 0, 0, 100))
		}, false},
		{"another packet in the same buffer dropped", Config{}, func(l *Link, p *packet.Buffer) {
			for i := range p.Bytes() {
				p.Bytes()[i] += 3
			}
			drop(l, p)
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var file bytes.Buffer
			rt := clock.NewReal()
			w := NewWriter(&file, tt.cfg)
			x, y := mem.Pair(mem.Config{Runtime: rt})
			l, other := New(rt, x, w, "a"), New(rt, y, w, "b")
			l.Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
				other.Trace(&trace.Event{Kind: trace.PacketDropped, Reason: "elsewhere", Packet: p})
				tt.deliver(l, p)
				p.Free()
			}})
			other.Send(0, batch(linktest.Frame(y.Info(), x.Info(), 0, 0, 100)))
			w.Close()
			_, frames := read(t, file.Bytes())
			if len(frames) != 2 || frames[0].comment != "" {
				t.Fatalf("frames %+v, want one out without comment and one in", frames)
			}
			want := ""
			if tt.comment {
				want = "dropped: for a test"
			}
			if frames[1].comment != want {
				t.Errorf("comment %q, want %q", frames[1].comment, want)
			}
			if l.Trace(&trace.Event{Kind: trace.PacketDropped}); w.pending != 0 {
				t.Errorf("%d frames still pending", w.pending)
			}
		})
	}
}

// The stack may send, and settle other frames, before it drops the one at hand.
func TestCommentAfterSending(t *testing.T) {
	var file bytes.Buffer
	rt := clock.NewReal()
	w := NewWriter(&file, Config{})
	x, y := mem.Pair(mem.Config{Runtime: rt})
	l := New(rt, x, w, "a")
	l.Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
		l.Send(0, batch(linktest.Frame(x.Info(), y.Info(), 0, 1, 64)))
		l.Trace(&trace.Event{Kind: trace.PacketDropped, Reason: "afterwards", Packet: p})
		p.Free()
	}})
	y.Send(0, batch(linktest.Frame(y.Info(), x.Info(), 0, 0, 64)))
	w.Close()
	_, frames := read(t, file.Bytes())
	if len(frames) != 2 || frames[0].comment != "dropped: afterwards" || frames[1].comment != "" {
		t.Errorf("frames %+v, want one in with a comment and one out without", frames)
	}
}

// A receiver that does not come back does not keep the Writer waiting for ever.
func TestPendingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var file bytes.Buffer
		rt := clock.NewReal()
		w := NewWriter(&file, Config{})
		x, y := mem.Pair(mem.Config{Runtime: rt})
		l := New(rt, x, w, "a")
		release := make(chan struct{})
		l.Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
			p.Free()
			<-release
		}})
		go y.Send(0, batch(linktest.Frame(y.Info(), x.Info(), 0, 0, 64)))
		synctest.Wait()
		const n = maxPending + 100
		for range n {
			l.Send(0, batch(linktest.Frame(x.Info(), y.Info(), 0, 0, 64)))
		}
		if w.pending != 0 {
			t.Errorf("%d frames pending, want none", w.pending)
		}
		close(release)
		synctest.Wait()
		l.Send(0, batch(linktest.Frame(x.Info(), y.Info(), 0, 0, 64)))
		w.Close()
		if _, frames := read(t, file.Bytes()); len(frames) != n+2 {
			t.Errorf("%d frames in the file, want %d", len(frames), n+2)
		}
	})
}

// full is a disk with room for so many octets.
type full int

var errFull = errors.New("no space left on device")

func (f *full) Write(b []byte) (int, error) {
	n := min(len(b), int(*f))
	*f -= full(n)
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

// A write error is remembered and never stops traffic.
func TestDiskFull(t *testing.T) {
	rt := clock.NewReal()
	disk := full(100_000)
	w := NewWriter(&disk, Config{})
	x, y := mem.Pair(mem.Config{Runtime: rt})
	l := New(rt, x, w, "a")
	var r linktest.Recorder
	y.Attach(&r)
	for seq := range uint32(200) {
		l.Send(0, batch(linktest.Frame(x.Info(), y.Info(), 0, seq, 1000)))
	}
	r.Check(t, 200)
	if err := w.Flush(); !errors.Is(err, errFull) {
		t.Errorf("Flush = %v, want %v", err, errFull)
	}
	for range 2 {
		if err := w.Close(); !errors.Is(err, errFull) {
			t.Errorf("Close = %v, want %v", err, errFull)
		}
	}
}

func TestLongNamesAreCut(t *testing.T) {
	b := appendInterface(nil, strings.Repeat("x", 70000), link.Info{}, 0)
	b = appendPacket(b, 0, time.Unix(0, 0), []byte{1}, 1, 0, strings.Repeat("y", 70000))
	interfaces, frames := read(t, b)
	if len(interfaces[0]) < maxText || len(frames[0].comment) != maxText {
		t.Errorf("name of %d, comment of %d octets", len(interfaces[0]), len(frames[0].comment))
	}
}

func TestAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops at random under the race detector")
	}
	rt := clock.NewReal()
	w := NewWriter(discard{}, Config{})
	x, y := mem.Pair(mem.Config{Runtime: rt})
	a, b := New(rt, x, w, "a"), New(rt, y, w, "b")
	b.Attach(sink{})
	var bt packet.Batch
	if n := testing.AllocsPerRun(1000, func() {
		bt.Push(packet.New(60))
		a.Send(0, &bt)
	}); n != 0 {
		t.Errorf("%v allocations a frame, want 0", n)
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

type sink struct{}

func (sink) Deliver(_ int, b *packet.Batch) { b.Free() }
func (sink) Ready(int)                      {}
func (sink) Changed(link.Info)              {}

func BenchmarkLink(b *testing.B) {
	rt := clock.NewReal()
	x, y := mem.Pair(mem.Config{Runtime: rt})
	y.Attach(sink{})
	l := New(rt, x, NewWriter(discard{}, Config{}), "a")
	var bt packet.Batch
	b.ReportAllocs()
	b.SetBytes(1500)
	for i := 0; i < b.N; i += 32 {
		for range 32 {
			bt.Push(packet.New(1500))
		}
		l.Send(0, &bt)
	}
}

// Frames that somebody else saw are written as those of a Link are.
func TestWriteFrame(t *testing.T) {
	var file bytes.Buffer
	w := NewWriter(&file, Config{SnapLen: 20})
	eth := w.AddInterface("eth0", link.Info{Addr: wire.MAC{2, 0, 0, 0, 0, 1}})
	lo := w.AddInterface("lo", link.Info{Medium: link.IP})
	at := time.Unix(1, 5)
	for _, f := range []Frame{
		{Interface: eth, Outgoing: true, Wall: at, Data: bytes.Repeat([]byte{0xff}, 30), Len: 60},
		{Interface: lo, Medium: link.IP, Wall: at, Data: []byte{0x45}, Len: 1},
	} {
		if err := w.WriteFrame(&f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	interfaces, frames := read(t, file.Bytes())
	if len(interfaces) != 2 || len(frames) != 2 {
		t.Fatalf("%q, %+v", interfaces, frames)
	}
	if f := frames[0]; f.iface != 0 || f.flags != flagOutbound|flagBroadcast || f.at != at.UnixNano() || len(f.data) != 20 || f.length != 60 {
		t.Errorf("%+v", f)
	}
	if f := frames[1]; f.iface != 1 || f.flags != flagInbound || string(f.data) != "\x45" || f.length != 1 {
		t.Errorf("%+v", f)
	}
	full := errors.New("disk full")
	w = NewWriter(writer(func([]byte) (int, error) { return 0, full }), Config{})
	var err error
	for range 1000 {
		err = w.WriteFrame(&Frame{Data: make([]byte, 1000), Len: 1000})
	}
	if err != full {
		t.Error(err)
	}
}

type writer func(b []byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }
