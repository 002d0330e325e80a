package onlink

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/mcast"
	"github.com/onlink-go/onlink/internal/udp"
	"github.com/onlink-go/onlink/wire"
)

// ListenMulticastUDP makes a UDP socket that hears what is sent to the group and port of gaddr, in the manner of
// [net.ListenMulticastUDP]: it is bound to gaddr, may share that with others, joins the group on ifi (nil: the interface that
// a route to the group leads to, else the first), sends to groups by it, and does not hear its own datagrams. network is
// "udp", "udp4" or "udp6".
func (s *Stack) ListenMulticastUDP(network string, ifi *Interface, gaddr *net.UDPAddr) (*UDPConn, error) {
	fail := func(err error) (*UDPConn, error) { return nil, opError("listen", network, nil, gaddr, err) }
	if gaddr == nil || !gaddr.AddrPort().Addr().IsMulticast() && !gaddr.AddrPort().Addr().Unmap().IsMulticast() {
		return fail(syscall.EINVAL)
	}
	group := gaddr.AddrPort().Addr().Unmap()
	local, n, err := s.bindGroup(network, ifi, netip.AddrPortFrom(group, gaddr.AddrPort().Port()))
	if err != nil {
		return fail(err)
	}
	family := flow.Only6
	if local.Addr.Is4() {
		family = flow.Only4
	}
	u, err := s.udp().Open(udp.Config{Sharing: udp.ReuseAddr, Config: dgram.Config{Bound: flow.Bound{Local: local, Family: family}}})
	if err != nil {
		return fail(err)
	}
	send := dgram.GroupSending{Interface: n, NoLoop: true}
	if ifi == nil {
		send.Interface = 0
	}
	err = u.SetGroupSending(local.Addr.Is4(), send)
	if err == nil {
		err = u.Join(n, local.Addr, mcast.All)
	}
	if err != nil {
		u.Close()
		return fail(err)
	}
	return s.newUDPConn(u), nil
}

// bindGroup works out what a socket that hears a group is bound to, and the interface.
func (s *Stack) bindGroup(name string, ifi *Interface, group netip.AddrPort) (flow.Endpoint, int32, error) {
	n, err := parseNetwork(name)
	if err != nil || n.transport != "udp" {
		return flow.Endpoint{}, 0, net.UnknownNetworkError(name)
	}
	if !n.allows(group.Addr()) {
		return flow.Endpoint{}, 0, &net.AddrError{Err: "not an address of network " + name, Addr: group.Addr().String()}
	}
	local, err := s.endpoint(group)
	if err != nil {
		return local, 0, err
	}
	index := int32(local.Scope)
	switch {
	case ifi != nil:
		index = ifi.i.Index
	case index == 0:
		if index, err = s.ip.GroupInterface(local.Addr); err != nil {
			return local, 0, err
		}
	}
	local.Scope = flow.ScopeOf(local.Addr, index)
	return local, index, nil
}

// groupOn converts what the methods below take; a nil interface is index 0, or that of the group's zone.
func (c *datagramConn) groupOn(ifi *Interface, group netip.Addr) (int32, wire.Addr, error) {
	e, err := c.stack.endpoint(netip.AddrPortFrom(group.Unmap(), 0))
	if ifi != nil {
		return ifi.i.Index, e.Addr, err
	}
	return int32(e.Scope), e.Addr, err
}

// JoinGroup has the socket hear a multicast group on an interface, from every source. A nil interface is the one that a route to
// the group leads to, else the first. Datagrams come in for the port and address that the socket is bound to; a socket that
// is bound to no address hears, as with Linux, also the groups that others in the stack have joined, unless SetHearAll(false).
//
// Errors, of this and the methods below: EINVAL for a group that is none, ENODEV, EADDRINUSE for one that the socket joined
// already, EADDRNOTAVAIL for one that it did not, or a source that is not on the list or is already, ENOBUFS for too many
// (Sysctl net.ipv4.igmp_max_memberships, net.ipv4.igmp_max_msf, net.ipv6.mld_max_msf).
func (c *datagramConn) JoinGroup(ifi *Interface, group netip.Addr) error {
	index, g, err := c.groupOn(ifi, group)
	if err == nil {
		err = c.sock.Join(index, g, mcast.All)
	}
	return c.err("join", err)
}

// LeaveGroup ends JoinGroup and JoinSourceGroup, whatever sources there are.
func (c *datagramConn) LeaveGroup(ifi *Interface, group netip.Addr) error {
	index, g, err := c.groupOn(ifi, group)
	if err == nil {
		err = c.sock.Leave(index, g)
	}
	return c.err("leave", err)
}

// JoinSourceGroup has the socket hear a group from a source only, and from those of further calls (RFC 4607). One that hears all
// sources must leave the group first, else EINVAL.
func (c *datagramConn) JoinSourceGroup(ifi *Interface, group, source netip.Addr) error {
	index, g, err := c.groupOn(ifi, group)
	if err != nil {
		return c.err("join", err)
	}
	src := wire.AddrFrom(source.Unmap())
	err = c.sock.Join(index, g, mcast.NewFilter(mcast.Include, src))
	if err == syscall.EADDRINUSE {
		if f, ferr := c.sock.Filter(index, g); ferr == nil && f.Mode == mcast.Exclude {
			return c.err("join", syscall.EINVAL)
		}
		err = c.sock.AddSource(index, g, src, mcast.Include)
	}
	return c.err("join", err)
}

