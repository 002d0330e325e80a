package dhcp6

import (
	"github.com/onlink-go/onlink/clock"
)

// replied heeds a Reply that is valid and answers e.
func (m *Machine) replied(now clock.Instant, e *exchange, msg *Message) {
	// RFC 8415, 18.2.10: "The client MUST process any SOL_MAX_RT option [...] and INF_MAX_RT option [...] present in a Reply
	// message, even if the message contains a Status Code option indicating a failure."
	m.limits(msg)
	switch e.kind {
	case Release, Decline:
		// RFC 8415, 18.2.10.2: "the client considers the Release event completed, regardless of the Status Code option [...]
		// returned by the server." And so the Decline event.
		m.given(now, e)
		return
	case Confirm:
		m.confirmedBy(now, msg)
		return
	}
	switch msg.Status.Code {
	case UnspecFail:
		// RFC 8415, 18.2.10: "If the client retransmits the original message to the same server to retry the desired operation,
		// the client MUST limit the rate at which it retransmits the message and limit the duration": as if it had not come.
		m.report(Event{Kind: Refused, Server: msg.ServerID, Status: msg.Status})
		return
	case UseMulticast:
		// "the client records the receipt of the message and sends subsequent messages to the server through the interface on
		// which the message was received using multicast. The client resends the original message using multicast."
		if !e.unicast.IsValid() {
			m.report(Event{Kind: Refused, Server: msg.ServerID, Status: msg.Status})
			return // it was: to send it again at once would not end
		}
		m.serverOf(msg.ServerID).noUnicast()
		e.unicast, e.next = m.serverOf(msg.ServerID).address(), now
		m.transmit(now, e)
		return
	}
	if e.kind == InformationRequest {
		m.informed(now, msg)
		return
	}
	m.leased(now, e, msg)
}

// leased heeds a Reply to a Solicit with Rapid Commit, a Request, Renew or Rebind (RFC 8415, 18.2.10.1).
func (m *Machine) leased(now clock.Instant, e *exchange, msg *Message) {
	first := e.kind == Solicit || e.kind == Request
	if first && m.says(msg, NotOnLink) {
		m.notOnLink(now, e, msg)
		return
	}
	if s := msg.Status.Code; s != Success && s != NoBinding {
		m.report(Event{Kind: Refused, Server: msg.ServerID, Status: msg.Status})
		if first {
			m.nextServer(now)
		}
		return
	}
	m.server = m.serverOf(msg.ServerID)
	m.server.learn(msg)
	missing := m.update(now, msg, first)
	switch {
	case len(m.Leases()) == 0:
		// "If the Reply message contains any IAs but the client finds no usable addresses and/or delegated prefixes in any of these
		// IAs, the client may either try another server (perhaps restarting the DHCP server discovery process) or [...]".
		m.report(Event{Kind: Refused, Server: msg.ServerID, Status: worst(msg)})
		if m.says(msg, NoBinding) && !first {
			m.request(now, false)
			return
		}
		m.nextServer(now)
	case m.says(msg, NoBinding) && !first:
		// "Sends a Request message to the server that responded if any of the IAs in the Reply message contain the NoBinding
		// status code. The client places IA options in this message for all IAs."
		m.request(now, false)
	case missing && !first:
		// "the client MUST rate-limit its transmissions [...] and MAY just wait for the normal retransmission time (as if the Reply
		// message had not been received). The client continues to use other bindings for which the server did return information."
		m.learnInformation(msg)
		e.end = m.renewalEnd(e)
	default:
		m.learnInformation(msg)
		m.settle(now)
	}
}

// says reports whether a message, or one of its associations that are ours, has a status.
func (m *Machine) says(msg *Message, code StatusCode) bool {
	if msg.Status.Code == code {
		return true
	}
	for i := range m.bindings {
		if a := msg.ia(m.bindings[i].Kind, m.bindings[i].ID); a != nil && a.Status.Code == code {
			return true
		}
	}
	return false
}

// update records what a Reply says of all associations. It reports whether it says nothing of the leases of one.
func (m *Machine) update(now clock.Instant, msg *Message, first bool) (missing bool) {
	for i := range m.bindings {
		b := &m.bindings[i]
		a := msg.ia(b.Kind, b.ID)
		if a != nil && !a.sound() {
			a = nil
		}
		switch {
		case a != nil && a.Status.Code == NoBinding && !first:
			b.unbound = true
			continue
		case a != nil && a.Status.Code == Success && b.update(m, now, a):
			continue
		case a != nil && a.Status.Code != Success:
			// "The client uses the addresses, delegated prefixes, and other information from any IAs that do not contain a Status
			// Code option with the NoAddrsAvail or NoPrefixAvail status code."
			m.report(Event{Kind: Refused, Server: msg.ServerID, Status: a.Status})
		}
		if b.unbound { // the server was asked what it has in place of what it does not know
			b.lose(m, "the server does not know it")
			b.unbound = false
		}
		missing = missing || len(b.leases) > 0
	}
	return missing
}

// notOnLink heeds a server that says that addresses are not of this link.
//
// RFC 8415, 18.2.10.1: "the client can either reissue the message without specifying any addresses or restart the DHCP server
// discovery process": the first once, then the second.
func (m *Machine) notOnLink(now clock.Instant, e *exchange, msg *Message) {
	m.report(Event{Kind: Refused, Server: msg.ServerID, Status: worst(msg)})
	if e.kind == Request && !e.bare {
		m.loseAll("the link is another one")
		m.request(now, true)
		return
	}
	m.nextServer(now)
}

// settle goes on with what there is: until T1, unless that is over.
func (m *Machine) settle(now clock.Instant) {
	m.lease.stop()
	m.state, m.offers, m.chosen = Bound, nil, nil
	m.proceed(now)
}

// proceed begins to renew or rebind when it is time.
func (m *Machine) proceed(now clock.Instant) {
	switch {
	case now >= m.t2():
		m.rebind(now)
	case now >= m.t1():
		m.failures = 0
		m.renew(now, nil)
	case now >= m.renewEarly:
		m.renew(now, nil)
	}
}

// renew asks the server to extend the leases. A Renew that a Reconfigure asked for goes to whom it names.
func (m *Machine) renew(now clock.Instant, to *server) {
	if to != nil {
		m.server = to
	}
	m.state, m.renewEarly = Renewing, clock.Never
	// RFC 8415, 18.2.4: MRD is "Remaining time until earliest T2".
	m.lease = m.begin(now, exchange{kind: Renew, server: m.server.id, unicast: m.server.address(), irt: renTimeout, mrt: renMaxRT,
		end: m.t2()}, 0)
	m.transmit(now, &m.lease)
}

// rebind asks all servers. It goes on until there are no leases any more: see expire.
func (m *Machine) rebind(now clock.Instant) {
	m.state, m.renewEarly = Rebinding, clock.Never
	m.lease = m.begin(now, exchange{kind: Rebind, irt: rebTimeout, mrt: rebMaxRT}, 0)
	m.transmit(now, &m.lease)
}

// renewalEnd returns when a Renew or Rebind that was answered in part ends.
func (m *Machine) renewalEnd(e *exchange) clock.Instant {
	if e.kind == Renew {
		return m.t2()
	}
	return e.end
}
