package shell

import (
	"fmt"
	"strings"
)

// command is a node of a parsed program: *simple, *pipeline, *andOr, *ifClause or *forClause.
type command interface{}

// simple is NAME=value… word… redirections.
type simple struct {
	line    int
	assigns []assign
	words   []word
	redirs  []redir
}

type assign struct {
	name  string
	value word
}

// redir is >file, >>file, <file or 2>&1.
type redir struct {
	op   string
	file word
}

// pipeline is a | b.
type pipeline struct{ parts []command }

// andOr is a && b || c.
type andOr struct {
	first command
	rest  []andOrPart
}

type andOrPart struct {
	and bool
	cmd command
}

// ifClause is if a; then b; else c; fi. An elif is an ifClause in els.
type ifClause struct{ cond, then, els []command }

// forClause is for name in words; do body; done.
type forClause struct {
	name  string
	words []word
	body  []command
}

// word is what stands between blanks.
type word []part

// part is a piece of a word: text, the name of a variable, commands whose output it stands for, or an expression.
type part struct {
	text   string
	kind   partKind
	quoted bool // is not split at blanks
	body   []command
}

type partKind uint8

const (
	literal partKind = iota
	variable
	substitution
	arithmetic
)

// parser reads a program.
type parser struct {
	src   string
	at    int
	line  int
	depth int
}

// maxDepth bounds how deep commands may be nested.
const maxDepth = 50

// syntaxError ends parsing.
type syntaxError struct{ error }

func (p *parser) fail(format string, args ...any) {
	panic(syntaxError{fmt.Errorf("line %d: %s", p.line, fmt.Sprintf(format, args...))})
}

// parse reads a whole program.
func parse(src string) (list []command, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(syntaxError)
			if !ok {
				panic(r)
			}
			err = e.error
		}
	}()
	p := &parser{src: src, line: 1}
	list = p.list()
	if p.at < len(p.src) {
		p.fail("unexpected %q", p.src[p.at])
	}
	return list, nil
}

// blanks skips blanks, continued lines and a comment.
func (p *parser) blanks() {
	for p.at < len(p.src) {
		switch c := p.src[p.at]; {
		case c == ' ' || c == '\t' || c == '\r':
			p.at++
		case c == '\\' && strings.HasPrefix(p.src[p.at+1:], "\n"):
			p.at += 2
			p.line++
		case c == '\\' && strings.HasPrefix(p.src[p.at+1:], "\r\n"):
			p.at += 3
			p.line++
		case c == '#':
			for p.at < len(p.src) && p.src[p.at] != '\n' {
				p.at++
			}
		default:
			return
		}
	}
}

// separators skips blanks, newlines and semicolons.
func (p *parser) separators() {
	for p.blanks(); p.at < len(p.src) && (p.src[p.at] == ';' || p.src[p.at] == '\n'); p.blanks() {
		if p.src[p.at] == '\n' {
			p.line++
		}
		p.at++
	}
}

// list reads commands up to the end, a closing parenthesis or a keyword that closes.
func (p *parser) list() []command {
	if p.depth++; p.depth > maxDepth {
		p.fail("commands are nested too deep")
	}
	defer func() { p.depth-- }()
	var list []command
	for {
		p.separators()
		if p.at == len(p.src) || p.src[p.at] == ')' || p.keyword("then", "else", "elif", "fi", "do", "done") != "" {
			return list
		}
		list = append(list, p.andOr())
		p.blanks()
		if p.at < len(p.src) && !strings.ContainsRune(";\n)", rune(p.src[p.at])) {
			p.fail("unexpected %q behind a command", p.src[p.at])
		}
	}
}

// keyword returns which of the words stands here.
func (p *parser) keyword(words ...string) string {
	for _, w := range words {
		rest, ok := strings.CutPrefix(p.src[p.at:], w)
		if ok && (rest == "" || strings.ContainsRune(" \t\r\n;", rune(rest[0]))) {
			return w
		}
	}
	return ""
}

func (p *parser) want(word string) {
	p.separators()
	if p.keyword(word) == "" {
		p.fail("%s is missing", word)
	}
	p.at += len(word)
}

func (p *parser) take(mark string) bool {
	if strings.HasPrefix(p.src[p.at:], mark) {
		p.at += len(mark)
		return true
	}
	return false
}

