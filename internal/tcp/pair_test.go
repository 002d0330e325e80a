package tcp

import (
	"bytes"
	"container/heap"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// channel is what happens to segments on their way, in one direction.
type channel struct {
	delay, jitter           time.Duration
	loss, duplicate, delay2 float64       // probabilities; delay2: of being reordered by a further delay
	rate                    int           // octets a second; 0: no limit
	queue                   int           // octets that wait for the rate; 0: no limit
	busy                    clock.Instant // until when the rate is used
	drop                    func(seg *Segment) bool
}

// delivery is a segment under way.
type delivery struct {
	at   clock.Instant
	n    uint64
	to   int
	seg  Segment
	data []byte
}

type deliveries []*delivery

func (d deliveries) Len() int { return len(d) }
func (d deliveries) Less(i, j int) bool {
	return d[i].at < d[j].at || d[i].at == d[j].at && d[i].n < d[j].n
}
func (d deliveries) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *deliveries) Push(x any)   { *d = append(*d, x.(*delivery)) }
func (d *deliveries) Pop() any {
	x := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return x
}

// pair is two TCBs joined by two channels, in virtual time. ends[0] opens actively.
type pair struct {
	t     testing.TB
	now   clock.Instant
	ends  [2]*TCB
	cfg   [2]setup
	chans [2]channel // chans[i] carries what ends[i] sends
	wire  deliveries
	n     uint64
	rng   *rand.Rand
	sent  func(from int, seg *Segment) // sees each segment sent
	log   *bytes.Buffer
	outs  [2]int
	edge  [2]Seq // right edge of the window each end has offered, if known
	known [2]bool
}

func newPair(t testing.TB, seed uint64) *pair {
	p := &pair{t: t, rng: rand.New(rand.NewPCG(seed, 1)), now: clock.Instant(time.Hour)}
	for i := range p.cfg {
		p.cfg[i] = setup{MSS: 1460, ISS: uint32(i+1) * 1000, TSOffset: uint32(i) * 77777}
		p.chans[i].delay = 10 * time.Millisecond
		p.ends[i] = new(TCB)
	}
	return p
}

// connect runs the handshake.
func (p *pair) connect() *pair {
	p.t.Helper()
	p.ends[0].Connect(p.now, p.cfg[0].open())
	p.pump(0)
	p.runUntil(func() bool { return p.ends[0].Established() && p.ends[1].Established() }, time.Minute)
	return p
}

// pump sends what end i has to send.
func (p *pair) pump(i int) {
	var seg Segment
	c := p.ends[i]
	for k := 0; c.Next(p.now, &seg); k++ {
		if k > 100000 {
			p.t.Fatal("Next does not terminate")
		}
		p.check(i, &seg)
		data := make([]byte, seg.Len)
		c.Payload(&seg, data)
		if p.sent != nil {
			p.sent(i, &seg)
		}
		if p.log != nil {
			fmt.Fprintf(p.log, "%v %d %s\n", p.now, i, describe(&seg))
		}
		p.outs[i]++
		p.transmit(i, &seg, data)
	}
	if msg := checkTCB(c); msg != "" {
		p.t.Fatalf("%v end %d: %s", p.now, i, msg)
	}
}

// check asserts what holds for every segment sent.
func (p *pair) check(i int, seg *Segment) {
	c := p.ends[i]
	if seg.Flags&wire.RST != 0 {
		return
	}
	if options := optionsLen(&seg.Options); seg.Flags&wire.SYN == 0 && seg.Len+options > min(c.snd.peerMSS, c.snd.pathMSS) {
		p.t.Fatalf("segment of %d octets and %d of options is more than the MSS", seg.Len, options)
	}
	if seg.Flags&wire.ACK == 0 {
		return
	}
	scale := c.rcv.shift
	if seg.Flags&wire.SYN != 0 {
		scale = 0
	}
	edge := seg.Ack.Add(int(seg.Window) << scale)
	if p.known[i] && !c.rcv.eof && edge.Sub(p.edge[i]) <= -(1<<scale) {
		p.t.Fatalf("end %d has shrunk its window from %d to %d", i, p.edge[i], edge)
	}
	if !p.known[i] || p.edge[i].Less(edge) {
		p.edge[i], p.known[i] = edge, true
	}
}

func optionsLen(o *wire.TCPOptions) int {
	n := 0
	if o.HasTimestamps {
		n += 12
	}
	if o.SACKCount > 0 {
		n += 4 + 8*int(o.SACKCount)
	}
	return n + o.AccECN.Len()
}

