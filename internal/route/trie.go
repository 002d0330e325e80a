package route

import (
	"encoding/binary"
	"math/bits"
	"net/netip"

	"github.com/onlink-go/onlink/wire"
)

// trie is the prefixes of one family, with the hops of each: a binary trie in which a path without branches is one step (Morrison's
// PATRICIA). Where there are few prefixes they are looked up in it, and where there are many in a digest of it. Its nodes do not change once they are
// published: an edit copies those on the path to a prefix, each once.
type trie struct {
	root *node
	n    int // prefixes
}

// node is a prefix, or where prefixes that are not part of each other begin to differ.
type node struct {
	key   bitString
	stamp uint64 // the edit that made it, and in the last octet the length of key
	hops  *hops  // nil: it only branches
	kids  [2]*node
}

func (n *node) bits() int { return int(uint8(n.stamp)) }

func stamp(edit uint64, bits int) uint64 { return edit<<8 | uint64(bits) }

// bitString is an address from its first bit on, IPv4's in the upper half of Hi. Behind the bits of a prefix there are zeros.
type bitString wire.Addr

func bitsOf(a wire.Addr) bitString {
	if a.Is4() {
		return bitString{Hi: a.Lo << 32}
	}
	return bitString(a)
}

// bit returns the i-th bit; of i = 128, any.
func (a bitString) bit(i int) uint64 {
	if i < 64 {
		return a.Hi >> (63 - i) & 1
	}
	return a.Lo >> (uint(127-i) & 63) & 1
}

// common returns how many bits a and b begin with alike.
func (a bitString) common(b bitString) int {
	if d := a.Hi ^ b.Hi; d != 0 {
		return bits.LeadingZeros64(d)
	}
	return 64 + bits.LeadingZeros64(a.Lo^b.Lo)
}

// first returns the first n bits of a.
func (a bitString) first(n int) bitString {
	return bitString{a.Hi &^ (^uint64(0) >> min(n, 64)), a.Lo &^ (^uint64(0) >> max(n-64, 0))}
}

// octet returns the i-th octet.
func (a bitString) octet(i int) byte {
	if i < 8 {
		return byte(a.Hi >> (56 - 8*i))
	}
	return byte(a.Lo >> (120 - 8*i))
}

// withOctet returns the first i octets of a and o behind them.
func (a bitString) withOctet(i int, o byte) bitString {
	a = a.first(8 * i)
	if i < 8 {
		a.Hi |= uint64(o) << (56 - 8*i)
	} else {
		a.Lo |= uint64(o) << (120 - 8*i)
	}
	return a
}

// prefix returns the first n bits as a prefix.
func (a bitString) prefix(n int, four bool) netip.Prefix {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], a.Hi)
	binary.BigEndian.PutUint64(b[8:], a.Lo)
	if four {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte(b[:4])), n)
	}
	return netip.PrefixFrom(netip.AddrFrom16(b), n)
}

// prefixBits is the inverse of it.
func prefixBits(p netip.Prefix) (bitString, int) {
	a := bitString(wire.AddrFrom(p.Addr()))
	if p.Addr().Is4() {
		a = bitString{Hi: a.Lo << 32}
	}
	return a.first(p.Bits()), p.Bits()
}

// find returns the hops of the longest prefix that a is in, nil if there is none.
func (n *node) find(a bitString) *hops {
	if best := n.longest(a, hostBits); best != nil {
		return best.hops
	}
	return nil
}

// above appends the prefixes of at most length bits that a is in to list, the shortest first.
func (t *trie) above(a bitString, length int, list []*node) []*node {
	for n := t.root; n != nil && n.bits() <= length && a.common(n.key) >= n.bits(); n = n.kids[a.bit(n.bits())] {
		if n.hops != nil {
			list = append(list, n)
		}
	}
	return list
}

// longest returns the longest prefix of at most length bits that a is in, nil if there is none.
func (n *node) longest(a bitString, length int) (best *node) {
	for ; n != nil && n.bits() <= length && a.common(n.key) >= n.bits(); n = n.kids[a.bit(n.bits())] {
		if n.hops != nil {
			best = n
		}
	}
	return best
}

// within returns what holds the prefixes that begin with the first length bits of a, and no others; nil if there are none.
func (n *node) within(a bitString, length int) *node {
	for n != nil && n.bits() < length && a.common(n.key) >= n.bits() {
		n = n.kids[a.bit(n.bits())]
	}
	if n == nil || a.common(n.key) < length {
		return nil
	}
	return n
}

// each calls f for n and all prefixes below it in order, of two with one address the shorter one first, until f returns false.
func (n *node) each(f func(*node) bool) bool {
	return n == nil || (n.hops == nil || f(n)) && n.kids[0].each(f) && n.kids[1].each(f)
}

// edit has the hops of a prefix be what change makes of them, nil standing for none there. Nodes of the edit with the given number
// are changed, others copied.
func (t *trie) edit(number uint64, p netip.Prefix, change func(*hops) *hops) {
	key, length := prefixBits(p)
	t.root = t.at(t.root, number, key, length, change)
}

// at returns what takes the place of n.
func (t *trie) at(n *node, number uint64, key bitString, length int, change func(*hops) *hops) *node {
	if n == nil {
		return t.leaf(number, key, length, change(nil))
	}
	same := min(key.common(n.key), length, n.bits())
	switch {
	case same < n.bits(): // it is not there
		leaf := t.leaf(number, key, length, change(nil))
		if leaf == nil {
			return n
		}
		if same < length {
			fork := &node{key: key.first(same), stamp: stamp(number, same)}
			fork.kids[key.bit(same)] = leaf
			leaf = fork
		}
		leaf.kids[n.key.bit(same)] = n
		return leaf
	case same < length: // below n
		side := key.bit(same)
		kid := t.at(n.kids[side], number, key, length, change)
		if kid == n.kids[side] {
			return n
		}
		n = n.own(number)
		n.kids[side] = kid
	default:
		hs := change(n.hops)
		if hs == n.hops {
			return n
		}
		if n.hops == nil {
			t.n++
		} else if hs == nil {
			t.n--
		}
		n = n.own(number)
		n.hops = hs
	}
	switch {
	case n.hops != nil:
	case n.kids[0] == nil:
		return n.kids[1]
	case n.kids[1] == nil:
		return n.kids[0]
	}
	return n
}

// leaf returns a node for a prefix that was not there; nil if it has no hops.
func (t *trie) leaf(number uint64, key bitString, length int, hs *hops) *node {
	if hs == nil {
		return nil
	}
	t.n++
	return &node{key: key, stamp: stamp(number, length), hops: hs}
}

// own returns n if the edit made it, else a copy that the edit may change.
func (n *node) own(number uint64) *node {
	if n.stamp>>8 == number {
		return n
	}
	c := *n
	c.stamp = stamp(number, n.bits())
	return &c
}
