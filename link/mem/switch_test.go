package mem

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link/linktest"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// station i of the tests has this address.
func mac(i int) wire.MAC { return wire.MACFromUint64(0x020000000000 | uint64(i)) }

func ethernet(dst, src wire.MAC) *packet.Buffer {
	p := packet.New(60)
	clear(p.Bytes())
	copy(p.Bytes(), dst[:])
	copy(p.Bytes()[6:], src[:])
	return p
}

func TestSwitchLearns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSwitch(4, Config{})
		var got [4]int
		for i := range 4 {
			s.Port(i).Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
				got[i]++
				p.Free()
			}})
		}
		group := wire.MAC{0x33, 0x33, 0, 0, 0, 1}
		steps := []struct {
			why  string
			in   int
			f    *packet.Buffer
			wait time.Duration
			want [4]int
		}{
			{"an unknown station: to all but the sender", 0, ethernet(mac(1), mac(0)), 0, [4]int{0, 1, 1, 1}},
			{"the answer: only to whom is known", 1, ethernet(mac(0), mac(1)), 0, [4]int{1, 0, 0, 0}},
			{"and back", 0, ethernet(mac(1), mac(0)), 0, [4]int{0, 1, 0, 0}},
			{"broadcast", 1, ethernet(wire.BroadcastMAC, mac(1)), 0, [4]int{1, 0, 1, 1}},
			{"a group", 1, ethernet(group, mac(1)), 0, [4]int{1, 0, 1, 1}},
			{"to a station on the port it came from", 0, ethernet(mac(0), mac(7)), 0, [4]int{}},
			{"a station moves", 3, ethernet(mac(1), mac(0)), 0, [4]int{0, 1, 0, 0}},
			{"and is found", 1, ethernet(mac(0), mac(1)), 0, [4]int{0, 0, 0, 1}},
			{"a group is no source", 2, ethernet(mac(1), group), 0, [4]int{0, 1, 0, 0}},
			{"so it is not learned", 1, ethernet(group, mac(1)), 0, [4]int{1, 0, 1, 1}},
			{"within the ageing time", 1, ethernet(mac(0), mac(1)), ageing, [4]int{0, 0, 0, 1}},
			{"past the ageing time: to all", 1, ethernet(mac(0), mac(1)), ageing + time.Second, [4]int{1, 0, 1, 1}},
			{"a runt", 1, packet.New(13), 0, [4]int{}},
		}
		for _, st := range steps {
			if st.wait > 0 {
				// The station's last word, then silence.
				s.Port(3).Send(0, batch(ethernet(mac(3), mac(0))))
				time.Sleep(st.wait)
			}
			got = [4]int{}
			s.Port(st.in).Send(0, batch(st.f))
			if got != st.want {
				t.Errorf("%s: frames out %v, want %v", st.why, got, st.want)
			}
		}
	})
}

// A flooded frame is a copy at each port: one receiver's changes are not seen by another.
func TestSwitchFloodCopies(t *testing.T) {
	s := NewSwitch(3, Config{})
	var seen []byte
	for i := 1; i < 3; i++ {
		s.Port(i).Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
			seen = append(seen, p.Bytes()[20])
			p.Bytes()[20] = 0xff
			p.Free()
		}})
	}
	s.Port(0).Send(0, batch(ethernet(wire.BroadcastMAC, mac(0))))
	if string(seen) != "\x00\x00" {
		t.Errorf("receivers saw % x, want 00 00", seen)
	}
}

// A run of frames for one port arrives in order and as one batch, whatever else is in the batch sent.
func TestSwitchKeepsOrder(t *testing.T) {
	s := NewSwitch(3, Config{})
	var order []byte
	for i := 1; i < 3; i++ {
		s.Port(i).Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
			order = append(order, byte(i), p.Bytes()[20])
			p.Free()
		}})
		s.Port(i).Send(0, batch(ethernet(mac(0), mac(i))))
	}
	order = nil
	b := batch()
	for seq, to := range []int{1, 1, 2, 1, 2, 2} {
		f := ethernet(mac(to), mac(0))
		f.Bytes()[20] = byte(seq)
		b.Push(f)
	}
	s.Port(0).Send(0, b)
	want := []byte{1, 0, 1, 1, 2, 2, 1, 3, 2, 4, 2, 5}
	if string(order) != string(want) {
		t.Errorf("port and number: %v, want %v", order, want)
	}
}

