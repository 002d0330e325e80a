package dhcp6

import (
	"net/netip"
	"slices"

	"github.com/onlink-go/onlink/clock"
)

// Release gives all leases back and ends the machine, until Start. Finished says when that is over.
//
// RFC 8415, 18.2.7: "The client MUST stop using all of the leases being released before the client begins the Release message exchange
// process."
func (m *Machine) Release(now clock.Instant) {
	var ias []IA
	for i := range m.bindings {
		if b := &m.bindings[i]; len(b.leases) > 0 {
			ias = append(ias, IA{Kind: b.Kind, ID: b.ID, Leases: b.present()})
		}
	}
	s := m.server
	m.stopLeases(now, "released")
	m.info.stop()
	m.refreshAt, m.stateless = clock.Never, false
	m.giving = slices.DeleteFunc(m.giving, func(e exchange) bool { return e.kind == Release })
	if s == nil || len(ias) == 0 {
		m.report(Event{Kind: Finished, Message: Release})
		return
	}
	m.give(now, exchange{kind: Release, server: s.id, unicast: s.address(), ias: ias, irt: relTimeout, mrc: relMaxRC})
}

// Decline tells the server that another node has addresses that it leased (RFC 8415, 18.2.8). They are removed, and others asked for.
//
// "The Decline message is not used in prefix delegation": what is no address of ours is not heeded.
func (m *Machine) Decline(now clock.Instant, addrs ...netip.Addr) {
	var ias []IA
	for i := range m.bindings {
		b := &m.bindings[i]
		if b.Kind == Prefixes {
			continue
		}
		a := IA{Kind: b.Kind, ID: b.ID}
		b.keep(m, "another node has it", func(l *Lease) bool {
			if !slices.Contains(addrs, l.Prefix.Addr()) {
				return true
			}
			a.Leases = append(a.Leases, IALease{Prefix: l.Prefix})
			return false
		})
		if len(a.Leases) > 0 {
			ias = append(ias, a)
		}
	}
	if len(ias) == 0 || m.server == nil {
		return
	}
	m.failures++
	e := exchange{kind: Decline, server: m.server.id, unicast: m.server.address(), ias: ias, irt: decTimeout, mrc: decMaxRC}
	if len(m.Leases()) == 0 {
		m.lease.stop()
		m.state = Declining
	}
	m.give(now, e)
}

// give begins an exchange that gives something back.
func (m *Machine) give(now clock.Instant, e exchange) {
	m.giving = append(m.giving, m.begin(now, e, 0))
	m.transmit(now, &m.giving[len(m.giving)-1])
}

// givingTimeout sends again what was not answered, or gives up.
func (m *Machine) givingTimeout(now clock.Instant) {
	for i := 0; i < len(m.giving); {
		e := &m.giving[i]
		switch {
		case !e.due(now):
		case e.over(now):
			m.report(Event{Kind: Unanswered, Server: e.server, Message: e.kind})
			m.given(now, e)
			continue // another one is at i now
		default:
			m.transmit(now, e)
		}
		i++
	}
}

// given ends an exchange that gave something back.
//
// RFC 8415, 18.2.8: "The client SHOULD treat the failure to acquire a binding (due to the conflict) as equivalent to not having
// received the binding, insofar as how it behaves when sending Renew and Rebind messages." So the next Renew asks for another
// address, and is not left until T1; with nothing left it begins anew. Either waits longer each time, since a server may not learn.
func (m *Machine) given(now clock.Instant, e *exchange) {
	kind, id := e.kind, e.id
	m.giving = slices.DeleteFunc(m.giving, func(o exchange) bool { return o.id == id && o.kind == kind })
	m.report(Event{Kind: Finished, Message: kind})
	switch {
	case kind != Decline:
	case m.state == Declining && !m.Busy():
		m.discover(now)
	case m.state == Bound:
		m.renewEarly = now.Add(m.backoff())
	}
}
