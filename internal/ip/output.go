package ip

import (
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// A packet's way out, the same for IPv4 and IPv6:
//
//  1. The socket call: a program writes.                                              root package
//  2. The transport makes a segment or datagram of it.                                tcp, udp, icmp
//  3. Check the destination: unspecified fails, a link-local one needs a link.        dest.go
//  4. Choose the source address, unless it is given (RFC 6724, 5).                    source.go, addrsel
//  5. To ourselves? Then into our own receive queue.                                  loopback.go
//  6. Choose the interface by the source, unless the sender is pinned to one.         nexthop.go
//  7. Find the next hop by the longest prefix (RFC 4861, 5.2).                        nexthop.go, route
//  8. Find its link-layer address, or solicit it and queue; failure tells the socket. neighbor.go, neigh
//  9. Encapsulate, queue, send.                                                       header.go, transmit.go, egress.go
//
// Route is steps 3 to 8, as far as they can be taken without a packet: their result is a Path, which a connected
// socket keeps and, while Valid holds, goes on to step 9 with. Output is step 9 as far as it can be taken under the
// lock of a flow's shard. transmit, called without any lock, is the rest; there step 8 ends for packets whose next
// hop was not resolved.

// Route decides how packets get to q.Dst. The errors are ErrTentative, or a syscall.Errno: EINVAL for a destination that
// cannot be sent to, EAFNOSUPPORT for a source of the other family, ENODEV and ENETDOWN about the interface asked
// for, EADDRNOTAVAIL about the source, ENETUNREACH without a route.
func (l *Layer) Route(now clock.Instant, q Query) (*Path, error) {
	p := new(Path)
	if err := l.RouteInto(now, &q, p); err != nil {
		return nil, err
	}
	return p, nil
}

// RouteInto is Route into p, for those who send to many destinations one after the other. On error p is not valid.
func (l *Layer) RouteInto(now clock.Instant, q *Query, p *Path) error {
	// The generation is read first: if anything changes from here on, p is not valid from the beginning.
	generation := l.generation.Load()
	w := way{l: l, s: l.snap.Load(), now: now, flow: q.Flow, why: asking{q.Why}, dry: q.Dry || q.Why != nil, habit: q.Habit, src: q.Src, dst: q.Dst, sourcePrefs: q.SourcePrefs}
	if w.habit == (wire.Addr{}) && p.Dst == q.Dst && p.NextHop != p.Dst {
		w.habit = p.NextHop
	}
	p.Generation = 0
	if err := w.checkDestination(q); err != nil { // 3
		return w.why.fail(StepDestination, err)
	}
	if err := w.chooseSource(); err != nil { // 4
		return w.why.fail(StepSource, err)
	}
	if !w.toOurselves() { // 5
		w.chooseInterface()                       // 6
		if err := w.chooseNextHop(); err != nil { // 7
			return w.why.fail(StepNextHop, err)
		}
	}
	w.store(q, p)
	w.findNeighbor(p) // 8
	p.Generation = generation
	p.route.Store(routeOf(q, generation))
	return nil
}

// way is a Path on its way through the steps.
type way struct {
	l    *Layer
	s    *snapshot
	now  clock.Instant
	flow Flow
	why  asking
	dry  bool // nobody sends by the answer

	src, dst    wire.Addr
	sourcePrefs addrsel.Preferences
	out         int32            // the interface it must leave by; 0: any
	prefer      int32            // the interface it had better leave by; 0: any
	iface       *netif.Interface // the interface it leaves by
	vrf         uint32           // table of the VRF it stays in; 0: none
	nextHop     wire.Addr
	habit       wire.Addr     // the gateway in use for the destination; zero: none
	errno       syscall.Errno // why there is no interface to leave by
	hop         *route.Hop    // the route; nil if none is needed
	local       bool
	broadcast   bool
	multicast   bool
}

// store fills p.
func (w *way) store(q *Query, p *Path) {
	p.Src, p.Dst, p.Scope, p.NextHop = w.src, w.dst, q.Scope, w.nextHop
	p.prefs = q.SourcePrefs
	p.If, p.Local, p.Broadcast, p.Multicast = w.iface, w.local, w.broadcast, w.multicast
	p.out, p.vrf, p.Flow = q.Out, q.VRF, q.Flow
	p.MTU, p.fragment, p.Attributes = w.iface.MTUOf(w.dst.Is4()), false, nil
	p.toSelf, p.hostOnly = false, false
	if w.local {
		p.MTU = netif.LoopbackMTU
		w.why.mtu("the loopback interface's")
		return
	}
	w.why.mtu("the interface's")
	if p.MTU < w.iface.MTU {
		w.why.mtu("what a router of the link advertises (RFC 4861, 6.3.4)")
	}
	if w.hop != nil && w.hop.Attributes != (route.Attributes{}) {
		p.Attributes = &w.hop.Attributes
		if mtu := p.Attributes.MTU; mtu != 0 && mtu < p.MTU {
			p.MTU = mtu
			w.why.mtu("the route's")
		}
	}
	if mtu, tooSmall := w.l.pmtu.lookup(w.now, pathKey{w.dst, flow.ScopeOf(w.dst, w.iface.Index)}); mtu != 0 && mtu < p.MTU {
		p.MTU, p.fragment = mtu, tooSmall
		w.why.mtu("what a router on the way told of, by ICMP (RFC 8201; RFC 1191)")
	}
	p.toSelf = w.broadcast || w.multicast && w.iface.Member(w.dst)
	p.hostOnly = w.multicast && !w.dst.Is4() && addrsel.ScopeOf(w.dst) == addrsel.InterfaceLocal
}

// Output puts the internet header in front of p, which begins at a finished transport header, and notes in its Meta
// where it goes. The caller stages p on a shard, whose drain function is Transmitter's. It takes no lock, and allocates
// nothing. Header and packet must not be longer than 65,535 octets together, with IPv6 65,575.
func (l *Layer) Output(path *Path, pr *Params, p *packet.Buffer) { l.output(path, pr, nil, p) }

// output is Output with options of IPv4, at most 40 octets. They are copied.
func (l *Layer) output(path *Path, pr *Params, options []byte, p *packet.Buffer) {
	l.putHeader(path, pr, options, p)
	p.In, p.Mark = 0, path.Flow.Mark
	path.direct(p, pr)
	if pr.MTU != 0 {
		p.PathMTU = pr.MTU
	}
}

// direct notes in p's Meta where it goes by path.
func (path *Path) direct(p *packet.Buffer, pr *Params) {
	path.noteRoute(p)
	p.Out, p.NextHop = path.If.Index, path.NextHop
	p.PathMTU = uint16(min(path.MTU, maxPathMTU))
	switch {
	case path.Local, path.hostOnly, pr.HostOnly:
		p.Flags |= packet.Loopback
	case path.fixed:
		p.LinkDst = path.linkDst
		p.Flags |= packet.Resolved
		if path.toSelf && !pr.NoLoop {
			p.Flags |= packet.CopyToSelf
		}
		if path.Broadcast {
			p.Flags |= packet.Broadcast
		}
	default:
		path.resolve(p)
	}
}

// maxPathMTU is the most that packet.Meta.PathMTU holds.
const maxPathMTU = 65535
