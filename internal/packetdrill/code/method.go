package code

import (
	"math"
	"math/big"
	"slices"
	"strings"
)

// module is a module of Python's library, or the part of it that is here.
type module struct{ name string }

// modules are those that can be imported. Only math and sys have something in them.
var modules = []string{"__future__", "math", "sys", "os", "time", "re", "string", "struct", "socket", "traceback"}

// attr returns what a module calls name.
func (m *module) attr(name string) (any, bool) {
	switch m.name {
	case "math":
		return mathAttr(name)
	case "sys":
		switch name {
		case "maxsize", "maxint":
			return big.NewInt(math.MaxInt64), true
		case "stdout", "stderr":
			return &module{"sys." + name}, true
		case "exit":
			return &native{"sys.exit", exit}, true
		}
	case "sys.stdout", "sys.stderr":
		switch name {
		case "write":
			return &native{m.name + ".write", func(c *frame) any {
				c.in.print([]any{c.arg(0)}, "", "")
				return big.NewInt(int64(len(str(c.args[0]))))
			}}, true
		case "flush":
			return &native{m.name + ".flush", func(*frame) any { return nil }}, true
		}
	}
	return nil, false
}

// exit fails unless the code says that all is well.
func exit(c *frame) any {
	if len(c.args) > 0 && truth(c.args[0]) {
		c.fail("%s", str(c.args[0]))
	}
	return nil
}

func mathAttr(name string) (any, bool) {
	switch name {
	case "pi":
		return math.Pi, true
	case "e":
		return math.E, true
	case "inf":
		return math.Inf(1), true
	case "nan":
		return math.NaN(), true
	case "floor", "ceil", "trunc":
		return &native{"math." + name, wholes}, true
	case "pow":
		return &native{"math.pow", func(c *frame) any { c.count(2, 2); return math.Pow(c.float(0), c.float(1)) }}, true
	case "log":
		return &native{"math.log", func(c *frame) any {
			c.count(1, 2)
			if len(c.args) == 2 {
				return math.Log(c.float(0)) / math.Log(c.float(1))
			}
			return math.Log(c.float(0))
		}}, true
	}
	f, ok := map[string]func(float64) float64{"sqrt": math.Sqrt, "fabs": math.Abs, "log2": math.Log2,
		"log10": math.Log10, "exp": math.Exp}[name]
	return &native{"math." + name, func(c *frame) any { c.count(1, 1); return f(c.float(0)) }}, ok
}

// wholes is floor, ceil and trunc.
func wholes(c *frame) any {
	c.count(1, 1)
	if n, ok := toInt(c.args[0]); ok {
		return n
	}
	f := c.float(0)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		c.fail("a finite number is needed")
	}
	switch c.name {
	case "math.floor":
		f = math.Floor(f)
	case "math.ceil":
		f = math.Ceil(f)
	}
	n, _ := big.NewFloat(f).Int(nil)
	return n
}

// attr evaluates x.name: of modules what they have, of strings, lists and dictionaries their methods.
func (in *Interp) attr(at int, x any, name string) any {
	var f func(c *frame) any
	switch x := x.(type) {
	case *module:
		if v, ok := x.attr(name); ok {
			return v
		}
	case string:
		f = stringMethod(x, name)
	case *list:
		f = listMethod(x, name)
	case *dict:
		f = dictMethod(x, name)
	}
	if f == nil {
		in.fail(at, "%s has no %s", typeName(x), name)
	}
	return &native{name, f}
}

