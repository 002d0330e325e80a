package code

import (
	"math/big"
	"strconv"
	"strings"
)

// exprs reads an expression, or several with commas: a tuple.
func (p *parser) exprs() node {
	from := p.tok().off
	x := p.expr()
	if !p.is(",") {
		return x
	}
	list := []node{x}
	for p.take(",") {
		if !p.begins() {
			break
		}
		list = append(list, p.expr())
	}
	return &seqNode{p.since(from), true, list}
}

// exprsIfAny is exprs, nil at the end of the statement.
func (p *parser) exprsIfAny() node {
	if !p.begins() {
		return nil
	}
	return p.exprs()
}

// begins reports whether an expression can begin here.
func (p *parser) begins() bool {
	switch t := p.tok(); t.kind {
	case tokName, tokInt, tokFloat, tokString:
		return true
	case tokOp:
		switch t.text {
		case "(", "[", "{", "-", "+", "~", "not", "lambda", "True", "False", "None":
			return true
		}
	}
	return false
}

// expr reads an expression: x if cond else y, lambda, and all below.
func (p *parser) expr() node {
	p.deeper()
	defer func() { p.depth-- }()
	from := p.tok().off
	if p.take("lambda") {
		f := &function{name: "<lambda>"}
		p.params(f, ":")
		p.want(":", "behind the parameters of a lambda")
		at := p.tok().off
		x := p.expr()
		f.body = []stmt{&returnStmt{off(at), x}}
		return &lambdaNode{p.since(from), f}
	}
	x := p.or()
	if !p.take("if") {
		return x
	}
	cond := p.or()
	p.want("else", "behind the condition")
	no := p.expr()
	return &ifNode{p.since(from), cond, x, no}
}

func (p *parser) or() node {
	from := p.tok().off
	x := p.and()
	for p.take("or") {
		y := p.and()
		x = &logicNode{p.since(from), false, x, y}
	}
	return x
}

func (p *parser) and() node {
	from := p.tok().off
	x := p.not()
	for p.take("and") {
		y := p.not()
		x = &logicNode{p.since(from), true, x, y}
	}
	return x
}

func (p *parser) not() node {
	from := p.tok().off
	if !p.take("not") {
		return p.comparison()
	}
	p.deeper()
	defer func() { p.depth-- }()
	x := p.not()
	return &unaryNode{p.since(from), "not", x}
}

func (p *parser) comparison() node {
	from := p.tok().off
	x := p.binary(0)
	var c *compareNode
	for op := p.comparator(); op != ""; op = p.comparator() {
		if c == nil {
			c = &compareNode{x: x}
		}
		c.ops = append(c.ops, op)
		c.list = append(c.list, p.binary(0))
	}
	if c == nil {
		return x
	}
	c.span = p.since(from)
	return c
}

// comparator takes an operator that compares, the empty string if there is none.
func (p *parser) comparator() string {
	if p.tok().kind != tokOp {
		return ""
	}
	switch op := p.tok().text; op {
	case "==", "!=", "<", ">", "<=", ">=", "in":
		p.advance()
		return op
	case "is":
		p.advance()
		if p.take("not") {
			return "is not"
		}
		return op
	case "not":
		if next := p.list[p.i+1]; next.kind == tokOp && next.text == "in" {
			p.advance()
			p.advance()
			return "not in"
		}
	}
	return ""
}

// levels are the other binary operators, the loosest first.
var levels = [][]string{{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "//", "%"}}

func (p *parser) binary(level int) node {
	if level == len(levels) {
		return p.unary()
	}
	from := p.tok().off
	x := p.binary(level + 1)
	for {
		op := ""
		for _, o := range levels[level] {
			if p.is(o) {
				op = o
			}
		}
		if op == "" {
			return x
		}
		p.advance()
		y := p.binary(level + 1)
		x = &binaryNode{p.since(from), op, x, y}
	}
}

func (p *parser) unary() node {
	from := p.tok().off
	for _, op := range []string{"-", "+", "~"} {
		if p.take(op) {
			p.deeper()
			defer func() { p.depth-- }()
			x := p.unary()
			return &unaryNode{p.since(from), op, x}
		}
	}
	x := p.postfix()
	if !p.take("**") {
		return x
	}
	p.deeper()
	defer func() { p.depth-- }()
	y := p.unary()
	return &binaryNode{p.since(from), "**", x, y}
}

// postfix reads an atom and the calls, indexes and attributes behind it.
func (p *parser) postfix() node {
	from := p.tok().off
	x := p.atom()
	for {
		switch {
		case p.take("("):
			c := &callNode{f: x}
			p.args(c)
			c.span = p.since(from)
			x = c
		case p.take("["):
			x = p.index(x, from)
		case p.take("."):
			name := p.name("an attribute")
			x = &attrNode{p.since(from), x, name}
		default:
			return x
		}
	}
}

// args reads arguments up to the parenthesis.
func (p *parser) args(c *callNode) {
	for !p.take(")") {
		if len(c.args) > 0 {
			if !p.take(",") {
				p.expected(", or ) in the arguments")
			}
			if p.take(")") {
				return
			}
		}
		if next := p.list[min(p.i+1, len(p.list)-1)]; p.tok().kind == tokName && next.kind == tokOp && next.text == "=" {
			c.names = append(c.names, p.advance().text)
			p.advance()
		} else if c.names != nil {
			p.expected("name = value, as the argument before is one")
		}
		from := p.tok().off
		x := p.expr()
		if len(c.args) == 0 && c.names == nil && p.is("for") {
			x = p.comprehension(x, from)
		}
		c.args = append(c.args, x)
	}
}

