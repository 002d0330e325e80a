package tcpsock

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpauth"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// remnant is what is left of a connection in TIME-WAIT, or in FIN-WAIT-2 without a user, in its shard's table.
type remnant struct {
	place
	layer   *Layer
	header  Header
	sharing Sharing
	auth    *tcpauth.Conn
	tcp.Remnant
	prev, next *remnant // in the table's list
}

// leave has a remnant take c's place, if all c does is to wait. It returns whether c is gone. sh locked.
func (c *Conn) leave(now clock.Instant) bool {
	t := c.layer
	var rest tcp.Remnant
	if t.closing.Load() || !c.tcb.Remnant(now, &rest) {
		return false
	}
	c.remember(now)
	c.remove()
	switch {
	case t.waiting.Load() >= int64(t.Settings().Limits.MaxTimeWait):
		// There is no memory to keep the promise of RFC 9293, 3.6.1, with.
		c.sh.Counters.Inc(mib.TcpExtTCPTimeWaitOverflow)
		t.traceEnd(now, &c.key, rest.State())
	default:
		r := c.table().freeRemnants.get()
		*r = remnant{place: place{key: c.key}, layer: t, header: c.header, sharing: c.sharing, auth: c.auth, Remnant: rest}
		r.node.Owner = r
		r.insert(c.table())
		c.sh.Arm(&r.node, r.Deadline())
	}
	return true
}

// orphanage counts c, whose user has let go of it, and resets it if there are too many like it: Linux's tcp_max_orphans.
// sh locked.
func (c *Conn) orphanage(now clock.Instant) {
	t := c.layer
	if c.gone || c.orphan || c.state() == tcp.Closed {
		return
	}
	if t.orphans.Load() >= int64(t.Settings().Limits.MaxOrphans) {
		c.sh.Counters.Inc(mib.TcpExtTCPAbortOnMemory)
		c.tcb.Abort(now)
		return
	}
	c.orphan = true
	t.orphans.Add(1)
}

// insert puts r into t. sh locked.
func (r *remnant) insert(t *table) {
	t.demux.put(&r.place)
	if r.next = t.firstRemnant; r.next != nil {
		r.next.prev = r
	}
	t.firstRemnant = r
	r.layer.waiting.Add(1)
}

// drop forgets r. sh locked.
func (r *remnant) drop(sh *shard.Shard, now clock.Instant) {
	t := &r.layer.tables[sh.Index]
	t.demux.take(&r.place)
	if r.prev != nil {
		r.prev.next = r.next
	} else {
		t.firstRemnant = r.next
	}
	if r.next != nil {
		r.next.prev = r.prev
	}
	r.layer.waiting.Add(-1)
	sh.Disarm(&r.node)
	r.layer.traceEnd(now, &r.key, r.State())
	t.freeRemnants.put(r)
}

// inputRemnant gives a segment to r, what is left of a connection, if that is not nil. It returns whether that was the end of
// the segment, and of p; if not, and the segment is a SYN that takes the remnant's place, the initial sequence number to
// answer it with, else 0. sh locked.
func (t *Layer) inputRemnant(sh *shard.Shard, now clock.Instant, p *packet.Buffer, r *remnant, seg *tcp.Segment,
	listening bool) (iss tcp.Seq, done bool) {
	if r == nil {
		return 0, false
	}
	key, gone := &r.key, false
	// A SYN is of a new connection: what there is to check it with is the listener's.
	if seg.Flags&wire.SYN == 0 && !authentic(sh, now, p, r.auth, seg) {
		return 0, true
	}
	before := r.State()
	fate := r.Arrive(now, seg, t.Settings().Limits.RFC1337)
	if after := r.State(); after != before {
		t.traceState(now, key, before, after)
	}
	switch {
	case fate == tcp.Reopen && listening:
		// RFC 9293, 3.6.1: "it MAY accept a new SYN from the remote TCP endpoint to reopen the connection directly from
		// TIME-WAIT state (MAY-2)".
		sh.Counters.Inc(mib.TcpExtTWRecycled)
		r.drop(sh, now)
		if iss = r.NextISS(); iss == 0 {
			iss = 1
		}
		return iss, false
	case fate == tcp.Reopen, fate == tcp.Acknowledge:
		r.ACK(now, seg)
		t.send(sh, now, key, seg, r.header, r.auth)
	case fate == tcp.Delete:
		sh.Counters.Inc(mib.TcpExtTWKilled)
		r.drop(sh, now)
		gone = true
	case fate == tcp.DeleteReset:
		r.drop(sh, now)
		gone = true
		t.refuse(sh, now, key, seg, t.answering(p.In))
	}
	if !gone {
		sh.Arm(&r.node, r.Deadline())
	}
	whose := "" // made only for who follows p
	if p.Trace != 0 {
		whose = "TCP: what is left of a connection, in " + before.String()
	}
	t.taken(now, p, whose, fates[fate])
	return 0, true
}

// redial makes room for an own dial where a remnant is, if that may be: Linux's tcp_tw_reuse. It returns the initial
// sequence number to use, or 0. sh locked.
func (t *Layer) redial(sh *shard.Shard, now clock.Instant, key *flow.Key) tcp.Seq {
	r := t.tables[sh.Index].demux.find(key).remnant
	if r == nil || t.closing.Load() || !r.MayRedial(now) {
		return 0
	}
	switch t.Settings().Limits.TimeWaitReuse {
	case 0:
		return 0
	case 2:
		if !key.Remote.IsLoopback() {
			return 0
		}
	}
	sh.Counters.Inc(mib.TcpExtTWRecycled)
	r.drop(sh, now)
	return max(r.NextISS(), 1)
}

// Expire implements shard.Timed.
func (r *remnant) Expire(now clock.Instant) clock.Instant {
	sh := r.layer.ip.ShardFor(&r.key)
	if r.layer.tables[sh.Index].demux.find(&r.key).remnant != r {
		return clock.Never // all were dropped
	}
	if r.Timeout(now) == tcp.Delete {
		sh.Counters.Inc(mib.TcpExtTW)
		r.drop(sh, now)
		return clock.Never
	}
	return r.Deadline()
}

// dropAll ends what has no connection any more, since the stack is closing: a peer that may still send in FIN-WAIT-2 gets a
// RST, as Abort sends it. sh locked.
func (t *Layer) dropAll(sh *shard.Shard, now clock.Instant) {
	tab := &t.tables[sh.Index]
	for r := tab.firstRemnant; r != nil; r = tab.firstRemnant {
		if r.State() == tcp.FinWait2 {
			var rst tcp.Segment
			r.ACK(now, &rst)
			rst.Flags |= wire.RST
			sh.Counters.Inc(mib.TcpOutRsts)
			t.send(sh, now, &r.key, &rst, r.header, r.auth)
		}
		r.drop(sh, now)
	}
	tab.demux.clear()
}

func (t *Layer) traceEnd(now clock.Instant, key *flow.Key, from tcp.State) {
	t.traceState(now, key, from, tcp.Closed)
}

// traceState tells of a transition of what no Conn is there for any more.
func (t *Layer) traceState(now clock.Instant, k *flow.Key, from, to tcp.State) {
	if !t.tracer.Enabled() {
		return
	}
	t.tracer.Emit(&trace.Event{At: now, Kind: trace.TCPStateChanged, Proto: wire.ProtoTCP, From: from.String(),
		To: to.String(), Src: k.Local, SrcPort: k.LocalPort(), Dst: k.Remote, DstPort: k.RemotePort()})
}
