package dhcp6

import (
	"net/netip"

	"github.com/onlink-go/onlink/clock"
)

// compose makes the message of an exchange as it is to be sent now.
//
// RFC 8415, 15: "whenever this document refers to a 'retransmission' of a client's message, it refers to both modifying the
// original message and sending this new message instance to the server."
func (m *Machine) compose(now clock.Instant, e *exchange) *Message {
	msg := &Message{Type: e.kind, TransactionID: e.id, ClientID: m.cfg.ClientID, ServerID: e.server, Elapsed: elapsed(now, e),
		FQDN: m.cfg.FQDN}
	switch e.kind {
	case Release, Decline:
		msg.IAs, msg.FQDN = e.ias, nil
		return msg
	case Confirm:
		msg.IAs, msg.FQDN = m.confirmed(), nil
		return msg
	case InformationRequest:
		// RFC 8415, 18.2.6: "The client MUST include an Option Request option [...] to request the INF_MAX_RT option [...], the
		// Information Refresh Time option [...], and any other options the client is interested in receiving."
		msg.FQDN = nil
		msg.Requested = m.requested(OptionInformationTime, OptionInfMaxRT)
	case Solicit:
		msg.RapidCommit = !m.cfg.NoRapidCommit
		msg.Requested = m.requested(OptionSolMaxRT)
		msg.IAs = m.solicited()
	case Request:
		msg.Requested = m.requested(OptionSolMaxRT)
		msg.IAs = m.requestedIAs(e)
	case Renew, Rebind:
		msg.Requested = m.requested(OptionSolMaxRT)
		msg.IAs = m.renewed()
	}
	msg.ReconfigureAccept = !m.cfg.NoReconfigure
	return msg
}

// elapsed returns the time since the message was first sent, in hundredths of a second.
//
// RFC 8415, 21.9: "The client uses the value 0xffff to represent any elapsed-time values greater than the largest time value that
// can be represented in the Elapsed Time option."
func elapsed(now clock.Instant, e *exchange) uint16 {
	return uint16(min(0xffff, now.Sub(e.began).Milliseconds()/10))
}

// requested returns the options to ask for.
func (m *Machine) requested(more ...OptionCode) []OptionCode {
	all := append([]OptionCode{OptionDNSServers, OptionDomainList}, more...)
	if m.cfg.FQDN != nil {
		all = append(all, OptionFQDN)
	}
	return append(all, m.cfg.Options...)
}

// solicited are the associations of a Solicit: with what the client would like best.
func (m *Machine) solicited() (all []IA) {
	for i := range m.bindings {
		b := &m.bindings[i]
		all = append(all, IA{Kind: b.Kind, ID: b.ID, Leases: plain(b.Hints)})
	}
	return all
}

// requestedIAs are the associations of a Request: with what the server has offered, and what there is.
//
// RFC 8415, 18.2: "it is more likely that the client will get all configuration if it continues, in each subsequent configuration
// exchange, to request all the configuration information it is programmed to try to obtain".
func (m *Machine) requestedIAs(e *exchange) (all []IA) {
	for i := range m.bindings {
		b := &m.bindings[i]
		a := IA{Kind: b.Kind, ID: b.ID}
		if !e.bare {
			a.Leases = b.present()
			if a.Leases == nil && m.chosen != nil {
				if o := m.chosen.ia(b.Kind, b.ID); o != nil && o.sound() {
					a.Leases = plain(o.usable())
				}
			}
			if a.Leases == nil {
				a.Leases = b.lengths()
			}
		}
		all = append(all, a)
	}
	return all
}

// renewed are the associations of a Renew or Rebind: with what there is, and those that nothing was got for.
//
// RFC 8415, 18.2.4: "The client MUST NOT include addresses and prefixes in any IA option that the client did not obtain from the
// server or that are no longer valid" and "The client MAY include an IA option for each binding it desires but has been unable to
// obtain. In this case, if the client includes the IA_PD option to request prefix delegation, the client MAY include the IA Prefix
// option encapsulated within the IA_PD option, with the 'IPv6-prefix' field set to 0 and the 'prefix-length' field set to the
// desired length".
func (m *Machine) renewed() (all []IA) {
	for i := range m.bindings {
		b := &m.bindings[i]
		a := IA{Kind: b.Kind, ID: b.ID, Leases: b.present()}
		if a.Leases == nil {
			a.Leases = b.lengths()
		}
		all = append(all, a)
	}
	return all
}

// confirmed are the associations of a Confirm: all of the addresses.
func (m *Machine) confirmed() (all []IA) {
	for i := range m.bindings {
		if b := &m.bindings[i]; b.Kind != Prefixes && len(b.leases) > 0 {
			all = append(all, IA{Kind: b.Kind, ID: b.ID, Leases: b.present()})
		}
	}
	return all
}

// present are a binding's leases as clients write them: without lifetimes (RFC 8415, 21.6 and 21.22).
func (b *binding) present() (all []IALease) {
	for _, l := range b.leases {
		all = append(all, IALease{Prefix: l.Prefix})
	}
	return all
}

// lengths are the hints that only say how long a prefix is to be.
func (b *binding) lengths() (all []IALease) {
	for _, p := range b.Hints {
		if b.Kind == Prefixes && p.Addr().IsUnspecified() {
			all = append(all, IALease{Prefix: p})
		}
	}
	return all
}

func plain(ps []netip.Prefix) (all []IALease) {
	for _, p := range ps {
		all = append(all, IALease{Prefix: p})
	}
	return all
}
