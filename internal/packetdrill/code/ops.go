package code

import (
	"math"
	"math/big"
	"strings"
)

// maxBits bounds whole numbers, maxSize strings and lists, so that no line of code takes all memory.
const (
	maxBits = 1 << 14
	maxSize = 1 << 17
)

// room fails if a string or a list of a size would be too large.
func (in *Interp) room(at, size int) {
	if size > maxSize || size < 0 {
		in.fail(at, "the value is too large")
	}
}

// elems returns the elements of a value that can be looped over. They count as steps, which bounds what functions of the
// language do with them.
func (in *Interp) elems(v any, at int) []any {
	switch v := v.(type) {
	case *list:
		in.steps += len(v.elems) / 8
		return v.elems
	case *dict:
		return v.keys
	case string:
		list := make([]any, len(v))
		for i := range len(v) {
			list[i] = v[i : i+1]
		}
		return list
	}
	in.fail(at, "%s has no elements", typeName(v))
	return nil
}

func (in *Interp) unary(at int, op string, x any) any {
	if op == "not" {
		return !truth(x)
	}
	if n, ok := toInt(x); ok {
		switch op {
		case "-":
			return new(big.Int).Neg(n)
		case "~":
			return new(big.Int).Not(n)
		}
		return n
	}
	if f, ok := x.(float64); ok && op != "~" {
		if op == "-" {
			return -f
		}
		return f
	}
	in.fail(at, "%s cannot be used with %s", op, typeName(x))
	return nil
}

func (in *Interp) binary(at int, op string, x, y any) any {
	a, aok := toInt(x)
	b, bok := toInt(y)
	if aok && bok {
		return in.ints(at, op, a, b, x, y)
	}
	if isNumber(x) && isNumber(y) {
		f, _ := toFloat(x)
		g, _ := toFloat(y)
		return in.floats(at, op, f, g)
	}
	switch x := x.(type) {
	case string:
		switch {
		case op == "%":
			return in.percent(at, x, y)
		case op == "+":
			if y, ok := y.(string); ok {
				in.room(at, len(x)+len(y))
				return x + y
			}
		case op == "*" && bok:
			return strings.Repeat(x, in.times(at, len(x), b))
		}
	case *list:
		switch {
		case op == "+":
			if y, ok := y.(*list); ok && x.tuple == y.tuple {
				in.room(at, len(x.elems)+len(y.elems))
				return &list{x.tuple, append(append([]any(nil), x.elems...), y.elems...)}
			}
		case op == "*" && bok:
			l := &list{tuple: x.tuple}
			for range in.times(at, len(x.elems), b) {
				l.elems = append(l.elems, x.elems...)
			}
			return l
		}
	}
	if op == "*" && aok && !bok { // 3 * "a"
		switch y.(type) {
		case string, *list:
			return in.binary(at, op, y, x)
		}
	}
	in.fail(at, "%s and %s cannot be used with %s", typeName(x), typeName(y), op)
	return nil
}

// times returns how often something of a size is to be repeated.
func (in *Interp) times(at, size int, n *big.Int) int {
	if n.Sign() <= 0 || size == 0 {
		return 0
	}
	if !n.IsInt64() || n.Int64() > maxSize {
		in.room(at, maxSize+1)
	}
	in.room(at, size*int(n.Int64()))
	return int(n.Int64())
}

