package dhcp4

import (
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// Answer is a server's message, and where it goes.
type Answer struct {
	Message *Message
	// To is where it goes; the zero AddrPort: in a frame to the client's hardware address, with YourAddr as the packet's destination.
	To netip.AddrPort
}

// Arrive takes a message that came to the server's port; ok is false if there is nothing to be said to it.
func (p *Pool) Arrive(now clock.Instant, b []byte) (a Answer, ok bool) {
	m, err := Parse(b)
	if err != nil || m.Op != BootRequest || m.RelayAddr.IsValid() && !p.cfg.Server.Contains(m.RelayAddr) {
		return a, false
	}
	var r *Message
	switch m.Type() {
	case Discover:
		r = p.discovered(now, m)
	case Request:
		r = p.requested(now, m)
	case Decline:
		p.declined(now, m)
	case Release:
		p.released(now, m)
	case Inform:
		// RFC 2131, 4.3.5: "The server MUST NOT send a lease expiration time to the client and SHOULD NOT fill in 'yiaddr'."
		r = p.reply(m, ACK)
		p.parameters(m, r)
	}
	if r == nil {
		return a, false
	}
	return Answer{r, destination(m, r)}, true
}

// destination returns where the reply r to m goes.
//
// RFC 2131, 4.1: "If the 'giaddr' field in a DHCP message from a client is non-zero, the server sends any return messages to the 'DHCP
// server' port on the BOOTP relay agent whose address appears in 'giaddr'. If the 'giaddr' field is zero and the 'ciaddr' field is
// nonzero, then the server unicasts DHCPOFFER and DHCPACK messages to the address in 'ciaddr'. If 'giaddr' is zero and 'ciaddr' is zero,
// and the broadcast bit is set, then the server broadcasts DHCPOFFER and DHCPACK messages to 0xffffffff. If the broadcast bit is not set
// and 'giaddr' is zero and 'ciaddr' is zero, then the server unicasts DHCPOFFER and DHCPACK messages to the client's hardware address and
// 'yiaddr' address. In all cases, when 'giaddr' is zero, the server broadcasts any DHCPNAK messages to 0xffffffff."
func destination(m, r *Message) netip.AddrPort {
	switch {
	case m.RelayAddr.IsValid():
		// 4.3.2: "The server MUST set the broadcast bit in the DHCPNAK, so that the relay agent will broadcast the DHCPNAK to the
		// client".
		r.Broadcast = r.Broadcast || r.Type() == NAK
		return netip.AddrPortFrom(m.RelayAddr, ServerPort)
	case r.Type() == NAK || m.Broadcast && !m.ClientAddr.IsValid():
		return netip.AddrPortFrom(broadcastAddr, ClientPort)
	case m.ClientAddr.IsValid():
		return netip.AddrPortFrom(m.ClientAddr, ClientPort)
	}
	return netip.AddrPort{}
}

// reply returns an answer to m with what all have (RFC 2131, table 3). RFC 6842, 3: the client identifier comes back.
func (p *Pool) reply(m *Message, t Type) *Message {
	r := &Message{Op: BootReply, XID: m.XID, Broadcast: m.Broadcast, RelayAddr: m.RelayAddr, HardwareAddr: m.HardwareAddr}
	r.Options.Set(OptMessageType, byte(t))
	r.Options.SetAddrs(OptServerID, p.cfg.Server.Addr())
	if id, found := m.Options.Get(OptClientID); found {
		r.Options.Set(OptClientID, id...)
	}
	return r
}

// discovered offers an address, if there is one.
func (p *Pool) discovered(now clock.Instant, m *Message) *Message {
	a, ok := p.choose(now, m)
	if !ok {
		return nil
	}
	if l := p.byClient[clientKey(m)]; l == nil || l.Address != a || l.State != Leased || l.Until <= now {
		p.lend(m, a, Offered, now.Add(offerTime))
	}
	r := p.reply(m, Offer)
	p.give(m, r, a)
	return r
}

// requested gives the address that was offered, that a client has, or had.
func (p *Pool) requested(now clock.Instant, m *Message) *Message {
	l := p.byClient[clientKey(m)]
	wanted, hasWanted := m.Options.Addr(OptRequestedAddr)
	server, selecting := m.Options.Addr(OptServerID)
	switch {
	case selecting && server != p.cfg.Server.Addr():
		// RFC 2131, 3.1: "Those servers not selected by the DHCPREQUEST message use the message as notification that the client has
		// declined that server's offer."
		if l != nil && l.State == Offered {
			l.State, l.Until = Released, now
		}
		return nil
	case m.ClientAddr.IsValid(): // RENEWING or REBINDING
		wanted, hasWanted = m.ClientAddr, true
	}
	if !hasWanted {
		return nil
	}
	switch known := l != nil && l.Address == wanted && p.free(now, wanted, l.client); {
	case known && (p.gives(wanted) || p.cfg.Reserved[m.HardwareAddr] == wanted):
		r := p.reply(m, ACK)
		r.ClientAddr = m.ClientAddr
		p.lend(m, wanted, Leased, now.Add(p.give(m, r, wanted)))
		return r
	// 4.3.2: "If the DHCP server has no record of this client, then it MUST remain silent", unless "the client is on the wrong net".
	case l == nil && !selecting && (p.cfg.Shy || !m.ClientAddr.IsValid() && p.cfg.Server.Contains(wanted)):
		return nil
	}
	r := p.reply(m, NAK)
	r.Options.Set(OptMessage, []byte(wanted.String()+" is not yours")...)
	return r
}

// declined marks an address that another station has.
//
// RFC 2131, 4.3.3: "The server MUST mark the network address as not available".
func (p *Pool) declined(now clock.Instant, m *Message) {
	wanted, _ := m.Options.Addr(OptRequestedAddr)
	if l := p.own(m, wanted); l != nil {
		l.State, l.Until = Declined, now.Add(declineTime)
		delete(p.byClient, l.client)
		l.client = ""
	}
}

// released marks an address as free; that it was this client's is kept.
//
// RFC 2131, 4.3.4: "The server SHOULD retain a record of the client's initialization parameters for possible reuse in response to
// subsequent requests from the client."
func (p *Pool) released(now clock.Instant, m *Message) {
	if l := p.own(m, m.ClientAddr); l != nil {
		l.State, l.Until = Released, now
	}
}

// own returns what this server has given to the client of m, if it is the address a, and m is for this server.
func (p *Pool) own(m *Message, a netip.Addr) *Lent {
	server, _ := m.ServerID()
	if l := p.byClient[clientKey(m)]; l != nil && l.Address == a && server == p.cfg.Server.Addr() {
		return l
	}
	return nil
}

// give puts an address and all that goes with it into r, and returns for how long.
func (p *Pool) give(m, r *Message, a netip.Addr) time.Duration {
	r.YourAddr = a
	l := p.cfg.Parameters
	// RFC 2131, 4.3.1: "the server may choose either to return the requested lease (if the lease is acceptable to local policy) or
	// select another lease."
	if d, asked := m.Options.Seconds(OptLeaseTime); asked && d > 0 && d < l.Duration {
		l.Duration, l.T1, l.T2 = d, 0, 0
	}
	l.completeTimes()
	r.Options.SetSeconds(OptLeaseTime, l.Duration)
	if l.Duration != Forever {
		r.Options.SetSeconds(OptRenewalTime, l.T1)
		r.Options.SetSeconds(OptRebindingTime, l.T2)
	}
	p.parameters(m, r)
	if l.Duration == Forever {
		return time.Duration(clock.Never)
	}
	return l.Duration
}
