package neigh

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// Config is what a Cache needs to know. The zero Config is usable: every zero field has the default its comment
// names.
type Config struct {
	// Address is the interface's own link-layer address. Neighbors that claim it are not believed.
	Address wire.MAC
	// Interface is the interface's index, for Tracer.
	Interface int32
	// Tracer is told of each change of state. It may be nil.
	Tracer *trace.Tracer
	// Observe, unless nil, is told of each change of an entry, Router included, in the order they happen: from which state,
	// and what it is now; State NONE: it is gone. It must not call the Cache.
	Observe func(now clock.Instant, from State, e Info)
	// Rand returns uniformly distributed bits, to randomise ReachableTime. Nil: ReachableTime is
	// BaseReachableTime exactly.
	Rand func() uint64

	// MaxEntries bounds the neighbors that are not PERMANENT; 0: 1024.
	MaxEntries int
	// QueueLimit bounds the packets that wait for one neighbor; 0: 64, a datagram of 64 KiB in its fragments.
	//
	// RFC 4861, 7.2.2: "The queue MUST hold at least one packet, and MAY contain more. However, the number of
	// queued packets per neighbor SHOULD be limited to some small value."
	QueueLimit int
	// MaxQueued bounds the packets that wait for any neighbor; 0: 1024.
	MaxQueued int

	// The constants of RFC 4861, 10.
	MaxMulticastSolicit int           // MAX_MULTICAST_SOLICIT; 0: 3 transmissions
	MaxUnicastSolicit   int           // MAX_UNICAST_SOLICIT; 0: 3 transmissions
	BaseReachableTime   time.Duration // 0: REACHABLE_TIME, 30 seconds
	RetransTimer        time.Duration // 0: RETRANS_TIMER, 1 second
	DelayFirstProbeTime time.Duration // DELAY_FIRST_PROBE_TIME; 0: 5 seconds

	// HoldDown is how long after a failed resolution packets fail at once instead of soliciting again; 0: 1 second.
	HoldDown time.Duration
	// FailedLifetime is how long a neighbor of no use is remembered: FAILED, or looked up and never sent to; 0:
	// 30 seconds.
	FailedLifetime time.Duration
	// StaleLifetime is how long a neighbor stays STALE without being used; 0: 10 minutes. RFC 1122, 2.3.2.1: "If
	// this mechanism involves a timeout, it SHOULD be possible to configure the timeout value."
	StaleLifetime time.Duration
}

func (c *Config) setDefaults() {
	def(&c.MaxEntries, 1024)
	def(&c.QueueLimit, 64)
	def(&c.MaxQueued, 1024)
	def(&c.MaxMulticastSolicit, 3)
	def(&c.MaxUnicastSolicit, 3)
	def(&c.BaseReachableTime, 30*time.Second)
	def(&c.RetransTimer, time.Second)
	def(&c.DelayFirstProbeTime, 5*time.Second)
	def(&c.HoldDown, time.Second)
	def(&c.FailedLifetime, 30*time.Second)
	def(&c.StaleLifetime, 10*time.Minute)
}

// def sets v to d unless it has a positive value.
func def[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
