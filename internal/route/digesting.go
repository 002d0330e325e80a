package route

import (
	"net/netip"
	"slices"
)

const (
	manyRoutes = 1 << 5 // of a family: from then on a table has a digest of it, until it has half as many
	fewBelow   = 8      // prefixes below an octet: fewer get no digest
)

// digestAll makes the digest of a whole family of a table anew, if it has many routes, or had and has half as many.
func (t *table) digestAll(fam int) {
	d, n := &t.digests[fam], t.tries[fam].n
	if n >= manyRoutes || *d != nil && n >= manyRoutes/2 {
		*d = digestOf(t.tries[fam].root, 0)
	} else {
		*d = nil
	}
}

// digestChanged has the digest follow a change of the prefix p.
func (t *table) digestChanged(p netip.Prefix) {
	fam := familyOf(p)
	d, n := &t.digests[fam], t.tries[fam].n
	switch {
	case *d == nil && n >= manyRoutes:
		t.digestAll(fam)
	case *d != nil && n < manyRoutes/2:
		*d = nil
	case *d != nil:
		key, length := prefixBits(p)
		*d = (*d).changed(&t.tries[fam], key, length, 0)
	}
}

// digestOf returns the digest, on the given level, of the prefixes in n.
func digestOf(n *node, level int) *digest {
	b := digester{root: n, top: level}
	b.open[level] = new(opened)
	n.each(func(p *node) bool {
		if levelOf(p.bits()) >= level {
			b.add(p)
		}
		return true
	})
	for b.top > level {
		b.close()
	}
	return b.open[level].narrow()
}

// digester makes a digest of prefixes that come in order, of two with one address the shorter one first.
type digester struct {
	root *node       // what has the prefixes
	open [16]*opened // by level: what the last prefix is in
	top  int         // the last of them
	path bitString   // the octets that lead there
}

type opened struct {
	wide
	n int // prefixes, with those on lower levels
}

func (b *digester) add(p *node) {
	level := levelOf(p.bits())
	for b.top > level || b.open[b.top].n > 0 && b.path.common(p.key) < 8*b.top {
		b.close()
	}
	for b.path = p.key; b.top < level; {
		if b.top++; b.open[b.top] == nil {
			b.open[b.top] = new(opened)
		}
	}
	w := b.open[level]
	for i, last := covered(p.key, p.bits()); i <= last; i++ {
		w.values[i] = p.hops
	}
	w.n++
}

// close ends the digest at the top.
func (b *digester) close() {
	w := b.open[b.top]
	b.top--
	above := b.open[b.top]
	above.n += w.n
	k := &above.kids[b.path.octet(b.top)]
	if w.n >= fewBelow {
		k.digest = w.narrow()
	} else {
		k.few = b.root.within(b.path, 8*b.top+8)
	}
	*w = opened{}
}

// changed returns d, which is on the given level, after a prefix of t changed; nil if nothing is left in it.
func (d *digest) changed(t *trie, key bitString, length, level int) *digest {
	var w wide
	if levelOf(length) == level {
		d.widen(&w)
		w.refresh(t, key, length)
		return w.narrow()
	}
	i := key.octet(level)
	var was, is kid
	k := rank(&d.deeper, &d.deepTo, i)
	if has(&d.deeper, i) {
		was = d.kids[k]
	}
	if was.digest == nil {
		is = below(t, key, level+1)
	} else {
		is.digest = was.digest.changed(t, key, length, level+1)
	}
	switch {
	case is == was:
		return d
	case is != (kid{}) && was != (kid{}):
		c := *d
		c.kids = slices.Clone(d.kids)
		c.kids[k] = is
		return &c
	}
	d.widen(&w)
	w.kids[i] = is
	return w.narrow()
}

// refresh asks the trie anew for the values of the octets that a prefix covers, on its level.
func (w *wide) refresh(t *trie, key bitString, length int) {
	level := levelOf(length)
	for i, last := covered(key, length); i <= last; i++ {
		w.values[i] = nil
		if n := t.root.longest(key.withOctet(level, byte(i)), 8*level+8); n != nil && levelOf(n.bits()) == level {
			w.values[i] = n.hops
		}
	}
	if k := &w.kids[key.octet(level)]; k.few != nil && length == 8*level+8 {
		k.few = t.root.within(key, length) // that begins with it
	}
}

// below returns what has the prefixes on the given level, and longer ones, that key is among.
func below(t *trie, key bitString, level int) kid {
	within := t.root.within(key, 8*level)
	n := 0
	within.each(func(p *node) bool {
		if levelOf(p.bits()) >= level {
			n++
		}
		return n < fewBelow
	})
	switch n {
	case 0:
		return kid{}
	case fewBelow:
		return kid{digest: digestOf(within, level)}
	}
	return kid{few: within}
}

// levelOf returns the level of a prefix of a length: the octets that it says all of, but for the last one that it says anything of.
func levelOf(length int) int { return max(0, length-1) / 8 }

// covered returns the first and the last octet of its level that a prefix covers.
func covered(key bitString, length int) (first, last int) {
	level := levelOf(length)
	first = int(key.octet(level))
	return first, first | 0xff>>(length-8*level)
}
