package nd

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// routerRig is a Router in virtual time, and what it sent.
type routerRig struct {
	testing.TB
	*Router
	now  clock.Instant
	rand uint64
	at   []clock.Instant
	sent []RouterMessage
}

var routerLL = addr6("fe80::a")

func newRouterRig(t testing.TB) *routerRig {
	r := &routerRig{TB: t, now: clock.Instant(time.Second), rand: 1}
	r.Router = NewRouter(RouterConfig{Rand: func() uint64 {
		r.rand = r.rand*6364136223846793005 + 1442695040888963407
		return r.rand ^ r.rand>>29
	}})
	r.SetLink(hostMAC, 1500)
	return r
}

// complete returns a complete, or ends the test.
func complete(t testing.TB, a Advertising) *Advertising {
	t.Helper()
	full, err := a.Complete()
	if err != nil {
		t.Fatal(err)
	}
	return &full
}

func (r *routerRig) advertise(a *Advertising) *routerRig {
	r.Advertise(r.now, r.now, a, routerLL)
	r.drain()
	return r
}

// drain takes what is to be sent, as the wire has it.
func (r *routerRig) drain() {
	r.Helper()
	var m RouterMessage
	for r.Next(&m) {
		b := make([]byte, m.Body.Len())
		m.Body.Put(b)
		parsed, err := wire.ParseRouterAdvertisement(b)
		if err != nil || parsed.Validate(m.Src, m.Dst, 255) != nil {
			r.Fatalf("an advertisement that is not valid: %v", err)
		}
		if len(b)+wire.IPv6Len > r.cfg.MTU {
			r.Errorf("an advertisement of %d octets, the MTU is %d", len(b)+wire.IPv6Len, r.cfg.MTU)
		}
		m.Body = parsed
		r.at, r.sent = append(r.at, r.now), append(r.sent, m)
	}
}

// pass lets time pass, deadline by deadline.
func (r *routerRig) pass(d time.Duration) *routerRig {
	r.Helper()
	end := r.now.Add(d)
	for n := 0; r.Deadline() <= end; n++ {
		if n > 100_000 {
			r.Fatal("it does not come to rest")
		}
		r.now = max(r.now, r.Deadline())
		r.Timeout(r.now)
		r.drain()
	}
	r.now = end
	return r
}

// take returns what was sent since the last call.
func (r *routerRig) take() []RouterMessage {
	s := r.sent
	r.sent, r.at = nil, nil
	return s
}

// gaps returns the times between what was sent.
func (r *routerRig) gaps() (all []time.Duration) {
	for i := 1; i < len(r.at); i++ {
		all = append(all, r.at[i].Sub(r.at[i-1]))
	}
	return all
}

// RFC 4861, 6.2.1: the defaults.
func TestAdvertisingDefaults(t *testing.T) {
	a := complete(t, Advertising{Prefixes: []AdvPrefix{{Prefix: netip.MustParsePrefix("2001:db8::5/64")}}})
	p := a.Prefixes[0]
	if a.MaxInterval != 600*time.Second || a.MinInterval != 198*time.Second || a.DefaultLifetime != 1800*time.Second ||
		a.HopLimit != 64 || a.ReachableTime != 0 || a.RetransTimer != 0 || a.LinkMTU != 0 || a.Managed || a.Other ||
		a.DNSLifetime != 1800*time.Second {
		t.Errorf("%+v", a)
	}
	if p.Prefix.String() != "2001:db8::/64" || p.Valid != 2592000*time.Second || p.Preferred != 604800*time.Second || p.NotOnLink || p.NoAutonomous || p.Decrement {
		t.Errorf("%+v", p)
	}
	if a := complete(t, Advertising{MaxInterval: 4 * time.Second}); a.MinInterval != 3*time.Second {
		t.Errorf("MinInterval %v", a.MinInterval)
	}
	if a := complete(t, Advertising{DefaultLifetime: -1, HopLimit: -1}); a.DefaultLifetime != 0 || a.HopLimit != 0 {
		t.Errorf("negative is not zero: %+v", a)
	}
}

