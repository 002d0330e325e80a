package neigh

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// The constants of RFC 5227, 1.1, and RFC 3927, 9: "they are not intended to be user configurable."
const (
	ProbeWait         = time.Second      // PROBE_WAIT: initial random delay
	ProbeNum          = 3                // PROBE_NUM: probe packets
	ProbeMin          = time.Second      // PROBE_MIN: minimum delay until repeated probe
	ProbeMax          = 2 * time.Second  // PROBE_MAX: maximum delay until repeated probe
	AnnounceWait      = 2 * time.Second  // ANNOUNCE_WAIT: delay before announcing
	AnnounceNum       = 2                // ANNOUNCE_NUM: announcement packets
	AnnounceInterval  = 2 * time.Second  // ANNOUNCE_INTERVAL: time between announcement packets
	MaxConflicts      = 10               // MAX_CONFLICTS: conflicts before rate limiting
	RateLimitInterval = 60 * time.Second // RATE_LIMIT_INTERVAL: time between successive attempts
	DefendInterval    = 10 * time.Second // DEFEND_INTERVAL: minimum interval between defensive ARPs
)

// Defence is what a host does when another claims an address that it uses: the three ways of RFC 5227, 2.4.
type Defence uint8

// The ways.
const (
	// DefendOnce is (b): announce once, and give up at the next conflict within DefendInterval.
	DefendOnce Defence = iota
	// DefendNever is (a): give up at once.
	DefendNever
	// DefendAlways is (c): keep the address, and announce at most once a DefendInterval.
	DefendAlways
)

// ACDState is how far address conflict detection is.
type ACDState uint8

// The states.
const (
	ACDIdle     ACDState = iota // not started
	ACDProbing                  // the address must not be used yet
	ACDBound                    // ours: announced and watched
	ACDConflict                 // another host has it: it must not be used
)

// String returns the state in words.
func (s ACDState) String() string { return [...]string{"idle", "probing", "bound", "conflict"}[s] }

// ACDConfig is what an ACD needs to know.
type ACDConfig struct {
	Address wire.Addr // the IPv4 address
	MAC     wire.MAC  // the interface's
	Defence Defence
	Rand    func() uint64 // uniformly distributed bits
}

// ACD is Address Conflict Detection of one IPv4 address of an interface (RFC 5227). The order of calls is
//
//	Start, Heard, Timeout    an event
//	Next                     until it returns false: what to broadcast
//	State, Deadline          how it went so far; when to call Timeout next
type ACD struct {
	cfg      ACDConfig
	state    ACDState
	conflict wire.MAC
	deadline clock.Instant
	begin    clock.Instant // of the probing process
	probes   int           // still to be sent, while ACDProbing
	announce int           // announcements still to be sent, while ACDBound

	due      []wire.ARP // at most two: what Next returns
	attacked clock.Instant
	defended int // announcements that were a defence
}

// NewACD returns an ACD that is idle.
func NewACD(cfg ACDConfig) *ACD {
	return &ACD{cfg: cfg, deadline: clock.Never, attacked: never}
}

// Address returns the address.
func (a *ACD) Address() wire.Addr { return a.cfg.Address }

// State returns how far it is.
func (a *ACD) State() ACDState { return a.state }

// Conflict returns the link-layer address of the host that has the address too, or wanted it, as last heard of; zero: none.
func (a *ACD) Conflict() wire.MAC { return a.conflict }

// Defended returns how many times the address was defended.
func (a *ACD) Defended() int { return a.defended }

// SetMAC notes that the interface's link-layer address changed.
func (a *ACD) SetMAC(mac wire.MAC) { a.cfg.MAC = mac }

// Start begins to probe after hold and a random delay. Also an address that was bound, or lost, is probed again.
//
// RFC 5227, 2.1.1: "When ready to begin probing, the host should then wait for a random time interval selected uniformly
// in the range zero to PROBE_WAIT seconds, and should then send PROBE_NUM probe packets".
func (a *ACD) Start(now clock.Instant, hold time.Duration) {
	a.state, a.probes, a.announce = ACDProbing, ProbeNum, 0
	a.conflict, a.attacked, a.due = wire.MAC{}, never, a.due[:0]
	a.begin = now.Add(hold)
	a.deadline = a.begin.Add(a.random(0, ProbeWait))
}

// Bind is Start for an address that needs no probes: it is announced at once, and watched.
func (a *ACD) Bind(now clock.Instant) {
	a.state, a.probes, a.announce = ACDBound, 0, AnnounceNum
	a.conflict, a.attacked, a.due = wire.MAC{}, never, a.due[:0]
	a.deadline = now
	a.Timeout(now)
}

// Stop ends it without an outcome, for when the link went down.
func (a *ACD) Stop() { a.end(ACDIdle) }

func (a *ACD) end(s ACDState) {
	a.state, a.deadline, a.due = s, clock.Never, a.due[:0]
}

// Deadline returns when Timeout has something to do, or clock.Never.
func (a *ACD) Deadline() clock.Instant { return a.deadline }

