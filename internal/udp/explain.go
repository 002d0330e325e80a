package udp

import "github.com/onlink-go/onlink/internal/flow"

// Takers returns the sockets that a datagram from from to to gets to that comes in by the interface in: one, or with group
// all of a group's.
func (u *Layer) Takers(from, to flow.Endpoint, in int32, group bool) (all []*Socket) {
	apart := u.ip.Apart(in)
	if !group {
		if s := u.table.find(to.Addr, from.Addr, to.Port, from.Port, flow.ScopeOf(from.Addr, in), in, apart); s != nil {
			all = append(all, s)
		}
		return all
	}
	for _, s := range u.table.On(to.Port) {
		if s.Match(to.Addr, from.Addr, from.Port, uint32(in), in, apart) >= 0 {
			all = append(all, s)
		}
	}
	return all
}
