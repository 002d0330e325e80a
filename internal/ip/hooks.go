package ip

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// runHooks calls the hooks at a point, and reports whether p goes on: if not, it is gone. No lock may be held.
func (l *Layer) runHooks(now clock.Instant, hooks *hook.Active, at hook.Point, p *packet.Buffer, counters *mib.Set) bool {
	chain := hooks[at]
	if len(chain) == 0 {
		return true
	}
	p.Own() // they may change its octets
	var verdict hook.Verdict
	var last int
	if p.Trace != 0 {
		verdict, last = l.narrator.runToldHooks(l, now, chain, at, p)
	} else {
		verdict, last = chain.Run(now, p)
	}
	switch verdict {
	case hook.Continue:
		return true
	case hook.Stolen:
		return false
	}
	counters.DropBy(now, p, mib.Hook, chain[last].Name+" at "+at.String())
	return false
}

// runHooksAtHeader is runHooks on a packet that begins at its internet header. What of the header is in Meta follows what the hooks made
// of it. One whose lengths they changed is dropped as malformed.
func (l *Layer) runHooksAtHeader(now clock.Instant, hooks *hook.Active, at hook.Point, p *packet.Buffer, counters *mib.Set) bool {
	if len(hooks[at]) == 0 {
		return true
	}
	n, first := p.Len(), p.Bytes()[0]
	if !l.runHooks(now, hooks, at, p, counters) {
		return false
	}
	if p.Len() != n || !readAgain(p, first) {
		counters.Drop(now, p, malformed(p))
		return false
	}
	return true
}

// readAgain has Meta follow a header that hooks may have changed, and began with first before. It returns false if its lengths are not
// what they were.
func readAgain(p *packet.Buffer, first byte) bool {
	b := p.Bytes()
	if p.EtherType == wire.EtherTypeIPv4 {
		h := wire.IPv4(b)
		if b[0] != first || h.TotalLen() < h.HeaderLen() || h.TotalLen() > len(b) {
			return false
		}
		p.Src, p.Dst, p.HopLimit, p.TrafficClass = h.Src(), h.Dst(), h.TTL(), h.TrafficClass()
		return true
	}
	if b[0]>>4 != first>>4 {
		return false
	}
	h := wire.IPv6(b)
	p.Src, p.Dst, p.HopLimit, p.TrafficClass = h.Src(), h.Dst(), h.HopLimit(), h.TrafficClass()
	return true
}

func malformed(p *packet.Buffer) mib.Reason {
	if p.EtherType == wire.EtherTypeIPv4 {
		return mib.Ip4Header
	}
	return mib.Ip6Header
}

// pass is runHooks on a packet that came in.
func (q *queue) pass(at hook.Point, p *packet.Buffer) bool {
	return q.l.runHooks(q.now, q.hooks, at, p, &q.counters)
}

// passAtHeader is runHooksAtHeader on a packet that came in.
func (q *queue) passAtHeader(at hook.Point, p *packet.Buffer) bool {
	return q.l.runHooksAtHeader(q.now, q.hooks, at, p, &q.counters)
}

// prerouting takes p through the hooks of Prerouting. Its header, which decides on all that follows, is checked again.
func (q *queue) prerouting(p *packet.Buffer) bool {
	if len(q.hooks[hook.Prerouting]) == 0 {
		return true
	}
	if !q.passAtHeader(hook.Prerouting, p) {
		return false
	}
	var err error
	if p.EtherType == wire.EtherTypeIPv4 {
		_, err = wire.CheckIPv4(p.Bytes())
	} else {
		_, err = wire.CheckIPv6(p.Bytes())
	}
	if err != nil {
		q.drop(p, malformed(p))
		return false
	}
	return true
}

// inputHooks takes p, which is for us and at its transport header, through the hooks of Input.
func (q *queue) inputHooks(p *packet.Buffer) bool {
	if len(q.hooks[hook.Input]) == 0 {
		return true
	}
	head := len(p.FromNetwork()) - p.Len()
	p.RestoreNetwork()
	if !q.passAtHeader(hook.Input, p) {
		return false
	}
	p.TrimFront(head)
	return true
}

// passOut takes p, on its way out and at its internet header, through the hooks of Output, if it is ours, and of Postrouting.
func (t *transmission) passOut(p *packet.Buffer) bool {
	if p.In == 0 && len(t.hooks[hook.Output]) > 0 {
		src, dst, class, mark := p.Src, p.Dst, p.TrafficClass, p.Mark
		if !t.pass(hook.Output, p) {
			return false
		}
		if (p.Src != src || p.Dst != dst || p.TrafficClass != class || p.Mark != mark) && !t.routeAgain(p) {
			return false
		}
	}
	return t.pass(hook.Postrouting, p)
}

func (t *transmission) pass(at hook.Point, p *packet.Buffer) bool {
	return t.l.runHooksAtHeader(t.now, t.hooks, at, p, &t.l.counters)
}

// routeAgain finds the way of a packet of ours that a hook gave another address, mark or class. Without one it is dropped,
// and false returned.
func (t *transmission) routeAgain(p *packet.Buffer) bool {
	query := Query{Dst: p.Dst, Flow: Flow{Mark: p.Mark, TrafficClass: p.TrafficClass, Proto: p.Proto},
		VRF: t.s.vrfOf(p.Out)}
	if p.Dst.NeedsScope() || p.Dst.IsMulticast() || p.Dst == wire.Broadcast4 {
		query.Scope = uint32(p.Out)
	}
	if t.s.Lookup(p.Src, p.Out).Kind == netif.Unicast {
		query.Src = p.Src // else it is a hook's business
	}
	if b := p.Bytes(); p.Dst.Is4() {
		query.Flow.Ports = ports4(b)
	} else {
		h := wire.IPv6(b)
		query.Flow.FlowLabel, query.Flow.Ports = h.FlowLabel(), portsAt(h.NextHeader(), h.Payload())
	}
	var path Path
	if t.l.RouteInto(t.now, &query, &path) != nil {
		t.l.counters.Drop(t.now, p, ipCounters[family(p.Dst)].noRoute)
		return false
	}
	p.Flags &^= packet.Loopback | packet.Resolved | packet.CopyToSelf | packet.Broadcast
	path.direct(p, &Params{})
	if p.Trace != 0 {
		t.l.narrator.toldReroute(*t, p, p.NextHop, "a hook changed what the way goes by")
	}
	return true
}

// passEgress takes the frames of b through the hooks of Egress.
func (d *device) passEgress(now clock.Instant, hooks *hook.Active, b *packet.Batch) {
	if len(hooks[hook.Egress]) == 0 {
		return
	}
	var all packet.Batch
	all.Take(b)
	for p := all.Pop(); p != nil; p = all.Pop() {
		if d.l.runHooks(now, hooks, hook.Egress, p, &d.counters) {
			b.Push(p)
		}
	}
}
