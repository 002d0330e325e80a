package script

import (
	"strconv"
	"strings"
)

// maxDepth bounds how deeply brackets and operators nest.
const maxDepth = 100

// precedence are the binary operators, the loosest first, as in C. The grammar has | alone; the others are understood
// inside brackets, where + and * cannot be the time of the next event.
var precedence = [][]string{{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"}}

// outside is the number of levels of precedence an expression outside of brackets has.
const outside = 3

// expression reads an expression.
func (p *parser) expression() Expr {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.tok.off, "the expression nests too deeply")
	}
	defer func() { p.depth-- }()
	return p.binary(0)
}

// nested reports whether the parser is inside brackets.
func (p *parser) nested() bool { return p.depth > 1 }

func (p *parser) binary(level int) Expr {
	if level == len(precedence) || level == outside && !p.nested() {
		return p.primary()
	}
	x := p.binary(level + 1)
	for {
		op, at := p.operator(level), p.where()
		if op == "" {
			return x
		}
		for range op {
			p.advance()
		}
		x = &Binary{Pos: at, Op: op, X: x, Y: p.binary(level + 1)}
	}
}

// operator returns the operator of a level that stands here, the empty string if there is none.
func (p *parser) operator(level int) string {
	for _, op := range precedence[level] {
		if p.is(op[0]) && (len(op) == 1 || strings.HasPrefix(p.src[p.tok.off:], op)) {
			return op
		}
	}
	return ""
}

func (p *parser) primary() Expr {
	at := p.where()
	switch p.tok.kind {
	case tokEllipsis:
		p.advance()
		return &Ellipsis{at}
	case tokInt, tokHex:
		return p.integer(false)
	case tokFloat:
		text := p.advance().text
		value, _ := strconv.ParseFloat(text, 64)
		return &Float{at, value, text}
	case tokString:
		return p.str()
	case tokWord:
		return p.word()
	case '-', '~', '!':
		return p.unary()
	case '[':
		return &List{at, p.list('[', ']', "the elements of a list")}
	case '{':
		return p.braces()
	case '(':
		p.advance()
		x := p.expression()
		p.want(')', "behind an expression")
		return x
	}
	p.expected("an expression")
	return nil
}

// integer reads a number of up to 64 bits; a minus in front of it has been taken if negative.
func (p *parser) integer(negative bool) *Int {
	n, err := strconv.ParseUint(strings.TrimPrefix(p.tok.text, "0x"), base(p.tok.kind), 64)
	if err != nil || negative && n > 1<<63 {
		p.fail(p.tok.off, "the number %s does not fit into 64 bits", shorten(p.tok.text))
	}
	x := &Int{Pos: p.where(), Value: int64(n), Hex: p.tok.kind == tokHex}
	if negative {
		x.Value = -x.Value
	}
	p.advance()
	return x
}

func base(k tokenKind) int {
	if k == tokHex {
		return 16
	}
	return 10
}

func (p *parser) unary() Expr {
	at, op := p.where(), string(rune(p.advance().kind))
	if op == "-" && p.tok.kind == tokInt {
		x := p.integer(true)
		x.Pos = at
		return x
	}
	if p.depth++; p.depth > maxDepth {
		p.fail(p.tok.off, "the expression nests too deeply")
	}
	defer func() { p.depth-- }()
	return &Unary{Pos: at, Op: op, X: p.primary()}
}

// str reads a string, or several that are to be joined.
func (p *parser) str() Expr {
	x := &Str{Pos: p.where()}
	var b strings.Builder
	for p.tok.kind == tokString {
		b.WriteString(p.unescape(p.tok.off+1, p.tok.text))
		p.advance()
	}
	x.Value = b.String()
	if p.tok.kind == tokEllipsis {
		p.advance()
		x.More = true
	}
	return x
}

// word reads a name, or what begins with one: a call of a function, and name = value.
func (p *parser) word() Expr {
	at, name := p.where(), p.advance().text
	switch {
	case !p.nested(): // a note or an errno may follow
	case p.is('('):
		return &Call{at, name, p.list('(', ')', "the arguments of "+name)}
	case p.take('='):
		return &Assign{at, name, p.expression()}
	}
	return &Word{at, name}
}

// list reads expressions between brackets and commas.
func (p *parser) list(open, end byte, what string) []Expr {
	p.want(open, "in front of "+what)
	var list []Expr
	for !p.take(end) {
		if list != nil && !p.take(',') {
			p.expected(", or %c in %s", end, what)
		}
		p.depth++ // the brackets
		list = append(list, p.expression())
		p.depth--
	}
	return list
}

// braces reads a Struct, or one of the two headers that have a form of their own: {(label 1, …)} and {flags [none], …}.
func (p *parser) braces() Expr {
	at := p.where()
	p.advance()
	p.depth++
	defer func() { p.depth-- }()
	if here := *p; p.take('(') {
		label := p.isWord("label")
		*p = here
		if label {
			x := p.mpls(at)
			p.want('}', "behind a label stack")
			return &HeaderExpr{at, x}
		}
	}
	if here := *p; p.takeWord("flags") || p.takeWord("Flags") {
		gre := p.is('[') || p.tok.kind == tokInt || p.tok.kind == tokHex
		*p = here
		if gre {
			x := &GRE{Pos: at}
			p.greFields(x)
			p.want('}', "behind the fields of GRE")
			return &HeaderExpr{at, x}
		}
	}
	s := &Struct{Pos: at}
	for !p.take('}') {
		if s.Fields != nil && !p.take(',') {
			p.expected(", or } in a structure")
		}
		s.Fields = append(s.Fields, p.field())
	}
	return s
}

func (p *parser) field() Field {
	f := Field{Pos: p.where()}
	switch x := p.expression().(type) {
	case *Assign:
		f.Name, f.Value = x.Name, x.Value
	case *Call:
		if !p.is('=') {
			f.Value = x
			break
		}
		// msg_iov(1) = […]: what looked like a call is a field and its count.
		if len(x.Args) != 1 {
			p.fail(p.tok.off, "expected one number in the parentheses behind %s", x.Name)
		}
		p.advance()
		f.Name, f.Count, f.Value = x.Name, x.Args[0], p.expression()
	default:
		f.Value = x
	}
	return f
}
