package shell

import (
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"
	"strings"
)

// arithmetic reads the expression of $((…)) or of bash's older $[…], from behind what opens it to behind what closes it.
func (p *parser) arithmetic(closing string, quoted bool) part {
	from, depth := p.at, 0
	for ; p.at < len(p.src); p.at++ {
		switch c := p.src[p.at]; {
		case depth == 0 && strings.HasPrefix(p.src[p.at:], closing):
			expr := p.src[from:p.at]
			p.at += len(closing)
			return part{kind: arithmetic, text: expr, quoted: quoted}
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '\n':
			p.line++
		}
	}
	p.fail("a closing %s is missing", closing)
	return part{}
}

// calculate returns the value of an integer expression, whose operators are those that the shell shares with Go.
func (s *Shell) calculate(expr string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(expr); {
		name := strings.TrimLeft(expr[i:], "$")
		n := nameLen(name)
		if n == 0 {
			b.WriteByte(expr[i])
			i++
			continue
		}
		i = len(expr) - len(name) + n
		if isDigit(name[0]) {
			b.WriteString(name[:n]) // a number
		} else if v, err := strconv.ParseInt(s.value(name[:n]), 0, 64); err == nil {
			fmt.Fprintf(&b, "(%d)", v)
		} else {
			b.WriteString("0") // as the shell has it
		}
	}
	v, err := types.Eval(token.NewFileSet(), nil, token.NoPos, b.String())
	if err != nil || v.Value == nil || v.Value.Kind() != constant.Int {
		return "", fmt.Errorf("$((%s)) is no integer expression", expr)
	}
	return v.Value.ExactString(), nil
}

// nameLen returns how long the name or number is that s begins with.
func nameLen(s string) int {
	n := 0
	for n < len(s) && (s[n] == '_' || isDigit(s[n]) || 'a' <= s[n]|0x20 && s[n]|0x20 <= 'z') {
		n++
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
