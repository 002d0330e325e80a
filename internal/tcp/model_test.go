package tcp

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// model is two TCBs and what is between them: an adversary that holds each segment and decides what becomes of it, users that
// call anything at any time, and a clock that jumps. What happens is read from a fuzzer's octets. After every event it
// asserts what must hold of a connection whatever happens.
type model struct {
	t     *testing.T
	tape  []byte
	now   clock.Instant
	ends  [2]modelEnd
	cut   [2]bool // what this end sends is lost
	rough bool    // a user has aborted, or a peer was silent for too long: data may be lost
	steps int
}

// modelEnd is one end, its user, and what it has sent that is still under way.
type modelEnd struct {
	tcb   *TCB
	open  Open
	wire  []flight
	wrote []byte // by the user
	read  int    // octets of the other's wrote that the user has read
	want  int    // octets the user means to write in all
	eof   bool
	shut  bool // the user has closed
	gone  bool // the user has let go of it: who reads then asks for nothing

	una, nxt, adv Seq // as they were last
	synced        bool
	told          onWire
}

// flight is a segment under way.
type flight struct {
	seg  Segment
	data []byte
}

// FuzzModel checks the machine against an adversary. See model.
func FuzzModel(f *testing.F) {
	rng := rand.New(rand.NewPCG(7, 7))
	f.Add([]byte{})
	for n := 50; n <= 1600; n *= 2 {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(runModel)
}

// TestModel is FuzzModel over octets at random.
func TestModel(t *testing.T) {
	n := 400
	if testing.Short() || raceEnabled {
		n = 50
	}
	for seed := range n {
		rng := rand.New(rand.NewPCG(uint64(seed), 99))
		b := make([]byte, rng.IntN(3000))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		if ok := t.Run(fmt.Sprint(seed), func(t *testing.T) { runModel(t, b) }); !ok {
			return
		}
	}
}

func runModel(t *testing.T, tape []byte) {
	if len(tape) > 1<<14 {
		return
	}
	m := &model{t: t, tape: tape, now: clock.Instant(time.Hour)}
	m.setup()
	for len(m.tape) > 0 {
		m.event(m.take(), m.take())
	}
	m.quiesce()
}

// take returns the tape's next octet, 0 behind its end.
func (m *model) take() int {
	if len(m.tape) == 0 {
		return 0
	}
	v := m.tape[0]
	m.tape = m.tape[1:]
	return int(v)
}

func (m *model) fail(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("after %d events: %s\n%+v\n%+v", m.steps, fmt.Sprintf(format, args...), m.ends[0].tcb.Info(m.now), m.ends[1].tcb.Info(m.now))
}

// setup chooses the settings of both ends.
func (m *model) setup() {
	for i := range m.ends {
		e := &m.ends[i]
		v, w := m.take(), m.take()
		e.open = Open{
			MSS: []int{88, 536, 1460, 8960}[v&3], ISS: uint32(m.take()<<24 - w), TSOffset: uint32(w) << 24,
			Config: Config{
				NoSACK: v&4 != 0, NoTimestamps: v&8 != 0, NoWindowScale: v&16 != 0, NoDelay: v&32 != 0, UrgentInline: true,
				CongestionControl: []string{"cubic", "bbr", "reno"}[(v+w)%3], ECN: []int{2, 3, -1, 5, 1, 3, 4}[(v+2*w)%7],
				KeepAlive: v&64 != 0, KeepAliveIdle: time.Minute, SendBuffer: 512 << (w & 7), ReceiveBuffer: 512 << (w >> 3 & 7),
			}.Complete(),
		}
		if w>>3&7 == 7 {
			e.open.Config.ReceiveBuffer = 0 // tuned, and so with a scaled window
		}
		e.tcb = new(TCB)
		e.want = 1 << (w >> 4)
	}
	m.ends[0].tcb.Connect(m.now, m.ends[0].open)
	m.pump(0)
	if m.take() == 0 {
		m.ends[1].tcb.Connect(m.now, m.ends[1].open) // a simultaneous open
		m.pump(1)
	}
}

// event does what octets of the tape say.
func (m *model) event(op, arg int) {
	m.steps++
	i := op & 1
	e := &m.ends[i]
	switch op >> 1 & 31 {
	case 0, 1, 2, 3, 4, 5, 6, 7: // the oldest segment arrives
		m.arrive(i, 0, false)
	case 8, 9: // another one overtakes it
		m.arrive(i, arg, false)
	case 10: // it arrives, and will once more
		m.arrive(i, arg, true)
	case 11, 12: // it is lost, or its checksum is wrong
		m.lose(i, arg)
	case 13: // the line breaks, or mends
		m.cut[i] = arg&3 == 0
	case 14, 15, 16, 17: // time passes
		m.sleep(time.Duration(arg) * time.Millisecond)
	case 18: // more of it
		m.sleep(time.Duration(arg) * time.Second / 4)
	case 19: // a timer goes off, if it does before long
		if d := e.tcb.Deadline(); d != clock.Never && d.Sub(m.now) < time.Hour {
			m.sleep(d.Sub(m.now))
		}
	case 20: // the host slept
		if arg == 0 {
			m.sleep(26 * 24 * time.Hour)
		} else if arg < 32 {
			m.sleep(time.Duration(arg) * time.Minute)
		}
	case 21, 22, 23, 24:
		m.write(i, 1+arg*arg, arg&15 == 0)
	case 25, 26, 27:
		m.readSome(i, 1+arg*arg)
	case 28:
		m.forge(i, arg)
	case 29:
		m.change(i, arg)
	case 30:
		m.finish(i, arg)
	case 31:
		e.tcb.SetPathMTU(m.now, 48+arg*4)
	}
	m.pump(i)
	m.verify()
}

// sleep lets d pass with its timers.
func (m *model) sleep(d time.Duration) {
	end := m.now.Add(d)
	for k := 0; ; k++ {
		at := min(m.ends[0].tcb.Deadline(), m.ends[1].tcb.Deadline())
		if at > end {
			break
		}
		if k > 100000 {
			m.fail("timers do not end")
		}
		m.now = max(m.now, at)
		for i := range m.ends {
			m.ends[i].tcb.Timeout(m.now)
			m.pump(i)
		}
		m.verify()
	}
	m.now = end
}

// arrive delivers a segment that end i has sent.
func (m *model) arrive(i, which int, again bool) {
	w := m.ends[i].wire
	if len(w) == 0 {
		return
	}
	which %= len(w)
	f := w[which]
	if !again {
		m.lose(i, which)
	}
	m.deliver(1-i, &f)
}

func (m *model) lose(i, which int) {
	if w := m.ends[i].wire; len(w) > 0 {
		m.ends[i].wire = slices.Delete(w, which%len(w), which%len(w)+1)
	}
}

// deliver gives end i a segment.
func (m *model) deliver(i int, f *flight) {
	e := &m.ends[i]
	seg := f.seg
	seg.Payload, seg.Retransmit, seg.Challenge = f.data, false, false
	if e.tcb.cc == nil && seg.Flags&(wire.SYN|wire.ACK|wire.RST) == wire.SYN {
		e.tcb.Accept(m.now, e.open, &seg)
	} else {
		e.tcb.Arrive(m.now, &seg)
	}
	if i == 1 && e.tcb.state == Closed && e.tcb.passive && !e.synced && len(e.wrote) == 0 && !e.shut {
		e.tcb, e.told = new(TCB), onWire{} // it returns to LISTEN
	}
	m.pump(i)
}

// pump puts what end i has to send on the wire.
func (m *model) pump(i int) {
	e := &m.ends[i]
	var seg Segment
	for k := 0; e.tcb.Next(m.now, &seg); k++ {
		if k > 1<<16 {
			m.fail("Next does not end")
		}
		data := make([]byte, seg.Len)
		e.tcb.Payload(&seg, data)
		m.inspect(i, &seg, data)
		if seg.Len > max(e.tcb.snd.pathMSS, 1) {
			m.fail("end %d sends %d octets, its path carries %d", i, seg.Len, e.tcb.snd.pathMSS)
		}
		if seg.ECN != NotECT && m.steps%5 == 0 {
			seg.ECN = CE
		}
		if len(e.wire) < 256 && !m.cut[i] { // a queue overflows
			e.wire = append(e.wire, flight{seg, data})
		}
	}
	if err := e.tcb.Err(); err == syscall.ETIMEDOUT {
		m.rough = true
	}
}

// write writes as a user, within what is to be written in all.
func (m *model) write(i, n int, urgent bool) {
	e := &m.ends[i]
	n = min(n, e.want-len(e.wrote))
	if n <= 0 || e.shut || e.tcb.cc == nil {
		return
	}
	b := make([]byte, n)
	for k := range b {
		b[k] = octet(i, len(e.wrote)+k)
	}
	var err error
	if urgent {
		n, err = e.tcb.SendUrgent(b)
	} else {
		n, err = e.tcb.Send(m.now, b)
	}
	if err != nil && e.tcb.Err() == nil {
		m.fail("end %d: Send: %v", i, err)
	}
	e.wrote = append(e.wrote, b[:n]...)
}

// octet is what end i writes at an offset.
func octet(i, off int) byte { return byte(off*(31+i) + off>>8) }

// readSome reads as a user: what comes is what was written, in order.
func (m *model) readSome(i, n int) {
	e, o := &m.ends[i], &m.ends[1-i]
	if e.tcb.cc == nil || e.gone {
		return
	}
	b := make([]byte, n)
	n, err := e.tcb.Receive(m.now, b)
	if !bytes.HasPrefix(o.wrote[e.read:], b[:n]) {
		m.fail("end %d read something else than was written, at %d", i, e.read)
	}
	e.read += n
	if err == io.EOF && e.tcb.rcv.eof && !e.eof {
		e.eof = true
		if !o.shut || e.read != len(o.wrote) {
			m.fail("end %d: the end after %d of %d octets", i, e.read, len(o.wrote))
		}
	}
}

// forge sends end i what somebody off the path could make who has guessed the ports, and not the numbers. It must change
// nothing.
func (m *model) forge(i, arg int) {
	c := m.ends[i].tcb
	if !c.state.synchronized() || c.state == TimeWait {
		return
	}
	una, nxt, rcv, state := c.snd.una, c.snd.nxt, c.rcv.nxt, c.state
	sacked := c.board.sacked
	s := &Segment{Seq: rcv.Add(1 + arg), Ack: nxt, Window: uint16(arg), Payload: []byte("forged")}
	s.Options.HasTimestamps, s.Options.TSVal, s.Options.TSEcr = c.ts.on, c.ts.recent, c.tsNow(m.now)
	switch arg % 6 {
	case 0: // RFC 5961, 3
		s.Flags, s.Payload = wire.RST, nil
		if c.atLastSACK(s) {
			return
		}
	case 1: // RFC 5961, 4
		s.Flags, s.Seq = wire.SYN, rcv
	case 2: // RFC 5961, 5
		s.Flags, s.Ack = wire.ACK, nxt.Add(1+arg)
	case 3:
		s.Flags, s.Seq = wire.ACK, c.rcv.adv.Add(1+arg)
	case 4: // RFC 7323, 5: a segment of the past
		if !c.ts.on || m.now.Sub(c.ts.age) >= tsOutdated {
			return
		}
		s.Flags, s.Seq, s.Options.TSVal = wire.ACK, rcv, c.ts.recent-uint32(1+arg)
	case 5: // RFC 2018, 3: blocks of what was never sent, though the number is right
		if !c.sackOK {
			return
		}
		s.Flags, s.Seq, s.Ack, s.Payload, s.Window = wire.ACK, rcv, una, nil, uint16(min(c.snd.wnd>>c.snd.shift, 65535))
		s.Options.SACKCount = 2
		s.Options.SACK[0] = wire.SACKBlock{Left: uint32(una + 1), Right: uint32(nxt) + 1}
		s.Options.SACK[1] = wire.SACKBlock{Left: uint32(nxt), Right: uint32(una + 1)}
	}
	c.Arrive(m.now, s)
	if c.snd.una != una || c.rcv.nxt != rcv || c.state != state || c.sackOK && c.board.sacked > sacked {
		m.fail("end %d believes a forged segment %+v", i, s)
	}
}

// change changes settings.
func (m *model) change(i, arg int) {
	c := m.ends[i].tcb
	if c.cc == nil {
		return
	}
	change(c, m.now, func(cfg *Config) {
		cfg.NoDelay, cfg.Cork = arg&1 != 0, arg&2 != 0 && arg&4 != 0
		cfg.KeepAlive, cfg.KeepAliveIdle = arg&8 != 0, time.Duration(1+arg>>4)*time.Minute
		cfg.DelayedACK = time.Duration(arg) * time.Millisecond
	})
}

// finish ends the connection, one way or another.
func (m *model) finish(i, arg int) {
	e := &m.ends[i]
	if e.tcb.cc == nil {
		return
	}
	switch {
	case arg < 2:
		e.tcb.Abort(m.now)
	case arg < 4:
		e.tcb.Release(m.now)
	case arg < 100 && e.tcb.state != SynSent:
		e.tcb.Close(m.now)
		e.shut = true
		return
	default:
		return
	}
	m.rough, e.shut, e.gone = true, true, true
	m.pump(i)
}

// verify asserts what holds after every event.
func (m *model) verify() {
	for i := range m.ends {
		e := &m.ends[i]
		c := e.tcb
		if msg := checkTCB(c); msg != "" {
			m.fail("end %d: %s", i, msg)
		}
		if c.snd.nxt.Less(c.snd.una) || c.rcv.adv.Less(c.rcv.nxt) && !c.rcv.eof && c.rcv.nxt.Sub(c.rcv.adv) > 1 {
			m.fail("end %d: SND.UNA %d, SND.NXT %d; RCV.NXT %d, offered up to %d", i, c.snd.una, c.snd.nxt, c.rcv.nxt, c.rcv.adv)
		}
		if synced := c.state.synchronized(); synced && e.synced &&
			(c.snd.una.Less(e.una) || c.rcv.nxt.Less(e.nxt) || c.rcv.adv.Less(e.adv) && !c.rcv.eof) {
			m.fail("end %d: SND.UNA %d after %d, RCV.NXT %d after %d, right edge %d after %d", i, c.snd.una, e.una, c.rcv.nxt, e.nxt,
				c.rcv.adv, e.adv)
		}
		e.synced = e.synced || c.state.synchronized()
		e.una, e.nxt, e.adv = c.snd.una, c.rcv.nxt, c.rcv.adv
		m.bounded(i)
		m.timed(i)
	}
	a, b := m.ends[0].tcb, m.ends[1].tcb
	if m.ends[0].synced && m.ends[1].synced {
		m.agree(a, b)
		m.agree(b, a)
	}
}

// agree asserts that a has acknowledged of b's what it has received, and b received of a's what a has sent.
func (m *model) agree(a, b *TCB) {
	acked, sent, got := a.snd.una.Sub(a.snd.iss), a.snd.nxt.Sub(a.snd.iss), b.rcv.nxt.Sub(b.rcv.irs)
	if acked > got || got > sent {
		m.fail("%d octets of %d sent are acknowledged, %d received", acked, sent, got)
	}
}

// bounded asserts that an end holds no more memory than its buffers ask for.
func (m *model) bounded(i int) {
	c := m.ends[i].tcb
	if c.cfg == nil {
		return
	}
	blocksOf := func(p *pipe) (n int) {
		for _, b := range p.ring {
			if b != nil {
				n++
			}
		}
		return n
	}
	if n, bound := c.snd.out.held, c.cfg.SendBuffer/blockSize+2; n > bound {
		m.fail("end %d holds %d blocks to send, bound %d", i, n, bound)
	}
	if n, bound := c.rcv.in.held+blocksOf(&c.rcv.buf), max(c.cfg.ReceiveBuffer, c.rcv.space.size, 1<<16)/blockSize+2; n > bound {
		m.fail("end %d holds %d blocks received, bound %d", i, n, bound)
	}
	if len(c.rcv.ranges) > maxSpans || c.board.out > 4*(512+c.cfg.SendBuffer) {
		m.fail("end %d holds %d ranges and %d records", i, len(c.rcv.ranges), c.board.out)
	}
}

// quiesce mends the line and has the users read, write and close: everything ends, and what was not given up is delivered.
func (m *model) quiesce() {
	m.cut = [2]bool{}
	if m.ends[1].tcb.cc == nil && m.ends[0].tcb.state == Closed {
		return // never met
	}
	idle := 0
	for round := 0; ; round++ {
		if round > 20000 {
			m.fail("it does not end")
		}
		for i := range m.ends {
			for k := 0; len(m.ends[i].wire) > 0 && k < 1000; k++ {
				m.arrive(i, 0, false)
				m.verify()
			}
			e := &m.ends[i]
			for before := -1; before != e.read; { // a read ends at the urgent mark
				before = e.read
				m.readSome(i, 1<<20)
			}
			m.pump(i)
			m.write(i, 1<<20, false)
			if c := e.tcb; c.cc != nil && c.state != SynSent && len(e.wrote) == e.want && !e.shut {
				c.Close(m.now)
				e.shut = true
			}
			m.pump(i)
			m.verify()
		}
		if len(m.ends[0].wire)+len(m.ends[1].wire) > 0 {
			idle = 0
			continue
		}
		if m.ends[0].over() && m.ends[1].over() {
			break
		}
		at := min(m.ends[0].tcb.Deadline(), m.ends[1].tcb.Deadline())
		if at != clock.Never {
			idle = 0
			m.sleep(at.Sub(m.now))
			continue
		}
		idle++ // what came last may have made room for a user
		for i := range m.ends {
			if o := &m.ends[1-i]; idle > 1 && o.over() && o.tcb.Err() != nil {
				m.ends[i].tcb.Release(m.now) // its peer has died unheard: in the end the user lets go
				m.pump(i)
			}
		}
		if idle > 3 {
			m.fail("nothing will ever happen")
		}
	}
	for i := range m.ends {
		e, o := &m.ends[i], &m.ends[1-i]
		if !m.rough && (e.tcb.Err() != nil || e.read != len(o.wrote)) {
			m.fail("end %d: %v, read %d of %d", i, e.tcb.Err(), e.read, len(o.wrote))
		}
	}
}

// over reports whether the connection has ended here, or never began.
func (e *modelEnd) over() bool { return e.tcb.state == Closed }
