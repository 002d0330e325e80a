package pcapfilter

import "golang.org/x/net/bpf"

// generator makes a program of a tree. Code goes forward only: a node is given the labels to go on at when it is true and
// when it is false, which are placed behind it. So when a label is placed, all ways to it are known, and with them what
// the registers hold there and which tests have been made: those need not be made again.
type generator struct {
	code    []step
	now     *state // nil: nothing comes here
	scratch int    // words of scratch memory in use
}

// step is an instruction, or the end of a test, which goes to one of two labels.
type step struct {
	instruction bpf.Instruction
	yes, no     *label // of a test; of an unconditional jump yes only

	// Of a test:
	ifYes, ifNo *state // what is known where it goes
	asked       *test  // nil: of calculated values
	negated     bool   // it goes to no when asked is true
	begin       int    // index of the step where its loads begin
}

// label is a place in the code to jump to.
type label struct {
	at    int    // index of the step
	state *state // of all jumps to it, as far as they agree; nil: there is none

	// What is done from here on relies on what state says of the registers A and X.
	needsA, needsX bool
}

// maxSteps is how many steps are made before giving up: more than can become a program of maxInstructions.
const maxSteps = 4 * maxInstructions

// generate returns the program of tree, whose answer for selected frames is keep; nil if it would be much too long.
func generate(tree node, keep uint32) []bpf.Instruction {
	g := generator{now: new(state)}
	var accept, reject label
	g.node(tree, &accept, &reject)
	for _, end := range []struct {
		*label
		answer uint32
	}{{&accept, keep}, {&reject, 0}} {
		if end.state != nil {
			g.place(end.label)
			g.emit(bpf.RetConstant{Val: end.answer})
		}
	}
	if len(g.code) > maxSteps {
		return nil
	}
	thread(g.code)
	return layout(g.code)
}

func (g *generator) emit(i bpf.Instruction) { g.code = append(g.code, step{instruction: i}) }

// place makes l stand here.
func (g *generator) place(l *label) {
	l.at, g.now = len(g.code), nil
	if l.state != nil {
		g.now = l.state.from(l)
	}
}

// jump goes on at l.
func (g *generator) jump(l *label) {
	g.code = append(g.code, step{yes: l, ifYes: g.now})
	l.reached(g.now)
	g.now = nil
}

// branch ends a test.
func (g *generator) branch(s step) {
	g.code = append(g.code, s)
	s.yes.reached(s.ifYes)
	s.no.reached(s.ifNo)
	g.now = nil
}

func (l *label) reached(s *state) {
	if l.state == nil {
		l.state = s
		return
	}
	l.state = l.state.meet(s)
}

// node goes on at yes or no.
func (g *generator) node(n node, yes, no *label) {
	if g.now == nil || len(g.code) > maxSteps {
		return // never asked, or too much
	}
	switch n := n.(type) {
	case always:
		if n {
			g.jump(yes)
		} else {
			g.jump(no)
		}
	case not:
		g.node(n.x, no, yes)
	case and:
		var then label
		g.node(n.l, &then, no)
		g.place(&then)
		g.node(n.r, yes, no)
	case or:
		var otherwise label
		g.node(n.l, yes, &otherwise)
		g.place(&otherwise)
		g.node(n.r, yes, no)
	case *test:
		g.test(n, yes, no)
	case *cases:
		g.node(n.expanded(), yes, no)
	case *relation:
		g.relation(n, yes, no)
	}
}

// test compares what is at a place with a constant, unless the answer is known.
func (g *generator) test(t *test, yes, no *label) {
	if answer, known := g.now.decide(t); known {
		g.node(always(answer), yes, no)
		return
	}
	begin := len(g.code)
	bits := t.mask != ^uint32(0) && t.op == equal && t.k == 0
	held := holding{t.at, t.mask}
	switch {
	case bits:
		g.fetch(t.at)
	case g.now.a == held:
		g.now.relyOnA()
	default:
		g.fetch(t.at)
		if t.mask != ^uint32(0) {
			g.emit(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: t.mask})
			g.now = g.now.with(held)
		}
	}
	is, isNot := g.now, g.now
	if t.op == equal {
		is, isNot = is.learn(fact{held, t.k, true}), isNot.learn(fact{held, t.k, false})
	}
	if bits {
		g.branch(step{bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: t.mask}, no, yes, isNot, is, t, true, begin})
		return
	}
	g.branch(step{bpf.JumpIf{Cond: jumps[t.op], Val: t.k}, yes, no, is, isNot, t, false, begin})
}

