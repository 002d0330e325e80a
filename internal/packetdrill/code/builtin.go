package code

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// native is a function of the language.
type native struct {
	name string
	f    func(c *frame) any
}

// frame is a call of a native function.
type frame struct {
	in    *Interp
	at    int
	name  string
	args  []any
	names []string // of the arguments in named
	named []any
}

func (c *frame) fail(format string, args ...any) {
	c.in.fail(c.at, c.name+": "+format, args...)
}

// arg returns an argument that has to be there.
func (c *frame) arg(i int) any {
	if i < 0 || i >= len(c.args) {
		c.fail("an argument is missing")
	}
	return c.args[i]
}

// count fails unless there are from min to max arguments.
func (c *frame) count(min, max int) {
	if len(c.args) < min || len(c.args) > max {
		c.fail("%d arguments are not what it takes", len(c.args))
	}
}

// keyword returns an argument by its name.
func (c *frame) keyword(name string) (any, bool) {
	if i := slices.Index(c.names, name); i >= 0 {
		return c.named[i], true
	}
	return nil, false
}

// int returns an argument that is a whole number of reasonable size.
func (c *frame) int(i int) int {
	n, ok := toInt(c.arg(i))
	if !ok || !n.IsInt64() || n.Int64() > 1<<40 || n.Int64() < -1<<40 {
		c.fail("found %s, expected a whole number", shorten(repr(c.args[i])))
	}
	return int(n.Int64())
}

// float returns an argument that is a number.
func (c *frame) float(i int) float64 {
	f, ok := toFloat(c.arg(i))
	if !ok {
		c.fail("found %s, expected a number", shorten(repr(c.args[i])))
	}
	return f
}

// elems returns the elements of an argument; of several arguments, the arguments.
func (c *frame) elems() []any {
	if len(c.args) > 1 {
		return c.args
	}
	return c.in.elems(c.arg(0), c.at)
}

// builtins are the functions every piece of code knows, by name.
var builtins map[string]func(c *frame) any

func init() {
	builtins = map[string]func(c *frame) any{
		"abs": abs, "min": least, "max": least, "int": toWhole, "long": toWhole, "float": toReal, "round": round,
		"len": length, "sum": sum, "any": anyOf, "all": anyOf, "sorted": sorted, "range": span3, "xrange": span3,
		"divmod": divmod, "enumerate": enumerate, "zip": zip, "print": printCall, "pow": power,
		"bool":     func(c *frame) any { c.count(0, 1); return len(c.args) == 1 && truth(c.args[0]) },
		"str":      func(c *frame) any { c.count(0, 1); return text(c, str) },
		"repr":     func(c *frame) any { c.count(1, 1); return text(c, repr) },
		"list":     func(c *frame) any { return copied(c, false) },
		"tuple":    func(c *frame) any { return copied(c, true) },
		"reversed": reversed,
		"hex":      func(c *frame) any { return c.in.percent(c.at, "%#x", c.arg(0)) },
		"oct":      func(c *frame) any { return c.in.percent(c.at, "%#o", c.arg(0)) },
		"chr":      func(c *frame) any { return c.in.percent(c.at, "%c", c.arg(0)) },
		"ord":      ord,
	}
	for _, name := range []string{"Exception", "AssertionError", "ValueError", "RuntimeError", "SystemExit"} {
		builtins[name] = func(c *frame) any {
			texts := make([]string, len(c.args))
			for i, v := range c.args {
				texts[i] = str(v)
			}
			return name + ": " + strings.Join(texts, ", ")
		}
	}
}

func builtin(name string) (*native, bool) {
	f, ok := builtins[name]
	return &native{name, f}, ok
}

func text(c *frame, f func(any) string) any {
	if len(c.args) == 0 {
		return ""
	}
	s := f(c.args[0])
	c.in.room(c.at, len(s))
	return s
}

func abs(c *frame) any {
	c.count(1, 1)
	if n, ok := toInt(c.args[0]); ok {
		return new(big.Int).Abs(n)
	}
	return math.Abs(c.float(0))
}

// least is min and max.
func least(c *frame) any {
	list := c.elems()
	if len(list) == 0 {
		if v, ok := c.keyword("default"); ok {
			return v
		}
		c.fail("there is no element")
	}
	key := c.key()
	best, bestKey := list[0], key(list[0])
	for _, v := range list[1:] {
		k := key(v)
		order, ok := compareOrder(k, bestKey)
		if !ok {
			c.fail("%s and %s have no order", typeName(k), typeName(bestKey))
		}
		if c.name == "min" && order < 0 || c.name == "max" && order == 1 {
			best, bestKey = v, k
		}
	}
	return best
}

// key returns the function an argument key=… asks to order by.
func (c *frame) key() func(any) any {
	f, ok := c.keyword("key")
	if !ok || f == nil {
		return func(v any) any { return v }
	}
	return func(v any) any { return c.in.apply(c.at, f, []any{v}, nil, nil) }
}

func toWhole(c *frame) any {
	c.count(0, 2)
	if len(c.args) == 0 {
		return new(big.Int)
	}
	switch v := c.args[0].(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			c.fail("a finite number is needed")
		}
		n, _ := big.NewFloat(v).Int(nil)
		return n
	case string:
		base := 10
		if len(c.args) == 2 {
			if base = c.int(1); base < 0 || base == 1 || base > 36 {
				c.fail("the base %d is none", base)
			}
		}
		digits := strings.TrimSpace(v)
		if base == 16 {
			digits = strings.TrimPrefix(strings.ToLower(digits), "0x")
		}
		n, ok := new(big.Int).SetString(digits, base)
		if !ok || len(digits) > 1000 {
			c.fail("%s is no whole number", shorten(repr(v)))
		}
		return n
	}
	n, ok := toInt(c.args[0])
	if !ok {
		c.fail("%s is no number", typeName(c.args[0]))
	}
	return n
}

