package nd

import (
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

var (
	target = wire.Addr{Hi: 0xfe80 << 48, Lo: 0x0000_00ff_fe12_3456}
	peer   = wire.Addr{Hi: 0xfe80 << 48, Lo: 0x99}
	mac    = wire.MAC{2, 0, 0, 0, 0, 9}
	other  = wire.MAC{2, 0, 0, 0, 0, 8}
)

// rig is a DAD in virtual time.
type rig struct {
	*DAD
	t    *testing.T
	now  clock.Instant
	at   []clock.Instant // of solicitations
	sent []Message
}

func newRig(t *testing.T, transmits int) *rig {
	var n uint64
	return &rig{t: t, DAD: NewDAD(DADConfig{Target: target, Transmits: transmits,
		// The first draw is no nonce: zero is what package wire reads for one of another length.
		Rand: func() uint64 { n++; return (n - 1) << 8 }})}
}

func (r *rig) drain() {
	var m Message
	for r.Next(&m) {
		r.at, r.sent = append(r.at, r.now), append(r.sent, m)
	}
}

func (r *rig) start(delay time.Duration) {
	r.Start(r.now, delay)
	r.drain()
}

// advance lets d pass. loop gives every solicitation back to the sender at once.
func (r *rig) advance(d time.Duration, loop bool) {
	end := r.now.Add(d)
	for r.Deadline() <= end {
		r.now = r.Deadline()
		r.Timeout(r.now)
		n := len(r.sent)
		r.drain()
		if loop && len(r.sent) > n {
			r.loop(len(r.sent) - 1)
		}
	}
	r.now = end
}

// loop gives solicitation i back to its sender.
func (r *rig) loop(i int) {
	r.t.Helper()
	if !r.Solicited(wire.Addr{}, mac, &r.sent[i].Body) {
		r.t.Errorf("solicitation %d was not known again", i)
	}
}

func (r *rig) want(s DADState, sent int) {
	r.t.Helper()
	if r.State() != s || len(r.sent) != sent {
		r.t.Errorf("at %v: %v after %d solicitations, want %v after %d", r.now, r.State(), len(r.sent), s, sent)
	}
	if (r.State() == DADTentative) != (r.Deadline() != clock.Never) {
		r.t.Errorf("%v with deadline %v", r.State(), r.Deadline())
	}
}

// RFC 4862, 5.4.2: "To check an address, a node sends DupAddrDetectTransmits Neighbor Solicitations, each separated by
// RetransTimer milliseconds." 5.4: the address is unique when nothing says otherwise "within RetransTimer milliseconds
// after".
func TestUnique(t *testing.T) {
	for transmits := 1; transmits <= 3; transmits++ {
		r := newRig(t, transmits)
		r.want(DADIdle, 0)
		r.start(300 * time.Millisecond)
		r.advance(300*time.Millisecond-1, false)
		r.want(DADTentative, 0)
		r.advance(1, false)
		r.want(DADTentative, 1)
		r.advance(time.Duration(transmits)*time.Second-1, false)
		r.want(DADTentative, transmits)
		r.advance(1, false)
		r.want(DADReady, transmits)
		for i, at := range r.at {
			if want := clock.Instant(300*time.Millisecond) + clock.Instant(i)*clock.Instant(time.Second); at != want {
				t.Errorf("solicitation %d at %v, want %v", i, at, want)
			}
		}
		r.advance(time.Hour, false)
		r.want(DADReady, transmits)
	}
}

// RFC 4862, 5.4: "An interface whose DupAddrDetectTransmits variable is set to zero does not perform Duplicate Address
// Detection."
func TestNoTransmits(t *testing.T) {
	r := newRig(t, 0)
	r.start(time.Second)
	r.want(DADReady, 0)
}

// RFC 4862, 5.4.2: "The solicitation's Target Address is set to the address being checked, the IP source is set to the
// unspecified address, and the IP destination is set to the solicited-node multicast address of the target address."
// RFC 7527, 4.1: "each Enhanced DAD probe uses a different nonce."
func TestMessage(t *testing.T) {
	r := newRig(t, 3)
	r.start(0)
	r.want(DADTentative, 1)
	r.advance(2*time.Second, false)
	seen := map[wire.Nonce]bool{{}: true}
	for i, m := range r.sent {
		if seen[m.Body.Nonce] {
			t.Errorf("solicitation %d has a used nonce, or none: %v", i, m.Body.Nonce)
		}
		seen[m.Body.Nonce] = true
		group := wire.Addr{Hi: 0xff02 << 48, Lo: 0x1_ff12_3456}
		if m.Src != (wire.Addr{}) || m.Dst != group || m.LinkDst != (wire.MAC{0x33, 0x33, 0xff, 0x12, 0x34, 0x56}) {
			t.Errorf("from %v to %v at %v", m.Src, m.Dst, m.LinkDst)
		}
		// What is sent is valid, and reads as what was meant: RFC 4861, 7.1.1.
		b := make([]byte, m.Body.Len())
		m.Body.Put(b)
		got, err := wire.ParseNeighborSolicitation(b)
		if err == nil {
			err = got.Validate(m.Src, m.Dst, wire.NDHopLimit)
		}
		if err != nil || got != m.Body || got.Target != target || !got.HasNonce || got.SourceLink != (wire.MAC{}) {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestDuplicate(t *testing.T) {
	var (
		dad = func(m wire.NeighborSolicitation) func(*rig) {
			return func(r *rig) { r.Solicited(wire.Addr{}, mac, &m) }
		}
		from = func(m wire.NeighborSolicitation) func(*rig) {
			return func(r *rig) { r.Solicited(peer, mac, &m) }
		}
		na = func(m wire.NeighborAdvertisement) func(*rig) {
			return func(r *rig) { r.Advertised(mac, &m) }
		}
	)
	for _, row := range []struct {
		name     string
		do       func(*rig)
		conflict wire.MAC // zero: none
	}{
		// RFC 4862, 5.4.3: "If the solicitation is from another node, the tentative address is a duplicate and should
		// not be used (by either node)."
		{"NS without a nonce", dad(wire.NeighborSolicitation{Target: target}), mac},
		// RFC 7527, 4.2: "If the received NS(DAD) message includes a nonce and no match is found with any stored
		// nonce, the node SHOULD log a system management message for a DAD-failed state".
		{"NS with another nonce", dad(wire.NeighborSolicitation{Target: target, HasNonce: true, Nonce: wire.Nonce{9}}), mac},
		{"NS with a nonce of another length", dad(wire.NeighborSolicitation{Target: target, HasNonce: true}), mac},
		{"NS for another target", dad(wire.NeighborSolicitation{Target: peer}), wire.MAC{}},
		// 5.4.3: "If the target address is tentative, and the source address is a unicast address, the solicitation's
		// sender is performing address resolution on the target; the solicitation should be silently ignored."
		{"NS from a neighbor", from(wire.NeighborSolicitation{Target: target, SourceLink: mac}), wire.MAC{}},
		// 5.4.4: "If the target address is tentative, the tentative address is not unique."
		{"NA", na(wire.NeighborAdvertisement{Target: target, TargetLink: other}), other},
		{"NA without a link-layer address", na(wire.NeighborAdvertisement{Target: target}), mac},
		{"NA for another target", na(wire.NeighborAdvertisement{Target: peer, TargetLink: other}), wire.MAC{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			for sent, before := range []time.Duration{
				// 5.4.3: "If a Neighbor Solicitation for a tentative address is received before one is sent, the
				// tentative address is a duplicate."
				200 * time.Millisecond,
				700 * time.Millisecond,
				1700 * time.Millisecond,
			} {
				r := newRig(t, 2)
				row.do(r) // not started: it means nothing
				r.want(DADIdle, 0)
				r.start(500 * time.Millisecond)
				r.advance(before, false)
				row.do(r)
				if (row.conflict != wire.MAC{}) {
					r.want(DADDuplicate, sent)
					r.advance(time.Minute, false)
					r.want(DADDuplicate, sent)
				} else {
					r.want(DADTentative, sent)
					r.advance(time.Minute, false)
					r.want(DADReady, 2)
					row.do(r) // an address that is ready is defended, or not, elsewhere
					r.want(DADReady, 2)
				}
				if r.Conflict() != row.conflict {
					t.Errorf("conflict with %v, want %v", r.Conflict(), row.conflict)
				}
			}
		})
	}
}

// A duplicate that shows between Timeout and Next takes back what was to be sent.
func TestDuplicateBeforeSending(t *testing.T) {
	r := newRig(t, 1)
	r.Start(0, 0)
	r.Advertised(mac, &wire.NeighborAdvertisement{Target: target})
	r.drain()
	r.want(DADDuplicate, 0)
}

// RFC 7527, 4.1: "If any probe is looped back within RetransTimer milliseconds after having sent
// DupAddrDetectTransmits NS(DAD) messages, the interface continues with another MAX_MULTICAST_SOLICIT number of NS(DAD)
// messages transmitted RetransTimer milliseconds apart."
func TestLooped(t *testing.T) {
	r := newRig(t, 1)
	r.start(0)
	r.loop(0)
	r.advance(4*time.Second-1, false)
	r.want(DADTentative, 1+MaxMulticastSolicit)
	r.advance(1, false)
	r.want(DADReady, 1+MaxMulticastSolicit)

	// While the link loops, it goes on; "If no probe is looped back within RetransTimer milliseconds after
	// MAX_MULTICAST_SOLICIT NS(DAD) messages are sent, the probing stops."
	r = newRig(t, 1)
	r.start(0)
	r.loop(0)
	r.advance(100*time.Second, true)
	r.want(DADTentative, 101)
	r.advance(3*time.Second+MaxMulticastSolicit*time.Second, false)
	if r.State() != DADReady {
		t.Errorf("%v after the loop was opened", r.State())
	}
}

// A probe that comes back late is still known, and one from a former start too.
func TestLoopedLate(t *testing.T) {
	r := newRig(t, 5)
	r.start(0)
	r.advance(4*time.Second, false)
	r.loop(0)
	r.want(DADTentative, 5)

	r = newRig(t, 1)
	r.start(0)
	r.Stop()
	r.want(DADIdle, 1)
	r.advance(time.Hour, false)
	r.start(0)
	r.loop(0)
	r.want(DADTentative, 2)

	// But not for ever.
	r = newRig(t, remembered+1)
	r.start(0)
	r.advance(remembered*time.Second, false)
	r.loop(1)
	if r.Solicited(wire.Addr{}, mac, &r.sent[0].Body) || r.State() != DADDuplicate {
		t.Errorf("%v: a nonce was kept for ever", r.State())
	}
}

// Start begins anew, whatever came before.
func TestRestart(t *testing.T) {
	r := newRig(t, 1)
	r.start(0)
	r.loop(0)
	r.Advertised(mac, &wire.NeighborAdvertisement{Target: target})
	r.want(DADDuplicate, 1)
	r.start(0)
	if r.Conflict() != (wire.MAC{}) {
		t.Errorf("conflict with %v", r.Conflict())
	}
	r.want(DADTentative, 2)
	r.advance(time.Second, false) // the loop of the first start is forgotten
	r.want(DADReady, 2)
}

// Timeout may come early, and late.
func TestTimeoutTimes(t *testing.T) {
	r := newRig(t, 2)
	r.start(time.Second)
	r.Timeout(r.now)
	r.drain()
	r.want(DADTentative, 0)
	r.now = r.now.Add(time.Minute)
	r.Timeout(r.now)
	r.drain()
	r.want(DADTentative, 1)
	if want := r.now.Add(time.Second); r.Deadline() != want {
		t.Errorf("deadline %v, want %v", r.Deadline(), want)
	}
}

// FuzzDAD gives a DAD any sequence of events: it has one deadline exactly while tentative, and ends where it should.
func FuzzDAD(f *testing.F) {
	f.Add(uint8(1), []byte{0, 1, 1, 1})
	f.Add(uint8(2), []byte{0, 1, 2, 1, 2, 1, 3})
	f.Add(uint8(1), []byte{0, 1, 4, 0, 1, 2, 5, 0, 1, 6})
	f.Fuzz(func(t *testing.T, transmits uint8, events []byte) {
		r := newRig(t, int(transmits%4))
		duplicate := false
		for _, e := range events {
			was := r.State()
			switch e % 7 {
			case 0:
				r.Start(r.now, time.Duration(e)*10*time.Millisecond)
				duplicate = false
			case 1:
				if r.Deadline() != clock.Never {
					r.now = r.Deadline()
				}
				r.Timeout(r.now)
			case 2:
				if n := len(r.sent); n > 0 && r.Solicited(wire.Addr{}, mac, &r.sent[n-1].Body) != (was == DADTentative) {
					t.Fatalf("%v: looped", was)
				}
			case 3:
				r.Solicited(wire.Addr{}, mac, &wire.NeighborSolicitation{Target: target, HasNonce: true, Nonce: wire.Nonce{5: 1}})
				duplicate = duplicate || was == DADTentative
			case 4:
				r.Advertised(mac, &wire.NeighborAdvertisement{Target: target})
				duplicate = duplicate || was == DADTentative
			case 5:
				r.Stop()
				duplicate = false
			case 6:
				r.now = r.now.Add(time.Duration(e) * time.Millisecond)
			}
			r.drain()
			r.want(r.State(), len(r.sent))
			if (r.State() == DADDuplicate) != duplicate || duplicate != (r.Conflict() == mac) && r.State() != DADIdle {
				t.Fatalf("%v with %v after a duplicate: %v", r.State(), r.Conflict(), duplicate)
			}
		}
		if r.advance(time.Hour, false); r.State() == DADTentative {
			t.Fatal("it never ends")
		}
	})
}

func TestStateString(t *testing.T) {
	for s, want := range map[DADState]string{DADIdle: "idle", DADTentative: "tentative", DADReady: "ready", DADDuplicate: "duplicate"} {
		if s.String() != want {
			t.Errorf("%v, want %v", s, want)
		}
	}
}

// A DAD allocates nothing once it is made.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	d := NewDAD(DADConfig{Target: target, Transmits: 1, Rand: func() uint64 { return 1 }})
	var m Message
	if n := testing.AllocsPerRun(100, func() {
		d.Start(0, 0)
		d.Next(&m)
		d.Solicited(wire.Addr{}, mac, &m.Body)
		d.Timeout(d.Deadline())
		d.Stop()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
