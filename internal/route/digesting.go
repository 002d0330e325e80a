package route

import (
	"iter"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"
)

const (
	manyRoutes = 1 << 13 // of a family: from then on a table has a digest of it, until it has half as many; the trie of fewer is in the cache
	fewBelow   = 8       // prefixes below an octet: fewer get no digest
)

// digestAll makes the digest of a whole family of a table anew, if it has many routes, or had and has half as many.
func (t *table) digestAll(four bool) {
	d, n, all := &t.digests[0], t.fib.Size4(), t.fib.AllSorted4
	if !four {
		d, n, all = &t.digests[1], t.fib.Size6(), t.fib.AllSorted6
	}
	if n >= manyRoutes || *d != nil && n >= manyRoutes/2 {
		*d = digestOf(all(), 0)
	} else {
		*d = nil
	}
}

// digestChanged has the digest follow a change of the prefix p.
func (t *table) digestChanged(p netip.Prefix) {
	d, n := &t.digests[0], t.fib.Size4()
	if !p.Addr().Is4() {
		d, n = &t.digests[1], t.fib.Size6()
	}
	switch {
	case *d == nil && n >= manyRoutes:
		t.digestAll(p.Addr().Is4())
	case *d != nil && n < manyRoutes/2:
		*d = nil
	case *d != nil:
		*d = (*d).changed(t.fib, p, 0)
	}
}

// digestOf returns the digest, on the given level, of prefixes that come in order, of two with one address the shorter one first.
func digestOf(prefixes iter.Seq2[netip.Prefix, *hops], level int) *digest {
	b := digester{top: level}
	b.open[level] = new(opened)
	for p, hs := range prefixes {
		if levelOf(p) >= level {
			b.add(p, hs)
		}
	}
	for b.top > level {
		b.close()
	}
	return b.open[level].narrow()
}

// digester makes a digest.
type digester struct {
	open [16]*opened // by level: what the last prefix is in
	top  int         // the last of them
	path [16]byte    // the octets that lead there
}

type opened struct {
	wide
	n int // prefixes, with those on lower levels
}

func (b *digester) add(p netip.Prefix, hs *hops) {
	path, level := octets(p.Addr()), levelOf(p)
	for b.top > level || b.open[b.top].n > 0 && string(path[:b.top]) != string(b.path[:b.top]) {
		b.close()
	}
	for b.path = path; b.top < level; {
		if b.top++; b.open[b.top] == nil {
			b.open[b.top] = new(opened)
		}
	}
	w := b.open[level]
	for i, last := covered(p); i <= last; i++ {
		w.values[i] = hs
	}
	w.n++
}

// close ends the digest at the top.
func (b *digester) close() {
	w := b.open[b.top]
	b.top--
	above := b.open[b.top]
	above.n += w.n
	kid := unsaid
	if w.n >= fewBelow {
		kid = w.narrow()
	}
	above.kids[b.path[b.top]] = kid
	*w = opened{}
}

// changed returns d, which is on the given level, after the prefix p of the table changed; nil if nothing is left in it.
func (d *digest) changed(fib *bart.Fast[*hops], p netip.Prefix, level int) *digest {
	var w wide
	if levelOf(p) == level {
		d.widen(&w)
		w.refresh(fib, p, level)
		return w.narrow()
	}
	i := octets(p.Addr())[level]
	var was, is *digest
	k := rank(&d.deeper, &d.deepTo, i)
	if has(&d.deeper, i) {
		was = d.kids[k]
	}
	if was == nil || was == unsaid {
		is = digestBelow(fib, p, level+1)
	} else {
		is = was.changed(fib, p, level+1)
	}
	switch {
	case is == was:
		return d
	case is != nil && was != nil:
		c := *d
		c.kids = slices.Clone(d.kids)
		c.kids[k] = is
		return &c
	}
	d.widen(&w)
	w.kids[i] = is
	return w.narrow()
}

// refresh asks the table anew for the values of the octets that p covers, on its level.
func (w *wide) refresh(fib *bart.Fast[*hops], p netip.Prefix, level int) {
	path := octets(p.Addr())
	for i, last := covered(p); i <= last; i++ {
		path[level] = byte(i)
		w.values[i] = nil
		if longest, hs, ok := fib.LookupPrefixLPM(prefixOf(path, level+1, p.Addr().Is4())); ok && levelOf(longest) == level {
			w.values[i] = hs
		}
	}
}

// digestBelow returns the digest, on the given level, of the prefixes there that p is among; unsaid if they are few, nil if there are
// none.
func digestBelow(fib *bart.Fast[*hops], p netip.Prefix, level int) *digest {
	within := fib.Subnets(prefixOf(octets(p.Addr()), level, p.Addr().Is4()))
	n := 0
	for p := range within {
		if levelOf(p) >= level {
			if n++; n == fewBelow {
				return digestOf(within, level)
			}
		}
	}
	if n == 0 {
		return nil
	}
	return unsaid
}

// levelOf returns the level of p: the octets that it says all of, but for the last one that it says anything of.
func levelOf(p netip.Prefix) int { return max(0, p.Bits()-1) / 8 }

// covered returns the first and the last octet of its level that p covers.
func covered(p netip.Prefix) (first, last int) {
	level := levelOf(p)
	first = int(octets(p.Addr())[level])
	return first, first | 0xff>>(p.Bits()-8*level)
}

// octets returns the octets of an address, from the first one on.
func octets(a netip.Addr) (o [16]byte) {
	if !a.Is4() {
		return a.As16()
	}
	four := a.As4()
	copy(o[:], four[:])
	return o
}

// prefixOf returns the prefix of the first n octets of a path.
func prefixOf(path [16]byte, n int, four bool) netip.Prefix {
	clear(path[n:])
	if four {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte(path[:4])), 8*n)
	}
	return netip.PrefixFrom(netip.AddrFrom16(path), 8*n)
}
