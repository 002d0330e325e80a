package tcp

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// Whatever is written, begun, looked at and discarded: an outbox gives its octets in order, tells where memory begins, and gives
// it back once.
func TestOutbox(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		var out outbox
		var want []byte
		var all []*lent
		for range 400 {
			switch rnd.IntN(5) {
			case 0, 1:
				b := make([]byte, rnd.IntN(1<<rnd.IntN(17)))
				for i := range b {
					b[i] = byte(rnd.Uint32())
				}
				want = append(want, b...)
				out.write(b)
			case 2:
				move := 0
				if p := out.last(); p != nil {
					move = rnd.IntN(min(len(p.data), len(want)) + 1)
				}
				l := &lent{t: t, b: make([]byte, move+1+rnd.IntN(60000))}
				all = append(all, l)
				out.begin(l.b, l, move)
				b := make([]byte, min(1000, out.last().room()))
				want = append(want, b...)
				out.write(b)
				if owner, n := out.lies(len(want) - len(b) - move); len(b)+move > 0 && (owner != Owner(l) || n != len(b)+move) {
					t.Fatalf("seed %d: of the memory just begun %d octets are known, not %d", seed, n, len(b)+move)
				}
			case 3:
				n := rnd.IntN(len(want) + 1)
				out.discard(n)
				want = want[n:]
			default:
				off := rnd.IntN(len(want) + 1)
				b := make([]byte, rnd.IntN(len(want)-off+1))
				if out.readAt(off, b); !bytes.Equal(b, want[off:off+len(b)]) {
					t.Fatalf("seed %d: other octets at %d", seed, off)
				}
			}
			held := 0
			for i := range out.n {
				held += out.at(i).held
			}
			if out.end != len(want) || out.held != held || held*blockSize < out.end {
				t.Fatalf("seed %d: %d octets in %d blocks, which are %d, not %d octets", seed, out.end, out.held, held, len(want))
			}
		}
		out.release()
		for _, l := range all {
			if !l.freed {
				t.Fatalf("seed %d: memory was not given back", seed)
			}
		}
		if out.held != 0 || out.n != 0 {
			t.Fatalf("seed %d: %d parts, %d blocks are left", seed, out.n, out.held)
		}
	}
}

// Long writes lie where super-packets can be made of them: those that begin memory of their own are nearly all that leaves,
// whether or not writes end where segments do, and whatever is written in between.
func TestTextBeginsWhereSegmentsDo(t *testing.T) {
	for _, between := range []int{0, 1, 376, 5000} {
		p := newPair(t, 1)
		acct := &account{pressure: 1 << 30, limit: 1 << 30}
		p.cfg[0].Memory = acct
		p.cfg[0].NoDelay = true
		p.connect()
		carry(p, 0, pattern(4<<20))
		data, sent, lent := pattern(8<<20), 0, 0
		c := p.ends[0]
		p.sent = func(i int, seg *Segment) {
			if i == 0 {
				_, n := c.Text(seg)
				sent, lent = sent+seg.Len, lent+n
			}
		}
		for i := 0; len(data) > 0; i++ {
			b := data[:min([]int{between, 64 << 10}[i%2], len(data))]
			data = data[len(b):]
			for len(b) > 0 {
				part := b[:min(len(b), c.Gap())]
				n, err := c.SendMore(p.now, part, len(part) < len(b))
				if err != nil {
					t.Fatal(err)
				}
				p.pump(0)
				if b = b[n:]; n == 0 {
					p.step()
					p.read(1)
				}
			}
		}
		for range 1000 {
			p.step()
			p.read(1)
		}
		if lent < sent*8/10 {
			t.Errorf("%d octets between: of %d octets sent %d lay where they can be lent", between, sent, lent)
		}
	}
}
