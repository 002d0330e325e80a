package code

import "slices"

// parser reads statements; parseexpr.go reads expressions.
type parser struct {
	*source
	list  []token
	i     int
	depth int // of expressions and blocks
	loops int // around the statement
	defs  []*function
}

// maxDepth bounds how deeply expressions and blocks nest.
const maxDepth = 60

// deeper counts a level of nesting; the caller leaves it with p.depth--.
func (p *parser) deeper() {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.tok().off, "the code nests too deeply")
	}
}

func (p *parser) tok() token { return p.list[p.i] }

func (p *parser) advance() token {
	t := p.list[p.i]
	if t.kind != tokEnd {
		p.i++
	}
	return t
}

// is reports whether the token is the operator or keyword.
func (p *parser) is(op string) bool { return p.tok().kind == tokOp && p.tok().text == op }

func (p *parser) take(op string) bool {
	if !p.is(op) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) want(op, after string) {
	if !p.take(op) {
		p.expected("%s %s", op, after)
	}
}

// expected fails: it names what was found and what should have been.
func (p *parser) expected(format string, args ...any) {
	found := ""
	switch t := p.tok(); t.kind {
	case tokEnd:
		found = "the end of the code"
	case tokNewline:
		found = "the end of the line"
	case tokIndent:
		found = "a deeper indentation"
	case tokDedent:
		found = "the end of the block"
	case tokString:
		found = "a string"
	default:
		found = p.text[t.off:t.end]
	}
	p.fail(p.tok().off, "found %s, expected "+format, append([]any{found}, args...)...)
}

// leftOut are the words that begin something that is left out.
var leftOut = []string{"try", "except", "finally", "with", "class", "yield", "nonlocal", "async", "await", "@"}

// program reads a whole piece of code.
func (p *parser) program() []stmt {
	var list []stmt
	for p.tok().kind != tokEnd {
		if p.tok().kind == tokIndent {
			p.fail(p.tok().off, "the line is indented more than the code before it")
		}
		list = append(list, p.statement()...)
	}
	return list
}

// statement reads a compound statement, or a line of simple ones.
func (p *parser) statement() []stmt {
	t := p.tok()
	if t.kind == tokOp && slices.Contains(leftOut, t.text) {
		p.fail(t.off, "%s is not supported", t.text)
	}
	p.deeper()
	defer func() { p.depth-- }()
	switch {
	case p.take("if"):
		return []stmt{p.ifStatement(off(t.off))}
	case p.take("while"):
		s := &whileStmt{off: off(t.off), cond: p.expr()}
		s.body, s.other = p.loop()
		return []stmt{s}
	case p.take("for"):
		s := &forStmt{off: off(t.off), target: p.targets()}
		p.want("in", "behind the variable of a loop")
		s.over = p.exprs()
		s.body, s.other = p.loop()
		return []stmt{s}
	case p.take("def"):
		return []stmt{&defStmt{off(t.off), p.def()}}
	}
	return p.line()
}

func (p *parser) ifStatement(at off) stmt {
	s := &ifStmt{off: at}
	for more := true; more; more = p.take("elif") {
		s.conds = append(s.conds, p.expr())
		s.blocks = append(s.blocks, p.block())
	}
	if p.take("else") {
		s.other = p.block()
	}
	return s
}

func (p *parser) loop() (body, other []stmt) {
	p.loops++
	body = p.block()
	p.loops--
	if p.take("else") {
		other = p.block()
	}
	return body, other
}

// block reads what follows a colon: the rest of the line, or indented lines.
func (p *parser) block() []stmt {
	p.want(":", "in front of a block")
	if p.tok().kind != tokNewline {
		return p.line()
	}
	p.advance()
	if p.tok().kind != tokIndent {
		p.expected("an indented block")
	}
	p.advance()
	var list []stmt
	for p.tok().kind != tokDedent && p.tok().kind != tokEnd {
		if p.tok().kind == tokIndent {
			p.fail(p.tok().off, "the line is indented more than the code before it")
		}
		list = append(list, p.statement()...)
	}
	p.advance()
	return list
}

func (p *parser) def() *function {
	f := &function{name: p.name("the name of a function"), globals: map[string]bool{}}
	p.want("(", "behind the name of a function")
	p.params(f, ")")
	p.want(")", "behind the parameters of a function")
	if p.take("->") {
		p.expr()
	}
	loops := p.loops
	p.loops = 0
	p.defs = append(p.defs, f)
	f.body = p.block()
	p.defs = p.defs[:len(p.defs)-1]
	p.loops = loops
	return f
}

// params reads a, b=1 up to the mark that ends them.
func (p *parser) params(f *function, end string) {
	for !p.is(end) {
		if len(f.params) > 0 {
			p.want(",", "between parameters")
		}
		name := p.name("a parameter")
		if slices.Contains(f.params, name) {
			p.fail(p.tok().off, "the parameter %s is there twice", name)
		}
		f.params = append(f.params, name)
		if p.take("=") {
			f.defaults = append(f.defaults, p.expr())
		} else if f.defaults != nil {
			p.expected("= and a default, as the parameter before has one")
		}
	}
}

