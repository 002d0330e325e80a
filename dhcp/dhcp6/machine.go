package dhcp6

import (
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// Want is an identity association that a client wants to be filled (RFC 8415, 12).
type Want struct {
	Kind IAKind
	ID   uint32 // IAID: unique among those of its kind, and the same after a restart
	// Hints are what the client would like best: addresses as /128, prefixes, or ::/n for a prefix of n bits.
	Hints []netip.Prefix
}

// MachineConfig is what a Machine is to do.
type MachineConfig struct {
	ClientID DUID           // the client's; not empty
	Entropy  func(b []byte) // fills b with random octets; not nil

	NoRapidCommit bool         // wait for a Request before a server commits itself
	NoReconfigure bool         // do not accept Reconfigure messages
	Options       []OptionCode // that are asked for besides name servers and search domains
	FQDN          *FQDN        // the client's name, for servers that keep records of it; nil: not told

	// No more than Burst messages leave at once, and one in Interval after them. RFC 8415, 14.1: "A possible default could be
	// 20 packets in 20 seconds." Zero: so.
	Burst    int
	Interval time.Duration
}

// State is what a Machine is about to do with leases.
type State uint8

// The states, by the message that is answered next.
const (
	Stopped     State = iota // nothing is wanted
	Discovering              // Solicit: servers are looked for
	Requesting               // Request: one was chosen
	Bound                    // nothing: there are leases, and T1 is ahead
	Renewing                 // Renew
	Rebinding                // Rebind
	Confirming               // Confirm, or Rebind in its place: the link may be another one (RFC 8415, 18.2.12)
	Declining                // Decline: of all that there was
)

// String returns the state's name.
func (s State) String() string {
	return [...]string{"stopped", "discovering", "requesting", "bound", "renewing", "rebinding", "confirming", "declining"}[s]
}

// Machine is the DHCPv6 client of one interface (RFC 8415, 18.2): values and instants go in; messages, events and the instant at
// which it next wants to be called come out.
//
// Start, Receive, Timeout, LinkChanged, PrefixesChanged, AddressChanged, Decline and Release tell it what happens. After each of
// them call NextEvent until it returns false and do what the events say, then NextMessage likewise and send the messages: an
// address that is given back must be gone before the server is told. Deadline says when to call Timeout.
type Machine struct {
	cfg   MachineConfig
	state State

	bindings   []binding // what is wanted, and what there is of it
	server     *server   // whose leases these are; nil: no server's
	lease      exchange  // about leases: Solicit, Request, Renew, Rebind, Confirm
	info       exchange  // Information-request
	giving     []exchange
	stateless  bool          // Start asked for no leases
	refreshAt  clock.Instant // when information is to be asked for again
	renewEarly clock.Instant // when to renew though T1 is ahead

	discovery
	servers  []*server // that told something worth remembering
	solMaxRT limit
	infMaxRT limit
	failures int // of servers to give what they offered, in a row
	known    Information
	bucket   bucket
	lastSent clock.Instant // of any message but those of giving

	events []Event
	out    []Outgoing
}

// NewMachine returns a Machine that is stopped.
func NewMachine(cfg MachineConfig) *Machine {
	if cfg.Burst <= 0 {
		cfg.Burst = 20
	}
	if cfg.Interval <= 0 {
		cfg.Interval = time.Second
	}
	return &Machine{cfg: cfg, refreshAt: clock.Never, renewEarly: clock.Never, lastSent: -clock.Never,
		solMaxRT: limit{value: solMaxRT}, infMaxRT: limit{value: infMaxRT}, bucket: bucket{tokens: cfg.Burst}}
}

// State returns where the machine stands with leases.
func (m *Machine) State() State { return m.state }

// Informing reports whether an Information-request is under way.
func (m *Machine) Informing() bool { return m.info.active() }

// Busy reports whether a Release or Decline waits for its Reply.
func (m *Machine) Busy() bool { return len(m.giving) > 0 }

// Start begins to look for servers that fill wants; for none, to ask for other information alone. What was got before stays as
// far as it is still wanted; if nothing more is wanted than before, nothing happens.
func (m *Machine) Start(now clock.Instant, wants []Want) {
	if m.state != Stopped && m.wanted(wants) || m.stateless && len(wants) == 0 {
		return
	}
	m.stateless = len(wants) == 0
	if m.stateless {
		m.stopLeases(now, "not wanted")
		m.inform(now, nil, true)
		return
	}
	m.info.stop()
	m.refreshAt = clock.Never
	old := m.bindings
	m.bindings = nil
	for _, w := range wants {
		b := binding{Want: w, t1: clock.Never, t2: clock.Never}
		for i := range old {
			if old[i].Kind == w.Kind && old[i].ID == w.ID {
				b, old[i].leases = old[i], nil
			}
		}
		m.bindings = append(m.bindings, b)
	}
	for i := range old {
		old[i].lose(m, "not wanted")
	}
	if m.state == Bound || m.state == Renewing || m.state == Rebinding {
		m.renew(now, nil) // with the new ones in it (RFC 8415, 18.2.4)
		return
	}
	m.discover(now)
}

// wanted reports whether all of wants are wanted already, and nothing else is.
func (m *Machine) wanted(wants []Want) bool {
	if len(wants) != len(m.bindings) {
		return false
	}
	for _, w := range wants {
		if m.binding(w.Kind, w.ID) == nil {
			return false
		}
	}
	return true
}

// stopLeases ends all that is about leases.
func (m *Machine) stopLeases(now clock.Instant, reason string) {
	m.loseAll(reason)
	m.lease.stop()
	m.bindings, m.server, m.offers, m.renewEarly, m.state = nil, nil, nil, clock.Never, Stopped
}

// Deadline returns the instant at which Timeout wants to be called; Never if nothing is ahead.
func (m *Machine) Deadline() clock.Instant {
	at := min(m.lease.deadline(), m.info.deadline(), m.refreshAt)
	for i := range m.giving {
		at = min(at, m.giving[i].deadline())
	}
	for i := range m.bindings {
		at = min(at, m.bindings[i].expiry())
	}
	if m.state == Bound {
		at = min(at, m.t1(), m.t2(), m.renewEarly)
	}
	return at
}

// Timeout does what is due at now. It may be called early.
func (m *Machine) Timeout(now clock.Instant) {
	m.expire(now)
	if m.lease.due(now) {
		m.leaseTimeout(now)
	}
	if m.info.due(now) {
		m.transmit(now, &m.info)
	}
	if now >= m.refreshAt {
		m.refreshAt = clock.Never
		m.inform(now, nil, true)
	}
	m.givingTimeout(now)
	if m.state == Bound {
		m.proceed(now)
	}
}

// leaseTimeout follows the end of a retransmission time, or of the exchange.
func (m *Machine) leaseTimeout(now clock.Instant) {
	e := &m.lease
	switch {
	case e.kind == Solicit && e.sent > 0 && len(m.offers) > 0:
		m.choose(now)
	case m.state == Confirming && e.refused:
		// RFC 8415, 18.2.10.3: "When the client only receives one or more Reply messages with the NotOnLink status in response
		// to a Confirm message, the client performs DHCP server discovery".
		m.loseAll("the link is another one")
		m.discover(now)
	case !e.over(now):
		m.transmit(now, e)
	case m.state == Requesting:
		m.report(Event{Kind: Unanswered, Server: e.server, Message: e.kind})
		m.nextServer(now)
	case m.state == Renewing:
		m.rebind(now)
	default:
		// RFC 8415, 18.2.3: "If the client receives no responses before the message transmission process terminates [...] the
		// client SHOULD continue to use any leases, using the last known lifetimes for those leases".
		m.settle(now)
	}
}

// EventKind says what happened.
type EventKind uint8

// What happens.
const (
	LeaseAdded   EventKind = iota // Lease: use it; an address after duplicate address detection
	LeaseChanged                  // Lease has other lifetimes
	LeaseRemoved                  // Lease must not be used any more; Reason says why
	Informed                      // Information is what there is to know now
	Refused                       // Server answered with Status
	Unanswered                    // Server does not answer Message
	Discarded                     // a message was; Reason says why
	Reconfigured                  // Server asked for Message, and had the key
	Finished                      // a Release or Decline is over: it was answered, or given up
	Failed                        // the stack did not take something; Reason says what, and why (of a Client)
)

// Event is something that happened.
type Event struct {
	Kind        EventKind
	Lease       Lease
	Reason      string
	Information *Information
	Server      DUID
	Status      Status
	Message     MessageType
}

func (m *Machine) report(e Event) { m.events = append(m.events, e) }

// NextEvent takes the oldest event that was not taken yet. It returns false if there is none.
func (m *Machine) NextEvent(e *Event) bool {
	if len(m.events) == 0 {
		return false
	}
	*e, m.events = m.events[0], m.events[1:]
	return true
}

// Outgoing is a message to send, from the interface's link-local address.
type Outgoing struct {
	// Unicast is where the server wants it, who has an address of sufficient scope to send from; if it is not valid, or there is
	// no such address, the message goes to Servers (RFC 8415, 18.2).
	Unicast netip.Addr
	Message *Message
}

// NextMessage takes the next message to send. It returns false if there is none.
func (m *Machine) NextMessage(o *Outgoing) bool {
	if len(m.out) == 0 {
		return false
	}
	*o, m.out = m.out[0], m.out[1:]
	return true
}
