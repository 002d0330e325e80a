package link_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

func TestLand(t *testing.T) {
	tests := []struct {
		medium    link.Medium
		frame     string
		etherType uint16
		ok        bool
	}{
		{link.Ethernet, "E", 0, true},
		{link.Ethernet, "", 0, true}, // too short a frame is the receiver's to count
		{link.IP, "\x45", wire.EtherTypeIPv4, true},
		{link.IP, "\x4f", wire.EtherTypeIPv4, true},
		{link.IP, "\x60", wire.EtherTypeIPv6, true},
		{link.IP, "\x50", 0, false},
		{link.IP, "", 0, false},
	}
	for _, tt := range tests {
		p := packet.From([]byte(tt.frame))
		p.In, p.Flags, p.EtherType = 5, packet.Resolved, 7
		if ok := tt.medium.Land(p); ok != tt.ok || p.Meta != (packet.Meta{EtherType: tt.etherType}) {
			t.Errorf("%v %q: %v, Meta %+v; want %v with EtherType %#x", tt.medium, tt.frame, ok, p.Meta, tt.ok, tt.etherType)
		}
		p.Free()
	}
}

func TestMaxFrame(t *testing.T) {
	if n := (link.Info{MTU: 1500}).MaxFrame(); n != 1518 {
		t.Errorf("Ethernet: %d octets, want 1518", n)
	}
	if n := (link.Info{MTU: 1500, Medium: link.IP}).MaxFrame(); n != 1500 {
		t.Errorf("IP: %d octets, want 1500", n)
	}
	if e, i := link.Ethernet.HeaderLen(), link.IP.HeaderLen(); e != 14 || i != 0 {
		t.Errorf("headers of %d and %d octets", e, i)
	}
}

// A unicast address of the locally administered space.
func TestRandomMAC(t *testing.T) {
	rt := clock.NewReal()
	seen := map[wire.MAC]bool{}
	for range 100 {
		m := link.RandomMAC(rt)
		if m[0]&3 != 2 || seen[m] {
			t.Fatalf("%v is not a new, local, unicast address", m)
		}
		seen[m] = true
	}
}

// gate is a receiver whose Ready stays until it is opened.
type gate struct{ entered, open chan struct{} }

func (g gate) Deliver(_ int, b *packet.Batch) { b.Free() }
func (g gate) Changed(link.Info)              {}
func (g gate) Ready(int) {
	close(g.entered)
	<-g.open
}

// Who detaches at the same time waits, too; and meanwhile nobody is called or attached.
func TestSlotDetaches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := link.NewSlot(clock.NewReal())
		g := gate{make(chan struct{}), make(chan struct{})}
		if err := s.Attach(g); err != nil {
			t.Fatal(err)
		}
		go s.Ready(0)
		<-g.entered
		done := make(chan struct{}, 3)
		for range 2 {
			go func() {
				s.Attach(nil)
				done <- struct{}{}
			}()
		}
		synctest.Wait()
		if len(done) != 0 {
			t.Error("Attach(nil) returned while a call was under way")
		}
		var b packet.Batch
		b.Push(packet.New(60))
		if s.Deliver(0, &b) || !b.Empty() {
			t.Error("a receiver being detached was called")
		}
		if err := s.Attach(g); !errors.Is(err, link.ErrAttached) {
			t.Errorf("Attach while the old receiver is busy: %v, want ErrAttached", err)
		}
		close(g.open)
		synctest.Wait()
		if len(done) != 2 {
			t.Errorf("%d of 2 calls of Attach(nil) returned", len(done))
		}
		if err := s.Attach(g); err != nil {
			t.Errorf("Attach: %v", err)
		}
		if !s.Close() || s.Close() {
			t.Error("not exactly the first Close is the first")
		}
		if err := s.Attach(g); !errors.Is(err, link.ErrClosed) {
			t.Errorf("Attach after Close: %v, want ErrClosed", err)
		}
	})
}

// In simulation nothing is ever under way outside of an event, so detaching never waits.
func TestSlotInSimulation(t *testing.T) {
	sim := clock.NewSim(1)
	s := link.NewSlot(sim.Runtime(1))
	g := gate{make(chan struct{}), make(chan struct{})}
	close(g.open)
	s.Attach(g)
	s.Ready(0)
	if err := s.Attach(nil); err != nil {
		t.Error(err)
	}
	s.Close()
}
