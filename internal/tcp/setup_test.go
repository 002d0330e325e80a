package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// setup is what a test opens a TCB with: Open, with its settings in line.
type setup struct {
	Config
	MSS, DefaultMSS int
	ISS, TSOffset   uint32
	Observer        Observer
	Memory          Memory
}

func (s setup) open() Open {
	return Open{Config: &s.Config, MSS: s.MSS, DefaultMSS: s.DefaultMSS, ISS: s.ISS, TSOffset: s.TSOffset, Observer: s.Observer,
		Memory: s.Memory}
}

// change has c go on with some settings changed.
func change(c *TCB, now clock.Instant, f func(*Config)) {
	cfg := *c.Config()
	f(&cfg)
	c.Reconfigure(now, cfg.Complete())
}

func (c *TCB) setNoDelay(now clock.Instant, on bool) {
	change(c, now, func(cfg *Config) { cfg.NoDelay = on })
}

func (c *TCB) setKeepAlive(now clock.Instant, idle, interval time.Duration, count int) {
	change(c, now, func(cfg *Config) {
		cfg.KeepAlive = idle > 0
		cfg.KeepAliveIdle, cfg.KeepAliveInterval, cfg.KeepAliveCount = idle, interval, count
	})
}
