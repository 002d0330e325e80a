package ip

import (
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Answers to Neighbor Solicitations and ARP requests: for addresses of our own at once, for those that others may answer for
// too after a delay.

// answerKind is whose address it is that was asked for.
type answerKind uint8

const (
	forOurs       answerKind = iota
	forOptimistic            // ours, but not verified yet (RFC 4429)
	forAnycast               // ours and others'
	forProxied               // another's, whom we stand in for
)

const (
	// maxAnycastDelay is MAX_ANYCAST_DELAY_TIME of RFC 4861, 10.
	maxAnycastDelay = time.Second
	// maxProxyARPDelay is Linux's net.ipv4.neigh.default.proxy_delay.
	maxProxyARPDelay = 800 * time.Millisecond
	// maxAnswers bounds those that wait; with more, they go at once.
	maxAnswers = 64
)

// answers are those that wait. Control locked.
type answers struct {
	waiting     []lateAnswer
	answerTimer shard.Node
}

// lateAnswer is a Neighbor Advertisement to a neighbor or to all, or an ARP reply.
type lateAnswer struct {
	at   clock.Instant
	kind answerKind
	na   wire.NeighborAdvertisement
	to   wire.Addr
	arp  *wire.ARP // nil: it is na
}

// answer answers the valid Neighbor Solicitation m, which p carries, for an address of the given kind.
func (q *queue) answer(p *packet.Buffer, m *wire.NeighborSolicitation, kind answerKind) {
	d := q.d
	if d.address(p.Src) != nil {
		return // it says to come from us; no neighbor has our address
	}
	reply, to := d.cache.NeighborSolicitation(q.now, p.Src, p.Dst, m, q.l.Settings().Forward6 && kind != forProxied)
	// RFC 4429, 3.3: "The node MUST reply to a Neighbor Solicitation for an Optimistic Address from a unicast address, but the
	// reply MUST have the Override flag cleared (O=0)." RFC 4861, 7.2.4: "If the Target Address is either an anycast address or
	// a unicast address for which the node is providing proxy service, …, the Override flag SHOULD be set to zero."
	reply.Override = reply.Override && kind == forOurs
	a := lateAnswer{kind: kind, na: reply, to: to}
	// 7.2.7: "Neighbor Advertisements sent in response to a Neighbor Solicitation SHOULD be delayed by a random time between 0
	// and MAX_ANYCAST_DELAY_TIME to reduce the probability of network congestion." 7.2.8: of a proxy's likewise. One who asks
	// us alone, to see whether we are there, gets his answer at once.
	if kind < forAnycast || !p.Dst.IsMulticast() {
		d.give(q.now, &a)
		return
	}
	d.giveLate(q.now, a, maxAnycastDelay)
}

// answerARP answers the ARP request m, which p carries, for an address that we stand in for.
func (q *queue) answerARP(p *packet.Buffer, m *wire.ARP) {
	d := q.d
	d.cache.Solicited(q.now, m.SenderIP, m.SenderMAC)
	reply := wire.ARP{Op: wire.ARPReply, SenderMAC: d.info.Addr, SenderIP: m.TargetIP, TargetMAC: m.SenderMAC, TargetIP: m.SenderIP}
	a := lateAnswer{kind: forProxied, arp: &reply}
	if p.Flags&packet.LinkMulticast == 0 {
		d.give(q.now, &a)
		return
	}
	d.giveLate(q.now, a, maxProxyARPDelay)
}

// giveLate gives an answer after a random delay.
func (d *device) giveLate(now clock.Instant, a lateAnswer, most time.Duration) {
	if len(d.waiting) >= maxAnswers {
		d.give(now, &a)
		return
	}
	a.at = now.Add(time.Duration(d.l.random() % uint64(most)))
	d.waiting = append(d.waiting, a)
	d.answerTimer.Owner = (*answerTimer)(d)
	d.l.control.Arm(&d.answerTimer, d.nextAnswer())
}

func (d *device) nextAnswer() clock.Instant {
	at := clock.Never
	for i := range d.waiting {
		at = min(at, d.waiting[i].at)
	}
	return at
}

// answerTimer is the device as the owner of the timer of answers that wait.
type answerTimer device

// Expire implements shard.Timed.
func (t *answerTimer) Expire(now clock.Instant) clock.Instant {
	d := (*device)(t)
	d.waiting = slices.DeleteFunc(d.waiting, func(a lateAnswer) bool {
		if a.at > now {
			return false
		}
		d.give(now, &a)
		return true
	})
	return d.nextAnswer()
}

// endAnswers forgets those that wait.
func (d *device) endAnswers() {
	d.waiting = nil
	d.l.control.Disarm(&d.answerTimer)
}

// give sends an answer.
func (d *device) give(now clock.Instant, a *lateAnswer) {
	if a.arp != nil {
		d.sendARP(a.arp, a.arp.TargetMAC)
		return
	}
	src := a.na.Target
	if a.kind >= forAnycast {
		// RFC 4861, 4.4: the source is "An address assigned to the interface from which the advertisement is sent."
		var ok bool
		if src, ok = d.answerFrom(now, a.to); !ok {
			return
		}
	}
	d.sendND(now, &a.na, src, a.to, wire.MAC{})
}

// answerFrom returns the unicast address of d to answer to from.
func (d *device) answerFrom(now clock.Instant, to wire.Addr) (wire.Addr, bool) {
	var path Path
	query := Query{Dst: to, Out: d.index, Scope: flow.ScopeOf(to, d.index)}
	if d.l.RouteInto(now, &query, &path) == nil && d.assigned(path.Src) {
		return path.Src, true
	}
	src := d.linkLocalSource()
	return src, !src.IsUnspecified()
}
