package nd

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// solicitor decides when Router Solicitations are sent (RFC 4861, 6.3.7; RFC 7559).
type solicitor struct {
	at       clock.Instant // of the next one; Never: no more
	sent     int
	interval time.Duration // RT of RFC 3315, 14
	heard    bool          // an advertisement came before the first was sent
}

// solicit begins to solicit routers, unless the interface does not want to hear from them.
func (h *Host) solicit(now clock.Instant, delay bool) {
	s := h.cfg.Settings
	h.solicitor.stop()
	if !h.accepts() || s.Solicitations == 0 {
		return
	}
	h.solicitor = solicitor{at: now}
	// "Before a host sends an initial solicitation, it SHOULD delay the transmission for a random amount of time between
	// 0 and MAX_RTR_SOLICITATION_DELAY."
	if delay && s.SolicitInitialDelay > 0 {
		h.solicitor.at = now.Add(time.Duration(h.cfg.Rand() % uint64(s.SolicitInitialDelay)))
	}
	if h.solicitor.timeout(now, h) {
		h.want(Solicit)
	}
}

func (s *solicitor) stop() { s.at = clock.Never }

// timeout reports whether a solicitation is due.
func (s *solicitor) timeout(now clock.Instant, h *Host) bool {
	if now < s.at {
		return false
	}
	set := h.cfg.Settings
	s.sent++
	if s.heard || set.Solicitations > 0 && s.sent >= set.Solicitations {
		s.stop()
		return true
	}
	s.at = now.Add(s.backOff(set.SolicitInterval, set.SolicitMaxInterval, h.cfg.Rand()))
	return true
}

// backOff returns the time to the next solicitation: the algorithm of RFC 3315, 14, which RFC 7559, 2, uses, "RT for
// the first message transmission: RT = IRT + RAND*IRT", and then "RT = 2*RTprev + RAND*RTprev", up to "RT = MRT +
// RAND*MRT". RAND is between -0.1 and +0.1; not below zero at first, because RFC 4861, 6.3.7, wants solicitations
// "separated by at least RTR_SOLICITATION_INTERVAL seconds".
func (s *solicitor) backOff(irt, mrt time.Duration, random uint64) time.Duration {
	irt = max(irt, time.Second)
	tenth := func(d time.Duration) time.Duration { return time.Duration(random % uint64(max(1, d/10))) }
	if s.interval == 0 {
		s.interval = irt + tenth(irt)
		return s.interval
	}
	prev := s.interval
	s.interval = 2*prev - prev/10 + 2*tenth(prev)
	if mrt > 0 && s.interval > mrt {
		s.interval = mrt - mrt/10 + 2*tenth(mrt)
	}
	return s.interval
}

// hear tells that an advertisement came; defaultRouter says that its router lifetime is not zero.
func (s *solicitor) hear(defaultRouter bool) {
	// RFC 7559, 2.1: "If an RA is received from a router and it does not result in a default route (i.e., Router Lifetime
	// is zero), the host MUST continue retransmitting the RSs."
	if !defaultRouter || s.at == clock.Never {
		return
	}
	// RFC 4861, 6.3.7: "Once the host sends a Router Solicitation, and receives a valid Router Advertisement with a
	// non-zero Router Lifetime, the host MUST desist from sending additional solicitations … Moreover, a host SHOULD send
	// at least one solicitation in the case where an advertisement is received prior to having sent a solicitation."
	if s.sent == 0 {
		s.heard = true
		return
	}
	s.stop()
}
