// Package trace carries what the stack did and why to whoever listens: addresses becoming usable, neighbors
// changing state, connections opening, losing and repairing, packets dropped with their reason.
//
// A [Tracer] with no [Sink] costs one nil check or one atomic load at each place that would emit.
package trace

import (
	"slices"
	"sync/atomic"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Kind says what happened.
type Kind uint8

// The kinds.
const (
	PacketDropped    Kind = iota // Reason, Packet
	InterfaceUp                  // In
	InterfaceDown                // In
	AddressTentative             // Src: DAD began (RFC 4862, 5.4)
	AddressReady                 // Src: usable
	AddressDuplicate             // Src, Peer link address in To: DAD failed
	NeighborChanged              // Dst; From, To: NUD states (RFC 4861, 7.3.2); LinkAddr
	TCPStateChanged              // Src, Dst, ports; From, To: states (RFC 9293, 3.3.2)
	TCPRetransmit                // Src, Dst, ports; Seq, Len; Reason: why
	TCPRecovery                  // From, To: recovery episodes ("open", "recovery", "loss")
	ICMPSent                     // Dst; Reason: the message

	AddressDeprecated  // Src: its preferred lifetime is over (RFC 4862, 5.5.4)
	AddressRemoved     // Src: it is not ours any more
	RouterFound        // Src: a default router (RFC 4861, 6.3.4)
	RouterLost         // Src: it is one no more
	NameServersChanged // In: other name servers or search domains are told of: by routers (RFC 8106), or set
	TCPPath            // Src, Dst, ports; Reason: what loss recovery came to do (docs/recovery.md); Len: segments concerned
	IPv6Disabled       // In: the link-local address is a duplicate (RFC 4862, 5.4.5)
	RouterInconsistent // In; Src: a router whose advertisements contradict ours; Reason: in what (RFC 4861, 6.2.7)
	AddressDefended    // Src: another station claims it too, whose link address is in To; we keep it (RFC 5227, 2.4)
	PacketStep         // In, Out, Src, Dst, Packet, and the fields below ID: only those of AddSteps hear of these
)

var kinds = [...]string{"dropped", "interface up", "interface down", "address tentative", "address ready",
	"address duplicate", "neighbor", "tcp state", "tcp retransmit", "tcp recovery", "icmp sent",
	"address deprecated", "address removed", "router found", "router lost", "name servers changed", "tcp path", "ipv6 disabled",
	"router inconsistent", "address defended", "step"}

// String returns the kind in words.
func (k Kind) String() string { return kinds[k] }

// Event is one thing that happened. Which fields mean something depends on Kind.
type Event struct {
	At               clock.Instant
	Kind             Kind
	In, Out          int32 // interface indices
	Proto            uint8
	Src, Dst         wire.Addr
	SrcPort, DstPort uint16
	LinkAddr         wire.MAC
	Seq, Len         uint32
	From, To         string
	Reason           string
	Rule             string         // PacketDropped: what wanted it so, as a hook and where; empty: the stack itself
	Packet           *packet.Buffer // borrowed: good until Trace returns; its Bytes may have lost headers in front. nil in a PacketStep: it is gone

	// Of PacketStep; Reason, with Dropped, and Rule besides.
	ID       uint32   // of the packet: they count up from 1
	Step     Step     // 0: what is told is the outcome only
	Last     Step     // the last of several steps that were taken at once; 0: Step
	Decision string   // what was decided
	Entry    string   // the entry of a table that it was read from
	Details  []string // among what, or what it is made of
	What     string   // what the packet carries, where that is found out
	Hooks    []HookVerdict
	Waiting  int // packets in the queue it waits in, itself included; 0: none, or it does not wait
	Outcome  Outcome
}

// Sink receives events. Trace is called from within the stack, often with a lock held: it must be quick, must
// not block and must not call back into the stack. e is good until Trace returns.
type Sink interface{ Trace(e *Event) }

// Tracer is where one stack's events go. The nil Tracer and the zero one drop everything.
type Tracer struct {
	listeners atomic.Pointer[[]*listener]
	steps     atomic.Pointer[Steps]
	ids       atomic.Uint32
}

// listener is one Add of a Sink.
type listener struct{ sink Sink }

// Enabled reports whether anybody listens; events are built only then.
func (t *Tracer) Enabled() bool { return t != nil && t.listeners.Load() != nil }

// Emit gives e to every listener.
func (t *Tracer) Emit(e *Event) {
	if t == nil {
		return
	}
	if ls := t.listeners.Load(); ls != nil {
		for _, l := range *ls {
			l.sink.Trace(e)
		}
	}
}

// Add makes s a listener, after those there are. remove ends that; an event under way may still reach s.
func (t *Tracer) Add(s Sink) (remove func()) {
	l := &listener{s}
	t.change(func(old []*listener) []*listener { return append(slices.Clip(old), l) })
	return func() {
		t.change(func(old []*listener) []*listener {
			return slices.DeleteFunc(slices.Clone(old), func(o *listener) bool { return o == l })
		})
	}
}

func (t *Tracer) change(f func([]*listener) []*listener) {
	for {
		old := t.listeners.Load()
		var was []*listener
		if old != nil {
			was = *old
		}
		now := f(was)
		var next *[]*listener
		if len(now) > 0 {
			next = &now
		}
		if t.listeners.CompareAndSwap(old, next) {
			return
		}
	}
}
