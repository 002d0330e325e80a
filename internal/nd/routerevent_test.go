package nd

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/wire"
)

// RFC 4861, 6.2.6: "Router Advertisements sent in response to a Router Solicitation MUST be delayed by a random time between 0
// and MAX_RA_DELAY_TIME seconds."
func TestSolicitedDelay(t *testing.T) {
	r := newRouterRig(t).advertise(complete(t, Advertising{}))
	r.pass(40 * time.Second)
	var least, most time.Duration = Infinite, 0
	for range 200 {
		r.pass(10 * time.Second)
		r.take()
		asked := r.now
		r.Solicited(r.now, r1, true)
		r.pass(time.Second)
		if len(r.sent) != 1 || r.sent[0].Dst != wire.AllNodes6 {
			t.Fatalf("answers: %v", r.sent)
		}
		d := r.at[0].Sub(asked)
		least, most = min(least, d), max(most, d)
	}
	if most > 500*time.Millisecond || most < 400*time.Millisecond || least > 100*time.Millisecond {
		t.Errorf("delays from %v to %v", least, most)
	}
}

// "In addition, consecutive Router Advertisements sent to the all-nodes multicast address MUST be rate limited to no more than
// one advertisement every MIN_DELAY_BETWEEN_RAS seconds."
func TestSolicitedRateLimit(t *testing.T) {
	r := newRouterRig(t).advertise(complete(t, Advertising{}))
	for range 1000 {
		r.Solicited(r.now, r1, true)
		r.pass(100 * time.Millisecond)
	}
	for _, g := range r.gaps() {
		if g < 3*time.Second || g > 3500*time.Millisecond {
			t.Fatalf("%v between advertisements", g)
		}
	}
	if n := len(r.sent); n < 28 || n > 34 {
		t.Errorf("%d advertisements in 100 s", n)
	}
	// "the interface's interval timer is reset to a new random value, as if an unsolicited advertisement had just been sent".
	last := r.at[len(r.at)-1]
	r.pass(3500 * time.Millisecond) // the one that is still owed
	r.take()
	r.pass(600 * time.Second)
	if d := r.at[0].Sub(last); d < 198*time.Second {
		t.Errorf("the next unsolicited one came after %v", d)
	}
}

// "A router MAY choose to unicast the response directly to the soliciting host's address (if the solicitation's source address
// is not the unspecified address)".
func TestSolicitedUnicast(t *testing.T) {
	r := newRouterRig(t).advertise(complete(t, Advertising{Unicast: true}))
	r.pass(40 * time.Second)
	r.take()
	r.Solicited(r.now, r1, true)
	r.Solicited(r.now, r1, true)
	r.Solicited(r.now, r2, false) // whose link-layer address is not known
	r.Solicited(r.now, wire.Addr{}, false)
	r.pass(time.Second)
	var unicast, multicast int
	for _, m := range r.sent {
		switch m.Dst {
		case r1:
			unicast++
		case wire.AllNodes6:
			multicast++
		}
	}
	if unicast != 1 || multicast != 1 || len(r.sent) != 2 {
		t.Errorf("%d to the host, %d to all", unicast, multicast)
	}
	// A crowd is answered at once.
	r.pass(10 * time.Second)
	r.take()
	for i := range 1000 {
		r.Solicited(r.now, wire.Addr{Hi: 0xfe80 << 48, Lo: uint64(i + 1)}, true)
	}
	r.pass(time.Second)
	if n := len(r.sent); n != maxUnicast+1 {
		t.Errorf("%d answers to a crowd", n)
	}
}

// RFC 4861, 6.2.5: "the router SHOULD transmit one or more (but not more than MAX_FINAL_RTR_ADVERTISEMENTS) final multicast
// Router Advertisements on the interface with a Router Lifetime field of zero." RFC 4191, 4: "and sending Router
// Advertisements with a Router Lifetime of zero, the Router Advertisement SHOULD also set the Route Lifetime to zero".
func TestCeasing(t *testing.T) {
	adv := complete(t, Advertising{Preference: wire.PreferenceHigh, Prefixes: []AdvPrefix{{Prefix: netip.MustParsePrefix("2001:db8::/64")}},
		Routes: []AdvRoute{{Prefix: netip.MustParsePrefix("2001:db8:1::/48")}}})
	r := newRouterRig(t).advertise(adv)
	r.pass(time.Minute)
	r.take()
	r.Advertise(r.now, r.now, nil, routerLL)
	r.drain()
	r.Solicited(r.now, r1, true)
	r.pass(time.Hour)
	if len(r.sent) != maxFinalAdvertisements {
		t.Fatalf("%d final advertisements", len(r.sent))
	}
	for _, m := range r.sent {
		if b := m.Body; b.RouterLifetime != 0 || b.Preference != 0 || b.Routes[0].Lifetime != 0 || b.Prefixes[0].Valid != 2592000 || m.Src != routerLL {
			t.Errorf("%+v", m)
		}
	}
	for _, g := range r.gaps() {
		if g < minDelayBetweenRAs {
			t.Errorf("%v between them", g)
		}
	}
	// One that is taken up again between two of them is not denied any more.
	r.take()
	r.advertise(adv)
	r.pass(time.Minute)
	r.Advertise(r.now, r.now, nil, routerLL)
	r.drain()
	r.take()
	r.advertise(adv)
	r.pass(time.Minute)
	for _, m := range r.sent {
		if m.Body.RouterLifetime == 0 {
			t.Error("a final advertisement after it was taken up again")
		}
	}
	// One that nobody has heard of says nothing.
	r = newRouterRig(t)
	r.Advertise(r.now, r.now, adv, routerLL)
	r.Stop()
	r.Advertise(r.now, r.now, nil, routerLL)
	r.drain()
	if len(r.sent) != 0 || r.Final(r.now) != nil {
		t.Error("it speaks on a link that is gone")
	}
}

