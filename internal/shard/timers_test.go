package shard

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
)

// recorder is a Timed that notes when it is called and wants next to be called at next.
type recorder struct {
	s     *Shard
	node  Node
	name  string
	next  clock.Instant
	at    []clock.Instant
	log   *[]string
	woken clock.Cond
	quiet bool
}

func (r *recorder) Expire(now clock.Instant) clock.Instant {
	if r.quiet {
		return clock.Never
	}
	r.at = append(r.at, now)
	if r.log != nil {
		*r.log = append(*r.log, fmt.Sprintf("%s@%d", r.name, now))
	}
	if r.woken != nil {
		r.woken.Broadcast()
	}
	next := r.next
	r.next = clock.Never
	return next
}

type rig struct {
	*clock.Sim
	s   *Shard
	log []string
}

func newRig() *rig {
	r := &rig{Sim: clock.NewSim(1)}
	r.s = New(r.Runtime(0), 0, func(out *packet.Batch) { out.Free() })
	return r
}

func (r *rig) timed(name string) *recorder {
	t := &recorder{s: r.s, name: name, next: clock.Never, log: &r.log}
	t.node.Owner = t
	return t
}

func (r *rig) arm(t *recorder, at clock.Instant) {
	r.s.Lock()
	r.s.Arm(&t.node, at)
	r.s.Unlock()
}

func (r *rig) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(r.log, want) {
		t.Errorf("called %v, want %v", r.log, want)
	}
}

func TestTimerOrder(t *testing.T) {
	r := newRig()
	a, b, c, d := r.timed("a"), r.timed("b"), r.timed("c"), r.timed("d")
	r.arm(a, 30)
	r.arm(b, 20)
	r.arm(c, 20) // after b, which was armed first
	r.arm(d, 10)
	r.arm(d, 40) // later: moves nothing
	r.arm(a, 20) // earlier: moves, behind b and c
	r.arm(c, clock.Never)
	r.RunUntilIdle()
	r.want(t, "d@10", "b@20", "c@20", "a@20")
}

func TestTimerAgain(t *testing.T) {
	r := newRig()
	a, b := r.timed("a"), r.timed("b")
	a.next = 25
	r.arm(a, 10)
	r.arm(b, 20)
	r.RunUntilIdle()
	r.want(t, "a@10", "b@20", "a@25")
}

// One that wants to be called at once is called again in the next round, after the others.
func TestTimerAtOnce(t *testing.T) {
	r := newRig()
	a, b := r.timed("a"), r.timed("b")
	a.next = 5 // past
	r.arm(a, 10)
	r.arm(b, 10)
	r.RunUntilIdle()
	r.want(t, "a@10", "b@10", "a@11")
}

func TestDisarm(t *testing.T) {
	r := newRig()
	a, b := r.timed("a"), r.timed("b")
	r.arm(a, 10)
	r.arm(b, 20)
	r.s.Lock()
	r.s.Disarm(&a.node)
	r.s.Disarm(&a.node) // not armed: nothing
	r.s.Unlock()
	r.RunUntilIdle()
	r.want(t, "b@20")
	r.arm(a, 30)
	r.s.Close()
	r.arm(b, 40)
	if r.Next() != clock.Never {
		t.Errorf("closed, and a timer is set for %v", r.Next())
	}
	r.RunUntilIdle()
	r.want(t, "b@20")
}

// An owner may disarm and arm others, and itself, while it is called.
type meddler struct {
	recorder
	victim, other *recorder
}

func (m *meddler) Expire(now clock.Instant) clock.Instant {
	m.s.Disarm(&m.victim.node)
	m.s.Arm(&m.other.node, now)
	m.s.Arm(&m.node, now+7)
	return m.recorder.Expire(now)
}

func TestExpireMeddles(t *testing.T) {
	r := newRig()
	m := &meddler{recorder: *r.timed("m"), victim: r.timed("victim"), other: r.timed("other")}
	m.node.Owner = m
	m.next = 50 // later than what it armed itself for
	r.arm(m.victim, 10)
	r.s.Lock()
	r.s.Arm(&m.node, 9)
	r.s.Unlock()
	r.Run(16)
	r.want(t, "m@9", "other@9", "m@16", "other@16")
}

// The heap agrees with a list sorted by (instant, arming order), whatever is armed and disarmed.
func TestHeapAgainstList(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		r := newRig()
		type armed struct {
			t   *recorder
			at  clock.Instant
			seq int
		}
		var model []armed
		var all []*recorder
		for i := range 20 {
			all = append(all, r.timed(fmt.Sprint(i)))
		}
		for seq := range 100 {
			c := all[random.IntN(len(all))]
			i := slices.IndexFunc(model, func(a armed) bool { return a.t == c })
			r.s.Lock()
			if random.IntN(4) == 0 {
				r.s.Disarm(&c.node)
				if i >= 0 {
					model = slices.Delete(model, i, i+1)
				}
			} else {
				at := clock.Instant(1 + random.IntN(30))
				r.s.Arm(&c.node, at)
				if i < 0 {
					model = append(model, armed{c, at, seq})
				} else if at < model[i].at {
					model[i].at, model[i].seq = at, seq
				}
			}
			r.s.Unlock()
		}
		slices.SortFunc(model, func(a, b armed) int {
			if a.at != b.at {
				return int(a.at - b.at)
			}
			return a.seq - b.seq
		})
		var want []string
		for _, a := range model {
			want = append(want, fmt.Sprintf("%s@%d", a.t.name, a.at))
		}
		r.RunUntilIdle()
		r.want(t, want...)
	}
}
