package tcp

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

// lent is the memory of a segment, which its owner spoils when it gets it back.
type lent struct {
	t     *testing.T
	b     []byte
	freed bool
}

func (l *lent) Free() {
	if l.freed {
		l.t.Error("memory given back twice")
	}
	l.freed = true
	clear(l.b)
}

// anyOctets returns up to 64 KiB, mostly few.
func anyOctets(rnd *rand.Rand) []byte {
	b := make([]byte, rnd.IntN(1<<rnd.IntN(17)))
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// Whatever is written, taken over, looked at, moved out and discarded: an inbox gives its octets in order, and memory back once.
func TestInbox(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		var in inbox
		var want []byte
		var all []*lent
		for range 300 {
			b := anyOctets(rnd)
			switch rnd.IntN(6) {
			case 0, 1:
				want = append(want, b...)
				in.write(b)
			case 2:
				want = append(want, b...)
				all = append(all, &lent{t: t, b: b})
				in.take(b, all[len(all)-1])
			case 3:
				n := rnd.IntN(len(want) + 1)
				in.discard(n)
				want = want[n:]
			case 4:
				if in.first != nil {
					p := in.pop()
					if !bytes.Equal(p.data, want[:len(p.data)]) {
						t.Fatalf("seed %d: a part of %d octets is not what came", seed, len(p.data))
					}
					want = want[len(p.data):]
					p.free()
				}
			default:
				off := rnd.IntN(len(want) + 1)
				got := make([]byte, rnd.IntN(len(want)-off+1))
				if in.readAt(off, got); !bytes.Equal(got, want[off:off+len(got)]) {
					t.Fatalf("seed %d: %d octets from %d on are not what came", seed, len(got), off)
				}
			}
			if in.size != len(want) {
				t.Fatalf("seed %d: %d octets, want %d", seed, in.size, len(want))
			}
		}
		in.release()
		if in.first != nil || in.last != nil || in.size != 0 || in.held != 0 {
			t.Fatalf("seed %d: not empty: %+v", seed, in)
		}
		for _, l := range all {
			if !l.freed {
				t.Fatalf("seed %d: %d octets not given back", seed, len(l.b))
			}
		}
	}
}

// A long text in order stays in the memory it came in until it is read, and is then moved out without a copy.
func TestTextIsKept(t *testing.T) {
	r := receiver(t, Config{ReceiveBuffer: 1 << 20})
	arrive := func(seq Seq, n int) *lent {
		l := &lent{t: t, b: pattern(n)}
		seg := segment(seq, 1001, wire.ACK, 0)
		seg.Payload, seg.Len, seg.Owner = l.b, n, l
		r.c.Arrive(r.now, seg)
		if seg.Owner == nil {
			return l
		}
		return nil
	}
	if arrive(5001, 100) != nil {
		t.Error("a short text was kept")
	}
	first, second := arrive(5101, 10000), arrive(15101, 8000)
	if first == nil || second == nil {
		t.Fatal("long texts were not kept")
	}
	if arrive(30000, 5000) != nil {
		t.Error("a text out of order was kept")
	}
	b := make([]byte, 30000)
	var s Parts
	if n := r.c.ReceiveParts(r.now, &s, 99); n != 0 {
		t.Errorf("%d octets moved, of a part of 100", n)
	}
	if n, _ := r.c.Receive(r.now, b[:60]); n != 60 {
		t.Fatalf("read %d", n)
	}
	if n := r.c.ReceiveParts(r.now, &s, 40+10000+7999); n != 10040 || first.freed {
		t.Errorf("%d octets moved, freed: %v", n, first.freed)
	}
	if n := s.CopyTo(b); n != 10040 || !first.freed || second.freed || !bytes.Equal(b[40:n], pattern(10000)) {
		t.Errorf("%d octets copied; freed: %v, %v", n, first.freed, second.freed)
	}
	r.c.Abort(r.now)
	if !second.freed {
		t.Error("what nobody will read was not given back")
	}
}

// What comes with the handshake is copied, since the payload is its owner's where no connection was.
func TestHandshakeTextIsNotKept(t *testing.T) {
	r := newRig(t, Config{ReceiveBuffer: 1 << 20, FastOpenConnect: true})
	r.c.Connect(r.now, r.cfg.open())
	r.drain()
	l := &lent{t: t, b: pattern(8000)}
	seg := segment(5000, 1001, wire.SYN|wire.ACK, 0)
	seg.Payload, seg.Len, seg.Owner = l.b, len(l.b), l
	if r.c.Arrive(r.now, seg); seg.Owner == nil {
		t.Fatal("the text of a SYN,ACK was kept")
	}
	l.Free()
	b := make([]byte, 8000)
	if n, err := r.c.Receive(r.now, b); n != len(b) || err != nil || !bytes.Equal(b, pattern(8000)) {
		t.Errorf("read %d octets, %v", n, err)
	}
}
