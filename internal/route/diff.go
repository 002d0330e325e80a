package route

import (
	"net/netip"
	"slices"
)

// Journal notes which prefixes of a FIB have changed, so that two of its versions can be compared without looking at every
// route. The zero Journal is ready.
type Journal struct {
	touched []touched
	all     bool // anything may have changed
}

type touched struct {
	table  uint32
	prefix netip.Prefix
}

// note adds a prefix. A nil Journal notes nothing.
func (j *Journal) note(table uint32, p netip.Prefix) {
	if j == nil || j.all {
		return
	}
	if len(j.touched) >= maxTouched {
		j.noteAll()
		return
	}
	j.touched = append(j.touched, touched{table, p})
}

// maxTouched is from how many prefixes on it is simpler to compare all.
const maxTouched = 4096

func (j *Journal) noteAll() {
	if j != nil {
		j.all, j.touched = true, nil
	}
}

// Record has all changes of f, and of the FIBs that come of it or that it came of, noted in j from now on; nil: no more.
func (f *FIB) Record(j *Journal) { f.journal = j }

// Diff gives tell what one must do to the routes of old that are in use to come to those of f: first what is gone, then what
// is there that was not, or is otherwise (both). It clears j, which has recorded what happened between them.
func (f *FIB) Diff(old *FIB, j *Journal, tell func(gone, there *Route)) {
	if j.all || !slices.Equal(f.down, old.down) {
		compare(old.Routes(false), f.Routes(false), tell)
	} else {
		var before, after []Route
		done := make(map[touched]bool, len(j.touched))
		for _, t := range j.touched {
			if !done[t] {
				done[t] = true
				before, after = append(before, old.inUse(t)...), append(after, f.inUse(t)...)
			}
		}
		compare(before, after, tell)
	}
	j.touched, j.all = j.touched[:0], false
}

func (f *FIB) inUse(t touched) []Route {
	return slices.DeleteFunc(f.Prefix(t.table, t.prefix), func(r Route) bool { return f.isDown(r.Out) })
}

// compare is Diff of lists.
func compare(before, after []Route, tell func(gone, there *Route)) {
	was := make(map[Route]*Route, len(before)) // by name
	for i := range before {
		was[before[i].Name()] = &before[i]
	}
	is := make(map[Route]bool, len(after))
	for i := range after {
		is[after[i].Name()] = true
	}
	for i := range before {
		if !is[before[i].Name()] {
			tell(&before[i], nil)
		}
	}
	for i := range after {
		if old := was[after[i].Name()]; old == nil || *old != after[i] {
			tell(old, &after[i])
		}
	}
}
