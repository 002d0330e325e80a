package neigh

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

var (
	own   = wire.MAC{2, 0, 0, 0, 0, 0xff}
	macA  = wire.MAC{2, 0, 0, 0, 0, 0xa}
	macB  = wire.MAC{2, 0, 0, 0, 0, 0xb}
	peer6 = wire.Addr{Hi: 0x2001_0db8 << 32, Lo: 1}
	peer4 = wire.Addr4(192, 0, 2, 1)
	self6 = wire.Addr{Hi: 0x2001_0db8 << 32, Lo: 2}
	self4 = wire.Addr4(192, 0, 2, 2)
)

// rig is a cache in virtual time, and what came out of it.
type rig struct {
	*Cache
	t   *testing.T
	now clock.Instant
	got []string // trace events and actions, in words
	ids uint32   // packets made
}

func newRig(t *testing.T, cfg Config) *rig {
	r := &rig{t: t}
	cfg.Address = own
	cfg.Interface = 7
	cfg.Tracer = new(trace.Tracer)
	cfg.Tracer.Add(r)
	r.Cache = NewCache(cfg)
	return r
}

// Trace notes the changes of state.
func (r *rig) Trace(e *trace.Event) {
	if e.Kind != trace.NeighborChanged || e.Out != 7 || e.At != r.now {
		r.t.Errorf("at %v: event %+v", r.now, e)
	}
	r.got = append(r.got, fmt.Sprintf("%s->%s", e.From, e.To))
}

// packet returns a packet with a number of its own.
func (r *rig) packet() *packet.Buffer {
	r.ids++
	p := packet.New(40)
	p.Mark, p.Src = r.ids, self6
	return p
}

// drain notes all actions.
func (r *rig) drain() {
	var a Action
	for r.Next(&a) {
		switch a.Kind {
		case Solicit:
			if a.Unicast {
				r.got = append(r.got, "unicast "+a.MAC.String()[12:])
			} else {
				r.got = append(r.got, "multicast")
			}
		case Send:
			r.got = append(r.got, fmt.Sprintf("send %d %s", a.Packet.Mark, a.MAC.String()[12:]))
		case Fail:
			r.got = append(r.got, fmt.Sprintf("fail %d", a.Packet.Mark))
		case Drop:
			r.got = append(r.got, fmt.Sprintf("drop %d (%s)", a.Packet.Mark, a.Reason))
		}
		if a.Packet != nil {
			a.Packet.Free()
		}
	}
}

// output sends the next packet to addr; what the caller is to send itself is noted as "out".
func (r *rig) output(addr wire.Addr) {
	p := r.packet()
	if mac, send := r.Output(r.now, addr, p); send {
		r.got = append(r.got, fmt.Sprintf("out %d %s", p.Mark, mac.String()[12:]))
		p.Free()
	}
	r.drain()
}

// advance lets d pass, calling Timeout when it is wanted and never before.
func (r *rig) advance(d time.Duration) {
	r.t.Helper()
	end := r.now.Add(d)
	for n := 0; r.Deadline() <= end; n++ {
		if n > 10_000 {
			r.t.Fatalf("at %v: the cache wants to be called for ever", r.now)
		}
		r.now = max(r.now, r.Deadline())
		r.Timeout(r.now)
		r.drain()
	}
	r.now = end
}

// expect compares what came out since the last call, as words separated by "; ", with want.
func (r *rig) expect(want string) {
	r.t.Helper()
	r.drain()
	if got := strings.Join(r.got, "; "); got != want {
		r.t.Errorf("at %v:\n got %s\nwant %s", r.now, got, want)
	}
	r.got = nil
}

func (r *rig) state(addr wire.Addr) State {
	if e := r.entries[addr]; e != nil {
		return e.State()
	}
	return None
}

