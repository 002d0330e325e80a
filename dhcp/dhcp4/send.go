package dhcp4

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// What the fields and options of each message are is table 5 of RFC 2131.

// message returns a message of the exchange under way, with what all messages have.
//
// RFC 2131, 4.2: "If the client supplies a 'client identifier', the client MUST use the same 'client identifier' in all subsequent
// messages".
func (m *Machine) message(t Type) *Message {
	msg := &Message{Op: BootRequest, XID: m.xid, HardwareAddr: m.cfg.HardwareAddr}
	msg.Options.Set(OptMessageType, byte(t))
	if len(m.cfg.ClientID) > 0 {
		msg.Options.Set(OptClientID, m.cfg.ClientID...)
	}
	return msg
}

// query returns a message that asks for parameters.
//
// RFC 2131, 4.4.1: "If the client included a list of requested parameters in a DHCPDISCOVER message, it MUST include that list in
// all subsequent messages."
func (m *Machine) query(t Type) *Message {
	msg := m.message(t)
	msg.Secs, msg.Broadcast = m.secs, m.cfg.Broadcast
	o := &msg.Options
	if m.cfg.MaxMessageSize != 0 {
		o.Set(OptMaxMessageSize, binary.BigEndian.AppendUint16(nil, uint16(m.cfg.MaxMessageSize))...)
	}
	if len(m.cfg.Parameters) > 0 {
		o.Set(OptParameters, m.cfg.Parameters...)
	}
	if m.cfg.HostName != "" {
		o.Set(OptHostName, []byte(m.cfg.HostName)...)
	}
	if m.cfg.VendorClass != "" {
		o.Set(OptVendorClass, []byte(m.cfg.VendorClass)...)
	}
	if m.cfg.LeaseTime != 0 && t != Inform {
		o.SetSeconds(OptLeaseTime, m.cfg.LeaseTime)
	}
	return msg
}

func (m *Machine) send(msg *Message, from, to netip.Addr) {
	m.stats.Sent[msg.Type()]++
	m.out = append(m.out, Outgoing{msg, from, to})
}

// sendDiscover asks for offers, of the address of the last lease if possible.
func (m *Machine) sendDiscover(now clock.Instant) {
	// RFC 2131, table 5: 0, or the seconds since the client began.
	m.secs = uint16(min(now.Sub(m.began)/time.Second, math.MaxUint16))
	msg := m.query(Discover)
	if m.lease != nil && m.lease.Address.IsValid() {
		msg.Options.SetAddrs(OptRequestedAddr, m.lease.Address.Addr())
	}
	m.send(msg, netip.Addr{}, broadcastAddr)
	m.backOff(now)
}

// sendRequest asks for the address that was chosen, or that is held.
func (m *Machine) sendRequest(now clock.Instant) {
	msg := m.query(Request)
	from, to := netip.Addr{}, broadcastAddr
	switch m.state {
	case Requesting:
		// RFC 2131, 4.3.2: "Client inserts the address of the selected server in 'server identifier', 'ciaddr' MUST be zero,
		// 'requested IP address' MUST be filled in with the yiaddr value from the chosen DHCPOFFER."
		msg.Options.SetAddrs(OptRequestedAddr, m.chosen.Address.Addr())
		msg.Options.SetAddrs(OptServerID, m.chosen.Server)
	case Rebooting:
		// "'server identifier' MUST NOT be filled in, 'requested IP address' option MUST be filled in with client's notion of
		// its previously assigned address. 'ciaddr' MUST be zero."
		msg.Options.SetAddrs(OptRequestedAddr, m.lease.Address.Addr())
	case Renewing:
		// "'server identifier' MUST NOT be filled in, 'requested IP address' option MUST NOT be filled in, 'ciaddr' MUST be
		// filled in with client's IP address." "This message will be unicast".
		from, to = m.lease.Address.Addr(), m.lease.Server
		msg.ClientAddr = from
	case Rebinding:
		// As before, but "This message MUST be broadcast to the 0xffffffff IP broadcast address."
		from = m.lease.Address.Addr()
		msg.ClientAddr = from
	}
	// RFC 2131, 4.4.1: "The client records the lease expiration time as the sum of the time at which the original request was
	// sent and the duration of the lease from the DHCPACK message."
	if m.tries == 0 {
		m.sent = now
	}
	m.send(msg, from, to)
	m.backOff(now)
}

// sendInform asks for information (RFC 2131, 4.4.3).
func (m *Machine) sendInform(now clock.Instant) {
	m.secs = uint16(min(now.Sub(m.began)/time.Second, math.MaxUint16))
	msg := m.query(Inform)
	// "The client places its own network address in the 'ciaddr' field."
	msg.ClientAddr = m.information
	m.send(msg, m.information, broadcastAddr)
	m.backOff(now)
}

// sendDecline tells the server that another station has its address.
//
// RFC 2131, 4.4.4: "Because the client is declining the use of the IP address supplied by the server, the client broadcasts
// DHCPDECLINE messages."
func (m *Machine) sendDecline(now clock.Instant, reason string) {
	m.xid = m.random32()
	msg := m.message(Decline)
	msg.Options.SetAddrs(OptRequestedAddr, m.lease.Address.Addr())
	msg.Options.SetAddrs(OptServerID, m.lease.Server)
	msg.Options.Set(OptMessage, []byte(reason)...)
	m.send(msg, netip.Addr{}, broadcastAddr)
}

// sendRelease gives the lease back.
//
// RFC 2131, 4.4.4: "The client unicasts DHCPRELEASE messages to the server."
func (m *Machine) sendRelease(now clock.Instant) {
	m.xid = m.random32()
	msg := m.message(Release)
	msg.ClientAddr = m.lease.Address.Addr()
	msg.Options.SetAddrs(OptServerID, m.lease.Server)
	m.send(msg, msg.ClientAddr, m.lease.Server)
}
