package neigh

import (
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// acdRig is an ACD of self4 in virtual time.
type acdRig struct {
	*ACD
	t   *testing.T
	now clock.Instant
	// What was sent, and when.
	sent []wire.ARP
	at   []time.Duration
}

func newACDRig(t *testing.T, defence Defence, rand func() uint64) *acdRig {
	return &acdRig{ACD: NewACD(ACDConfig{Address: self4, MAC: own, Defence: defence, Rand: rand}), t: t}
}

func (r *acdRig) drain() {
	var m wire.ARP
	for r.Next(&m) {
		r.sent = append(r.sent, m)
		r.at = append(r.at, time.Duration(r.now))
	}
}

func (r *acdRig) advance(d time.Duration) {
	end := r.now.Add(d)
	for n := 0; r.Deadline() <= end; n++ {
		if n > 100 {
			r.t.Fatal("it wants to be called for ever")
		}
		r.now = r.Deadline()
		r.Timeout(r.now)
		r.drain()
	}
	r.now = end
}

func (r *acdRig) hear(op uint16, mac wire.MAC, sender, target wire.Addr) bool {
	conflict := r.Heard(r.now, &wire.ARP{Op: op, SenderMAC: mac, SenderIP: sender, TargetIP: target}, func(m wire.MAC) bool { return m == own })
	r.drain()
	return conflict
}

func constant(n uint64) func() uint64 { return func() uint64 { return n } }

// RFC 5227, 2.1.1, 2.3: from the beginning to the last announcement, with the least and the most of every random time.
func TestACDTimes(t *testing.T) {
	for name, tt := range map[string]struct {
		rand uint64
		at   []time.Duration // in order: three probes, two announcements
	}{
		"least": {0, []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second, 6 * time.Second}},
		"most":  {uint64(time.Second), []time.Duration{time.Second, 3 * time.Second, 5 * time.Second, 7 * time.Second, 9 * time.Second}},
	} {
		r := newACDRig(t, DefendOnce, constant(tt.rand))
		r.Start(0, 0)
		r.advance(time.Hour)
		if len(r.sent) != len(tt.at) || r.State() != ACDBound || r.Deadline() != clock.Never {
			t.Fatalf("%s: %d sent, %v", name, len(r.sent), r.State())
		}
		for i, m := range r.sent {
			// "The client MUST fill in the 'sender hardware address' field … with the hardware address of the interface". "The
			// 'sender IP address' field MUST be set to all zeroes". "An ARP Announcement is identical to the ARP Probe …, except
			// that now the sender and target IP addresses are both set to the host's newly selected IPv4 address."
			want := wire.ARP{Op: wire.ARPRequest, SenderMAC: own, SenderIP: wire.Unspecified4, TargetIP: self4}
			if i >= ProbeNum {
				want.SenderIP = self4
			}
			if m != want || r.at[i] != tt.at[i] {
				t.Errorf("%s: %d: %+v at %v, want %+v at %v", name, i, m, r.at[i], want, tt.at[i])
			}
		}
	}
}

// The random times spread over all of their ranges.
func TestACDRandom(t *testing.T) {
	var first, gap []time.Duration
	seed := uint64(1)
	for range 500 {
		r := newACDRig(t, DefendOnce, func() uint64 { seed = seed*6364136223846793005 + 1442695040888963407; return seed >> 8 })
		r.Start(0, 0)
		r.advance(time.Hour)
		first, gap = append(first, r.at[0]), append(gap, r.at[1]-r.at[0], r.at[2]-r.at[1])
	}
	for _, s := range []struct {
		name     string
		d        []time.Duration
		from, to time.Duration
	}{{"PROBE_WAIT", first, 0, ProbeWait}, {"PROBE_MIN to PROBE_MAX", gap, ProbeMin, ProbeMax}} {
		var quarters [4]int
		for _, d := range s.d {
			if d < s.from || d > s.to {
				t.Fatalf("%s: %v", s.name, d)
			}
			quarters[min(3, int(4*(d-s.from)/(s.to-s.from)))]++
		}
		for _, n := range quarters {
			if n < len(s.d)/8 {
				t.Errorf("%s: not uniform: %v of %d", s.name, quarters, len(s.d))
			}
		}
	}
}

