package ip

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// pathKey is a destination; scope is the interface index of a link-local one.
type pathKey struct {
	dst   wire.Addr
	scope uint32
}

// pathMTUs remembers the MTUs of paths that routers told of (RFC 1191, 5; RFC 8201, 4): those smaller than the first
// link's, for a while, and a bounded number of them.
type pathMTUs struct {
	n  atomic.Int32 // entries; most hosts have none and need no lock to know
	mu sync.Mutex
	m  map[pathKey]pathMTU
	// order is the keys as they were added: the oldest makes room.
	order []pathKey
}

type pathMTU struct {
	mtu      int
	tooSmall bool // a router told of less than minPathMTU4
	until    clock.Instant
}

const (
	// maxPaths bounds the entries.
	maxPaths = 4096
	// pathMTULifetime is how long an entry lasts. RFC 8201, 4: "The recommended setting for this timer is twice its
	// minimum value (10 minutes)"; RFC 1191, 6.3: "the timeout interval … 10 minutes".
	pathMTULifetime = 10 * time.Minute
	// minPathMTU4 is the least that an ICMP message can make of an IPv4 path's MTU. A path that takes less is sent to
	// without DF instead, so that nobody can have us send a packet for each few octets (RFC 5927, 7.2).
	minPathMTU4 = 552
)

// lookup returns the path MTU, or 0 if none is known, and whether the path takes even less.
func (c *pathMTUs) lookup(now clock.Instant, k pathKey) (mtu int, tooSmall bool) {
	if c.n.Load() == 0 {
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.m[k]
	if e.mtu == 0 || e.until <= now {
		return 0, false
	}
	return e.mtu, e.tooSmall
}

// lower4 notes that a datagram of size octets to dst was too big for a router that says mtu, which is 0 if it is one of
// before RFC 1191. It returns the path MTU, 0 if the message is nothing to go by, and whether it is new.
func (c *pathMTUs) lower4(now clock.Instant, s *Settings, dst wire.Addr, mtu, size int) (int, bool) {
	if mtu == 0 {
		// RFC 1191, 5: "use as the next PMTU estimate the greatest plateau value that is less than the returned Total
		// Length field".
		for _, mtu = range plateaus {
			if mtu < size {
				break
			}
		}
	}
	if mtu >= size {
		return 0, false // the packet fitted
	}
	return c.lower(now, s, pathKey{dst: dst}, max(mtu, s.MinPathMTU), mtu < s.MinPathMTU)
}

// plateaus are those of RFC 1191, 7.1.
var plateaus = [...]int{32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68}

// lower6 is lower4 for a Packet Too Big message.
func (c *pathMTUs) lower6(now clock.Instant, s *Settings, k pathKey, mtu uint32, size int) (int, bool) {
	// RFC 8201, 4: "If a node receives a Packet Too Big message reporting a next-hop MTU that is less than the IPv6
	// minimum link MTU, it must discard it."
	if mtu < wire.IPv6MinMTU || int64(mtu) >= int64(size) {
		return 0, false
	}
	return c.lower(now, s, k, int(mtu), false)
}

// lower sets the path MTU, if it is smaller than before. RFC 8201, 4: "A node must not increase its estimate of the Path
// MTU in response to the contents of a Packet Too Big message."
func (c *pathMTUs) lower(now clock.Instant, s *Settings, k pathKey, mtu int, tooSmall bool) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, known := c.m[k]
	if known && e.until > now && (e.mtu < mtu || e.mtu == mtu && e.tooSmall == tooSmall) {
		return e.mtu, false
	}
	if c.m == nil {
		c.m = make(map[pathKey]pathMTU)
	}
	if !known {
		if len(c.order) >= maxPaths {
			delete(c.m, c.order[0])
			c.order = append(c.order[:0], c.order[1:]...)
		}
		c.order = append(c.order, k)
	}
	c.m[k] = pathMTU{mtu, tooSmall, now.Add(s.PathMTULifetime)}
	c.n.Store(int32(len(c.m)))
	return mtu, true
}

// expire forgets what is too old. It returns whether that was anything, and when there will be more.
func (c *pathMTUs) expire(now clock.Instant) (some bool, next clock.Instant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next = clock.Never
	kept := c.order[:0]
	for _, k := range c.order {
		until := c.m[k].until
		if until <= now {
			delete(c.m, k)
			some = true
			continue
		}
		kept = append(kept, k)
		next = min(next, until)
	}
	c.order = kept
	c.n.Store(int32(len(c.m)))
	return some, next
}

// pathMTUTimer is the Layer as owner of the timer of its path MTUs.
type pathMTUTimer Layer

// Expire implements shard.Timed. Paths in use are found anew, which makes their senders try larger packets again.
func (t *pathMTUTimer) Expire(now clock.Instant) clock.Instant {
	some, next := t.pmtu.expire(now)
	if some {
		t.generation.Add(1)
	}
	return next
}

// pathMTUChanged has every Path found anew, and the change undone when it is too old. No lock may be held.
func (l *Layer) pathMTUChanged(now clock.Instant) {
	l.generation.Add(1)
	l.control.Lock()
	l.control.Arm(&l.aging, now.Add(l.Settings().PathMTULifetime))
	l.control.Unlock()
}
