package dhcp4

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// Arrive takes a message that came to the client's port, and says what became of it.
func (m *Machine) Arrive(now clock.Instant, b []byte) Verdict {
	v := m.arrive(now, b)
	m.stats.Arrived[v]++
	return v
}

func (m *Machine) arrive(now clock.Instant, b []byte) Verdict {
	msg, err := Parse(b)
	if err != nil {
		return Malformed
	}
	id, hasID := msg.Options.Get(OptClientID)
	switch {
	case msg.Op != BootReply:
		return NotReply
	// RFC 2131, 4.4.1: "If the 'xid' of an arriving DHCPOFFER message does not match the 'xid' of the most recent DHCPDISCOVER
	// message, the DHCPOFFER message must be silently discarded." 4.4.5: "Any DHCPACK messages that arrive with an 'xid' that does
	// not match the 'xid' of the client's DHCPREQUEST message are silently discarded."
	case msg.XID != m.xid:
		return NotAsked
	// RFC 6842, 3: a client discards what has another client's identifier.
	case msg.HardwareAddr != m.cfg.HardwareAddr, hasID && !bytes.Equal(id, m.cfg.ClientID):
		return NotOurs
	}
	t := msg.Type()
	if !m.expects(t) {
		if t < Discover || t > Inform {
			return Malformed
		}
		return Unexpected
	}
	// RFC 2131, table 3: Server identifier: MUST, in all three.
	server, ok := msg.ServerID()
	if !ok {
		return Malformed
	}
	var v Verdict
	switch {
	case t == NAK:
		v = m.refused(now, msg, server)
	case m.state == Informing:
		v = m.informed(msg)
	default:
		v = m.granted(now, t, msg)
	}
	if v == Accepted {
		m.stats.Taken[t]++
	}
	return v
}

// expects reports whether figure 5 has use for messages of type t in the present state; it discards the others.
func (m *Machine) expects(t Type) bool {
	switch m.state {
	case Selecting:
		return t == Offer
	case Requesting, Rebooting, Renewing, Rebinding:
		return t == ACK || t == NAK
	case Informing:
		return t == ACK
	}
	return false
}

// granted takes a message that gives a lease, or offers one.
func (m *Machine) granted(now clock.Instant, t Type, msg *Message) Verdict {
	l, bad, err := newLease(msg)
	if err != nil {
		return Malformed
	}
	if t == Offer {
		m.stats.Useless += uint64(bad)
		m.offered(now, l)
		return Accepted
	}
	switch asked := m.asked(); {
	case m.state == Requesting && l.Server != m.chosen.Server:
		return WrongServer
	case l.Address.Addr() != asked:
		return WrongAddress
	}
	m.stats.Useless += uint64(bad)
	m.bind(l)
	return Accepted
}

// asked returns the address that the request under way is about.
func (m *Machine) asked() netip.Addr {
	if m.state == Requesting {
		return m.chosen.Address.Addr()
	}
	return m.lease.Address.Addr()
}

// maxOffers is how many offers are compared; later ones are not better.
const maxOffers = 16

// offered collects an offer.
func (m *Machine) offered(now clock.Instant, l *Lease) {
	if len(m.offers) < maxOffers {
		m.offers = append(m.offers, l)
	}
	if m.choose == clock.Never {
		m.choose = now.Add(m.cfg.OfferWait)
	}
	if m.choose <= now {
		m.request(now, m.best())
	}
}

// best returns the offer to take.
//
// RFC 2131, 4.2: "DHCP clients are free to use any strategy in selecting a DHCP server among those from which the client receives a
// DHCPOFFER message."
func (m *Machine) best() *Lease {
	if m.lease != nil {
		for _, l := range m.offers {
			if l.Address.Addr() == m.lease.Address.Addr() {
				return l
			}
		}
		for _, l := range m.offers {
			if l.Server == m.lease.Server {
				return l
			}
		}
	}
	return m.offers[0]
}

// request asks for what was offered. RFC 2131, 4.4.1: "The DHCPREQUEST message contains the same 'xid' as the DHCPOFFER message."
func (m *Machine) request(now clock.Instant, l *Lease) {
	m.rest(Requesting)
	m.chosen, m.tries = l, 0
	m.sendRequest(now)
}

// bind begins to hold a lease, or goes on.
func (m *Machine) bind(l *Lease) {
	kind := Acquired
	if m.inUse && m.lease.Address == l.Address {
		kind, m.conflicts = Renewed, 0
	} else if m.inUse {
		m.lose("the server gave " + l.Address.String())
	}
	m.lease, m.held, m.inUse, m.refusals = l, true, true, 0
	end := clock.Never
	if l.Duration != Forever {
		end = m.sent.Add(l.Duration)
	}
	m.setTimes(m.sent, end)
	m.rest(Bound)
	m.tell(Event{Kind: kind, Lease: l})
}

// refused takes a DHCPNAK.
//
// RFC 2131, 3.1: "If the client receives a DHCPNAK message, the client restarts the configuration process." Figure 5: "Halt network",
// if the address was in use.
func (m *Machine) refused(now clock.Instant, msg *Message, server netip.Addr) Verdict {
	if m.state == Requesting && server != m.chosen.Server {
		return WrongServer
	}
	why := "refused by " + server.String()
	if s := printable(msg); s != "" {
		why += ": " + s
	}
	if m.inUse {
		m.lose(why)
	} else {
		m.tell(Event{Kind: Failed, Reason: why})
	}
	m.held, m.lease = false, nil
	// The first time at once; a server that offers and refuses again and again is asked less and less often.
	var wait time.Duration
	if m.refusals > 0 {
		wait = min(time.Second<<min(m.refusals, 8), 64*time.Second)
	}
	m.refusals++
	m.pause(now, Init, wait)
	return Accepted
}

// informed takes the answer to a DHCPINFORM.
func (m *Machine) informed(msg *Message) Verdict {
	l, bad := newInformation(msg)
	m.stats.Useless += uint64(bad)
	m.rest(Informed)
	m.tell(Event{Kind: Learned, Lease: l})
	return Accepted
}

// printable returns what a server says for people, without what could do harm on their terminals.
func printable(msg *Message) string {
	v, _ := msg.Options.Get(OptMessage)
	return string(bytes.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, v[:min(len(v), 200)]))
}
