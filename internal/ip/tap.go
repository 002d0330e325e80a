package ip

import (
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// Tap sees the frames of interfaces: those that come in as the link delivers them, before anything looks at them; those
// that go out when they are given to the link, behind the queue, once each even if the link does not accept them at
// once. Its methods are called from the goroutines that carry the frames, several at a time, with no lock held: they must
// be quick and must not call back.
type Tap interface {
	// Frame shows a frame, from its link header on. p is borrowed, and not to be changed.
	Frame(s Sight, p *packet.Buffer)
	// Gone tells that the interface with the given index was removed.
	Gone(index int32)
}

// Sight is what a Tap is told of a frame beside its octets.
type Sight struct {
	Name     string // of the interface
	Index    int32
	Medium   link.Medium
	Outgoing bool
	Wall     time.Time
}

// tapped is a Tap and where it listens.
type tapped struct {
	tap   Tap
	index int32 // of the interface; 0: all
}

// AddTap shows the frames of the interface with the given index to t; with index 0 those of all interfaces, also of those
// to come. remove ends that; calls under way may still reach t. Errors: ENODEV.
func (l *Layer) AddTap(index int32, t Tap) (remove func(), err error) {
	l.control.Lock()
	defer l.control.Unlock()
	if index != 0 {
		if _, err := l.find(index); err != nil {
			return nil, err
		}
	}
	e := &tapped{t, index}
	l.taps = append(l.taps, e)
	l.retap()
	return func() {
		l.control.Lock()
		defer l.control.Unlock()
		l.taps = slices.DeleteFunc(l.taps, func(o *tapped) bool { return o == e })
		l.retap()
	}, nil
}

// retap tells every device who taps it. Control locked.
func (l *Layer) retap() {
	for _, d := range l.devices {
		d.retap()
	}
}

func (d *device) retap() {
	var list []Tap
	for _, e := range d.l.taps {
		if e.index == 0 || e.index == d.index {
			list = append(list, e.tap)
		}
	}
	if list == nil {
		d.taps.Store(nil)
		return
	}
	d.taps.Store(&list)
}

// untap tells those who tap d that it is gone. No lock may be held, and no frame be under way.
func (d *device) untap() {
	if list := d.taps.Swap(nil); list != nil {
		for _, t := range *list {
			t.Gone(d.index)
		}
	}
}

// show shows the frames from p on, of one batch, to those who tap d.
func (d *device) show(p *packet.Buffer, outgoing bool) {
	list := d.taps.Load()
	if list == nil || p == nil {
		return
	}
	s := Sight{Name: d.name, Index: d.index, Medium: d.medium, Outgoing: outgoing, Wall: d.l.rt.Wall()}
	for ; p != nil; p = p.Next() {
		if p.Flags&packet.CopyToSelf != 0 && d.lk == nil {
			continue // the interface it leaves by shows it
		}
		offload.Finish(p, d.linkLen) // who looks at it would take the checksum for wrong
		for _, t := range *list {
			t.Frame(s, p)
		}
	}
}

// SendFrame sends p, which begins at the link header, by the interface with the given index, behind what waits in its
// queue; it owns p. On the loopback interface, p is received there. Errors, as Linux's packet sockets have them: ENODEV (ENXIO
// for index 0), ENETDOWN, EMSGSIZE if p is longer than the interface's MTU allows, EINVAL if it is shorter than its link
// header.
func (l *Layer) SendFrame(index int32, p *packet.Buffer) error {
	err := l.sendFrame(index, p)
	if err != nil {
		p.Free()
	}
	return err
}

func (l *Layer) sendFrame(index int32, p *packet.Buffer) error {
	if index == 0 {
		return syscall.ENXIO
	}
	s := l.snap.Load()
	d, i := s.device(index), s.Interface(index)
	if d == nil || i == nil {
		return fmt.Errorf("interface %d: %w", index, syscall.ENODEV)
	}
	header := 0
	if d.medium == link.Ethernet {
		header = wire.EthernetLen
		if p.Len() >= header && wire.Ethernet(p.Bytes()).EtherType() == wire.EtherTypeVLAN {
			header += wire.VLANLen // a tag does not count against the MTU
		}
	}
	switch {
	case !i.Up:
		return syscall.ENETDOWN
	case p.Len() > i.MTU+header:
		return syscall.EMSGSIZE
	case p.Len() < header || p.Len() == 0 || header == 0 && !link.IP.Land(p):
		return syscall.EINVAL
	}
	p.Out = index
	if steps := l.cfg.Tracer.Steps(); steps != nil && steps.Begin(p, true) {
		l.cfg.Tracer.Step(p, &trace.Event{At: l.rt.Now(), Step: trace.StepSocket, Decision: "a packet socket", Rule: "the frame is sent as it is"})
	}
	var b packet.Batch
	b.Push(p)
	if index == netif.LoopbackIndex {
		loopIn(p)
		p.Flags &^= packet.ChecksumGood // nobody has looked at it
		d.toSelf(&b)
		return nil
	}
	d.send(l.rt.Now(), 0, &b)
	return nil
}

// showFrames shows what is given to the link for the first time. The caller is the goroutine that sends.
func (e *egress) showFrames() {
	p := e.frames.Front()
	for range e.shown {
		p = p.Next()
	}
	e.d.show(p, true)
}
