package ip

import (
	"sync/atomic"

	"github.com/onlink-go/onlink/internal/neigh"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// findNeighbor is step 8 as far as it can be taken without the neighbor cache's lock: how the next hop is reached on
// its link, or the cache's entry for it if it was used before. Packets whose next hop is not resolved go through the
// cache in transmit.
func (w *way) findNeighbor(p *Path) {
	p.known, p.fixed, p.linkDst = nil, true, wire.MAC{}
	p.entry.Store(nil)
	if !w.local {
		p.known = w.s.device(w.iface.Index).known
	}
	switch {
	case p.known == nil:
	case w.multicast:
		p.linkDst = w.dst.MulticastMAC()
	case w.broadcast:
		p.linkDst = wire.BroadcastMAC
	default:
		p.fixed = false
		p.entry.Store(p.known.find(p.NextHop))
	}
	w.why.neighbor(w, p)
}

// neighbor returns the cache's entry for the next hop, which is not fixed, or nil if it was not used yet.
func (path *Path) neighbor() *neigh.Entry {
	e := path.entry.Load()
	if e == nil || e.Evicted() {
		e = path.known.find(path.NextHop)
		path.entry.Store(e)
	}
	return e
}

// resolve notes p's link-layer destination if the next hop of path is known to be there.
func (path *Path) resolve(p *packet.Buffer) { resolve(path.neighbor(), p) }

// neighborRef is a decision's entry of its next hop.
type neighborRef struct{ entry *neigh.Entry }

// resolve notes p's link-layer destination if the next hop, a neighbor on the link of out, is known to be there.
func (r *neighborRef) resolve(s *snapshot, out int32, nextHop wire.Addr, p *packet.Buffer) {
	known := s.device(out).known
	if known == nil {
		return
	}
	if r.entry == nil || r.entry.Evicted() {
		r.entry = known.find(nextHop)
	}
	resolve(r.entry, p)
}

func resolve(e *neigh.Entry, p *packet.Buffer) {
	if e == nil {
		return
	}
	if mac, usable := e.Load(); usable {
		p.LinkDst = mac
		p.Flags |= packet.Resolved
	}
}

// neighbors finds the cache entries of neighbors in use without the cache's lock: each has one place, which the last
// one used takes. It is a help to find the way into the cache, and nothing is lost by what it does not hold.
type neighbors struct {
	slots [neighborSlots]atomic.Pointer[neigh.Entry]
}

const neighborSlots = 256

func (n *neighbors) find(a wire.Addr) *neigh.Entry {
	if e := n.slots[slot(a, a)%neighborSlots].Load(); e != nil && e.Addr() == a && !e.Evicted() {
		return e
	}
	return nil
}

func (n *neighbors) put(e *neigh.Entry) {
	a := e.Addr()
	if s := &n.slots[slot(a, a)%neighborSlots]; s.Load() != e {
		s.Store(e)
	}
}