// ints evaluates an operator of whole numbers; x and y are the operands before they became numbers.
func (in *Interp) ints(at int, op string, a, b *big.Int, x, y any) any {
	z := new(big.Int)
	switch op {
	case "+":
		z.Add(a, b)
	case "-":
		z.Sub(a, b)
	case "*":
		z.Mul(a, b)
	case "/":
		in.zero(at, b)
		if a.Sign() == 0 && b.Sign() < 0 {
			return math.Copysign(0, -1)
		}
		f, _ := new(big.Rat).SetFrac(a, b).Float64()
		return f
	case "//":
		in.zero(at, b)
		z, _ = floorDiv(a, b)
	case "%":
		in.zero(at, b)
		_, z = floorDiv(a, b)
	case "**":
		return in.power(at, a, b)
	case "<<", ">>":
		if b.Sign() < 0 {
			in.fail(at, "a number cannot be shifted by %s", b)
		}
		if op == ">>" {
			return z.Rsh(a, uint(min(b.Uint64(), maxBits)))
		}
		if a.Sign() != 0 && (!b.IsInt64() || b.Int64() > maxBits) {
			in.fail(at, "the value is too large")
		}
		z.Lsh(a, uint(min(b.Uint64(), maxBits)))
	default:
		return in.bits(op, a, b, x, y)
	}
	if z.BitLen() > maxBits {
		in.fail(at, "the value is too large")
	}
	return z
}

// bits evaluates & | ^; of bools they are bools.
func (in *Interp) bits(op string, a, b *big.Int, x, y any) any {
	z := new(big.Int)
	switch op {
	case "&":
		z.And(a, b)
	case "|":
		z.Or(a, b)
	default:
		z.Xor(a, b)
	}
	_, xok := x.(bool)
	_, yok := y.(bool)
	if xok && yok {
		return z.Sign() != 0
	}
	return z
}

func (in *Interp) zero(at int, b *big.Int) {
	if b.Sign() == 0 {
		in.fail(at, "division by zero")
	}
}

// floorDiv divides towards minus infinity: the remainder has the divisor's sign.
func floorDiv(a, b *big.Int) (q, r *big.Int) {
	q, r = new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Sign() != 0 && r.Sign() != b.Sign() {
		q.Sub(q, big.NewInt(1))
		r.Add(r, b)
	}
	return q, r
}

func (in *Interp) power(at int, a, b *big.Int) any {
	if b.Sign() < 0 {
		f, _ := toFloat(a)
		g, _ := toFloat(b)
		return in.floats(at, "**", f, g)
	}
	if bits := int64(a.BitLen()); bits > 1 && (!b.IsInt64() || b.Int64() > maxBits || bits*b.Int64() > maxBits) {
		in.fail(at, "the value is too large")
	}
	if a.BitLen() <= 1 && b.BitLen() > 2 { // of 0, 1 and -1 only the exponent's parity matters
		b = big.NewInt(2 + int64(b.Bit(0)))
	}
	return new(big.Int).Exp(a, b, nil)
}

func (in *Interp) floats(at int, op string, f, g float64) any {
	switch op {
	case "+":
		return f + g
	case "-":
		return f - g
	case "*":
		return f * g
	case "**":
		if f == 0 && g < 0 {
			in.fail(at, "division by zero")
		}
		p := math.Pow(f, g)
		if math.IsNaN(p) && f == f && g == g {
			in.fail(at, "the root of a negative number is none")
		}
		if math.IsInf(p, 0) && !math.IsInf(f, 0) && !math.IsInf(g, 0) {
			in.fail(at, "the value is too large")
		}
		return p
	case "/", "//", "%":
		if g == 0 {
			in.fail(at, "division by zero")
		}
		if op == "/" {
			return f / g
		}
		q, r := floorDivFloat(f, g)
		if op == "//" {
			return q
		}
		return r
	}
	in.fail(at, "%s cannot be used with a float", op)
	return nil
}

// floorDivFloat divides towards minus infinity by way of the remainder, which is exact: 2.0 // 0.1 is 19.
func floorDivFloat(f, g float64) (q, r float64) {
	r = math.Mod(f, g)
	q = (f - r) / g
	if r != 0 && (r < 0) != (g < 0) {
		r += g
		q--
	}
	if r == 0 {
		r = math.Copysign(0, g)
	}
	if q == 0 {
		return math.Copysign(0, f/g), r
	}
	whole := math.Floor(q)
	if q-whole > 0.5 {
		whole++
	}
	return whole, r
}
