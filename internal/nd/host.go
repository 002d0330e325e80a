package nd

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// HostConfig is what a Host needs to know of its interface. Settings and Rand must be set.
type HostConfig struct {
	Name      string // for the interface identifiers of RFC 7217
	Interface int32  // index, for routes
	Address   wire.MAC
	LinkMTU   int // octets; the largest that an advertisement can set
	// Forwarding says whether the node is a router; SetForwarding changes it.
	Forwarding bool
	// Settings is read at every event; its owner may change it between them.
	Settings *netif.IPv6
	// Rand returns unpredictable bits.
	Rand func() uint64
}

// Host is the host side of Neighbor Discovery on one interface: it solicits routers, learns from their advertisements,
// and forms addresses. It knows no other node's link-layer address: that is package neigh's. The order of calls is
//
//	Start, Ready, Duplicate, Removed, Resume, Stop, Reset     an event of the interface
//	Advertised, LostRouter, SetForwarding, Timeout            other events
//	Next                                                      until it returns false: what to do
//	Routes, Routers, Prefixes, Advertisers, Servers, Domains, Params       what is known
//	Deadline                                                  when to call Timeout next
type Host struct {
	cfg        HostConfig
	secret     netif.Secret // of netif.Random
	forwarding bool
	solicitor  solicitor
	params     Params
	routes     []learned     // default routers and route information, as they came
	prefixes   []Prefix      // the Prefix List
	linkLocal  *autoPrefix   // nil: none
	autos      []*autoPrefix // that addresses are formed from
	dns        dnsList
	actions    []HostAction
	refused    int
	reattached bool // the link came back, and no router was heard since
}

// HostActionKind says what a Host wants done.
type HostActionKind uint8

// The kinds.
const (
	Solicit       HostActionKind = iota // send a Router Solicitation
	AddAddress                          // Address is to be added, with duplicate address detection
	SetAddress                          // Address has other lifetimes
	RemoveAddress                       // Address is to go
	ChangeRoutes                        // Routes answers otherwise than before
	ChangeParams                        // Params or Advertisers does
	ChangeDNS                           // Servers or Domains does
)

// HostAction is one thing that a Host wants done.
type HostAction struct {
	Kind    HostActionKind
	Address netif.Address
}

// Params are what advertisements say of the link. A zero field was never specified.
type Params struct {
	HopLimit      int           // CurHopLimit
	MTU           int           // LinkMTU, octets
	ReachableTime time.Duration // BaseReachableTime
	RetransTimer  time.Duration
	Managed       bool // M: addresses are available by DHCPv6
	Other         bool // O: other information is
}

// NewHost returns a Host that knows nothing and does nothing until Start.
func NewHost(cfg HostConfig) *Host {
	return &Host{cfg: cfg, forwarding: cfg.Forwarding, solicitor: solicitor{at: clock.Never}}
}

// Start begins: a link-local address is formed (RFC 4862, 5.3), unless an address that is not formed here serves.
// Routers are solicited as soon as it is Ready.
func (h *Host) Start(now clock.Instant, linkLocal bool) {
	if linkLocal && h.cfg.Settings.Forms() != netif.NoIID {
		h.linkLocal = &autoPrefix{prefix: wire.Addr{Hi: 0xfe80 << 48}, valid: clock.Never, preferred: clock.Never}
		if h.form(now, h.linkLocal) {
			return
		}
		h.linkLocal = nil
	}
	h.solicit(now, true)
}

// Ready tells that an address may be used. delayed says that there was a random delay before its duplicate address
// detection.
func (h *Host) Ready(now clock.Instant, a wire.Addr, delayed bool) {
	p, t := h.find(a)
	switch {
	case p == nil:
	case p == h.linkLocal:
		// RFC 4861, 6.3.7: "If a host has already performed a random delay since the interface became (re)enabled
		// (e.g., as part of Duplicate Address Detection [ADDRCONF]), there is no need to delay again".
		h.solicit(now, !delayed)
	case t != p.addr:
		p.retries = 0
	}
}

