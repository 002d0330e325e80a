package route

import (
	"net/netip"
	"slices"
)

// The changes: each returns another FIB and leaves the one it is called of as it is, but for the Routers.

// Has reports whether a route is there that equals r, which Check has passed, in all that identifies it.
func (f *FIB) Has(r Route) bool {
	h := hopOf(&r)
	if t := f.table(r.Table); t != nil {
		for _, o := range t.get(r.Prefix) {
			if o.same(&h) {
				return true
			}
		}
	}
	return false
}

// With returns f and r, which Check has passed; ok is false, and nothing changed, if f has it.
func (f *FIB) With(r Route) (_ *FIB, ok bool) {
	if f.Has(r) {
		return f, false
	}
	h := hopOf(&r)
	return f.change(&r, func(list []Hop) []Hop { return withHop(list, f.linked(h)) }), true
}

// Without returns f without the first route of r's table and prefix that match accepts, and that route.
func (f *FIB) Without(id uint32, p netip.Prefix, match func(Route) bool) (_ *FIB, gone Route, ok bool) {
	t := f.table(id)
	if t == nil {
		return f, gone, false
	}
	list := t.get(p)
	for i := range list {
		if r := list[i].route(p, id); match(r) {
			f.routers.release(list[i].router)
			return f.change(&r, func(list []Hop) []Hop { return withoutHop(list, i) }), r, true
		}
	}
	return f, gone, false
}

// WithAll is With of many, which is faster when they are many; those that are there are left as they are.
func (f *FIB) WithAll(rs []Route) *FIB {
	c := *f
	c.tables = slices.Clone(f.tables)
	fresh := make(map[uint32]*table)
	edit := f.nextEdit()
	for i := range rs {
		r := &rs[i]
		f.journal.note(r.Table, r.Prefix)
		t := fresh[r.Table]
		if t == nil {
			t = c.tableToChange(r.Table)
			fresh[r.Table] = t
		}
		h := hopOf(r)
		t.edit(edit, r.Prefix, func(old *hops) *hops {
			var list []Hop
			if old != nil {
				list = old.list
				for k := range list {
					if list[k].same(&h) {
						return old
					}
				}
			}
			return f.intern.intern(withHop(list, f.linked(h)))
		})
		c.noteFlow(r)
	}
	c.digest(rs, fresh)
	c.retable()
	return &c
}

// digest has the digests of tables that are not published yet follow the addition of routes.
func (f *FIB) digest(added []Route, fresh map[uint32]*table) {
	if len(added) < f.Len()/8 {
		for i := range added {
			fresh[added[i].Table].digestChanged(added[i].Prefix)
		}
		return
	}
	for _, t := range f.tables {
		if fresh[t.id] != nil {
			t.digestAll(0)
			t.digestAll(1)
		}
	}
}

// WithoutAll returns f without the routes that match accepts: it looks at all.
func (f *FIB) WithoutAll(match func(Route) bool) *FIB {
	for _, t := range f.tables {
		var gone []Route
		all := 0
		t.each(func(p netip.Prefix, hs *hops) bool {
			all += len(hs.list)
			for i := range hs.list {
				if r := hs.list[i].route(p, t.id); match(r) {
					gone = append(gone, r)
				}
			}
			return true
		})
		if len(gone) >= fewGone && len(gone) > t.size()/8 {
			f = f.withoutMany(t, gone, len(gone) == all)
			continue
		}
		for _, r := range gone {
			f, _, _ = f.Without(r.Table, r.Prefix, func(o Route) bool { return o == r })
		}
	}
	return f
}

// fewGone is how many routes are taken out of a table one by one.
const fewGone = 64

