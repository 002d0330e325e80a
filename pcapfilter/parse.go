package pcapfilter

import "fmt"

// parser turns an expression into a tree. It reads from left to right without going back.
type parser struct {
	expr   string
	opt    Options
	tokens []token
	match  []int // by token: where the parenthesis that closes it is
	pos    int   // of the next token
	depth  int   // of nesting

	// What the words read so far mean for those to come.
	frame frame       // where headers are; vlan moves them
	last  *qualifiers // of the last primitive; nil: it had none to pass on
}

// maxDepth is how deep parentheses, negations and the like may be nested.
const maxDepth = 500

// parse returns the tree of the expression.
func (p *parser) parse() (node, error) {
	if err := p.lex(); err != nil {
		return nil, err
	}
	if err := p.pair(); err != nil {
		return nil, err
	}
	if p.peek().kind == tokEnd {
		return always(true), nil
	}
	n, err := p.expression()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokEnd {
		return nil, p.errorAt(t, "and, or, or the end is expected")
	}
	return n, nil
}

// pair finds the parentheses that belong together.
func (p *parser) pair() error {
	p.match = make([]int, len(p.tokens))
	var open []int
	for i := range p.tokens {
		switch t := &p.tokens[i]; {
		case t.is("("), t.is("["):
			open = append(open, i)
		case t.is(")"), t.is("]"):
			if len(open) == 0 || p.tokens[open[len(open)-1]].is("(") != t.is(")") {
				return p.errorAt(t, "closes what was not opened")
			}
			p.match[open[len(open)-1]] = i
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return p.errorAt(&p.tokens[open[len(open)-1]], "is not closed")
	}
	return nil
}

func (p *parser) peek() *token { return &p.tokens[p.pos] }

// next returns the next token and steps over it; the end stays.
func (p *parser) next() *token {
	t := p.peek()
	if t.kind != tokEnd {
		p.pos++
	}
	return t
}

// accept steps over the next token if it is one of words, and reports whether it was.
func (p *parser) accept(words ...string) bool {
	for _, w := range words {
		if p.peek().is(w) {
			p.pos++
			return true
		}
	}
	return false
}

func (p *parser) errorAt(t *token, format string, args ...any) error {
	return &Error{p.expr, t.at, t.text, fmt.Sprintf(format, args...)}
}

// deeper counts a step into a part of the expression; the caller undoes it with p.depth--.
func (p *parser) deeper() error {
	if p.depth++; p.depth > maxDepth {
		return p.errorAt(p.peek(), "is nested too deep")
	}
	return nil
}

// expression reads primitives joined by and and or, from left to right: neither binds closer.
func (p *parser) expression() (node, error) {
	n, err := p.term()
	for err == nil {
		isAnd := p.accept("and", "&&")
		if !isAnd && !p.accept("or", "||") {
			return n, nil
		}
		var r node
		if p.atID() {
			r, err = p.inherited()
		} else {
			r, err = p.term()
		}
		if isAnd {
			n = all(n, r)
		} else {
			n = either(n, r)
		}
	}
	return nil, err
}

// inherited reads an address, a number or a name that has the qualifiers of the primitive before.
func (p *parser) inherited() (node, error) {
	if p.last == nil {
		return nil, p.errorAt(p.peek(), "host, net, port or proto is missing: there is none before to take it from")
	}
	return p.id(*p.last)
}

// atID reports whether an address, a number or a name follows that stands for itself; before it there may be negations and
// parentheses.
func (p *parser) atID() bool {
	i := p.pos
	closing := 0
	for ; p.tokens[i].is("not") || p.tokens[i].is("!") || p.tokens[i].is("("); i++ {
		if p.tokens[i].is("(") {
			closing++
		}
	}
	switch p.tokens[i].kind {
	case tokNumber:
		for i++; closing > 0 && p.tokens[i].is(")"); closing-- {
			i++
		}
		return !operator(&p.tokens[i])
	case tokName, tokPart, tokIPv6, tokMAC:
		return true
	}
	return false
}

// operator reports whether t stands between numbers.
func operator(t *token) bool {
	if t.kind != tokSign {
		return false
	}
	switch t.text {
	case "(", ")", "[", "]", ":", "!", "&&", "||":
		return false
	}
	return true
}

// term reads a primitive, a negation, or an expression in parentheses.
func (p *parser) term() (node, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	t := p.peek()
	switch {
	case p.accept("not", "!"):
		n, err := p.term()
		return negate(n), err
	case p.atArithmetic():
		p.last = nil
		return p.relation()
	case p.accept("("):
		n, err := p.expression()
		if err != nil {
			return nil, err
		}
		if t := p.next(); !t.is(")") {
			return nil, p.errorAt(t, "and, or or ) is expected")
		}
		p.last = nil
		return n, nil
	case t.kind == tokWord:
		return p.primitive()
	case t.kind == tokEnd:
		return nil, p.errorAt(t, "something is missing")
	case t.kind == tokSign:
		return nil, p.errorAt(t, "stands where a primitive should be")
	case t.kind == tokName:
		return nil, p.errorAt(t, "is not a word of the language; before a name say what it is: port, proto")
	}
	return nil, p.errorAt(t, "say before it what it is: host, net, port or proto")
}

func negate(n node) node {
	switch n := n.(type) {
	case nil:
		return nil
	case always:
		return !n
	case not:
		return n.x
	}
	return not{n}
}

// atArithmetic reports whether a comparison begins here.
func (p *parser) atArithmetic() bool {
	t, following := p.peek(), p.tokens[min(p.pos+1, len(p.tokens)-1)]
	switch {
	case t.kind == tokNumber, t.is("-"), t.is("len"), t.is("length"):
		return true
	case t.is("("):
		return operator(&p.tokens[p.match[p.pos]+1])
	}
	return t.kind == tokWord && following.is("[")
}
