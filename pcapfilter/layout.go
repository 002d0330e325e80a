package pcapfilter

import "golang.org/x/net/bpf"

// layout makes a program of steps: it leaves out jumps to jumps, and puts jumps where a test must go farther than its 8 bits
// reach.
func layout(code []step) []bpf.Instruction {
	code, targets := straighten(code)
	far := make([][2]bool, len(code))
	at := make([]int, len(code))
	for changed := true; changed; {
		changed = false
		n := 0
		for i := range code {
			at[i] = n
			n++
			for _, f := range far[i] {
				if f {
					n++
				}
			}
		}
		for i, t := range targets {
			for k := range t {
				if t[k] > 0 && !far[i][k] && at[t[k]]-at[i]-1 > 255 {
					far[i][k], changed = true, true
				}
			}
		}
	}
	var program []bpf.Instruction
	for i, c := range code {
		t := targets[i]
		if t[0] == 0 {
			program = append(program, c.instruction)
			continue
		}
		var skips [2]uint8
		var jumps []bpf.Instruction
		for k := range t {
			if far[i][k] {
				skips[k] = uint8(len(jumps))
				jumps = append(jumps, bpf.Jump{Skip: uint32(at[t[k]] - (at[i] + 1 + len(jumps)) - 1)})
			} else {
				skips[k] = uint8(at[t[k]] - at[i] - 1)
			}
		}
		program = append(program, skipping(c.instruction, skips[0], skips[1]))
		program = append(program, jumps...)
	}
	return program
}

func skipping(i bpf.Instruction, yes, no uint8) bpf.Instruction {
	switch i := i.(type) {
	case bpf.JumpIf:
		i.SkipTrue, i.SkipFalse = yes, no
		return i
	case bpf.JumpIfX:
		i.SkipTrue, i.SkipFalse = yes, no
		return i
	}
	return i
}

// straighten takes the unconditional jumps out: whoever goes to one can go where it leads, and nothing falls into one, since a
// test always jumps, but the beginning of the program, when it leads to the first step that is left. targets are the steps
// that each test goes to; 0 for other instructions.
func straighten(code []step) (kept []step, targets [][2]int) {
	index := make([]int, len(code)) // of each step among those kept
	for i, c := range code {
		index[i] = len(kept)
		if c.instruction != nil {
			kept = append(kept, c)
		}
	}
	end := func(l *label) int {
		for code[l.at].instruction == nil {
			l = code[l.at].yes
		}
		return index[l.at]
	}
	targets = make([][2]int, len(kept))
	for i, c := range kept {
		if c.yes != nil {
			targets[i] = [2]int{end(c.yes), end(c.no)}
		}
	}
	return kept, targets
}
