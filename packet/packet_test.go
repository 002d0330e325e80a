package packet

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	f()
}

func TestBufferEdges(t *testing.T) {
	p := From([]byte("payload"))
	defer p.Free()
	if p.Headroom() != Headroom || p.Len() != 7 || cap(p.Bytes()) != 7 {
		t.Errorf("headroom %d, length %d, capacity %d", p.Headroom(), p.Len(), cap(p.Bytes()))
	}
	copy(p.Prepend(4), "tcp.")
	copy(p.Prepend(3), "ip.")
	if h := p.Prepend(2); cap(h) != 2 {
		t.Errorf("Prepend gave capacity %d: append would reach the packet", cap(h))
	} else {
		copy(h, "e.")
	}
	if got := string(p.Bytes()); got != "e.ip.tcp.payload" {
		t.Fatalf("built %q", got)
	}
	if got := string(p.TrimFront(2)); got != "e." {
		t.Errorf("trimmed %q", got)
	}
	p.SetNetwork()
	p.TrimFront(3)
	p.SetTransport()
	p.TrimFront(4)
	copy(p.Extend(1), "!")
	for _, row := range []struct{ what, got, want string }{
		{"Bytes", string(p.Bytes()), "payload!"},
		{"FromNetwork", string(p.FromNetwork()), "ip.tcp.payload!"},
		{"FromTransport", string(p.FromTransport()), "tcp.payload!"},
	} {
		if row.got != row.want {
			t.Errorf("%s = %q, want %q", row.what, row.got, row.want)
		}
	}
	p.Truncate(3)
	p.RestoreNetwork()
	if got := string(p.Bytes()); got != "ip.tcp.pay" {
		t.Errorf("restored %q", got)
	}
	p.Truncate(p.Len())
	mustPanic(t, "Truncate past the end", func() { p.Truncate(p.Len() + 1) })
	mustPanic(t, "Truncate below zero", func() { p.Truncate(-1) })
	mustPanic(t, "TrimFront past the end", func() { p.TrimFront(p.Len() + 1) })
	mustPanic(t, "Extend past the block", func() { p.Extend(p.Tailroom() + 1) })
	q := New(0)
	mustPanic(t, "Prepend past the headroom", func() { q.Prepend(Headroom + 1) })
}

func TestBufferSizes(t *testing.T) {
	for _, n := range []int{0, 1, small - Headroom, small - Headroom + 1, 9018, medium - Headroom, medium - Headroom + 1,
		65535 + 14, MaxLen} {
		p := New(n)
		if p.Len() != n || p.Headroom() != Headroom || p.Tailroom() < 0 {
			t.Errorf("New(%d): length %d, headroom %d, tailroom %d", n, p.Len(), p.Headroom(), p.Tailroom())
		}
		was := len(p.block)
		p.Free()
		q := New(n) // of the same class, whoever had it before
		if len(q.block) != was {
			t.Errorf("New(%d): blocks of %d and %d octets", n, was, len(q.block))
		}
		q.Free()
	}
	mustPanic(t, "longer than MaxLen", func() { New(MaxLen + 1) })
	if large > 66<<10 || MaxLen < 65535+18 {
		t.Errorf("MaxLen = %d", MaxLen)
	}
}

// A packet from the pool knows nothing of the one before.
func TestFreeClearsMeta(t *testing.T) {
	p := New(10)
	p.Meta = Meta{In: 1, Flags: Resolved | Loopback, Src: wire.Loopback6, GSOSize: 1, network: 5, transport: 6}
	p.Free()
	if p.Meta != (Meta{}) {
		t.Errorf("left in the pool: %+v", p.Meta)
	}
}

func TestFreeMisuse(t *testing.T) {
	var b Batch
	p, q := New(1), New(1)
	b.Push(p)
	b.Push(q)
	mustPanic(t, "free in a batch", p.Free)
	b.Pop()
	p.Free()
	if !raceEnabled { // there, the pool drops packets at random, and another test may get this one
		mustPanic(t, "free twice", p.Free)
	}
	b.Free()
}

func TestClone(t *testing.T) {
	p := From([]byte("ip.tcp.payload"))
	p.SetNetwork()
	p.TrimFront(3)
	p.SetTransport()
	p.TrimFront(4)
	p.In, p.Mark, p.Dst = 3, 9, wire.Loopback4
	var b Batch
	b.Push(p)
	b.Push(New(0))
	c := p.Clone()
	if c.Next() != nil {
		t.Error("the clone is in the batch")
	}
	b.Pop()
	copy(p.Bytes(), "PAYLOAD")
	if c.Meta != p.Meta || string(c.Bytes()) != "payload" || string(c.FromNetwork()) != "ip.tcp.payload" ||
		string(c.FromTransport()) != "tcp.payload" {
		t.Errorf("clone: %q %q %+v", c.Bytes(), c.FromNetwork(), c.Meta)
	}
	if c.Headroom() != p.Headroom() {
		t.Errorf("headroom %d, the original's %d", c.Headroom(), p.Headroom())
	}
	p.Free()
	c.Free()
	b.Free()
}

func contents(b *Batch) string {
	var s []byte
	n := 0
	for p := b.Front(); p != nil; p = p.Next() {
		s = append(s, p.Bytes()...)
		n++
	}
	if n != b.Len() || b.Empty() != (n == 0) {
		return fmt.Sprintf("%s, but Len is %d", s, b.Len())
	}
	return string(s)
}

func batch(octets string) *Batch {
	b := new(Batch)
	for i := range octets {
		b.Push(From([]byte(octets[i : i+1])))
	}
	return b
}

func TestBatch(t *testing.T) {
	var b Batch
	if b.Pop() != nil || contents(&b) != "" || b.Front() != nil {
		t.Error("the zero Batch is not empty")
	}
	for _, row := range [][2]string{{"", ""}, {"ab", ""}, {"", "cd"}, {"ab", "cd"}, {"a", "b"}} {
		to, from := batch(row[0]), batch(row[1])
		to.Take(from)
		if got := contents(to); got != row[0]+row[1] || contents(from) != "" {
			t.Errorf("%q took %q: %q and %q", row[0], row[1], got, contents(from))
		}
		to.Push(From([]byte("x")))
		from.Push(From([]byte("y"))) // usable, and apart
		if got := contents(to); got != row[0]+row[1]+"x" {
			t.Errorf("%q after Push: %q", row, got)
		}
		var order bytes.Buffer
		for p := to.Pop(); p != nil; p = to.Pop() {
			order.Write(p.Bytes())
			if p.Next() != nil {
				t.Error("a packet that left keeps its link")
			}
			p.Free()
		}
		if order.String() != row[0]+row[1]+"x" || contents(to) != "" {
			t.Errorf("%q came out as %q", row, order.String())
		}
		from.Free()
		if !from.Empty() {
			t.Error("not empty after Free")
		}
	}
}

func TestNewAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector sync.Pool drops at random")
	}
	for _, n := range []int{64, 9000, 65535} {
		if a := testing.AllocsPerRun(1000, func() { New(n).Free() }); a > 0 {
			t.Errorf("New(%d).Free(): %v allocations", n, a)
		}
	}
}
