package code

// node is an expression. Its offsets are for messages.
type node interface{ at() (off, end int) }

type span struct{ off, end int }

func (s span) at() (off, end int) { return s.off, s.end }

// The expressions.
type (
	constNode struct {
		span
		value any
	}
	nameNode struct {
		span
		name string
	}
	unaryNode struct {
		span
		op string
		x  node
	}
	binaryNode struct {
		span
		op   string
		x, y node
	}
	logicNode struct {
		span
		and  bool
		x, y node
	}
	compareNode struct { // x op[0] list[0] op[1] list[1] …
		span
		x    node
		ops  []string
		list []node
	}
	ifNode struct {
		span
		cond, yes, no node
	}
	seqNode struct {
		span
		tuple bool
		list  []node
	}
	dictNode struct {
		span
		keys, values []node
	}
	compNode struct { // [value for targets in over if conds]
		span
		value   node
		targets node
		over    node
		conds   []node
	}
	callNode struct {
		span
		f     node
		args  []node
		names []string // of keyword arguments, the last ones of args
	}
	indexNode struct {
		span
		x, i node
	}
	sliceNode struct {
		span
		x, from, to node
	} // from and to may be nil
	attrNode struct {
		span
		x    node
		name string
	}
	lambdaNode struct {
		span
		f *function
	}
	formatNode struct { // f"…{x!r:spec}…"
		span
		parts []formatPart
	}
)

// formatPart is a text and the value behind it, which may be missing.
type formatPart struct {
	text string
	x    node
	repr bool
	spec string
}

// stmt is a statement.
type stmt interface{ where() int }

type off int

func (o off) where() int { return int(o) }

// The statements.
type (
	exprStmt struct {
		off
		x node
	}
	assignStmt struct { // targets[0] = targets[1] = … = value
		off
		targets []node
		value   node
	}
	augmentStmt struct {
		off
		target node
		op     string
		value  node
	}
	assertStmt struct {
		off
		cond, msg node
	}
	printStmt struct {
		off
		list []node
	}
	ifStmt struct {
		off
		conds  []node
		blocks [][]stmt
		other  []stmt
	}
	whileStmt struct {
		off
		cond        node
		body, other []stmt
	}
	forStmt struct {
		off
		target, over node
		body, other  []stmt
	}
	defStmt struct {
		off
		f *function
	}
	returnStmt struct {
		off
		value node
	}
	raiseStmt struct {
		off
		value node
	}
	globalStmt struct {
		off
		names []string
	}
	importStmt struct {
		off
		from bool // from module import name
		list []imported
	}
	jumpStmt struct {
		off
		word string
	} // pass, break, continue
)

// function is a def or a lambda.
type function struct {
	name     string
	params   []string
	defaults []node // of the last parameters
	values   []any  // of defaults, when the def was run
	body     []stmt
	globals  map[string]bool
	src      *source // where the body stands, once the def was run
}

// imported is one name of an import.
type imported struct{ module, name, as string }
