package ip

import (
	"fmt"
	"sync/atomic"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/neigh"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/wire"
)

// ErrTentative is the error of Route when the destination can be reached but the addresses to send from are still
// being verified (RFC 4862, 5.4). WaitSettled waits for the end of that. errors.Is finds EADDRNOTAVAIL in it.
var ErrTentative error = fmt.Errorf("address is still tentative: %w", syscall.EADDRNOTAVAIL)

// Query asks for a way to a destination.
type Query struct {
	Src, Dst wire.Addr // Src zero or unspecified: choose
	Scope    uint32    // interface index of a link-local, multicast or broadcast destination; 0: not known
	Out      int32     // interface the sender is pinned to; 0: any
	VRF      uint32    // table of the VRF that the sender is in, 0: none; that of Out goes before

	SourcePrefs addrsel.Preferences // what it prefers if Src is chosen

	Flow  Flow
	Habit wire.Addr // the NextHop in use so far; zero: that of the Path that the answer goes into

	Why Notes // takes notes, and so the answer is for nobody to send by; nil: nobody asks
	Dry bool  // nobody sends by the answer: routers that do not answer do not pass their turn on, nor are missed
}

// Flow is what rules and multipath routes go by besides addresses and interfaces.
type Flow struct {
	Mark         uint32 // of the socket
	FlowLabel    uint32
	Ports        uint32 // as flow.Key has them; 0: there are none
	TrafficClass uint8
	Proto        uint8
}

// Path is how packets get from this host to a destination: what steps 3 to 8 decided. It does not change, and holds
// until the configuration or the path's MTU changes; Layer.Valid tells.
type Path struct {
	Generation uint64
	Src, Dst   wire.Addr
	Scope      uint32            // of the Query
	NextHop    wire.Addr         // the gateway, or Dst
	If         *netif.Interface  // it leaves by; with Local the one that has Dst
	MTU        int               // octets of the largest packet, internet header included
	Local      bool              // Dst is one of our addresses
	Broadcast  bool              // Dst is an IPv4 broadcast address of the link
	Multicast  bool              // Dst is a multicast group
	Flow       Flow              // of the Query
	Attributes *route.Attributes // of the route; nil: it has none

	out      int32               // of the Query
	vrf      uint32              // of the Query
	prefs    addrsel.Preferences // of the Query
	fragment bool                // the path takes less than MTU: never set DF
	toSelf   bool                // we receive what is sent to Dst ourselves
	hostOnly bool                // nobody else does: Dst is of interface-local scope
	fixed    bool                // linkDst says where on the link: Dst is a group or broadcast
	linkDst  wire.MAC
	known    *neighbors                  // of the interface; nil: no link-layer addresses there
	entry    atomic.Pointer[neigh.Entry] // of NextHop, once it is found
	route    atomic.Uint32               // for packet.Meta.Route; for traces only
}

// Params are the fields of the internet header that the transport chooses.
type Params struct {
	Proto        uint8
	HopLimit     uint8 // TTL or hop limit; 0: 64, and 1 for multicast (RFC 1112, 6.1; RFC 3493, 5.2)
	TrafficClass uint8
	FlowLabel    uint32 // 20 bits; IPv6 only
	// DontFragment sets DF on IPv4, and forbids fragmentation here. A packet too big for its path is then
	// dropped, and Transport.Error told (Local, EMSGSIZE).
	DontFragment bool
	// MTU is that of the path, in octets, if what is known of it is not to be heeded; 0: it is.
	MTU uint16
	// Of packets to groups: NoLoop has none of them come back to our own members (they do by default: RFC 1112, 6.1), and
	// HostOnly has them go nowhere else (a TTL of 0: RFC 1112, 6.1).
	NoLoop, HostOnly bool
}

// LinkMTU returns the largest packet, in octets, that the first link takes, whatever is known of the path behind it.
func (p *Path) LinkMTU() int {
	if p.Local {
		return p.MTU
	}
	return p.If.MTUOf(p.Dst.Is4())
}

// Leaves reports whether a packet sent along p with pr gets anywhere. One for our own members only does not if there are none.
func (p *Path) Leaves(pr *Params) bool {
	return !p.hostOnly && !pr.HostOnly || p.Local || p.toSelf && !pr.NoLoop
}

// HostOnly reports whether a packet sent along p with pr, to a group, stays on this machine.
func (p *Path) HostOnly(pr *Params) bool { return p.hostOnly || pr.HostOnly }

// LoopsBack reports whether a copy of a packet sent along p with pr, to many, comes back to us.
func (p *Path) LoopsBack(pr *Params) bool { return p.toSelf && !pr.NoLoop }

// Pinned returns the interface that the Query was pinned to.
func (p *Path) Pinned() int32 { return p.out }

// SourcePrefs returns what the Query preferred of sources.
func (p *Path) SourcePrefs() addrsel.Preferences { return p.prefs }

// Valid reports whether p still holds: one atomic load.
func (l *Layer) Valid(p *Path) bool { return p.Generation == l.generation.Load() }

// Apart reports whether an interface is in a VRF: only sockets that are bound to it hear what comes in by it.
func (l *Layer) Apart(index int32) bool { return l.snap.Load().vrfOf(index) != 0 }

// SpreadsFlows reports whether packets of a family to one destination may go different ways by their ports or flow labels.
func (l *Layer) SpreadsFlows(four bool) bool {
	_, _, flows := l.snap.Load().routes.Depends(four)
	return flows
}

// Confirm tells that packets sent along p arrive: the upper layer made forward progress (RFC 4861, 7.3.1).
func (l *Layer) Confirm(p *Path, now clock.Instant) {
	if p.fixed {
		return
	}
	if e := p.neighbor(); e != nil {
		e.Confirm(now)
	}
}
