package onlink

import (
	"net/netip"
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// The times of RFC 8305, 8.
const (
	resolutionDelay = 50 * time.Millisecond  // how long an answer with IPv4 addresses waits for one with IPv6 addresses
	attemptDelay    = 250 * time.Millisecond // between attempts
	// Section 5: "a subsequent connection MUST NOT be started within 10 milliseconds of the previous attempt".
	leastDelay = 10 * time.Millisecond
)

// eyeballs says when which address of a name is to be tried: "Happy Eyeballs" (RFC 8305). It is a machine like those of
// the protocols: it is told what the lookups and the attempts have come to, and asked what to do next.
type eyeballs struct {
	delay              time.Duration      // between attempts
	sort               func([]netip.Addr) // puts addresses in the order of RFC 6724
	pending            [2]bool            // lookups under way: of A, of AAAA
	patience           clock.Instant      // until when A alone waits for AAAA; 0: it does not wait
	untried            []netip.Addr       // found and sorted
	tried              bool               // something was
	last               int                // the family tried last
	running            int                // attempts under way
	started, nextStart clock.Instant      // when the last one began, when another may
}

// The families, as indices.
const (
	family4 = iota
	family6
)

func familyOf(a netip.Addr) int {
	if a.Is4() {
		return family4
	}
	return family6
}

// Resolved tells that the lookup of a family ended with these addresses; none if it failed.
//
// RFC 8305, 3: "If a positive AAAA response (a response with at least one valid AAAA record) is received first, the
// first IPv6 connection attempt is immediately started. If a positive A response is received first due to reordering, the
// client SHOULD wait a short time for the AAAA response to ensure that preference is given to IPv6". A negative AAAA response
// ends the wait.
func (e *eyeballs) Resolved(now clock.Instant, family int, found []netip.Addr) {
	e.pending[family] = false
	e.untried = append(e.untried, found...)
	e.sort(e.untried)
	e.patience = 0
	if family == family4 && e.pending[family6] {
		e.patience = now.Add(resolutionDelay)
	}
}

// Failed tells that an attempt failed: the next need not wait for it.
func (e *eyeballs) Failed() {
	e.running--
	e.nextStart = e.started.Add(leastDelay)
}

// Next returns the address to try now, ok false if none is.
//
// RFC 8305, 4: "Whichever address family is first in the list should be followed by an address of the other address family".
// 5: "multiple connection attempts may occur in parallel".
func (e *eyeballs) Next(now clock.Instant) (a netip.Addr, ok bool) {
	if len(e.untried) == 0 || now < e.patience || e.tried && now < e.nextStart {
		return a, false
	}
	i := 0
	if e.tried {
		i = max(0, slices.IndexFunc(e.untried, func(a netip.Addr) bool { return familyOf(a) != e.last }))
	}
	a = e.untried[i]
	e.untried = slices.Delete(e.untried, i, i+1)
	e.tried, e.last = true, familyOf(a)
	e.running++
	e.started, e.nextStart = now, now.Add(e.delay)
	return a, true
}

// Deadline returns when Next will say something new if nothing else happens.
func (e *eyeballs) Deadline() clock.Instant {
	if len(e.untried) == 0 {
		return clock.Never
	}
	return max(e.patience, e.nextStart)
}

// Over reports that nothing is under way or left to try.
func (e *eyeballs) Over() bool {
	return e.running == 0 && len(e.untried) == 0 && !e.pending[family4] && !e.pending[family6]
}