// LeaveSourceGroup takes a source off that list; with the last the group is left.
func (c *datagramConn) LeaveSourceGroup(ifi *Interface, group, source netip.Addr) error {
	return c.changeSource("leave", ifi, group, source, mcast.Include, c.sock.RemoveSource)
}

// BlockSource has a socket that hears all sources of a group hear one of them no longer.
func (c *datagramConn) BlockSource(ifi *Interface, group, source netip.Addr) error {
	return c.changeSource("block", ifi, group, source, mcast.Exclude, c.sock.AddSource)
}

// UnblockSource ends BlockSource.
func (c *datagramConn) UnblockSource(ifi *Interface, group, source netip.Addr) error {
	return c.changeSource("unblock", ifi, group, source, mcast.Exclude, c.sock.RemoveSource)
}

func (c *datagramConn) changeSource(op string, ifi *Interface, group, source netip.Addr, m mcast.Mode,
	change func(int32, wire.Addr, wire.Addr, mcast.Mode) error) error {
	index, g, err := c.groupOn(ifi, group)
	if err == nil {
		err = change(index, g, wire.AddrFrom(source.Unmap()), m)
	}
	return c.err(op, err)
}

// setGroupSending changes how the socket sends to groups of both families.
func (c *datagramConn) setGroupSending(f func(*dgram.GroupSending)) error {
	for _, four := range [...]bool{true, false} {
		g := c.sock.GroupSending(four)
		f(&g)
		if err := c.sock.SetGroupSending(four, g); err != nil {
			return c.err("set", err)
		}
	}
	return nil
}

// SetMulticastInterface chooses the interface that datagrams to groups leave by; nil: as the routes say.
func (c *datagramConn) SetMulticastInterface(ifi *Interface) error {
	return c.setGroupSending(func(g *dgram.GroupSending) {
		g.Interface = 0
		if ifi != nil {
			g.Interface = ifi.i.Index
		}
	})
}

// SetMulticastHopLimit sets the TTL or hop limit of datagrams to groups, which is 1 at first; 0: they do not leave the host.
func (c *datagramConn) SetMulticastHopLimit(n uint8) error {
	return c.setGroupSending(func(g *dgram.GroupSending) { g.HopLimit = dgram.Hops(n) })
}

// SetMulticastLoopback says whether members in this stack hear the socket's datagrams: they do at first.
func (c *datagramConn) SetMulticastLoopback(on bool) error {
	return c.setGroupSending(func(g *dgram.GroupSending) { g.NoLoop = !on })
}

// SetHearAll says whether the socket hears groups that it did not join but others did: it does at first, as with Linux.
func (c *datagramConn) SetHearAll(all bool) error {
	if err := c.sock.SetHearAll(true, all); err != nil {
		return c.err("set", err)
	}
	return c.err("set", c.sock.SetHearAll(false, all))
}

// JoinGroup has the interface receive a multicast group, for others than sockets; leave ends that. Errors: EINVAL for a group that
// is none, EAFNOSUPPORT for IPv6 on an interface without it, ENODEV.
func (i *Interface) JoinGroup(group netip.Addr) (leave func(), err error) {
	m, err := i.stack.ip.Join(i.i.Index, wire.AddrFrom(group.Unmap()), mcast.All)
	if err != nil {
		return nil, fmt.Errorf("onlink: %w", err)
	}
	return m.Leave, nil
}

// GroupState is a multicast group on an interface, as ip maddr, /proc/net/igmp and /proc/net/mcfilter have it.
type GroupState struct {
	Interface string
	Group     netip.Addr
	Users     int          // sockets and others that joined it; 0: the interface needs it itself
	Exclude   bool         // all sources are heard but Sources, else only these
	Sources   []netip.Addr // in ascending order
	Protocol  string       // in which the link is told: IGMPv1, IGMPv2, IGMPv3, MLDv1, MLDv2
}

// String writes the group as ip maddr does, with its sources.
func (g GroupState) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\t%v users %d %s", g.Interface, g.Group, g.Users, g.Protocol)
	if len(g.Sources) > 0 {
		fmt.Fprintf(&b, " %v%v", map[bool]string{true: "exclude ", false: "include "}[g.Exclude], g.Sources)
	}
	return b.String()
}

// groups lists the multicast groups that the stack receives.
func (s *Stack) groups() (all []GroupState) {
	for _, g := range s.ip.Groups() {
		all = append(all, newGroupState(&g))
	}
	return all
}

func newGroupState(g *ip.GroupInfo) GroupState {
	state := GroupState{Interface: g.Interface.Name, Group: g.Group.Netip(), Users: g.Users,
		Exclude: g.Filter.Mode == mcast.Exclude, Protocol: fmt.Sprintf("MLDv%d", g.Version-1)}
	if g.Group.Is4() {
		state.Protocol = fmt.Sprintf("IGMPv%d", g.Version)
	}
	for _, src := range g.Filter.Sources {
		state.Sources = append(state.Sources, src.Netip())
	}
	return state
}
