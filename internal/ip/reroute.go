package ip

import (
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// reroute sends p, whose next hop did not answer, to another router on the same link, if there is one that is not known
// to be dead too. It reports whether it did: then p is gone. What waited for a router that died is not lost so.
//
// RFC 1122, 3.3.1.4: the IP layer must "choose an alternate gateway". RFC 4861, 7.3.3, of deleting the entry of a router:
// "next-hop determination" is performed again.
func (t *transmission) reroute(p *packet.Buffer) bool {
	if linkLocal4(p.Src, p.Dst) {
		return false
	}
	q := route.Query{Dst: p.Dst, Src: p.Src, In: p.In, Out: p.Out, VRF: t.s.vrfOf(p.Out), Mark: p.Mark, TrafficClass: p.TrafficClass,
		Proto: p.Proto}
	var r route.Result
	if !t.s.routes.Lookup(&q, &r) {
		return false
	}
	next := r.Gateway
	if next == (wire.Addr{}) {
		next = p.Dst
	}
	if next == p.NextHop || r.Router == nil || r.Router.Reach() == route.NotReachable || !t.toward(p.Out) {
		return false
	}
	if p.Trace != 0 {
		t.l.narrator.toldReroute(*t, p, next, "the router "+p.NextHop.String()+" does not answer (RFC 4861, 7.3.3; RFC 1122, 3.3.1.4)")
	}
	p.NextHop = next
	p.Flags &^= packet.Unreachable | packet.Resolved
	t.frame(p)
	return true
}
