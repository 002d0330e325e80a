package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// Open is what one connection is opened with.
type Open struct {
	// Config holds the settings; nil: all defaults. A Config made complete by [Config.Complete] is kept and not copied.
	Config *Config
	// MSS is the largest payload, in octets, of a segment without options that the path carries: its MTU less 40
	// for IPv4, less 60 for IPv6. It is announced to the peer, and bounds what is sent. 0: 536 (RFC 9293, 3.7.1).
	MSS int
	// DefaultMSS is what is assumed of a peer that announces none: 536, which is IPv4's (RFC 9293, 3.7.1, MUST-15),
	// for 0; IPv6's is 1220.
	DefaultMSS int
	// ISS is the initial send sequence number, as RFC 6528 makes it.
	ISS uint32
	// TSOffset is added to the timestamp clock (RFC 7323, 5.4).
	TSOffset uint32
	// Observer is told what happens; may be nil.
	Observer Observer
}

// Config holds settings that many connections share. Where it is written as a literal, a zero field means its default,
// which is told with it. [Config.Complete] fills the defaults in; in a complete Config every value means what it says, zero
// too. A TCB keeps a pointer to a complete one, which must not be changed any more: change a copy, and give it to
// [TCB.Reconfigure].
type Config struct {
	filled bool // complete

	SendBuffer    int // octets written and not yet acknowledged; 1 MiB
	ReceiveBuffer int // octets received and not yet read: the largest window; 1 MiB

	InitialRTO time.Duration // 1 s (RFC 6298, 2.1)
	MinRTO     time.Duration // least allowance above the smoothed round-trip time; 200 ms
	MaxRTO     time.Duration // 120 s (RFC 6298, 2.4: at least 60 s)

	// How often a segment is retransmitted before the connection fails with ETIMEDOUT (RFC 9293, 3.8.3: R2).
	SYNRetries    int // a SYN; 7, which is four minutes (MUST-23: at least three)
	SYNACKRetries int // a SYN,ACK; 5, which is one minute
	Retries       int // data and FIN; 15, which is a quarter of an hour
	// UserTimeout is how long data may stay unacknowledged; it replaces Retries. 0: none (RFC 5482).
	UserTimeout time.Duration

	DelayedACK time.Duration // longest delay of an acknowledgment; 40 ms (RFC 9293, 3.8.6.3: less than 0.5 s)
	MSL        time.Duration // TIME-WAIT lasts two; 30 s
	FinWait2   time.Duration // how long FIN-WAIT-2 lasts once the user has let go; 60 s

	// Keep-alive (RFC 9293, 3.8.4): after KeepAliveIdle without a segment a probe each KeepAliveInterval, and after
	// KeepAliveCount unanswered ones the connection fails. KeepAliveIdle 0: off.
	KeepAliveIdle     time.Duration
	KeepAliveInterval time.Duration // 75 s
	KeepAliveCount    int           // 9

	NoDelay       bool // Nagle's algorithm off
	NoTimestamps  bool // do not offer RFC 7323 timestamps, nor agree to them
	NoWindowScale bool // nor window scaling
	NoSACK        bool // nor selective acknowledgments

	Discard bool // Release discards what is not sent yet and resets the connection (SO_LINGER with a time of 0)
}

// Observer is told of what a TCB does. It is called within the TCB's methods and must not call them.
type Observer interface {
	// StateChanged tells of each transition, the last one to Closed.
	StateChanged(now clock.Instant, from, to State)
	// Retransmitted tells of n octets of sequence space sent again, why: "timeout", "fast retransmit", "probe",
	// "smaller path MTU".
	Retransmitted(now clock.Instant, seq Seq, n int, why string)
	// Recovery tells of loss recovery beginning or ending; its states are "open", "recovery" and "loss".
	Recovery(now clock.Instant, from, to string)
}

const (
	defaultMSS    = 536     // RFC 9293, 3.7.1, MUST-15
	minMSS        = 64      // what a peer announces below this is raised: options take up to 40 octets
	maxMSS        = 65495   // the largest IPv4 datagram less headers
	defaultBuffer = 1 << 20 // 100 Mbit/s x 40 ms twice
	maxBuffer     = 65535 << maxWindowShift
)

// or returns v, or d if v is not positive.
func or[T int | time.Duration](v, d T) T {
	if v <= 0 {
		return d
	}
	return v
}

// boundMSS returns an MSS within bounds; 0: the default.
func boundMSS(n int) int { return min(max(or(n, defaultMSS), minMSS), maxMSS) }

// complete returns cfg if it is complete, or a copy that is.
func (cfg *Config) complete() *Config {
	switch {
	case cfg == nil:
		return Config{}.Complete()
	case cfg.filled:
		return cfg
	}
	return cfg.Complete()
}

// Complete returns a copy of cfg that is complete: its zero fields are set to their defaults, unless cfg was complete
// before, and all are put into bounds.
func (cfg Config) Complete() *Config {
	if !cfg.filled {
		cfg.filled = true
		cfg.setDefaults()
	}
	cfg.SendBuffer = min(max(cfg.SendBuffer, 1), maxBuffer)
	cfg.ReceiveBuffer = min(max(cfg.ReceiveBuffer, 1), maxBuffer)
	cfg.MaxRTO = max(cfg.MaxRTO, cfg.MinRTO)
	return &cfg
}

func (cfg *Config) setDefaults() {
	cfg.SendBuffer = or(cfg.SendBuffer, defaultBuffer)
	cfg.ReceiveBuffer = or(cfg.ReceiveBuffer, defaultBuffer)
	cfg.InitialRTO = or(cfg.InitialRTO, time.Second)
	cfg.MinRTO = or(cfg.MinRTO, 200*time.Millisecond)
	cfg.MaxRTO = or(cfg.MaxRTO, 120*time.Second)
	cfg.SYNRetries = or(cfg.SYNRetries, 7)
	cfg.SYNACKRetries = or(cfg.SYNACKRetries, 5)
	cfg.Retries = or(cfg.Retries, 15)
	cfg.DelayedACK = or(cfg.DelayedACK, 40*time.Millisecond)
	cfg.MSL = or(cfg.MSL, 30*time.Second)
	cfg.FinWait2 = or(cfg.FinWait2, 60*time.Second)
	cfg.KeepAliveInterval = or(cfg.KeepAliveInterval, 75*time.Second)
	cfg.KeepAliveCount = or(cfg.KeepAliveCount, 9)
}
