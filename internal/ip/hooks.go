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
	var verdict hook.Verdict
	var last int
	if p.Trace != 0 {
		verdict, last = l.runToldHooks(now, chain, at, p)
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

// pass is runHooks on a packet that came in.
func (q *queue) pass(at hook.Point, p *packet.Buffer) bool {
	return q.l.runHooks(q.now, q.hooks, at, p, &q.counters)
}

// passAtHeader is pass at a point where p begins at its internet header, what of which is in Meta follows what the hooks made of it.
func (q *queue) passAtHeader(at hook.Point, p *packet.Buffer) bool {
	if len(q.hooks[at]) == 0 {
		return true
	}
	if !q.pass(at, p) {
		return false
	}
	readAgain(p)
	return true
}

// prerouting takes p through the hooks of Prerouting. What they made of its header is checked: it decides on what follows.
func (q *queue) prerouting(p *packet.Buffer) bool {
	if len(q.hooks[hook.Prerouting]) == 0 {
		return true
	}
	n, head := p.Len(), p.Bytes()[0]
	if !q.pass(hook.Prerouting, p) {
		return false
	}
	if p.Len() != n || p.Bytes()[0]&0xf0 != head&0xf0 || p.EtherType == wire.EtherTypeIPv4 && p.Bytes()[0] != head {
		q.drop(p, malformed(p))
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
	readAgain(p)
	return true
}

func malformed(p *packet.Buffer) mib.Reason {
	if p.EtherType == wire.EtherTypeIPv4 {
		return mib.Ip4Header
	}
	return mib.Ip6Header
}

// inputHooks takes p, which is for us and at its transport header, through the hooks of Input.
func (q *queue) inputHooks(p *packet.Buffer) bool {
	if len(q.hooks[hook.Input]) == 0 {
		return true
	}
	head := len(p.FromNetwork()) - p.Len()
	p.RestoreNetwork()
	if !q.pass(hook.Input, p) {
		return false
	}
	if p.Len() < head {
		q.drop(p, malformed(p))
		return false
	}
	readAgain(p)
	p.TrimFront(head)
	return true
}

// readAgain has Meta follow a header that hooks may have changed.
func readAgain(p *packet.Buffer) {
	if p.EtherType == wire.EtherTypeIPv4 {
		h := wire.IPv4(p.Bytes())
		p.Src, p.Dst, p.HopLimit, p.TrafficClass = h.Src(), h.Dst(), h.TTL(), h.TrafficClass()
		return
	}
	h := wire.IPv6(p.Bytes())
	p.Src, p.Dst, p.HopLimit, p.TrafficClass = h.Src(), h.Dst(), h.HopLimit(), h.TrafficClass()
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
	return len(t.hooks[hook.Postrouting]) == 0 || t.pass(hook.Postrouting, p)
}

func (t *transmission) pass(at hook.Point, p *packet.Buffer) bool {
	if !t.l.runHooks(t.now, t.hooks, at, p, &t.l.counters) {
		return false
	}
	readAgain(p)
	return true
}

// routeAgain finds the way of a packet of ours that a hook gave another address, mark or class. Without one it is dropped,
// and false returned.
func (t *transmission) routeAgain(p *packet.Buffer) bool {
	query := Query{Dst: p.Dst, Flow: Flow{Mark: p.Mark, TrafficClass: p.TrafficClass, Proto: p.Proto}}
	if p.Dst.NeedsScope() || p.Dst.IsMulticast() || p.Dst == wire.Broadcast4 {
		query.Scope = uint32(p.Out)
	}
	if t.s.Lookup(p.Src, p.Out).Kind == netif.Unicast {
		query.Src = p.Src // else it is a hook's business
	}
	if i := t.s.Interface(p.Out); i != nil {
		query.VRF = i.VRF
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
		t.toldReroute(p, p.NextHop, "a hook changed what the way goes by")
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
