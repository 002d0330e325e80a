package onlink

import (
	"net/netip"

	"github.com/onlink-go/onlink/internal/netif"
)

// SetUp takes the interface up or down, as ip link set does. One that is down neither receives nor sends: no route leads
// through it, programs get ENETUNREACH, or ENETDOWN if they ask for this interface. It forgets its neighbors, what routers
// told and the addresses it made of that; configured addresses and routes stay, and connections wait. When it comes up, IPv6
// addresses go through duplicate address detection again, routers are asked for, and groups are reported. An interface is
// up at first. Errors: ENODEV, EINVAL for "lo".
func (i *Interface) SetUp(up bool) error { return i.stack.ip.SetUp(i.i.Index, up) }

// SetMTU makes mtu the octets of the largest packet that the interface sends; 0: what its link takes. Below 1280 octets it
// speaks no IPv6 (RFC 8200, 5), and its IPv6 addresses go. Errors: ENODEV, EINVAL for less than 68 octets or more than the
// link takes.
func (i *Interface) SetMTU(mtu int) error { return i.stack.ip.SetMTU(i.i.Index, mtu) }

// State returns the interface as it is now; a zero InterfaceState if it was removed.
func (i *Interface) State() InterfaceState {
	if now := i.stack.ip.Snapshot().Interface(i.i.Index); now != nil {
		return i.stack.interfaceState(now)
	}
	return InterfaceState{}
}

// ChangeAddress gives an address other lifetimes, and says anew whether it is Temporary and has NoPrefixRoute; the other
// options are not looked at. On an address that was made of a Router Advertisement this lasts until the next one. Errors:
// ENODEV, EADDRNOTAVAIL if the interface does not have the address.
func (i *Interface) ChangeAddress(a netip.Addr, opt AddressOptions) error {
	return i.stack.ip.ChangeAddress(i.i.Index, a, netif.AddressOptions{Temporary: opt.Temporary,
		NoPrefixRoute: opt.NoPrefixRoute, Valid: opt.Valid, Preferred: opt.Preferred})
}

// Interfaces returns the stack's interfaces, "lo" first, then as they were added.
func (s *Stack) Interfaces() (all []*Interface) {
	for _, i := range s.ip.Snapshot().Interfaces {
		all = append(all, &Interface{s, i})
	}
	return all
}

// Interface returns the interface of the given name, or nil.
func (s *Stack) Interface(name string) *Interface {
	for _, i := range s.ip.Snapshot().Interfaces {
		if i.Name == name {
			return &Interface{s, i}
		}
	}
	return nil
}

// interfaceState describes i.
func (s *Stack) interfaceState(i *netif.Interface) InterfaceState {
	state := newInterfaceState(i)
	now := s.rt.Now()
	for k := range i.Addrs {
		state.Addresses = append(state.Addresses, addressState(now, &i.Addrs[k]))
	}
	state.Learned = s.learned(now, i)
	if in, out, err := s.ip.LinkStats(i.Index); err == nil { // else it was removed meanwhile
		state.Received, state.Sent = LinkStats(in), LinkStats(out)
	}
	state.Advertising = s.advertising(now, i.Index, i.Name)
	state.Proxies = s.proxies(i.Index)
	return state
}

// newInterfaceState is interfaceState without what is on the interface, and of what it learned with that alone which there is a
// change of the interface for.
func newInterfaceState(i *netif.Interface) InterfaceState {
	return InterfaceState{Name: i.Name, Index: int(i.Index), Up: i.Up, Down: i.Down, MTU: i.MTU, LinkAddr: i.LinkAddr,
		VRF: int(i.VRF), Loopback: i.Loopback, NoIPv6: i.NoIPv6,
		Learned: LearnedState{Managed: i.Managed, Other: i.Other}}
}

// LinkStats counts the frames that an interface received or sent, as RFC 2863 does.
type LinkStats struct {
	Frames    uint64
	Octets    uint64 // with their link headers
	Multicast uint64 // received for a group, or for all
	Errors    uint64 // frames shorter than their header, or that the link failed to send
	Discarded uint64 // frames for others or of an unknown type, or that found no room in the queue
}

// Stats returns what the interface has received and sent; zeros if it was removed.
func (i *Interface) Stats() (received, sent LinkStats) {
	in, out, err := i.stack.ip.LinkStats(i.i.Index)
	if err != nil {
		return LinkStats{}, LinkStats{}
	}
	return LinkStats(in), LinkStats(out)
}
