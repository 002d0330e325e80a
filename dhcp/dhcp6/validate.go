package dhcp6

import "github.com/onlink-go/onlink/clock"

// Receive heeds a message that came to the client's port on the interface. raw are its octets, which a digest is made of; unicast
// says that they were sent to an address of the client, not to a group. What is not valid is discarded, and told by an event.
func (m *Machine) Receive(now clock.Instant, msg *Message, raw []byte, unicast bool) {
	m.expire(now)
	var fault string
	switch msg.Type {
	case Advertise:
		fault = m.receiveAdvertise(now, msg)
	case Reply:
		fault = m.receiveReply(now, msg)
	case Reconfigure:
		fault = m.receiveReconfigure(now, msg, raw, unicast)
	case Solicit, Request, Confirm, Renew, Rebind, Decline, Release, InformationRequest:
		// RFC 8415, 16.2: "Clients MUST discard any received Solicit messages." 16.4 to 16.9 and 16.12 say so of the others.
		fault = "it is for servers"
	default:
		// RFC 8415, 16: "A client or server MUST discard any received DHCP messages with an unknown message type."
		fault = "its type is not known"
	}
	if fault != "" {
		m.report(Event{Kind: Discarded, Server: msg.ServerID, Message: msg.Type, Reason: fault})
	}
}

// The reasons for which messages are discarded.
const (
	noServerID   = "it has no Server Identifier"
	noClientID   = "it has no Client Identifier"
	otherClient  = "it is for another client"
	noExchange   = "it answers nothing that was asked"
	otherServer  = "it is not from the server that was asked"
	noCommit     = "it has no Rapid Commit, and was not requested"
	fromGroup    = "it was not unicast"
	badReconfMsg = "it asks for a message that is none to ask for"
	noKey        = "its server gave no key, or does not want it accepted"
	notAuthentic = "it is not authentic"
	replayed     = "it was sent before"
	notAccepted  = "such messages are not accepted"
)

// receiveAdvertise: RFC 8415, 16.3: "Clients MUST discard any received Advertise message that meets any of the following conditions:
// the message does not include a Server Identifier option [...]. the message does not include a Client Identifier option [...]. the
// contents of the Client Identifier option do not match the client's DUID. the 'transaction-id' field value does not match the value
// the client used in its Solicit message."
func (m *Machine) receiveAdvertise(now clock.Instant, msg *Message) string {
	switch {
	case msg.ServerID == nil:
		return noServerID
	case msg.ClientID == nil:
		return noClientID
	case !msg.ClientID.Equal(m.cfg.ClientID):
		return otherClient
	case m.lease.kind != Solicit || m.lease.sent == 0 || m.lease.id != msg.TransactionID:
		return noExchange
	}
	m.advertised(now, msg)
	return ""
}

// receiveReply: RFC 8415, 16.10: "Clients MUST discard any received Reply message that meets any of the following conditions: the
// message does not include a Server Identifier option [...]. the 'transaction-id' field in the message does not match the value used in
// the original message. If the client included a Client Identifier option [...] in the original message, the Reply message MUST include
// a Client Identifier option, and the contents of the Client Identifier option MUST match the DUID of the client."
func (m *Machine) receiveReply(now clock.Instant, msg *Message) string {
	e := m.asked(msg.TransactionID)
	switch {
	case msg.ServerID == nil:
		return noServerID
	case msg.ClientID == nil:
		return noClientID
	case !msg.ClientID.Equal(m.cfg.ClientID):
		return otherClient
	case e == nil:
		return noExchange
	case e.server != nil && !e.server.Equal(msg.ServerID):
		return otherServer
	case e.kind == Solicit && !msg.RapidCommit:
		// RFC 8415, 18.2.1: "The client will discard any Reply messages that do not contain the Rapid Commit option."
		return noCommit
	case e.kind == Solicit && m.cfg.NoRapidCommit:
		return noExchange
	case !m.serverOf(msg.ServerID).fresh(msg.Auth):
		return replayed
	}
	m.replied(now, e, msg)
	return ""
}

// asked returns the exchange of a transaction ID, or nil.
func (m *Machine) asked(id uint32) *exchange {
	for _, e := range [...]*exchange{&m.lease, &m.info} {
		if e.active() && e.sent > 0 && e.id == id {
			return e
		}
	}
	for i := range m.giving {
		if e := &m.giving[i]; e.sent > 0 && e.id == id {
			return e
		}
	}
	return nil
}

// receiveReconfigure: RFC 8415, 16.11: "Clients MUST discard any Reconfigure message that meets any of the following conditions: the
// message was not unicast to the client. the message does not include a Server Identifier option [...]. the message does not include a
// Client Identifier option [...] that contains the client's DUID. the message does not include a Reconfigure Message option [...]. the
// Reconfigure Message option msg-type is not a valid value. the message does not include authentication (such as RKAP [...]) or fails
// authentication validation."
func (m *Machine) receiveReconfigure(now clock.Instant, msg *Message, raw []byte, unicast bool) string {
	switch {
	case m.cfg.NoReconfigure:
		return notAccepted
	case !unicast:
		return fromGroup
	case msg.ServerID == nil:
		return noServerID
	case msg.ClientID == nil:
		return noClientID
	case !msg.ClientID.Equal(m.cfg.ClientID):
		return otherClient
	}
	switch msg.ReconfigureMessage {
	case Renew, Rebind, InformationRequest:
	default:
		return badReconfMsg
	}
	s := m.remembered(msg.ServerID)
	switch {
	case s == nil || s.key == nil || !s.accept:
		return noKey
	case msg.Auth == nil || !msg.Auth.authentic(raw, s.key):
		return notAuthentic
	case !s.fresh(msg.Auth):
		return replayed
	}
	return m.reconfigure(now, s, msg)
}
