package flow

import "github.com/onlink-go/onlink/wire"

// Endpoint is one end of a conversation. Scope is the interface index of a link-local address, else 0.
type Endpoint struct {
	Addr  wire.Addr
	Port  uint16
	Scope uint32
}

// Family says which addresses a wildcard socket takes.
type Family uint8

// The families.
const (
	Dual Family = iota // as an IPv6 socket without IPV6_V6ONLY: both
	Only4
	Only6
)

// Takes reports whether a is of the family.
func (f Family) Takes(a wire.Addr) bool { return f == Dual || a.Is4() == (f == Only4) }

// Bound is what a socket is bound to: its local end, whose unspecified address is the wildcard of Family.
type Bound struct {
	Local  Endpoint
	Family Family
	Device int32 // index of the interface that it hears by and sends by alone; 0: all
}

// Match returns how well the binding fits a packet to local, which came in on scope if that matters, 0: that is not known: 1 for the
// address itself, 0 for a wildcard, negative for not at all. The port has been compared.
func (b *Bound) Match(local wire.Addr, scope uint32) int {
	switch {
	case b.Local.Addr == local:
		if local.NeedsScope() && b.Local.Scope != 0 && scope != 0 && b.Local.Scope != scope {
			return -1
		}
		return 1
	case b.Local.Addr.IsUnspecified() && b.Family.Takes(local):
		return 0
	}
	return -1
}

// Hears returns how well a socket that is bound to the interface device, 0: to none, fits a packet that came in by the
// interface in, 0: that is not known. It is 1 for its own interface, 0 for any, negative for not at all. What came in by an
// interface that is apart, in a VRF, is for sockets that are bound to that interface only.
func Hears(device, in int32, apart bool) int {
	switch {
	case in == 0, device == 0 && !apart:
		return 0
	case device == in:
		return 1
	}
	return -1
}

// Overlaps reports whether b and o, on one port, claim the same packets.
func (b *Bound) Overlaps(o *Bound) bool {
	ba, oa := b.Local.Addr, o.Local.Addr
	switch {
	case b.Device != 0 && o.Device != 0 && b.Device != o.Device:
		return false
	case ba.IsUnspecified() && oa.IsUnspecified():
		return b.Family == Dual || o.Family == Dual || b.Family == o.Family
	case ba.IsUnspecified():
		return b.Family.Takes(oa)
	case oa.IsUnspecified():
		return o.Family.Takes(ba)
	}
	bs, os := b.Local.Scope, o.Local.Scope
	return ba == oa && (bs == os || bs == 0 || os == 0 || !ba.NeedsScope())
}

// ScopeOf returns the interface index that a, coming in on ifindex, needs to mean something; else 0.
func ScopeOf(a wire.Addr, ifindex int32) uint32 {
	if a.NeedsScope() {
		return uint32(ifindex)
	}
	return 0
}
