package shard

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
)

// octets empties b and returns what its packets held.
func octets(b *packet.Batch) string {
	var s strings.Builder
	for p := b.Pop(); p != nil; p = b.Pop() {
		s.Write(p.Bytes())
		p.Free()
	}
	return s.String()
}

func stage(s *Shard, what string) {
	for i := range what {
		s.Stage(packet.From([]byte(what[i : i+1])))
	}
}

// What is staged leaves after Unlock, in order, without the lock.
func TestUnlockDrains(t *testing.T) {
	sim := clock.NewSim(1)
	var sent []string
	var s *Shard
	s = New(sim.Runtime(0), 0, func(out *packet.Batch) {
		if !s.mu.TryLock() {
			t.Error("drained with the lock held")
		} else {
			s.mu.Unlock()
		}
		sent = append(sent, octets(out))
	})
	s.Lock()
	stage(s, "ab")
	if len(sent) != 0 {
		t.Error("sent under the lock")
	}
	s.Unlock()
	s.Lock()
	stage(s, "")
	s.Unlock() // nothing staged: no call
	if fmt.Sprint(sent) != "[ab]" {
		t.Errorf("sent %q", sent)
	}
}

// Sending may cause more to be staged, here or by others: it leaves after what is being sent, by the same
// goroutine, not from within.
func TestDrainIsNotNested(t *testing.T) {
	sim := clock.NewSim(1)
	var sent []string
	depth := 0
	var s *Shard
	s = New(sim.Runtime(0), 0, func(out *packet.Batch) {
		depth++
		if depth > 1 {
			t.Error("drain within drain")
		}
		what := octets(out)
		sent = append(sent, what)
		if what == "a" {
			s.Lock()
			stage(s, "bc")
			s.Unlock()
		}
		depth--
	})
	s.Lock()
	stage(s, "a")
	s.Unlock()
	if fmt.Sprint(sent) != "[a bc]" {
		t.Errorf("sent %q", sent)
	}
}

// A goroutine drains for its quota of rounds; then Runtime.Go carries on.
func TestDrainQuota(t *testing.T) {
	sim := clock.NewSim(1)
	rounds := 0
	const total = 3*drainQuota + 5
	var s *Shard
	s = New(sim.Runtime(0), 0, func(out *packet.Batch) {
		out.Free()
		rounds++
		if rounds < total {
			s.Lock()
			stage(s, "x")
			s.Unlock()
		}
	})
	s.Lock()
	stage(s, "x")
	s.Unlock()
	if rounds != drainQuota {
		t.Errorf("the caller sent %d rounds, want %d", rounds, drainQuota)
	}
	s.Lock()
	stage(s, "")
	s.Unlock() // while the rest waits for its turn: not sent by us
	if rounds != drainQuota {
		t.Errorf("%d rounds: a second one drains", rounds)
	}
	sim.RunUntilIdle()
	if rounds != total || s.draining || !s.out.Empty() {
		t.Errorf("%d rounds of %d, draining %v", rounds, total, s.draining)
	}
}

// Wait sends what is staged before it waits, and says so by returning.
func TestWaitSendsFirst(t *testing.T) {
	sim := clock.NewSim(1)
	var sent string
	s := New(sim.Runtime(0), 0, func(out *packet.Batch) { sent += octets(out) })
	cond := s.NewCond()
	open, looked := false, 0
	sim.Start("waiter", func() {
		s.Lock()
		defer s.Unlock()
		stage(s, "q")
		for !open {
			looked++
			s.Wait(cond)
		}
	})
	sim.RunUntilIdle()
	if sent != "q" || looked != 2 || fmt.Sprint(sim.Waiting()) != "[waiter]" {
		t.Errorf("sent %q, looked %d times, waiting %q", sent, looked, sim.Waiting())
	}
	s.Lock()
	open = true
	cond.Broadcast()
	s.Unlock()
	sim.RunUntilIdle()
	if len(sim.Waiting()) != 0 {
		t.Error("still waiting")
	}
}