// wantState checks the state and link-layer address of addr.
func (r *rig) wantState(addr wire.Addr, s State, mac wire.MAC) {
	r.t.Helper()
	if got := r.state(addr); got != s {
		r.t.Errorf("at %v: %v is %v, want %v", r.now, addr, got, s)
	}
	if e := r.entries[addr]; e != nil && e.mac() != mac {
		r.t.Errorf("at %v: %v is at %v, want %v", r.now, addr, e.mac(), mac)
	}
}

// reach brings addr, unknown so far, into state s, at macA if that has an address.
func (r *rig) reach(addr wire.Addr, s State) {
	r.t.Helper()
	switch s {
	case None:
	case Incomplete:
		r.output(addr)
	case Reachable:
		r.output(addr)
		r.Advertised(r.now, addr, macA, true, false, true, false)
	case Stale:
		r.Solicited(r.now, addr, macA)
	case Delay:
		r.reach(addr, Stale)
		r.output(addr)
	case Probe:
		r.reach(addr, Delay)
		r.advance(r.cfg.DelayFirstProbeTime)
	case Permanent:
		r.SetPermanent(r.now, addr, macA)
	case Failed:
		r.output(addr)
		r.advance(time.Duration(r.cfg.MaxMulticastSolicit) * r.cfg.RetransTimer)
	}
	r.drain()
	if got := r.state(addr); got != s {
		r.t.Fatalf("reached %v, want %v", got, s)
	}
	r.got = nil
}

// check verifies what must hold between any two calls.
func (c *Cache) check(t *testing.T) {
	t.Helper()
	n, queued, first := 0, 0, clock.Never
	for g := range c.lists {
		var prev *Entry
		inList := 0
		for e := c.lists[g].head; e != nil; prev, e = e, e.next {
			inList++
			queued += e.queue.Len()
			s := e.State()
			switch {
			case e.prev != prev:
				t.Fatalf("list %d is torn", g)
			case groups[s] != group(g):
				t.Fatalf("%v is in list %d", s, g)
			case c.entries[e.addr] != e || e.Evicted():
				t.Fatalf("%v is listed and not in the cache", e.addr)
			case (s == Incomplete) != (e.queue.Len() > 0):
				t.Fatalf("%v with %d packets", s, e.queue.Len())
			case e.queue.Len() > c.cfg.QueueLimit:
				t.Fatalf("%d packets wait for one neighbor", e.queue.Len())
			case (s == Permanent) != (e.timer.index == 0):
				t.Fatalf("%v has timer %d", s, e.timer.index)
			case s.known() == (e.mac() == wire.MAC{}):
				t.Fatalf("%v at %v", s, e.mac())
			}
			if e.timer.index > 0 {
				if c.timers.heap[e.timer.index-1] != &e.timer {
					t.Fatal("the heap has lost a timer")
				}
				first = min(first, e.timer.at)
			}
		}
		if prev != c.lists[g].tail || inList != c.lists[g].n {
			t.Fatalf("list %d has %d entries and counts %d", g, inList, c.lists[g].n)
		}
		n += inList
	}
	switch {
	case n != len(c.entries):
		t.Fatalf("%d entries listed, %d in the cache", n, len(c.entries))
	case n-c.lists[fixed].n > c.cfg.MaxEntries:
		t.Fatalf("%d entries", n)
	case queued != c.queued || queued > c.cfg.MaxQueued:
		t.Fatalf("%d packets queued, counted %d", queued, c.queued)
	case c.Deadline() != first:
		t.Fatalf("Deadline %v, the earliest timer is %v", c.Deadline(), first)
	case len(c.timers.heap) != n-c.lists[fixed].n:
		t.Fatalf("%d timers for %d entries", len(c.timers.heap), n)
	}
}

var allStates = []State{None, Incomplete, Reachable, Stale, Delay, Probe, Permanent, Failed}

func knownStates() []State {
	return slices.DeleteFunc(slices.Clone(allStates), func(s State) bool { return !s.known() || s == Permanent })
}
