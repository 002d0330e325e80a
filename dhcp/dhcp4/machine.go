package dhcp4

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// Machine is a DHCP client without the network: a state machine that does no I/O and reads no clock. Start it; give it what
// arrives, and the time when its Deadline is reached; after each of that, take what it wants sent, by Next, and what
// happened, by NextEvent, until there is no more. Tell it if another station has the address (Conflict), and of the link.
type Machine struct {
	cfg   MachineConfig
	state State
	out   []Outgoing
	news  []Event
	stats Stats

	// The exchange under way.
	xid    uint32
	began  clock.Instant // its first message
	sent   clock.Instant // the request that an answer's times count from
	secs   uint16        // of the DHCPDISCOVER, which requests repeat
	tries  int           // messages sent in this state
	retry  clock.Instant // of the next one
	offers []*Lease
	choose clock.Instant // when the offers are compared; clock.Never: there is none
	chosen *Lease

	// The lease that is held, or was last: nil if there was none.
	lease       *Lease
	held        bool // it has not ended, nor was it refused
	inUse       bool // and Acquired has told of it
	t1, t2, end clock.Instant

	// Misfortunes in a row, which slow the client down.
	refusals, conflicts int
	information         netip.Addr // the address that DHCPINFORM is for
}

// Outgoing is a message to be sent.
type Outgoing struct {
	Message *Message
	// From is the zero Addr for 0.0.0.0, To is the broadcast address 255.255.255.255 or a server's.
	From, To netip.Addr
}

// Stats count messages.
type Stats struct {
	Sent    [Inform + 1]uint64 // by Type
	Arrived [verdicts]uint64   // by Verdict
	Taken   [Inform + 1]uint64 // of those accepted, by Type
	Useless uint64             // options that were malformed in accepted messages, and left out
}

// NewMachine returns a client that was not started. Errors name the field of cfg that is wrong.
func NewMachine(cfg MachineConfig) (*Machine, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	m := &Machine{cfg: cfg}
	m.rest(Halted)
	return m, nil
}

// Start begins: with a lease that was held before, which ends at the instant end, it asks for that address again
// (INIT-REBOOT); with nil for any (INIT). A lease that has ended is a wish for its address.
func (m *Machine) Start(now clock.Instant, before *Lease, end clock.Instant) {
	if before != nil && before.Address.IsValid() {
		l := *before
		l.completeTimes() // it may come from a file
		m.lease, m.held, m.inUse = &l, end > now, false
		m.setTimes(end.Add(-finite(l.Duration)), end)
	}
	if m.held {
		m.pause(now, InitReboot, m.startDelay())
		return
	}
	m.pause(now, Init, m.startDelay())
}

// Inform asks for information alone, for a host that has the address already (RFC 2131, 4.4.3).
func (m *Machine) Inform(now clock.Instant, address netip.Addr) {
	m.information = address
	m.begin(now, Informing)
	m.sendInform(now)
}

// Halt ends the exchange under way, as when the link went down. A lease that is held stays so until it ends; Resume goes on.
func (m *Machine) Halt() { m.rest(Halted) }

// Resume goes on after Halt: a host asks for the address it holds again, because it may be on another link.
//
// RFC 2131, 3.7: "A client SHOULD use DHCP to reacquire or verify its IP address and network parameters whenever the local network
// parameters may have changed; e.g., at system boot time or after a disconnection from the local network".
func (m *Machine) Resume(now clock.Instant) {
	switch {
	case m.state != Halted:
	case m.information.IsValid():
		m.Inform(now, m.information)
	case m.held && m.end > now:
		m.pause(now, InitReboot, 0)
	default:
		m.expire(now)
		m.pause(now, Init, 0)
	}
}

// Renew asks the server at once for more time.
//
// RFC 2131, 4.4.5: "A client MAY choose to renew or extend its lease prior to T1."
func (m *Machine) Renew(now clock.Instant) {
	if m.state == Bound {
		m.t1 = now
		m.Timeout(now)
	}
}

// Release gives the lease back, if one is held, and halts.
//
// RFC 2131, 4.4.6: "If the client no longer requires use of its assigned network address (e.g., the client is gracefully shut
// down), the client sends a DHCPRELEASE message to the server."
func (m *Machine) Release(now clock.Instant) {
	if m.held && m.lease.Server.IsValid() && m.inUse {
		m.sendRelease(now)
	}
	m.lose("released")
	m.rest(Halted)
}

