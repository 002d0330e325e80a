package pcapfilter

// state is what is known at a point of the program, whichever way led there. It is immutable.
type state struct {
	a         holding
	headerInX bool // register X has the length of the IPv4 header that is at x
	x         uint32
	facts     []fact

	// Since when the registers are as they are: from a label on; nil: they were loaded after it.
	sinceA, sinceX *label
}

// holding is what register A has: what is at a place, as far as the mask goes. The zero holding is something else.
type holding struct {
	at   place
	mask uint32
}

// fact says that what is held is k, or is not.
type fact struct {
	holding
	k  uint32
	is bool
}

// maxFacts is how many facts are remembered; the oldest are forgotten first.
const maxFacts = 32

// from is s behind the label l.
func (s *state) from(l *label) *state {
	n := *s
	n.sinceA, n.sinceX = l, l
	return &n
}

// relyOnA and relyOnX note that the registers are used as they are.
func (s *state) relyOnA() {
	if s.sinceA != nil {
		s.sinceA.needsA = true
	}
}

func (s *state) relyOnX() {
	if s.sinceX != nil {
		s.sinceX.needsX = true
	}
}

func (s *state) with(a holding) *state {
	n := *s
	n.a, n.sinceA = a, nil
	return &n
}

func (s *state) withX(base uint32) *state {
	n := *s
	n.headerInX, n.x, n.sinceX = true, base, nil
	return &n
}

func (s *state) withoutX() *state {
	n := *s
	n.headerInX, n.sinceX = false, nil
	return &n
}

// learn adds a fact.
func (s *state) learn(f fact) *state {
	n := *s
	n.facts = append(make([]fact, 0, len(s.facts)+1), s.facts...)
	n.facts = append(n.facts, f)
	if len(n.facts) > maxFacts {
		n.facts = n.facts[1:]
	}
	return &n
}

// meet returns what s and t agree in.
func (s *state) meet(t *state) *state {
	if s == t {
		return s
	}
	n := new(state)
	if s.a == t.a {
		n.a = s.a
	}
	if s.headerInX && t.headerInX && s.x == t.x {
		n.headerInX, n.x = true, s.x
	}
	for _, f := range s.facts {
		if t.knows(f) {
			n.facts = append(n.facts, f)
		}
	}
	for _, f := range t.facts {
		if !f.is && s.knows(f) && !n.knows(f) {
			n.facts = append(n.facts, f)
		}
	}
	return n
}

// knows reports whether f holds in s. What is one thing is not another.
func (s *state) knows(f fact) bool {
	for _, g := range s.facts {
		if g == f || !f.is && g.is && g.holding == f.holding && g.k != f.k {
			return true
		}
	}
	return false
}

// decide answers t if what is known suffices.
func (s *state) decide(t *test) (answer, known bool) {
	h := holding{t.at, t.mask}
	for _, f := range s.facts {
		switch {
		case f.holding != h:
		case f.is:
			return holds(f.k, t.op, t.k), true
		case t.op == equal && f.k == t.k:
			return false, true
		}
	}
	return false, false
}
