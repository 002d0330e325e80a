package mcast

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// rig is a machine in virtual time, and what it sent.
type rig struct {
	testing.TB
	*Machine
	now  clock.Instant
	four bool
	rand func() uint64
}

func newRig(t testing.TB, four bool, s Settings) *rig {
	random := rand.New(rand.NewPCG(1, 2))
	r := &rig{TB: t, four: four, rand: random.Uint64, now: clock.Instant(time.Hour)}
	r.Machine = New(Config{IPv4: four, Rand: func() uint64 { return r.rand() }}, s)
	r.Up(r.now)
	return r
}

// families runs f for IGMP and for MLD.
func families(t *testing.T, f func(t *testing.T, four bool)) {
	t.Run("IGMP", func(t *testing.T) { f(t, true) })
	t.Run("MLD", func(t *testing.T) { f(t, false) })
}

// group returns the n'th group, and src the source a letter names.
func (r *rig) group(n int) wire.Addr {
	if r.four {
		return wire.Addr4(239, 0, 0, byte(n))
	}
	return wire.Addr{Hi: 0xff0e << 48, Lo: uint64(n)}
}

func (r *rig) src(c rune) wire.Addr {
	if r.four {
		return wire.Addr4(192, 0, 2, byte(c))
	}
	return wire.Addr{Hi: 0x20010db8 << 32, Lo: uint64(c)}
}

func (r *rig) srcs(s string) (as []wire.Addr) {
	for _, c := range s {
		as = append(as, r.src(c))
	}
	return as
}

// filter reads "IN ab" or "EX ab".
func (r *rig) filter(s string) Filter {
	if rest, ok := strings.CutPrefix(s, "EX"); ok {
		return NewFilter(Exclude, r.srcs(strings.TrimSpace(rest))...)
	}
	return NewFilter(Include, r.srcs(strings.TrimSpace(strings.TrimPrefix(s, "IN")))...)
}

// has returns the filter that the n'th group was set to.
func (r *rig) has(n int) Filter {
	if i, ok := r.find(r.group(n)); ok {
		return r.groups[i].filter
	}
	return Filter{}
}

func (r *rig) set(n int, f string) {
	r.Set(r.now, r.group(n), r.filter(f), 0)
	r.Timeout(r.now)
}

// query has a query arrive; sources none: it is about the group, n 0: about all.
func (r *rig) query(v Version, n int, sources string, most time.Duration) {
	q := wire.GroupQuery{Version: uint8(v), MaxResp: most, Sources: r.srcs(sources), QRV: 2, QQI: 125 * time.Second}
	if !r.four {
		q.Version--
	}
	if n > 0 {
		q.Group = r.group(n)
	}
	r.Query(r.now, &q)
	r.Timeout(r.now)
}

// sent returns what was sent since the last call, in the RFC's notation.
func (r *rig) sent() (all []string) {
	var m Message
	for r.Next(&m) {
		all = append(all, r.notation(&m))
	}
	return all
}

func (r *rig) notation(m *Message) string {
	switch {
	case m.Leave:
		return fmt.Sprintf("v%d leave %d", m.Version, m.Group.Lo&0xff)
	case m.Version < V3:
		return fmt.Sprintf("v%d report %d", m.Version, m.Group.Lo&0xff)
	}
	var recs []string
	for _, rec := range m.Report.Records {
		s := fmt.Sprintf("%d %v(", rec.Group.Lo&0xff, rec.Type)
		for _, a := range rec.Sources {
			s += string(rune(a.Lo & 0xff))
		}
		recs = append(recs, s+")")
	}
	return strings.Join(recs, " ")
}

// run lets time pass, and returns what was sent in it.
func (r *rig) run(d time.Duration) (all []string) {
	r.Helper()
	end := r.now.Add(d)
	for range 1000 {
		at := r.Deadline()
		if at > end {
			r.now = end
			return append(all, r.sent()...)
		}
		r.now = max(at, r.now)
		r.Timeout(r.now)
		all = append(all, r.sent()...)
	}
	r.Fatal("timers for ever")
	return nil
}

func (r *rig) want(what string, got []string, want ...string) {
	r.Helper()
	if !slices.Equal(got, want) {
		r.Errorf("%s: sent %q, want %q", what, got, want)
	}
}
