package nd

import (
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Temporary addresses (RFC 8981): each lives for a while and is followed by another, so that nobody can tell by the
// address that it is the same host.

// regenAdvance returns REGEN_ADVANCE. RFC 8981, 3.8: "2 + (TEMP_IDGEN_RETRIES * DupAddrDetectTransmits * RetransTimer /
// 1000)".
func (h *Host) regenAdvance() time.Duration {
	s := h.cfg.Settings
	retrans := h.params.RetransTimer
	if retrans == 0 {
		retrans = RetransTimer
	}
	return s.RegenMargin + time.Duration(s.TempRetries*max(0, s.DADTransmits))*retrans
}

// keepTemporary makes a temporary address if p has none that will do, after its lifetimes were advertised.
//
// RFC 8981, 3.4: "3. If the host has not configured any temporary address for the corresponding prefix, the host SHOULD
// create a new temporary address for such prefix."
func (h *Host) keepTemporary(now clock.Instant, p *autoPrefix) {
	if n := len(p.temps); n > 0 {
		last := p.temps[n-1]
		if last.preferred.Sub(now) > h.regenAdvance() {
			last.succeeded = false // it lives on, and will have a successor in time
			return
		}
		if !last.succeeded {
			return
		}
	}
	h.newTemporary(now, p)
}

// newTemporary makes a temporary address from p, if one is wanted and would be of use.
func (h *Host) newTemporary(now clock.Instant, p *autoPrefix) {
	s := h.cfg.Settings
	advance := h.regenAdvance()
	if s.TempAddr <= 0 || p.given || s.TempPreferred <= advance {
		return
	}
	// "DESYNC_FACTOR: A random value within the range 0 - MAX_DESYNC_FACTOR. It is computed each time a temporary address
	// is generated … It MUST be smaller than (TEMP_PREFERRED_LIFETIME - REGEN_ADVANCE)."
	var desync time.Duration
	if limit := min(s.Desync(), s.TempPreferred-advance); limit > 0 {
		desync = time.Duration(h.cfg.Rand() % uint64(limit))
	}
	// "4. … Its valid lifetime is the lower of the Valid Lifetime of the prefix and TEMP_VALID_LIFETIME. Its preferred
	// lifetime is the lower of the Preferred Lifetime of the prefix and TEMP_PREFERRED_LIFETIME - DESYNC_FACTOR."
	t := &autoAddress{maxValid: now.Add(s.TempValid), maxPreferred: now.Add(s.TempPreferred - desync)}
	t.valid, t.preferred = min(p.valid, t.maxValid), min(p.preferred, t.maxPreferred)
	// "5. A temporary address is created only if this calculated preferred lifetime is greater than REGEN_ADVANCE time
	// units."
	if t.preferred.Sub(now) <= advance || !h.room() {
		return
	}
	t.addr = wire.Addr{Hi: p.prefix.Hi, Lo: h.randomIID(p)}
	p.temps = append(p.temps, t)
	h.act(now, AddAddress, p, t)
}

// randomIID draws an identifier. RFC 8981, 3.3.1: "The resulting IID MUST be compared against the reserved IPv6 IIDs
// [RFC5453] … and against those IIDs already employed in an address of the same network interface and the same network
// prefix."
func (h *Host) randomIID(p *autoPrefix) uint64 {
	for {
		if iid := h.cfg.Rand(); !ReservedIID(iid) && !p.has(iid) {
			return iid
		}
	}
}

// successionAt returns when the latest temporary address of p needs a successor.
//
// RFC 8981, 3.5: "The host SHOULD start the process of address regeneration REGEN_ADVANCE time units before a temporary
// address is deprecated."
func (h *Host) successionAt(p *autoPrefix) clock.Instant {
	n := len(p.temps)
	if n == 0 || p.temps[n-1].succeeded {
		return clock.Never
	}
	last := p.temps[n-1]
	if last.preferred == clock.Never {
		return clock.Never
	}
	return last.preferred.Add(-h.regenAdvance())
}

// succeed makes the successor that is due. If the prefix itself is about to be deprecated there is none: "if a temporary
// address becomes deprecated as result of processing a Prefix Information option with a zero preferred lifetime, then a
// new temporary address MUST NOT be generated".
func (h *Host) succeed(now clock.Instant, p *autoPrefix) {
	if h.successionAt(p) <= now {
		p.temps[len(p.temps)-1].succeeded = true
		h.newTemporary(now, p)
	}
}

// knows reports whether an advertisement of the router is remembered.
func (h *Host) knows(router wire.Addr) bool {
	for i := range h.routes {
		if h.routes[i].router == router {
			return true
		}
	}
	for _, p := range h.autos {
		if slices.Contains(p.routers, router) {
			return true
		}
	}
	return false
}

// leaveTemporary takes back all temporary addresses, because the link is another one: its first advertisement is of a
// router that was not heard before.
//
// RFC 8981, 3.6: "when an interface connects to a new (different) link, existing temporary addresses for the corresponding
// interface MUST be removed, and new temporary addresses MUST be generated for use on the new link". "The host MAY follow
// any process available to it to determine that the link change has occurred."
func (h *Host) leaveTemporary() {
	for _, p := range h.autos {
		for _, t := range slices.Clone(p.temps) {
			h.remove(p, t)
		}
	}
	h.forgetEmpty()
}

// duplicateTemporary replaces a temporary address that another node has.
//
// RFC 8981, 3.4: "If DAD indicates the address is already in use, the host MUST generate a new randomized IID and repeat
// the previous steps …, up to TEMP_IDGEN_RETRIES times. If, after TEMP_IDGEN_RETRIES consecutive attempts, the host is
// unable to generate a unique temporary address, the host MUST log a system error and SHOULD NOT attempt to generate a
// temporary address for the given prefix for the duration of the host's attachment to the network via this interface."
func (h *Host) duplicateTemporary(now clock.Instant, p *autoPrefix, t *autoAddress) {
	h.remove(p, t)
	if p.retries >= h.cfg.Settings.TempRetries {
		p.given = true
		return
	}
	p.retries++
	h.newTemporary(now, p)
}
