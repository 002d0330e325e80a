package mcast

import (
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Version is a version of IGMP; MLDv1 is V2, and MLDv2 is V3.
type Version uint8

// The versions.
const (
	V1 Version = iota + 1
	V2
	V3
)

// The defaults of RFC 3376, 8, and RFC 3810, 9.
const (
	DefaultRobustness    = 2
	DefaultQueryInterval = 125 * time.Second
	DefaultResponse      = 10 * time.Second // Query Response Interval
	DefaultUnsolicited   = time.Second      // Unsolicited Report Interval
	DefaultUnsolicitedV2 = 10 * time.Second // that of RFC 2236, 8.10, and RFC 2710, 7.10
)

// Settings are what can be chosen. The zero Settings are the defaults.
type Settings struct {
	Force         Version       // the version to speak whatever queriers there are; 0: what they ask for
	Robustness    int           // Robustness Variable where no querier tells it; 0: 2
	Unsolicited   time.Duration // Unsolicited Report Interval of V3; 0: one second
	UnsolicitedV2 time.Duration // of the versions before; 0: ten seconds
}

// Config is what a Machine needs to know. All must be set.
type Config struct {
	IPv4 bool          // IGMP, not MLD
	Rand func() uint64 // unpredictable bits
}

// Machine is IGMP or MLD on one interface.
type Machine struct {
	cfg    Config
	set    Settings
	room   int // octets for the records of one report
	up     bool
	groups []*group // by address

	version Version // Host Compatibility Mode
	// What queriers told: zero if nothing.
	robustness int
	interval   time.Duration
	response   time.Duration
	// older[v] is until when a querier of version v is present; Never: none is.
	older [V3]clock.Instant

	generalAt clock.Instant // when to answer a General Query; RFC 3376, 5.2: "A timer per interface"
	out       []Message
}

// group is the state of one group. One that nobody wants any more stays until that is reported often enough.
type group struct {
	addr   wire.Addr
	filter Filter

	// V3: state changes to be reported at changeAt.
	changeAt clock.Instant
	modeLeft int      // Filter Mode Retransmission Counter
	sources  []source // Retransmission List, ascending

	// V3: a query to be answered at replyAt. V1 and V2: the delay timer, for queries and unsolicited reports.
	replyAt clock.Instant
	queried []wire.Addr // V3: of a Group-and-Source-Specific Query; empty: all is asked for

	// V1 and V2.
	reportsLeft int  // unsolicited ones
	suppressed  bool // somebody else reported last
}

// source is a source in retransmission state.
type source struct {
	addr wire.Addr
	left int // Source Retransmission Counter
}

// Message is a message to be sent to Dst.
type Message struct {
	Version Version
	Dst     wire.Addr
	Leave   bool             // V2: Leave Group, or Done
	Group   wire.Addr        // V1 and V2: what it is about
	Report  wire.GroupReport // V3
}

// New returns a machine of an interface that is down.
func New(cfg Config, s Settings) *Machine {
	m := &Machine{cfg: cfg, set: s, room: 1024}
	m.Down()
	return m
}

// Silent reports whether nothing is ever said about a group.
//
// RFC 3376, 5: "No IGMP messages are ever sent regarding the all-systems multicast address." RFC 3810, 6: "No MLD messages
// are ever sent regarding neither the link-scope all-nodes multicast address, nor any multicast address of scope 0 (reserved)
// or 1 (node-local)."
func Silent(group wire.Addr) bool {
	if group.Is4() {
		return group == wire.AllHosts4
	}
	return group == wire.AllNodes6 || group.Hi>>48&0xf <= 1
}

// Version returns the version that is spoken.
func (m *Machine) Version() Version { return m.version }

// SetRoom tells how many octets a report may have, without the IP header.
func (m *Machine) SetRoom(octets int) { m.room = octets - 8 }

// Configure changes the settings.
func (m *Machine) Configure(now clock.Instant, s Settings) {
	m.set = s
	m.chooseVersion(now)
}

// Set tells that the interface's filter of a group is now f. What is to be reported of that is due after delay.
func (m *Machine) Set(now clock.Instant, addr wire.Addr, f Filter, delay time.Duration) {
	if Silent(addr) {
		return
	}
	i, ok := m.find(addr)
	var old Filter
	if ok {
		old = m.groups[i].filter
	}
	if old.Equal(f) {
		return
	}
	if !ok {
		m.groups = slices.Insert(m.groups, i, &group{addr: addr, changeAt: clock.Never, replyAt: clock.Never})
	}
	g := m.groups[i]
	g.filter = f
	switch {
	case !m.up:
	case m.version == V3:
		m.change(now, g, old, delay)
	case f.None():
		m.leave(g)
	case old.None():
		m.join(now, g, delay)
	}
	m.clean(i)
}

// Up tells that the link is there, perhaps another one than before: all groups are reported.
func (m *Machine) Up(now clock.Instant) {
	m.Down()
	m.up = true
	m.Renew(now)
}

// Renew reports all groups as if they had just been joined.
//
// RFC 3810, 5.2.13: "Once a valid link-local address is available, a node SHOULD generate new MLDv2 Report messages for all
// multicast addresses joined on the interface."
func (m *Machine) Renew(now clock.Instant) {
	for _, g := range m.groups {
		switch {
		case !m.up || g.filter.None():
		case m.version == V3:
			m.change(now, g, Filter{}, 0)
		default:
			m.join(now, g, 0)
		}
	}
}

// Down tells that the link is not there: nothing is said, and what queriers said is forgotten.
func (m *Machine) Down() {
	m.up = false
	m.robustness, m.interval, m.response = 0, 0, 0
	m.older = [V3]clock.Instant{clock.Never, clock.Never, clock.Never}
	m.cancel()
	m.version = V3
	if m.set.Force != 0 {
		m.version = m.set.Force
	}
	m.out = nil
}

// cancel ends all that is pending.
func (m *Machine) cancel() {
	m.generalAt = clock.Never
	for _, g := range m.groups {
		g.changeAt, g.replyAt = clock.Never, clock.Never
		g.modeLeft, g.sources, g.queried, g.reportsLeft, g.suppressed = 0, nil, nil, 0, false
	}
	m.groups = slices.DeleteFunc(m.groups, (*group).over)
}

// over reports whether there is nothing more to say about g.
func (g *group) over() bool { return g.filter.None() && g.changeAt == clock.Never }

// clean removes the i'th group if there is nothing more to say about it.
func (m *Machine) clean(i int) {
	if m.groups[i].over() {
		m.groups = slices.Delete(m.groups, i, i+1)
	}
}

func (m *Machine) find(addr wire.Addr) (int, bool) {
	return slices.BinarySearchFunc(m.groups, addr, func(g *group, a wire.Addr) int { return compare(g.addr, a) })
}

// random returns a delay of the range (0, most], but 0 for 0.
func (m *Machine) random(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return 1 + time.Duration(m.cfg.Rand()%uint64(most))
}

func (m *Machine) robust() int {
	switch {
	case m.robustness != 0:
		return m.robustness
	case m.set.Robustness != 0:
		return m.set.Robustness
	}
	return DefaultRobustness
}

// unsolicited returns the Unsolicited Report Interval.
func (m *Machine) unsolicited() time.Duration {
	d, standard := m.set.UnsolicitedV2, DefaultUnsolicitedV2
	if m.version == V3 {
		d, standard = m.set.Unsolicited, DefaultUnsolicited
	}
	if d <= 0 {
		return standard
	}
	return d
}

// Deadline returns when Timeout has something to do, or clock.Never.
func (m *Machine) Deadline() clock.Instant {
	at := m.generalAt
	for _, g := range m.groups {
		at = min(at, g.changeAt, g.replyAt)
	}
	for _, until := range m.older {
		at = min(at, until)
	}
	return at
}

// Timeout does what is due.
func (m *Machine) Timeout(now clock.Instant) {
	m.chooseVersion(now)
	if !m.up {
		return
	}
	if m.version == V3 {
		m.sendChanges(now)
		m.answer(now)
		return
	}
	m.sendOld(now)
}

// Next sets msg to the next message to be sent, or returns false if there is none.
func (m *Machine) Next(msg *Message) bool {
	if len(m.out) == 0 {
		return false
	}
	*msg = m.out[0]
	m.out = m.out[1:]
	return true
}
