package tcp

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/onlink-go/onlink/clock"
)

// sleep has c rest, and returns what wakes up.
func sleep(t *testing.T, c *TCB) *TCB {
	t.Helper()
	var r Resting
	if r.Asleep() || !c.Rest(&r) || !r.Asleep() {
		t.Fatal("it does not rest")
	}
	w := new(TCB)
	r.Wake(w, c.observer, c.memory)
	if r != (Resting{}) {
		t.Fatal("something rests on")
	}
	return w
}

// carry sends data from one end to the other, and leaves the connection open.
func carry(p *pair, from int, data []byte) {
	p.t.Helper()
	rest, end := data, p.now.Add(time.Hour)
	for got := 0; got < len(data); {
		b, _ := p.read(1 - from)
		got += len(b)
		if len(rest) > 0 {
			rest = rest[p.send(from, rest):]
		}
		if got < len(data) && (p.next() > end || !p.step()) {
			p.t.Fatalf("stuck at %d of %d octets", got, len(data))
		}
	}
}

// same compares what woke up with a copy of what was.
func same(was, is *TCB) bool {
	for _, c := range [...]*TCB{was, is} {
		if c.cc == CongestionControl(&c.cubic) || c == was && reflect.TypeOf(c.cc) == reflect.TypeOf(&c.cubic) {
			c.cc = nil
		}
	}
	// An empty scoreboard begins anew, and an empty pipe has no memory.
	was.board = was.board.fresh()
	was.snd.out, was.rcv.buf = outbox{}, pipe{}
	was.snd.cuts, was.rcv.ranges = nil, nil
	ok := reflect.DeepEqual(was, is)
	is.cc = &is.cubic
	return ok
}

// leaves calls f with each number and bool in v.
func leaves(v reflect.Value, name string, f func(name string, v reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			leaves(v.Field(i), name+"."+v.Type().Field(i).Name, f)
		}
	case reflect.Array:
		for i := range v.Len() {
			leaves(v.Index(i), fmt.Sprintf("%s[%d]", name, i), f)
		}
	case reflect.Pointer, reflect.Interface, reflect.Slice:
	default:
		f(name, reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem())
	}
}

// Each field of a TCB is kept while it rests, whatever its value, or it does not rest.
func TestRestKeepsFields(t *testing.T) {
	p := newPair(t, 1)
	p.connect()
	carry(p, 0, pattern(100_000))
	carry(p, 1, pattern(100_000))
	p.runFor(time.Second)
	c := p.ends[0]
	var r Resting
	if !c.Rest(&r) {
		t.Fatal("it does not rest")
	}
	t.Logf("%d octets", len(r.fields))
	kept, refused := 0, []string(nil)
	leaves(reflect.ValueOf(c).Elem(), "TCB", func(name string, v reflect.Value) {
		if strings.HasPrefix(name, "TCB.board.") && name != "TCB.board.losses" || strings.HasPrefix(name, "TCB.snd.out") ||
			strings.HasPrefix(name, "TCB.rcv.buf") || strings.HasPrefix(name, "TCB.rcv.in.") || strings.HasPrefix(name, "TCB.rcv.in.") || strings.HasPrefix(name, "TCB.rst.") {
			return // what is sent and received, of which there is none
		}
		if name == "TCB.snd.stalled" || name == "TCB.snd.room" {
			return // told anew before anything is sent (SetRoom)
		}
		was := reflect.New(v.Type()).Elem()
		was.Set(v)
		for _, n := range [...]int64{0, 1, 77, -1, math.MinInt64 + 5, math.MaxInt64} {
			switch {
			case v.Kind() == reflect.Bool:
				v.SetBool(n&1 == 0)
			case v.CanInt():
				v.SetInt(n)
			default:
				v.SetUint(uint64(n))
			}
			if !c.idle() {
				refused = append(refused, name)
				continue
			}
			copied := *c
			if !same(&copied, sleep(t, c)) {
				t.Fatalf("%s is not kept (fields.go)", name)
			}
			kept++
		}
		v.Set(was)
	})
	if kept < 500 || len(refused) == 0 || len(refused) > 100 {
		t.Errorf("%d values were kept, and %d would not rest: %v", kept, len(refused), refused)
	}
}

// restKinds are kinds of connections that rest.
var restKinds = map[string]func(*pair){
	"default":         func(p *pair) {},
	"reno":            func(p *pair) { p.cfg[0].CongestionControl, p.cfg[1].CongestionControl = "reno", "reno" },
	"bbr":             func(p *pair) { p.cfg[0].CongestionControl, p.cfg[1].CongestionControl = "bbr", "bbr" },
	"no options":      func(p *pair) { p.cfg[0].NoTimestamps, p.cfg[0].NoSACK, p.cfg[0].NoWindowScale = true, true, true },
	"Accurate ECN":    func(p *pair) { p.cfg[0].ECN, p.cfg[1].ECN = ecnAskAccurate, ecnAnswerAccurate },
	"fixed buffers":   func(p *pair) { p.cfg[0].SendBuffer, p.cfg[0].ReceiveBuffer = 8000, 8000 },
	"Linux's HyStart": func(p *pair) { p.cfg[0].HyStart, p.cfg[1].HyStart = hystartLinux, hystartLinux },
	"bounded pace":    func(p *pair) { p.cfg[0].MaxPacingRate = 1 << 20 },
	"as FreeBSD":      func(p *pair) { p.cfg[0].FreeBSD, p.cfg[1].FreeBSD = true, true },
	"probing the MTU": func(p *pair) { p.cfg[0].MTUProbing = mtuProbeAlways },
	"losses":          func(p *pair) { p.chans[0].loss, p.chans[1].loss = 0.05, 0.05 },
}

