package onlink

import (
	"net/netip"
	"strings"

	"github.com/onlink-go/onlink/internal/neigh"
	"github.com/onlink-go/onlink/wire"
)

// Neighbor is a station on an interface's link, and what is known of it (RFC 4861, 5.1; for IPv4, what ARP found).
type Neighbor struct {
	Addr      netip.Addr
	Interface string
	LinkAddr  wire.MAC // zero: not known
	State     string   // of RFC 4861, 7.3.2: "INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE"; "PERMANENT", "FAILED"
	Router    bool     // it says that it is one
}

// String writes the neighbor as ip-neighbour(8) does: "192.0.2.2 dev eth0 lladdr 02:00:00:00:00:02 REACHABLE".
func (n Neighbor) String() string {
	var b strings.Builder
	b.WriteString(n.Addr.String() + " dev " + n.Interface)
	if n.LinkAddr != (wire.MAC{}) {
		b.WriteString(" lladdr " + n.LinkAddr.String())
	}
	if n.Router {
		b.WriteString(" router")
	}
	return b.String() + " " + n.State
}

func newNeighbor(on string, e neigh.Info) Neighbor {
	return Neighbor{Addr: e.Addr.Netip(), Interface: on, LinkAddr: e.MAC, State: e.State.String(), Router: e.Router}
}

// Neighbors lists the neighbors on all links, by interface and address.
func (s *Stack) Neighbors() (all []Neighbor) {
	for _, i := range s.ip.Snapshot().Interfaces {
		list, err := s.ip.Neighbors(i.Index)
		if err != nil {
			continue // removed meanwhile
		}
		for _, e := range list {
			all = append(all, newNeighbor(i.Name, e))
		}
	}
	return all
}

// SetNeighbor makes mac the link-layer address of the neighbor a, whatever is heard: its state is PERMANENT. That lasts until
// RemoveNeighbor, or until the interface is taken down. Errors name what is wrong; errors.Is finds EINVAL for an address
// that is not a station's, EOPNOTSUPP where the link has no link-layer addresses, EAFNOSUPPORT, ENETDOWN, ENODEV.
func (i *Interface) SetNeighbor(a netip.Addr, mac wire.MAC) error {
	return i.stack.ip.SetNeighbor(i.i.Index, a, mac)
}

// RemoveNeighbor forgets the neighbor a, however it became known. Packets that wait for its link-layer address are dropped.
// Errors: ENOENT if it is not known, EOPNOTSUPP, ENODEV.
func (i *Interface) RemoveNeighbor(a netip.Addr) error {
	return i.stack.ip.RemoveNeighbor(i.i.Index, a)
}

// FlushNeighbors forgets all neighbors but those of SetNeighbor. Errors: ENODEV.
func (i *Interface) FlushNeighbors() error { return i.stack.ip.FlushNeighbors(i.i.Index) }
