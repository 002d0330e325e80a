package code

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// maxWidth bounds the widths and precisions of formats.
const maxWidth = 1000

// spec says how a value is written: what % and format have in common.
type spec struct {
	align     byte // < > ^, 0: not said
	fill      byte
	sign      byte // + or blank, 0: not said
	alternate bool // #
	zero      bool
	comma     bool
	width     int
	precision int // -1: not said
	verb      byte
}

// write writes a value; what is wrong with it comes back as a text.
func (s spec) write(v any) (text, wrong string) {
	switch s.verb {
	case 'd', 'i', 'u', 'x', 'X', 'o', 'b', 'c':
		text, wrong = s.integer(v)
	case 'f', 'F', 'e', 'E', 'g', 'G', '%':
		f, ok := toFloat(v)
		if !ok {
			return "", "a number is needed, not " + typeName(v)
		}
		text = s.float(f)
	case 'r', 'a':
		text = s.cut(repr(v))
	default:
		text = s.cut(str(v))
	}
	if wrong != "" {
		return "", wrong
	}
	return s.pad(text, isNumber(v) && s.verb != 's' && s.verb != 'r'), ""
}

func (s spec) cut(text string) string {
	if s.precision >= 0 && s.precision < len(text) {
		return text[:s.precision]
	}
	return text
}

func (s spec) integer(v any) (text, wrong string) {
	n, ok := toInt(v)
	if f, isFloat := v.(float64); isFloat && strings.IndexByte("diu", s.verb) >= 0 {
		if f != f || f > 1e300 || f < -1e300 {
			return "", "a finite number is needed"
		}
		n, _ = big.NewFloat(f).Int(nil)
		ok = true
	}
	if text, isString := v.(string); isString && s.verb == 'c' && len(text) == 1 {
		return text, ""
	}
	if !ok {
		return "", "a whole number is needed, not " + typeName(v)
	}
	if s.verb == 'c' {
		if !n.IsInt64() || n.Sign() < 0 || n.Int64() > 0x10ffff {
			return "", "a character is needed"
		}
		return string(rune(n.Int64())), ""
	}
	base := map[byte]int{'x': 16, 'X': 16, 'o': 8, 'b': 2}[s.verb]
	if base == 0 {
		base = 10
	}
	text = new(big.Int).Abs(n).Text(base)
	if s.verb == 'X' {
		text = strings.ToUpper(text)
	}
	if s.comma {
		text = thousands(text)
	}
	if s.precision > len(text) {
		text = strings.Repeat("0", s.precision-len(text)) + text
	}
	if s.alternate && base != 10 {
		text = "0" + string(s.verb) + text
	}
	return s.signed(text, n.Sign() < 0), ""
}

func (s spec) float(f float64) string {
	verb, precision := s.verb, s.precision
	percent := ""
	if precision < 0 {
		precision = 6
	}
	switch verb {
	case '%':
		verb, percent = 'f', "%"
		f *= 100
	case 'F':
		verb = 'f'
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		text, negative := strings.CutPrefix(reprFloat(f), "-")
		return s.signed(text+percent, negative)
	}
	text := strconv.FormatFloat(f, verb, precision, 64)
	negative := strings.HasPrefix(text, "-")
	text = strings.TrimPrefix(text, "-")
	if s.comma {
		whole, rest, found := strings.Cut(text, ".")
		if text = thousands(whole); found {
			text += "." + rest
		}
	}
	return s.signed(text+percent, negative)
}

func (s spec) signed(text string, negative bool) string {
	switch {
	case negative:
		return "-" + text
	case s.sign != 0:
		return string(s.sign) + text
	}
	return text
}

