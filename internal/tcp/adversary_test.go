package tcp

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// adversary runs one connection over a channel that loses, duplicates, reorders and delays, with users that write, read, close
// and change their minds at random; later the channel mends. What is received is a prefix of what was sent, and all of it if
// both ends close in an orderly way; and every connection ends.
func adversary(t *testing.T, seed uint64) {
	p := newPair(t, seed)
	rng := p.rng
	for i := range p.cfg {
		cfg := &p.cfg[i]
		cfg.ISS = rng.Uint32()
		if rng.IntN(2) == 0 {
			cfg.ISS = -rng.Uint32N(200000)
		}
		cfg.TSOffset = rng.Uint32()
		cfg.MSS = []int{100, 536, 1460, 9000}[rng.IntN(4)]
		cfg.SendBuffer = 1 << (10 + rng.IntN(9))
		cfg.ReceiveBuffer = 1 << (10 + rng.IntN(9))
		cfg.NoSACK, cfg.NoTimestamps, cfg.NoWindowScale = rng.IntN(4) == 0, rng.IntN(4) == 0, rng.IntN(4) == 0
		cfg.NoDelay = rng.IntN(2) == 0
		cfg.KeepAlive, cfg.KeepAliveIdle = rng.IntN(2) == 1, time.Minute
		ch := &p.chans[i]
		ch.loss, ch.duplicate, ch.delay2 = rng.Float64()*0.2, rng.Float64()*0.1, rng.Float64()*0.2
		ch.delay = time.Duration(rng.IntN(100)) * ms
		ch.jitter = time.Duration(rng.IntN(30)) * ms
	}
	simultaneous := rng.IntN(8) == 0
	p.ends[0].Connect(p.now, p.cfg[0].open())
	p.pump(0)
	if simultaneous {
		p.ends[1].Connect(p.now, p.cfg[1].open())
		p.pump(1)
	}
	var data [2][]byte
	var rest [2][]byte
	var got [2]int
	var eof [2]bool
	for i := range data {
		data[i] = pattern(rng.IntN(200000))
		rest[i] = data[i]
	}
	buf := make([]byte, 1<<16)
	for step := 0; !(eof[0] && eof[1] && p.ends[0].State() == Closed && p.ends[1].State() == Closed); step++ {
		if step > 10e6 || p.now.Sub(clock.Instant(time.Hour)) > 3*time.Hour {
			t.Fatalf("seed %d stuck at %v: received %d of %d and %d of %d: %+v\n%+v", seed, p.now, got[0], len(data[1]), got[1],
				len(data[0]), p.ends[0].Info(p.now), p.ends[1].Info(p.now))
		}
		if p.next() > p.now.Add(time.Second) {
			p.now = p.now.Add(time.Second) // the users do not wait for the network
		} else {
			p.step()
		}
		if p.now.Sub(clock.Instant(time.Hour)) > 20*time.Minute {
			for i := range p.chans {
				p.chans[i].loss, p.chans[i].delay2 = 0, 0
			}
		}
		for i, c := range p.ends {
			if err := c.Err(); err != nil {
				t.Fatalf("seed %d: end %d died of %v", seed, i, err)
			}
			if c.State() == Closed && c.cc == nil {
				continue // not opened yet
			}
			if len(rest[i]) > 0 && rng.IntN(3) > 0 {
				n, err := c.Send(p.now, rest[i][:min(len(rest[i]), 1+rng.IntN(1<<rng.IntN(17)))])
				if err != nil {
					t.Fatalf("seed %d: Send: %v", seed, err)
				}
				rest[i] = rest[i][n:]
			} else if len(rest[i]) == 0 && c.State() != SynSent {
				c.Close(p.now)
			}
			if rng.IntN(20) == 0 {
				c.setNoDelay(p.now, rng.IntN(2) == 0)
			}
			if rng.IntN(500) == 0 && c.Established() {
				c.SetPathMTU(p.now, 100+rng.IntN(2000))
			}
			if rng.IntN(3) == 0 {
				n, err := c.Receive(p.now, buf[:1+rng.IntN(1<<rng.IntN(17))])
				if !bytes.HasPrefix(data[1-i][got[i]:], buf[:n]) {
					t.Fatalf("seed %d: end %d received something else than was sent", seed, i)
				}
				got[i] += n
				if err == io.EOF {
					eof[i] = true
				}
			}
			p.pump(i)
		}
	}
	for i := range got {
		if got[i] != len(data[1-i]) {
			t.Fatalf("seed %d: end %d received %d of %d", seed, i, got[i], len(data[1-i]))
		}
	}
}

func TestAdversary(t *testing.T) {
	seeds := uint64(200)
	if testing.Short() || raceEnabled {
		seeds = 20
	}
	for seed := range seeds {
		adversary(t, seed)
	}
}

// FuzzPair is TestAdversary over any seed.
func FuzzPair(f *testing.F) {
	f.Add(uint64(12345))
	f.Fuzz(adversary)
}

