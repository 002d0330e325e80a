package ip

import (
	"syscall"

	"github.com/onlink-go/onlink/internal/netif"
)

// chooseInterface is step 6: by the source, unless the sender is pinned to an interface. A link-local source leaves by
// its own link only. Another one says which interface is preferred among those that lead to the destination equally
// well.
//
// RFC 1122, 3.3.4.2, calls the first the strong, the second the weak end system model.
func (w *way) chooseInterface() {
	if w.out != 0 {
		return
	}
	for _, i := range w.s.Interfaces {
		if a := i.Address(w.src); a == nil || !a.Assigned() {
			continue
		}
		if w.src.NeedsScope() {
			w.out, w.iface = i.Index, i
			return
		}
		w.prefer = i.Index
		return
	}
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
		if w.iface == nil && w.prefer != 0 && !w.s.Interface(w.prefer).Loopback {
			w.iface = w.s.Interface(w.prefer)
		}
		if w.iface == nil {
			w.iface, _ = w.outgoing()
		}
		if w.iface == nil || w.iface.Loopback || !w.iface.Up {
			return syscall.ENETUNREACH
		}
		return nil
	}
	h, ok := w.s.routes.Lookup(w.dst, w.out, w.prefer)
	switch {
	case ok:
		w.nextHop = nextHop(h, w.dst)
		w.iface = w.s.Interface(h.Out)
	case !w.dst.NeedsScope():
		return syscall.ENETUNREACH
		// Link-local addresses are on-link wherever they are (RFC 4861, 5.1, "Prefix List").
	}
	if w.iface == nil || w.iface.Loopback {
		return syscall.ENETUNREACH
	}
	w.broadcast = w.s.Lookup(w.dst, w.iface.Index).Kind == netif.Broadcast
	return nil
}
