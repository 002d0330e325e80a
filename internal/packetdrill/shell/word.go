package shell

import "strings"

// word reads a word: what stands up to a blank or an operator that is not quoted.
func (p *parser) word() word {
	var w word
	for p.at < len(p.src) {
		switch c := p.src[p.at]; {
		case strings.ContainsRune(" \t\r\n;|&()<>", rune(c)):
			return p.nonEmpty(w)
		case c == '\'':
			w = append(w, p.single())
		case c == '"':
			p.at++
			w = append(w, part{quoted: true}) // "" is a word
			for !p.closing('"') {
				w = append(w, p.piece(true))
			}
		default:
			w = append(w, p.piece(false))
		}
	}
	return p.nonEmpty(w)
}

func (p *parser) nonEmpty(w word) word {
	if w == nil {
		p.fail("a word is missing")
	}
	return w
}

// closing takes the closing quote.
func (p *parser) closing(quote byte) bool {
	if p.at >= len(p.src) {
		p.fail("a closing %c is missing", quote)
	}
	if p.src[p.at] == quote {
		p.at++
		return true
	}
	return false
}

// single reads 'text'.
func (p *parser) single() part {
	p.at++
	end := strings.IndexByte(p.src[p.at:], '\'')
	if end < 0 {
		p.fail("a closing ' is missing")
	}
	text := p.src[p.at : p.at+end]
	p.at += end + 1
	p.line += strings.Count(text, "\n")
	return part{text: text, quoted: true}
}

// piece reads an escaped character, a variable, $(…) or text up to the next of these.
func (p *parser) piece(quoted bool) part {
	switch c := p.src[p.at]; c {
	case '\\':
		return p.escaped(quoted)
	case '$':
		return p.dollar(quoted)
	case '`':
		p.fail("` is not supported: write $(…)")
	}
	stop := " \t\r\n;|&()<>'\"\\$`"
	if quoted {
		stop = "\"\\$`"
	}
	from := p.at
	for p.at < len(p.src) && !strings.ContainsRune(stop, rune(p.src[p.at])) {
		if p.src[p.at] == '\n' {
			p.line++
		}
		p.at++
	}
	return part{text: p.src[from:p.at], quoted: quoted}
}

// escaped reads a backslash and what follows.
func (p *parser) escaped(quoted bool) part {
	p.at++
	if p.at == len(p.src) {
		p.fail("nothing follows the backslash")
	}
	c := p.src[p.at]
	p.at++
	switch {
	case c == '\n':
		p.line++
		return part{quoted: quoted}
	case quoted && !strings.ContainsRune("\"\\$`", rune(c)):
		return part{text: "\\" + string(c), quoted: true}
	}
	return part{text: string(c), quoted: true}
}

// dollar reads $NAME, ${NAME}, $(…), $((…)) and $[…].
func (p *parser) dollar(quoted bool) part {
	p.at++
	switch {
	case p.take("(("):
		return p.arithmetic("))", quoted)
	case p.take("["):
		return p.arithmetic("]", quoted)
	case p.take("("):
		body := p.list()
		if !p.take(")") {
			p.fail("a closing ) is missing")
		}
		return part{kind: substitution, body: body, quoted: quoted}
	case p.take("{"):
		name := p.name()
		if name == "" || !p.take("}") {
			p.fail("only ${NAME} is supported")
		}
		return part{kind: variable, text: name, quoted: quoted}
	}
	if name := p.name(); name != "" {
		return part{kind: variable, text: name, quoted: quoted}
	}
	if p.at < len(p.src) && strings.ContainsRune("?$@*#!0123456789", rune(p.src[p.at])) {
		p.at++
		return part{kind: variable, text: p.src[p.at-1 : p.at], quoted: quoted}
	}
	return part{text: "$", quoted: true}
}