func thousands(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// pad fills a text up to the width.
func (s spec) pad(text string, number bool) string {
	n := s.width - len(text)
	if n <= 0 {
		return text
	}
	fill, align := s.fill, s.align
	if fill == 0 {
		fill = ' '
	}
	if s.zero && align == 0 && number { // the zeros stand behind the sign
		sign := ""
		if text != "" && strings.IndexByte("+- ", text[0]) >= 0 {
			sign, text = text[:1], text[1:]
		}
		return sign + strings.Repeat("0", n) + text
	}
	if align == 0 {
		if align = '<'; number {
			align = '>'
		}
	}
	left := 0
	switch align {
	case '>':
		left = n
	case '^':
		left = n / 2
	}
	return strings.Repeat(string(fill), left) + text + strings.Repeat(string(fill), n-left)
}

// number takes digits off the front of a format.
func number(format string) (n int, rest string) {
	for format != "" && digit(format[0]) {
		n = min(n*10+int(format[0]-'0'), maxWidth+1)
		format = format[1:]
	}
	return n, format
}

// percent evaluates format % values.
func (in *Interp) percent(at int, format string, v any) any {
	values, next := []any{v}, 0
	if l, ok := v.(*list); ok && l.tuple {
		values = l.elems
	}
	take := func() any {
		if next == len(values) {
			in.fail(at, "the format %s wants more than %d values", shorten(repr(format)), len(values))
		}
		next++
		return values[next-1]
	}
	var b strings.Builder
	for format := format; ; {
		text, rest, found := strings.Cut(format, "%")
		b.WriteString(text)
		if !found {
			break
		}
		in.room(at, b.Len())
		if strings.HasPrefix(rest, "%") {
			b.WriteByte('%')
			format = rest[1:]
			continue
		}
		var value any
		name, rest := mappingKey(rest)
		s, rest := percentSpec(rest, func() int { return in.width(at, take()) })
		if s.verb == 0 || s.width > maxWidth || s.precision > maxWidth {
			in.fail(at, "the format has %% without a conversion that is known")
		}
		if d, ok := v.(*dict); ok && name != "" {
			value = in.index(at, d, name)
			next = len(values)
		} else {
			value = take()
		}
		out, wrong := s.write(value)
		if wrong != "" {
			in.fail(at, "%%%c: %s", s.verb, wrong)
		}
		b.WriteString(out)
		format = rest
	}
	if _, ok := v.(*dict); next < len(values) && !ok {
		in.fail(at, "the format %s takes %d values, not %d", shorten(repr(format)), next, len(values))
	}
	return b.String()
}

func (in *Interp) width(at int, v any) int {
	n, ok := toInt(v)
	if !ok || !n.IsInt64() || n.Int64() > maxWidth || n.Sign() < 0 {
		in.fail(at, "the width of a format is a whole number up to %d", maxWidth)
	}
	return int(n.Int64())
}

// mappingKey takes (name) off the front of a conversion.
func mappingKey(format string) (name, rest string) {
	if !strings.HasPrefix(format, "(") {
		return "", format
	}
	name, rest, found := strings.Cut(format[1:], ")")
	if !found {
		return "", format
	}
	return name, rest
}

// percentSpec takes what stands behind a % off the front of a format; star supplies the widths written as *.
func percentSpec(format string, star func() int) (s spec, rest string) {
	s.precision = -1
flags:
	for ; format != ""; format = format[1:] {
		switch c := format[0]; c {
		case '-':
			s.align = '<'
		case '+', ' ':
			s.sign = c
		case '#':
			s.alternate = true
		case '0':
			s.zero = true
		default:
			break flags
		}
	}
	if strings.HasPrefix(format, "*") {
		s.width, format = star(), format[1:]
	} else {
		s.width, format = number(format)
	}
	if strings.HasPrefix(format, ".") {
		if s.precision, format = number(format[1:]); strings.HasPrefix(format, "*") {
			s.precision, format = star(), format[1:]
		}
	}
	format = strings.TrimLeft(format, "hlL")
	if format == "" || strings.IndexByte("diuxXofFeEgGcsra", format[0]) < 0 {
		return s, ""
	}
	s.verb = format[0]
	if s.align == 0 && (!s.zero || strings.IndexByte("sra", s.verb) >= 0) {
		s.align = '>'
	}
	return s, format[1:]
}

// parseSpec reads the format of f"{x:spec}"; false if it is none.
func parseSpec(text string) (spec, bool) {
	s := spec{precision: -1}
	if len(text) > 1 && strings.IndexByte("<>^", text[1]) >= 0 {
		s.fill, s.align, text = text[0], text[1], text[2:]
	} else if text != "" && strings.IndexByte("<>^", text[0]) >= 0 {
		s.align, text = text[0], text[1:]
	}
	if text != "" && strings.IndexByte("+- ", text[0]) >= 0 {
		if text[0] != '-' {
			s.sign = text[0]
		}
		text = text[1:]
	}
	text, s.alternate = cutPrefix(text, "#")
	text, s.zero = cutPrefix(text, "0")
	s.width, text = number(text)
	text, s.comma = cutPrefix(text, ",")
	if strings.HasPrefix(text, ".") {
		s.precision, text = number(text[1:])
	}
	if text != "" && strings.IndexByte("dxXobcfFeEgG%s", text[0]) >= 0 {
		s.verb, text = text[0], text[1:]
	}
	return s, text == "" && s.width <= maxWidth && s.precision <= maxWidth
}

func cutPrefix(text, prefix string) (string, bool) {
	rest, found := strings.CutPrefix(text, prefix)
	return rest, found
}

// writeSpec writes a value as {:spec} asks.
func (in *Interp) writeSpec(at int, v any, text string) string {
	s, ok := parseSpec(text)
	if !ok {
		in.fail(at, "found the format %s, which is none", shorten(repr(text)))
	}
	f, float := v.(float64)
	if float && strings.IndexByte("dxXobc", s.verb) >= 0 && s.verb != 0 {
		in.fail(at, "{:%s}: a whole number is needed, not a float", shorten(text))
	}
	if float && s.verb == 0 && s.precision < 0 {
		digits, negative := strings.CutPrefix(reprFloat(f), "-")
		if whole, rest, ok := strings.Cut(digits, "."); ok && s.comma {
			digits = thousands(whole) + "." + rest
		}
		return s.pad(s.signed(digits, negative), true)
	}
	if float && s.verb == 0 {
		s.verb = 'g'
	} else if _, whole := toInt(v); s.verb == 0 && whole {
		s.verb = 'd'
	}
	out, wrong := s.write(v)
	if wrong != "" {
		in.fail(at, "{:%s}: %s", shorten(text), wrong)
	}
	return out
}

// replacement is a text and the field {expr!r:spec} behind it.
type replacement struct {
	text, expr, spec string
	repr, field      bool
}

// replacements takes a format apart; what is wrong with it comes back as a text.
func replacements(format string) (list []replacement, wrong string) {
	var r replacement
	for i := 0; i < len(format); i++ {
		c := format[i]
		switch {
		case (c == '{' || c == '}') && i+1 < len(format) && format[i+1] == c:
			r.text += string(c)
			i++
		case c == '}':
			return nil, "found } without { in a format"
		case c != '{':
			r.text += string(c)
		default:
			size := fieldSize(format[i+1:])
			if size < 0 {
				return nil, "found { without } in a format"
			}
			r.field = true
			r.expr, r.spec, r.repr = splitField(format[i+1 : i+1+size])
			list = append(list, r)
			r = replacement{}
			i += size + 1
		}
	}
	return append(list, r), ""
}

// fieldSize returns how far the brace that ends a field is, -1 if there is none.
func fieldSize(text string) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '{', '[', '(':
			depth++
		case ']', ')':
			depth--
		case '}':
			if depth <= 0 {
				return i
			}
			depth--
		}
	}
	return -1
}