func (p *pair) transmit(i int, seg *Segment, data []byte) {
	ch := &p.chans[i]
	if ch.drop != nil && ch.drop(seg) || p.rng.Float64() < ch.loss {
		return
	}
	at := p.now
	if ch.rate > 0 {
		start := max(ch.busy, p.now)
		if ch.queue > 0 && int(start.Sub(p.now)*time.Duration(ch.rate)/time.Second) > ch.queue {
			return
		}
		ch.busy = start.Add(time.Duration(seg.Len+60) * time.Second / time.Duration(ch.rate))
		at = ch.busy
	}
	copies := 1
	if p.rng.Float64() < ch.duplicate {
		copies = 2
	}
	for range copies {
		d := &delivery{at: at.Add(ch.delay), n: p.n, to: 1 - i, seg: *seg, data: data}
		p.n++
		if ch.jitter > 0 {
			d.at = d.at.Add(time.Duration(p.rng.Int64N(int64(ch.jitter))))
		}
		if p.rng.Float64() < ch.delay2 {
			d.at = d.at.Add(time.Duration(p.rng.Int64N(int64(3*ch.delay + 1))))
		}
		heap.Push(&p.wire, d)
	}
}

// next returns when the next thing happens.
func (p *pair) next() clock.Instant {
	at := min(p.ends[0].Deadline(), p.ends[1].Deadline())
	if len(p.wire) > 0 {
		at = min(at, p.wire[0].at)
	}
	return at
}

// step makes the next thing happen; false: nothing ever will.
func (p *pair) step() bool {
	at := p.next()
	if at == clock.Never {
		return false
	}
	p.now = max(p.now, at)
	if len(p.wire) > 0 && p.wire[0].at <= p.now {
		d := heap.Pop(&p.wire).(*delivery)
		p.deliver(d.to, &d.seg, d.data)
		return true
	}
	for i, c := range p.ends {
		if c.Deadline() <= p.now {
			c.Timeout(p.now)
			p.pump(i)
		}
	}
	return true
}

func (p *pair) deliver(to int, seg *Segment, data []byte) {
	seg.Payload, seg.Retransmit = data, false
	c := p.ends[to]
	if to == 1 && c.State() == Closed && c.cc == nil && seg.Flags&(wire.SYN|wire.ACK|wire.RST) == wire.SYN {
		c.Accept(p.now, p.cfg[1].open(), seg)
	} else {
		c.Arrive(p.now, seg)
	}
	p.pump(to)
}

// runUntil runs until done, and fails if that takes longer than limit.
func (p *pair) runUntil(done func() bool, limit time.Duration) {
	p.t.Helper()
	end := p.now.Add(limit)
	for !done() {
		if p.next() > end || !p.step() {
			p.t.Fatalf("not done after %v: %v %+v\n%+v", limit, p.now, p.ends[0].Info(p.now), p.ends[1].Info(p.now))
		}
	}
}

// runFor lets d pass.
func (p *pair) runFor(d time.Duration) {
	end := p.now.Add(d)
	for p.next() <= end && p.step() {
	}
	p.now = end
}

func (p *pair) send(i int, b []byte) int {
	p.t.Helper()
	n, err := p.ends[i].Send(p.now, b)
	if err != nil {
		p.t.Fatalf("Send: %v", err)
	}
	p.pump(i)
	return n
}

// read reads what end i has; eof reports the end.
func (p *pair) read(i int) (b []byte, eof bool) {
	p.t.Helper()
	buf := make([]byte, 1<<16)
	for {
		n, err := p.ends[i].Receive(p.now, buf)
		b = append(b, buf[:n]...)
		if err == io.EOF {
			return b, true
		}
		if err != nil {
			p.t.Fatalf("Receive: %v", err)
		}
		if n == 0 {
			break
		}
	}
	c := p.ends[i]
	owes, before := c.Owes(), c.stats.segsOut
	if p.pump(i); !owes && c.stats.segsOut != before {
		p.t.Errorf("end %d sends after a read that owes nothing", i)
	}
	return b, false
}

// transfer moves data from one end to the other, closes that direction, and returns how long it took.
func (p *pair) transfer(from int, data []byte, limit time.Duration) time.Duration {
	p.t.Helper()
	start, end := p.now, p.now.Add(limit)
	var got []byte
	rest := data
	closed, eof := false, false
	for !eof {
		if len(rest) > 0 {
			rest = rest[p.send(from, rest):]
		}
		if len(rest) == 0 && !closed {
			closed = true
			p.ends[from].Close(p.now)
			p.pump(from)
		}
		var b []byte
		b, eof = p.read(1 - from)
		if !bytes.HasPrefix(data[len(got):], b) {
			p.t.Fatal("what was received is not a prefix of what was sent")
		}
		got = data[:len(got)+len(b)]
		if !eof && (p.next() > end || !p.step()) {
			p.t.Fatalf("transfer stuck at %d of %d after %v: %+v\n%+v", len(got), len(data), p.now.Sub(start),
				p.ends[from].Info(p.now), p.ends[1-from].Info(p.now))
		}
	}
	if len(got) != len(data) {
		p.t.Fatalf("received %d octets of %d", len(got), len(data))
	}
	return p.now.Sub(start)
}

