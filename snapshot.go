package onlink

import (
	"net/netip"

	"github.com/onlink-go/onlink/mib"
)

// Snapshot is the state of a stack at one moment, as data.
type Snapshot struct {
	Interfaces []InterfaceState
	Sockets    []SocketState
	Counters   mib.Values // summed over all owners
}

// InterfaceState is an interface and its addresses.
type InterfaceState struct {
	Name      string
	Index     int
	Up        bool
	MTU       int
	Addresses []AddressState
}

// AddressState is an address and where it stands.
type AddressState struct {
	Prefix netip.Prefix
	State  string // "tentative", "preferred", "deprecated", "duplicate"
}

// Snapshot returns the stack's state.
func (s *Stack) Snapshot() *Snapshot {
	snap := &Snapshot{}
	for _, i := range s.ip.Snapshot().Interfaces {
		state := InterfaceState{Name: i.Name, Index: int(i.Index), Up: i.Up, MTU: i.MTU}
		for _, a := range i.Addrs {
			state.Addresses = append(state.Addresses, AddressState{a.Prefix(), a.State.String()})
		}
		snap.Interfaces = append(snap.Interfaces, state)
	}
	snap.Sockets = s.sockets()
	for _, sh := range s.shards {
		sh.Counters.AddTo(&snap.Counters)
	}
	s.ip.AddCounters(&snap.Counters)
	return snap
}
