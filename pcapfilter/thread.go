package pcapfilter

// thread sends every test straight to where the answers it implies lead: whoever has found that the frame is not IPv4 need not
// come by the next question for it, though others who come there must ask. The questions that nobody comes to any more
// are left out.
//
// It goes backwards, so that what is relied on behind a label is known when the ways to it are looked at.
func thread(code []step) {
	asks := make(map[int]int) // by where a test's loads begin: the test
	for i := range code {
		if code[i].asked != nil {
			asks[code[i].begin] = i
		}
	}
	ends := make([][2]*label, len(code))
	for i := len(code) - 1; i >= 0; i-- {
		if c := &code[i]; c.no != nil {
			ends[i] = [2]*label{follow(code, asks, c.yes, c.ifYes), follow(code, asks, c.no, c.ifNo)}
		} else if c.yes != nil {
			c.yes.pass(c.ifYes)
		}
	}
	for i := range code {
		if code[i].no != nil {
			code[i].yes, code[i].no = ends[i][0], ends[i][1]
		}
	}
	leaveOut(code)
}

// follow returns where one who comes to l with the knowledge of s ends up.
func follow(code []step, asks map[int]int, l *label, s *state) *label {
	defer func() { l.pass(s) }()
	for {
		if c := &code[l.at]; c.instruction == nil {
			l = c.yes
			continue
		}
		i, ok := asks[l.at]
		if !ok {
			return l
		}
		answer, known := s.decide(code[i].asked)
		if !known {
			return l
		}
		next := code[i].no
		if answer != code[i].negated {
			next = code[i].yes
		}
		if !s.suffices(next) {
			return l
		}
		l = next
	}
}

// suffices reports whether the registers have in s what is relied on behind l.
func (s *state) suffices(l *label) bool {
	return (!l.needsA || l.state.a == s.a) && (!l.needsX || s.headerInX && s.x == l.state.x)
}

// pass notes that what is relied on behind l is relied on where s has it from.
func (l *label) pass(s *state) {
	if l.needsA {
		s.relyOnA()
	}
	if l.needsX {
		s.relyOnX()
	}
}

// leaveOut takes the instructions away that nothing comes to.
func leaveOut(code []step) {
	reached := make([]bool, len(code))
	reached[0] = true
	for i := range code {
		switch c := &code[i]; {
		case !reached[i]:
			*c = step{}
		case c.yes == nil:
			if i+1 < len(code) {
				reached[i+1] = true
			}
		default:
			reached[c.yes.at] = true
			if c.no != nil {
				reached[c.no.at] = true
			}
		}
	}
}