// splitField takes expr!r:spec apart.
func splitField(field string) (expr, spec string, asRepr bool) {
	depth := 0
	for i := range len(field) {
		switch c := field[i]; {
		case c == '[' || c == '(' || c == '{':
			depth++
		case c == ']' || c == ')' || c == '}':
			depth--
		case c == ':' && depth == 0:
			expr, spec, asRepr = field[:i], field[i+1:], false
			if head, ok := strings.CutSuffix(expr, "!r"); ok {
				expr, asRepr = head, true
			}
			return strings.TrimSuffix(expr, "!s"), spec, asRepr
		}
	}
	if head, ok := strings.CutSuffix(field, "!r"); ok {
		return head, "", true
	}
	return strings.TrimSuffix(field, "!s"), "", false
}

// format evaluates an f"…".
func (in *Interp) format(f *formatNode) any {
	at, _ := f.at()
	var b strings.Builder
	for _, part := range f.parts {
		b.WriteString(part.text)
		if part.x == nil {
			continue
		}
		outer := in.override
		if in.override < 0 {
			in.override = at
		}
		v := in.eval(part.x)
		in.override = outer
		if part.repr {
			v = repr(v)
		}
		b.WriteString(in.writeSpec(at, v, part.spec))
		in.room(at, b.Len())
	}
	return b.String()
}

// formatCall evaluates format.format(args).
func (in *Interp) formatCall(c *frame, format string) any {
	pieces, wrong := replacements(format)
	if wrong != "" {
		in.fail(c.at, "%s", wrong)
	}
	var b strings.Builder
	next := 0
	for _, r := range pieces {
		b.WriteString(r.text)
		if !r.field {
			continue
		}
		var v any
		switch n, err := strconv.Atoi(r.expr); {
		case r.expr == "":
			v = c.arg(next)
			next++
		case err == nil:
			v = c.arg(n)
		default:
			found := false
			for i, name := range c.names {
				if name == r.expr {
					v, found = c.named[i], true
				}
			}
			if !found {
				in.fail(c.at, "the format wants the argument %s", shorten(r.expr))
			}
		}
		if r.repr {
			v = repr(v)
		}
		b.WriteString(in.writeSpec(c.at, v, r.spec))
		in.room(c.at, b.Len())
	}
	return b.String()
}