func stringMethod(s, name string) func(c *frame) any {
	other := func(c *frame, i int) string {
		o, ok := c.arg(i).(string)
		if !ok {
			c.fail("found %s, expected a string", typeName(c.args[i]))
		}
		return o
	}
	simple, ok := map[string]func(string) string{"lower": strings.ToLower, "upper": strings.ToUpper, "strip": strings.TrimSpace,
		"lstrip": func(s string) string { return strings.TrimLeft(s, " \t\r\n") },
		"rstrip": func(s string) string { return strings.TrimRight(s, " \t\r\n") }}[name]
	if ok {
		return func(c *frame) any { c.count(0, 0); return simple(s) }
	}
	switch name {
	case "format":
		return func(c *frame) any { return c.in.formatCall(c, s) }
	case "startswith":
		return func(c *frame) any { return strings.HasPrefix(s, other(c, 0)) }
	case "endswith":
		return func(c *frame) any { return strings.HasSuffix(s, other(c, 0)) }
	case "find":
		return func(c *frame) any { return big.NewInt(int64(strings.Index(s, other(c, 0)))) }
	case "count":
		return func(c *frame) any { return big.NewInt(int64(strings.Count(s, other(c, 0)))) }
	case "replace":
		return func(c *frame) any {
			from, to := other(c, 0), other(c, 1)
			c.in.room(c.at, len(s)+strings.Count(s, from)*len(to))
			return strings.ReplaceAll(s, from, to)
		}
	case "split":
		return func(c *frame) any {
			parts := strings.Fields(s)
			if len(c.args) > 0 {
				parts = strings.Split(s, other(c, 0))
			}
			l := &list{}
			for _, p := range parts {
				l.elems = append(l.elems, p)
			}
			return l
		}
	case "join":
		return func(c *frame) any {
			var parts []string
			size := 0
			for _, v := range c.in.elems(c.arg(0), c.at) {
				p, ok := v.(string)
				if !ok {
					c.fail("found %s, expected strings", typeName(v))
				}
				parts = append(parts, p)
				size += len(p) + len(s)
				c.in.room(c.at, size)
			}
			return strings.Join(parts, s)
		}
	}
	return nil
}

func listMethod(l *list, name string) func(c *frame) any {
	switch name {
	case "index", "count":
		return func(c *frame) any {
			n := 0
			for i, v := range l.elems {
				if !equal(v, c.arg(0)) {
					continue
				}
				if n++; name == "index" {
					return big.NewInt(int64(i))
				}
			}
			if name == "index" {
				c.fail("%s is not in the list", shorten(repr(c.arg(0))))
			}
			return big.NewInt(int64(n))
		}
	}
	if l.tuple {
		return nil
	}
	switch name {
	case "append":
		return func(c *frame) any {
			c.in.room(c.at, len(l.elems)+1)
			l.elems = append(l.elems, c.arg(0))
			return nil
		}
	case "extend":
		return func(c *frame) any {
			more := c.in.elems(c.arg(0), c.at)
			c.in.room(c.at, len(l.elems)+len(more))
			l.elems = append(l.elems, more...)
			return nil
		}
	case "pop":
		return func(c *frame) any {
			var at any = big.NewInt(-1)
			if len(c.args) > 0 {
				at = c.args[0]
			}
			i := c.in.place(c.at, at, len(l.elems))
			v := l.elems[i]
			l.elems = slices.Delete(slices.Clone(l.elems), i, i+1)
			return v
		}
	case "sort":
		return func(c *frame) any {
			l.elems = sorted(&frame{c.in, c.at, c.name, []any{l}, c.names, c.named}).(*list).elems
			return nil
		}
	case "reverse":
		return func(c *frame) any { slices.Reverse(l.elems); return nil }
	}
	return nil
}

func dictMethod(d *dict, name string) func(c *frame) any {
	switch name {
	case "get":
		return func(c *frame) any {
			if i := d.find(c.arg(0)); i >= 0 {
				return d.values[i]
			}
			if len(c.args) > 1 {
				return c.args[1]
			}
			return nil
		}
	case "keys":
		return func(*frame) any { return &list{elems: slices.Clone(d.keys)} }
	case "values":
		return func(*frame) any { return &list{elems: slices.Clone(d.values)} }
	case "items":
		return func(*frame) any {
			l := &list{}
			for i, k := range d.keys {
				l.elems = append(l.elems, &list{tuple: true, elems: []any{k, d.values[i]}})
			}
			return l
		}
	}
	return nil
}
