package ip

import (
	"syscall"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/wire"
)

// chooseInterface is step 6: by the source, unless the sender is pinned to an interface. A link-local source leaves by
// its own link only. Another one says which interface is preferred among those that lead to the destination equally
// well.
//
// RFC 1122, 3.3.4.2, calls the first the strong, the second the weak end system model.
func (w *way) chooseInterface() {
	if w.out != 0 {
		w.why.iface(StepInterface, "the sender, or the destination's scope, names it", "RFC 4007, 6", w.iface)
		return
	}
	for _, i := range w.s.Interfaces {
		if a := i.Address(w.src); a == nil || !a.Assigned() || i.VRF != w.vrf {
			continue
		}
		if w.src.NeedsScope() {
			w.out, w.iface = i.Index, i
			w.why.iface(StepInterface, "a link-local source leaves by its own link", "RFC 4291, 2.5.6", i)
			return
		}
		w.prefer = i.Index
		w.why.iface(StepInterface, "it has the source, and so is preferred where routes are equal", "RFC 1122, 3.3.4.2", i)
		return
	}
	w.why.text(StepInterface, "no interface of ours speaks for one", "", "any")
}

// chooseNextHop is step 7: the neighbor that packets go to first.
//
// RFC 4861, 5.2: "the sender performs a longest prefix match against the Prefix List to determine whether the packet's
// destination is on- or off-link. If the destination is on-link, the next-hop address is the same as the packet's
// destination address. Otherwise, the sender selects a router". Prefixes and routers are in one table here, and for
// IPv4 too. "For multicast packets, the next-hop is always the (multicast) destination address and is considered to be
// on-link."
func (w *way) chooseNextHop() error {
	w.nextHop = w.dst
	if w.multicast || w.broadcast {
		return w.toGroup()
	}
	var r route.Result
	ok := w.lookup(&r, w.src, w.prefer, w.dry)
	switch {
	case ok:
		if r.Gateway != (wire.Addr{}) && !linkLocal4(w.src, w.dst) {
			w.nextHop = r.Gateway
		}
		w.iface, w.hop = w.s.Interface(r.Hop.Out), r.Hop
		w.why.route(&r, w)
	case r.Drop() != route.Unicast || !w.dst.NeedsScope():
		w.why.route(&r, w)
		return r.Errno()
	default:
		// Link-local addresses are on-link wherever they are (RFC 4861, 5.1, "Prefix List").
		w.why.addr(StepNextHop, "link-local destinations are on-link", "RFC 4861, 5.1", w.dst)
	}
	if w.iface == nil || w.iface.Loopback {
		return syscall.ENETUNREACH
	}
	w.broadcast = w.s.Lookup(w.dst, w.iface.Index).Kind == netif.Broadcast
	return nil
}

// linkLocal4 reports whether a packet from src to dst must not go to a router because of an IPv4 link-local address.
//
// RFC 3927, 2.6.2: "if the destination address is in the 169.254/16 prefix (excluding the address 169.254.255.255 …), then the
// sender MUST ARP for the destination address and then send its packet directly to the destination on the same physical link.
// … If for any reason the host chooses to send the packet with an IPv4 Link-Local source address …, then it MUST ARP for the
// destination address". 2.7: it "MUST NOT be sent to any router for forwarding".
func linkLocal4(src, dst wire.Addr) bool {
	return dst.Is4() && (dst.IsLinkLocal() || src.IsLinkLocal())
}

// toGroup is chooseNextHop for groups and 255.255.255.255: there is a link to be chosen, and no neighbor.
func (w *way) toGroup() error {
	if w.iface == nil && w.prefer != 0 {
		w.iface = w.s.Interface(w.prefer)
	}
	if w.iface == nil {
		w.iface, _ = w.outgoing()
	}
	if w.iface == nil || !w.iface.Up {
		w.why.text(StepNextHop, "the interface that it would leave by is down, or there is none", "", "none")
		return syscall.ENETUNREACH
	}
	w.local = w.iface.Loopback // what is sent on the loopback interface comes in there
	w.why.text(StepNextHop, "groups and broadcast addresses are on-link", "RFC 4861, 5.2; RFC 1112, 6.4", "none: all on the link of "+w.iface.Name+" who listen")
	return nil
}

// lookup asks the FIB for the way of packets from src. dry says that nobody sends by the answer, so that it leaves no trace: the
// turn of routers that do not answer is not passed on, nor is any of them noted as missed.
func (w *way) lookup(r *route.Result, src wire.Addr, prefer int32, dry bool) bool {
	q := route.Query{Dst: w.dst, Src: src, Out: w.out, Prefer: prefer, VRF: w.vrf, Mark: w.flow.Mark, FlowLabel: w.flow.FlowLabel,
		TrafficClass: w.flow.TrafficClass, Proto: w.flow.Proto, Ports: w.flow.Ports, Habit: w.habit, Dry: dry}
	ok := w.s.routes.Lookup(&q, r)
	w.why.asked(&q, r)
	return ok
}
