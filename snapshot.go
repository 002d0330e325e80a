package onlink

import (
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// Snapshot is the state of a stack at one moment, as data. It can be encoded as JSON, and so published for whoever watches the
// program: expvar.Publish("onlink", expvar.Func(func() any { return stack.Snapshot() })).
type Snapshot struct {
	Interfaces []InterfaceState
	Sockets    []SocketState
	Groups     []GroupState // multicast groups, by interface and address
	Routes     []Route      // as Stack.Routes
	Rules      []Rule       // as Stack.Rules
	Gateways   []GatewayState
	Neighbors  []Neighbor    // as Stack.Neighbors
	Policy     []PolicyEntry // as Stack.Policy
	Hosts      []HostState   // what TCP remembers of others, the latest used first
	Counters   mib.Values    // summed over all owners

	NameServers   []NameServer   // as Stack.NameServers
	SearchDomains []SearchDomain // as Stack.SearchDomains
}

// InterfaceState is an interface and its addresses.
type InterfaceState struct {
	Name      string
	Index     int
	Up        bool     // it was not taken down, and its link has a carrier
	Down      bool     // it was taken down
	MTU       int      // octets of the largest packet
	LinkAddr  wire.MAC // zero: its link has no link-layer addresses
	VRF       int      // number of the routing table of its own; 0: it is in no VRF
	Loopback  bool
	NoIPv6    bool // it does not speak IPv6
	Addresses []AddressState
	Learned   LearnedState

	Received, Sent LinkStats // since it was made

	Advertising *AdvertisingState // nil: it advertises nothing
	Proxies     []netip.Addr      // of other stations, that it answers for while it forwards
}

// AddressState is an address and where it stands.
type AddressState struct {
	Prefix netip.Prefix
	State  string // "tentative", "preferred", "deprecated", "duplicate"
	Origin string // "static", "link-local", "slaac", "dhcp"

	Temporary, Optimistic, Anycast, NoDAD, NoPrefixRoute bool // as AddressOptions has them

	Valid, Preferred time.Duration // what remains of the lifetimes; Forever
}

// HostState is what TCP has learned of the way to another host, for connections to come (RFC 9040). Zero fields are not
// known.
type HostState struct {
	Local, Remote netip.Addr
	Age           time.Duration // since a connection last added to it
	RTT, RTTVar   time.Duration
	SSThresh      int    // slow start threshold, in segments
	Reordering    int    // in segments
	MSS           int    // that the host announced, in octets, with the cookie
	FastOpen      []byte // its Fast Open cookie (RFC 7413); empty: none
}

// FlushHosts forgets what Snapshot shows as Hosts.
func (s *Stack) FlushHosts() { s.tcp.FlushHosts() }

func (s *Stack) hosts() (all []HostState) {
	for _, h := range s.tcp.Hosts() {
		state := HostState{Local: s.addrPort(h.Local).Addr(), Remote: s.addrPort(h.Remote).Addr(), Age: h.Age, RTT: h.RTT,
			RTTVar: h.RTTVar, SSThresh: h.SSThresh, Reordering: h.Reordering, MSS: int(h.MSS)}
		if h.Cookie.Present {
			state.FastOpen = h.Cookie.Cookie[:h.Cookie.Len]
		}
		all = append(all, state)
	}
	return all
}

// Snapshot returns the stack's state.
func (s *Stack) Snapshot() *Snapshot {
	snap := &Snapshot{}
	for _, i := range s.ip.Snapshot().Interfaces {
		snap.Interfaces = append(snap.Interfaces, s.interfaceState(i))
	}
	snap.Neighbors, snap.Policy = s.Neighbors(), s.Policy()
	snap.Sockets = s.sockets()
	snap.Routes, snap.Rules, snap.Gateways = s.Routes(), s.Rules(), s.gateways()
	for _, sh := range s.shards {
		sh.Counters.AddTo(&snap.Counters)
	}
	s.ip.AddCounters(&snap.Counters)
	snap.Hosts = s.hosts()
	snap.Groups = s.groups()
	snap.NameServers, snap.SearchDomains = s.naming()
	return snap
}
