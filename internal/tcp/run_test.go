package tcp

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// sentence is what a segment on the wire says.
type sentence struct {
	seq, ack Seq
	flags    wire.TCPFlags
	window   uint16
	n        int
	options  wire.TCPOptions
}

// runner is two ends of a connection whose segments travel one by one, or in runs where that is possible. Either way it keeps
// what was said.
type runner struct {
	t     *testing.T
	runs  bool
	now   clock.Instant
	a, b  TCB
	said  []sentence
	drops func(i int) bool // of the so many-th segment
	taken int              // runs that were taken as such
	made  int              // segments that NextRun made
	buf   [1 << 17]byte
}

func newRunner(t *testing.T, runs bool, cfg Config, drops func(int) bool) *runner {
	r := &runner{t: t, runs: runs, drops: drops, now: clock.Instant(time.Second)}
	o := Open{Config: cfg.Complete(), MSS: 1460}
	r.a.Connect(r.now, o)
	var syn Segment
	r.a.Next(r.now, &syn)
	o.ISS = 1<<32 - 1<<16
	r.b.Accept(r.now, o, &syn)
	r.settle()
	return r
}

// move hands over what from has to send; false: nothing.
func (r *runner) move(from, to *TCB) bool {
	var seg Segment
	var all []Segment
	var texts [][]byte
	keep := func(s Segment, text []byte) {
		r.said = append(r.said, sentence{s.Seq, s.Ack, s.Flags, s.Window, s.Len, s.Options})
		if !r.drops(len(r.said)) {
			all, texts = append(all, s), append(texts, bytes.Clone(text))
		}
	}
	for from.Next(r.now, &seg) {
		from.Payload(&seg, r.buf[:seg.Len])
		keep(seg, r.buf[:seg.Len])
		if !r.runs {
			continue
		}
		k := from.NextRun(r.now, &seg, 40)
		r.made += k
		more := seg
		more.Seq, more.Len = seg.Seq.Add(seg.Len), k*seg.Len
		from.Payload(&more, r.buf[:more.Len])
		for i := range k {
			one := seg
			one.Seq = more.Seq.Add(i * seg.Len)
			keep(one, r.buf[i*seg.Len:][:seg.Len])
		}
	}
	if len(all) == 0 {
		return seg.Flags != 0
	}
	for i := 0; i < len(all); {
		s := all[i]
		s.Payload = texts[i]
		n := 1
		if r.runs {
			n += alike(all[i:], texts[i:], &s)
		}
		if n > 1 && to.ArriveRun(r.now, &s, all[i].Len) {
			r.taken++
		} else {
			n, s = 1, all[i]
			s.Payload = texts[i]
			to.Arrive(r.now, &s)
		}
		i += n
	}
	return true
}

// alike joins to s, the first of all, what a device would join to it, and returns how many that are.
func alike(all []Segment, texts [][]byte, s *Segment) (n int) {
	for n+1 < len(all) {
		last, next := &all[n], &all[n+1]
		if last.Len != all[0].Len || last.Flags != wire.ACK || next.Flags&^wire.PSH != wire.ACK || next.Len == 0 || next.Len > last.Len ||
			next.Seq != last.Seq.Add(last.Len) || next.Ack != last.Ack || next.Window != last.Window || next.Options != last.Options {
			break
		}
		s.Flags |= next.Flags
		s.Payload = append(s.Payload[:len(s.Payload):len(s.Payload)], texts[n+1]...)
		n++
	}
	s.Len = len(s.Payload)
	return n
}

func (r *runner) settle() {
	for r.move(&r.a, &r.b) || r.move(&r.b, &r.a) {
	}
}