// RFC 5227, 2.1.1: what makes a probed address a duplicate: "from the beginning of the probing process until ANNOUNCE_WAIT
// seconds after the last probe packet is sent".
func TestACDProbed(t *testing.T) {
	for name, tt := range map[string]struct {
		op             uint16
		mac            wire.MAC
		sender, target wire.Addr
		conflict       bool
	}{
		"a reply from the address":          {wire.ARPReply, macA, self4, peer4, true},
		"a request from the address":        {wire.ARPRequest, macA, self4, peer4, true},
		"an announcement of the address":    {wire.ARPRequest, macA, self4, self4, true},
		"a probe for the address":           {wire.ARPRequest, macA, wire.Unspecified4, self4, true},
		"our own probe, come back":          {wire.ARPRequest, own, wire.Unspecified4, self4, false},
		"our own announcement, come back":   {wire.ARPRequest, own, self4, self4, false},
		"a request for the address":         {wire.ARPRequest, macA, peer4, self4, false},
		"a reply to the unspecified one":    {wire.ARPReply, macA, peer4, wire.Unspecified4, false},
		"a probe for another":               {wire.ARPRequest, macA, wire.Unspecified4, peer4, false},
		"a reply of 0.0.0.0 to the address": {wire.ARPReply, macA, wire.Unspecified4, self4, false},
	} {
		for _, when := range []time.Duration{0, 1500 * time.Millisecond, 3999 * time.Millisecond} {
			r := newACDRig(t, DefendOnce, constant(0))
			r.Start(0, 0)
			r.advance(when)
			sent := len(r.sent)
			if got := r.hear(tt.op, tt.mac, tt.sender, tt.target); got != tt.conflict {
				t.Errorf("%s after %v: conflict %v", name, when, got)
			}
			r.advance(time.Minute)
			switch {
			case tt.conflict && (r.State() != ACDConflict || r.Conflict() != macA || len(r.sent) != sent):
				t.Errorf("%s after %v: %v, conflict with %v, %d sent since", name, when, r.State(), r.Conflict(), len(r.sent)-sent)
			case !tt.conflict && r.State() != ACDBound:
				t.Errorf("%s after %v: %v", name, when, r.State())
			}
		}
	}
}

// RFC 5227, 2.4: the three ways to respond to conflicts, by when they come.
func TestACDDefence(t *testing.T) {
	for name, tt := range map[string]struct {
		defence   Defence
		conflicts []time.Duration // after the first
		state     ACDState
		announced int
	}{
		"(a) at once":                  {DefendNever, nil, ACDConflict, 0},
		"(b) the first":                {DefendOnce, nil, ACDBound, 1},
		"(b) the second too soon":      {DefendOnce, []time.Duration{DefendInterval - 1}, ACDConflict, 1},
		"(b) the second late enough":   {DefendOnce, []time.Duration{DefendInterval}, ACDBound, 2},
		"(b) each late enough":         {DefendOnce, []time.Duration{DefendInterval, 2 * DefendInterval, 3 * DefendInterval}, ACDBound, 4},
		"(c) the second too soon":      {DefendAlways, []time.Duration{DefendInterval - 1}, ACDBound, 1},
		"(c) a flood of ten seconds":   {DefendAlways, []time.Duration{1, 2, 3, time.Second, 9 * time.Second, DefendInterval}, ACDBound, 2},
		"(c) again after the interval": {DefendAlways, []time.Duration{DefendInterval, 2 * DefendInterval}, ACDBound, 3},
	} {
		r := newACDRig(t, tt.defence, constant(0))
		r.Start(0, 0)
		r.advance(time.Minute)
		r.sent, r.at = nil, nil
		began := r.now
		if !r.hear(wire.ARPReply, macA, self4, peer4) {
			t.Errorf("%s: no conflict", name)
		}
		for _, c := range tt.conflicts {
			r.advance(time.Duration(began.Add(c) - r.now))
			r.hear(wire.ARPRequest, macA, self4, peer4)
		}
		r.advance(time.Minute)
		if r.State() != tt.state || len(r.sent) != tt.announced || r.Defended() != tt.announced || r.Conflict() != macA {
			t.Errorf("%s: %v, %d announced, conflict with %v", name, r.State(), len(r.sent), r.Conflict())
		}
		for _, m := range r.sent {
			// "giving its own IP and hardware addresses as the sender addresses of the ARP, with the 'target IP address' set to
			// its own IP address, and the 'target hardware address' set to all zeroes."
			if (m != wire.ARP{Op: wire.ARPRequest, SenderMAC: own, SenderIP: self4, TargetIP: self4}) {
				t.Errorf("%s: %+v", name, m)
			}
		}
	}
}

