package code

import (
	"math/big"
	"slices"
	"strings"
)

// maxCalls bounds how deeply calls and expressions nest while code runs.
const maxCalls = 20_000

// eval returns the value of an expression.
func (in *Interp) eval(x node) any {
	at, _ := x.at()
	in.step(at)
	if in.depth++; in.depth > maxCalls {
		in.fail(at, "the code nests too deeply")
	}
	defer func() { in.depth-- }()
	switch x := x.(type) {
	case *constNode:
		return x.value
	case *nameNode:
		return in.lookup(x.name, at)
	case *unaryNode:
		return in.unary(at, x.op, in.eval(x.x))
	case *binaryNode:
		return in.binary(at, x.op, in.eval(x.x), in.eval(x.y))
	case *logicNode:
		if v := in.eval(x.x); truth(v) != x.and {
			return v
		}
		return in.eval(x.y)
	case *compareNode:
		return in.compareAll(x)
	case *ifNode:
		if truth(in.eval(x.cond)) {
			return in.eval(x.yes)
		}
		return in.eval(x.no)
	case *seqNode:
		return &list{tuple: x.tuple, elems: in.evalAll(x.list)}
	case *dictNode:
		d := &dict{}
		for i, k := range x.keys {
			in.setKey(at, d, in.eval(k), in.eval(x.values[i]))
		}
		return d
	case *compNode:
		return in.comprehension(x)
	case *callNode:
		return in.call(x)
	case *indexNode:
		return in.index(at, in.eval(x.x), in.eval(x.i))
	case *sliceNode:
		return in.slice(x)
	case *attrNode:
		return in.attr(at, in.eval(x.x), x.name)
	case *lambdaNode:
		f := *x.f
		f.values, f.src = in.evalAll(f.defaults), in.src
		return &f
	case *formatNode:
		return in.format(x)
	}
	in.fail(at, "the expression is not supported")
	return nil
}

func (in *Interp) evalAll(list []node) []any {
	values := make([]any, len(list))
	for i, x := range list {
		values[i] = in.eval(x)
	}
	return values
}

// compareAll evaluates a < b < c, up to the first that does not hold.
func (in *Interp) compareAll(c *compareNode) any {
	at, _ := c.at()
	x := in.eval(c.x)
	for i, op := range c.ops {
		y := in.eval(c.list[i])
		if !in.compare(at, op, x, y) {
			return false
		}
		x = y
	}
	return true
}

func (in *Interp) compare(at int, op string, x, y any) bool {
	switch op {
	case "==":
		return equal(x, y)
	case "!=":
		return !equal(x, y)
	case "is":
		return same(x, y)
	case "is not":
		return !same(x, y)
	case "in":
		return in.contains(at, x, y)
	case "not in":
		return !in.contains(at, x, y)
	}
	order, ok := compareOrder(x, y)
	if !ok {
		in.fail(at, "%s and %s have no order", typeName(x), typeName(y))
	}
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order == 1
	}
	return order == 0 || order == 1 // >=; nan is 2
}

// contains evaluates x in y.
func (in *Interp) contains(at int, x, y any) bool {
	if s, ok := y.(string); ok {
		sub, ok := x.(string)
		if !ok {
			in.fail(at, "in a string there are strings only, not %s", typeName(x))
		}
		return strings.Contains(s, sub)
	}
	if d, ok := y.(*dict); ok {
		return d.find(x) >= 0
	}
	return slices.ContainsFunc(in.elems(y, at), func(e any) bool { return equal(x, e) })
}

// comprehension evaluates [value for targets in over if conds]. Its variables are those of the code around, which a
// script can only see by using them afterwards.
func (in *Interp) comprehension(c *compNode) any {
	l := &list{}
	at, _ := c.over.at()
	for _, v := range in.elems(in.eval(c.over), at) {
		in.step(at)
		in.store(c.targets, v)
		keep := true
		for _, cond := range c.conds {
			keep = keep && truth(in.eval(cond))
		}
		if keep {
			in.room(at, len(l.elems)+1)
			l.elems = append(l.elems, in.eval(c.value))
		}
	}
	return l
}

// call evaluates a call.
func (in *Interp) call(c *callNode) any {
	at, _ := c.at()
	f := in.eval(c.f)
	args := in.evalAll(c.args)
	n := len(args) - len(c.names)
	return in.apply(at, f, args[:n], c.names, args[n:])
}