// A run is worth the segments it is made of: whatever is written, lost and read, both ends say the same on the wire, give the user
// the same, and count the same, whether segments come one by one or in runs.
func TestRunsAreSegments(t *testing.T) {
	taken, made := 0, 0
	for seed := range uint64(300) {
		// The receiver's estimate of the round-trip time sees a run as a whole, and by it the buffer would be tuned.
		cfg := Config{NoReceiveTuning: true}
		pick := rand.New(rand.NewPCG(seed, 1))
		cfg.NoTimestamps, cfg.NoSACK, cfg.NoDelay = pick.IntN(3) == 0, pick.IntN(4) == 0, pick.IntN(2) == 0
		if pick.IntN(4) == 0 {
			cfg.ReceiveBuffer = 20000 + pick.IntN(100000)
		}
		if pick.IntN(5) == 0 {
			cfg.MaxPacingRate = 1 << 24
		}
		loss := pick.IntN(4) * pick.IntN(2) // in a hundred segments
		drops := func(i int) bool { return i > 4 && int(uint64(i)*2654435761+seed)%100 < loss }
		both := [2]*runner{newRunner(t, false, cfg, drops), newRunner(t, true, cfg, drops)}
		var infos [2]Info
		var read [2][]byte
		for i, r := range both {
			read[i] = r.scenario(rand.New(rand.NewPCG(seed, 2)))
			infos[i] = r.b.Info(r.now)
			in := reflect.ValueOf(&infos[i]).Elem()
			for _, estimate := range []string{"ATO", "ReceiveRTT", "ReceiveSpace"} {
				in.FieldByName(estimate).SetZero()
			}
		}
		one, run := both[0], both[1]
		taken, made = taken+run.taken, made+run.made
		for i := range max(len(one.said), len(run.said)) {
			if i >= len(one.said) || i >= len(run.said) || one.said[i] != run.said[i] {
				t.Fatalf("seed %d, %+v: segment %d of %d and %d: %s", seed, cfg, i, len(one.said), len(run.said), differ(one.said, run.said, i))
			}
		}
		if !bytes.Equal(read[0], read[1]) {
			t.Fatalf("seed %d: read %d octets one by one, %d in runs, and not the same", seed, len(read[0]), len(read[1]))
		}
		if !reflect.DeepEqual(infos[0], infos[1]) {
			t.Fatalf("seed %d:\n%+v\n%+v", seed, infos[0], infos[1])
		}
		if a, b := one.a.Info(one.now), run.a.Info(run.now); !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d, the sender:\n%+v\n%+v", seed, a, b)
		}
	}
	if taken < 1000 || made < 10000 {
		t.Errorf("%d runs taken, %d segments made in runs: too few to tell", taken, made)
	}
}

func differ(a, b []sentence, i int) string {
	s := ""
	for j := max(i-2, 0); j < i+3; j++ {
		if j < len(a) {
			s += fmt.Sprintf("\n%d one: %+v", j, a[j])
		}
		if j < len(b) {
			s += fmt.Sprintf("\n%d run: %+v", j, b[j])
		}
	}
	return s
}

// scenario writes, reads and waits at random, and returns what was read.
func (r *runner) scenario(rnd *rand.Rand) (read []byte) {
	sent := byte(0)
	for range 60 {
		switch rnd.IntN(4) {
		case 0, 1:
			b := make([]byte, 1+rnd.IntN(1<<rnd.IntN(18)))
			for i := range b {
				b[i] = sent + byte(i)
			}
			n, err := r.a.Send(r.now, b)
			if err != nil {
				r.t.Fatal(err)
			}
			sent += byte(n)
		case 2:
			n, _ := r.b.Receive(r.now, r.buf[:1+rnd.IntN(len(r.buf)-1)])
			read = append(read, r.buf[:n]...)
		default:
			r.now += clock.Instant(1 + rnd.IntN(int(300*time.Millisecond)))
			for _, c := range [...]*TCB{&r.a, &r.b} {
				if r.now >= c.Deadline() {
					c.Timeout(r.now)
				}
			}
		}
		r.settle()
	}
	return read
}