// What is no conflict with an address in use: "the 'sender IP address' is (one of) the host's own IP address(es) …, but the
// 'sender hardware address' does not match any of the host's own interface addresses".
func TestACDNoConflict(t *testing.T) {
	r := newACDRig(t, DefendNever, constant(0))
	r.Start(0, 0)
	r.advance(time.Minute)
	if r.hear(wire.ARPRequest, own, self4, self4) || r.hear(wire.ARPRequest, macA, wire.Unspecified4, self4) ||
		r.hear(wire.ARPRequest, macA, peer4, self4) || r.hear(wire.ARPReply, macA, peer4, self4) || r.State() != ACDBound {
		t.Errorf("%v", r.State())
	}
}

// An address that is held back, stopped, begun anew, bound without probes.
func TestACDLife(t *testing.T) {
	r := newACDRig(t, DefendOnce, constant(0))
	r.Start(0, RateLimitInterval)
	r.advance(RateLimitInterval - 1)
	if len(r.sent) != 0 || r.hear(wire.ARPReply, macA, self4, peer4) {
		t.Error("probed too early")
	}
	r.advance(1)
	if len(r.sent) != 1 {
		t.Error("not probed")
	}
	r.Stop()
	r.advance(time.Minute)
	if len(r.sent) != 1 || r.State() != ACDIdle || r.hear(wire.ARPReply, macA, self4, peer4) {
		t.Errorf("stopped: %v, %d sent", r.State(), len(r.sent))
	}
	r.SetMAC(macB)
	r.Start(r.now, 0)
	r.advance(time.Minute)
	if r.State() != ACDBound || len(r.sent) != 6 || r.sent[5].SenderMAC != macB {
		t.Errorf("begun anew: %v, %d sent", r.State(), len(r.sent))
	}
	r.sent = nil
	r.Bind(r.now)
	r.advance(time.Minute)
	if r.State() != ACDBound || len(r.sent) != AnnounceNum || r.sent[0].SenderIP != self4 {
		t.Errorf("bound: %v, %d sent", r.State(), len(r.sent))
	}
}

// RFC 3927, 2.1: "uniform distribution in the range from 169.254.1.0 to 169.254.254.255 inclusive"; "a host will usually
// select the same IPv4 Link-Local address each time it is booted"; "different hosts do not generate the same sequence".
func TestLinkLocal4(t *testing.T) {
	a, b, c := NewLinkLocal4(macA), NewLinkLocal4(macA), NewLinkLocal4(macB)
	var thirds [254]int
	same := 0
	for range 100_000 {
		x, _ := a.Next()
		y, _ := b.Next()
		z, _ := c.Next()
		if x != y {
			t.Fatalf("%v, then %v", x, y)
		}
		if x == z {
			same++
		}
		v := x.V4()
		if v>>16 != 169<<8|254 || v>>8&0xff == 0 || v>>8&0xff == 255 {
			t.Fatalf("%v", x)
		}
		thirds[v>>8&0xff-1]++
	}
	for i, n := range thirds {
		if n < 250 || n > 550 {
			t.Errorf("169.254.%d.0/24 was chosen %d times of 394 expected", i+1, n)
		}
	}
	if same > 10 {
		t.Errorf("two hosts chose the same %d times of 100000", same)
	}
}

