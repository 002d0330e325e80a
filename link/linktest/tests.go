package linktest

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
)

// settled returns when all that was sent has arrived.
func settled() {
	time.Sleep(settle)
	synctest.Wait()
}

func attach(t *testing.T, l link.Link, r link.Receiver) {
	t.Helper()
	if err := l.Attach(r); err != nil {
		t.Fatalf("Attach: %v", err)
	}
}

// send sends all of b, waiting between attempts while the link is full.
func send(t *testing.T, l link.Link, b *packet.Batch) {
	t.Helper()
	for {
		if err := l.Send(0, b); err != nil {
			t.Errorf("Send: %v", err)
			b.Free()
		}
		if b.Empty() {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func one(p *packet.Buffer) *packet.Batch {
	b := new(packet.Batch)
	b.Push(p)
	return b
}

// "Send sends the packets of b, in order."
func testOrder(t *testing.T, a, b link.Link) {
	var ra, rb Recorder
	attach(t, a, &ra)
	attach(t, b, &rb)
	const n = 500
	for seq := uint32(0); seq < n; {
		var ab, ba packet.Batch
		for range 1 + seq%7 {
			if seq < n {
				size := 32 + int(seq)%1400
				ab.Push(Frame(a.Info(), b.Info(), 0, seq, size))
				ba.Push(Frame(b.Info(), a.Info(), 0, seq, size))
				seq++
			}
		}
		send(t, a, &ab)
		send(t, b, &ba)
	}
	settled()
	ra.Check(t, n)
	rb.Check(t, n)
}

// A Deliver that sends back neither nests nor deadlocks, however often it goes to and fro.
func testEcho(t *testing.T, a, b link.Link) {
	const hops = 5000
	var ra, rb Recorder
	back := func(from, to link.Link) func(int, *packet.Buffer) {
		return func(q int, p *packet.Buffer) {
			_, seq, _ := Number(p)
			p.Free()
			if seq+1 < hops {
				send(t, from, one(Frame(from.Info(), to.Info(), 0, seq+1, 64)))
			}
		}
	}
	ra.OnDeliver, rb.OnDeliver = back(a, b), back(b, a)
	attach(t, a, &ra)
	attach(t, b, &rb)
	send(t, a, one(Frame(a.Info(), b.Info(), 0, 0, 64)))
	time.Sleep(time.Duration(hops) * settle)
	synctest.Wait()
	for _, f := range append(ra.faults, rb.faults...) {
		t.Error(f)
	}
	if n := len(ra.Frames()) + len(rb.Frames()); n != hops {
		t.Errorf("%d hops, want %d", n, hops)
	}
}

// Frames for which nobody is attached are gone; later ones arrive.
func testUnattached(t *testing.T, a, b link.Link) {
	send(t, a, one(Frame(a.Info(), b.Info(), 0, 77, 64)))
	settled()
	var rb Recorder
	attach(t, b, &rb)
	send(t, a, one(Frame(a.Info(), b.Info(), 0, 0, 64)))
	settled()
	rb.Check(t, 1)
}

// "Attaching a second receiver fails with ErrAttached."
func testAttach(t *testing.T, a, b link.Link) {
	var r1, r2 Recorder
	if err := b.Attach(nil); err != nil {
		t.Errorf("Attach(nil) with nothing attached: %v", err)
	}
	attach(t, b, &r1)
	if err := b.Attach(&r2); !errors.Is(err, link.ErrAttached) {
		t.Errorf("second Attach: %v, want ErrAttached", err)
	}
	send(t, a, one(Frame(a.Info(), b.Info(), 0, 0, 64)))
	settled()
	if err := b.Attach(nil); err != nil {
		t.Errorf("Attach(nil): %v", err)
	}
	attach(t, b, &r2)
	send(t, a, one(Frame(a.Info(), b.Info(), 0, 0, 64)))
	settled()
	r1.Check(t, 1)
	r2.Check(t, 1)
}

// "Attach(nil) detaches the receiver and waits until no call to it is under way."
func testDetachWaits(t *testing.T, a, b link.Link) {
	var rb Recorder
	release := make(chan struct{})
	rb.OnDeliver = func(q int, p *packet.Buffer) {
		p.Free()
		<-release
	}
	attach(t, b, &rb)
	var sent sync.WaitGroup
	sent.Go(func() { send(t, a, one(Frame(a.Info(), b.Info(), 0, 0, 64))) })
	settled()
	if n := len(rb.Frames()); n != 1 {
		t.Fatalf("%d frames delivered, want 1", n)
	}
	detached := make(chan struct{})
	go func() {
		b.Attach(nil)
		close(detached)
	}()
	synctest.Wait()
	select {
	case <-detached:
		t.Error("Attach(nil) returned while a Deliver was under way")
	default:
	}
	close(release)
	<-detached
	sent.Wait()
	send(t, a, one(Frame(a.Info(), b.Info(), 0, 1, 64)))
	settled()
	rb.Check(t, 1)
}

// "What it leaves in b stays the caller's, who may try again when Receiver.Ready is called."
func testReady(t *testing.T, a, b link.Link) {
	const most = 1 << 16
	var ra, rb Recorder
	release := make(chan struct{})
	rb.OnDeliver = func(q int, p *packet.Buffer) {
		p.Free()
		<-release
	}
	ready := make(chan struct{}, 1)
	ra.OnReady = func() {
		select {
		case ready <- struct{}{}:
		default:
		}
	}
	attach(t, a, &ra)
	attach(t, b, &rb)
	// Someone else's frame gets stuck, so that this goroutine does not.
	var stuck sync.WaitGroup
	stuck.Go(func() { send(t, a, one(Frame(a.Info(), b.Info(), 1, 0, 64))) })
	settled()

	var seq uint32
	var rest packet.Batch
	for rest.Empty() && seq < most {
		for range 100 {
			rest.Push(Frame(a.Info(), b.Info(), 0, seq, 64))
			seq++
		}
		if err := a.Send(0, &rest); err != nil {
			t.Fatalf("Send: %v", err)
		}
	}
	if rest.Empty() {
		close(release)
		stuck.Wait()
		t.Skipf("the link took %d frames and was not full", seq)
	}
	_, first, intact := Number(rest.Front())
	if !intact || int(first) != int(seq)-rest.Len() {
		t.Errorf("Send left %d frames, the first of them %d (intact: %v); want the last ones sent, untouched", rest.Len(), first, intact)
	}
	close(release)
	for !rest.Empty() {
		<-ready
		if err := a.Send(0, &rest); err != nil {
			t.Fatalf("Send: %v", err)
		}
	}
	stuck.Wait()
	settled()
	rb.Check(t, int(seq), 1)
}

// "Send may be called from several goroutines at once."
func testConcurrentSenders(t *testing.T, a, b link.Link) {
	const senders, each = 4, 400
	var ra, rb Recorder
	attach(t, a, &ra)
	attach(t, b, &rb)
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() {
			for seq := range each {
				send(t, a, one(Frame(a.Info(), b.Info(), uint32(s), uint32(seq), 100)))
				send(t, b, one(Frame(b.Info(), a.Info(), uint32(s), uint32(seq), 100)))
			}
		})
	}
	all.Wait()
	settled()
	ra.Check(t, each, each, each, each)
	rb.Check(t, each, each, each, each)
}

// "Send and Attach fail with ErrClosed afterwards. Closing twice is no error." The other end loses its carrier.
func testClose(t *testing.T, a, b link.Link) {
	var ra, rb Recorder
	attach(t, a, &ra)
	attach(t, b, &rb)
	if !a.Info().Up || !b.Info().Up {
		t.Fatalf("the links are not up: %v, %v", a.Info(), b.Info())
	}
	if err := a.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	rest := one(Frame(a.Info(), b.Info(), 0, 0, 64))
	if err := a.Send(0, rest); !errors.Is(err, link.ErrClosed) {
		t.Errorf("Send after Close: %v, want ErrClosed", err)
	}
	if rest.Len() != 1 {
		t.Errorf("a failing Send took the frame")
	}
	rest.Free()
	if err := a.Attach(&ra); !errors.Is(err, link.ErrClosed) {
		t.Errorf("Attach after Close: %v, want ErrClosed", err)
	}
	if err := a.Attach(nil); err != nil {
		t.Errorf("Attach(nil) after Close: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if a.Info().Up {
		t.Error("a closed link says it is up")
	}
	settled()
	if c := rb.Changes(); len(c) != 1 || c[0].Up {
		t.Errorf("the other end saw changes %+v, want one with Up false", c)
	}
	// A frame to nowhere is no error: the link itself is whole.
	lost := one(Frame(b.Info(), a.Info(), 0, 0, 64))
	if err := b.Send(0, lost); err != nil {
		t.Errorf("Send without carrier: %v", err)
	}
	lost.Free()
	settled()
	ra.Check(t)
}

// Close waits for calls under way, and frames still queued go nowhere.
func testCloseWhileBusy(t *testing.T, a, b link.Link) {
	var rb Recorder
	release := make(chan struct{})
	rb.OnDeliver = func(q int, p *packet.Buffer) {
		p.Free()
		<-release
	}
	attach(t, b, &rb)
	var sent sync.WaitGroup
	sent.Go(func() { send(t, a, one(Frame(a.Info(), b.Info(), 0, 0, 64))) })
	settled()
	send(t, a, one(Frame(a.Info(), b.Info(), 0, 1, 64)))
	closed := make(chan struct{})
	go func() {
		b.Close()
		close(closed)
	}()
	synctest.Wait()
	select {
	case <-closed:
		t.Error("Close returned while a Deliver was under way")
	default:
	}
	close(release)
	<-closed
	sent.Wait()
	settled()
	rb.Check(t, 1)
}