func pattern(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(uint64(n), 7))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// describe writes a segment in the manner of RFC 9293.
func describe(s *Segment) string {
	return fmt.Sprintf("<SEQ=%d><ACK=%d><CTL=%s><WND=%d><LEN=%d>%s", s.Seq, s.Ack, flagNames(s.Flags), s.Window,
		max(s.Len, len(s.Payload)), sackNames(&s.Options))
}

func flagNames(f wire.TCPFlags) string {
	s := ""
	for i, n := range []string{"FIN", "SYN", "RST", "PSH", "ACK", "URG"} {
		if f&(1<<i) != 0 {
			if s != "" {
				s += ","
			}
			s += n
		}
	}
	return s
}

func sackNames(o *wire.TCPOptions) string {
	s := ""
	for _, b := range o.SACK[:o.SACKCount] {
		s += fmt.Sprintf("<SACK %d-%d>", b.Left, b.Right)
	}
	return s
}

// checkTCB returns what is wrong inside c, after Next has returned false.
func checkTCB(c *TCB) string {
	b := &c.board
	var out, sacked, lost, again, pending, listed int
	next := c.snd.una
	for id := b.head; id != b.tail; id++ {
		r := b.record(id)
		if r.seq != next || r.len() <= 0 {
			return fmt.Sprintf("record %d begins at %d, want %d, and has %d octets", id, r.seq, next, r.len())
		}
		next = r.end
		out++
		sacked += bit(r.flags & sentSacked)
		lost += bit(r.flags & sentLost)
		again += bit(r.flags & sentAgain)
		listed += bit(r.flags & sentListed)
		if isPending(r.flags) != 0 {
			pending++
			if int32(id-b.rxtNext) < 0 {
				return "a pending record is before rxtNext"
			}
		}
	}
	if !c.sackOK {
		sacked = b.sacked // an estimate
	}
	if out != b.out || sacked != b.sacked || lost != b.lost || again != b.again || pending != b.pending || listed != b.byTime.n {
		return fmt.Sprintf("scoreboard counts %d %d %d %d %d %d, has %d %d %d %d %d %d", b.out, b.sacked, b.lost, b.again,
			b.pending, b.byTime.n, out, sacked, lost, again, pending, listed)
	}
	if msg := checkByTime(b); msg != "" {
		return msg
	}
	if !b.empty() && next != c.snd.nxt {
		return "the scoreboard does not end at SND.NXT"
	}
	if b.empty() && b.ring != nil {
		return "an empty scoreboard holds memory"
	}
	if c.state == Closed {
		if c.Deadline() != clock.Never {
			return "a timer of a closed connection"
		}
		if c.snd.out.held > 0 || !b.empty() || len(c.rcv.ranges) > 0 || c.rcv.buf.held > 0 || c.rcv.in.size == 0 && c.rcv.in.held > 0 {
			return "a closed connection holds memory that nobody will ask for"
		}
		return ""
	}
	switch waiting := c.unsent() > 0 || c.snd.fin && !c.snd.finSent; {
	case !c.state.synchronized() || !b.empty():
		if c.timers[rexmtTimer] == clock.Never {
			return "something is in flight and no retransmission timer runs"
		}
	case waiting && c.timers[persistTimer] == clock.Never && c.timers[paceTimer] == clock.Never:
		return "data waits, nothing is in flight, and no persist timer runs"
	}
	if c.state.synchronized() && b.empty() && c.timers[rexmtTimer] != clock.Never {
		return "nothing is in flight, and the retransmission timer runs" // RFC 6298, 5.2
	}
	if c.state == TimeWait && c.timers[timeWaitTimer] == clock.Never {
		return "no timer in TIME-WAIT"
	}
	for i := 1; i < len(c.rcv.ranges); i++ {
		if !c.rcv.ranges[i-1].to.Less(c.rcv.ranges[i].from) {
			return "ranges out of order"
		}
	}
	if len(c.rcv.ranges) > 0 && !c.rcv.nxt.Less(c.rcv.ranges[0].from) {
		return "a range before RCV.NXT"
	}
	if c.rcv.in.size == 0 && c.rcv.in.held > 0 || len(c.rcv.ranges) == 0 && c.rcv.buf.end > 0 {
		return "an empty receive buffer holds memory"
	}
	held := 0
	for p := c.rcv.in.first; p != nil; p = p.next {
		held += len(p.data)
	}
	if held != c.rcv.in.size {
		return "the receive buffer does not hold what has come"
	}
	return ""
}

// checkByTime returns what is wrong with the list by time of transmission.
func checkByTime(b *scoreboard) string {
	if b.byTime.n == 0 {
		return ""
	}
	n, id := 1, b.byTime.oldest
	for {
		next, ok := b.after(id)
		if !ok {
			break
		}
		if b.record(next).older != id {
			return "the list by time is not linked both ways"
		}
		if n++; n > b.byTime.n {
			return "the list by time is too long"
		}
		id = next
	}
	if n != b.byTime.n || id != b.byTime.newest {
		return fmt.Sprintf("the list by time has %d records, counts %d", n, b.byTime.n)
	}
	return ""
}