var jumps = [...]bpf.JumpTest{equal: bpf.JumpEqual, greater: bpf.JumpGreaterThan, greaterOrEqual: bpf.JumpGreaterOrEqual}

// fetch loads what is at p into register A.
func (g *generator) fetch(p place) {
	if g.now.a == (holding{p, ^uint32(0)}) {
		g.now.relyOnA()
		return
	}
	switch p.from {
	case length:
		g.emit(bpf.LoadExtension{Num: bpf.ExtLen})
	case start:
		g.emit(bpf.LoadAbsolute{Off: p.off, Size: p.size})
	case behindIPv4:
		if g.now.headerInX && g.now.x == p.base {
			g.now.relyOnX()
		} else {
			g.emit(bpf.LoadMemShift{Off: p.base})
			g.now = g.now.withX(p.base)
		}
		g.emit(bpf.LoadIndirect{Off: p.base + p.off, Size: p.size})
	}
	g.now = g.now.with(holding{p, ^uint32(0)})
}

// relation compares two calculated values.
func (g *generator) relation(n *relation, yes, no *label) {
	if k, ok := n.r.(number); ok {
		g.value(n.l)
		g.branch(step{instruction: bpf.JumpIf{Cond: jumps[n.op], Val: uint32(k)}, yes: yes, no: no, ifYes: g.now, ifNo: g.now})
		return
	}
	g.operands(n.l, n.r)
	g.branch(step{instruction: bpf.JumpIfX{Cond: jumps[n.op]}, yes: yes, no: no, ifYes: g.now, ifNo: g.now})
}

// operands calculates r into register X and l into A. Each level of memory takes twice the operators of the one below: a
// program that is not too long has enough with BPF's 16 words.
func (g *generator) operands(l, r value) {
	first, second := r, l
	if words(l) > words(r) {
		first, second = l, r
	}
	g.value(first)
	g.emit(bpf.StoreScratch{Src: bpf.RegA, N: g.scratch})
	g.scratch++
	g.value(second)
	g.scratch--
	if words(l) > words(r) {
		g.emit(bpf.TAX{})
		g.emit(bpf.LoadScratch{Dst: bpf.RegA, N: g.scratch})
	} else {
		g.emit(bpf.LoadScratch{Dst: bpf.RegX, N: g.scratch})
	}
	g.now = g.now.withoutX().with(holding{})
}

// operations are those of BPF by their signs.
var operations = map[string]bpf.ALUOp{"+": bpf.ALUOpAdd, "-": bpf.ALUOpSub, "*": bpf.ALUOpMul, "/": bpf.ALUOpDiv, "%": bpf.ALUOpMod,
	"&": bpf.ALUOpAnd, "|": bpf.ALUOpOr, "^": bpf.ALUOpXor, "<<": bpf.ALUOpShiftLeft, ">>": bpf.ALUOpShiftRight}

// value calculates v into register A.
func (g *generator) value(v value) {
	switch v := v.(type) {
	case number:
		g.emit(bpf.LoadConstant{Dst: bpf.RegA, Val: uint32(v)})
	case load:
		g.fetch(v.place)
		return
	case *indexed:
		g.value(v.index)
		if v.from == behindIPv4 {
			g.emit(bpf.LoadMemShift{Off: v.base})
			g.emit(bpf.ALUOpX{Op: bpf.ALUOpAdd})
		}
		g.emit(bpf.TAX{})
		g.now = g.now.withoutX()
		g.emit(bpf.LoadIndirect{Off: v.base + v.off, Size: v.size})
	case *calculation:
		if k, ok := v.r.(number); ok {
			g.value(v.l)
			g.emit(bpf.ALUOpConstant{Op: operations[v.op], Val: uint32(k)})
		} else {
			g.operands(v.l, v.r)
			g.emit(bpf.ALUOpX{Op: operations[v.op]})
		}
	}
	g.now = g.now.with(holding{})
}