// index reads i] or from:to].
func (p *parser) index(x node, from int) node {
	var i, to node
	if !p.is(":") {
		i = p.exprs()
	}
	if p.take("]") {
		return &indexNode{p.since(from), x, i}
	}
	p.want(":", "or ] in an index")
	if !p.is("]") {
		to = p.expr()
	}
	p.want("]", "behind a slice")
	return &sliceNode{p.since(from), x, i, to}
}

func (p *parser) atom() node {
	t := p.tok()
	here := span{t.off, t.end}
	switch {
	case t.kind == tokName:
		p.advance()
		return &nameNode{here, t.text}
	case t.kind == tokInt:
		return p.integer()
	case t.kind == tokFloat:
		p.advance()
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			p.fail(t.off, "found %s, expected a number", t.text)
		}
		return &constNode{here, f}
	case t.kind == tokString:
		return p.strings()
	case p.take("True"):
		return &constNode{here, true}
	case p.take("False"):
		return &constNode{here, false}
	case p.take("None"):
		return &constNode{here, nil}
	case p.take("("):
		return p.parentheses(t.off)
	case p.take("["):
		return p.brackets(t.off)
	case p.take("{"):
		return p.dict(t.off)
	}
	p.expected("an expression")
	return nil
}

func (p *parser) integer() node {
	t := p.advance()
	text := t.text
	if len(text) > 1 && text[0] == '0' && digit(text[1]) { // Python 2's octal numbers
		text = "0o" + text[1:]
	}
	n, ok := new(big.Int).SetString(text, 0)
	if !ok || len(text) > 1000 {
		p.fail(t.off, "found %s, expected a number", shorten(t.text))
	}
	return &constNode{span{t.off, t.end}, n}
}

// strings reads a string, or several in a row.
func (p *parser) strings() node {
	from := p.tok().off
	f := &formatNode{}
	var text strings.Builder
	for p.tok().kind == tokString {
		t := p.advance()
		if strings.Contains(t.prefix, "f") {
			for _, part := range p.formatParts(t) {
				text.WriteString(part.text)
				if part.x != nil {
					part.text = text.String()
					text.Reset()
					f.parts = append(f.parts, part)
				}
			}
			continue
		}
		text.WriteString(t.text)
	}
	if f.parts == nil {
		return &constNode{p.since(from), text.String()}
	}
	f.parts = append(f.parts, formatPart{text: text.String()})
	f.span = p.since(from)
	return f
}

// formatParts takes an f"…" apart. What stands in braces is code: it is read by a parser of its own, whose positions are
// those of the string.
func (p *parser) formatParts(t token) []formatPart {
	var parts []formatPart
	pieces, err := replacements(t.text)
	if err != "" {
		p.fail(t.off, "%s", err)
	}
	for _, r := range pieces {
		part := formatPart{text: r.text, repr: r.repr, spec: r.spec}
		if r.field {
			from := p.pos(t.off)
			inner := &parser{source: &source{text: strings.TrimSpace(r.expr), file: p.file, line: from.Line, col: from.Col}, depth: p.depth}
			inner.list = scan(inner.source)
			inner.deeper()
			part.x = inner.exprs()
			if inner.tok().kind != tokNewline && inner.tok().kind != tokEnd {
				inner.expected("} behind an expression")
			}
		}
		parts = append(parts, part)
	}
	return parts
}

func (p *parser) parentheses(from int) node {
	if p.take(")") {
		return &seqNode{p.since(from), true, nil}
	}
	x := p.exprs()
	if p.is("for") {
		x = p.comprehension(x, from)
	}
	p.want(")", "behind an expression")
	return x
}

func (p *parser) brackets(from int) node {
	if p.take("]") {
		return &seqNode{p.since(from), false, nil}
	}
	x := p.expr()
	if p.is("for") {
		x = p.comprehension(x, from)
		p.want("]", "behind a list")
		return x
	}
	list := []node{x}
	for p.take(",") {
		if p.is("]") {
			break
		}
		list = append(list, p.expr())
	}
	p.want("]", "or , in a list")
	return &seqNode{p.since(from), false, list}
}

func (p *parser) dict(from int) node {
	d := &dictNode{}
	for !p.take("}") {
		if d.keys != nil {
			p.want(",", "or } in a dictionary")
			if p.take("}") {
				break
			}
		}
		d.keys = append(d.keys, p.expr())
		p.want(":", "behind the key of a dictionary")
		d.values = append(d.values, p.expr())
	}
	d.span = p.since(from)
	return d
}

// comprehension reads for x in list if cond.
func (p *parser) comprehension(value node, from int) node {
	p.want("for", "in a comprehension")
	c := &compNode{value: value, targets: p.targets()}
	p.want("in", "behind the variable of a comprehension")
	c.over = p.or()
	for p.take("if") {
		c.conds = append(c.conds, p.or())
	}
	if p.is("for") {
		p.fail(p.tok().off, "a comprehension with two loops is not supported")
	}
	c.span = p.since(from)
	return c
}
