package dhcp4

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// PoolConfig is what a server gives. Server, First and Last must be given, or Server and Reserved.
type PoolConfig struct {
	// Server is the server's own address, by which clients know it, with the length of the subnet.
	Server netip.Prefix
	// First to Last are the addresses to give, of that subnet.
	First, Last netip.Addr
	// Reserved are addresses for certain stations.
	Reserved map[wire.MAC]netip.Addr

	// Parameters is what clients are given beside an address: Duration (0: an hour; at most that, if a client asks for less), T1 and
	// T2 (0: half and seven eighths of it), Routes, MTU, NameServers, Search, Domain and NTPServers. Its Options are given to
	// clients as they are; the other fields are not used.
	Parameters Lease

	// Shy is for a link with other servers: requests for addresses that this one knows nothing of go without an answer. Otherwise
	// they are refused, so that clients from elsewhere soon have an address of here.
	Shy bool
}

// Pool is a DHCP server without the network: a machine like Machine. Arrive takes what came to the server's port, and returns the
// answer.
type Pool struct {
	cfg      PoolConfig
	byClient map[string]*Lent
	byAddr   map[netip.Addr]*Lent
}

// Lent is an address that a server has given, or keeps for a client that had it.
type Lent struct {
	Address  netip.Addr
	Client   wire.MAC
	HostName string
	State    LentState
	Until    clock.Instant // when it ends; clock.Never: it does not
	client   string        // its identifier
}

// LentState is where an address stands.
type LentState uint8

// The states. An address that was released, or whose time is over, is kept for its client while there are others.
const (
	Offered LentState = iota
	Leased
	Released
	Declined // another station has it: nobody gets it for a while
)

// String returns the state in a word.
func (s LentState) String() string {
	return [...]string{"offered", "leased", "released", "declined"}[s]
}

const (
	offerTime   = time.Minute      // for which an offer is kept
	declineTime = 10 * time.Minute // for which a declined address is given to nobody
	defaultTime = time.Hour
)

// NewPool returns a server that has given nothing yet. Errors name the field of cfg that is wrong.
func NewPool(cfg PoolConfig) (*Pool, error) {
	bad := func(field string, v any) (*Pool, error) {
		return nil, fmt.Errorf("dhcp4: PoolConfig.%s is %v: not an address that can be given in %v", field, v, cfg.Server.Masked())
	}
	if !cfg.Server.IsValid() || !isHost(cfg.Server.Addr()) {
		return nil, fmt.Errorf("dhcp4: PoolConfig.Server is %v: not an IPv4 address with its prefix length", cfg.Server)
	}
	p := &Pool{cfg: cfg, byClient: map[string]*Lent{}, byAddr: map[netip.Addr]*Lent{}}
	switch {
	case !cfg.First.IsValid() && !cfg.Last.IsValid() && len(cfg.Reserved) > 0:
	case !p.within(cfg.First):
		return bad("First", cfg.First)
	case !p.within(cfg.Last) || cfg.Last.Less(cfg.First):
		return bad("Last", cfg.Last)
	}
	for mac, a := range cfg.Reserved { //lint:deterministic because any one that is wrong is named
		if !p.within(a) {
			return bad("Reserved["+mac.String()+"]", a)
		}
	}
	if p.cfg.Parameters.Duration == 0 {
		p.cfg.Parameters.Duration = defaultTime
	}
	if p.cfg.Parameters.Duration < time.Second {
		return nil, fmt.Errorf("dhcp4: PoolConfig.Parameters.Duration is %v: less than a second", cfg.Parameters.Duration)
	}
	return p, nil
}

// within reports whether a is an address of the subnet that a station other than the server can have.
func (p *Pool) within(a netip.Addr) bool {
	if !a.Is4() || !p.cfg.Server.Contains(a) || a == p.cfg.Server.Addr() {
		return false
	}
	_, err := leased(&Message{YourAddr: a, Options: Options{{OptSubnetMask, maskOctets(p.cfg.Server.Bits())}}})
	return err == nil
}