// A connection that has rested is what it was before, by all that its methods tell, and moves data when it is asked to; whatever
// the handshake has agreed on, and whatever has happened before.
func TestRest(t *testing.T) {
	for name, change := range restKinds {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, 1)
			change(p)
			p.connect()
			for round := range 3 {
				p.runFor(10 * time.Second)
				for i, c := range p.ends {
					info, queue, metrics, copied := c.Info(p.now), c.Queue(), c.Metrics(), *c
					if unused := c.Unused(); unused != (round == 0) {
						t.Errorf("round %d, end %d: Unused %v", round, i, unused)
					}
					c = sleep(t, c)
					if got := c.Info(p.now); !reflect.DeepEqual(got, info) {
						t.Errorf("end %d: Info\n%+v, before\n%+v", i, got, info)
					}
					if got := c.Queue(); got != queue {
						t.Errorf("end %d: Queue %+v, before %+v", i, got, queue)
					}
					if got := c.Metrics(); got != metrics {
						t.Errorf("end %d: Metrics %+v, before %+v", i, got, metrics)
					}
					if name == "default" && !same(&copied, c) {
						t.Errorf("end %d: %+v, before %+v", i, c, &copied)
					}
					p.ends[i] = c
				}
				carry(p, 0, pattern(100_000))
				carry(p, 1, pattern(100_000))
			}
		})
	}
}

// A connection that is over tells what it did after it was written down, as before.
func TestBury(t *testing.T) {
	for name, change := range restKinds {
		for _, reset := range [...]bool{false, true} {
			t.Run(fmt.Sprintf("%s, reset %v", name, reset), func(t *testing.T) {
				p := newPair(t, 1)
				change(p)
				p.connect()
				carry(p, 0, pattern(100_000))
				carry(p, 1, pattern(50_000))
				for _, c := range p.ends {
					if reset {
						c.Abort(p.now)
					} else {
						c.Release(p.now)
					}
				}
				p.runFor(10 * time.Minute)
				for i, c := range p.ends {
					if c.State() != Closed {
						t.Fatalf("end %d: %v", i, c.State())
					}
					info, queue, err, pending := c.Info(p.now), c.Queue(), c.Err(), c.Pending()
					var r Resting
					c.Bury(&r)
					c = new(TCB)
					r.Wake(c, nil, nil)
					if got := c.Info(p.now); !reflect.DeepEqual(got, info) {
						t.Errorf("end %d: Info\n%+v, before\n%+v", i, got, info)
					}
					if got := c.Queue(); got != queue || c.Err() != err || c.Pending() != pending || !c.Readable() {
						t.Errorf("end %d: %+v, %v, %v, before %+v, %v, %v", i, got, c.Err(), c.Pending(), queue, err, pending)
					}
				}
			})
		}
	}
}

// Who has something to do does not rest.
func TestRestNot(t *testing.T) {
	p := newPair(t, 1)
	p.connect()
	p.runFor(time.Second)
	c := p.ends[0]
	var r Resting
	if n, err := c.Send(p.now, []byte("x")); n != 1 || err != nil || c.Rest(&r) {
		t.Fatal("it rests with something to send")
	}
	var seg Segment
	if !c.Next(p.now, &seg) || c.Rest(&r) {
		t.Fatal("it rests with something in flight")
	}
	if new(TCB).Rest(&r) {
		t.Fatal("it rests before it was opened")
	}
	if r.Asleep() {
		t.Error("something rests")
	}
}

// A connection that rests is of few octets, and a TCB that is freed holds nothing.
func TestRestSize(t *testing.T) {
	p := newPair(t, 1)
	p.connect()
	p.runFor(time.Second)
	for round, most := range []int{240, 384} {
		var r Resting
		if !p.ends[0].Rest(&r) {
			t.Fatal("it does not rest")
		}
		t.Logf("round %d: %d octets", round, len(r.fields))
		if len(r.fields) > most {
			t.Errorf("round %d: %d octets, more than %d", round, len(r.fields), most)
		}
		carry(p, 0, pattern(1_000_000))
		carry(p, 1, pattern(1_000_000))
		p.runFor(time.Minute)
	}
	p.ends[0].Free()
	c := p.ends[0]
	for _, p := range c.snd.out.ring {
		if p != nil {
			t.Error("it holds what was sent")
		}
	}
	for _, b := range c.rcv.buf.ring {
		if b != nil {
			t.Error("it holds a block")
		}
	}
	c.snd.out, c.rcv.buf = outbox{}, pipe{}
	if !reflect.DeepEqual(c, new(TCB)) {
		t.Errorf("freed: %+v", c)
	}
}

// The coder reads what it has written.
func TestFieldCoder(t *testing.T) {
	values := []int64{0, 1, -1, 63, 64, -64, -65, 8191, 8192, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64}
	w := newFieldCoder()
	at := []clock.Instant{0, 5, clock.Never, -7, 1 << 60}
	for _, v := range values {
		numbers(w, &v)
		s := Seq(v)
		w.seqs(7, &s)
	}
	for _, v := range at {
		w.instants(&v)
	}
	r := newFieldCoder()
	r.read(w.written())
	for _, want := range values {
		var v int64
		var s Seq
		if numbers(r, &v); v != want {
			t.Errorf("%d, want %d", v, want)
		}
		if r.seqs(7, &s); s != Seq(want) {
			t.Errorf("%d, want %d", s, Seq(want))
		}
	}
	for _, want := range at {
		var v clock.Instant
		if r.instants(&v); v != want {
			t.Errorf("%d, want %d", v, want)
		}
	}
}