// Conflict tells that another station has the address that is held.
//
// RFC 2131, 3.1: "If the client detects that the address is already in use (e.g., through the use of ARP), the client MUST
// send a DHCPDECLINE message to the server and restarts the configuration process. The client SHOULD wait a minimum of ten seconds
// before restarting the configuration process to avoid excessive network traffic in case of looping."
func (m *Machine) Conflict(now clock.Instant, reason string) {
	if !m.held {
		return
	}
	m.sendDecline(now, reason)
	m.lose(reason)
	m.lease = nil // its address is not to be asked for again
	m.conflicts++
	wait := declineWait
	if m.conflicts >= maxConflicts {
		wait = conflictWait
	}
	m.pause(now, Init, wait)
}

const (
	declineWait = 10 * time.Second
	// RFC 5227, 2.1.1: "if the host experiences MAX_CONFLICTS or more address conflicts on a given interface, then the host MUST
	// limit the rate at which it probes for new addresses on this interface to no more than one attempted new address per
	// RATE_LIMIT_INTERVAL."
	maxConflicts = 10
	conflictWait = 60 * time.Second
)

// Next returns the next message to be sent; ok false if there is none.
func (m *Machine) Next() (o Outgoing, ok bool) { return take(&m.out) }

// NextEvent returns the next thing that happened; ok false if there is none.
func (m *Machine) NextEvent() (e Event, ok bool) { return take(&m.news) }

func take[T any](queue *[]T) (first T, ok bool) {
	if len(*queue) == 0 {
		return first, false
	}
	first = (*queue)[0]
	*queue = slices.Delete(*queue, 0, 1)
	return first, true
}

// State returns where the client stands.
func (m *Machine) State() State { return m.state }

// Lease returns the lease that is held and the instants of its T1, T2 and end, clock.Never where it has none; nil if none is held. It
// is not to be changed.
func (m *Machine) Lease() (l *Lease, t1, t2, end clock.Instant) {
	if !m.held {
		return nil, clock.Never, clock.Never, clock.Never
	}
	return m.lease, m.t1, m.t2, m.end
}

// Stats returns what was counted.
func (m *Machine) Stats() Stats { return m.stats }

// rest enters a state in which nothing is to be sent.
func (m *Machine) rest(s State) {
	m.state, m.retry, m.choose = s, clock.Never, clock.Never
	m.offers, m.chosen = nil, nil
}

// pause enters Init or InitReboot, to go on after the given time.
func (m *Machine) pause(now clock.Instant, s State, d time.Duration) {
	m.rest(s)
	m.retry = now.Add(d)
	if d == 0 {
		m.Timeout(now)
	}
}

// begin begins an exchange, in the given state.
//
// RFC 2131, 4.4.1: "The client generates and records a random transaction identifier and inserts that identifier into the 'xid'
// field."
func (m *Machine) begin(now clock.Instant, s State) {
	m.rest(s)
	m.xid = m.random32()
	m.began, m.secs, m.tries = now, 0, 0
}

// lose ends the lease that is held.
func (m *Machine) lose(why string) {
	if m.held && m.inUse {
		m.tell(Event{Kind: Lost, Lease: m.lease, Reason: why})
	}
	m.held, m.inUse = false, false
}

func (m *Machine) tell(e Event) { m.news = append(m.news, e) }

// setTimes notes when a lease from begin on is renewed, and ends.
//
// RFC 2131, 4.4.5: "Times T1 and T2 SHOULD be chosen with some random 'fuzz' around a fixed value, to avoid synchronization of
// client reacquisition." They come early, by up to a sixteenth of the time before them, so that T1 stays before T2.
func (m *Machine) setTimes(begin, end clock.Instant) {
	m.t1, m.t2, m.end = clock.Never, clock.Never, clock.Never
	if l := m.lease; l.Duration != Forever {
		m.t1 = begin.Add(l.T1 - m.random(0, l.T1/16))
		m.t2 = begin.Add(l.T2 - m.random(0, (l.T2-l.T1)/16))
		m.end = end
	}
}

// finite returns d, or 0 for Forever.
func finite(d time.Duration) time.Duration {
	if d == Forever {
		return 0
	}
	return d
}

func (m *Machine) startDelay() time.Duration { return m.random(0, m.cfg.StartDelay) }

// random returns a time that is uniformly distributed between the two.
func (m *Machine) random(from, to time.Duration) time.Duration {
	if to <= from {
		return from
	}
	var b [8]byte
	m.cfg.Entropy(b[:])
	return from + time.Duration(binary.BigEndian.Uint64(b[:])%uint64(to-from+1))
}

func (m *Machine) random32() uint32 {
	var b [4]byte
	m.cfg.Entropy(b[:])
	return binary.BigEndian.Uint32(b[:])
}
