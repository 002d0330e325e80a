package nd

import (
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

const day = 86400

// RFC 4862, 5.5.3 (a) to (d).
func TestHostForms(t *testing.T) {
	without := func(p wire.PrefixInformation) wire.PrefixInformation {
		p.Autonomous = false
		return p
	}
	for _, c := range []struct {
		name string
		pio  wire.PrefixInformation
		want bool
	}{
		{"an address is formed", pio("2001:db8::/64", 100, 50), true},
		{"for ever", pio("2001:db8::/64", wire.InfiniteLifetime, wire.InfiniteLifetime), true},
		{"deprecated from the start", pio("2001:db8::/64", 100, 0), true},
		{"equal lifetimes", pio("2001:db8::/64", 100, 100), true},
		{"a) If the Autonomous flag is not set, silently ignore the Prefix Information option.", without(pio("2001:db8::/64", 100, 50)), false},
		{"b) If the prefix is the link-local prefix, silently ignore", pio("fe80::/64", 100, 50), false},
		{"b) and the rest of fe80::/10", pio("fe80:0:0:1::/64", 100, 50), false},
		{"c) If the preferred lifetime is greater than the valid lifetime, silently ignore", pio("2001:db8::/64", 100, 101), false},
		{"c) infinite, too", pio("2001:db8::/64", 100, wire.InfiniteLifetime), false},
		{"d) and if the Valid Lifetime is not 0", pio("2001:db8::/64", 0, 0), false},
		{"does not equal 128 bits: 63", pio("2001:db8::/63", 100, 50), false},
		{"does not equal 128 bits: 65", pio("2001:db8::/65", 100, 50), false},
		{"does not equal 128 bits: 128", pio("2001:db8::1/128", 100, 50), false},
		{"does not equal 128 bits: 0", pio("::/0", 100, 50), false},
		{"a group is no prefix", pio("ff02::/64", 100, 50), false},
	} {
		r := up(t)
		r.hear(r1, ra(1800, c.pio))
		a, ok := r.addrs[wire.Addr{Hi: c.pio.Prefix.Hi, Lo: hostMAC.InterfaceID()}]
		if ok = ok && a.Origin == netif.SLAAC; ok != c.want || ok != (len(r.addrs) == 2) {
			t.Errorf("%s: %v", c.name, r.addrs)
		}
		if ok && (a.Bits != 64 || a.Temporary || !a.NoPrefixRoute || a.State == netif.Deprecated != (c.pio.Preferred == 0)) {
			t.Errorf("%s: %+v", c.name, a)
		}
	}
	r := up(t, func(s *netif.IPv6) { s.Autoconf = false })
	r.hear(r1, ra(1800, pio("2001:db8::/64", 100, 50)))
	if len(r.addrs) != 1 || len(r.Prefixes()) != 1 {
		t.Error("not wanted:", r.addrs)
	}
}

// RFC 4862, 5.5.3 (e), the two-hour rule: what the valid lifetime becomes, from what remained and what was advertised.
func TestHostTwoHours(t *testing.T) {
	const h = 3600
	for _, c := range []struct{ remains, advertised, want uint32 }{
		// "1. If the received Valid Lifetime is greater than 2 hours or greater than RemainingLifetime, set the valid
		// lifetime of the corresponding address to the advertised Valid Lifetime."
		{10 * h, 3 * h, 3 * h}, {10 * h, 2*h + 1, 2*h + 1}, {h, 90 * 60, 90 * 60}, {h, h + 1, h + 1}, {60, 3 * h, 3 * h},
		{2 * h, wire.InfiniteLifetime, wire.InfiniteLifetime}, {wire.InfiniteLifetime, 3 * h, 3 * h},
		// "2. If RemainingLifetime is less than or equal to 2 hours, ignore the Prefix Information option with regards to
		// the valid lifetime".
		{2 * h, h, 2 * h}, {2 * h, 2 * h, 2 * h}, {h, 0, h}, {h, 1, h}, {h, h, h}, {1, 0, 1},
		// "3. Otherwise, reset the valid lifetime of the corresponding address to 2 hours."
		{10 * h, 2 * h, 2 * h}, {10 * h, h, 2 * h}, {10 * h, 0, 2 * h}, {2*h + 1, 1, 2 * h}, {wire.InfiniteLifetime, 0, 2 * h},
	} {
		r := up(t)
		r.hear(r1, ra(1800, pio("2001:db8::/64", c.remains, 1)))
		preferred := min(c.advertised, 30)
		r.hear(r1, ra(1800, pio("2001:db8::/64", c.advertised, preferred)))
		want := int(c.want)
		if c.want == wire.InfiniteLifetime {
			want = 1 << 40
		}
		a := eui("2001:db8::")
		if got := r.valid(a); got != want {
			t.Errorf("%+v: valid for %d s", c, got)
		}
		// "Note that the preferred lifetime of the corresponding address is always reset to the Preferred Lifetime in the
		// received Prefix Information option".
		if got := r.preferred(a); got != int(preferred) {
			t.Errorf("%+v: preferred for %d s", c, got)
		}
	}
}

// Renumbering: the old prefix is deprecated and goes, the new one comes; and an address comes back after its time.
func TestHostRenumbering(t *testing.T) {
	r := up(t)
	was, now := eui("2001:db8:1::"), eui("2001:db8:2::")
	r.hear(r1, ra(1800, pio("2001:db8:1::/64", 30*day, 7*day)))
	for range 100 {
		r.pass(5 * time.Minute)
		r.hear(r1, ra(1800, pio("2001:db8:1::/64", 30*day, 7*day)))
	}
	if r.valid(was) != 30*day || r.preferred(was) != 7*day || r.changes[AddAddress] != 2 {
		t.Errorf("steady: %+v, %v", r.addrs, r.changes)
	}
	for range 30 {
		r.hear(r1, ra(1800, pio("2001:db8:1::/64", 0, 0), pio("2001:db8:2::/64", 30*day, 7*day)))
		r.pass(5 * time.Minute)
	}
	if r.valid(was) != -1 || r.valid(now) != 30*day-300 || len(r.addrs) != 2 {
		t.Errorf("150 minutes later: %+v", r.addrs)
	}
	r.hear(r1, ra(1800, pio("2001:db8:1::/64", 100, 100)))
	if r.valid(was) != 100 {
		t.Errorf("again: %+v", r.addrs)
	}
	r.pass(100 * time.Second)
	if r.valid(was) != -1 || len(r.autos) != 1 {
		t.Errorf("expired: %+v", r.addrs)
	}
}

// RFC 7217, 5 and 6.
func TestHostStable(t *testing.T) {
	secret := netif.Secret{1, 2, 3}
	stable := func(s *netif.IPv6) { s.Secret = secret }
	a, b := up(t, stable), up(t, stable)
	for _, r := range []*hostRig{a, b} {
		r.hear(r1, ra(1800, pio("2001:db8:1::/64", day, day), pio("2001:db8:2::/64", day, day)))
	}
	// The same identifiers for the same parameters; different ones for another prefix.
	seen := map[uint64]bool{hostMAC.InterfaceID(): true}
	for addr := range a.addrs {
		if _, same := b.addrs[addr]; !same || seen[addr.Lo] {
			t.Errorf("%v and %v", a.addrs, b.addrs)
		}
		seen[addr.Lo] = true
	}
	other := up(t, func(s *netif.IPv6) { s.Secret = netif.Secret{9} })
	other.hear(r1, ra(1800, pio("2001:db8:1::/64", day, day)))
	for addr := range other.addrs {
		if seen[addr.Lo] {
			t.Errorf("%v with another secret", addr)
		}
	}
	// "DAD_Counter is incremented by 1. A new Interface Identifier is generated with the algorithm specified in Section 5,
	// using the incremented DAD_Counter value." "hosts MUST limit the number of tentative addresses that are tried".
	p := addr6("2001:db8:1::")
	for i := range uint8(IDGenRetries + 1) {
		addr := wire.Addr{Hi: p.Hi, Lo: StableIID(secret, p, "eth0", i)}
		if a.valid(addr) != day {
			t.Fatalf("try %d: %v is not among %v", i, addr, a.addrs)
		}
		a.Duplicate(a.now, addr)
		a.drain()
		if gone := a.valid(addr) == -1; gone != (i < IDGenRetries) {
			t.Errorf("duplicate %d: %v", i, a.addrs)
		}
	}
	// "hosts MUST NOT automatically fall back to employing other algorithms". Nor begin anew with the next advertisement.
	n := a.changes[AddAddress]
	a.hear(r1, ra(1800, pio("2001:db8:1::/64", day, day)))
	if a.changes[AddAddress] != n || a.valid(eui("2001:db8:1::")) != -1 {
		t.Errorf("after the last: %v", a.addrs)
	}
	if StableIID(secret, p, "eth0", 0) == StableIID(secret, p, "eth1", 0) {
		t.Error("Net_Iface does not matter")
	}
	// The prefix is all but the last 64 bits, and nothing is fixed about the identifier.
	if StableIID(secret, p, "eth0", 0) != StableIID(secret, wire.Addr{Hi: p.Hi, Lo: 5}, "eth0", 0) {
		t.Error("the host part of the prefix matters")
	}
}

// An EUI-64 address that is a duplicate has no successor (RFC 4862, 5.4: "manually configured").
func TestHostDuplicateEUI64(t *testing.T) {
	r := up(t)
	r.hear(r1, ra(1800, pio("2001:db8::/64", day, day)))
	a := eui("2001:db8::")
	r.Duplicate(r.now, a)
	r.hear(r1, ra(1800, pio("2001:db8::/64", day, day)))
	if len(r.addrs) != 2 || r.changes[AddAddress] != 2 || r.valid(a) != day {
		t.Error(r.addrs, r.changes)
	}
	// Taken away by hand, it comes back with the next advertisement.
	delete(r.addrs, a)
	r.Removed(a)
	r.hear(r1, ra(1800, pio("2001:db8::/64", day, day)))
	if r.valid(a) != day {
		t.Error(r.addrs)
	}
}

// RFC 5453, 3; RFC 4291, 2.6.1; RFC 2526.
func TestReservedIID(t *testing.T) {
	for iid, want := range map[uint64]bool{
		0: true, 1: false,
		0xfdff_ffff_ffff_ff7f: false, 0xfdff_ffff_ffff_ff80: true, 0xfdff_ffff_ffff_ffff: true, 0xfe00_0000_0000_0000: false,
		0x0200_5eff_fdff_ffff: false, 0x0200_5eff_fe00_0000: true, 0x0200_5eff_fe00_5213: true, 0x0200_5eff_feff_ffff: true, 0x0200_5eff_ff00_0000: false,
	} {
		if ReservedIID(iid) != want {
			t.Errorf("%#x: %v", iid, !want)
		}
	}
	// RFC 8981, 3.3.1: "In the event that an unacceptable identifier has been generated, a new IID should be generated".
	r := up(t)
	draws := []uint64{0, 0xfdff_ffff_ffff_ff80, hostMAC.InterfaceID(), 0x1234}
	r.cfg.Rand = func() (v uint64) {
		v, draws = draws[0], draws[1:]
		return v
	}
	p := &autoPrefix{prefix: addr6("2001:db8::"), addr: &autoAddress{addr: eui("2001:db8::")}}
	if got := r.randomIID(p); got != 0x1234 {
		t.Errorf("%#x", got)
	}
}

// RFC 8981, 3.4: lifetimes of a temporary address.
func TestTemporaryLifetimes(t *testing.T) {
	temporary := func(s *netif.IPv6) { s.TempAddr = 2 }
	r := up(t, temporary)
	r.hear(r1, ra(1800, pio("2001:db8::/64", 30*day, 7*day)))
	got, all := r.temps()
	if len(got) != 1 || all != 1 {
		t.Fatal(r.addrs)
	}
	a := got[0].Addr
	// "Its valid lifetime is the lower of the Valid Lifetime of the prefix and TEMP_VALID_LIFETIME. Its preferred lifetime
	// is the lower of the Preferred Lifetime of the prefix and TEMP_PREFERRED_LIFETIME - DESYNC_FACTOR."
	if v, p := r.valid(a), r.preferred(a); v != 2*day || p > day || p < day*6/10-1 {
		t.Errorf("valid %d, preferred %d", v, p)
	}
	if a.Lo == hostMAC.InterfaceID() || got[0].Origin != netif.SLAAC {
		t.Errorf("%+v", got[0])
	}
	// "no temporary addresses should ever remain 'valid' or 'preferred' for a time longer than": advertisements do not
	// prolong it.
	p := r.preferred(a)
	for range 10 {
		r.pass(time.Minute)
		r.hear(r1, ra(1800, pio("2001:db8::/64", 30*day, 7*day)))
	}
	if r.valid(a) != 2*day-600 || r.preferred(a) != p-600 {
		t.Errorf("ten minutes later: valid %d, preferred %d", r.valid(a), r.preferred(a))
	}
	// But shorten it.
	r.hear(r1, ra(1800, pio("2001:db8::/64", day, 100)))
	if r.valid(a) != day || r.preferred(a) != 100 {
		t.Errorf("shortened: valid %d, preferred %d", r.valid(a), r.preferred(a))
	}
	// 3.5: "if a temporary address becomes deprecated as result of processing a Prefix Information option with a zero
	// preferred lifetime, then a new temporary address MUST NOT be generated (in response to the same Prefix Information
	// option)."
	r.hear(r1, ra(1800, pio("2001:db8::/64", day, 0)))
	if got, all := r.temps(); len(got) != 0 || all != 1 {
		t.Errorf("deprecated: %v of %d", got, all)
	}
	r.pass(time.Hour)
	if _, all := r.temps(); all != 1 {
		t.Errorf("an hour later there are %d", all)
	}
	// And preferred again.
	r.hear(r1, ra(1800, pio("2001:db8::/64", day, 1000)))
	if got, all := r.temps(); len(got) != 1 || all != 1 {
		t.Errorf("preferred again: %v of %d", got, all)
	}
}

// RFC 8981, 3.4, step 5: "A temporary address is created only if this calculated preferred lifetime is greater than
// REGEN_ADVANCE time units." 3.8: REGEN_ADVANCE is 2 + 3 * 1 * 1 s here.
func TestTemporaryRegenAdvance(t *testing.T) {
	for preferred, want := range map[uint32]int{0: 0, 1: 0, 5: 0, 6: 1, 100: 1} {
		r := up(t, func(s *netif.IPv6) { s.TempAddr = 1 })
		r.hear(r1, ra(1800, pio("2001:db8::/64", 1000, preferred)))
		if _, all := r.temps(); all != want {
			t.Errorf("preferred for %d s: %d", preferred, all)
		}
	}
	for _, mode := range []int{0, -1} {
		r := up(t, func(s *netif.IPv6) { s.TempAddr = mode })
		r.hear(r1, ra(1800, pio("2001:db8::/64", day, day)))
		if _, all := r.temps(); all != 0 {
			t.Errorf("use_tempaddr %d: %d", mode, all)
		}
	}
}

// RFC 8981, 3.5 and 3.6, over 30 days: there is always one preferred, there are few in all, no two alike, and the times
// between them differ. 3.8: "a maximum of three concurrent temporary addresses when the default values … are employed",
// and one more while it is being replaced.
func TestTemporarySuccession(t *testing.T) {
	r := up(t, func(s *netif.IPv6) { s.TempAddr = 2 })
	seen := make(map[wire.Addr]clock.Instant)
	lives := make(map[time.Duration]bool)
	for range 30 * 24 * 6 {
		r.hear(r1, ra(1800, pio("2001:db8::/64", 30*day, 7*day)))
		r.pass(10 * time.Minute)
		preferred, all := r.temps()
		if len(preferred) < 1 || len(preferred) > 2 || all > 4 {
			t.Fatalf("at %v: %d preferred of %d", r.now, len(preferred), all)
		}
		for a, e := range r.addrs {
			if _, old := seen[a]; e.Temporary && !old {
				seen[a] = r.now
				lives[e.PreferredUntil.Sub(e.ValidUntil)] = true
			}
		}
	}
	if n := len(seen); n < 30 || n > 51 || len(lives) < n*9/10 {
		t.Errorf("%d addresses, %d different lives in 30 days", n, len(lives))
	}
	if len(r.addrs) > 6 || r.Refused() != 0 {
		t.Errorf("%d addresses, %d refused", len(r.addrs), r.Refused())
	}
	// Without a router, all goes with the prefix.
	r.pass(31 * 24 * time.Hour)
	if len(r.addrs) != 1 || len(r.autos) != 0 {
		t.Error("at the end:", r.addrs)
	}
}

// RFC 8981, 3.5: "a new temporary address SHOULD be regenerated slightly before its predecessor is deprecated", REGEN_ADVANCE
// before.
func TestTemporaryAdvance(t *testing.T) {
	r := up(t, func(s *netif.IPv6) { s.TempAddr, s.MaxDesync = 2, 0 })
	r.hear(r1, ra(1800, pio("2001:db8::/64", 30*day, 30*day)))
	r.pass((day-5)*time.Second - 1)
	if got, _ := r.temps(); len(got) != 1 {
		t.Errorf("too early: %v", got)
	}
	r.pass(1)
	if got, _ := r.temps(); len(got) != 2 {
		t.Errorf("too late: %v", got)
	}
}

// RFC 8981, 3.4, step 7: "If DAD indicates the address is already in use, the host MUST generate a new randomized IID and
// repeat the previous steps …, up to TEMP_IDGEN_RETRIES times. If, after TEMP_IDGEN_RETRIES consecutive attempts, the host
// is unable …, SHOULD NOT attempt to generate a temporary address for the given prefix".
func TestTemporaryDuplicates(t *testing.T) {
	r := up(t, func(s *netif.IPv6) { s.TempAddr = 2 })
	r.hear(r1, ra(1800, pio("2001:db8::/64", 30*day, 7*day)))
	tries := 0
	for {
		got, _ := r.temps()
		if len(got) == 0 {
			break
		}
		tries++
		r.Duplicate(r.now, got[0].Addr)
		r.drain()
		if tries > 10 {
			t.Fatal("without end")
		}
	}
	if tries != 4 {
		t.Errorf("%d addresses tried", tries)
	}
	r.pass(time.Hour)
	r.hear(r1, ra(1800, pio("2001:db8::/64", 30*day, 7*day)))
	if _, all := r.temps(); all != 0 {
		t.Error("another was tried later")
	}
	// "consecutive": one that is good begins the count anew.
	r = up(t, func(s *netif.IPv6) { s.TempAddr = 2 })
	r.hear(r1, ra(1800, pio("2001:db8::/64", 30*day, 7*day)))
	for range 10 {
		got, _ := r.temps()
		if len(got) != 1 {
			t.Fatal(r.addrs)
		}
		r.Duplicate(r.now, got[0].Addr)
		r.drain()
		if got, _ = r.temps(); len(got) != 1 {
			t.Fatal(r.addrs)
		}
		r.Ready(r.now, got[0].Addr, true)
	}
}

// RFC 8981, 3.6: "when an interface connects to a new (different) link, existing temporary addresses for the corresponding
// interface MUST be removed, and new temporary addresses MUST be generated for use on the new link".
func TestTemporaryNewLink(t *testing.T) {
	r := up(t, func(s *netif.IPv6) { s.TempAddr = 2 })
	m := ra(1800, pio("2001:db8::/64", 30*day, 7*day))
	r.hear(r1, m)
	first, _ := r.temps()
	again := func(from wire.Addr) []netif.Address {
		r.Stop()
		r.pass(time.Minute)
		r.Resume(r.now)
		r.hear(from, m)
		now, all := r.temps()
		if len(now) != 1 || all != 1 {
			t.Fatal(r.addrs)
		}
		return now
	}
	// The same router is on it: it is the same link.
	if now := again(r1); now[0].Addr != first[0].Addr {
		t.Error("the link came back:", now)
	}
	if now := again(r2); now[0].Addr == first[0].Addr {
		t.Error("another link:", now)
	}
	if r.valid(eui("2001:db8::")) != 30*day {
		t.Error(r.addrs)
	}
}

// A link-layer address that changes takes all with it.
func TestHostReset(t *testing.T) {
	r := up(t, func(s *netif.IPv6) { s.TempAddr = 2 })
	m := ra(1800, pio("2001:db8::/64", day, day))
	m.DNSServers = []wire.RDNSS{{Lifetime: 10, Servers: []wire.Addr{addr6("2001:db8::53")}}}
	r.hear(r1, m)
	r.Reset()
	r.drain()
	if len(r.addrs) != 0 || len(r.Routes()) != 0 || len(r.Servers()) != 0 || r.Deadline() != clock.Never {
		t.Error(r.addrs, r.Routes(), r.Servers(), r.Deadline())
	}
}
