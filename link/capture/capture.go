// Package capture writes the frames of links to a pcapng file, which Wireshark and tshark read: with nanosecond
// timestamps, the interface's name, the direction, and, on incoming packets that the stack dropped, a comment with
// the reason.
//
//	w := capture.NewWriter(file, capture.Config{})
//	l := capture.New(rt, device, w, "eth0")
//	stack.Tracer().Add(l) // for the comments
//	stack.AddLink("eth0", l, …)
//	…
//	err := w.Close() // then close the file
//
// A [Link] is a [link.Link] around a link and passes everything on. Several of them may share a [Writer]. Equal
// frames at equal times give equal files, octet for octet.
package capture

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
)

// Link is a link whose frames are written down: outgoing ones when the inner link takes them, incoming ones as
// they are delivered. It is also a [trace.Sink]: given to the stack's Tracer, it notes on an incoming frame why the
// stack dropped it, provided that happens before Deliver returns. What the stack drops before it reaches the wire
// is not in the file.
type Link struct {
	rt     clock.Runtime
	inner  link.Link
	w      *Writer
	id     uint32 // of the interface in the file
	medium link.Medium
}

var (
	_ link.Link  = (*Link)(nil)
	_ trace.Sink = (*Link)(nil)
)

// New returns inner, captured by w under the given interface name, with the time of day of rt. The inner link
// belongs to it from then on.
func New(rt clock.Runtime, inner link.Link, w *Writer, name string) *Link {
	info := inner.Info()
	return &Link{rt: rt, inner: inner, w: w, id: w.addInterface(name, info), medium: info.Medium}
}

// Info returns the inner link's properties, but that it takes frames only as they are on the wire.
func (l *Link) Info() link.Info { return plain(l.inner.Info()) }

func plain(info link.Info) link.Info {
	info.Offload = 0
	return info
}

// Attach attaches r to the inner link.
func (l *Link) Attach(r link.Receiver) error {
	if r == nil {
		return l.inner.Attach(nil)
	}
	return l.inner.Attach(&tap{r, l})
}

// Send sends b on the inner link.
func (l *Link) Send(q int, b *packet.Batch) error {
	records := l.w.see(l, b, flagOutbound)
	n := b.Len()
	err := l.inner.Send(q, b)
	l.w.settle(records, n-b.Len())
	return err
}

// Close closes the inner link, not the Writer.
func (l *Link) Close() error { return l.inner.Close() }

// Trace notes the reason of a drop on the frame that was dropped.
func (l *Link) Trace(e *trace.Event) {
	if e.Kind == trace.PacketDropped && e.Packet != nil {
		l.w.dropped(l.id, e.Packet, e.Reason)
	}
}

// tap stands between the inner link and its receiver.
type tap struct {
	link.Receiver
	l *Link
}

func (t *tap) Changed(info link.Info) { t.Receiver.Changed(plain(info)) }

// Deliver writes down the frames as they would be on a wire, and so delivers them.
func (t *tap) Deliver(q int, b *packet.Batch) {
	var frames packet.Batch
	for p := b.Pop(); p != nil; p = b.Pop() {
		offload.Split(p, t.l.medium.HeaderLen(), &frames)
	}
	b.Take(&frames)
	records := t.l.w.see(t.l, b, flagInbound)
	n := b.Len()
	t.Receiver.Deliver(q, b)
	t.l.w.settle(records, n)
}
