package script

import (
	"strconv"
	"strings"
	"time"
)

// String returns the event as a line of a script.
func (e *Event) String() string {
	if s, ok := e.Action.(*Syscall); ok && s.Blocking {
		return e.Time.String() + "..." + seconds(s.End) + " " + s.call()
	}
	return e.Time.String() + " " + e.Action.String()
}

// String returns the time as a script has it.
func (t Time) String() string {
	switch t.Kind {
	case Relative:
		return "+" + seconds(t.At)
	case AbsoluteRange:
		return seconds(t.At) + "~" + seconds(t.End)
	case RelativeRange:
		return "+" + seconds(t.At) + "~+" + seconds(t.End)
	case AnyTime:
		return "*"
	}
	return seconds(t.At)
}

// seconds writes a time of a script: seconds with as many digits as it needs, one behind the point at least.
func seconds(d time.Duration) string {
	whole, frac := d/time.Second, d%time.Second
	digits := strings.TrimRight(strconv.FormatInt(int64(frac+time.Second), 10)[1:], "0")
	if digits == "" {
		digits = "0"
	}
	return strconv.FormatInt(int64(whole), 10) + "." + digits
}

// String returns the command in its back quotes.
func (c *Command) String() string { return "`" + c.Text + "`" }

// String returns the code in its brackets.
func (c *Code) String() string { return "%{ " + c.Text + " }%" }

// String returns the call, with its end in front where it blocks.
func (s *Syscall) String() string {
	if s.Blocking {
		return "..." + seconds(s.End) + " " + s.call()
	}
	return s.call()
}

func (s *Syscall) call() string {
	var b strings.Builder
	b.WriteString(s.Name)
	writeList(&b, "(", s.Args, ")")
	b.WriteString(" = ")
	b.WriteString(s.Result.String())
	if s.Errno != "" {
		b.WriteString(" " + s.Errno)
	}
	if s.Note != "" {
		b.WriteString(" (" + s.Note + ")")
	}
	return b.String()
}

func writeList(b *strings.Builder, open string, list []Expr, end string) {
	b.WriteString(open)
	for i, x := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(x.String())
	}
	b.WriteString(end)
}

func (x *Ellipsis) String() string { return "..." }

func (x *Int) String() string {
	if x.Hex {
		return "0x" + strconv.FormatUint(uint64(x.Value), 16)
	}
	return strconv.FormatInt(x.Value, 10)
}

func (x *Float) String() string { return x.Text }

func (x *Word) String() string { return x.Name }

func (x *Str) String() string {
	more := ""
	if x.More {
		more = "..."
	}
	return quote(x.Value) + more
}

// quote writes a string with the escapes the language has: those of C.
func quote(s string) string {
	const hex = "0123456789abcdef"
	b := []byte{'"'}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c < ' ' || c > '~':
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

func (x *Unary) String() string { return x.Op + operand(x.X) }

func (x *Binary) String() string {
	if x.Op == "|" { // by far the most frequent, and it needs no parentheses on its left
		if left, ok := x.X.(*Binary); ok && left.Op == "|" {
			return left.String() + "|" + operand(x.Y)
		}
		return operand(x.X) + "|" + operand(x.Y)
	}
	return operand(x.X) + " " + x.Op + " " + operand(x.Y)
}

// operand writes x so that an operator may stand beside it.
func operand(x Expr) string {
	switch x := x.(type) {
	case *Binary, *Unary, *Assign:
		return "(" + x.String() + ")"
	case *Int:
		if x.Value < 0 && !x.Hex {
			return "(" + x.String() + ")"
		}
	}
	return x.String()
}

func (x *List) String() string {
	var b strings.Builder
	writeList(&b, "[", x.Elems, "]")
	return b.String()
}

func (x *Struct) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, f := range x.Fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f.String())
	}
	b.WriteByte('}')
	return b.String()
}

// String returns the field as a script has it.
func (f Field) String() string {
	switch {
	case f.Name == "":
		return f.Value.String()
	case f.Count != nil:
		return f.Name + "(" + f.Count.String() + ") = " + f.Value.String()
	}
	return f.Name + " = " + f.Value.String()
}

func (x *Call) String() string {
	var b strings.Builder
	b.WriteString(x.Name)
	writeList(&b, "(", x.Args, ")")
	return b.String()
}

func (x *Assign) String() string { return x.Name + " = " + x.Value.String() }

func (x *HeaderExpr) String() string {
	_, text, _ := strings.Cut(x.Header.String(), " ") // behind the name
	return "{" + text + "}"
}
