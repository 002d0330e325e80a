package code

import (
	"slices"
	"strings"
)

// signal says how a block ended.
type signal uint8

const (
	ran signal = iota
	broke
	continued
	returned
)

func (in *Interp) block(list []stmt) signal {
	for _, s := range list {
		in.step(s.where())
		if sig := in.exec(s); sig != ran {
			return sig
		}
	}
	return ran
}

func (in *Interp) exec(s stmt) signal {
	switch s := s.(type) {
	case *exprStmt:
		in.eval(s.x)
	case *assignStmt:
		v := in.eval(s.value)
		for _, t := range s.targets {
			in.store(t, v)
		}
	case *augmentStmt:
		in.augment(s)
	case *assertStmt:
		in.assert(s)
	case *printStmt:
		in.print(in.evalAll(s.list), " ", "\n")
	case *ifStmt:
		for i, c := range s.conds {
			if truth(in.eval(c)) {
				return in.block(s.blocks[i])
			}
		}
		return in.block(s.other)
	case *whileStmt:
		return in.while(s)
	case *forStmt:
		return in.each(s)
	case *defStmt:
		f := *s.f
		f.values, f.src = in.evalAll(f.defaults), in.src
		in.assign(f.name, &f)
	case *returnStmt:
		in.ret = nil
		if s.value != nil {
			in.ret = in.eval(s.value)
		}
		return returned
	case *raiseStmt:
		what := "an exception"
		if s.value != nil {
			what = str(in.eval(s.value))
		}
		in.fail(s.where(), "raised: %s", what)
	case *importStmt:
		in.importNames(s)
	case *jumpStmt:
		switch s.word {
		case "break":
			return broke
		case "continue":
			return continued
		}
	}
	return ran
}

func (in *Interp) while(s *whileStmt) signal {
	for truth(in.eval(s.cond)) {
		in.step(s.where())
		switch in.block(s.body) {
		case broke:
			return ran
		case returned:
			return returned
		}
	}
	return in.block(s.other)
}

func (in *Interp) each(s *forStmt) signal {
	at, _ := s.over.at()
	for _, v := range in.elems(in.eval(s.over), at) {
		in.step(s.where())
		in.store(s.target, v)
		switch in.block(s.body) {
		case broke:
			return ran
		case returned:
			return returned
		}
	}
	return in.block(s.other)
}

func (in *Interp) augment(s *augmentStmt) {
	old := in.eval(s.target)
	if l, ok := old.(*list); ok && s.op == "+" { // a list grows in its place
		at, _ := s.value.at()
		more := in.elems(in.eval(s.value), at)
		in.room(s.where(), len(l.elems)+len(more))
		l.elems = append(l.elems, more...)
		return
	}
	in.store(s.target, in.binary(s.where(), s.op, old, in.eval(s.value)))
}

// store assigns to a name, a place in a list or a dictionary, or several of them.
func (in *Interp) store(target node, v any) {
	at, _ := target.at()
	switch t := target.(type) {
	case *nameNode:
		in.assign(t.name, v)
	case *indexNode:
		in.storeIndex(at, in.eval(t.x), in.eval(t.i), v)
	case *seqNode:
		elems := in.elems(v, at)
		if len(elems) != len(t.list) {
			in.fail(at, "%d values are given to %d variables", len(elems), len(t.list))
		}
		for i, x := range t.list {
			in.store(x, elems[i])
		}
	}
}

// assert fails if its condition does not hold, with the message of the script and the values of the variables in the
// condition.
func (in *Interp) assert(s *assertStmt) {
	if truth(in.eval(s.cond)) {
		return
	}
	from, end := s.cond.at()
	text := "assertion failed: " + strings.Join(strings.Fields(in.src.text[from:min(end, len(in.src.text))]), " ")
	var values []string
	seen := map[string]bool{}
	variables(s.cond, func(name string) {
		if v, ok := in.variable(name); ok && !seen[name] {
			seen[name] = true
			values = append(values, name+" is "+shorten(repr(v)))
		}
	})
	if values != nil {
		text += " (" + strings.Join(values, ", ") + ")"
	}
	if s.msg != nil {
		text += ": " + str(in.eval(s.msg))
	}
	in.fail(s.where(), "%s", text)
}

// variable returns the value of a name that is a variable and no function.
func (in *Interp) variable(name string) (any, bool) {
	v, ok := in.locals[name]
	if !ok {
		v, ok = in.globals[name]
	}
	switch v.(type) {
	case *function, *native, *module:
		return nil, false
	}
	return v, ok
}

// variables calls found with the names in an expression, from left to right.
func variables(x node, found func(string)) {
	each := func(list ...node) {
		for _, y := range list {
			if y != nil {
				variables(y, found)
			}
		}
	}
	switch x := x.(type) {
	case *nameNode:
		found(x.name)
	case *unaryNode:
		each(x.x)
	case *binaryNode:
		each(x.x, x.y)
	case *logicNode:
		each(x.x, x.y)
	case *compareNode:
		each(x.x)
		each(x.list...)
	case *ifNode:
		each(x.yes, x.cond, x.no)
	case *seqNode:
		each(x.list...)
	case *callNode:
		each(x.f)
		each(x.args...)
	case *indexNode:
		each(x.x, x.i)
	case *sliceNode:
		each(x.x, x.from, x.to)
	case *attrNode:
		each(x.x)
	case *compNode:
		each(x.over)
	}
}

// print prints values the way print does.
func (in *Interp) print(values []any, sep, end string) {
	if in.Print == nil {
		return
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = str(v)
	}
	in.Print(strings.Join(texts, sep) + end)
}

// importNames makes modules and what is in them known. Modules that are of no use here are known and empty.
func (in *Interp) importNames(s *importStmt) {
	for _, one := range s.list {
		if !slices.Contains(modules, one.module) {
			in.fail(s.where(), "there is no module %s", one.module)
		}
		name, value := one.module, any(&module{one.module})
		if s.from && one.module != "__future__" {
			v, ok := (&module{one.module}).attr(one.name)
			if !ok {
				in.fail(s.where(), "the module %s has no %s", one.module, one.name)
			}
			name, value = one.name, v
		}
		if one.as != "" {
			name = one.as
		}
		in.assign(name, value)
	}
}
