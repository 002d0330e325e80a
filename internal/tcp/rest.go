package tcp

import (
	"sync"

	"github.com/onlink-go/onlink/clock"
)

// Resting is a connection in ESTABLISHED over which nothing goes, or one that is over, in as few octets as it takes: those of its
// TCB's fields that are not zero. It is no machine: for whatever is to happen to the connection, Wake makes a TCB of it again,
// just as it was. The zero Resting is of no connection.
type Resting struct {
	cfg    *Config
	state  State
	fields string        // as fieldCoder writes them
	parts  *restingParts // nil: none
}

// restingParts is what few connections have, and is kept as it is.
type restingParts struct {
	cc       CongestionControl
	told     *RateSample
	marks    *ecnMarks
	episodes *episodes
	fast     *fastOpen
}

// Asleep reports whether r is of a connection.
func (r *Resting) Asleep() bool { return r.cfg != nil }

// State returns the connection's state: Established, or Closed after Bury.
func (r *Resting) State() State { return r.state }

// Bury writes c, which is in CLOSED and has nothing that anybody will read, to r, and frees c.
func (c *TCB) Bury(r *Resting) {
	c.writeDown(r)
	c.Free()
}

// idle reports whether nothing goes over the connection, so that what it takes to move data is not in use.
func (c *TCB) idle() bool {
	b := &c.board
	return c.state == Established && c.snd.una == c.snd.nxt && c.snd.out.n == 0 && len(c.snd.cuts) == 0 && !c.snd.fin && !c.snd.syn &&
		c.rcv.in.first == nil && c.rcv.buf.end == 0 && len(c.rcv.ranges) == 0 && !c.rcv.hasFIN && !c.rcv.ackNow && !c.rcv.due &&
		b.ring == nil && b.out|b.sacked|b.lost|b.again|b.pending == 0 &&
		c.recovery.state == stateOpen && c.recovery.rexmit == rexmitNone && c.rst.flags == 0 && !c.snd.force && !c.snd.alive &&
		c.timers[rexmtTimer] == clock.Never && c.timers[persistTimer] == clock.Never && c.timers[delackTimer] == clock.Never &&
		c.timers[paceTimer] == clock.Never && c.timers[timeWaitTimer] == clock.Never
}

// Quiet returns since when nothing has come or gone over the connection.
func (c *TCB) Quiet() clock.Instant { return max(c.snd.last, c.rcv.heard) }

// Unused reports whether no data has gone over the connection yet.
func (c *TCB) Unused() bool {
	return c.state == Established && c.snd.nxt == c.snd.iss+1 && c.rcv.nxt == c.rcv.irs+1
}

// Rest writes to r what c is, and returns true, if nothing goes over the connection. It may be called when Next has returned
// false. c has come to its end then: Free is to follow.
func (c *TCB) Rest(r *Resting) bool {
	if !c.idle() {
		return false
	}
	c.writeDown(r)
	return true
}

func (c *TCB) writeDown(r *Resting) {
	*r = Resting{cfg: c.cfg, state: c.state}
	p := restingParts{told: c.rate.told, marks: c.marks, episodes: c.episodes, fast: c.fast}
	if c.cc != CongestionControl(&c.cubic) {
		p.cc = c.cc
	}
	if p != (restingParts{}) {
		r.parts = new(restingParts)
		*r.parts = p
	}
	d := newFieldCoder()
	c.code(d)
	r.fields = d.written()
	d.done()
}

// Wake makes c, which is new, the connection that r is of. observer and memory are as Open has them. r is empty then.
func (r *Resting) Wake(c *TCB, observer Observer, memory Memory) {
	c.cfg, c.observer, c.memory = r.cfg, observer, memory
	d := newFieldCoder()
	d.read(r.fields)
	c.code(d)
	d.done()
	if c.rcv.rate.shares {
		c.countSharers(1)
	}
	c.cc = &c.cubic
	if p := r.parts; p != nil {
		c.rate.told, c.marks, c.episodes, c.fast = p.told, p.marks, p.episodes, p.fast
		if p.cc != nil {
			c.cc = p.cc
		}
	}
	if _, ok := c.cc.(LossTaker); ok {
		c.board.taker = c
	}
	*r = Resting{}
}

var tcbs = sync.Pool{New: func() any { return new(TCB) }}

// New returns a TCB, which may have served before.
func New() *TCB { return tcbs.Get().(*TCB) }

// Free gives back c, which must not be used any more, and all that it holds.
func (c *TCB) Free() {
	c.shareNoMore()
	c.dropSend()
	c.dropOutOfOrder()
	c.dropUnread()
	c.settleMemory()
	send, receive := c.snd.out.ring, c.rcv.buf.ring
	*c = TCB{}
	c.snd.out.keep(send)
	c.rcv.buf.keep(receive)
	tcbs.Put(c)
}
