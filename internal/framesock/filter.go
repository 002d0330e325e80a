package framesock

import (
	"fmt"
	"syscall"

	"golang.org/x/net/bpf"

	"github.com/onlink-go/onlink/link"
)

// Filter is a classic BPF program that has been checked. The nil Filter takes every frame whole.
type Filter struct{ vm *bpf.VM }

// maxInstructions is BPF_MAXINSNS of Linux.
const maxInstructions = 4096

// NewFilter returns the program as a Filter. No instruction: nil. Errors say which instruction is wrong, and wrap EINVAL.
func NewFilter(program []bpf.RawInstruction) (*Filter, error) {
	if len(program) == 0 {
		return nil, nil
	}
	if len(program) > maxInstructions {
		return nil, fmt.Errorf("filter of %d instructions: at most %d are allowed: %w", len(program), maxInstructions, syscall.EINVAL)
	}
	list, all := bpf.Disassemble(program)
	if !all {
		for i := range list {
			if raw, ok := list[i].(bpf.RawInstruction); ok {
				return nil, fmt.Errorf("filter: instruction %d: operation %#04x is not known: %w", i, raw.Op, syscall.EINVAL)
			}
		}
	}
	for i := range list {
		if _, ok := list[i].(bpf.NegateA); ok {
			return nil, fmt.Errorf("filter: instruction %d: negation is not supported: %w", i, syscall.EINVAL)
		}
	}
	vm, err := bpf.NewVM(list)
	if err != nil {
		return nil, fmt.Errorf("filter: %v: %w", err, syscall.EINVAL)
	}
	return &Filter{vm}, nil
}

// Filters are the Filters of frames of each medium, that come in and that go out.
type Filters [2][2]*Filter

// Media are the media that frames are of.
var Media = [...]link.Medium{link.Ethernet, link.IP}

// Same returns Filters of which each is f.
func Same(f *Filter) Filters { return Filters{{f, f}, {f, f}} }

// For returns the Filter of frames of a medium and direction.
func (f *Filters) For(m link.Medium, outgoing bool) *Filter {
	if outgoing {
		return f[m][1]
	}
	return f[m][0]
}

// Keep returns how many octets of frame the program keeps; 0: it does not want the frame.
func (f *Filter) Keep(frame []byte) int {
	if f == nil {
		return len(frame)
	}
	n, err := f.vm.Run(frame)
	if err != nil {
		return 0 // NewFilter has refused every program of which this could be said
	}
	return min(n, len(frame))
}