// apply calls a function with arguments, the last of them by name.
func (in *Interp) apply(at int, f any, args []any, names []string, named []any) any {
	switch f := f.(type) {
	case *native:
		return f.f(&frame{in: in, at: at, name: f.name, args: args, names: names, named: named})
	case *function:
		return in.applyFunction(at, f, args, names, named)
	}
	in.fail(at, "%s cannot be called", typeName(f))
	return nil
}

func (in *Interp) applyFunction(at int, f *function, args []any, names []string, named []any) any {
	if in.depth += 100; in.depth > maxCalls {
		in.fail(at, "the calls nest too deeply")
	}
	if len(args) > len(f.params) {
		in.fail(at, "%s takes %d arguments, not %d", f.name, len(f.params), len(args))
	}
	locals := make(map[string]any, len(f.params))
	for i, v := range args {
		locals[f.params[i]] = v
	}
	for i, name := range names {
		if _, twice := locals[name]; twice || !slices.Contains(f.params, name) {
			in.fail(at, "%s does not take the argument %s", f.name, name)
		}
		locals[name] = named[i]
	}
	required := len(f.params) - len(f.values)
	for i, name := range f.params {
		if _, ok := locals[name]; ok {
			continue
		}
		if i < required {
			in.fail(at, "%s misses the argument %s", f.name, name)
		}
		locals[name] = f.values[i-required]
	}
	outer, def, src := in.locals, in.def, in.src
	in.locals, in.def, in.src, in.ret = locals, f, f.src, nil
	in.block(f.body)
	in.locals, in.def, in.src = outer, def, src
	in.depth -= 100
	return in.ret
}

// index evaluates x[i].
func (in *Interp) index(at int, x, i any) any {
	switch x := x.(type) {
	case string:
		n := in.place(at, i, len(x))
		return x[n : n+1]
	case *list:
		return x.elems[in.place(at, i, len(x.elems))]
	case *dict:
		n := x.find(i)
		if n < 0 {
			in.fail(at, "the dictionary has no %s", shorten(repr(i)))
		}
		return x.values[n]
	}
	in.fail(at, "%s has no elements", typeName(x))
	return nil
}

// place returns an index of a sequence: -1 is that of the last element.
func (in *Interp) place(at int, i any, size int) int {
	n, ok := toInt(i)
	if !ok {
		in.fail(at, "an index is a whole number, not %s", typeName(i))
	}
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, big.NewInt(int64(size)))
	}
	if n.Sign() < 0 || n.Cmp(big.NewInt(int64(size))) >= 0 {
		in.fail(at, "the index %s is out of range", shorten(repr(i)))
	}
	return int(n.Int64())
}

// slice evaluates x[from:to].
func (in *Interp) slice(s *sliceNode) any {
	at, _ := s.at()
	x := in.eval(s.x)
	size := 0
	switch x := x.(type) {
	case string:
		size = len(x)
	case *list:
		size = len(x.elems)
	default:
		in.fail(at, "%s has no elements", typeName(x))
	}
	bound := func(n node, none int) int {
		if n == nil {
			return none
		}
		v, ok := toInt(in.eval(n))
		if !ok {
			in.fail(at, "an index is a whole number")
		}
		if v.Sign() < 0 {
			v = new(big.Int).Add(v, big.NewInt(int64(size)))
		}
		if !v.IsInt64() {
			return none
		}
		return int(min(max(v.Int64(), 0), int64(size)))
	}
	from, to := bound(s.from, 0), bound(s.to, size)
	to = max(from, to)
	if text, ok := x.(string); ok {
		return text[from:to]
	}
	l := x.(*list)
	return &list{tuple: l.tuple, elems: slices.Clone(l.elems[from:to])}
}

func (in *Interp) storeIndex(at int, x, i, v any) {
	switch x := x.(type) {
	case *list:
		if !x.tuple {
			x.elems[in.place(at, i, len(x.elems))] = v
			return
		}
	case *dict:
		in.setKey(at, x, i, v)
		return
	}
	in.fail(at, "the elements of %s cannot be assigned to", typeName(x))
}

func (in *Interp) setKey(at int, d *dict, k, v any) {
	switch l := k.(type) {
	case *dict:
		in.fail(at, "%s cannot be the key of a dictionary", typeName(k))
	case *list:
		if !l.tuple {
			in.fail(at, "a list cannot be the key of a dictionary")
		}
	}
	if n := d.find(k); n >= 0 {
		d.values[n] = v
		return
	}
	in.room(at, len(d.keys)+1)
	d.keys, d.values = append(d.keys, k), append(d.values, v)
}