// FuzzSegments throws any segments and user events at a TCB: it must not panic, Next must end, the scoreboard must be in order,
// and a timer must run while something is outstanding.
func FuzzSegments(f *testing.F) {
	f.Add([]byte{0})
	rng := rand.New(rand.NewPCG(1, 2))
	for range 8 {
		b := make([]byte, 400)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(throw)
}

// throw takes events from b.
func throw(t *testing.T, b []byte) {
	take := func() int {
		if len(b) == 0 {
			return 0
		}
		v := int(b[0])
		b = b[1:]
		return v
	}
	r := newRig(t, Config{ReceiveBuffer: 1 << (8 + take()%8), SendBuffer: 1 << (8 + take()%8), NoDelay: take()%2 == 0,
		KeepAlive: take()%2 == 1, KeepAliveIdle: time.Minute})
	r.cfg.MSS = 100 * (1 + take()%20)
	r.cfg.ISS = -uint32(take() * 4)
	near := func(s Seq) Seq { // a number that matters, or beside it, or anywhere
		switch v := take(); {
		case v < 128:
			return s
		case v < 200:
			return s.Add(v - 164)
		case v < 250:
			return s.Add(take() * 37)
		default:
			return Seq(uint32(take())<<24 | uint32(take()))
		}
	}
	options := func(s *Segment) {
		v := take()
		o := &s.Options
		o.HasTimestamps = v&1 != 0 || r.c.ts.on && v&128 == 0
		o.TSVal = uint32(near(Seq(r.c.ts.recent)))
		o.TSEcr = uint32(near(Seq(r.c.tsNow(r.now))))
		if v&2 != 0 {
			o.SACKCount = uint8(take() % 6)
			for i := range o.SACK {
				left := near(r.c.snd.una)
				o.SACK[i].Left, o.SACK[i].Right = uint32(left), uint32(near(left.Add(take()*16)))
			}
		}
		if v&4 != 0 {
			o.MSS, o.HasWindowScale, o.WindowScale, o.SACKPermitted = uint16(take()*take()), v&8 != 0, uint8(take()), v&16 != 0
		}
	}
	if take()%2 == 0 {
		r.c.Connect(r.now, r.cfg.open())
	} else {
		s := segment(near(5000), 0, syn, 0)
		options(s)
		r.c.Accept(r.now, r.cfg.open(), s)
	}
	r.drain()
	peer := Seq(5000)
	for len(b) > 0 {
		switch take() % 16 {
		case 0, 1, 2, 3, 4, 5, 6:
			if r.c.State() >= SynReceived {
				peer = r.c.rcv.nxt
			}
			flags := ack
			switch v := take(); {
			case v < 40:
				flags = syn | ack
			case v < 80:
				flags |= fin
			case v > 250:
				flags = rst
			case v > 200:
				flags = (fin | syn | rst | psh | ack) & ^(ack >> (v % 8))
			}
			ackno := near(r.c.snd.una)
			if take()%2 == 0 {
				ackno = near(r.c.snd.nxt)
			}
			s := segment(near(peer), ackno, flags, take()%4*take())
			s.Window = uint16(take()*256 - take()%2)
			options(s)
			r.c.Arrive(r.now, s)
		case 7, 8:
			r.now = r.now.Add(time.Duration(take()) * ms)
			r.c.Timeout(r.now)
		case 9:
			if d := r.c.Deadline(); d != clock.Never {
				r.now = max(r.now, d)
				r.c.Timeout(r.now)
			}
		case 10, 11:
			n, err := r.c.Send(r.now, make([]byte, take()*take()))
			if err != nil && n != 0 {
				t.Fatal("Send")
			}
		case 12:
			if n, err := r.c.Receive(r.now, make([]byte, take()*take())); err != nil && n != 0 {
				t.Fatal("Receive")
			}
		case 13:
			r.c.SetPathMTU(r.now, take()*8)
			r.c.setNoDelay(r.now, take()%2 == 0)
		case 14:
			r.c.Failed(r.now, 5, near(r.c.snd.una))
			r.c.setKeepAlive(r.now, time.Duration(take())*time.Second, 75*time.Second, 1)
		case 15:
			switch take() % 16 {
			case 0:
				r.c.Abort(r.now)
			case 1, 2:
				r.c.Release(r.now)
			case 3, 4:
				r.c.CloseRead()
			case 5, 6, 7, 8:
				r.c.Close(r.now)
			}
		}
		r.drain()
		if r.c.rcv.in.size > r.c.rcv.space.size+1<<14 || r.c.snd.out.end > r.c.snd.space.size+2*largestBurst {
			t.Fatalf("a buffer holds more than it should: %d %+v; %d %+v", r.c.rcv.in.size, r.c.rcv.space, r.c.snd.out.end, r.c.snd.space)
		}
		r.c.Info(r.now)
	}
	// Left alone, a connection whose user is gone ends.
	r.c.Release(r.now)
	r.drain()
	for range 20000 {
		d := r.c.Deadline()
		if d == clock.Never {
			break
		}
		r.now = max(r.now, d)
		r.c.Timeout(r.now)
		r.drain()
	}
	if r.c.State() != Closed {
		t.Fatalf("it does not end: %+v", r.c.Info(r.now))
	}
}

func TestRandomSegments(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	n := 3000
	if testing.Short() || raceEnabled {
		n = 200
	}
	for range n {
		b := make([]byte, rng.IntN(1500))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		throw(t, b)
	}
}
