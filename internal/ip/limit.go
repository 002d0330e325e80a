package ip

import (
	"sync/atomic"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// limiters bound how many ICMP errors leave, for each kind of each family by itself, so that one who provokes port
// unreachables cannot keep others from hearing Packet Too Big.
//
// RFC 4443, 2.4 (f): "in order to limit the bandwidth and forwarding costs incurred by originating ICMPv6 error
// messages, an IPv6 node MUST limit the rate of ICMPv6 error messages it originates. … A recommended method for implementing
// the rate-limiting function is a token bucket". RFC 1812, 4.3.2.8: likewise.
//
// How many tokens an error takes is random, one in the mean: otherwise one who forges packets could tell from the errors that
// he gets whether others were sent, and so which ports are open (CVE-2020-25705). Linux does so since.
type limiters struct {
	secret uint64
	taken  atomic.Uint64
	// By family and kind: parameter problem, destination unreachable, too big, time exceeded; redirect.
	buckets [2][5]bucket
}

// allow takes a token for an error of type typ, and reports whether there was one.
func (l *limiters) allow(now clock.Instant, s *Settings, four bool, typ uint8) bool {
	if !four && typ == wire.ICMPv6Redirect {
		return l.buckets[1][4].take(now, s, l.tokens())
	}
	if !four {
		return l.buckets[1][typ&3].take(now, s, l.tokens()) // types 1 to 4
	}
	kind := 0
	switch typ {
	case wire.ICMPv4DestUnreachable:
		kind = 1
	case wire.ICMPv4TimeExceeded:
		kind = 3
	case wire.ICMPv4Redirect:
		kind = 4
	}
	return l.buckets[0][kind].take(now, s, l.tokens())
}

// tokens returns how many an error takes: 0, 1 or 2.
func (l *limiters) tokens() time.Duration {
	h := (l.taken.Add(1) ^ l.secret) * 0x9e3779b97f4a7c15
	h = (h ^ h>>32) * 0xbf58476d1ce4e5b9
	return time.Duration((h ^ h>>29) % 3)
}

// bucket is a token bucket that needs no lock. It holds the instant at which it will be full again; each token taken
// moves that into the future by the time it takes to grow back.
type bucket struct {
	full atomic.Int64 // instant
}

// take takes n tokens if they are there: of ICMPRate a second, of which at most ICMPBurst are in the bucket.
func (b *bucket) take(now clock.Instant, s *Settings, n time.Duration) bool {
	if s.ICMPRate <= 0 {
		return true
	}
	interval := time.Second / time.Duration(s.ICMPRate)
	for {
		old := b.full.Load()
		next := max(clock.Instant(old), now).Add(n * interval)
		// Of an empty bucket nothing is to be had for nothing either.
		if next.Sub(now) > time.Duration(s.ICMPBurst)*interval || n == 0 && next.Sub(now) > time.Duration(s.ICMPBurst-1)*interval {
			return false
		}
		if b.full.CompareAndSwap(old, int64(next)) {
			return true
		}
	}
}
