// Package clock is the one door through which anything nondeterministic enters the stack: time, timers,
// waiting, goroutines, entropy and the end of a context.
//
// [Runtime] has two implementations. [NewReal] runs on the operating system's clock and scheduler, and,
// unchanged, inside a testing/synctest bubble. [NewSim] runs everything on one thread in virtual time,
// ordered by (instant, sequence), so that a run replays bit for bit from its seed.
//
// A protocol machine does not hold a Runtime. It is given an [Instant] and returns the Instant at which it
// next wants to be called.
package clock

import (
	"context"
	"math"
	"sync"
	"time"
)

// Instant is a point in time: nanoseconds since the Runtime began. It is monotonic.
type Instant int64

// Never is later than every other Instant. A machine whose timers are all off answers Never.
const Never = Instant(math.MaxInt64)

// Add returns the instant d after t, or Never if that is past the end of time. Never plus anything is Never.
func (t Instant) Add(d time.Duration) Instant {
	if t == Never {
		return Never
	}
	s := t + Instant(d)
	if d > 0 && s < t {
		return Never
	}
	return s
}

// Sub returns the time from u to t.
func (t Instant) Sub(u Instant) time.Duration { return time.Duration(t - u) }

// Before reports whether t is earlier than u.
func (t Instant) Before(u Instant) bool { return t < u }

// Duration returns the time from the Runtime's beginning to t.
func (t Instant) Duration() time.Duration { return time.Duration(t) }

// String writes t as seconds with six decimals ("12.000345"), or "never".
func (t Instant) String() string {
	if t == Never {
		return "never"
	}
	return string(t.AppendFormat(nil))
}

// AppendFormat appends t as seconds with six decimals to b.
func (t Instant) AppendFormat(b []byte) []byte {
	if t < 0 {
		b, t = append(b, '-'), -t
	}
	us := uint64(t) / 1000
	var d [24]byte
	i := len(d)
	for n := 0; us > 0 || n <= 6; n++ {
		if n == 6 {
			i--
			d[i] = '.'
		}
		i--
		d[i] = byte('0' + us%10)
		us /= 10
	}
	return append(b, d[i:]...)
}

// Runtime is where time passes and work runs. Its methods may be called from any goroutine in the real
// Runtime, and only from the simulation's own thread in the simulated one.
type Runtime interface {
	// Now returns the present instant.
	Now() Instant
	// Wall returns the present time of day: the real one, or the simulation's, which begins at midnight
	// UTC on 2000-01-01 as a synctest bubble's does.
	Wall() time.Time
	// NewTimer returns a stopped timer that calls f, on a goroutine of its own in real time, when it
	// expires. f must not block.
	NewTimer(f func(now Instant)) Timer
	// NewCond returns a condition variable on l, with the contract of [sync.Cond]. Nobody may hold another
	// lock while waiting.
	NewCond(l sync.Locker) Cond
	// Go runs f, which must not block, soon and not on the caller's stack.
	Go(f func())
	// Spawn runs f, which may block, beside the caller: on a goroutine in real time, as a coroutine in
	// simulation, beginning at this instant. The name is for reports.
	Spawn(name string, f func())
	// AfterDone calls f once, as Go would, when ctx is done. stop withdraws it; f may already be running
	// when stop returns.
	AfterDone(ctx context.Context, f func()) (stop func())
	// Entropy fills b with random octets: unpredictable in real time, a function of the seed in simulation.
	Entropy(b []byte)
}

// Timer calls its function once at the instant it was last Reset to. Reset and Stop are cheap, and may lose
// the race with an expiry under way: the function must look at the state it guards and tolerate being early.
// Reset to an instant that is past lets the timer expire at once, Reset to Never stops it.
type Timer interface {
	Reset(at Instant)
	Stop()
}

// Cond is a condition variable. Wait unlocks its Locker, waits for a Broadcast, or for its turn at a Signal, locks again and returns;
// as with [sync.Cond], callers loop around it. In a simulation only a coroutine can wait, and one that waits when
// the simulation is stopped leaves Wait by runtime.Goexit, the Locker locked: unlock by defer.
type Cond interface {
	Wait()
	Broadcast()
	Signal() // wakes who has waited longest
}

// Deadline converts a time of day, as SetDeadline takes it, into an instant of rt.
func Deadline(rt Runtime, t time.Time) Instant {
	return rt.Now().Add(t.Sub(rt.Wall()))
}
