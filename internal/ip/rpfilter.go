package ip

import (
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/wire"
)

// The ways to look at where IPv4 sources are (RFC 3704, 2.2 and 2.4): Linux's rp_filter.
const (
	backNot    = iota
	backStrict // the way back is by the interface that the packet came in by
	backLoose  // there is a way back
)

// hasWayBack reports whether d.src, of a packet of IPv4, is where a packet may have come from by the given way to look. Who has no address
// yet may ask for one.
func (d *decision) hasWayBack(s *snapshot, how int) bool {
	if how == backNot || d.src == wire.Unspecified4 {
		return true
	}
	q := route.Query{Dst: d.src, Src: d.dst, Prefer: d.in, VRF: s.vrfOf(d.in), Mark: d.mark, TrafficClass: d.class, Dry: true}
	if d.dst.IsMulticast() || d.dst == wire.Broadcast4 {
		q.Src = wire.Addr{}
	}
	var r route.Result
	return s.routes.Lookup(&q, &r) && (how == backLoose || r.Hop.Out == d.in)
}
