package nd

import (
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// hostRig is a Host, what it asked for, and the addresses and routes that come of it.
type hostRig struct {
	testing.TB
	*Host
	set      netif.IPv6
	now      clock.Instant
	rand     uint64
	solicits []clock.Instant
	addrs    map[wire.Addr]netif.Address
	changes  map[HostActionKind]int
}

var (
	hostMAC = wire.MAC{0x02, 0, 0, 0, 0, 0xa2}
	r1, r2  = addr6("fe80::1"), addr6("fe80::2")
)

func addr6(s string) wire.Addr { return wire.AddrFrom(netip.MustParseAddr(s)) }

// eui returns prefix with the EUI-64 identifier of the rig.
func eui(prefix string) wire.Addr { return wire.Addr{Hi: addr6(prefix).Hi, Lo: hostMAC.InterfaceID()} }

func newHostRig(t *testing.T, change ...func(*netif.IPv6)) *hostRig {
	r := &hostRig{TB: t, set: netif.NewIPv6(), now: clock.Instant(time.Second), rand: 1, addrs: make(map[wire.Addr]netif.Address),
		changes: make(map[HostActionKind]int)}
	for _, f := range change {
		f(&r.set)
	}
	r.Host = NewHost(HostConfig{Name: "eth0", Interface: 2, Address: hostMAC, LinkMTU: 1500, Settings: &r.set, Rand: func() uint64 {
		r.rand = r.rand*6364136223846793005 + 1442695040888963407
		return r.rand ^ r.rand>>29
	}})
	return r
}

// up starts the host, its link-local address verified at once.
func up(t *testing.T, change ...func(*netif.IPv6)) *hostRig {
	r := newHostRig(t, change...)
	r.Start(r.now, true)
	r.drain()
	r.Ready(r.now, eui("fe80::"), true)
	r.drain()
	return r
}

// drain does what the Host wants.
func (r *hostRig) drain() {
	r.Helper()
	var a HostAction
	for r.Next(&a) {
		r.changes[a.Kind]++
		switch a.Kind {
		case Solicit:
			r.solicits = append(r.solicits, r.now)
		case AddAddress:
			if _, have := r.addrs[a.Address.Addr]; have {
				r.Errorf("%v is added twice", a.Address.Addr)
			}
			r.addrs[a.Address.Addr] = a.Address
		case SetAddress:
			if _, have := r.addrs[a.Address.Addr]; !have {
				r.Errorf("%v is set and not there", a.Address.Addr)
			}
			r.addrs[a.Address.Addr] = a.Address
		case RemoveAddress:
			delete(r.addrs, a.Address.Addr)
		}
	}
}

// pass lets time pass, deadline by deadline; addresses expire as the interface sees to.
func (r *hostRig) pass(d time.Duration) {
	r.Helper()
	end := r.now.Add(d)
	for steps := 0; ; steps++ {
		at := r.Deadline()
		if at > end {
			break
		}
		if steps > 100_000 {
			r.Fatal("it does not come to rest")
		}
		r.now = max(r.now, at)
		r.expire()
		r.Timeout(r.now)
		r.drain()
	}
	r.now = end
	r.expire()
}

func (r *hostRig) expire() {
	for a, e := range r.addrs {
		if e.ValidUntil != 0 && e.ValidUntil <= r.now {
			delete(r.addrs, a)
		}
	}
}

// hear gives the Host an advertisement.
func (r *hostRig) hear(from wire.Addr, m wire.RouterAdvertisement) {
	r.Helper()
	// What is not as the wire has it would prove nothing.
	b := make([]byte, m.Len())
	m.Put(b)
	parsed, err := wire.ParseRouterAdvertisement(b)
	if err != nil {
		r.Fatal(err)
	}
	r.Advertised(r.now, from, &parsed)
	r.drain()
}

// pio returns an option with both flags.
func pio(prefix string, valid, preferred uint32) wire.PrefixInformation {
	p := netip.MustParsePrefix(prefix)
	return wire.PrefixInformation{Prefix: wire.AddrFrom(p.Addr()), PrefixLen: uint8(p.Bits()), OnLink: true, Autonomous: true,
		Valid: valid, Preferred: preferred}
}

func ra(lifetime uint16, prefixes ...wire.PrefixInformation) wire.RouterAdvertisement {
	return wire.RouterAdvertisement{RouterLifetime: lifetime, Prefixes: prefixes}
}

// valid and preferred return what remains of an address's lifetimes, in seconds; -1: no such address; 0: over.
func (r *hostRig) valid(a wire.Addr) int {
	return r.left(a, func(e netif.Address) clock.Instant { return e.ValidUntil })
}
func (r *hostRig) preferred(a wire.Addr) int {
	return r.left(a, func(e netif.Address) clock.Instant { return e.PreferredUntil })
}

func (r *hostRig) left(a wire.Addr, of func(netif.Address) clock.Instant) int {
	e, ok := r.addrs[a]
	switch at := of(e); {
	case !ok:
		return -1
	case at == 0:
		return 1 << 40
	default:
		return int(max(0, at.Sub(r.now)) / time.Second)
	}
}

// temps returns the temporary addresses that are preferred, and how many there are in all.
func (r *hostRig) temps() (preferred []netif.Address, all int) {
	for _, a := range r.addrs {
		if a.Temporary {
			all++
			if a.PreferredUntil > r.now {
				preferred = append(preferred, a)
			}
		}
	}
	return preferred, all
}

// RFC 4862, 5.3: "A link-local address is formed by combining the well-known link-local prefix FE80::0 … with an interface
// identifier". "A link-local address has an infinite preferred and valid lifetime; it is never timed out."
func TestHostLinkLocal(t *testing.T) {
	r := newHostRig(t)
	r.Start(r.now, true)
	r.drain()
	a, ok := r.addrs[eui("fe80::")]
	if !ok || a.Origin != netif.LinkLocal || a.ValidUntil != 0 || a.PreferredUntil != 0 || a.NoPrefixRoute || a.State != netif.Preferred {
		t.Errorf("%+v", r.addrs)
	}
	if len(r.solicits) != 0 || r.Deadline() != clock.Never {
		t.Error("solicits before it has an address")
	}
	// Without one, from the unspecified address, after a delay.
	r = newHostRig(t, func(s *netif.IPv6) { s.AddrGenMode = netif.NoIID })
	r.Start(r.now, true)
	r.drain()
	if len(r.addrs) != 0 || len(r.solicits) != 0 || r.Deadline() == clock.Never {
		t.Error("no link-local address:", r.addrs, r.solicits)
	}
	r.pass(time.Second)
	if len(r.solicits) != 1 {
		t.Error("solicited", r.solicits)
	}
}

// RFC 7559, 2: "IRT … 4 seconds; MRT … 3600 seconds; MRC … 0; MRD … 0".
func TestHostSolicitBackOff(t *testing.T) {
	r := up(t)
	if len(r.solicits) != 1 {
		t.Fatalf("solicited %v: the delay was that of duplicate address detection", r.solicits)
	}
	r.pass(24 * time.Hour)
	var last time.Duration
	for i := 1; i < len(r.solicits); i++ {
		d := r.solicits[i].Sub(r.solicits[i-1])
		lo, hi := 4*time.Second, 4400*time.Millisecond
		if i > 1 {
			lo, hi = last*19/10, last*21/10
		}
		if lo > 3240*time.Second || hi > 3960*time.Second || last > 1700*time.Second {
			lo, hi = 3240*time.Second, 3960*time.Second
		}
		if d < lo || d > hi {
			t.Errorf("interval %d is %v, want %v to %v", i, d, lo, hi)
		}
		last = d
	}
	if n := len(r.solicits); n < 30 || n > 42 {
		t.Errorf("%d solicitations in a day", n)
	}
	r = up(t, func(s *netif.IPv6) { s.Solicitations = 3 })
	r.pass(24 * time.Hour)
	if len(r.solicits) != 3 {
		t.Error("3 wanted, sent", len(r.solicits))
	}
	r = up(t, func(s *netif.IPv6) { s.Solicitations = 0 })
	r.pass(time.Hour)
	if len(r.solicits) != 0 {
		t.Error("none wanted, sent", len(r.solicits))
	}
}

// RFC 4861, 6.3.7: "Once the host sends a Router Solicitation, and receives a valid Router Advertisement with a non-zero
// Router Lifetime, the host MUST desist from sending additional solicitations on that interface".
func TestHostSolicitStops(t *testing.T) {
	r := up(t)
	r.hear(r1, ra(1800))
	r.pass(time.Hour)
	if len(r.solicits) != 1 {
		t.Error("solicited", r.solicits)
	}
	// "until the next time one of the above events occurs": the host re-attaches.
	r.Resume(r.now)
	r.pass(2 * time.Second)
	if len(r.solicits) != 2 {
		t.Error("after the link came back, solicited", r.solicits)
	}
	// RFC 7559, 2.1: "If an RA is received from a router and it does not result in a default route (i.e., Router Lifetime
	// is zero), the host MUST continue retransmitting the RSs."
	r = up(t)
	r.hear(r1, ra(0))
	r.pass(5 * time.Second)
	if len(r.solicits) != 2 {
		t.Error("a router lifetime of 0; solicited", r.solicits)
	}
	// 6.3.7: "a host SHOULD send at least one solicitation in the case where an advertisement is received prior to having
	// sent a solicitation."
	r = newHostRig(t)
	r.Start(r.now, true)
	r.drain()
	r.Ready(r.now, eui("fe80::"), false)
	r.drain()
	r.hear(r1, ra(1800))
	r.pass(time.Hour)
	if len(r.solicits) != 1 {
		t.Error("an early advertisement; solicited", r.solicits)
	}
	// The link is gone.
	r = up(t)
	r.Stop()
	r.pass(time.Hour)
	if len(r.solicits) != 1 {
		t.Error("without a link; solicited", r.solicits)
	}
}

// RFC 4861, 6.3.4, of the fixed part and the MTU option.
func TestHostParams(t *testing.T) {
	r := up(t)
	m := ra(1800)
	m.CurHopLimit, m.ReachableTime, m.RetransTimer, m.MTU, m.Managed, m.OtherConfig = 33, 12000, 2000, 1400, true, true
	r.hear(r1, m)
	want := Params{33, 1400, 12 * time.Second, 2 * time.Second, true, true}
	if r.Params() != want {
		t.Errorf("%+v", r.Params())
	}
	// "a host MUST NOT interpret the unspecified value as meaning change back to the default value".
	r.hear(r2, ra(1800))
	want.Managed, want.Other = false, false
	if r.Params() != want {
		t.Errorf("after unspecified values: %+v", r.Params())
	}
	// "so long as the value is greater than or equal to the minimum link MTU [IPv6] and does not exceed the maximum
	// LinkMTU value".
	for _, mtu := range []uint32{1, 1279, 1501, 9000, 1<<32 - 1} {
		m = ra(1800)
		m.MTU = mtu
		r.hear(r1, m)
	}
	m = ra(1800)
	m.ReachableTime, m.RetransTimer = 3_600_001, 1<<32-1
	r.hear(r1, m)
	if r.Params() != want {
		t.Errorf("after values out of range: %+v", r.Params())
	}
	for _, mtu := range []uint32{1280, 1500} {
		m = ra(1800)
		m.MTU = mtu
		r.hear(r1, m)
		if r.Params().MTU != int(mtu) {
			t.Errorf("MTU %d, want %d", r.Params().MTU, mtu)
		}
	}
	m.RetransTimer = 1
	r.hear(r1, m)
	if r.Params().RetransTimer != minRetransTimer {
		t.Errorf("a RetransTimer of 1 ms became %v", r.Params().RetransTimer)
	}
	r = up(t, func(s *netif.IPv6) { s.LinkMTU, s.MinHopLimit = false, 40 })
	m.CurHopLimit = 33
	r.hear(r1, m)
	if p := r.Params(); p.MTU != 0 || p.HopLimit != 0 {
		t.Errorf("not wanted: %+v", p)
	}
}

// An advertisement is taken by hosts, and by routers that were told to.
func TestHostAccepts(t *testing.T) {
	for _, c := range []struct {
		accept  int
		forward bool
		want    bool
	}{{0, false, false}, {1, false, true}, {2, false, true}, {0, true, false}, {1, true, false}, {2, true, true}} {
		r := newHostRig(t, func(s *netif.IPv6) { s.AcceptRA = c.accept })
		r.SetForwarding(r.now, c.forward)
		r.Start(r.now, true)
		r.drain()
		r.Ready(r.now, eui("fe80::"), true)
		r.drain()
		r.hear(r1, ra(1800, pio("2001:db8::/64", 7200, 3600)))
		if got := len(r.addrs) == 2 && len(r.Routers()) == 1 && len(r.solicits) == 1; got != c.want {
			t.Errorf("%+v: %v %v %v", c, r.addrs, r.Routers(), r.solicits)
		}
	}
	// RFC 4861, 6.3.7: "The system changes from being a router to being a host".
	r := up(t)
	r.hear(r1, ra(1800, pio("2001:db8::/64", 7200, 3600)))
	r.SetForwarding(r.now, true)
	r.drain()
	if len(r.Routers()) != 0 || len(r.addrs) != 2 {
		t.Error("a router now:", r.Routers(), r.addrs)
	}
	r.SetForwarding(r.now, false)
	r.pass(time.Second)
	if len(r.solicits) != 2 {
		t.Error("a host again; solicited", r.solicits)
	}
}
