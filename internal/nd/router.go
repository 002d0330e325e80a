package nd

import (
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// The constants of RFC 4861, 10, for routers.
const (
	maxInitialInterval       = 16 * time.Second // MAX_INITIAL_RTR_ADVERT_INTERVAL
	maxInitialAdvertisements = 3                // MAX_INITIAL_RTR_ADVERTISEMENTS
	maxFinalAdvertisements   = 3                // MAX_FINAL_RTR_ADVERTISEMENTS
	minDelayBetweenRAs       = 3 * time.Second  // MIN_DELAY_BETWEEN_RAS
	maxRADelay               = time.Second / 2  // MAX_RA_DELAY_TIME
)

// maxUnicast bounds the hosts that wait for an answer of their own; with more, all nodes are answered at once.
const maxUnicast = 32

// maxGone bounds the link-local addresses that still say farewell.
const maxGone = 4

// RouterConfig is what a Router needs to know of its interface.
type RouterConfig struct {
	Address wire.MAC // the interface's
	MTU     int      // octets of a packet at most
	// Rand returns unpredictable bits.
	Rand func() uint64
}

// Router is the router side of Neighbor Discovery on one interface: it sends Router Advertisements (RFC 4861, 6.2). The
// order of calls is
//
//	SetLink                               before the others, and when it changes
//	Advertise, Stop, Solicited, Timeout   an event
//	Next                                  until it returns false: what to send
//	Final                                 what to send if the interface goes away at once
//	Check                                 what is wrong with another router's advertisement
//	Deadline                              when to call Timeout next
type Router struct {
	cfg     RouterConfig
	adv     *Advertising // complete; nil: it is no advertising interface
	since   clock.Instant
	now     speaker   // speaks for adv
	gone    []speaker // that were replaced, or ceased: the last ones speak without a lifetime
	unicast []answer
	out     []RouterMessage
}

// speaker is a source address that advertisements come from. RFC 4861, 6.2.8: "Nodes receiving Neighbor Discovery messages
// use the source address to identify the sender."
type speaker struct {
	src   wire.Addr
	adv   *Advertising  // of one that is gone
	since clock.Instant // that adv's lifetimes count from
	sent  int           // unsolicited advertisements of this kind, as far as they are counted
	last  clock.Instant // when the last one to all nodes left; negative: never
	at    clock.Instant // when the next is to
}

// answer is an advertisement to one host.
type answer struct {
	dst wire.Addr
	at  clock.Instant
}

// RouterMessage is a Router Advertisement from Src to Dst, which is the all-nodes group or a host.
type RouterMessage struct {
	Src, Dst wire.Addr
	Body     wire.RouterAdvertisement
}

// NewRouter returns a Router that advertises nothing.
func NewRouter(cfg RouterConfig) *Router {
	return &Router{cfg: cfg, now: speaker{at: clock.Never, last: -1}}
}

// Advertising returns what is advertised; nil: nothing.
func (r *Router) Advertising() *Advertising { return r.adv }

// Source returns the address that advertisements come from; unspecified: there are none.
func (r *Router) Source() wire.Addr { return r.now.src }

// SetLink tells the interface's address and the octets of the largest packet that it sends.
func (r *Router) SetLink(address wire.MAC, mtu int) { r.cfg.Address, r.cfg.MTU = address, mtu }

// Advertise has adv, which is complete, advertised from the link-local address src from now on; nil: nothing. What is said
// of lifetimes that decrement counts from since.
//
// RFC 4861, 6.2.2: "A router MUST NOT send Router Advertisements out any interface that is not an advertising interface."
func (r *Router) Advertise(now, since clock.Instant, adv *Advertising, src wire.Addr) {
	if adv == nil {
		src = wire.Addr{}
	}
	if adv == r.adv && src == r.now.src {
		return
	}
	if r.adv != nil && src != r.now.src {
		// 6.2.5: "the router SHOULD transmit one or more (but not more than MAX_FINAL_RTR_ADVERTISEMENTS) final multicast Router
		// Advertisements on the interface with a Router Lifetime field of zero." 6.2.8: "The router SHOULD multicast a few
		// Router Advertisements from the old link-local address with the Router Lifetime field set to zero".
		r.cease(now)
	}
	r.adv, r.since = adv, since
	if adv == nil {
		return
	}
	if src != r.now.src {
		r.now = speaker{src: src, last: -1}
		// One that comes back has nothing to take back any more.
		if i := slices.IndexFunc(r.gone, func(s speaker) bool { return s.src == src }); i >= 0 {
			r.now.last = r.gone[i].last
			r.gone = slices.Delete(r.gone, i, i+1)
		}
	}
	// 6.2.4: "The information contained in Router Advertisements may change through actions of system management. … In such cases,
	// the router MAY transmit up to MAX_INITIAL_RTR_ADVERTISEMENTS unsolicited advertisements, using the same rules as when
	// an interface becomes an advertising interface."
	r.now.sent, r.now.at = 0, r.now.soonest(now)
	r.Timeout(now)
}

// cease has the present speaker say that it was a router.
func (r *Router) cease(now clock.Instant) {
	s := r.now
	s.adv, s.since, s.sent, s.at = r.adv, r.since, 0, s.soonest(now)
	r.now = speaker{at: clock.Never, last: -1}
	r.unicast = nil
	if s.last < 0 {
		return // nobody has heard of it
	}
	if len(r.gone) == maxGone {
		r.gone = r.gone[1:]
	}
	r.gone = append(r.gone, s)
	r.Timeout(now)
}

// soonest returns when s may next speak to all nodes.
//
// 6.2.6: "consecutive Router Advertisements sent to the all-nodes multicast address MUST be rate limited to no more than one
// advertisement every MIN_DELAY_BETWEEN_RAS seconds."
func (s *speaker) soonest(now clock.Instant) clock.Instant {
	if s.last < 0 {
		return now
	}
	return max(now, s.last.Add(minDelayBetweenRAs))
}

// Stop forgets everything without a word, because the link is gone.
func (r *Router) Stop() {
	r.adv, r.now, r.gone, r.unicast, r.out = nil, speaker{at: clock.Never, last: -1}, nil, nil, nil
}

// Final returns the last words of an interface that goes away now. It is out of the rate limit, since there is no other
// time for it.
func (r *Router) Final(now clock.Instant) []RouterMessage {
	if r.adv == nil || r.now.last < 0 {
		return nil
	}
	return r.messages(now, r.now.src, wire.AllNodes6, r.adv, r.since, true)
}

// Solicited tells of a valid Router Solicitation from src. known says that src's link-layer address is.
func (r *Router) Solicited(now clock.Instant, src wire.Addr, known bool) {
	if r.adv == nil {
		return
	}
	// RFC 4861, 6.2.6: "In all cases, Router Advertisements sent in response to a Router Solicitation MUST be delayed by a random
	// time between 0 and MAX_RA_DELAY_TIME seconds."
	delay := time.Duration(r.cfg.Rand() % uint64(maxRADelay))
	if r.adv.Unicast && known && !src.IsUnspecified() {
		// "If a single advertisement is sent in response to multiple solicitations, the delay is relative to the first
		// solicitation."
		if slices.ContainsFunc(r.unicast, func(a answer) bool { return a.dst == src }) {
			return
		}
		if len(r.unicast) < maxUnicast {
			r.unicast = append(r.unicast, answer{src, now.Add(delay)})
			return
		}
	}
	// "If the router sent a multicast Router Advertisement (solicited or unsolicited) within the last MIN_DELAY_BETWEEN_RAS
	// seconds, schedule the advertisement to be sent at a time corresponding to MIN_DELAY_BETWEEN_RAS plus the random value
	// after the previous advertisement was sent." "If the computed value corresponds to a time later than the time the next
	// multicast Router Advertisement is scheduled to be sent, ignore the random delay and send the advertisement at the
	// already-scheduled time."
	r.now.at = min(r.now.at, r.now.soonest(now).Add(delay))
}

// Timeout does what is due.
func (r *Router) Timeout(now clock.Instant) {
	r.unicast = slices.DeleteFunc(r.unicast, func(a answer) bool {
		if a.at > now {
			return false
		}
		r.out = append(r.out, r.messages(now, r.now.src, a.dst, r.adv, r.since, false)...)
		return true
	})
	if r.adv != nil && r.now.at <= now {
		r.out = append(r.out, r.messages(now, r.now.src, wire.AllNodes6, r.adv, r.since, false)...)
		r.now.spoke(now, r.interval())
	}
	for i := range r.gone {
		if s := &r.gone[i]; s.at <= now {
			r.out = append(r.out, r.messages(now, s.src, wire.AllNodes6, s.adv, s.since, true)...)
			s.spoke(now, minDelayBetweenRAs)
		}
	}
	r.gone = slices.DeleteFunc(r.gone, func(s speaker) bool { return s.sent == maxFinalAdvertisements })
}

// spoke notes that s spoke to all nodes, and will again after an interval.
func (s *speaker) spoke(now clock.Instant, interval time.Duration) {
	s.sent++
	s.last, s.at = now, now.Add(interval)
}

// interval returns the time to the next unsolicited advertisement.
//
// RFC 4861, 6.2.4: "Whenever a multicast advertisement is sent from an interface, the timer is reset to a uniformly
// distributed random value between the interface's configured MinRtrAdvInterval and MaxRtrAdvInterval". "For the first few
// advertisements (up to MAX_INITIAL_RTR_ADVERTISEMENTS) sent from an interface when it becomes an advertising interface, if
// the randomly chosen interval is greater than MAX_INITIAL_RTR_ADVERT_INTERVAL, the timer SHOULD be set to
// MAX_INITIAL_RTR_ADVERT_INTERVAL instead."
func (r *Router) interval() time.Duration {
	least, most := r.adv.MinInterval, r.adv.MaxInterval
	d := least + time.Duration(r.cfg.Rand()%uint64(most-least+1))
	if r.now.sent < maxInitialAdvertisements-1 {
		d = min(d, maxInitialInterval)
	}
	return d
}

// Next sets m to the next message to send, or returns false if there is none.
func (r *Router) Next(m *RouterMessage) bool {
	if len(r.out) == 0 {
		r.out = nil
		return false
	}
	*m, r.out = r.out[0], r.out[1:]
	return true
}

// Deadline returns when Timeout has something to do, or clock.Never.
func (r *Router) Deadline() clock.Instant {
	at := r.now.at
	for i := range r.gone {
		at = min(at, r.gone[i].at)
	}
	for i := range r.unicast {
		at = min(at, r.unicast[i].at)
	}
	return at
}
