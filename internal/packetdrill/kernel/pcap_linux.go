package kernel

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/capture"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/packet"
)

// pcap writes the packets of a device that is no link.Link: it sends them through a cable that leads nowhere.
type pcap struct {
	out *capture.Link // what the kernel sends
	in  *mem.Port     // the cable's other end: what it receives
}

// receiver takes what the cable delivers.
type receiver struct{}

func (receiver) Deliver(_ int, b *packet.Batch) { b.Free() }
func (receiver) Ready(int)                      {}
func (receiver) Changed(link.Info)              {}

func newPcap(w *capture.Writer, mtu int, name string) *pcap {
	rt := clock.NewReal()
	a, b := mem.Pair(mem.Config{Runtime: rt, MTU: mtu, Medium: link.IP})
	p := &pcap{out: capture.New(rt, a, w, name), in: b}
	p.out.Attach(receiver{}) // nobody is attached yet: it cannot fail
	p.in.Attach(receiver{})
	return p
}

// record writes a packet. A nil pcap writes none.
func (p *pcap) record(b []byte, out bool) {
	if p == nil {
		return
	}
	var batch packet.Batch
	batch.Push(packet.From(b))
	if out {
		p.out.Send(0, &batch)
	} else {
		p.in.Send(0, &batch)
	}
	batch.Free()
}