// RFC 3927, 2.2.1: after MAX_CONFLICTS "no more than one new address per RATE_LIMIT_INTERVAL".
func TestLinkLocal4RateLimit(t *testing.T) {
	l := NewLinkLocal4(macA)
	now := clock.Instant(0)
	for i := range 20 {
		_, hold := l.Next()
		if want := i >= MaxConflicts; (hold == RateLimitInterval) != want {
			t.Errorf("after %d conflicts, held %v", i, hold)
		}
		now = now.Add(hold + time.Second)
		l.Conflicted(now)
	}
	// A conflict long after is the first of its kind.
	now = now.Add(forgiven + 1)
	l.Conflicted(now)
	if _, hold := l.Next(); hold != 0 || l.Conflicts() != 1 {
		t.Errorf("held %v after %d conflicts", hold, l.Conflicts())
	}
}

// A thousand hosts that are switched on at once claim a thousand addresses, in seconds: RFC 3927, 2.1. Each hears the others as
// on one link. Whoever has an address, nobody else gets it.
func TestThousandLinkLocalHosts(t *testing.T) {
	const hosts = 1000
	type host struct {
		mac  wire.MAC
		next *LinkLocal4
		acd  *ACD
		lost int
	}
	var all []*host
	seed := uint64(7)
	rand := func() uint64 { seed = seed*6364136223846793005 + 1442695040888963407; return seed >> 8 }
	now := clock.Instant(0)
	claim := func(h *host) {
		a, hold := h.next.Next()
		h.acd = NewACD(ACDConfig{Address: a, MAC: h.mac, Rand: rand})
		h.acd.Start(now, hold)
	}
	for i := range hosts {
		mac := wire.MAC{2, 0, 0, 0, byte(i >> 8), byte(i)}
		h := &host{mac: mac, next: NewLinkLocal4(mac)}
		claim(h)
		all = append(all, h)
	}
	conflicts := 0
	for {
		next := clock.Never
		for _, h := range all {
			next = min(next, h.acd.Deadline())
		}
		if next == clock.Never {
			break
		}
		now = next
		for _, h := range all {
			h.acd.Timeout(now)
			var m wire.ARP
			for h.acd.Next(&m) {
				for _, o := range all {
					if o == h || !o.acd.Heard(now, &m, func(mac wire.MAC) bool { return mac == o.mac }) {
						continue
					}
					if o.acd.State() == ACDConflict {
						o.lost++
						conflicts++
						o.next.Conflicted(now)
						claim(o)
					}
				}
				// Who has the address answers the probe, and the prober hears that.
				for _, o := range all {
					if o != h && o.acd.State() == ACDBound && o.acd.Address() == m.TargetIP {
						reply := wire.ARP{Op: wire.ARPReply, SenderMAC: o.mac, SenderIP: m.TargetIP, TargetMAC: h.mac}
						if h.acd.Heard(now, &reply, func(mac wire.MAC) bool { return mac == h.mac }) && h.acd.State() == ACDConflict {
							h.lost++
							conflicts++
							h.next.Conflicted(now)
							claim(h)
						}
					}
				}
			}
		}
	}
	has := map[wire.Addr]wire.MAC{}
	for _, h := range all {
		if other, taken := has[h.acd.Address()]; taken || h.acd.State() != ACDBound {
			t.Errorf("%v: %v is %v, and %v has it", h.mac, h.acd.Address(), h.acd.State(), other)
		}
		has[h.acd.Address()] = h.mac
	}
	// 1000²/2 pairs over 65024 addresses: nearly eight conflicts, of two hosts each where both were probing.
	if conflicts == 0 || now > clock.Instant(time.Minute) {
		t.Errorf("%d conflicts, the last claim after %v", conflicts, time.Duration(now))
	}
	t.Logf("%d conflicts, all claimed after %v", conflicts, time.Duration(now))
}
