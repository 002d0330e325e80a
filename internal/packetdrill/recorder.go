package packetdrill

import (
	"bytes"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
)

// recorder is the link of the stack under test: it keeps what the stack sends, and hands it what the script sends. It
// carries IP packets, so that no neighbor has to be found.
type recorder struct {
	slot *link.Slot
	mtu  int
	sent func(b []byte)
}

var _ link.Link = (*recorder)(nil)

func newRecorder(rt clock.Runtime, mtu int, sent func(b []byte)) *recorder {
	return &recorder{slot: link.NewSlot(rt), mtu: mtu, sent: sent}
}

func (r *recorder) Info() link.Info {
	return link.Info{MTU: r.mtu, Medium: link.IP, Queues: 1, Up: true}
}

func (r *recorder) Attach(to link.Receiver) error { return r.slot.Attach(to) }

func (r *recorder) Send(q int, b *packet.Batch) error {
	for p := b.Pop(); p != nil; p = b.Pop() {
		r.sent(bytes.Clone(p.Bytes()))
		p.Free()
	}
	return nil
}

func (r *recorder) Close() error {
	r.slot.Close()
	return nil
}

// inject delivers a packet to the stack.
func (r *recorder) inject(b []byte) {
	p := packet.From(b)
	if !link.IP.Land(p) {
		p.Free()
		return
	}
	var batch packet.Batch
	batch.Push(p)
	r.slot.Deliver(0, &batch)
}

// setMTU changes the MTU, as a link does whose other end has another one.
func (r *recorder) setMTU(n int) {
	r.mtu = n
	r.slot.Changed(r.Info())
}
