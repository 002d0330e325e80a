package script

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"
)

// Parse reads a script. The name stands in positions; an error is a *SyntaxError.
func Parse(name string, src []byte) (*Script, error) {
	return ParseWith(name, src, nil)
}

// ParseWith reads a script in which the words of defines stand for other text, as --define=WORD=text in the script makes
// them; defines win over the script's own. The text is a word, a number, "a string" or `a command`.
func ParseWith(name string, src []byte, defines map[string]string) (s *Script, err error) {
	p := &parser{lexer: lexer{file: name, src: string(src), starts: []int{0}, defines: maps.Clone(defines)}}
	for i, c := range src {
		if c == '\n' {
			p.starts = append(p.starts, i+1)
		}
	}
	defer func() {
		if r := recover(); r != nil {
			bad, ok := r.(*SyntaxError)
			if !ok {
				panic(r)
			}
			s, err = nil, bad
		}
	}()
	return p.script(defines), nil
}

// parser is a recursive descent: one function a rule of the grammar, looking at one token.
type parser struct {
	lexer
	tok   token // the token looked at
	depth int   // of brackets, inside which an expression may have more operators
}

// advance moves to the next token and returns the one left.
func (p *parser) advance() token {
	t := p.tok
	p.tok = p.next()
	return t
}

// where is the position of the token looked at.
func (p *parser) where() Pos { return p.pos(p.tok.off) }

// is reports whether the token is a punctuation mark.
func (p *parser) is(mark byte) bool { return p.tok.kind == tokenKind(mark) }

// isWord reports whether the token is one of the words.
func (p *parser) isWord(words ...string) bool {
	for _, w := range words {
		if p.tok.kind == tokWord && p.tok.text == w {
			return true
		}
	}
	return false
}

// take moves on if the token is the mark.
func (p *parser) take(mark byte) bool {
	if !p.is(mark) {
		return false
	}
	p.advance()
	return true
}

// takeWord moves on if the token is the word.
func (p *parser) takeWord(word string) bool {
	if !p.isWord(word) {
		return false
	}
	p.advance()
	return true
}

// want moves over the mark that has to stand here.
func (p *parser) want(mark byte, after string) {
	if !p.take(mark) {
		p.expected("%c %s", mark, after)
	}
}

// expected fails: it names what was found and what should have been.
func (p *parser) expected(format string, args ...any) {
	p.fail(p.tok.off, "found %s, expected %s", p.found(), fmt.Sprintf(format, args...))
}

// found describes the token looked at.
func (p *parser) found() string {
	switch p.tok.kind {
	case tokEOF:
		return "the end of the script"
	case tokString:
		return "the string " + shorten(strconv.Quote(p.tok.text))
	case tokCommand:
		return "the command " + shorten("`"+p.tok.text+"`")
	case tokCode:
		return "code"
	case tokEllipsis:
		return "..."
	case tokOption:
		return "the option --" + p.tok.text
	case tokInt, tokHex, tokFloat:
		return "the number " + p.tok.text
	case tokWord, tokAddr:
		return strconv.Quote(shorten(p.tok.text))
	}
	return strconv.QuoteRune(rune(p.tok.kind))
}

func shorten(s string) string {
	if len(s) > 40 {
		return s[:37] + "..."
	}
	return s
}

func (p *parser) script(defines map[string]string) *Script {
	s := &Script{Name: p.file}
	p.advance()
	for done := false; !done; {
		switch p.tok.kind {
		case tokOption:
			s.Options = append(s.Options, p.option(defines))
		case tokCommand:
			s.Init = append(s.Init, p.command())
		default:
			done = true
		}
	}
	for p.tok.kind != tokEOF && p.tok.kind != tokCommand {
		s.Events = append(s.Events, p.event())
	}
	if s.Events == nil {
		p.expected("an event: a time, and what happens then")
	}
	for p.tok.kind == tokCommand {
		s.Cleanup = append(s.Cleanup, p.command())
	}
	if p.tok.kind != tokEOF {
		p.expected("the end of the script behind a command without a time")
	}
	s.lines = strings.SplitAfter(p.src, "\n")
	return s
}

