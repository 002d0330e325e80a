package dhcp6

import (
	"net/netip"
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// discovery is the choice among servers (RFC 8415, 18.2.1 and 18.2.9).
type discovery struct {
	offers []*Message // valid Advertise messages that offer something, as they came; those that were tried are not among them
	chosen *Message   // the one that is requested
}

// discover begins to look for servers. What there was has been given up.
//
// RFC 8415, 18.2.1: "The first Solicit message from the client on the interface SHOULD be delayed by a random amount of time
// between 0 and SOL_MAX_DELAY." After a server did not give what it offered, the next is delayed more and more, since that may go
// on like this (RFC 8415, 14.1).
func (m *Machine) discover(now clock.Instant) {
	m.state, m.server, m.offers, m.chosen, m.renewEarly = Discovering, nil, nil, nil, clock.Never
	m.solMaxRT.told, m.infMaxRT.told = 0, 0
	m.lease = m.begin(now, exchange{kind: Solicit, irt: solTimeout}, solMaxDelay)
	if m.failures > 0 {
		m.lease.next = m.lease.next.Add(m.backoff())
	}
}

// backoff returns how long not to bother servers after failures.
func (m *Machine) backoff() time.Duration {
	return min(m.solMaxRT.value, time.Second<<min(m.failures, 20))
}

// advertised heeds an Advertise that is valid.
func (m *Machine) advertised(now clock.Instant, msg *Message) {
	// RFC 8415, 18.2.9: "The client MUST process any SOL_MAX_RT option [...] and INF_MAX_RT option [...] present in an Advertise
	// message, even if the message contains a Status Code option [...] indicating a failure".
	m.limits(msg)
	if m.offered(msg) == 0 {
		// "The client MUST ignore any Advertise message that contains no addresses [...] and no delegated prefixes".
		m.report(Event{Kind: Refused, Server: msg.ServerID, Status: worst(msg)})
		m.settleForInformation(now)
		return
	}
	if slices.ContainsFunc(m.offers, func(o *Message) bool { return o.ServerID.Equal(msg.ServerID) }) {
		return // it answered two of our messages, or one twice
	}
	m.offers = append(m.offers, msg)
	// RFC 8415, 18.2.1: "A client MUST collect valid Advertise messages for the first RT seconds, unless it receives a valid
	// Advertise message with a preference value of 255." and, if there was none in them, "acts on the received Advertise message
	// without waiting for any additional Advertise messages."
	if msg.Preference == 255 || m.lease.sent > 1 {
		m.choose(now)
	}
}

// settleForInformation asks for other information where no server gives leases; they are still asked for.
//
// RFC 8415, 18.2.10.1, of a client that gets none: it may "use the Information-request message to obtain other configuration information
// only."
func (m *Machine) settleForInformation(now clock.Instant) {
	if m.known.Server == nil && !m.info.active() {
		m.inform(now, nil, true)
	}
}

// limits heeds what a server says of SOL_MAX_RT and INF_MAX_RT.
func (m *Machine) limits(msg *Message) {
	all := msg.Type == Advertise
	m.solMaxRT.tell(msg.SolMaxRT, all, solMaxRT)
	m.infMaxRT.tell(msg.InfMaxRT, all, infMaxRT)
}

// worst returns the first status in a message that is not Success: why it is of no use.
func worst(msg *Message) Status {
	if msg.Status.Code != Success {
		return msg.Status
	}
	for i := range msg.IAs {
		if s := msg.IAs[i].Status; s.Code != Success {
			return s
		}
	}
	return Status{}
}

// offered returns how many of the wanted associations a message has something usable for.
func (m *Machine) offered(msg *Message) (n int) {
	if msg.Status.Code != Success {
		return 0
	}
	for i := range m.bindings {
		if a := msg.ia(m.bindings[i].Kind, m.bindings[i].ID); a != nil && a.sound() && len(a.usable()) > 0 {
			n++
		}
	}
	return n
}

// sound reports whether an association is to be looked at.
//
// RFC 8415, 21.4: "If a client receives an IA_NA with T1 greater than T2 and both T1 and T2 are greater than 0, the client discards
// the IA_NA option and processes the remainder of the message as though the server had not included the invalid IA_NA option." 21.21
// says so of IA_PD.
func (a *IA) sound() bool { return a.T1 == 0 || a.T2 == 0 || a.T1 <= a.T2 }

// usable returns the leases of an association that can be used.
func (a *IA) usable() (all []netip.Prefix) {
	if a.Status.Code != Success {
		return nil
	}
	for i := range a.Leases {
		if o := &a.Leases[i]; o.usable(a.Kind) && o.Valid > 0 {
			all = append(all, o.Prefix)
		}
	}
	return all
}

// choose takes the best offer and requests it.
//
// RFC 8415, 18.2.9: "Those Advertise messages with the highest server preference value SHOULD be preferred over all other Advertise
// messages." and "Within a group of Advertise messages with the same server preference value, a client MAY select those servers
// whose Advertise messages advertise information of interest to the client." That is, who fills more of what is wanted, and then
// who tells of name servers.
func (m *Machine) choose(now clock.Instant) {
	best := slices.MaxFunc(m.offers, func(a, b *Message) int {
		if a.Preference != b.Preference {
			return int(a.Preference) - int(b.Preference)
		}
		if n := m.offered(a) - m.offered(b); n != 0 {
			return n
		}
		return min(len(a.DNS), 1) - min(len(b.DNS), 1)
	})
	m.offers = slices.DeleteFunc(m.offers, func(o *Message) bool { return o == best })
	m.chosen = best
	m.server = m.serverOf(best.ServerID)
	m.server.unicast = best.Unicast
	m.request(now, false)
}

// request asks the server for leases.
func (m *Machine) request(now clock.Instant, bare bool) {
	m.state = Requesting
	m.lease = m.begin(now, exchange{kind: Request, server: m.server.id, unicast: m.server.address(), irt: reqTimeout, mrt: reqMaxRT,
		mrc: reqMaxRC, bare: bare}, 0)
	m.transmit(now, &m.lease)
}

// nextServer turns to the next of those that offered something, or looks for others.
//
// RFC 8415, 18.2.10.1: "Whenever a client restarts the DHCP server discovery process or selects an alternate server as described
// in Section 18.2.9, the client SHOULD stop using all the addresses and delegated prefixes for which it has bindings".
func (m *Machine) nextServer(now clock.Instant) {
	m.loseAll("another server is asked")
	if len(m.offers) > 0 {
		m.choose(now)
		return
	}
	m.failures++
	m.discover(now)
}
