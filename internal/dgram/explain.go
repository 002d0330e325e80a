package dgram

import (
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/wire"
)

// Would is what a plain socket, of any kind, would do with a datagram. Nothing is sent to find out.
type Would struct {
	IP       *ip.Layer
	Proto    uint8         // in the internet header
	From, To flow.Endpoint // zero addresses and ports are those that it would choose
	Options  SendOptions
}

// Query returns what the socket would ask of the internet layer.
func (w *Would) Query() ip.Query {
	src := w.From.Addr
	if src.IsUnspecified() || src.IsMulticast() || w.IP.IsBroadcast(src) {
		src = wire.Addr{} // what it is bound to for receiving cannot be sent from
	}
	o := &w.Options
	scope := w.To.Scope
	if scope == 0 && w.To.Addr.IsMulticast() && w.To.Addr.NeedsScope() {
		scope = uint32(o.Interface) // as toGroup has it
	}
	return ip.Query{Src: src, Dst: w.To.Addr, Scope: scope, Out: o.Interface, SourcePrefs: o.SourcePrefs,
		Flow: ip.Flow{Mark: o.Mark, Ports: flow.Ports(w.From.Port, w.To.Port), TrafficClass: o.TrafficClass, Proto: w.Proto}}
}

// Params returns what the socket would have a datagram along path say that has n octets behind its internet header.
func (w *Would) Params(path *ip.Path, n int) ip.Params {
	pr := ip.Params{Proto: w.Proto, HopLimit: w.Options.HopLimit, TrafficClass: w.Options.TrafficClass}
	(*Socket)(nil).fit(path, n, &SendOptions{}, &pr) // of this kind none is too large
	if !path.Dst.Is4() {
		key := flow.Key{Local: path.Src, Remote: path.Dst, Ports: flow.Ports(w.From.Port, w.To.Port), Scope: path.Scope, Proto: w.Proto}
		pr.FlowLabel = w.IP.FlowLabel(&key, w.Options.FlowLabel)
	}
	return pr
}
