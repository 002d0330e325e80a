package sim_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/trace"
)

// outcomes checks that every packet of a node has one outcome, and counts those that passed its links.
type outcomes struct {
	t      *testing.T
	node   string
	last   map[uint32]trace.Outcome
	frames uint64 // that came from links, or that links have
}

func (o *outcomes) Trace(e *trace.Event) {
	was, known := o.last[e.ID]
	if was.Final() {
		o.t.Errorf("%s: packet %d was %v, and then came %v (%q), %v", o.node, e.ID, was, e.Step, e.Decision, e.Outcome)
	}
	fromLink := e.Packet != nil && e.Packet.Flags&packet.Loopback == 0
	if !known && e.Step == trace.StepFrame && fromLink || e.Outcome == trace.Sent || e.Outcome == trace.Forwarded {
		o.frames++
	}
	o.last[e.ID] = e.Outcome
}

// unhurried plays at random in r: what is answered, what is not, to groups, in fragments, to nobody, to ourselves.
func unhurried(r *traced, rng *rand.Rand) {
	ctx := context.Background()
	hosts := []*sim.Node{r.client, r.server, r.router}
	addrs := []string{"192.0.2.2", "192.0.2.1", "198.51.100.2", "2001:db8:1::2", "2001:db8:2::2", "2001:db8:2::1", "192.0.2.77",
		"2001:db8:1::77", "198.51.100.77", "203.0.113.1", "127.0.0.1", "::1", "ff02::1%eth0", "255.255.255.255", "192.0.2.255"}
	for _, h := range hosts {
		pc, err := h.ListenPacket(ctx, "udp", ":7")
		if err != nil {
			panic(err)
		}
		h.Go("echo", func() {
			b := make([]byte, 70000)
			for range 10000 {
				n, from, err := pc.ReadFrom(b)
				if err != nil {
					return
				}
				pc.WriteTo(b[:n], from)
			}
		})
		ln, err := h.Listen(ctx, "tcp", ":80")
		if err != nil {
			panic(err)
		}
		h.Go("serve", func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				h.Go("one", func() {
					c.SetDeadline(h.Wall().Add(20 * time.Second))
					c.Write(make([]byte, rng.IntN(20000)))
					c.Close()
				})
			}
		})
	}
	for i := range 40 {
		h := hosts[rng.IntN(len(hosts))]
		at := time.Duration(rng.IntN(20_000)) * time.Millisecond
		to, size := addrs[rng.IntN(len(addrs))], rng.IntN(4000)
		hops, tcp := uint8(rng.IntN(4)), rng.IntN(3) == 0
		h.Go(fmt.Sprint("play ", i), func() {
			h.Sleep(at)
			if tcp {
				fetch(h, net.JoinHostPort(to, "80"))
				return
			}
			if a, err := netip.ParseAddr(to); err == nil && i%2 == 0 {
				h.Ping(ctx, a, onlink.PingConfig{Size: size, HopLimit: hops, Timeout: 3 * time.Second})
				return
			}
			port := []string{"7", "9"}[i/2%2]
			if conn, err := h.DialContext(ctx, "udp", net.JoinHostPort(to, port)); err == nil {
				conn.Write(make([]byte, size))
				conn.SetReadDeadline(h.Wall().Add(time.Second))
				conn.Read(make([]byte, 5000))
				conn.Close()
			}
		})
	}
}

func fetch(h *sim.Node, address string) {
	ctx, cancel := h.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := h.DialContext(ctx, "tcp", address)
	if err != nil {
		return
	}
	defer c.Close()
	c.SetDeadline(h.Wall().Add(20 * time.Second))
	b := make([]byte, 4096)
	for {
		if _, err := c.Read(b); err != nil {
			return
		}
	}
}

// atRandom adds hooks that drop and steal some packets, the same ones in each run of a seed.
func atRandom(r *traced, rng *rand.Rand) {
	for _, h := range r.Nodes() {
		for _, at := range hook.Points() {
			if rng.IntN(3) != 0 {
				continue
			}
			h.Hook(at).Add(0, "lets pass", func(clock.Instant, *packet.Buffer) hook.Verdict { return hook.Continue })
			h.Hook(at).Add(0, "fickle", func(_ clock.Instant, p *packet.Buffer) hook.Verdict {
				switch rng.IntN(40) {
				case 0:
					return hook.Drop
				case 1:
					p.Free()
					return hook.Stolen
				}
				return hook.Continue
			})
		}
	}
}

// random runs a network at random, and returns what it looked like from outside. follow is called before anything is on the wires.
func random(t *testing.T, seed uint64, follow func(r *traced)) (hash string, frames uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	r := newTraced(seed, sim.Line{Rate: 10e6, Queue: 20, Loss: 0.02, Duplicate: 0.02, Reorder: 0.02, Corrupt: 0.02, Delay: time.Millisecond},
		sim.Line{Delay: 10 * time.Millisecond, MTU: 1400})
	defer r.Stop()
	follow(r)
	before := r.Frames()
	if seed%2 == 0 {
		atRandom(r, rng)
	}
	unhurried(r, rng)
	r.RunFor(3 * time.Minute)
	return r.Hash(), r.Frames() - before
}

// Every packet that enters or leaves is followed, and ends in exactly one way, or still waits. Whether anybody follows makes no
// difference to any other.
func TestEveryPacketHasOneOutcome(t *testing.T) {
	seen := make(map[trace.Outcome]int)
	for seed := range uint64(12) {
		var sinks []*outcomes
		hash, frames := random(t, seed, func(r *traced) {
			for _, h := range r.Nodes() {
				o := &outcomes{t: t, node: fmt.Sprintf("seed %d, %s", seed, h.Name), last: make(map[uint32]trace.Outcome)}
				if _, err := h.Tracer().AddSteps(o, nil); err != nil {
					t.Fatal(err)
				}
				sinks = append(sinks, o)
			}
		})
		var followed uint64
		for _, o := range sinks {
			followed += o.frames
			for id, out := range o.last {
				seen[out]++
				if out == trace.OnItsWay {
					t.Errorf("%s: packet %d has no outcome", o.node, id)
				}
			}
		}
		if followed != frames {
			t.Errorf("seed %d: %d frames on the wires, %d of them followed", seed, frames, followed)
		}
		if untraced, _ := random(t, seed, func(*traced) {}); untraced != hash {
			t.Errorf("seed %d: to be followed changes what is on the wires", seed)
		}
	}
	for _, o := range []trace.Outcome{trace.Delivered, trace.Sent, trace.Forwarded, trace.Dropped, trace.Stolen, trace.Merged} {
		if seen[o] == 0 {
			t.Errorf("no packet was %v", o)
		}
	}
	t.Logf("outcomes: %v", seen)
}
