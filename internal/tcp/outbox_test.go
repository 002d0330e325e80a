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
				b := anyOctets(rnd)
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
