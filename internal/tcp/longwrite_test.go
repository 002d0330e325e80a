package tcp

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"
)

// Whatever comes between reserving room and sending what it was filled with, the octets arrive in order, and all memory is given back:
// acknowledgments of all there is, windows that open, and the connection's end.
func TestReserve(t *testing.T) {
	ended := 0
	for seed := range uint64(24) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		p := newPair(t, seed)
		acct := &account{pressure: 1 << 30, limit: 1 << 30}
		p.cfg[0].Memory = acct
		p.chans[0].loss = float64(seed%3) / 100
		p.connect()
		c := p.ends[0]
		data, sent := pattern(2<<20), 0
		var got []byte
		dies := seed%4 == 3
		for reserved := 0; len(got) < len(data); {
			n := min(rnd.IntN(1<<rnd.IntN(18)), len(data)-sent)
			r := c.Reserve(n)
			if len(r.Room) > n || cap(r.Room) > len(data) {
				t.Fatalf("room for %d octets of %d", len(r.Room), n)
			}
			if len(r.Room) == 0 {
				k, err := c.SendMore(p.now, data[sent:sent+n], false)
				if err != nil {
					t.Fatal(err)
				}
				sent += k
			} else {
				reserved++
				for range rnd.IntN(40) {
					p.step()
				}
				copy(r.Room, data[sent:])
				if dies && reserved == 20 {
					c.Abort(p.now)
					p.pump(0)
					if acct.texts == 0 {
						t.Fatal("the room that somebody fills was given back")
					}
					if k, err := c.SendReserved(r, false); err == nil || k != 0 {
						t.Fatalf("after the end: %d, %v", k, err)
					}
					ended++
					break
				}
				k, err := c.SendReserved(r, rnd.IntN(2) == 0)
				if err != nil || k != len(r.Room) {
					t.Fatal(k, err)
				}
				sent += k
			}
			p.pump(0)
			if !p.step() && sent == len(data) && len(got) < len(data) {
				c.SendMore(p.now, nil, false)
				p.pump(0)
			}
			b, _ := p.read(1)
			got = append(got, b...)
		}
		if !bytes.Equal(got, data[:len(got)]) {
			t.Fatalf("seed %d: other octets arrived", seed)
		}
		p.runFor(time.Minute)
		c.Abort(p.now)
		p.pump(0)
		if acct.held != 0 || acct.texts != 0 {
			t.Fatalf("seed %d: %d octets are held in the end, and %d texts", seed, acct.held, acct.texts)
		}
	}
	if ended < 4 {
		t.Errorf("%d connections have ended with room reserved", ended)
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
		carry(p, 0, pattern(2<<20))
		data, sent, lent := pattern(4<<20), 0, 0
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