func TestSwitchPortDown(t *testing.T) {
	for _, tt := range []struct {
		name string
		down func(p *Port)
	}{
		{"closed", func(p *Port) { p.Close() }},
		{"cut", func(p *Port) { p.SetCarrier(false) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := NewSwitch(3, Config{})
			var got [3]int
			for i := range 3 {
				s.Port(i).Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
					got[i]++
					p.Free()
				}})
			}
			s.Port(2).Send(0, batch(ethernet(mac(0), mac(2))))
			tt.down(s.Port(2))
			if s.Port(2).Info().Up || !s.Port(1).Info().Up {
				t.Error("not exactly port 2 is down")
			}
			got = [3]int{}
			s.Port(0).Send(0, batch(ethernet(wire.BroadcastMAC, mac(0))))
			s.Port(0).Send(0, batch(ethernet(mac(2), mac(0))))
			if got[0] != 0 || got[1] == 0 || got[2] != 0 {
				t.Errorf("frames out %v, want some at port 1 only", got)
			}
		})
	}
}

// A full port loses frames, and the others do not wait for it.
func TestSwitchFullPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSwitch(3, Config{Limit: 4})
		release := make(chan struct{})
		var slow, quick linktest.Recorder
		slow.OnDeliver = func(_ int, p *packet.Buffer) {
			p.Free()
			<-release
		}
		s.Port(1).Attach(&slow)
		s.Port(2).Attach(&quick)
		go s.Port(1).Send(0, batch(ethernet(mac(1), mac(1)))) // learned
		synctest.Wait()
		s.Port(2).Send(0, batch(ethernet(mac(2), mac(2))))
		go s.Port(0).Send(0, batch(ethernet(mac(1), mac(0)))) // stuck in Deliver
		synctest.Wait()
		b := batch()
		for range 6 {
			b.Push(ethernet(mac(1), mac(0)))
		}
		b.Push(ethernet(mac(2), mac(0)))
		s.Port(0).Send(0, b)
		if !b.Empty() {
			t.Errorf("%d frames left in the batch", b.Len())
		}
		if n := len(quick.Frames()); n != 1 {
			t.Errorf("the other port got %d frames, want 1", n)
		}
		if n := s.Port(1).Dropped(); n != 2 {
			t.Errorf("%d frames dropped, want 2", n)
		}
		close(release)
		synctest.Wait()
		if n := len(slow.Frames()); n != 5 {
			t.Errorf("the slow port got %d frames, want 5", n)
		}
	})
}

// The table is bounded; an aged entry gives its place to a new station.
func TestSwitchTableIsBounded(t *testing.T) {
	s := NewSwitch(2, Config{})
	now := clock.Instant(0)
	learn := func(i int) bool {
		s.learn(now, s.Port(0), ethernet(mac(99999), mac(i)).Bytes())
		_, ok := s.index[mac(i)]
		return ok
	}
	for i := range maxStations {
		if !learn(i) {
			t.Fatalf("station %d was not learned", i)
		}
	}
	if learn(maxStations) {
		t.Error("learned one more than the table holds")
	}
	now = now.Add(ageing + time.Second)
	if !learn(maxStations) {
		t.Error("a new station found no place though all are aged")
	}
	if len(s.index) != maxStations || len(s.stations) != maxStations {
		t.Errorf("%d and %d entries, want %d", len(s.index), len(s.stations), maxStations)
	}
}

func TestSwitchAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops at random under the race detector")
	}
	s := NewSwitch(3, Config{})
	for i := range 3 {
		s.Port(i).Attach(sink{})
	}
	s.Port(1).Send(0, batch(ethernet(mac(0), mac(1))))
	var b packet.Batch
	if n := testing.AllocsPerRun(1000, func() {
		b.Push(ethernet(mac(1), mac(0)))
		b.Push(ethernet(wire.BroadcastMAC, mac(0)))
		s.Port(0).Send(0, &b)
	}); n != 0 {
		t.Errorf("%v allocations a batch, want 0", n)
	}
}
