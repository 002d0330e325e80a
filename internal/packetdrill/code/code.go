package code

import (
	"math/big"
	"strings"

	"github.com/onlink-go/onlink/internal/packetdrill/abi"
)

// Interp runs the code of one script. Its zero value is not usable: New makes one.
type Interp struct {
	// Print is called with what print prints, the end of the line included. Nil: it is dropped.
	Print func(text string)

	globals  map[string]any
	locals   map[string]any // of the function that runs, nil outside
	def      *function      // the function that runs
	src      *source        // of the code that runs
	override int            // the offset errors are at while a part of an f"…" is evaluated; -1: their own
	steps    int            // made by this Run
	at       int            // the offset of the last step
	depth    int            // of calls and expressions
	ret      any            // what return returned
}

// New returns an interpreter that knows nothing but the names of constants.
func New() *Interp {
	return &Interp{globals: map[string]any{}, override: -1}
}

// Set gives a variable a value: any of Go's integers, a float64, a string, a bool, nil, or a []any of them. Other values
// panic.
func (in *Interp) Set(name string, value any) { in.globals[name] = fromGo(value) }

func fromGo(value any) any {
	switch v := value.(type) {
	case int:
		return big.NewInt(int64(v))
	case int8:
		return big.NewInt(int64(v))
	case int16:
		return big.NewInt(int64(v))
	case int32:
		return big.NewInt(int64(v))
	case int64:
		return big.NewInt(v)
	case uint:
		return new(big.Int).SetUint64(uint64(v))
	case uint8:
		return big.NewInt(int64(v))
	case uint16:
		return big.NewInt(int64(v))
	case uint32:
		return big.NewInt(int64(v))
	case uint64:
		return new(big.Int).SetUint64(v)
	case []any:
		l := &list{}
		for _, x := range v {
			l.elems = append(l.elems, fromGo(x))
		}
		return l
	case nil, bool, string, float64:
		return v
	}
	panic("code: a value of a type that code does not have")
}

// Get returns how Python would print a variable.
func (in *Interp) Get(name string) (string, bool) {
	v, ok := in.globals[name]
	if !ok {
		return "", false
	}
	return repr(v), true
}

// Check reads code and does not run it: for errors a script should not have to run to see. The position is that of the
// code's first byte.
func Check(file string, line, col int, text string) (err error) {
	defer recovered(&err, nil)
	parse(&source{text, file, line, col})
	return nil
}

// Run runs a piece of code whose first byte is at the position. The error, an *Error, says where in the script the code
// failed and why: a failed assertion names the values its condition saw.
func (in *Interp) Run(file string, line, col int, text string) (err error) {
	defer recovered(&err, in)
	src := &source{text, file, line, col}
	program := parse(src)
	in.src, in.steps, in.depth, in.locals, in.def, in.override = src, 0, 0, nil, nil, -1
	in.block(program)
	return nil
}

func parse(src *source) []stmt {
	p := &parser{source: src, list: scan(src)}
	return p.program()
}

// recovered turns what fail threw into an error.
func recovered(err *error, in *Interp) {
	switch r := recover().(type) {
	case nil:
	case *Error:
		*err = r
	case tooMuch:
		e := in.src.pos(in.at)
		e.Msg = "the values are too large to be looked through"
		*err = e
	default:
		panic(r)
	}
}

// maxSteps bounds how much one piece of code does: a loop without an end ends here.
const maxSteps = 1_000_000

// fail ends the code.
func (in *Interp) fail(at int, format string, args ...any) {
	if in.override >= 0 {
		at = in.override
	}
	in.src.fail(at, format, args...)
}

// step counts a statement or an expression.
func (in *Interp) step(at int) {
	in.at = at
	if in.steps++; in.steps > maxSteps {
		in.fail(at, "the code does not come to an end")
	}
}

// lookup returns the value of a name: a variable, a function of the language, or a constant.
func (in *Interp) lookup(name string, at int) any {
	if v, ok := in.locals[name]; ok {
		return v
	}
	if v, ok := in.globals[name]; ok {
		return v
	}
	if f, ok := builtin(name); ok {
		return f
	}
	if n, ok := abi.Value(name); ok && name != "NULL" {
		return big.NewInt(n)
	}
	switch {
	case strings.HasPrefix(name, "tcpi_"):
		in.fail(at, "%s is not defined: no TCP_INFO has been read, or it has no such field", name)
	default:
		in.fail(at, "%s is not defined", name)
	}
	return nil
}

// assign gives a variable of the function that runs, or of the whole, a value.
func (in *Interp) assign(name string, value any) {
	if in.locals != nil && !in.def.globals[name] {
		in.locals[name] = value
		return
	}
	in.globals[name] = value
}