// withoutMany returns f without the routes gone, which are a good part of table t, or all: it changes a copy of that.
func (f *FIB) withoutMany(t *table, gone []Route, all bool) *FIB {
	c := *f
	c.tables = slices.Clone(f.tables)
	n := &table{id: t.id}
	if !all {
		*n = *t
	}
	edit := f.nextEdit()
	for i := range gone {
		r := &gone[i]
		h := hopOf(r)
		f.journal.note(r.Table, r.Prefix)
		f.routers.release(f.routers.Find(h.Gateway, h.Out))
		if all {
			continue
		}
		n.edit(edit, r.Prefix, func(hs *hops) *hops {
			k := slices.IndexFunc(hs.list, func(o Hop) bool { return o.same(&h) })
			if len(hs.list) == 1 {
				return nil
			}
			return f.intern.intern(withoutHop(hs.list, k))
		})
	}
	n.digestAll(0)
	n.digestAll(1)
	k, _ := c.tableIndex(t.id)
	if c.tables[k] = n; n.size() == 0 {
		c.tables = slices.Delete(c.tables, k, k+1)
	}
	c.retable()
	return &c
}

// linked returns h with its router, which gets one more route.
func (f *FIB) linked(h Hop) Hop {
	if h.Gateway != (Hop{}).Gateway {
		h.router = f.routers.use(h.Gateway, h.Out)
	}
	return h
}

// change returns f with edit's list of routes for the prefix and table of r.
func (f *FIB) change(r *Route, edit func([]Hop) []Hop) *FIB {
	c := *f
	f.journal.note(r.Table, r.Prefix)
	c.tables = slices.Clone(f.tables)
	t := c.tableToChange(r.Table)
	t.edit(f.nextEdit(), r.Prefix, func(hs *hops) *hops {
		var list []Hop
		if hs != nil {
			list = hs.list
		}
		if list = edit(list); len(list) == 0 {
			return nil
		}
		return f.intern.intern(list)
	})
	t.digestChanged(r.Prefix)
	c.noteFlow(r)
	if t.size() == 0 {
		k, _ := c.tableIndex(r.Table)
		c.tables = slices.Delete(c.tables, k, k+1)
	}
	c.retable()
	return &c
}

// tableToChange puts a table of its own in the place of one of c's, which is not published yet, or where there was none.
func (c *FIB) tableToChange(id uint32) *table {
	t := &table{id: id}
	k, there := c.tableIndex(id)
	if there {
		*t = *c.tables[k]
		c.tables[k] = t
	} else {
		c.tables = slices.Insert(c.tables, k, t)
	}
	return t
}

// nextEdit returns the number of a change, of which no node of a trie is yet.
func (s *shared) nextEdit() uint64 {
	s.edits++
	return s.edits
}

// noteFlow remembers that answers depend on flows once there was a route that spreads them.
func (f *FIB) noteFlow(r *Route) {
	if r.Weight > 0 {
		if r.Prefix.Addr().Is4() {
			f.depends[0].flow = true
		} else {
			f.depends[1].flow = true
		}
	}
}

// WithRule returns f and r, which Check has passed; ok is false if an equal one is there.
func (f *FIB) WithRule(r Rule) (_ *FIB, ok bool) {
	fam := ruleFamily(&r)
	if slices.Contains(f.rules[fam], r) {
		return f, false
	}
	c := *f
	c.rules[fam] = insertRule(f.rules[fam], r)
	c.compile()
	return &c, true
}

// WithoutRule returns f without the first rule of a family that match accepts, and that rule.
func (f *FIB) WithoutRule(six bool, match func(*Rule) bool) (_ *FIB, gone Rule, ok bool) {
	fam := ruleFamily(&Rule{IPv6: six})
	for i := range f.rules[fam] {
		if match(&f.rules[fam][i]) {
			gone = f.rules[fam][i]
			c := *f
			c.rules[fam] = slices.Delete(slices.Clone(f.rules[fam]), i, i+1)
			c.compile()
			return &c, gone, true
		}
	}
	return f, gone, false
}

func ruleFamily(r *Rule) int {
	if r.IPv6 {
		return 1
	}
	return 0
}

// WithDown returns f with what interfaces are down, by index: routes through them are passed over.
func (f *FIB) WithDown(down []bool) *FIB {
	if slices.Equal(f.down, down) {
		return f
	}
	c := *f
	c.down = down
	return &c
}
