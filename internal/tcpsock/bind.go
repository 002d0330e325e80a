package tcpsock

import (
	"sync/atomic"
	"syscall"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/shard"
)

// Sharing says with which others a socket shares its port. The rules are Linux's: two sockets claim the same packets and
// yet may be bound both, if both have ReusePort, or if both have ReuseAddr and neither listens. Connections count as
// sockets, also when nobody holds them any more: with ReuseAddr a server can be started anew while those of the last
// one are in TIME-WAIT.
type Sharing uint8

// The ways to share: SO_REUSEADDR and SO_REUSEPORT.
const (
	ReuseAddr Sharing = 1 << iota
	ReusePort
)

// Claim is a port that a socket is bound to, whatever becomes of it then.
type Claim struct {
	layer     *Layer
	bound     flow.Bound
	sharing   atomic.Uint32
	listening atomic.Bool
}

// Bind claims what bound says; port 0 asks for an ephemeral one. Errors: EADDRINUSE, EADDRNOTAVAIL.
func (t *Layer) Bind(bound flow.Bound, sharing Sharing) (*Claim, error) {
	if a := bound.Local.Addr; !a.IsUnspecified() && !t.ip.Assigned(a, bound.Local.Scope) {
		return nil, syscall.EADDRNOTAVAIL
	}
	c := &Claim{layer: t, bound: bound}
	c.sharing.Store(uint32(sharing))
	t.binding.Lock()
	defer t.binding.Unlock()
	if bound.Local.Port != 0 {
		return c, c.take(bound.Local.Port)
	}
	for port := range t.ports.Bind() {
		if len(t.claims.On(port)) == 0 && c.take(port) == nil {
			return c, nil
		}
	}
	return nil, syscall.EADDRINUSE
}

// take claims port. t.binding locked.
func (c *Claim) take(port uint16) error {
	t := c.layer
	c.bound.Local.Port = port
	for _, l := range t.listen.On(port) {
		if l.claim == nil && c.bound.Overlaps(&l.bound) {
			return syscall.EADDRINUSE
		}
	}
	if t.inUse(&c.bound, c.Sharing()) {
		return syscall.EADDRINUSE
	}
	if e := t.claims.Bind(c, t.ports); e != 0 {
		return e
	}
	return nil
}

// inUse reports whether a connection, or what is left of one, keeps others from being bound to b.
func (t *Layer) inUse(b *flow.Bound, sharing Sharing) bool {
	for i, sh := range t.ip.Shards() {
		if t.tables[i].uses(sh, b, sharing) {
			return true
		}
	}
	return false
}

// uses is inUse for the connections of sh.
func (tab *table) uses(sh *shard.Shard, b *flow.Bound, sharing Sharing) bool {
	sh.Lock()
	defer sh.Unlock()
	for c := tab.first; c != nil; c = c.next {
		if c.key.LocalPort() == b.Local.Port && b.Match(c.key.Local, c.key.Scope) >= 0 && sharing&c.sharing == 0 {
			return true
		}
	}
	for r := tab.firstRemnant; r != nil; r = r.next {
		if r.key.LocalPort() == b.Local.Port && b.Match(r.key.Local, r.key.Scope) >= 0 && sharing&r.sharing == 0 {
			return true
		}
	}
	return false
}

// Local returns what is claimed.
func (c *Claim) Local() flow.Endpoint { return c.bound.Local }

// Sharing returns with which others the claim is shared, and SetSharing changes it.
func (c *Claim) Sharing() Sharing     { return Sharing(c.sharing.Load()) }
func (c *Claim) SetSharing(s Sharing) { c.sharing.Store(uint32(s)) }

// Release gives the port back. What listens or is connected there keeps it as long as it lives.
func (c *Claim) Release() { c.layer.claims.Unbind(c) }

// Binding implements flow.Socket.
func (c *Claim) Binding() *flow.Bound { return &c.bound }

// Conflicts implements flow.Socket.
func (c *Claim) Conflicts(o *Claim) bool {
	both := c.Sharing() & o.Sharing()
	shared := both&ReusePort != 0 || both&ReuseAddr != 0 && !o.listening.Load()
	return !shared && c.bound.Overlaps(&o.bound)
}

// listenOn makes c's the port of a listener. Errors: EADDRINUSE if somebody else listens there by now, or connections
// are left. t.binding locked.
func (c *Claim) listenOn() error {
	for _, o := range c.layer.claims.On(c.bound.Local.Port) {
		if o != c && c.Conflicts(o) {
			return syscall.EADDRINUSE
		}
	}
	if c.layer.inUse(&c.bound, c.Sharing()) {
		return syscall.EADDRINUSE
	}
	c.listening.Store(true)
	return nil
}

// SetSharing says with which others the connection shares its port.
func (c *Conn) SetSharing(s Sharing) {
	c.sh.Lock()
	defer c.sh.Unlock()
	c.sharing = s
}

// claimed reports whether a listener that no claim stands behind would take what is claimed.
func (t *Layer) claimed(b *flow.Bound) bool {
	for _, c := range t.claims.On(b.Local.Port) {
		if (c.Sharing()&ReuseAddr == 0 || c.listening.Load()) && c.bound.Overlaps(b) {
			return true
		}
	}
	return false
}
