package dhcp6

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// The parameters of RFC 8415, 7.6.
const (
	solMaxDelay = time.Second
	solTimeout  = time.Second
	solMaxRT    = time.Hour
	reqTimeout  = time.Second
	reqMaxRT    = 30 * time.Second
	reqMaxRC    = 10
	cnfMaxDelay = time.Second
	cnfTimeout  = time.Second
	cnfMaxRT    = 4 * time.Second
	cnfMaxRD    = 10 * time.Second
	renTimeout  = 10 * time.Second
	renMaxRT    = 10 * time.Minute
	rebTimeout  = 10 * time.Second
	rebMaxRT    = 10 * time.Minute
	infMaxDelay = time.Second
	infTimeout  = time.Second
	infMaxRT    = time.Hour
	relTimeout  = time.Second
	relMaxRC    = 4
	decTimeout  = time.Second
	decMaxRC    = 4
	irtDefault  = 24 * time.Hour
	irtMinimum  = 10 * time.Minute
)

// exchange is a message that is sent until it is answered (RFC 8415, 15). The zero exchange is none.
type exchange struct {
	kind   MessageType // 0: none is under way
	id     uint32      // the transaction's
	server DUID        // that is to answer; nil: any
	ias    []IA        // of a Release or Decline, which do not change

	irt, mrt time.Duration
	mrc      int
	mrd      time.Duration // 0: none but end
	end      clock.Instant // when it fails, known from the beginning or from mrd; Never

	began clock.Instant // when the message was first sent
	sent  int           // times
	rt    time.Duration
	next  clock.Instant // when it is sent (again)

	unicast netip.Addr // where to
	bare    bool       // without leases in it (RFC 8415, 18.2.10.1: NotOnLink)
	refused bool       // a server said NotOnLink
}

func (e *exchange) active() bool { return e.kind != 0 }
func (e *exchange) stop()        { *e = exchange{} }

func (e *exchange) deadline() clock.Instant {
	if !e.active() {
		return clock.Never
	}
	return min(e.next, e.end)
}

func (e *exchange) due(now clock.Instant) bool { return e.active() && now >= e.deadline() }

// over reports whether the exchange has failed.
//
// RFC 8415, 15: "Unless MRC is zero, the message exchange fails once the client has transmitted the message MRC times." and
// "Unless MRD is zero, the message exchange fails once MRD seconds have elapsed since the client first transmitted the message."
func (e *exchange) over(now clock.Instant) bool { return now >= e.end || e.mrc > 0 && e.sent >= e.mrc }

// begin starts an exchange, the first message of which is sent after a random part of delay.
func (m *Machine) begin(now clock.Instant, e exchange, delay time.Duration) exchange {
	e.id = m.random() & 0xffffff
	if e.end == 0 {
		e.end = clock.Never
	}
	e.next = now.Add(time.Duration(float64(delay) * m.fraction()))
	return e
}

// transmit sends the message of e, as it is now, and sets the time of the next.
func (m *Machine) transmit(now clock.Instant, e *exchange) {
	if wait := m.bucket.take(now, m.cfg.Burst, m.cfg.Interval); wait > now {
		e.next = wait
		return
	}
	if e.sent == 0 {
		e.began = now
		if e.mrd > 0 {
			e.end = now.Add(e.mrd)
		}
	}
	e.rt = m.timeoutOf(e)
	e.next = now.Add(e.rt)
	e.sent++
	if e.ias == nil {
		m.lastSent = now
	}
	m.out = append(m.out, Outgoing{Unicast: e.unicast, Message: m.compose(now, e)})
}

// timeoutOf returns the retransmission time that follows e's last (RFC 8415, 15).
func (m *Machine) timeoutOf(e *exchange) time.Duration {
	mrt := e.mrt
	switch e.kind {
	case Solicit:
		mrt = m.solMaxRT.value
	case InformationRequest:
		mrt = m.infMaxRT.value
	}
	rand := m.fraction()/5 - 0.1 // "uniform distribution between -0.1 and +0.1"
	var rt time.Duration
	switch {
	case e.sent == 0 && e.kind == Solicit:
		// RFC 8415, 18.2.1: "the first RT MUST be selected to be strictly greater than IRT by choosing RAND to be strictly
		// greater than 0."
		rand = (1 - m.fraction()) / 10
		rt = max(scale(e.irt, 1+rand), e.irt+1)
	case e.sent == 0:
		rt = scale(e.irt, 1+rand)
	default:
		rt = scale(e.rt, 2+rand)
	}
	if mrt > 0 && rt > mrt {
		rt = scale(mrt, 1+rand)
	}
	return rt
}

func scale(d time.Duration, by float64) time.Duration { return time.Duration(float64(d) * by) }

// random returns 32 random bits.
func (m *Machine) random() uint32 {
	var b [4]byte
	m.cfg.Entropy(b[:])
	return binary.BigEndian.Uint32(b[:])
}

// fraction returns a number from 0 up to 1, but not 1.
func (m *Machine) fraction() float64 { return float64(m.random()) / (1 << 32) }

// bucket limits the rate of messages (RFC 8415, 14.1): "a DHCP client MUST limit the rate of DHCP messages it transmits or
// retransmits."
type bucket struct {
	tokens int
	filled clock.Instant // up to when tokens were added
}

// take takes a token. If there is none, it returns when there will be one; otherwise now.
func (b *bucket) take(now clock.Instant, size int, every time.Duration) clock.Instant {
	if n := int64(now.Sub(b.filled)) / int64(every); n > 0 {
		b.tokens = int(min(int64(size), int64(b.tokens)+n))
		b.filled = b.filled.Add(time.Duration(n) * every)
	}
	if b.tokens == 0 {
		return b.filled.Add(every)
	}
	b.tokens--
	return now
}

// limit is SOL_MAX_RT or INF_MAX_RT: a bound that servers may set (RFC 8415, 21.24 and 21.25; RFC 7083).
type limit struct {
	value time.Duration
	told  time.Duration // by the servers that advertised since discovery began; 0: by none, negative: they disagree
}

// The range of what servers may set. RFC 8415, 21.24: "A DHCP client MUST ignore any SOL_MAX_RT option values that are less than
// 60 or more than 86400."
const (
	minLimit = 60
	maxLimit = 86400
)

// tell heeds the option, if it is there and says something that is allowed; agree says that all servers have to say the same.
//
// RFC 8415, 18.2.9: "A client SHOULD only update its SOL_MAX_RT and INF_MAX_RT values if all received Advertise messages that
// contained the corresponding option specified the same value; otherwise, it should use the default value".
func (l *limit) tell(seconds *uint32, agree bool, otherwise time.Duration) {
	if seconds == nil || *seconds < minLimit || *seconds > maxLimit {
		return
	}
	d := time.Duration(*seconds) * time.Second
	if l.value = d; !agree {
		return
	}
	if l.told != 0 && l.told != d {
		l.value, l.told = otherwise, -1
		return
	}
	l.told = d
}
