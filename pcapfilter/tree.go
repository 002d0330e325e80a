package pcapfilter

// node is a part of the parsed expression: it is true of a frame, or not.
type node interface{ node() }

type (
	// always is true of every frame, or of none.
	always bool
	// not, and, or join; the right side is looked at only if the left one does not decide.
	not struct{ x node }
	and struct{ l, r node }
	or  struct{ l, r node }
	// test compares the value at a place with a constant.
	test struct {
		at   place
		mask uint32
		op   compare
		k    uint32
	}
	// cases is true of a frame of one of several kinds if what is asked of that kind is. No frame is of two kinds. Those with
	// the same name have the same kinds.
	cases struct {
		name         string
		kinds, asked []node
	}
	// relation compares two values that are calculated.
	relation struct {
		l, r value
		op   compare
	}
)

func (always) node()    {}
func (not) node()       {}
func (and) node()       {}
func (or) node()        {}
func (*test) node()     {}
func (*cases) node()    {}
func (*relation) node() {}

// compare is what BPF can ask of two unsigned numbers.
type compare uint8

const (
	equal compare = iota
	greater
	greaterOrEqual
)

// place is where a value is in the frame.
type place struct {
	from origin
	off  uint32 // from the origin
	size int    // octets: 1, 2, 4
	base uint32 // offset of the IPv4 header; of behindIPv4 only
}

// origin is where an offset counts from.
type origin uint8

const (
	start      origin = iota // of the frame
	behindIPv4               // the IPv4 header that is at base, whose length is to be read
	length                   // the place is not in the frame: it is the frame's length
)

// value is an arithmetic expression over unsigned numbers of 32 bits.
type value interface{ value() }

type (
	number uint32
	load   struct{ place }
	// indexed loads from a place whose offset is calculated: index octets beyond the place.
	indexed struct {
		place
		index value
	}
	// calculation joins two values.
	calculation struct {
		op    string // a sign
		l, r  value
		words int // of scratch memory that it takes to calculate it
	}
)

func (number) value()       {}
func (load) value()         {}
func (*indexed) value()     {}
func (*calculation) value() {}

// newCalculation returns l op r. The side that needs more memory is calculated first, with nothing to be kept meanwhile.
func newCalculation(op string, l, r value) *calculation {
	c := &calculation{op: op, l: l, r: r, words: words(l)}
	if _, constant := r.(number); !constant {
		c.words = max(min(words(l), words(r))+1, words(l), words(r))
	}
	return c
}

// words returns how many words of scratch memory it takes to calculate v.
func words(v value) int {
	switch v := v.(type) {
	case *indexed:
		return words(v.index)
	case *calculation:
		return v.words
	}
	return 0
}

// all joins nodes by and, either by or. Without nodes, all is true and either false.
func all(list ...node) node {
	return join(list, true, func(l, r node) node { return and{l, r} })
}

func either(list ...node) node { return join(list, false, merge) }

// merge is l or r; neighbors that ask the same kinds of frames different things ask them together.
func merge(l, r node) node {
	b, ok := r.(*cases)
	if !ok {
		return or{l, r}
	}
	switch l := l.(type) {
	case *cases:
		if l.name == b.name {
			n := &cases{name: l.name, kinds: l.kinds}
			for i := range l.asked {
				n.asked = append(n.asked, either(l.asked[i], b.asked[i]))
			}
			return n
		}
	case or:
		if a, ok := l.r.(*cases); ok && a.name == b.name {
			return or{l.l, merge(a, b)}
		}
	}
	return or{l, r}
}

// expanded is c in other words.
func (c *cases) expanded() node {
	var n node = always(false)
	for i := range c.kinds {
		n = either(n, all(c.kinds[i], c.asked[i]))
	}
	return n
}

// join leaves out nodes that are always empty, and is the other constant where one of them is.
func join(list []node, empty always, f func(l, r node) node) node {
	var n node = empty
	for _, x := range list {
		switch c, constant := x.(always); {
		case n == node(empty):
			n = x
		case constant && c == empty:
		default:
			n = f(n, x)
		}
	}
	return n
}

// is is the test that the value at p is k.
func is(p place, k uint32) node { return &test{p, ^uint32(0), equal, k} }

// masked is the test that the value at p has k where mask has ones.
func masked(p place, k, mask uint32) node {
	if mask == 0 {
		return always(k == 0)
	}
	return &test{p, mask, equal, k}
}
