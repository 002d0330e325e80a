package ip

import (
	"syscall"

	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// checkDestination is step 3: can packets be sent to this destination at all, and is it us?
func (w *way) checkDestination(q *Query) error {
	if w.src.IsUnspecified() {
		w.src = wire.Addr{} // choose
	} else if w.src.Is4() != w.dst.Is4() {
		return w.why.refuse("source and destination are of different families, IPv4 and IPv6", "", syscall.EAFNOSUPPORT)
	}
	switch {
	// RFC 4291, 2.5.2: "The unspecified address must not be used as the destination address of IPv6 packets". RFC
	// 1122, 3.2.1.3 (a), (b): nor 0.0.0.0 or 0.x.x.x. RFC 1112, 4: class E is reserved.
	case w.dst.IsUnspecified(), w.dst.Is4() && w.dst != wire.Broadcast4 && (w.dst.V4()>>24 == 0 || w.dst.V4()>>28 == 0xf):
		return w.why.refuse("it is the address of nobody, or reserved", "RFC 4291, 2.5.2; RFC 1122, 3.2.1.3", syscall.EINVAL)
	case w.dst.IsMulticast():
		// RFC 4291, 2.7: "Nodes must not originate a packet to a multicast address whose scop field contains the
		// reserved value 0".
		if !w.dst.Is4() && addrsel.ScopeOf(w.dst) == 0 {
			return w.why.refuse("a group of the reserved scope 0", "RFC 4291, 2.7", syscall.EINVAL)
		}
		w.multicast = true
	case w.dst == wire.Broadcast4:
		w.broadcast = true
	}
	w.out = q.Out
	if w.dst.NeedsScope() || w.multicast || w.broadcast {
		if w.out == 0 {
			w.out = int32(q.Scope)
		}
		// RFC 4007, 6: an address of limited scope means nothing without its zone.
		if w.dst.NeedsScope() && (w.out == 0 || q.Scope != 0 && q.Scope != uint32(w.out)) {
			return w.why.refuse("a link-local address means another machine on each link: the interface must be named, with a % behind the address", "RFC 4007, 6", syscall.EINVAL)
		}
	}
	w.vrf = q.VRF
	if w.out != 0 {
		if w.iface = w.s.Interface(w.out); w.iface == nil {
			return w.why.refuse("the interface asked for is not there", "", syscall.ENODEV)
		}
		w.vrf = w.iface.VRF
	}
	kind := w.s.Lookup(w.dst, w.out).Kind
	w.local = kind == netif.Unicast || kind == netif.Anycast
	if w.iface != nil && !w.iface.Up && !w.local {
		return w.why.refuse("the interface asked for is down", "", syscall.ENETDOWN)
	}
	w.why.destination(w)
	return nil
}