// Nothing staged by several goroutines is lost, doubled, or sent by two at once; each goroutine's packets stay
// in order. On the real Runtime.
func TestConcurrentStaging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := clock.NewReal()
		var sending atomic.Int32
		var last [4]int
		n := 0
		s := New(rt, 0, func(out *packet.Batch) {
			if sending.Add(1) != 1 {
				t.Error("two drain at once")
			}
			for p := out.Pop(); p != nil; p = out.Pop() {
				who, seq := int(p.Mark>>16), int(p.Mark&0xffff)
				if seq != last[who]+1 {
					t.Errorf("%d: %d after %d", who, seq, last[who])
				}
				last[who] = seq
				n++
				p.Free()
			}
			sending.Add(-1)
		})
		var wg sync.WaitGroup
		for who := range last {
			wg.Go(func() {
				for seq := 1; seq <= 2000; seq++ {
					p := packet.New(1)
					p.Mark = uint32(who<<16 | seq)
					s.Lock()
					s.Stage(p)
					s.Unlock()
				}
			})
		}
		wg.Wait()
		rt.Drain()
		s.Lock() // the drained state is the lock's
		stage(s, "")
		s.Unlock()
		if n != 4*2000 {
			t.Errorf("%d sent of %d", n, 4*2000)
		}
	})
}

// Timers, waiting and staging together, in a bubble's time.
func TestRealTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(clock.NewReal(), 0, func(out *packet.Batch) { out.Free() })
		cond := s.NewCond()
		r := &recorder{s: s, name: "r", next: clock.Never}
		r.node.Owner = r
		r.woken = cond
		s.Lock()
		s.Arm(&r.node, 2e9)
		for len(r.at) == 0 {
			s.Wait(cond)
		}
		s.Unlock()
		if time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) != 2*time.Second {
			t.Errorf("woke after %v", r.at)
		}
		s.Close()
	})
}

func TestEstablishedPathAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	sim := clock.NewSim(1)
	s := New(sim.Runtime(0), 0, func(out *packet.Batch) { out.Free() })
	r := &recorder{s: s, next: clock.Never, quiet: true}
	r.node.Owner = r
	round := func() {
		s.Lock()
		s.Stage(packet.New(100))
		s.Arm(&r.node, sim.Now()+5)
		s.Unlock()
		sim.Run(sim.Now() + 10)
	}
	round()
	if n := testing.AllocsPerRun(100, round); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// A simulation stopped while somebody waits unwinds him through the deferred Unlock, so that what he deferred
// before can lock the shard again.
func TestStopWhileWaiting(t *testing.T) {
	sim := clock.NewSim(1)
	var sent string
	s := New(sim.Runtime(0), 0, func(out *packet.Batch) { sent += octets(out) })
	cond := s.NewCond()
	sim.Start("waiter", func() {
		defer func() {
			s.Lock()
			stage(s, "bye")
			s.Unlock()
		}()
		s.Lock()
		defer s.Unlock()
		for {
			s.Wait(cond)
		}
	})
	sim.RunUntilIdle()
	sim.Stop()
	if sent != "bye" {
		t.Errorf("sent %q", sent)
	}
}

// What is asked for after all is sent is called once, without the lock, when nothing is staged any more, not even by others.
func TestAfter(t *testing.T) {
	sim := clock.NewSim(1)
	var log []string
	var s *Shard
	again := true
	s = New(sim.Runtime(0), 0, func(out *packet.Batch) {
		log = append(log, octets(out))
		if again {
			again = false
			s.Lock()
			stage(s, "b")
			s.Unlock()
		}
	})
	after := func(name string) func() {
		return func() {
			s.Lock()
			log = append(log, name)
			s.Unlock()
		}
	}
	s.Lock()
	s.After(after("replaced"))
	s.After(after("after"))
	stage(s, "a")
	s.Unlock()
	sim.RunUntilIdle()
	s.Lock()
	stage(s, "c")
	s.Unlock()
	s.Lock()
	s.After(after("nothing staged"))
	s.Unlock()
	sim.RunUntilIdle()
	if want := "[a b after c nothing staged]"; fmt.Sprint(log) != want {
		t.Errorf("%v, want %s", log, want)
	}
}

// Left tells of what is staged, and of what is being sent, that it has not left.
func TestLeft(t *testing.T) {
	sim := clock.NewSim(1)
	var first, second uint64
	var s *Shard
	s = New(sim.Runtime(0), 0, func(out *packet.Batch) {
		what := octets(out)
		s.Lock()
		switch what {
		case "a":
			stage(s, "b")
			if second = s.Mark(); s.Left(first) || s.Left(second) {
				t.Error("left while it is being sent, or staged")
			}
		case "b":
			if !s.Left(first) || s.Left(second) {
				t.Error("the first has not left, or the second has")
			}
		}
		s.Unlock()
	})
	s.Lock()
	stage(s, "a")
	if first = s.Mark(); s.Left(first) {
		t.Error("left while it is staged")
	}
	s.Unlock()
	s.Lock()
	defer s.Unlock()
	if !s.Left(first) || !s.Left(second) || s.Left(s.Mark()) {
		t.Error("not left, or more has")
	}
}