func (p *parser) andOr() command {
	a := andOr{first: p.pipeline()}
	for {
		p.blanks()
		and := p.take("&&")
		if !and && !p.take("||") {
			break
		}
		p.newlines()
		a.rest = append(a.rest, andOrPart{and, p.pipeline()})
	}
	if a.rest == nil {
		return a.first
	}
	return &a
}

// newlines skips blanks and newlines.
func (p *parser) newlines() {
	for p.blanks(); p.at < len(p.src) && p.src[p.at] == '\n'; p.blanks() {
		p.at++
		p.line++
	}
}

func (p *parser) pipeline() command {
	l := pipeline{parts: []command{p.command()}}
	for p.blanks(); p.at < len(p.src) && p.src[p.at] == '|' && !strings.HasPrefix(p.src[p.at:], "||"); p.blanks() {
		p.at++
		p.newlines()
		l.parts = append(l.parts, p.command())
	}
	if len(l.parts) == 1 {
		return l.parts[0]
	}
	return &l
}

func (p *parser) command() command {
	switch p.blanks(); p.keyword("if", "for", "while", "until", "case", "function") {
	case "if":
		p.at += 2
		c := p.ifClause()
		p.want("fi")
		return c
	case "for":
		p.at += 3
		return p.forClause()
	case "":
		return p.simple()
	}
	p.fail("while, until, case and function are not supported")
	return nil
}

// ifClause reads what follows if or elif, but for fi.
func (p *parser) ifClause() *ifClause {
	c := &ifClause{cond: p.list()}
	p.want("then")
	c.then = p.list()
	switch p.keyword("elif", "else") {
	case "elif":
		p.at += 4
		c.els = []command{p.ifClause()}
	case "else":
		p.at += 4
		c.els = p.list()
	}
	return c
}

func (p *parser) forClause() *forClause {
	p.blanks()
	c := &forClause{name: p.name()}
	if c.name == "" {
		p.fail("the name of a variable is missing behind for")
	}
	p.want("in")
	for p.blanks(); p.at < len(p.src) && !strings.ContainsRune(";\n", rune(p.src[p.at])); p.blanks() {
		c.words = append(c.words, p.word())
	}
	p.want("do")
	c.body = p.list()
	p.want("done")
	return c
}

// simple reads assignments, words and redirections up to an operator.
func (p *parser) simple() *simple {
	s := &simple{line: p.line}
	for p.blanks(); p.at < len(p.src); p.blanks() {
		c := p.src[p.at]
		if strings.ContainsRune(";\n|)", rune(c)) || strings.HasPrefix(p.src[p.at:], "&&") {
			break
		}
		if r, ok := p.redirection(); ok {
			s.redirs = append(s.redirs, r)
			continue
		}
		if c == '&' || c == '(' || c == '<' {
			p.fail("%q is not supported here", c)
		}
		if s.words == nil {
			if a, ok := p.assignment(); ok {
				s.assigns = append(s.assigns, a)
				continue
			}
		}
		s.words = append(s.words, p.word())
	}
	if s.words == nil && s.assigns == nil && s.redirs == nil {
		p.fail("a command is missing")
	}
	return s
}

// redirection reads >file, >>file, 1>file, 2>file, &>file, 2>&1 and their like.
func (p *parser) redirection() (redir, bool) {
	for _, op := range []string{"2>&1", "1>&2", ">&2"} {
		if p.take(op) {
			return redir{op: op}, true
		}
	}
	for _, op := range []string{"&>>", "&>", "2>>", "2>", "1>", ">>", ">"} {
		if p.take(op) {
			p.blanks()
			return redir{op: op, file: p.word()}, true
		}
	}
	return redir{}, false
}

// assignment reads NAME=value; where there is none it reads nothing.
func (p *parser) assignment() (assign, bool) {
	here := p.at
	name := p.name()
	if name == "" || !p.take("=") {
		p.at = here
		return assign{}, false
	}
	a := assign{name: name}
	if p.at < len(p.src) && !strings.ContainsRune(" \t\r\n;|&)", rune(p.src[p.at])) {
		a.value = p.word()
	}
	return a, true
}

// name reads the name of a variable, or nothing.
func (p *parser) name() string {
	from := p.at
	for p.at < len(p.src) && nameByte(p.src[p.at], p.at == from) {
		p.at++
	}
	return p.src[from:p.at]
}

func nameByte(c byte, begins bool) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || !begins && c >= '0' && c <= '9'
}