func (p *parser) name(what string) string {
	if p.tok().kind != tokName {
		p.expected("%s", what)
	}
	return p.advance().text
}

// line reads simple statements up to the end of the line.
func (p *parser) line() []stmt {
	var list []stmt
	for {
		list = append(list, p.simple())
		if p.take(";") && p.tok().kind != tokNewline {
			continue
		}
		if p.tok().kind != tokNewline && p.tok().kind != tokEnd {
			p.expected("the end of the statement")
		}
		p.advance()
		return list
	}
}

func (p *parser) simple() stmt {
	t := p.tok()
	at := off(t.off)
	if t.kind == tokName && t.text == "print" && p.printWord() {
		return p.printStatement(at)
	}
	if t.kind != tokOp {
		return p.assignment(at)
	}
	switch t.text {
	case "pass", "break", "continue":
		if t.text != "pass" && p.loops == 0 {
			p.fail(t.off, "%s outside of a loop", t.text)
		}
		p.advance()
		return &jumpStmt{at, t.text}
	case "assert":
		p.advance()
		s := &assertStmt{off: at, cond: p.expr()}
		if p.take(",") {
			s.msg = p.expr()
		}
		return s
	case "return":
		if len(p.defs) == 0 {
			p.fail(t.off, "return outside of a function")
		}
		p.advance()
		return &returnStmt{at, p.exprsIfAny()}
	case "raise":
		p.advance()
		return &raiseStmt{at, p.exprsIfAny()}
	case "global":
		p.advance()
		return p.global(at)
	case "import", "from":
		return p.importStatement(at)
	case "del":
		p.fail(t.off, "del is not supported")
	}
	return p.assignment(at)
}

func (p *parser) global(at off) stmt {
	s := &globalStmt{off: at}
	for more := true; more; more = p.take(",") {
		s.names = append(s.names, p.name("a variable"))
	}
	for _, f := range p.defs {
		for _, n := range s.names {
			f.globals[n] = true
		}
	}
	return s
}

// importStatement reads import a.b as c, d and from a import b, c.
func (p *parser) importStatement(at off) stmt {
	s := &importStmt{off: at, from: p.advance().text == "from"}
	one := imported{}
	if s.from {
		one.module = p.name("a module")
		p.want("import", "behind the module")
		if p.take("*") {
			return s
		}
	}
	for more := true; more; more = p.take(",") {
		one.as = ""
		if s.from {
			one.name = p.name("a name")
		} else {
			one.module = p.name("a module")
		}
		if p.take("as") {
			one.as = p.name("a name")
		}
		s.list = append(s.list, one)
	}
	return s
}

// printWord reports whether print is Python 2's statement here: what follows cannot follow a name.
func (p *parser) printWord() bool {
	t := p.list[p.i+1]
	switch t.kind {
	case tokName, tokInt, tokFloat, tokString:
		return true
	case tokNewline:
		return true
	}
	return t.kind == tokOp && (t.text == "not" || t.text == "None" || t.text == "True" || t.text == "False" || t.text == "-" || t.text == ">>")
}

func (p *parser) printStatement(at off) stmt {
	p.advance()
	s := &printStmt{off: at}
	if p.take(">>") { // print >>sys.stderr, "text"
		p.expr()
		p.take(",")
	}
	for p.tok().kind != tokNewline && p.tok().kind != tokEnd && !p.is(";") {
		s.list = append(s.list, p.expr())
		if !p.take(",") {
			break
		}
	}
	return s
}

// assignment reads an expression, x = y = expression, or x += expression.
func (p *parser) assignment(at off) stmt {
	x := p.exprs()
	if t := p.tok(); t.kind == tokOp && len(t.text) > 1 && t.text[len(t.text)-1] == '=' {
		switch op := t.text[:len(t.text)-1]; op {
		case "+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^":
			p.target(x, false)
			p.advance()
			return &augmentStmt{at, x, op, p.exprs()}
		}
	}
	if !p.is("=") {
		return &exprStmt{at, x}
	}
	s := &assignStmt{off: at, value: x}
	for p.take("=") {
		p.target(s.value, true)
		s.targets = append(s.targets, s.value)
		s.value = p.exprs()
	}
	return s
}

// target fails if x cannot be assigned to.
func (p *parser) target(x node, several bool) {
	switch x := x.(type) {
	case *nameNode, *indexNode:
		return
	case *seqNode:
		if several {
			for _, y := range x.list {
				p.target(y, true)
			}
			return
		}
	}
	from, _ := x.at()
	p.fail(from, "this cannot be assigned to")
}

// targets reads the variables of a loop.
func (p *parser) targets() node {
	from := p.tok().off
	var list []node
	for {
		x := p.postfix()
		p.target(x, true)
		list = append(list, x)
		if !p.take(",") {
			break
		}
	}
	if len(list) == 1 {
		return list[0]
	}
	return &seqNode{p.since(from), true, list}
}

// since is the span from an offset to the end of the token before.
func (p *parser) since(from int) span {
	if p.i == 0 {
		return span{from, from}
	}
	return span{from, p.list[p.i-1].end}
}
