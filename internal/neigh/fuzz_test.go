package neigh

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// may is which states follow which: RFC 4861, appendix C, and what FAILED, PERMANENT and removal add to it.
var may = map[string][]string{
	"NONE":       {"INCOMPLETE", "STALE", "PERMANENT"},
	"INCOMPLETE": {"NONE", "STALE", "REACHABLE", "FAILED", "PERMANENT"},
	"REACHABLE":  {"NONE", "STALE", "REACHABLE", "PERMANENT"},
	"STALE":      {"NONE", "STALE", "DELAY", "REACHABLE", "PERMANENT"},
	"DELAY":      {"NONE", "STALE", "PROBE", "REACHABLE", "PERMANENT"},
	"PROBE":      {"NONE", "STALE", "FAILED", "REACHABLE", "PERMANENT"},
	"FAILED":     {"NONE", "STALE", "INCOMPLETE", "PERMANENT"},
	"PERMANENT":  {"NONE", "PERMANENT"},
}

// chaos drives a cache with whatever events octets spell, and checks what must hold of any.
type chaos struct {
	*Cache
	t         *testing.T
	now       clock.Instant
	ids       uint32
	inside    map[uint32]bool // packets the cache owns
	state     map[wire.Addr]string
	solicited map[wire.Addr]clock.Instant // of entries that still are
	addrs     []wire.Addr
}

func newChaos(t *testing.T) *chaos {
	x := &chaos{t: t, inside: map[uint32]bool{}, state: map[wire.Addr]string{}, solicited: map[wire.Addr]clock.Instant{}}
	for i := range 8 {
		x.addrs = append(x.addrs, addr6(i), wire.Addr4(192, 0, 2, byte(10+i)))
	}
	cfg := Config{Address: own, Tracer: new(trace.Tracer), Rand: rand.NewPCG(1, 2).Uint64,
		MaxEntries: 6, QueueLimit: 3, MaxQueued: 7, HoldDown: 1500 * time.Millisecond}
	cfg.Tracer.Add(x)
	x.Cache = NewCache(cfg)
	return x
}

func (x *chaos) Trace(e *trace.Event) {
	was := x.state[e.Dst]
	if was == "" {
		was = "NONE"
	}
	if e.From != was {
		x.t.Fatalf("%v goes from %s and was %s", e.Dst, e.From, was)
	}
	legal := false
	for _, to := range may[e.From] {
		legal = legal || to == e.To
	}
	if !legal {
		x.t.Fatalf("%s->%s", e.From, e.To)
	}
	x.state[e.Dst] = e.To
	if e.To == "NONE" || e.To == "PERMANENT" {
		delete(x.solicited, e.Dst)
	}
}

func (x *chaos) drain() {
	var a Action
	for x.Next(&a) {
		if a.Kind == Solicit {
			if last, ok := x.solicited[a.Target]; ok && x.now < last.Add(time.Second) {
				x.t.Fatalf("%v solicited at %v and %v", a.Target, last, x.now)
			}
			if a.Packet != nil || a.Unicast != (a.MAC != wire.MAC{}) {
				x.t.Fatalf("%+v", a)
			}
			// Of an entry already gone again there is nothing to remember.
			if x.entries[a.Target] != nil {
				x.solicited[a.Target] = x.now
			}
			continue
		}
		if !x.inside[a.Packet.Mark] || a.Packet.NextHop != a.Target {
			x.t.Fatalf("packet %d came out, which was not in", a.Packet.Mark)
		}
		delete(x.inside, a.Packet.Mark)
		if a.Kind == Send && (a.MAC == wire.MAC{}) {
			x.t.Fatal("sent to no address")
		}
		a.Packet.Free()
	}
}

func (x *chaos) step(op, arg byte) {
	addr := x.addrs[int(arg)%len(x.addrs)]
	mac := wire.MAC{2, 0, 0, 0, 1, arg >> 6}
	switch op % 16 {
	case 0, 1, 2, 3, 4:
		x.ids++
		p := packet.New(0)
		p.Mark, p.NextHop = x.ids, addr
		if mac, send := x.Output(x.now, addr, p); send {
			if (mac == wire.MAC{}) {
				x.t.Fatal("sent to no address")
			}
			p.Free()
		} else {
			x.inside[p.Mark] = true
		}
	case 5:
		x.Solicited(x.now, addr, mac)
	case 6:
		x.Heard(x.now, addr, mac)
	case 7, 8:
		flags := op >> 4
		x.Advertised(x.now, addr, mac, flags&8 != 0, flags&1 != 0, flags&2 != 0, flags&4 != 0)
	case 9:
		x.Lookup(x.now, addr)
	case 10:
		x.Lookup(x.now, addr).Confirm(x.now)
	case 11:
		if arg < 8 {
			x.SetPermanent(x.now, addr, mac)
		}
	case 12:
		x.Remove(x.now, addr)
	case 13:
		if arg == 0 {
			x.Flush(x.now)
		}
	default: // time passes: to the next deadline, or an arbitrary while
		next := x.now.Add(time.Duration(arg) * 100 * time.Millisecond)
		if op%16 == 14 && x.Deadline() != clock.Never {
			next = x.Deadline()
		}
		x.now = max(x.now, next)
		x.Timeout(x.now)
		if x.Deadline() <= x.now {
			x.t.Fatalf("at %v: still due at %v", x.now, x.Deadline())
		}
	}
	x.drain()
	x.check(x.t)
	if len(x.inside) != x.queued {
		x.t.Fatalf("%d packets are in, %d are queued", len(x.inside), x.queued)
	}
	for _, i := range x.List() {
		if x.state[i.Addr] != i.State.String() {
			x.t.Fatalf("%v is %v, traced as %s", i.Addr, i.State, x.state[i.Addr])
		}
	}
}

// end lets all the time pass that anything waits for: every packet has come out, only the configured stay.
func (x *chaos) end() {
	for n := 0; x.Deadline() != clock.Never; n++ {
		if n > 10_000 {
			x.t.Fatal("it never ends")
		}
		x.now = max(x.now, x.Deadline())
		x.Timeout(x.now)
		x.drain()
	}
	x.check(x.t)
	if len(x.inside) > 0 || x.Len() != x.lists[fixed].n {
		x.t.Fatalf("%d packets and %d entries are left", len(x.inside), x.Len())
	}
}

// FuzzCache gives the cache any sequence of events: two octets each.
func FuzzCache(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 14, 0, 14, 0, 14, 0, 0, 0, 15, 20, 0, 0})
	f.Add([]byte{0, 1, 0xf7, 1, 15, 250, 15, 250, 0, 1, 14, 0, 14, 0, 14, 0, 14, 0, 0, 1})
	f.Add([]byte{5, 1, 0, 1, 10, 1, 14, 0, 5, 65, 0, 1, 11, 1, 12, 1, 13, 0})
	f.Fuzz(func(t *testing.T, events []byte) {
		x := newChaos(t)
		for ; len(events) >= 2; events = events[2:] {
			x.step(events[0], events[1])
		}
		x.end()
	})
}

// TestChaos is FuzzCache on long random sequences.
func TestChaos(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		x := newChaos(t)
		for range 2000 {
			x.step(byte(rng.Uint32()), byte(rng.Uint32()))
		}
		x.end()
	}
}
