package route

import "math/bits"

// digest is an excerpt of one family of a table with many routes: it finds the hops of an address's longest prefix, and does
// nothing else. So it is small, and a lookup touches few cache lines: most of a table's trie of a million prefixes is beyond
// the processor's caches, where a router would wait five times for each packet.
//
// It is a trie of an octet a level. One digest holds the prefixes of its level under one prefix, each
// expanded to all the octets that it covers. Octets in a row that lead to the same hops have one value (both as in Asai and
// Ohara's Poptrie). Where there are few prefixes it leads on to the table's trie.
//
// It is immutable: a change makes another one, which shares all but the path to the prefix that changed.
type digest struct {
	runs   [4]uint64 // bit i: octet i has another value than the one before; bit 0 is set
	deeper [4]uint64 // bit i: there are longer prefixes at octet i
	runsTo [4]uint8  // how many bits are set in the words of runs before each
	deepTo [4]uint8
	values []*hops // of the runs; nil: what a shorter prefix says
	kids   []kid   // of the octets with longer prefixes
}

// kid is what has the longer prefixes at an octet: a digest, or if they are few the part of the trie. The zero kid: there are none.
type kid struct {
	digest *digest
	few    *node
}

// find returns the hops of the longest prefix that a is in, nil if there is none.
func (d *digest) find(a bitString) (best *hops) {
	for whole := a; ; {
		i := uint8(a.Hi >> 56)
		if v := d.values[rank(&d.runs, &d.runsTo, i)]; v != nil {
			best = v
		}
		if !has(&d.deeper, i) {
			return best
		}
		k := &d.kids[rank(&d.deeper, &d.deepTo, i)]
		if d = k.digest; d == nil {
			if hs := k.few.find(whole); hs != nil {
				best = hs
			}
			return best
		}
		a.Hi, a.Lo = a.Hi<<8|a.Lo>>56, a.Lo<<8
	}
}

func has(set *[4]uint64, i uint8) bool { return set[i>>6]>>(i&63)&1 != 0 }

// rank returns how many of set are less than i, or are i, without the last of them: where what belongs to it is found. before has how many
// are in each word's predecessors.
func rank(set *[4]uint64, before *[4]uint8, i uint8) int {
	return int(before[i>>6]) + bits.OnesCount64(set[i>>6]<<(63-i&63)) - 1
}

// wide is a digest that can be written to: by octet.
type wide struct {
	values [256]*hops
	kids   [256]kid
}

func (d *digest) widen(w *wide) {
	v, k := -1, 0
	for i := range w.values {
		if has(&d.runs, uint8(i)) {
			v++
		}
		w.values[i] = d.values[v]
		if has(&d.deeper, uint8(i)) {
			w.kids[i] = d.kids[k]
			k++
		}
	}
}

// narrow returns the digest that w is of; nil if there is nothing in it.
func (w *wide) narrow() *digest {
	d := new(digest)
	values, kids := 0, 0
	for i, v := range w.values {
		if i == 0 || v != w.values[i-1] {
			d.runs[i>>6] |= 1 << (i & 63)
			values++
		}
		if w.kids[i] != (kid{}) {
			d.deeper[i>>6] |= 1 << (i & 63)
			kids++
		}
	}
	if kids == 0 && values == 1 && w.values[0] == nil {
		return nil
	}
	for i := range 3 {
		d.runsTo[i+1] = d.runsTo[i] + uint8(bits.OnesCount64(d.runs[i]))
		d.deepTo[i+1] = d.deepTo[i] + uint8(bits.OnesCount64(d.deeper[i]))
	}
	d.values, d.kids = make([]*hops, 0, values), make([]kid, 0, kids)
	for i, v := range w.values {
		if has(&d.runs, uint8(i)) {
			d.values = append(d.values, v)
		}
		if w.kids[i] != (kid{}) {
			d.kids = append(d.kids, w.kids[i])
		}
	}
	return d
}
