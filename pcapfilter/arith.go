package pcapfilter

// comparison is what a sign between two values asks, and whether the answer is to be negated.
var comparisons = map[string]struct {
	op      compare
	negated bool
}{
	"=": {equal, false}, "==": {equal, false}, "!=": {equal, true}, ">": {greater, false}, ">=": {greaterOrEqual, false},
	"<": {greaterOrEqual, true}, "<=": {greater, true},
}

// relation reads a comparison of two values. It is false, and so is its opposite, of a frame that does not have the headers
// that it reads.
func (p *parser) relation() (node, error) {
	l, lhas, err := p.arithmetic(0)
	if err != nil {
		return nil, err
	}
	t := p.next()
	c, ok := comparisons[t.text]
	if t.kind != tokSign || !ok {
		return nil, p.errorAt(t, "=, !=, <, <=, > or >= is expected")
	}
	r, rhas, err := p.arithmetic(0)
	if err != nil {
		return nil, err
	}
	n := compared(l, c.op, r)
	if c.negated {
		n = negate(n)
	}
	return all(lhas, rhas, n), nil
}

// compared is the test that l is to r as op says; simpler where it can be.
func compared(l value, op compare, r value) node {
	k, constant := r.(number)
	if !constant {
		return &relation{l, r, op}
	}
	mask := ^uint32(0)
	if b, ok := l.(*calculation); ok && b.op == "&" {
		if m, ok := b.r.(number); ok {
			l, mask = b.l, uint32(m)
		} else if m, ok := b.l.(number); ok {
			l, mask = b.r, uint32(m)
		}
	}
	switch l := l.(type) {
	case load:
		return &test{l.place, mask, op, uint32(k)}
	case number:
		return always(holds(uint32(l)&mask, op, uint32(k)))
	}
	if mask != ^uint32(0) {
		l = newCalculation("&", l, number(mask))
	}
	return &relation{l, k, op}
}

func holds(a uint32, op compare, b uint32) bool {
	switch op {
	case greater:
		return a > b
	case greaterOrEqual:
		return a >= b
	}
	return a == b
}

// precedence of the operators that have one; the higher binds closer. In tcpdump's grammar % and ^ have none: each has
// as its right side all that follows.
var precedence = map[string]int{"|": 1, "&": 2, "<<": 3, ">>": 3, "+": 4, "-": 4, "*": 5, "/": 5}

// arithmetic reads a value whose operators bind closer than lowest. has is the test that a frame has what the value reads: as
// in tcpdump, what its leftmost operand reads.
func (p *parser) arithmetic(lowest int) (v value, has node, err error) {
	if err := p.deeper(); err != nil {
		return nil, nil, err
	}
	defer func() { p.depth-- }()
	v, has, err = p.operand()
	for err == nil {
		t := p.peek()
		greedy := t.is("%") || t.is("^")
		prec := precedence[t.text]
		if t.kind != tokSign || !greedy && prec <= lowest {
			return v, has, nil
		}
		p.pos++
		if greedy {
			prec = 0
		}
		at := p.pos
		var r value
		if r, _, err = p.arithmetic(prec); err == nil {
			v, err = p.calculate(t, v, r, p.pos == at+1)
		}
	}
	return nil, nil, err
}

// calculate returns the value of l op r; at once where it can be known. As in tcpdump a shift out of the word is an error only if
// the number of bits is written as it is.
func (p *parser) calculate(op *token, l, r value, written bool) (value, error) {
	k, rconst := r.(number)
	switch {
	case rconst && k == 0 && (op.text == "/" || op.text == "%"):
		return nil, p.errorAt(op, "divides by zero")
	case rconst && k > 31 && written && (op.text == "<<" || op.text == ">>"):
		return nil, p.errorAt(op, "shifts by more than 31 bits")
	}
	if a, ok := l.(number); ok && rconst {
		return number(apply(op.text, uint32(a), uint32(k))), nil
	}
	return newCalculation(op.text, l, r), nil
}

// apply calculates; a divisor is not zero.
func apply(op string, a, b uint32) uint32 {
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		return a / b
	case "%":
		return a % b
	case "&":
		return a & b
	case "|":
		return a | b
	case "^":
		return a ^ b
	case "<<":
		return a << b
	}
	return a >> b
}

// operand reads a number, len, a load, a negative, or a value in parentheses.
func (p *parser) operand() (value, node, error) {
	t := p.next()
	switch {
	case t.kind == tokNumber:
		return number(t.num), always(true), nil
	case t.is("len"), t.is("length"):
		return load{place{from: length, size: 4}}, always(true), nil
	case t.is("-"):
		v, has, err := p.arithmetic(5)
		if err != nil {
			return nil, nil, err
		}
		v, err = p.calculate(&token{kind: tokSign, text: "-", at: t.at}, number(0), v, false)
		return v, has, err
	case t.is("("):
		v, has, err := p.arithmetic(0)
		if err != nil {
			return nil, nil, err
		}
		if t := p.next(); !t.is(")") {
			return nil, nil, p.errorAt(t, "an operator or ) is expected")
		}
		return v, has, nil
	case t.kind == tokWord && p.peek().is("["):
		return p.load(t)
	}
	return nil, nil, p.errorAt(t, "a number, len, or a protocol with [offset:size] is expected")
}

// maxConstantOffset is beyond every frame. Greater ones, as negative numbers are, are calculated: behind an IPv4 header, as in
// tcpdump, they wrap.
const maxConstantOffset = 1 << 24

// load reads the brackets behind a protocol: [offset] or [offset:size].
func (p *parser) load(proto *token) (value, node, error) {
	p.pos++
	index, has, err := p.arithmetic(0)
	if err != nil {
		return nil, nil, err
	}
	size := 1
	t := p.next()
	if t.is(":") {
		n := p.next()
		if n.kind != tokNumber || n.num != 1 && n.num != 2 && n.num != 4 {
			return nil, nil, p.errorAt(n, "the size must be 1, 2 or 4 octets")
		}
		size, t = int(n.num), p.next()
	}
	if !t.is("]") {
		return nil, nil, p.errorAt(t, "an operator, :size or ] is expected")
	}
	at, has, err := p.header(proto, has)
	if err != nil {
		return nil, nil, err
	}
	at.size = size
	if k, ok := index.(number); ok && k <= maxConstantOffset {
		at.off += uint32(k)
		return load{at}, has, nil
	}
	return &indexed{at, index}, has, nil
}

// header returns where the header of a protocol begins, and the test that it is there, which comes behind index's.
func (p *parser) header(proto *token, index node) (place, node, error) {
	f := &p.frame
	if links[proto.text] {
		return f.at(0, 1), index, nil
	}
	switch proto.text {
	case "ip", "ip6", "arp", "rarp":
		return f.net(0, 1), all(index, f.carries(etherNames[proto.text])), nil
	case "tcp", "udp", "sctp", "icmp", "igmp", "igrp", "pim", "vrrp", "carp":
		return f.behind4(0, 1), all(f.carries(typeIPv4), index, is(f.net(9, 1), uint32(protocols[proto.text])), f.first()), nil
	case "icmp6":
		return f.net(40, 1), all(f.carries(typeIPv6), index, is(f.net(6, 1), 58)), nil
	}
	return place{}, nil, p.errorAt(proto, "has no octets to be read: use ether, ip, ip6, arp, rarp, tcp, udp, sctp, icmp, icmp6, igmp, …")
}
