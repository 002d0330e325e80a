package code

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// The values are *big.Int, float64, string, bool, nil, *list, *dict, *function, *native and *module.

// list is a list or a tuple.
type list struct {
	tuple bool
	elems []any
}

// dict is a dictionary. It is small and keeps its order, so that looking through it is enough.
type dict struct{ keys, values []any }

func (d *dict) find(k any) int {
	for i, x := range d.keys {
		if equal(x, k) {
			return i
		}
	}
	return -1
}

func typeName(v any) string {
	switch v := v.(type) {
	case *big.Int:
		return "a whole number"
	case float64:
		return "a float"
	case string:
		return "a string"
	case bool:
		return "a bool"
	case nil:
		return "None"
	case *list:
		if v.tuple {
			return "a tuple"
		}
		return "a list"
	case *dict:
		return "a dictionary"
	case *module:
		return "a module"
	}
	return "a function"
}

// truth is whether a value counts as true.
func truth(v any) bool {
	switch v := v.(type) {
	case *big.Int:
		return v.Sign() != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case bool:
		return v
	case nil:
		return false
	case *list:
		return len(v.elems) > 0
	case *dict:
		return len(v.keys) > 0
	}
	return true
}

// toInt returns a whole number; True is 1.
func toInt(v any) (*big.Int, bool) {
	switch v := v.(type) {
	case *big.Int:
		return v, true
	case bool:
		if v {
			return big.NewInt(1), true
		}
		return new(big.Int), true
	}
	return nil, false
}

// toFloat returns a number as a float.
func toFloat(v any) (float64, bool) {
	if f, ok := v.(float64); ok {
		return f, true
	}
	n, ok := toInt(v)
	if !ok {
		return 0, false
	}
	f, _ := new(big.Float).SetInt(n).Float64()
	return f, true // infinite where the number is beyond what a float can be
}

func isNumber(v any) bool {
	_, ok := toFloat(v)
	return ok
}

// maxNested is how deeply lists in lists are compared and printed: a list can contain itself.
const maxNested = 50

// walk bounds how much of values within values is looked at: lists can share elements, and contain themselves.
type walk struct{ left int }

// tooMuch is thrown when a walk does not come to an end; Run catches it.
type tooMuch struct{}

func (w *walk) step() {
	if w.left--; w.left < 0 {
		panic(tooMuch{})
	}
}

// maxWalk is how many values within two values are compared at most, and how many bytes of them are printed.
const maxWalk = 1 << 17

func equal(x, y any) bool {
	w := &walk{maxWalk}
	return w.equal(x, y, 0)
}

func (w *walk) equal(x, y any, depth int) bool {
	if w.step(); depth > maxNested {
		return same(x, y)
	}
	if isNumber(x) && isNumber(y) {
		order, ok := w.order(x, y, depth)
		return ok && order == 0
	}
	switch x := x.(type) {
	case *list:
		y, ok := y.(*list)
		if !ok || x.tuple != y.tuple || len(x.elems) != len(y.elems) {
			return false
		}
		for i := range x.elems {
			if !w.equal(x.elems[i], y.elems[i], depth+1) {
				return false
			}
		}
		return true
	case *dict:
		y, ok := y.(*dict)
		if !ok || len(x.keys) != len(y.keys) {
			return false
		}
		for i, k := range x.keys {
			n := y.find(k)
			if n < 0 || !w.equal(x.values[i], y.values[n], depth+1) {
				return false
			}
		}
		return true
	}
	return same(x, y)
}

// same is x is y; of numbers, that they are equal and of one type.
func same(x, y any) bool {
	if a, ok := x.(*big.Int); ok {
		b, ok := y.(*big.Int)
		return ok && a.Cmp(b) == 0
	}
	return x == y
}

// compareOrder returns -1, 0 or 1, and 2 where a float that is not a number is compared; false where two values have no
// order.
func compareOrder(x, y any) (int, bool) {
	w := &walk{maxWalk}
	return w.order(x, y, 0)
}