func toReal(c *frame) any {
	c.count(0, 1)
	if len(c.args) == 0 {
		return 0.0
	}
	if s, ok := c.args[0].(string); ok {
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil {
			c.fail("%s is no number", shorten(repr(s)))
		}
		return f
	}
	return c.float(0)
}

// round rounds to even, to a number of digits if one is given.
func round(c *frame) any {
	c.count(1, 2)
	if n, ok := toInt(c.args[0]); ok && len(c.args) == 1 {
		return n
	}
	f := c.float(0)
	if len(c.args) == 2 && c.args[1] != nil {
		scale := math.Pow(10, float64(c.int(1)))
		if r := math.RoundToEven(f*scale) / scale; !math.IsNaN(r) && !math.IsInf(r, 0) {
			f = r
		}
		if _, whole := c.args[0].(float64); whole {
			return f
		}
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		c.fail("a finite number is needed")
	}
	n, _ := big.NewFloat(math.RoundToEven(f)).Int(nil)
	return n
}

func length(c *frame) any {
	c.count(1, 1)
	if s, ok := c.args[0].(string); ok {
		return big.NewInt(int64(len(s)))
	}
	return big.NewInt(int64(len(c.in.elems(c.args[0], c.at))))
}

func sum(c *frame) any {
	c.count(1, 2)
	var total any = new(big.Int)
	if len(c.args) == 2 {
		total = c.args[1]
	}
	for _, v := range c.in.elems(c.args[0], c.at) {
		total = c.in.binary(c.at, "+", total, v)
	}
	return total
}

// anyOf is any and all.
func anyOf(c *frame) any {
	c.count(1, 1)
	for _, v := range c.in.elems(c.args[0], c.at) {
		if truth(v) == (c.name == "any") {
			return c.name == "any"
		}
	}
	return c.name == "all"
}

func sorted(c *frame) any {
	c.count(1, 1)
	elems := slices.Clone(c.in.elems(c.args[0], c.at))
	key := c.key()
	reverse, _ := c.keyword("reverse")
	slices.SortStableFunc(elems, func(x, y any) int {
		kx, ky := key(x), key(y)
		order, ok := compareOrder(kx, ky)
		if !ok {
			c.fail("%s and %s have no order", typeName(kx), typeName(ky))
		}
		if truth(reverse) {
			return -order
		}
		return order
	})
	return &list{elems: elems}
}

// span3 is range.
func span3(c *frame) any {
	c.count(1, 3)
	from, to, step := 0, 0, 1
	switch len(c.args) {
	case 1:
		to = c.int(0)
	case 3:
		if step = c.int(2); step == 0 {
			c.fail("a step of 0 leads nowhere")
		}
		fallthrough
	case 2:
		from, to = c.int(0), c.int(1)
	}
	l := &list{}
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		c.in.room(c.at, len(l.elems)+1)
		l.elems = append(l.elems, big.NewInt(int64(i)))
	}
	return l
}

func divmod(c *frame) any {
	c.count(2, 2)
	return &list{tuple: true, elems: []any{c.in.binary(c.at, "//", c.args[0], c.args[1]), c.in.binary(c.at, "%", c.args[0], c.args[1])}}
}

func power(c *frame) any {
	c.count(2, 2)
	return c.in.binary(c.at, "**", c.args[0], c.args[1])
}

func enumerate(c *frame) any {
	c.count(1, 2)
	start := 0
	if len(c.args) == 2 {
		start = c.int(1)
	}
	l := &list{}
	for i, v := range c.in.elems(c.args[0], c.at) {
		l.elems = append(l.elems, &list{tuple: true, elems: []any{big.NewInt(int64(start + i)), v}})
	}
	return l
}

func zip(c *frame) any {
	l := &list{}
	for i := 0; len(c.args) > 0; i++ {
		row := &list{tuple: true}
		for _, a := range c.args {
			elems := c.in.elems(a, c.at)
			if i >= len(elems) {
				return l
			}
			row.elems = append(row.elems, elems[i])
		}
		c.in.step(c.at)
		l.elems = append(l.elems, row)
	}
	return l
}

func copied(c *frame, tuple bool) any {
	c.count(0, 1)
	l := &list{tuple: tuple}
	if len(c.args) == 1 {
		l.elems = slices.Clone(c.in.elems(c.args[0], c.at))
	}
	return l
}

func reversed(c *frame) any {
	c.count(1, 1)
	l := &list{elems: slices.Clone(c.in.elems(c.args[0], c.at))}
	slices.Reverse(l.elems)
	return l
}

func ord(c *frame) any {
	c.count(1, 1)
	s, ok := c.args[0].(string)
	if !ok || len(s) != 1 {
		c.fail("a string of one character is needed")
	}
	return big.NewInt(int64(s[0]))
}

func printCall(c *frame) any {
	sep, end := " ", "\n"
	if v, ok := c.keyword("sep"); ok && v != nil {
		sep = str(v)
	}
	if v, ok := c.keyword("end"); ok && v != nil {
		end = str(v)
	}
	c.in.print(c.args, sep, end)
	return nil
}
