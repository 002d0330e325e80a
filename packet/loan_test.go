package packet

import (
	"bytes"
	"sync"
	"testing"
)

// lender returns a packet of 40,000 octets.
func lender() *Buffer {
	p := New(40000)
	for i, b := 0, p.Bytes(); i < len(b); i++ {
		b[i] = byte(i * 7 / 3)
	}
	return p
}

// A packet on loan has the lender's octets, its own headroom, and no tailroom; there is one at a time.
func TestLend(t *testing.T) {
	p := lender()
	defer p.Free()
	q := p.Lend(64, 1000)
	if !q.Lent() || p.Lent() || !bytes.Equal(q.Bytes(), p.Bytes()[64:1064]) || q.Tailroom() != 0 || q.Headroom() != Headroom+64 {
		t.Fatalf("on loan are %d octets, headroom %d, tailroom %d", q.Len(), q.Headroom(), q.Tailroom())
	}
	if p.Lend(64, 10) != nil || q.Lend(0, 10) != nil {
		t.Error("it is on loan twice")
	}
	q.Reveal(500)
	copy(q.Prepend(20), "a header of 20 octets")
	if !bytes.Equal(q.Bytes()[20:], p.Bytes()[64:1564]) {
		t.Error("other octets than the lender's")
	}
	q.Free()
	if q = p.Lend(0, p.Len()); q == nil || q.Meta != (Meta{}) {
		t.Fatal("it is not on loan again")
	}
	q.Free()
}

// Whoever is freed last gives the block back, and neither sees the other's end.
func TestLoanEnds(t *testing.T) {
	for _, lenderFirst := range []bool{true, false} {
		p := lender()
		want := bytes.Clone(p.Bytes())
		q := p.Lend(0, p.Len())
		if lenderFirst {
			p.Free()
			if other := New(40000); &other.block[0] == &q.block[0] {
				t.Fatal("the block was given back while on loan")
			}
			if !bytes.Equal(q.Bytes(), want) {
				t.Error("the octets are gone with the lender")
			}
			q.Free()
		} else {
			q.Free()
			if !bytes.Equal(p.Bytes(), want) {
				t.Error("the octets are gone with the packet on loan")
			}
			p.Free()
		}
		if p.lent.Load() != kept {
			t.Error("it is still on loan")
		}
	}
}

// What makes octets its own leaves the lender's alone: Own, Grow, Shrink; and so does a Clone.
func TestOwn(t *testing.T) {
	for name, own := range map[string]func(q *Buffer) *Buffer{
		"Own":    func(q *Buffer) *Buffer { q.Own(); return q },
		"Grow":   func(q *Buffer) *Buffer { q.Grow(20000); return q },
		"Shrink": func(q *Buffer) *Buffer { q.Truncate(500); q.Shrink(); return q },
		"Clone":  func(q *Buffer) *Buffer { c := q.Clone(); q.Free(); return c },
	} {
		p := lender()
		want := bytes.Clone(p.Bytes())
		q := p.Lend(100, 2000)
		q.SetNetwork()
		q.TrimFront(100)
		q.Mark = 7
		n := q.Len()
		q = own(q)
		n = min(n, q.Len())
		if q.Lent() || !bytes.Equal(q.Bytes(), want[200:200+n]) || !bytes.Equal(q.FromNetwork(), want[100:200+n]) || q.Mark != 7 {
			t.Errorf("%s: it is not what it was", name)
		}
		clear(q.Bytes())
		if !bytes.Equal(p.Bytes(), want) {
			t.Errorf("%s: the lender's octets have changed", name)
		}
		again := p.Lend(0, 10)
		if again == nil {
			t.Fatalf("%s: it is still on loan", name)
		}
		again.Free()
		q.Free()
		p.Free()
	}
}

func TestLoanPanics(t *testing.T) {
	p := lender()
	q := p.Lend(0, 39999)
	for name, f := range map[string]func(){
		"Lend":   func() { p.Lend(1, 40000) },
		"Reveal": func() { q.Reveal(2) },
		"own":    func() { p.Reveal(1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s past the end does not panic", name)
				}
			}()
			f()
		}()
	}
}

// The two are freed at once, again and again, by two goroutines.
func TestLoanEndsAtOnce(t *testing.T) {
	loans := make(chan *Buffer)
	var work sync.WaitGroup
	work.Go(func() {
		for q := range loans {
			if b := q.Bytes(); b[0] != b[len(b)-1] {
				t.Errorf("octets %d and %d", b[0], b[len(b)-1])
			}
			q.Free()
		}
	})
	for i := range 20000 {
		p := New(30000)
		p.Bytes()[64], p.Bytes()[29999] = byte(i), byte(i)
		loans <- p.Lend(64, 30000-64)
		p.Free()
	}
	close(loans)
	work.Wait()
}
