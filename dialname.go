package onlink

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/dns"
	"github.com/onlink-go/onlink/internal/ip"
)

// LookupNetIP looks a host's addresses up, on network "ip", "ip4" or "ip6", and returns them in the order in which this stack
// had best try them (RFC 6724, 6). Errors are *net.DNSError, like those of net.Resolver. DNS has the other lookups.
func (s *Stack) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return s.DNS().LookupNetIP(ctx, network, host)
}

// sortAddrs sorts addresses by RFC 6724, 6.
func (s *Stack) sortAddrs(as []netip.Addr) {
	qs := make([]ip.Query, len(as))
	for i, a := range as {
		if e, err := s.endpoint(netip.AddrPortFrom(a, 0)); err == nil {
			qs[i] = ip.Query{Dst: e.Addr, Scope: e.Scope}
		}
	}
	was := slices.Clone(as)
	for to, from := range s.ip.SortDestinations(s.rt.Now(), qs) {
		as[to] = was[from]
	}
}

// race is a connection being made to a host by name: lookups and attempts run side by side until one of them wins.
type race struct {
	s    *Stack
	dial func(netip.Addr) (net.Conn, error)

	mu   sync.Mutex
	cond clock.Cond
	eyes eyeballs
	won  net.Conn
	over bool  // nobody waits for a winner any more
	err  error // of the first lookup or attempt that failed; an attempt's comes before a lookup's
	met  bool  // err is an attempt's
}

// connector is what connects to one address.
type connector func(context.Context, netip.AddrPort) (net.Conn, error)

// dialFirst connects to the first address of a name that can be: for UDP, where connecting asks nobody.
func (s *Stack) dialFirst(ctx context.Context, n network, to destination, dial connector) (c net.Conn, err error) {
	found, err := s.LookupNetIP(ctx, lookupNetwork(n), to.name)
	if err != nil {
		return nil, opError("dial", n.name, nil, nil, err)
	}
	for _, a := range found {
		if c, err = dial(ctx, netip.AddrPortFrom(a, to.port)); err == nil || ctx.Err() != nil {
			break
		}
	}
	return c, err
}

// dialName connects to a host by name (RFC 8305).
func (s *Stack) dialName(ctx context.Context, n network, to destination, delay time.Duration, dial connector) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // what still runs is not needed any more
	r := &race{s: s, dial: func(a netip.Addr) (net.Conn, error) { return dial(ctx, netip.AddrPortFrom(a, to.port)) }}
	switch {
	case delay == 0:
		delay = attemptDelay
	case delay < 0:
		delay = clock.Never.Duration()
	}
	r.eyes = eyeballs{delay: max(delay, leastDelay), sort: s.sortAddrs}
	r.cond = s.rt.NewCond(&r.mu)
	timer := s.rt.NewTimer(func(clock.Instant) { r.wake() })
	defer timer.Stop()
	defer s.rt.AfterDone(ctx, r.wake)()

	r.eyes.pending = [2]bool{family4: n.v4, family6: n.v6}
	s.rt.Spawn("lookup of "+to.name, func() { r.lookup(ctx, lookupNetwork(n), to.name) })
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		for a, ok := r.eyes.Next(s.rt.Now()); ok; a, ok = r.eyes.Next(s.rt.Now()) {
			s.rt.Spawn("attempt to connect to "+a.String(), func() { r.attempt(a) })
		}
		if r.won != nil || r.eyes.Over() || ctx.Err() != nil {
			break
		}
		timer.Reset(r.eyes.Deadline())
		r.cond.Wait()
	}
	r.over = true
	switch {
	case r.won != nil:
		return r.won, nil
	case ctx.Err() != nil && !r.met:
		return nil, ctx.Err()
	}
	return nil, r.err
}

func (r *race) wake() {
	r.mu.Lock()
	r.cond.Broadcast()
	r.mu.Unlock()
}

// lookup looks the addresses up, and tells of those of each family as they come.
func (r *race) lookup(ctx context.Context, network, host string) {
	err := r.s.DNS().LookupEach(ctx, network, host, func(f dns.Family, found []netip.Addr) { r.resolved(f, found) })
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	r.eyes.pending = [2]bool{} // there is nothing if it failed
	r.cond.Broadcast()
}

func (r *race) resolved(f dns.Family, found []netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	family := family6
	if f == dns.IPv4 {
		family = family4
	}
	r.eyes.Resolved(r.s.rt.Now(), family, found)
	r.cond.Broadcast()
}

// attempt tries one address.
func (r *race) attempt(a netip.Addr) {
	c, err := r.dial(a)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil:
		r.eyes.Failed()
		if !r.met {
			r.err, r.met = err, true
		}
	case r.won != nil || r.over:
		c.Close() // it came second
	default:
		r.won = c
	}
	r.cond.Broadcast()
}
