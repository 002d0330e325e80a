package dhcp6

import "github.com/onlink-go/onlink/clock"

// LinkChanged says that the interface may be on another link: its carrier was away, or it slept (RFC 8415, 18.2.12).
func (m *Machine) LinkChanged(now clock.Instant) {
	switch {
	case m.state == Stopped && m.stateless:
		// "If the client has only obtained network information using Information-request/Reply message exchanges, the client MUST
		// initiate an Information-request/Reply message exchange".
		m.inform(now, nil, true)
	case m.state == Stopped || m.state == Declining:
	case len(m.Leases()) == 0:
		m.discover(now)
	case m.hasPrefix():
		// "If the client has any valid delegated prefixes obtained from the DHCP server, the client MUST initiate a Rebind/Reply
		// message exchange as described in Section 18.2.5, with the exception that the retransmission parameters should be set as
		// for the Confirm message".
		m.verify(now, Rebind)
	default:
		// "When the client detects that it may have moved to a new link and it has obtained addresses and no delegated prefixes
		// from a server, the client SHOULD initiate a Confirm/Reply message exchange."
		m.verify(now, Confirm)
	}
}

func (m *Machine) hasPrefix() bool {
	for i := range m.bindings {
		if b := &m.bindings[i]; b.Kind == Prefixes && len(b.leases) > 0 {
			return true
		}
	}
	return false
}

// verify asks all servers whether the leases are good where the interface is now (RFC 8415, 18.2.3): "The first Confirm message
// from the client on the interface MUST be delayed by a random amount of time between 0 and CNF_MAX_DELAY."
func (m *Machine) verify(now clock.Instant, kind MessageType) {
	m.state, m.renewEarly = Confirming, clock.Never
	m.lease = m.begin(now, exchange{kind: kind, irt: cnfTimeout, mrt: cnfMaxRT, mrd: cnfMaxRD}, cnfMaxDelay)
}

// confirmedBy heeds a Reply to a Confirm.
//
// RFC 8415, 18.2.10.3: "If the client receives any Reply messages that indicate a status of Success (explicit or implicit), the
// client can use the addresses in the IA and ignore any messages that indicate a NotOnLink status." So one that says NotOnLink
// counts when the time for others is over.
func (m *Machine) confirmedBy(now clock.Instant, msg *Message) {
	switch msg.Status.Code {
	case Success:
		m.settle(now)
	case NotOnLink:
		m.lease.refused = true
		fallthrough
	default:
		m.report(Event{Kind: Refused, Server: msg.ServerID, Status: msg.Status})
	}
}

// calm is how long nothing is asked again because of what routers say. RFC 8415, 18.2.12: "a client MUST rate-limit such attempts
// to avoid flooding a server with requests when there are link issues (for example, only doing one of these at most every 30
// seconds)."
const calm = 30e9

// PrefixesChanged says that the prefixes on the link are others.
//
// RFC 8415, 18.2.12: "a client SHOULD initiate a Renew/Reply exchange (as if the T1 time expired) as described in Section 18.2.4 or
// an Information-request/Reply exchange as described in Section 18.2.6 if the client detects a significant change regarding the
// prefixes available on the link (when new prefixes are added or existing prefixes are deprecated)".
func (m *Machine) PrefixesChanged(now clock.Instant) {
	at := max(now, m.lastSent.Add(calm))
	switch {
	case m.state == Bound:
		m.renewEarly = min(m.renewEarly, at)
		m.proceed(now)
	case m.stateless && !m.info.active():
		m.refreshAt = min(m.refreshAt, at)
	}
}

// AddressChanged says that the interface has another link-local address.
//
// RFC 8415, 18.2.4: "A client MUST also initiate a Renew/Reply message exchange before time T1 if the client's link-local address
// used in previous interactions with the server is no longer valid and it is willing to receive Reconfigure messages."
func (m *Machine) AddressChanged(now clock.Instant) {
	if m.state == Bound && !m.cfg.NoReconfigure {
		m.renew(now, nil)
	}
}
