package dhcp6

import (
	"net/netip"
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// Information is what servers tell besides leases.
type Information struct {
	Server DUID         // who told it
	DNS    []netip.Addr // name servers (RFC 3646)
	Search []string     // search domains (RFC 3646)
	FQDN   string       // the name that the server has for the client (RFC 4704); empty: not told
	Other  []Option     // what MachineConfig.Options asked for, unread
}

// inform begins to ask for information; to is the server that a Reconfigure came from, or nil.
//
// RFC 8415, 18.2.6: "The first Information-request message from the client on the interface MUST be delayed by a random amount of
// time between 0 and INF_MAX_DELAY." and 21.23, of later ones: "the client MUST delay sending the first Information-request by a
// random amount of time between 0 and INF_MAX_DELAY."
func (m *Machine) inform(now clock.Instant, to *server, delayed bool) {
	e := exchange{kind: InformationRequest, irt: infTimeout}
	if to != nil {
		// "When responding to a Reconfigure, the client includes a Server Identifier option [...] with the identifier from the
		// Reconfigure message to which the client is responding."
		e.server = to.id
	}
	delay := time.Duration(0)
	if delayed {
		delay = infMaxDelay
	}
	m.refreshAt = clock.Never
	m.info = m.begin(now, e, delay)
	if !delayed {
		m.transmit(now, &m.info)
	}
}

// informed heeds the Reply to an Information-request.
func (m *Machine) informed(now clock.Instant, msg *Message) {
	m.info.stop()
	if m.stateless {
		m.refreshAt = refresh(now, msg.RefreshTime)
	}
	m.serverOf(msg.ServerID).learn(msg)
	m.learnInformation(msg)
}

// refresh returns when to ask again.
//
// RFC 8415, 21.23: "If the Reply to an Information-request message does not contain this option, the client MUST behave as if the
// option with the value IRT_DEFAULT was provided." and "A client MUST use the refresh time IRT_MINIMUM if it receives the option
// with a value less than IRT_MINIMUM." and "the value 0xffffffff is taken to mean 'infinity' and implies that the client should not
// refresh its configuration data without some other trigger".
func refresh(now clock.Instant, seconds *uint32) clock.Instant {
	switch {
	case seconds == nil:
		return now.Add(irtDefault)
	case *seconds == Infinity:
		return clock.Never
	}
	return now.Add(max(time.Duration(*seconds)*time.Second, irtMinimum))
}

// learnInformation takes what a Reply tells in place of what was told before.
//
// RFC 8415, 18.2.10: "When a client received a configuration option in an earlier Reply and then sends a Renew, Rebind, or
// Information-request and the requested option is not present in the Reply, the client SHOULD stop using the previously received
// configuration information."
func (m *Machine) learnInformation(msg *Message) {
	now := Information{Server: msg.ServerID, Search: msg.Search}
	for _, a := range msg.DNS {
		if !a.IsUnspecified() && !a.IsMulticast() {
			now.DNS = append(now.DNS, a)
		}
	}
	if msg.FQDN != nil {
		now.FQDN = msg.FQDN.Name
	}
	for _, o := range msg.Other {
		if slices.Contains(m.cfg.Options, o.Code) {
			now.Other = append(now.Other, o)
		}
	}
	if now.same(&m.known) {
		return
	}
	m.known = now
	m.report(Event{Kind: Informed, Server: msg.ServerID, Information: &now})
}

// same reports whether i and o tell the same, whoever tells it.
func (i *Information) same(o *Information) bool {
	return slices.Equal(i.DNS, o.DNS) && slices.Equal(i.Search, o.Search) && i.FQDN == o.FQDN &&
		slices.EqualFunc(i.Other, o.Other, func(a, b Option) bool { return a.Code == b.Code && string(a.Data) == string(b.Data) })
}

// Information returns what is known.
func (m *Machine) Information() Information { return m.known }
