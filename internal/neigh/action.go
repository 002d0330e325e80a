package neigh

import (
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Kind says what an Action asks for.
type Kind uint8

// The kinds.
const (
	// Solicit: send a solicitation for Target, by unicast to MAC or by multicast (ARP: broadcast). Source is the
	// source of the packet that prompted it, zero if none did: RFC 4861, 7.2.2: "If the source address of the
	// packet prompting the solicitation is the same as one of the addresses assigned to the outgoing interface,
	// that address SHOULD be placed in the IP Source Address of the outgoing solicitation."
	Solicit Kind = iota
	// Send: the neighbor Target is resolved; send Packet to MAC.
	Send
	// Fail: Target does not answer. RFC 4861, 7.2.2: "The sender MUST return ICMP destination unreachable
	// indications with code 3 (Address Unreachable) for each packet queued awaiting address resolution." Then
	// drop Packet for Reason.
	Fail
	// Drop: Packet had to make room, or its entry was removed; drop it for Reason. Target may be reachable.
	Drop
	// Changed: the state of Target, which is watched, is State now.
	Changed
)

// Action is something the cache wants done, in the order of Next. The Packet is then the caller's.
type Action struct {
	Kind    Kind
	Unicast bool           // Solicit
	Target  wire.Addr      // the neighbor
	Source  wire.Addr      // Solicit
	MAC     wire.MAC       // Send, unicast Solicit
	Packet  *packet.Buffer // Send, Fail, Drop
	Reason  mib.Reason     // Fail, Drop
	State   State          // Changed
}

// actions is what Next has not yet handed out.
type actions struct {
	pending []Action
	done    int // at the front of pending
}

// keepActions is the room for actions that is kept when there are none.
const keepActions = 64

func (a *actions) push(x Action) { a.pending = append(a.pending, x) }

// Next sets a to the next thing to do, or returns false if there is none.
func (c *Cache) Next(a *Action) bool {
	q := &c.actions
	if q.done == len(q.pending) {
		return false
	}
	*a = q.pending[q.done]
	q.pending[q.done] = Action{}
	q.done++
	if q.done == len(q.pending) {
		q.done, q.pending = 0, q.pending[:0]
		if cap(q.pending) > keepActions {
			q.pending = nil
		}
	}
	return true
}

// unreachable is the reason for dropping a packet to the neighbor addr that does not answer.
func unreachable(addr wire.Addr) mib.Reason {
	if addr.Is4() {
		return mib.Ip4NeighborUnreachable
	}
	return mib.Ip6NeighborUnreachable
}
