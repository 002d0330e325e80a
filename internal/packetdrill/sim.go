package packetdrill

import (
	"net/netip"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/capture"
)

// simWorld is the stack in virtual time. A script takes as long as the machine needs for what happens in it, and does
// the same each time.
type simWorld struct {
	System
	sim     *clock.Sim
	rt      clock.Runtime
	stack   *onlink.Stack
	link    *recorder
	remote  netip.Prefix // where the route leads
	gateway netip.Addr
	start   clock.Instant
	sent    []Sent
	events  int // how many more may happen
}

// maxEvents bounds what may happen in a script: it is a hundred times what a transfer of megabytes takes.
const maxEvents = 1_000_000

// linkName is what the interface is called; packetdrill's is tun0.
const linkName = "tun0"

// newSimWorld makes a stack with the addresses and routes of cfg. Its frames go to w, if that is not nil.
func newSimWorld(cfg *Config, w *capture.Writer) (World, error) {
	s := clock.NewSim(1)
	world := &simWorld{sim: s, rt: s.Runtime(1), events: maxEvents, remote: cfg.RemotePrefix, gateway: gatewayOf(cfg)}
	world.link = newRecorder(world.rt, cfg.MTU, func(b []byte) {
		world.sent = append(world.sent, Sent{At: world.Now(), Data: b})
	})
	var err error
	if world.stack, err = onlink.New(onlink.Config{Runtime: world.rt, TCP: onlink.TCPConfig{Algorithms: []onlink.CongestionAlgorithm{onlink.BBR()}}}); err != nil {
		return nil, err
	}
	var l link.Link = world.link
	if w != nil {
		c := capture.New(world.rt, l, w, cfg.CaptureName)
		world.stack.Tracer().Add(c)
		l = c
	}
	if _, err := world.stack.AddLink(linkName, l, onlink.InterfaceConfig{
		Addresses: []netip.Prefix{netip.PrefixFrom(cfg.LocalIP, cfg.PrefixLen)}, DisableDAD: true,
	}); err != nil {
		return nil, err
	}
	if err := world.stack.AddRoute(onlink.Route{Prefix: cfg.RemotePrefix, Interface: linkName, Gateway: gatewayOf(cfg)}); err != nil {
		return nil, err
	}
	if err := world.behave(cfg.Like); err != nil {
		return nil, err
	}
	world.System = newMemoryFiles(world.stack.Sockets())
	// A stack that has just begun has timestamps and counters near zero; let it have run for a while.
	return world, world.Sleep(time.Second, nil)
}

// gatewayOf returns the gateway of the route to the remote prefix.
func gatewayOf(cfg *Config) netip.Addr { return cfg.GatewayIP }

func (w *simWorld) Begin()             { w.start = w.sim.Now() }
func (w *simWorld) Now() time.Duration { return w.sim.Now().Sub(w.start) }

// Patience is generous: virtual time costs nothing where nothing happens.
func (w *simWorld) Patience() time.Duration { return time.Hour }

// Grace is nothing: what happens at once takes no virtual time.
func (w *simWorld) Grace() time.Duration { return 0 }

func (w *simWorld) Sleep(until time.Duration, stop func() bool) error {
	end := w.start.Add(until)
	for {
		if stop != nil && stop() {
			return nil
		}
		next := w.sim.Next()
		if next == clock.Never && stop != nil {
			return errIdle
		}
		if next > end {
			w.sim.Run(end)
			return nil
		}
		if w.events--; w.events < 0 {
			return errEvents
		}
		w.sim.Step()
	}
}

func (w *simWorld) Do(name string, f func()) *Call {
	c := &Call{}
	w.sim.Start(name, func() {
		f()
		c.Done, c.At = true, w.Now()
	})
	w.settle()
	return c
}

// settle lets everything happen that does at this instant.
func (w *simWorld) settle() { _ = w.Sleep(w.Now(), nil) } // an excess of events is told by the next Sleep

func (w *simWorld) Inject(b []byte) error {
	w.rt.Go(func() { w.link.inject(b) })
	w.settle()
	return nil
}

func (w *simWorld) Sent() *Sent {
	if len(w.sent) == 0 {
		return nil
	}
	p := w.sent[0]
	w.sent = w.sent[1:]
	return &p
}

// End unwinds the calls under way. A simulation that something panicked in is left as it is.
func (w *simWorld) End() error {
	w.sim.Stop()
	return nil
}

func (w *simWorld) SetSysctl(name, value string) error { return w.stack.SetSysctl(name, value) }

func (w *simWorld) Sysctl(name string) (string, error) { return w.stack.Sysctl(name) }

// FlushMetrics forgets what was learned about destinations.
func (w *simWorld) FlushMetrics() error { return w.SetSysctl("net.inet.tcp.hostcache.purgenow", "1") }

// SetMTU changes the MTU of the link.
func (w *simWorld) SetMTU(n int) error {
	w.rt.Go(func() { w.link.setMTU(n) })
	w.settle()
	return nil
}

func (w *simWorld) SinceBegin(unix time.Duration) time.Duration {
	now := time.Duration(w.sim.Wall().UnixNano())
	return unix - now + w.Now()
}
