package mcast

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// TestMergeIsUnion: what an interface hears is exactly what one of its sockets wants, source by source.
func TestMergeIsUnion(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	rig := newRig(t, true, Settings{})
	for range 20000 {
		var merged Filter
		var sockets []Filter
		for range r.IntN(5) {
			var list []wire.Addr
			for c := 'a'; c <= 'f'; c++ {
				if r.IntN(2) == 0 {
					list = append(list, rig.src(c))
				}
			}
			f := NewFilter(Mode(r.IntN(2)), list...)
			sockets = append(sockets, f)
			merged = Merge(merged, f)
		}
		for c := 'a'; c <= 'g'; c++ {
			want := false
			for _, f := range sockets {
				want = want || f.Accepts(rig.src(c))
			}
			if merged.Accepts(rig.src(c)) != want {
				t.Fatalf("%v of %v: %v", merged, sockets, c)
			}
		}
	}
}

// router is what RFC 3376, 6.4, makes of one host's reports, without timers that expire: what it forwards of a group.
type router map[wire.Addr]Filter

// hear takes a report. Of one host only, "forwarded" is what the host has asked for last.
func (q router) hear(m *Message) {
	for _, rec := range m.Report.Records {
		f := q[rec.Group]
		list := NewFilter(Include, rec.Sources...).Sources
		switch rec.Type {
		case wire.ModeIsInclude, wire.ChangeToInclude:
			f = Filter{Include, list}
		case wire.ModeIsExclude, wire.ChangeToExclude:
			f = Filter{Exclude, list}
		case wire.AllowNewSources:
			f = Merge(f, Filter{Include, list})
		case wire.BlockOldSources:
			for _, s := range list {
				if f.Mode == Include {
					f = f.Without(s)
				} else {
					f = f.With(s)
				}
			}
		}
		q[rec.Group] = f
	}
}

// TestRouterConverges: whatever changes come, and whatever reports are lost, as long as of [Robustness Variable] in a row one
// arrives, a router that hears them forwards what the interface wants (RFC 3376, 8.1: "IGMP is robust to (Robustness Variable -
// 1) packet losses").
func TestRouterConverges(t *testing.T) {
	for _, four := range []bool{true, false} {
		for seed := range uint64(300) {
			random := rand.New(rand.NewPCG(seed, 9))
			const robustness = 3
			r := newRig(t, four, Settings{Robustness: robustness})
			r.rand = random.Uint64
			q := router{}
			lost := 0
			hear := func() {
				var m Message
				for r.Next(&m) {
					if lost < robustness-1 && random.IntN(2) == 0 {
						lost++
						continue
					}
					lost = 0
					q.hear(&m)
				}
			}
			for range 30 {
				list := ""
				for c := 'a'; c <= 'd'; c++ {
					if random.IntN(2) == 0 {
						list += string(c)
					}
				}
				// One group: a loss counts against the reports of that group.
				r.set(1, []string{"IN", "EX"}[random.IntN(2)]+" "+list)
				hear()
				end := r.now.Add(time.Duration(random.Int64N(int64(1500 * time.Millisecond))))
				for r.Deadline() <= end {
					r.now = r.Deadline()
					r.Timeout(r.now)
					hear()
				}
				r.now = end
			}
			for r.Deadline() != clock.Never {
				r.now = r.Deadline()
				r.Timeout(r.now)
				hear()
			}
			if got, want := q[r.group(1)], r.has(1); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("seed %d: the router has %v, the interface %v", seed, got, want)
			}
		}
	}
}