// The interface goes away at once.
func TestFinal(t *testing.T) {
	r := newRouterRig(t).advertise(complete(t, Advertising{}))
	if all := r.Final(r.now); len(all) != 1 || all[0].Body.RouterLifetime != 0 || all[0].Src != routerLL || all[0].Dst != wire.AllNodes6 {
		t.Errorf("%+v", all)
	}
}

// RFC 4861, 6.2.8: "The router SHOULD multicast a few Router Advertisements from the old link-local address with the Router
// Lifetime field set to zero and also multicast a few Router Advertisements from the new link-local address."
func TestLinkLocalChange(t *testing.T) {
	adv := complete(t, Advertising{})
	r := newRouterRig(t).advertise(adv)
	r.pass(time.Minute)
	r.take()
	renamed := addr6("fe80::b")
	r.Advertise(r.now, r.now, adv, renamed)
	r.drain()
	r.pass(40 * time.Second)
	var old, present int
	for _, m := range r.sent {
		switch {
		case m.Src == routerLL && m.Body.RouterLifetime == 0:
			old++
		case m.Src == renamed && m.Body.RouterLifetime == 1800:
			present++
		default:
			t.Errorf("from %v with lifetime %d", m.Src, m.Body.RouterLifetime)
		}
	}
	if old != maxFinalAdvertisements || present != maxInitialAdvertisements {
		t.Errorf("%d from the old address, %d from the new one", old, present)
	}
}

// RFC 4861, 6.2.4: when system management changes what is advertised, "the router MAY transmit up to
// MAX_INITIAL_RTR_ADVERTISEMENTS unsolicited advertisements, using the same rules as when an interface becomes an advertising
// interface."
func TestChangedAdvertisement(t *testing.T) {
	r := newRouterRig(t).advertise(complete(t, Advertising{}))
	r.pass(time.Minute)
	r.take()
	r.advertise(complete(t, Advertising{Managed: true}))
	r.pass(40 * time.Second)
	if len(r.sent) != maxInitialAdvertisements || !r.sent[0].Body.Managed {
		t.Errorf("%+v", r.sent)
	}
	// And not more often than MIN_DELAY_BETWEEN_RAS allows, however often it changes.
	for i := range 100 {
		r.advertise(complete(t, Advertising{Managed: i%2 == 0}))
		r.pass(100 * time.Millisecond)
	}
	for _, g := range r.gaps() {
		if g < minDelayBetweenRAs {
			t.Fatalf("%v between advertisements", g)
		}
	}
}

// RFC 4861, 6.2.7: "The minimum set of information to check".
func TestConsistency(t *testing.T) {
	prefix := netip.MustParsePrefix("2001:db8::/64")
	ours := Advertising{HopLimit: 64, ReachableTime: time.Second, RetransTimer: time.Second, LinkMTU: 1500,
		Prefixes: []AdvPrefix{{Prefix: prefix, Valid: 100 * time.Second, Preferred: 50 * time.Second}}}
	good := func() wire.RouterAdvertisement {
		return wire.RouterAdvertisement{CurHopLimit: 64, ReachableTime: 1000, RetransTimer: 1000, MTU: 1500,
			Prefixes: []wire.PrefixInformation{{Prefix: addr6("2001:db8::"), PrefixLen: 64, OnLink: true, Valid: 100, Preferred: 50}}}
	}
	check := func(ours Advertising, m wire.RouterAdvertisement) string {
		r := newRouterRig(t).advertise(complete(t, ours))
		r.pass(5 * time.Second)
		return strings.Join(r.Check(r.now, &m), "; ")
	}
	for want, change := range map[string]func(*wire.RouterAdvertisement){
		"":               func(*wire.RouterAdvertisement) {},
		"cur hop limit":  func(m *wire.RouterAdvertisement) { m.CurHopLimit = 32 },
		"M is":           func(m *wire.RouterAdvertisement) { m.Managed = true },
		"O is":           func(m *wire.RouterAdvertisement) { m.OtherConfig = true },
		"reachable time": func(m *wire.RouterAdvertisement) { m.ReachableTime = 1 },
		"retrans timer":  func(m *wire.RouterAdvertisement) { m.RetransTimer = 1 },
		"MTU":            func(m *wire.RouterAdvertisement) { m.MTU = 1280 },
		"valid":          func(m *wire.RouterAdvertisement) { m.Prefixes[0].Valid = 99 },
		"preferred":      func(m *wire.RouterAdvertisement) { m.Prefixes[0].Preferred = 49 },
	} {
		m := good()
		change(&m)
		if got := check(ours, m); got == "" != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	// "except for the unspecified value of zero"; "Note that it is not an error for different routers to advertise different
	// sets of prefixes."
	m := wire.RouterAdvertisement{Prefixes: []wire.PrefixInformation{{Prefix: addr6("2001:db8:5::"), PrefixLen: 64, Valid: 1}}}
	if got := check(ours, m); got != "" {
		t.Errorf("unspecified: %q", got)
	}
	// "must instead compare the time at which the prefix will become deprecated and invalidated … SHOULD allow some time skew."
	ours.Prefixes[0].Decrement = true
	m = good()
	m.Prefixes[0].Valid, m.Prefixes[0].Preferred = 94, 46
	if got := check(ours, m); got != "" {
		t.Errorf("decrementing: %q", got)
	}
	m.Prefixes[0].Valid = 70
	if got := check(ours, m); !strings.Contains(got, "valid") {
		t.Errorf("decrementing, and another end: %q", got)
	}
}
