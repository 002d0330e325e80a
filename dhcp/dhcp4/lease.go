package dhcp4

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"strings"
	"time"
)

// Lease is what a server gave: an address for a time, and what it told beside. It can be stored as JSON, to ask for the same
// address again later.
type Lease struct {
	// Address is the address with the length of its subnet's mask; the zero Prefix if there was no lease, but information only
	// (DHCPINFORM).
	Address netip.Prefix
	Server  netip.Addr // whom to ask for renewal

	Acquired         time.Time     // when it was asked for, from which the times count
	Duration, T1, T2 time.Duration // Forever: it does not end; when to renew from its server, and from any

	Routes      []Route      `json:",omitempty"`
	MTU         int          `json:",omitempty"` // octets; 0: nothing was said
	NameServers []netip.Addr `json:",omitempty"`
	Search      []string     `json:",omitempty"` // domains to look names up in: option 119, or 15 alone
	Domain      string       `json:",omitempty"`
	HostName    string       `json:",omitempty"`
	NTPServers  []netip.Addr `json:",omitempty"`

	Options Options `json:",omitempty"` // all that came, for what is not above
}

// newLease reads what a DHCPOFFER or DHCPACK gives; bad is how many options are malformed that it can do without. Errors name
// what a lease cannot be without.
func newLease(m *Message) (l *Lease, bad int, err error) {
	l, bad = newInformation(m)
	if l.Address, err = leased(m); err != nil {
		return nil, 0, err
	}
	// RFC 2131, table 3: IP address lease time: MUST.
	var ok bool
	if l.Duration, ok = m.Options.Seconds(OptLeaseTime); !ok || l.Duration == 0 {
		return nil, 0, malformed("no lease time")
	}
	l.T1, _ = m.Options.Seconds(OptRenewalTime)
	l.T2, _ = m.Options.Seconds(OptRebindingTime)
	l.completeTimes()
	return l, bad, nil
}

// completeTimes puts T1 and T2 in order.
//
// RFC 2131, 4.4.5: "T1 MUST be earlier than T2, which, in turn, MUST be earlier than the time at which the client's lease will
// expire." "T1 defaults to (0.5 * duration_of_lease). T2 defaults to (0.875 * duration_of_lease)."
func (l *Lease) completeTimes() {
	if l.Duration == Forever {
		l.T1, l.T2 = Forever, Forever
		return
	}
	if l.T2 <= 0 || l.T2 >= l.Duration {
		l.T2 = l.Duration / 8 * 7
	}
	if l.T1 <= 0 || l.T1 >= l.T2 {
		l.T1 = l.T2 / 7 * 4
	}
}

// leased returns the address that m gives, with its prefix length.
func leased(m *Message) (netip.Prefix, error) {
	a := m.YourAddr
	if !isHost(a) {
		return netip.Prefix{}, malformed("yiaddr %v", a)
	}
	length := classBits(a)
	if v, found := m.Options.Get(OptSubnetMask); found {
		if len(v) != 4 {
			return netip.Prefix{}, malformed("subnet mask %x", v)
		}
		mask := binary.BigEndian.Uint32(v)
		if length = bits.LeadingZeros32(^mask); mask<<length != 0 || length == 0 {
			return netip.Prefix{}, malformed("subnet mask %x", v)
		}
	}
	p := netip.PrefixFrom(a, length)
	host := ^uint32(0) >> length
	v := a.As4()
	if own := binary.BigEndian.Uint32(v[:]) & host; length < 31 && (own == 0 || own == host) {
		return netip.Prefix{}, malformed("%v is the address of its subnet, or of all in it", p)
	}
	return p, nil
}

// minMTU is the least that option 26 may say.
//
// RFC 2132, 5.1: "The minimum legal value for the MTU is 68."
const minMTU = 68

// newInformation reads what a message tells beside an address.
func newInformation(m *Message) (l *Lease, bad int) {
	o := m.Options
	l = &Lease{Options: o}
	l.Server, _ = m.ServerID()
	l.Routes, bad = routesOf(o)
	check := func(code uint8, ok bool) bool {
		_, found := o.Get(code)
		if found && !ok {
			bad++
		}
		return found && ok
	}
	if v, _ := o.Get(OptInterfaceMTU); check(OptInterfaceMTU, len(v) == 2 && binary.BigEndian.Uint16(v) >= minMTU) {
		l.MTU = int(binary.BigEndian.Uint16(v))
	}
	servers, ok := o.Addrs(OptNameServers)
	check(OptNameServers, ok)
	l.NameServers = hosts(servers)
	servers, ok = o.Addrs(OptNTPServers)
	check(OptNTPServers, ok)
	l.NTPServers = hosts(servers)
	if s := o.name(OptDomainName); check(OptDomainName, s != "") {
		l.Domain, l.Search = s, []string{s}
	}
	if s := o.name(OptHostName); check(OptHostName, s != "") {
		l.HostName = s
	}
	if v, found := o.Get(OptDomainSearch); found {
		if all, ok := domains(v); check(OptDomainSearch, ok) {
			l.Search = all
		}
	}
	return l, bad
}

// name returns the name that an option has; "" if it has none, or what is no name.
//
// RFC 2132, 2: "Options containing NVT ASCII data SHOULD NOT include a trailing NULL; however, the receiver of such options MUST
// be prepared to delete trailing nulls if they exist."
func (o Options) name(code uint8) string {
	v, _ := o.Get(code)
	s := strings.TrimSuffix(strings.TrimRight(string(v), "\x00"), ".")
	if !IsName(s) {
		return ""
	}
	return s
}

// hosts returns those of the addresses that stations can have.
func hosts(addrs []netip.Addr) (all []netip.Addr) {
	for _, a := range addrs {
		if isHost(a) {
			all = append(all, a)
		}
	}
	return all
}