// Resume tells that the link is there again, perhaps another one, and that it has a usable link-local address, or needs
// none.
func (h *Host) Resume(now clock.Instant) {
	h.reattached = true
	for _, p := range h.autos {
		p.given, p.retries = false, 0
	}
	h.solicit(now, true)
}

// Stop ends soliciting, because the link is gone. What was learned is kept until its time is over.
func (h *Host) Stop() { h.solicitor.stop() }

// Reset forgets everything and takes back all addresses.
func (h *Host) Reset() {
	h.solicitor.stop()
	for _, p := range h.all() {
		for _, a := range p.addresses() {
			h.remove(p, a)
		}
	}
	h.linkLocal, h.autos, h.prefixes, h.routes, h.dns = nil, nil, nil, nil, dnsList{}
	h.params = Params{}
	h.want(ChangeRoutes)
	h.want(ChangeParams)
	h.want(ChangeDNS)
}

// SetForwarding tells whether the interface's node forwards packets: whether it is a router.
func (h *Host) SetForwarding(now clock.Instant, on bool) {
	if on == h.forwarding {
		return
	}
	h.forwarding = on
	if !h.accepts() {
		// A router's routes are not those of hosts: Linux forgets default routers too.
		h.solicitor.stop()
		h.forgetRouters(func(r *learned) bool { return r.bits == 0 })
		return
	}
	// RFC 4861, 6.3.7: "The system changes from being a router to being a host, by having its IP forwarding capability
	// turned off by system management."
	h.solicit(now, true)
}

// accepts reports whether advertisements are to be believed.
//
// RFC 4861, 6.2.7: "Routers" inspect advertisements of others for consistency only; Linux's accept_ra of 2 overrules
// that.
func (h *Host) accepts() bool {
	return h.cfg.Settings.AcceptRA > 1 || h.cfg.Settings.AcceptRA == 1 && !h.forwarding
}

// Refused returns how many routers, routes, prefixes, addresses, name servers and domains were not taken because there
// were too many.
func (h *Host) Refused() int { return h.refused }

// Params returns what is known of the link.
func (h *Host) Params() Params { return h.params }

// Next sets a to the next thing to be done, or returns false if there is none.
func (h *Host) Next(a *HostAction) bool {
	if len(h.actions) == 0 {
		return false
	}
	*a = h.actions[0]
	h.actions = h.actions[1:]
	if len(h.actions) == 0 {
		h.actions = nil
	}
	return true
}

// want asks for something once.
func (h *Host) want(k HostActionKind) {
	for i := range h.actions {
		if h.actions[i].Kind == k {
			return
		}
	}
	h.actions = append(h.actions, HostAction{Kind: k})
}

// Timeout does what is due.
func (h *Host) Timeout(now clock.Instant) {
	if h.solicitor.timeout(now, h) {
		h.want(Solicit)
	}
	h.expireRoutes(now)
	h.expireAddresses(now)
	if h.dns.expire(now) {
		h.want(ChangeDNS)
	}
}

// Deadline returns when Timeout has something to do, or clock.Never.
func (h *Host) Deadline() clock.Instant {
	at := min(h.solicitor.at, h.dns.deadline())
	for i := range h.routes {
		at = min(at, h.routes[i].until)
	}
	for i := range h.prefixes {
		at = min(at, h.prefixes[i].Until)
	}
	for _, p := range h.autos {
		at = min(at, h.addressDeadline(p))
	}
	return at
}

// after returns the instant a lifetime of so many seconds ends: 4.6.2: "A value of all one bits (0xffffffff) represents
// infinity."
func after(now clock.Instant, seconds uint32) clock.Instant {
	if seconds == wire.InfiniteLifetime {
		return clock.Never
	}
	return now.Add(time.Duration(seconds) * time.Second)
}
