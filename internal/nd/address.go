package nd

import (
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// autoPrefix is a prefix that addresses are formed from, and those addresses.
type autoPrefix struct {
	prefix           wire.Addr // 64 bits
	valid, preferred clock.Instant
	addr             *autoAddress   // that is not temporary; nil: removed by hand
	temps            []*autoAddress // in the order they were made
	dadCounter       uint8          // DAD_Counter of RFC 7217
	retries          int            // temporary addresses in succession that were duplicates
	given            bool           // up: so many that no more are made
	routers          []wire.Addr    // that advertise it, at most maxAdvertisers
}

// autoAddress is an address that was formed.
type autoAddress struct {
	addr             wire.Addr
	valid, preferred clock.Instant

	// Of temporary ones: what the lifetimes can be at most, and whether a successor has been made, or tried to.
	maxValid, maxPreferred clock.Instant
	succeeded              bool
}

// twoHours is how long an address stays at least, whatever an advertisement says (RFC 4862, 5.5.3 (e)).
const twoHours = 2 * time.Hour

// autonomous forms addresses from a prefix, or gives those it has other lifetimes: RFC 4862, 5.5.3. That the prefix is
// not the link-local one (b) was seen to.
func (h *Host) autonomous(now clock.Instant, router wire.Addr, m *wire.PrefixInformation) {
	switch {
	case !h.cfg.Settings.Autoconf:
		return
	case m.Preferred > m.Valid:
		// "c) If the preferred lifetime is greater than the valid lifetime, silently ignore the Prefix Information option."
		return
	case m.PrefixLen+iidBits != 128:
		// "If the sum of the prefix length and interface identifier length does not equal 128 bits, the Prefix Information
		// option MUST be ignored."
		return
	}
	valid, preferred := after(now, m.Valid), after(now, m.Preferred)
	i := slices.IndexFunc(h.autos, func(p *autoPrefix) bool { return p.prefix == m.Prefix })
	if i < 0 {
		// "d) If the prefix advertised is not equal to the prefix of an address configured by stateless autoconfiguration
		// already in the list …, and if the Valid Lifetime is not 0, form an address".
		if m.Valid != 0 {
			h.newPrefix(now, &autoPrefix{prefix: m.Prefix, valid: valid, preferred: preferred, routers: []wire.Addr{router}})
		}
		return
	}
	p := h.autos[i]
	if len(p.routers) < maxAdvertisers && !slices.Contains(p.routers, router) {
		p.routers = append(p.routers, router)
		h.want(ChangeParams)
	}
	p.valid, p.preferred = atLeast(now, p.valid, valid), preferred
	if p.addr == nil && m.Valid != 0 {
		h.form(now, p)
	}
	h.refresh(now, p)
	h.keepTemporary(now, p)
}

// atLeast returns until when an address is valid that was so until old, and is advertised to be until new.
//
// RFC 4862, 5.5.3 (e): "1. If the received Valid Lifetime is greater than 2 hours or greater than RemainingLifetime, set
// the valid lifetime of the corresponding address to the advertised Valid Lifetime. 2. If RemainingLifetime is less than
// or equal to 2 hours, ignore the Prefix Information option with regards to the valid lifetime … 3. Otherwise, reset the
// valid lifetime of the corresponding address to 2 hours."
func atLeast(now, old, new clock.Instant) clock.Instant {
	limit := now.Add(twoHours)
	switch {
	case new > limit || new > old:
		return new
	case old <= limit:
		return old
	}
	return limit
}

// newPrefix forms the first address of p.
func (h *Host) newPrefix(now clock.Instant, p *autoPrefix) {
	if h.form(now, p) {
		h.autos = append(h.autos, p)
		h.want(ChangeParams)
		h.keepTemporary(now, p)
	}
}

// room reports whether another address may be formed.
func (h *Host) room() bool {
	limit := h.cfg.Settings.MaxAddresses
	if limit <= 0 {
		return true
	}
	n := 0
	for _, p := range h.all() {
		n += len(p.addresses())
	}
	if n >= limit {
		h.refused++
	}
	return n < limit
}

// form gives p its address that is not temporary.
func (h *Host) form(now clock.Instant, p *autoPrefix) bool {
	iid, ok := h.identifier(p)
	if !ok || !h.room() {
		return false
	}
	p.addr = &autoAddress{addr: wire.Addr{Hi: p.prefix.Hi, Lo: iid}, valid: p.valid, preferred: p.preferred}
	h.act(now, AddAddress, p, p.addr)
	return true
}

// identifier returns the interface identifier of p's address that is not temporary.
func (h *Host) identifier(p *autoPrefix) (iid uint64, ok bool) {
	secret := h.cfg.Settings.Secret
	switch h.cfg.Settings.Forms() {
	case netif.Random:
		secret = h.randomSecret()
	case netif.Stable:
		if secret == (netif.Secret{}) {
			return 0, false // as Linux: without it, there is nothing to make an identifier from
		}
	default:
		return h.cfg.Address.InterfaceID(), h.cfg.Address != (wire.MAC{})
	}
	// RFC 7217, 5: "In the event that an unacceptable identifier has been generated, this situation SHOULD be handled in
	// the same way as the case of duplicate addresses".
	for ; p.dadCounter <= IDGenRetries; p.dadCounter++ {
		iid = StableIID(secret, p.prefix, h.cfg.Name, p.dadCounter)
		if !ReservedIID(iid) && !p.has(iid) {
			return iid, true
		}
	}
	return 0, false
}

// randomSecret returns the secret that netif.Random uses, drawn once.
func (h *Host) randomSecret() netif.Secret {
	for h.secret == (netif.Secret{}) {
		for i, r := 0, h.cfg.Rand(); i < len(h.secret); i++ {
			if i == 8 {
				r = h.cfg.Rand()
			}
			h.secret[i] = byte(r >> (i % 8 * 8))
		}
	}
	return h.secret
}

// refresh gives the addresses of p the lifetimes they have by the latest advertisement.
//
// RFC 4862, 5.5.3 (e): "the preferred lifetime of the address is reset to the Preferred Lifetime in the received
// advertisement." RFC 8981, 3.4: "no temporary addresses should ever remain 'valid' or 'preferred' for a time longer than
// (TEMP_VALID_LIFETIME) or (TEMP_PREFERRED_LIFETIME - DESYNC_FACTOR), respectively."
func (h *Host) refresh(now clock.Instant, p *autoPrefix) {
	for _, a := range p.addresses() {
		valid, preferred := p.valid, p.preferred
		if a != p.addr {
			valid, preferred = min(valid, a.maxValid), min(preferred, a.maxPreferred)
		}
		if valid != a.valid || preferred != a.preferred {
			a.valid, a.preferred = valid, preferred
			h.act(now, SetAddress, p, a)
		}
	}
}

// Duplicate tells that another node has the address a of ours.
func (h *Host) Duplicate(now clock.Instant, a wire.Addr) {
	p, t := h.find(a)
	switch {
	case p == nil:
	case t != p.addr:
		h.duplicateTemporary(now, p, t)
	case !h.opaque() || p.dadCounter >= IDGenRetries:
		// RFC 4862, 5.4: "If the address is derived from an interface identifier, a new identifier will need to be
		// assigned to the interface, or all IP addresses for the interface will need to be manually configured." RFC
		// 7217, 6: "hosts MUST NOT automatically fall back to employing other algorithms".
	default:
		// RFC 7217, 6: "it SHOULD resolve the address conflict by trying a new tentative address as follows: DAD_Counter
		// is incremented by 1. A new Interface Identifier is generated".
		h.remove(p, t)
		p.dadCounter++
		h.form(now, p)
	}
}

// opaque reports whether identifiers are made so that there are others to try.
func (h *Host) opaque() bool {
	f := h.cfg.Settings.Forms()
	return f == netif.Stable || f == netif.Random
}

// Removed tells that somebody took the address a away. It comes back with the next advertisement of its prefix.
func (h *Host) Removed(a wire.Addr) {
	p, t := h.find(a)
	if p == nil {
		return
	}
	p.drop(t)
	h.forgetEmpty()
}

// remove takes an address back.
func (h *Host) remove(p *autoPrefix, a *autoAddress) {
	p.drop(a)
	h.actions = append(h.actions, HostAction{RemoveAddress, netif.Address{Addr: a.addr}})
}

// expireAddresses forgets what is not valid any more, which the interface does by itself, and makes successors of
// temporary addresses.
func (h *Host) expireAddresses(now clock.Instant) {
	for _, p := range h.autos {
		for _, a := range p.addresses() {
			if a.valid <= now {
				p.drop(a)
			}
		}
		if p.valid > now {
			h.succeed(now, p)
		}
	}
	h.forgetEmpty()
}

func (h *Host) forgetEmpty() {
	h.autos = slices.DeleteFunc(h.autos, func(p *autoPrefix) bool { return p.addr == nil && len(p.temps) == 0 })
}

// addressDeadline returns when p next changes by itself.
func (h *Host) addressDeadline(p *autoPrefix) clock.Instant {
	at := h.successionAt(p)
	for _, a := range p.addresses() {
		at = min(at, a.valid)
	}
	return at
}

// act wants something done with an address.
func (h *Host) act(now clock.Instant, k HostActionKind, p *autoPrefix, a *autoAddress) {
	n := netif.Address{Addr: a.addr, Bits: 128 - iidBits, State: netif.Preferred, Origin: netif.SLAAC, Temporary: a != p.addr,
		// RFC 5942, 4: "The assignment of an IPv6 address … MUST NOT implicitly cause a prefix derived from that address to
		// be treated as on-link and added to the Prefix List."
		NoPrefixRoute: true, ValidUntil: Until(a.valid), PreferredUntil: Until(a.preferred)}
	if p == h.linkLocal {
		n.Origin, n.NoPrefixRoute = netif.LinkLocal, false
	}
	if a.preferred <= now {
		n.State = netif.Deprecated
	}
	h.actions = append(h.actions, HostAction{k, n})
}

// Until returns the end of a lifetime as netif.Address has it, where 0 stands for Never.
func Until(at clock.Instant) clock.Instant {
	if at == clock.Never {
		return 0
	}
	return max(at, 1)
}

// all returns the prefixes that addresses are formed from, the link-local one first.
func (h *Host) all() []*autoPrefix {
	if h.linkLocal == nil {
		return h.autos
	}
	return append([]*autoPrefix{h.linkLocal}, h.autos...)
}

// find returns the address a and its prefix, or nil.
func (h *Host) find(a wire.Addr) (*autoPrefix, *autoAddress) {
	for _, p := range h.all() {
		for _, t := range p.addresses() {
			if t.addr == a {
				return p, t
			}
		}
	}
	return nil, nil
}

// addresses returns all addresses of p.
func (p *autoPrefix) addresses() []*autoAddress {
	if p.addr == nil {
		return slices.Clone(p.temps)
	}
	return append([]*autoAddress{p.addr}, p.temps...)
}

func (p *autoPrefix) has(iid uint64) bool {
	return slices.ContainsFunc(p.addresses(), func(a *autoAddress) bool { return a.addr.Lo == iid })
}

func (p *autoPrefix) drop(a *autoAddress) {
	if a == p.addr {
		p.addr = nil
		return
	}
	p.temps = slices.DeleteFunc(p.temps, func(t *autoAddress) bool { return t == a })
}