// option reads --name or --name=value. A value that is no string is what stands up to the next blank.
func (p *parser) option(defines map[string]string) Option {
	o := Option{Pos: p.where(), Name: p.tok.text}
	here := p.lexer
	if p.run(blank); !p.has("=") {
		p.lexer = here
		p.advance()
		return o
	}
	p.off++
	p.run(blank)
	from := p.off
	for p.off < len(p.src) && !blank(p.src[p.off]) && p.src[p.off] != '\n' && p.src[p.off] != '\r' {
		switch c := p.src[p.off]; c {
		case '"':
			p.quoted(c, "a string")
		case '`':
			p.quoted(c, "a command")
		default:
			p.off++
		}
	}
	o.Value, o.HasValue = p.src[from:p.off], true
	if o.Value == "" {
		p.fail(from, "expected a value for --%s behind =", o.Name)
	}
	if o.Name == "define" || o.Name == "D" {
		p.defined(from, o.Value, defines)
	}
	if n := len(o.Value); n > 1 && o.Value[0] == '"' && o.Value[n-1] == '"' {
		o.Value = o.Value[1 : n-1]
	}
	p.advance()
	return o
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// defined notes a definition of the script, unless the caller has made one of the same word.
func (p *parser) defined(off int, text string, defines map[string]string) {
	word, value, ok := strings.Cut(text, "=")
	if !ok || word == "" || value == "" || strings.IndexFunc(word, func(r rune) bool { return r >= 0x80 || !wordByte(byte(r)) }) >= 0 {
		p.fail(off, "found %q, expected WORD=value", shorten(text))
	}
	if _, ok := defines[word]; ok {
		return
	}
	if p.defines == nil {
		p.defines = map[string]string{}
	}
	p.defines[word] = value
}

func (p *parser) command() *Command {
	c := &Command{Pos: p.where(), Text: p.tok.text}
	p.advance()
	return c
}

func (p *parser) event() *Event {
	e := &Event{Pos: p.where(), Time: p.time()}
	end, blocking, at := time.Duration(0), false, p.where()
	if p.tok.kind == tokEllipsis {
		p.advance()
		p.take('+')
		from := p.tok.off
		if end, blocking = p.seconds(), true; end < e.Time.At {
			p.fail(from, "the call ends before it begins")
		}
	}
	switch {
	case p.tok.kind == tokWord:
		call := p.syscall()
		if blocking {
			call.Pos, call.Blocking, call.End = at, true, end
		}
		e.Action = call
	case blocking:
		p.expected("a system call behind its end")
	case p.is('<') || p.is('>'):
		e.Action = p.packet()
	case p.tok.kind == tokCommand:
		e.Action = p.command()
	case p.tok.kind == tokCode:
		e.Action = p.code()
	default:
		p.expected("a packet (< or >), a system call, a command or code behind the time")
	}
	p.checkTime(e)
	return e
}

// checkTime holds an event to the times it may have.
func (p *parser) checkTime(e *Event) {
	fail := func(format string, args ...any) {
		panic(&SyntaxError{Pos: e.Pos, Msg: fmt.Sprintf(format, args...)})
	}
	ranged := e.Time.Kind == AbsoluteRange || e.Time.Kind == RelativeRange
	if ranged && e.Time.End < e.Time.At {
		fail("the range of time ends before it begins")
	}
	if out, ok := e.Action.(*Packet); ok && out.Dir == Outbound {
		return
	}
	if ranged {
		fail("a range of time can stand in front of outbound packets only")
	}
	if e.Time.Kind == AnyTime {
		fail("the time * can stand in front of outbound packets only")
	}
}

func (p *parser) time() Time {
	switch {
	case p.take('*'):
		return Time{Kind: AnyTime}
	case p.take('+'):
		t := Time{Kind: Relative, At: p.seconds()}
		if p.take('~') {
			p.want('+', "in front of the end of a range that begins with +")
			t.Kind, t.End = RelativeRange, p.seconds()
		}
		return t
	}
	if p.tok.kind != tokInt && p.tok.kind != tokFloat && !p.is('-') {
		p.expected("the time of an event")
	}
	t := Time{Kind: Absolute, At: p.seconds()}
	if p.take('~') {
		t.Kind, t.End = AbsoluteRange, p.seconds()
	}
	return t
}

// maxSeconds bounds times: thirty years in a time.Duration's reach.
const maxSeconds = 1_000_000_000

// seconds reads a number of seconds, to the nanosecond.
func (p *parser) seconds() time.Duration {
	if p.is('-') {
		p.fail(p.tok.off, "a time cannot be negative")
	}
	if p.tok.kind != tokInt && p.tok.kind != tokFloat {
		p.expected("a number of seconds")
	}
	whole, frac, _ := strings.Cut(p.tok.text, ".")
	if whole == "" {
		whole = "0"
	}
	n, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || n > maxSeconds {
		p.fail(p.tok.off, "the time %s is out of range", shorten(p.tok.text))
	}
	nanos, _ := strconv.ParseUint((frac + "000000000")[:9], 10, 63)
	p.advance()
	return time.Duration(n)*time.Second + time.Duration(nanos)
}

func (p *parser) code() *Code {
	text := strings.TrimLeft(p.tok.text, " \t")
	from := p.tok.off + len("%{") + len(p.tok.text) - len(text)
	c := &Code{Pos: p.where(), Text: strings.TrimRight(text, " \t"), TextPos: p.pos(from)}
	p.advance()
	return c
}

func (p *parser) syscall() *Syscall {
	s := &Syscall{Pos: p.where(), Name: p.advance().text}
	if !p.is('(') {
		p.expected("( behind the system call %s", s.Name)
	}
	s.Args = p.list('(', ')', "the arguments of "+s.Name)
	p.want('=', "and the result of "+s.Name)
	s.Result = p.expression()
	if p.tok.kind == tokWord {
		s.ErrnoPos = p.where()
		s.Errno = p.advance().text
	}
	if p.is('(') {
		s.Note = p.note()
	}
	return s
}

// note reads a text in parentheses as it is.
func (p *parser) note() string {
	from := p.tok.end
	for depth, i := 1, from; i < len(p.src); i++ {
		switch p.src[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			p.off = i + 1
			p.tok.end = p.off
			p.advance()
			return strings.Join(strings.Fields(p.src[from:i]), " ")
		}
	}
	p.fail(p.tok.off, "the note that begins here has no end: expected )")
	return ""
}