// Timeout does what is due.
func (a *ACD) Timeout(now clock.Instant) {
	if now < a.deadline {
		return
	}
	switch {
	case a.state == ACDProbing && a.probes > 0:
		a.due = append(a.due, a.request(wire.Unspecified4))
		a.probes--
		// RFC 5227, 2.1.1: "each of these probe packets spaced randomly and uniformly, PROBE_MIN to PROBE_MAX seconds
		// apart."
		a.deadline = now.Add(a.random(ProbeMin, ProbeMax))
		if a.probes == 0 {
			a.deadline = now.Add(AnnounceWait)
		}
	case a.state == ACDProbing:
		// "If, by ANNOUNCE_WAIT seconds after the transmission of the last ARP Probe no conflicting ARP Reply or ARP Probe
		// has been received, then the host has successfully determined that the desired address may be used safely."
		a.state, a.announce = ACDBound, AnnounceNum
		fallthrough
	case a.announce > 0:
		// RFC 5227, 2.3: "broadcasting ANNOUNCE_NUM ARP Announcements, spaced ANNOUNCE_INTERVAL seconds apart."
		a.due = append(a.due, a.request(a.cfg.Address))
		a.announce--
		a.deadline = clock.Never
		if a.announce > 0 {
			a.deadline = now.Add(AnnounceInterval)
		}
	}
}

// Heard tells of an ARP packet that the interface received. ours says whether a link-layer address belongs to this host. It
// reports whether the packet conflicts with the address.
func (a *ACD) Heard(now clock.Instant, m *wire.ARP, ours func(wire.MAC) bool) (conflict bool) {
	if ours(m.SenderMAC) {
		// RFC 5227, 2.1.1: "Some kinds of Ethernet hub (often called a "buffered repeater") and many wireless access points
		// may "rebroadcast" any received broadcast packets to all recipients, including the original sender itself."
		return false
	}
	claimed := m.SenderIP == a.cfg.Address
	switch a.state {
	case ACDProbing:
		// "If during this period, from the beginning of the probing process until ANNOUNCE_WAIT seconds after the last probe
		// packet is sent, the host receives any ARP packet … where the packet's 'sender IP address' is the address being probed
		// for, then the host MUST treat this address as being in use by some other host". "In addition, if during this period the host receives any ARP Probe where the packet's 'target IP address' is the address being
		// probed for, … then the host SHOULD similarly treat this as an address conflict".
		probed := m.Op == wire.ARPRequest && m.SenderIP == wire.Unspecified4 && m.TargetIP == a.cfg.Address
		if now < a.begin || !claimed && !probed {
			return false
		}
		a.lose(m.SenderMAC)
		return true
	case ACDBound:
		if !claimed {
			return false
		}
		a.defend(now, m.SenderMAC)
		return true
	}
	return false
}

// defend follows a conflict with an address in use.
//
// RFC 5227, 2.4: "a host MUST respond to a conflicting ARP packet as described in either (a), (b), or (c)".
func (a *ACD) defend(now clock.Instant, who wire.MAC) {
	recent := now-a.attacked < clock.Instant(DefendInterval)
	switch {
	case a.cfg.Defence == DefendNever:
		a.lose(who)
		return
	case recent && a.cfg.Defence == DefendOnce:
		// (b): "if this is not the first conflicting ARP packet the host has seen, and the time recorded for the previous
		// conflicting ARP packet is recent, within DEFEND_INTERVAL seconds, then the host MUST immediately cease using this
		// address and signal an error".
		a.lose(who)
		return
	case recent:
		// (c): "the host MUST NOT send another defensive ARP Announcement."
		a.conflict = who
		return
	}
	// "recording the time that the conflicting ARP packet was received, and then broadcasting one single ARP Announcement".
	// An announcement that is due anyhow comes as it would.
	a.attacked, a.conflict = now, who
	a.defended++
	a.due = append(a.due, a.request(a.cfg.Address))
}

func (a *ACD) lose(who wire.MAC) {
	a.conflict = who
	a.end(ACDConflict)
}

// Next sets m to an ARP request to be broadcast, or returns false if there is none.
func (a *ACD) Next(m *wire.ARP) bool {
	if len(a.due) == 0 {
		return false
	}
	*m = a.due[0]
	a.due = append(a.due[:0], a.due[1:]...)
	return true
}

// request returns a probe, from 0.0.0.0, or an announcement, from the address itself.
//
// RFC 5227, 2.1.1: "The 'target hardware address' field is ignored and SHOULD be set to all zeroes. The 'target IP address'
// field MUST be set to the address being probed."
func (a *ACD) request(sender wire.Addr) wire.ARP {
	return wire.ARP{Op: wire.ARPRequest, SenderMAC: a.cfg.MAC, SenderIP: sender, TargetIP: a.cfg.Address}
}

// random returns a time that is uniformly distributed between the two.
func (a *ACD) random(from, to time.Duration) time.Duration {
	return from + time.Duration(a.cfg.Rand()%uint64(to-from+1))
}