func (w *walk) order(x, y any, depth int) (int, bool) {
	if w.step(); depth > maxNested {
		return 0, false
	}
	a, aok := toInt(x)
	b, bok := toInt(y)
	if aok && bok {
		return a.Cmp(b), true
	}
	if isNumber(x) && isNumber(y) {
		return orderFloats(x, y), true
	}
	switch x := x.(type) {
	case string:
		if y, ok := y.(string); ok {
			return strings.Compare(x, y), true
		}
	case *list:
		y, ok := y.(*list)
		if !ok || x.tuple != y.tuple {
			return 0, false
		}
		for i := range min(len(x.elems), len(y.elems)) {
			if !w.equal(x.elems[i], y.elems[i], depth+1) {
				return w.order(x.elems[i], y.elems[i], depth+1)
			}
		}
		return big.NewInt(int64(len(x.elems))).Cmp(big.NewInt(int64(len(y.elems)))), true
	}
	return 0, false
}

// orderFloats compares numbers of which one is a float, without rounding the other.
func orderFloats(x, y any) int {
	f, _ := toFloat(x)
	g, _ := toFloat(y)
	if math.IsNaN(f) || math.IsNaN(g) {
		return 2
	}
	if math.IsInf(f, 0) || math.IsInf(g, 0) {
		return big.NewFloat(f).Cmp(big.NewFloat(g))
	}
	exact := func(v any, f float64) *big.Rat {
		if n, ok := toInt(v); ok {
			return new(big.Rat).SetInt(n)
		}
		return new(big.Rat).SetFloat64(f)
	}
	return exact(x, f).Cmp(exact(y, g))
}

// str is what print prints.
func str(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return repr(v)
}

// repr is a value as one would write it in code.
func repr(v any) string {
	var p printer
	p.value(v, 0)
	return p.String()
}

// printer prints values within values, up to a size.
type printer struct{ strings.Builder }

func (p *printer) value(v any, depth int) {
	if depth > maxNested || p.Len() > maxWalk {
		p.WriteString("...")
		return
	}
	switch v := v.(type) {
	case *big.Int:
		p.WriteString(v.String())
	case float64:
		p.WriteString(reprFloat(v))
	case string:
		p.WriteString(reprString(v))
	case bool:
		p.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case nil:
		p.WriteString("None")
	case *list:
		p.list(v, depth)
	case *dict:
		p.WriteByte('{')
		for i, k := range v.keys {
			if i > 0 {
				p.WriteString(", ")
			}
			p.value(k, depth+1)
			p.WriteString(": ")
			p.value(v.values[i], depth+1)
		}
		p.WriteByte('}')
	case *function:
		p.WriteString("<function " + v.name + ">")
	case *native:
		p.WriteString("<built-in function " + v.name + ">")
	case *module:
		p.WriteString("<module '" + v.name + "'>")
	}
}

func (p *printer) list(l *list, depth int) {
	open, end := "[", "]"
	if l.tuple {
		if open, end = "(", ")"; len(l.elems) == 1 {
			end = ",)"
		}
	}
	p.WriteString(open)
	for i, x := range l.elems {
		if i > 0 {
			p.WriteString(", ")
		}
		if p.Len() > maxWalk {
			p.WriteString("...")
			break
		}
		p.value(x, depth+1)
	}
	p.WriteString(end)
}

// reprFloat writes a float with as many digits as it needs: 1.0, 0.1, 1e+16.
func reprFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 0):
		return strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(f, 'f', -1, 64)), "+")
	case f != 0 && (math.Abs(f) >= 1e16 || math.Abs(f) < 1e-4):
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

func reprString(s string) string {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b := []byte{quote}
	for i := range len(s) {
		switch c := s[i]; {
		case c == quote || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < ' ' || c == 0x7f:
			b = append(b, `\x`...)
			b = append(b, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			b = append(b, c)
		}
	}
	return string(append(b, quote))
}

func shorten(s string) string {
	if len(s) > 80 {
		return s[:77] + "..."
	}
	return s
}