// RFC 4861, 6.2.1, RFC 4191 and RFC 8106: the bounds.
func TestAdvertisingBounds(t *testing.T) {
	s := time.Second
	prefix := func(p AdvPrefix) Advertising { return Advertising{Prefixes: []AdvPrefix{p}} }
	p64 := netip.MustParsePrefix("2001:db8::/64")
	for name, a := range map[string]Advertising{
		// "MUST be no less than 4 seconds and no greater than 1800 seconds."
		"MaxInterval":  {MaxInterval: 4*s - 1},
		"MaxInterval ": {MaxInterval: 1801 * s},
		// "MUST be no less than 3 seconds and no greater than .75 * MaxRtrAdvInterval."
		"MinInterval":  {MinInterval: 3*s - 1},
		"MinInterval ": {MaxInterval: 100 * s, MinInterval: 76 * s},
		// "MUST be either zero or between MaxRtrAdvInterval and 9000 seconds."
		"DefaultLifetime":  {DefaultLifetime: 599 * s},
		"DefaultLifetime ": {DefaultLifetime: 9001 * s},
		// "MUST be no greater than 3,600,000 milliseconds (1 hour)."
		"ReachableTime":  {ReachableTime: time.Hour + 1},
		"RetransTimer":   {RetransTimer: 1 << 32 * time.Millisecond},
		"HopLimit":       {HopLimit: 256},
		"LinkMTU":        {LinkMTU: 1279},
		"Preference":     {Preference: 2},
		"Preferred":      prefix(AdvPrefix{Prefix: p64, Valid: 10 * s, Preferred: 11 * s}),
		"Valid":          prefix(AdvPrefix{Prefix: p64, Valid: 1 << 32 * s}),
		"Prefix":         prefix(AdvPrefix{Prefix: netip.MustParsePrefix("fe80::/64")}),
		"Prefix ":        prefix(AdvPrefix{Prefix: netip.MustParsePrefix("10.0.0.0/8")}),
		"Prefix  ":       {Prefixes: []AdvPrefix{{Prefix: p64}, {Prefix: netip.MustParsePrefix("2001:db8::1/64")}}},
		"Routes":         {Routes: make([]AdvRoute, 18)},
		"once":           {Routes: []AdvRoute{{Prefix: p64}, {Prefix: p64}}},
		"DNSLifetime":    {DNSLifetime: 1 << 32 * s},
		"name server":    {Servers: []wire.Addr{wire.AllNodes6}},
		"search domain":  {Domains: []string{"a..b"}},
		"search domain ": {Domains: []string{strings.Repeat("a", 64)}},
	} {
		if _, err := a.Complete(); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// RFC 4861, 6.2.2: AdvSendAdvertisements "MUST be FALSE by default"; "A router MUST NOT send Router Advertisements out any
// interface that is not an advertising interface."
func TestRouterSilentByDefault(t *testing.T) {
	r := newRouterRig(t)
	r.Solicited(r.now, r1, true)
	if r.pass(24 * time.Hour); len(r.sent) != 0 || r.Final(r.now) != nil {
		t.Errorf("it sent %v", r.sent)
	}
}

// RFC 4861, 6.2.4: the intervals, and the initial ones.
func TestUnsolicitedIntervals(t *testing.T) {
	r := newRouterRig(t).advertise(complete(t, Advertising{}))
	r.pass(10 * 24 * time.Hour)
	gaps := r.gaps()
	if len(r.at) == 0 || r.at[0] != clock.Instant(time.Second) || gaps[0] != 16*time.Second || gaps[1] != 16*time.Second {
		t.Fatalf("the first came at %v, the next after %v", r.at[0], gaps[:2])
	}
	least, most := Infinite, time.Duration(0)
	for _, g := range gaps[2:] {
		least, most = min(least, g), max(most, g)
	}
	if least < 198*time.Second || most > 600*time.Second || most-least < 380*time.Second {
		t.Errorf("intervals from %v to %v, want them spread from 198 s to 600 s", least, most)
	}
	for _, m := range r.sent {
		if m.Src != routerLL || m.Dst != wire.AllNodes6 {
			t.Fatalf("from %v to %v", m.Src, m.Dst)
		}
	}
}

// RFC 4861, 6.2.3: what is in an advertisement.
func TestAdvertisementContent(t *testing.T) {
	r := newRouterRig(t).advertise(complete(t, Advertising{Managed: true, Other: true, HopLimit: 32, Preference: wire.PreferenceHigh,
		ReachableTime: 30 * time.Second, RetransTimer: 2 * time.Second, LinkMTU: 1400, DefaultLifetime: 700 * time.Second,
		Prefixes: []AdvPrefix{{Prefix: netip.MustParsePrefix("2001:db8:1::/64")},
			{Prefix: netip.MustParsePrefix("2001:db8:2::/48"), Valid: Infinite, Preferred: -1, NotOnLink: true, NoAutonomous: true}},
		Routes:  []AdvRoute{{netip.MustParsePrefix("2001:db8:ff::/48"), wire.PreferenceLow, 0}},
		Servers: []wire.Addr{addr6("2001:db8::53")}, Domains: []string{"example.com.", "lab.example"}}))
	m := r.sent[0].Body
	if !m.Managed || !m.OtherConfig || m.CurHopLimit != 32 || m.Preference != wire.PreferenceHigh || m.ReachableTime != 30000 ||
		m.RetransTimer != 2000 || m.MTU != 1400 || m.RouterLifetime != 700 || m.SourceLink != hostMAC {
		t.Errorf("%+v", m)
	}
	if want := []wire.PrefixInformation{{Prefix: addr6("2001:db8:1::"), PrefixLen: 64, OnLink: true, Autonomous: true, Valid: 2592000, Preferred: 604800},
		{Prefix: addr6("2001:db8:2::"), PrefixLen: 48, Valid: wire.InfiniteLifetime}}; !slices.Equal(m.Prefixes, want) {
		t.Errorf("prefixes %+v", m.Prefixes)
	}
	if want := []wire.RouteInformation{{Prefix: addr6("2001:db8:ff::"), PrefixLen: 48, Preference: wire.PreferenceLow, Lifetime: 1800}}; !slices.Equal(m.Routes, want) {
		t.Errorf("routes %+v", m.Routes)
	}
	if len(m.DNSServers) != 1 || m.DNSServers[0].Lifetime != 1800 || m.DNSServers[0].Servers[0] != addr6("2001:db8::53") ||
		len(m.DNSSearch) != 2 || m.DNSSearch[0].Domains[0] != "example.com" || m.DNSSearch[1].Lifetime != 1800 {
		t.Errorf("DNS %+v %+v", m.DNSServers, m.DNSSearch)
	}
	// "This option MAY be omitted".
	r = newRouterRig(t).advertise(complete(t, Advertising{NoSourceLink: true}))
	if r.sent[0].Body.SourceLink != (wire.MAC{}) {
		t.Error("the Source Link-Layer Address option is there")
	}
}

// RFC 4861, 6.2.1: "a time that decrements in real time, that is, one that will result in a Lifetime of zero at the specified
// time in the future".
func TestDecrementingLifetimes(t *testing.T) {
	r := newRouterRig(t).advertise(complete(t, Advertising{MaxInterval: 4 * time.Second, Prefixes: []AdvPrefix{
		{Prefix: netip.MustParsePrefix("2001:db8:1::/64"), Valid: 100 * time.Second, Preferred: 50 * time.Second, Decrement: true},
		{Prefix: netip.MustParsePrefix("2001:db8:2::/64"), Valid: 100 * time.Second, Preferred: 50 * time.Second}}}))
	r.pass(200 * time.Second)
	for i, m := range r.sent {
		gone := r.at[i].Sub(clock.Instant(time.Second))
		p := m.Body.Prefixes[0]
		if int64(p.Valid) != max(0, int64((100*time.Second-gone)/time.Second)) || int64(p.Preferred) != max(0, int64((50*time.Second-gone)/time.Second)) {
			t.Errorf("after %v: %+v", gone, p)
		}
		if p := m.Body.Prefixes[1]; p.Valid != 100 || p.Preferred != 50 {
			t.Errorf("the fixed one after %v: %+v", gone, p)
		}
	}
}

// RFC 4861, 6.2.3: "If including all options causes the size of an advertisement to exceed the link MTU, multiple
// advertisements can be sent, each containing a subset of the options."
func TestAdvertisementsAreSplit(t *testing.T) {
	a := Advertising{}
	for i := range 100 {
		a.Prefixes = append(a.Prefixes, AdvPrefix{Prefix: netip.PrefixFrom(wire.Addr{Hi: 0x20010db8<<32 | uint64(i)}.Netip(), 64)})
		a.Servers = append(a.Servers, wire.Addr{Hi: 0x20010db8 << 32, Lo: uint64(i + 1)})
		a.Domains = append(a.Domains, strings.Repeat("a", i%60+1)+".example")
	}
	r := newRouterRig(t)
	r.SetLink(hostMAC, 1280)
	r.advertise(complete(t, a)) // drain looks at the lengths
	var prefixes, servers, domains int
	for _, m := range r.sent {
		prefixes += len(m.Body.Prefixes)
		for _, s := range m.Body.DNSServers {
			servers += len(s.Servers)
		}
		domains += len(m.Body.DNSSearch)
		if m.Body.RouterLifetime != 1800 || m.Body.SourceLink != hostMAC {
			t.Errorf("a part without its header: %+v", m.Body)
		}
	}
	if len(r.sent) < 2 || prefixes != 100 || servers != 100 || domains != 100 {
		t.Errorf("%d advertisements with %d prefixes, %d servers, %d domains", len(r.sent), prefixes, servers, domains)
	}
}
