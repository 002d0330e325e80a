package tcp

import (
	"math"
	"time"
)

const (
	defaultMSS = 536   // RFC 9293, 3.7.1, MUST-15
	minMSS     = 64    // what a peer announces below this is raised: options take up to 40 octets
	maxMSS     = 65495 // the largest IPv4 datagram less headers
	maxBuffer  = 65535 << maxWindowShift
)

// number is what settings are.
type number interface{ int | time.Duration }

// or returns v, or d if v is not positive.
func or[T number](v, d T) T {
	if v <= 0 {
		return d
	}
	return v
}

// set gives a setting its default d if it is 0, and makes it 0 if it is negative.
func set[T number](v *T, d T) {
	switch {
	case *v == 0:
		*v = d
	case *v < 0:
		*v = 0
	}
}

// boundMSS returns an MSS within bounds; 0: the default.
func boundMSS(n int) int { return min(max(or(n, defaultMSS), minMSS), maxMSS) }

// discards reports whether SO_LINGER is on with a time of 0.
func (cfg *Config) discards() bool { return cfg.Lingers && cfg.Linger == 0 }

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
	cfg.Fill()
	return &cfg
}

// Fill makes cfg itself complete.
func (cfg *Config) Fill() {
	if !cfg.filled {
		cfg.filled = true
		cfg.setBuffers()
		cfg.setTimers()
		cfg.setRecovery()
	}
	cfg.SendBuffer = min(max(cfg.SendBuffer, 0), maxBuffer/2)
	cfg.ReceiveBuffer = min(max(cfg.ReceiveBuffer, 0), maxBuffer/2)
	cfg.ReceiveLowWater = max(cfg.ReceiveLowWater, 1)
	cfg.MaxRTO = max(cfg.MaxRTO, cfg.MinRTO)
}

func (cfg *Config) setBuffers() {
	for i, d := range [3]int{4096, 131072, 6291456} {
		cfg.RMem[i] = or(cfg.RMem[i], d)
	}
	for i, d := range [3]int{4096, 16384, 4194304} {
		cfg.WMem[i] = or(cfg.WMem[i], d)
	}
	set(&cfg.RMemMax, 212992)
	set(&cfg.AppWindow, 31)
	set(&cfg.WindowClamp, 0)
	set(&cfg.NotSentLowWater, math.MaxUint32)
	set(&cfg.MaxSeg, 0)
	set(&cfg.SaveSYN, 0)
	set(&cfg.FastOpenQueue, 0)
}

func (cfg *Config) setTimers() {
	cfg.InitialRTO = or(cfg.InitialRTO, time.Second)
	cfg.MinRTO = or(cfg.MinRTO, 200*time.Millisecond)
	cfg.MaxRTO = or(cfg.MaxRTO, 120*time.Second)
	set(&cfg.RTOSlop, 200*time.Millisecond)
	set(&cfg.SYNRetries, 7)
	set(&cfg.SYNLinear, 0)
	set(&cfg.SYNACKRetries, 5)
	set(&cfg.Retries1, 3)
	set(&cfg.Retries, 15)
	set(&cfg.OrphanRetries, 0)
	set(&cfg.ConnectTimeout, 0)
	set(&cfg.UserTimeout, 0)
	set(&cfg.DelayedACK, 40*time.Millisecond)
	set(&cfg.PingPongThreshold, 1)
	set(&cfg.CompSACKDelay, time.Millisecond)
	set(&cfg.CompSACKCount, 44)
	set(&cfg.ChallengeACKLimit, math.MaxInt32)
	set(&cfg.InvalidRateLimit, 500*time.Millisecond)
	cfg.MSL = or(cfg.MSL, 30*time.Second)
	if cfg.FinWait2 == 0 {
		cfg.FinWait2 = 60 * time.Second
	}
	set(&cfg.Linger, 0)
	cfg.KeepAliveIdle = or(cfg.KeepAliveIdle, 2*time.Hour)
	cfg.KeepAliveInterval = or(cfg.KeepAliveInterval, 75*time.Second)
	cfg.KeepAliveCount = or(cfg.KeepAliveCount, 9)
	set(&cfg.DeferAccept, 0)
}

func (cfg *Config) setRecovery() {
	set(&cfg.PacingSS, 200)
	set(&cfg.PacingCA, 120)
	cfg.MinTSOSegs = or(cfg.MinTSOSegs, 2)
	set(&cfg.TSORTTLog, 9)
	set(&cfg.InitialWindow, 0)
	set(&cfg.HyStart, hystartOn)
	set(&cfg.SlowStartLimit, 0)
	cfg.Reordering = or(cfg.Reordering, 3)
	set(&cfg.MaxReordering, 300)
	set(&cfg.Recovery, 1)
	set(&cfg.EarlyRetrans, 3)
	set(&cfg.FRTO, 2)
	set(&cfg.ECN, 2)
	set(&cfg.ECNOption, 2)
	set(&cfg.ECNOptionBeacon, 3)
	set(&cfg.MinRTTWindow, 300*time.Second)
	cfg.MinSendMSS = or(cfg.MinSendMSS, 48)
	set(&cfg.MTUProbing, mtuProbeNever)
	cfg.BaseMSS = or(cfg.BaseMSS, 1024)
	cfg.MTUProbeFloor = or(cfg.MTUProbeFloor, 48)
	set(&cfg.ProbeThreshold, 8)
	set(&cfg.ProbeInterval, 600*time.Second)
}
