package main

import (
	"golang.org/x/net/bpf"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/pcapfilter"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// traceFilter says which packets are traced.
type traceFilter struct {
	iface int32 // 0: any
	in    *bpf.VM
	out   *bpf.VM            // nil, as in: all packets
	macs  map[int32]wire.MAC // the interfaces' link-layer addresses
}

// newTraceFilter returns a filter for packets that come or leave by the interface of the given name, empty for all, and that
// expr selects.
func newTraceFilter(s *onlink.Stack, name, expr string) (trace.Filter, error) {
	f := &traceFilter{macs: make(map[int32]wire.MAC)}
	known := name == ""
	for _, i := range s.Snapshot().Interfaces {
		f.macs[int32(i.Index)] = i.LinkAddr
		if i.Name == name {
			f.iface, known = int32(i.Index), true
		}
	}
	if !known {
		return nil, usagef("-i %s: there is no such interface", name)
	}
	var err error
	if expr != "" {
		if f.in, err = compileFilter(expr, pcapfilter.Inbound); err == nil {
			f.out, err = compileFilter(expr, pcapfilter.Outbound)
		}
	}
	if err != nil {
		return nil, usageError{err}
	}
	return f.match, nil
}

// compileFilter returns the program of expr for frames that go one way.
func compileFilter(expr string, way pcapfilter.Direction) (*bpf.VM, error) {
	raw, err := pcapfilter.Compile(expr, link.Ethernet, pcapfilter.Options{Direction: way})
	if err != nil {
		return nil, err
	}
	program, _ := bpf.Disassemble(raw)
	return bpf.NewVM(program)
}

// match is a trace.Filter.
func (f *traceFilter) match(p *packet.Buffer, out bool) bool {
	index, program := p.In, f.in
	if out {
		index, program = p.Out, f.out
	}
	if p.Flags&packet.Loopback != 0 {
		index = loopbackIndex
	}
	if f.iface != 0 && f.iface != index {
		return false
	}
	if program == nil {
		return true
	}
	// Programs are for Ethernet. What has no such header, or none yet, gets one to be looked at with.
	bare := p.EtherType != 0
	if bare {
		wire.PutEthernet(p.Prepend(wire.EthernetLen), p.LinkDst, f.macs[p.Out], p.EtherType)
	}
	n, err := program.Run(p.Bytes())
	if bare {
		p.TrimFront(wire.EthernetLen)
	}
	return err == nil && n > 0
}

// loopbackIndex is that of the interface lo, which packets to ourselves belong to.
const loopbackIndex = 1
