package tcp

import (
	"fmt"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// markingQueue has p's queue from end i mark what finds more than limit waiting, and counts what it has marked.
type markingQueue struct {
	segments, octets uint64 // marked
	passed           uint64 // octets with ECT that were not
}

func (q *markingQueue) install(p *pair, from int, limit time.Duration) {
	before := p.sent
	p.sent = func(i int, seg *Segment) {
		if before != nil {
			before(i, seg)
		}
		if i != from || seg.ECN == NotECT {
			return
		}
		if p.chans[i].busy.Sub(p.now) > limit {
			seg.ECN = CE
			q.segments++
			q.octets += uint64(seg.Len)
		} else {
			q.passed += uint64(seg.Len)
		}
	}
}

// accurate returns a pair that has agreed on Accurate ECN.
func accurate(t testing.TB, seed uint64, change func(*pair)) *pair {
	p := newPair(t, seed)
	p.cfg[0].ECN, p.cfg[1].ECN = ecnAskAccurate, ecnAnswerAccurate
	if change != nil {
		change(p)
	}
	return p.connect()
}

// Behind a queue that marks, both ends count what the queue has, exactly: segments with the ACE field, octets with the option;
// and the queue loses nothing, since each round trip with marks reduces the window.
func TestAccECNCountsAreExact(t *testing.T) {
	for _, control := range []string{"reno", "cubic", "bbr"} {
		for option := -1; option <= 2; option++ {
			if option == 0 {
				continue // the default, 2
			}
			t.Run(fmt.Sprintf("%s/option %d", control, option), func(t *testing.T) {
				var q markingQueue
				p := accurate(t, 3, func(p *pair) {
					p.chans[0].rate = 2 << 20
					for i := range p.cfg {
						p.cfg[i].CongestionControl, p.cfg[i].ECNOption = control, option
					}
				})
				q.install(p, 0, 5*time.Millisecond)
				p.transfer(0, pattern(4<<20), time.Minute)
				p.runFor(time.Second)
				s, r := p.ends[0].marks, p.ends[1].marks
				if q.segments < 20 {
					t.Fatalf("only %d segments were marked", q.segments)
				}
				if r.received.cep-5 != q.segments || r.received.data(CE) != q.octets || r.received.data(ECT0) != q.passed {
					t.Errorf("the receiver has %+v of %+v", r.received, q)
				}
				if s.delivered.cep != r.received.cep {
					t.Errorf("s.cep is %d, r.cep %d", s.delivered.cep, r.received.cep)
				}
				if option > 0 && s.delivered.octets != r.received.octets {
					t.Errorf("the sender has %v, the receiver %v", s.delivered.octets, r.received.octets)
				}
				if i := p.ends[0].Info(p.now); i.DeliveredCE != q.segments || i.AccECNFailMode != 0 || i.Retransmits != 0 {
					t.Errorf("%+v", i)
				}
				t.Logf("%d of %d segments marked", q.segments, p.ends[0].stats.delivered)
			})
		}
	}
}

// Where ACKs are lost, and data, the octets of the option are exact all the same, and the ACE field is what it is modulo 8.
func TestAccECNWithLosses(t *testing.T) {
	for seed := range uint64(8) {
		var q markingQueue
		p := accurate(t, seed, func(p *pair) {
			p.chans[0].rate, p.chans[0].loss = 2<<20, 0.005
			p.chans[1].loss = 0.2
		})
		q.install(p, 0, 5*time.Millisecond)
		p.transfer(0, pattern(2<<20), time.Minute)
		p.runFor(5 * time.Second)
		s, r := p.ends[0].marks, p.ends[1].marks
		if s.fail != 0 || s.delivered.octets != r.received.octets || s.delivered.cep&7 != r.received.cep&7 {
			t.Errorf("seed %d: the sender has %+v, fail %d; the receiver %+v", seed, s.delivered, s.fail, r.received)
		}
	}
}

// Both directions at once, with traffic that answers.
func TestAccECNBothWays(t *testing.T) {
	var q [2]markingQueue
	p := accurate(t, 5, func(p *pair) { p.chans[0].rate, p.chans[1].rate = 1<<20, 1<<20 })
	q[0].install(p, 0, 2*time.Millisecond)
	q[1].install(p, 1, 2*time.Millisecond)
	for range 30 {
		for i := range p.ends {
			p.send(i, pattern(60000))
		}
		p.runFor(200 * time.Millisecond)
		p.read(0)
		p.read(1)
	}
	p.runFor(time.Second)
	for i := range p.ends {
		s, r := p.ends[i].marks, p.ends[1-i].marks
		if q[i].segments == 0 || s.delivered != r.received || r.received.cep-5 != q[i].segments {
			t.Errorf("end %d: %+v, the other %+v, the queue %+v", i, s.delivered, r.received, q[i])
		}
	}
}

// RFC 9768, appendix A.2.1 and A.2.2, with their examples.
func TestAccECNUnwrap(t *testing.T) {
	for _, tt := range []struct {
		name string
		d, n int
		mss  int
		ceb  int // negative: there is no option
		avg  uint16
		want int
	}{
		{"nine acknowledged, two marked", 2, 9, 1460, -1, 0, 2},
		{"ten acknowledged, two marked, or all", 2, 10, 1460, -1, 0, 10},
		{"seven cannot wrap", 2, 7, 1460, -1, 0, 2},
		{"more marks than segments", 5, 2, 1460, -1, 0, 5},
		{"ACKs that always acknowledge many", 2, 20, 1460, -1, 20 << 6, 2},
		{"many, for once", 2, 20, 1460, -1, 2 << 6, 18},
		{"no segment can be as large as 1460 in none", 0, 8, 1460, 8 * 1460, 0, 8},
		{"two marked, of ten", 2, 10, 1460, 2 * 1460, 0, 2},
		{"ten marked, of ten", 2, 10, 1460, 10 * 1460, 0, 10},
		{"ten marked, of thirty", 2, 30, 1460, 10 * 1460, 0, 10},
		{"18 marked, of thirty", 2, 30, 1460, 18 * 1460, 0, 18},
		{"none", 0, 30, 1460, 0, 0, 0},
	} {
		m := ecnMarks{average: tt.avg}
		if got := m.unwrap(tt.d, ecnCovered{tt.n, tt.mss, max(tt.ceb, 0), tt.ceb >= 0}); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// counter is a congestion control that counts what it is told of marks.
type counter struct {
	NoControl
	segments, octets *uint64
}

func (counter) Name() string         { return "counter" }
func (counter) Reduce(s *Sender) int { return max(s.Window/2, 2) }
func (counter) Grow(*Sender, int)    {}
func (counter) Controls() bool       { return true }
func (c counter) Control(s *Sender, _ *RateSample) {
	*c.segments += uint64(s.Marked)
	*c.octets += uint64(s.MarkedOctets)
	s.Window = 40
}

// A congestion control is told how many segments and octets were marked.
func TestMarksReachCongestionControl(t *testing.T) {
	var segments, octets uint64
	var q markingQueue
	algorithms := []Algorithm{{"counter", func() CongestionControl { return counter{segments: &segments, octets: &octets} }}}
	p := accurate(t, 3, func(p *pair) {
		p.cfg[0].Algorithms, p.cfg[0].CongestionControl = &algorithms, "counter"
		p.chans[0].rate = 1 << 20
	})
	q.install(p, 0, 10*time.Millisecond)
	p.transfer(0, pattern(1<<20), time.Minute)
	p.runFor(time.Second)
	if q.segments == 0 || segments != q.segments || octets != q.octets {
		t.Errorf("told of %d segments and %d octets, of %+v", segments, octets, q)
	}
}

// 3.2.2.5.1, for a window that a mark has made small: no ACK waits for the timer that tells of new marks.
func TestAccECNAcknowledgesMarksAtOnce(t *testing.T) {
	p := accurate(t, 1, nil)
	for range 40 { // until ACKs are delayed
		p.send(0, pattern(100))
		p.runFor(30 * time.Millisecond)
		p.read(1)
		p.send(1, pattern(100))
		p.runFor(30 * time.Millisecond)
		p.read(0)
	}
	marked, at, acked := false, clock.Instant(0), clock.Instant(0)
	p.sent = func(i int, seg *Segment) {
		if i == 0 && seg.Len > 0 {
			seg.ECN, marked, at = CE, true, p.now
		}
		if i == 1 && marked && acked == 0 {
			acked = p.now
		}
	}
	p.send(0, pattern(100))
	p.runFor(time.Second)
	if d := acked.Sub(at); d != 10*time.Millisecond {
		t.Errorf("the mark was told after %v, and 10 ms is the way there", d)
	}
}

// Segments of an AccECN connection are made and taken without allocating.
func TestAccECNAllocates(t *testing.T) {
	p := accurate(t, 1, func(p *pair) { p.chans[0].rate = 0 })
	c := p.ends[1]
	var seg Segment
	data := make([]byte, 100)
	at := c.rcv.nxt
	buf := make([]byte, 1000)
	step := func() {
		ts := c.ts.recent
		c.Arrive(p.now, &Segment{Seq: at, Ack: c.snd.una, Flags: wire.ACK.WithACE(5), Window: 1000, Payload: data, ECN: CE,
			Options: wire.TCPOptions{HasTimestamps: true, TSVal: ts, AccECN: wire.AccECNOption{Present: true, Order: 1, Fields: 3,
				Counter: [3]uint32{1, 0, 1}}}})
		at = at.Add(len(data))
		for c.Next(p.now, &seg) {
		}
		if _, err := c.Receive(p.now, buf); err != nil {
			t.Fatal(err)
		}
	}
	step()
	if n := testing.AllocsPerRun(200, step); n > 0 {
		t.Errorf("%v allocations a segment", n)
	}
	if c.marks.received.cep < 200 || !seg.Options.AccECN.Present {
		t.Errorf("nothing was counted: %+v, %+v", c.marks.received, seg.Options)
	}
}

// 3.2.3.3: what fits beside SACK blocks: two of them have precedence, the third has not.
func TestAccECNOptionRoom(t *testing.T) {
	const e1, e0, ce = 1 << (ECT1 - 1), 1 << (ECT0 - 1), 1 << (CE - 1)
	for _, tt := range []struct {
		stamps      bool
		blocks      int
		changed     uint8
		fit, fields int
		order       uint8
	}{
		{true, 0, e1 | e0 | ce, 0, 3, 1},
		{true, 1, e1 | e0 | ce, 1, 3, 1},
		{true, 2, 0, 2, 2, 1},
		{true, 2, e0, 2, 2, 0},
		{true, 2, e0 | ce, 2, 2, 0},
		{true, 2, e1 | ce, 2, 2, 1},
		{true, 2, e1 | e0, 2, -1, 0},
		{true, 3, e0, 2, 2, 0},
		{true, 3, e1 | e0, 3, -1, 0},
		{false, 3, e0 | ce, 3, 3, 1},
		{false, 4, e0 | ce, 3, 3, 1},
	} {
		p := accurate(t, 1, func(p *pair) { p.cfg[0].NoTimestamps = !tt.stamps })
		c := p.ends[1]
		c.marks.option.changed, c.marks.option.due = tt.changed, true
		fit, fields, order := c.optionRoom(tt.blocks)
		if fit != tt.fit || fields != tt.fields || fields >= 0 && order != tt.order {
			t.Errorf("%+v: %d blocks, %d fields, order %d", tt, fit, fields, order)
		}
	}
}
