package tcpsock

import (
	"sync"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/wire"
)

// hostCache remembers what connections learned of the way to another host, for those to come: RFC 9040, 3, "temporal
// sharing", as Linux's tcp_metrics do. It is bounded; who was not heard of for longest makes room.
type hostCache struct {
	mu     sync.Mutex
	m      map[hostKey]*host
	newest *host // in the order of use, as a ring: newest.next is the one before it
}

// hostKey is a pair of addresses: RFC 7413, 4.1.3: "the client should cache at most one (most recently received) cookie per
// client and server IP address pair".
type hostKey struct {
	local, remote wire.Addr
	scope         uint32
}

func hostOf(k *flow.Key) hostKey { return hostKey{k.Local, k.Remote, k.Scope} }

type host struct {
	key        hostKey
	prev, next *host
	HostState
	used clock.Instant
}

// HostState is what is known of the way to a host.
type HostState struct {
	Local, Remote flow.Endpoint // without ports
	Age           time.Duration // since it was last added to
	tcp.Learned

	MSS      uint16              // that the host announced with the cookie; 0: nothing
	Cookie   wire.FastOpenOption // for Fast Open; absent: none
	TryExp   uint8               // 1: the experimental option is to be tried, 2: that did not help either
	SYNLoss  uint8               // how often in a row SYNs with a cookie were lost
	LastLoss clock.Instant       // when the last one was
}

const (
	maxHosts = 4096
	// hostLifetime is how long what was learned of a path is worth something: Linux's hour.
	hostLifetime = time.Hour
)

// find returns the entry of k, and makes it if add is set; nil: none. c.mu held.
func (c *hostCache) find(now clock.Instant, k hostKey, add bool) *host {
	h := c.m[k]
	if h == nil {
		if !add {
			return nil
		}
		if len(c.m) >= maxHosts {
			old := c.newest.prev
			c.unlink(old)
			delete(c.m, old.key)
		}
		if c.m == nil {
			c.m = make(map[hostKey]*host)
		}
		h = &host{key: k, used: now}
		c.m[k] = h
	} else {
		c.unlink(h)
		if now.Sub(h.used) > hostLifetime {
			h.Learned = tcp.Learned{} // the cookie is good until the server says otherwise
		}
	}
	c.link(h)
	if add {
		h.used = now
	}
	return h
}

// link makes h the newest.
func (c *hostCache) link(h *host) {
	if c.newest == nil {
		h.prev, h.next = h, h
	} else {
		h.next, h.prev = c.newest, c.newest.prev
		h.prev.next, h.next.prev = h, h
	}
	c.newest = h
}

func (c *hostCache) unlink(h *host) {
	h.prev.next, h.next.prev = h.next, h.prev
	if c.newest == h {
		if c.newest = h.next; c.newest == h {
			c.newest = nil
		}
	}
	h.prev, h.next = nil, nil
}

// metrics returns what is known of the way between k's ends.
func (c *hostCache) metrics(now clock.Instant, k *flow.Key) (m tcp.Learned) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := c.find(now, hostOf(k), false); h != nil {
		m = h.Learned
	}
	return m
}

// update changes the entry of k's ends.
func (c *hostCache) update(now clock.Instant, k *flow.Key, f func(h *HostState)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.find(now, hostOf(k), true).HostState)
}

// remember takes in what the connection c learned, at its end. sh locked.
func (c *Conn) remember(now clock.Instant) {
	limits := &c.layer.Settings().Limits
	if limits.NoMetrics {
		return
	}
	m, ok := c.tcb.Learned()
	if !ok {
		return
	}
	if limits.NoSSThreshMetrics {
		m.SSThresh = 0
	}
	c.layer.hosts.update(now, &c.key, func(h *HostState) { h.Merge(m) })
}

// Hosts returns what is known of other hosts, those used last first.
func (t *Layer) Hosts() (all []HostState) {
	c := &t.hosts
	now := t.rt.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for h := c.newest; h != nil; {
		s := h.HostState
		s.Local, s.Remote = flow.Endpoint{Addr: h.key.local, Scope: h.key.scope}, flow.Endpoint{Addr: h.key.remote, Scope: h.key.scope}
		s.Age = now.Sub(h.used)
		all = append(all, s)
		if h = h.next; h == c.newest {
			break
		}
	}
	return all
}

// FlushHosts forgets what is known of other hosts.
func (t *Layer) FlushHosts() {
	t.hosts.mu.Lock()
	defer t.hosts.mu.Unlock()
	t.hosts.m, t.hosts.newest = nil, nil
}