// maskOctets returns the mask of a prefix length.
func maskOctets(bits int) []byte {
	m := ^uint32(0) << (32 - bits)
	return []byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}
}

// Lent returns what the server has given or keeps, by address.
func (p *Pool) Lent() []Lent {
	var all []Lent
	for _, l := range p.byAddr { //lint:deterministic because the order is made below
		all = append(all, *l)
	}
	slices.SortFunc(all, func(a, b Lent) int { return a.Address.Compare(b.Address) })
	return all
}

// isReserved reports whether a is some station's for ever.
func (p *Pool) isReserved(a netip.Addr) bool {
	for _, r := range p.cfg.Reserved { //lint:deterministic because it makes no difference which comes first
		if r == a {
			return true
		}
	}
	return false
}

// choose returns the address to offer to a client; ok false if there is none.
//
// RFC 2131, 4.3.1: "the new address SHOULD be chosen as follows: The client's current address as recorded in the client's current
// binding, ELSE The client's previous address as recorded in the client's (now expired or released) binding, if that address is in the
// server's pool of available addresses and not already allocated, ELSE The address requested in the 'Requested IP Address' option, if
// that address is valid and not already allocated, ELSE A new address allocated from the server's pool of available addresses".
func (p *Pool) choose(now clock.Instant, m *Message) (a netip.Addr, ok bool) {
	if a, found := p.cfg.Reserved[m.HardwareAddr]; found {
		l := p.byAddr[a]
		return a, l == nil || l.State != Declined || l.Until <= now
	}
	key := clientKey(m)
	if l := p.byClient[key]; l != nil && p.gives(l.Address) {
		return l.Address, true
	}
	if a, found := m.Options.Addr(OptRequestedAddr); found && p.gives(a) && p.free(now, a, key) {
		return a, true
	}
	var oldest *Lent // of those whose time is over: nobody's address is given away while there are others
	for a := p.cfg.First; a.IsValid() && !p.cfg.Last.Less(a); a = a.Next() {
		l := p.byAddr[a]
		switch {
		case !p.gives(a) || !p.free(now, a, key):
		case l == nil:
			return a, true
		case oldest == nil || l.Until < oldest.Until:
			oldest = l
		}
	}
	if oldest == nil {
		return a, false
	}
	return oldest.Address, true
}

// gives reports whether a is one of those that anybody may get.
func (p *Pool) gives(a netip.Addr) bool {
	return p.cfg.First.IsValid() && !a.Less(p.cfg.First) && !p.cfg.Last.Less(a) && p.within(a) && !p.isReserved(a)
}

// free reports whether the client may have a, as far as others are concerned.
func (p *Pool) free(now clock.Instant, a netip.Addr, client string) bool {
	l := p.byAddr[a]
	return l == nil || l.client == client || l.Until <= now
}

// lend notes that a client has an address, and no other.
func (p *Pool) lend(m *Message, a netip.Addr, s LentState, until clock.Instant) {
	key := clientKey(m)
	if l := p.byClient[key]; l != nil {
		delete(p.byAddr, l.Address)
	}
	if l := p.byAddr[a]; l != nil {
		delete(p.byClient, l.client)
	}
	l := &Lent{Address: a, Client: m.HardwareAddr, HostName: m.Options.name(OptHostName), State: s, Until: until, client: key}
	p.byClient[key], p.byAddr[a] = l, l
}

// clientKey returns what a client is known by.
//
// RFC 2131, 4.2: "If the client supplies a 'client identifier', the client MUST use the same 'client identifier' in all subsequent
// messages, and the server MUST use that identifier to identify the client. If the client does not provide a 'client identifier' option,
// the server MUST use the contents of the 'chaddr' field to identify the client."
func clientKey(m *Message) string {
	if id, found := m.Options.Get(OptClientID); found && len(id) > 0 {
		return "id " + string(id)
	}
	return "mac " + string(m.HardwareAddr[:])
}
