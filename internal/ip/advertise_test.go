package ip

import (
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/nd"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// sentRA is an advertisement that left a cable.
type sentRA struct {
	src, dst wire.Addr
	m        wire.RouterAdvertisement
}

// ras returns the advertisements among what was sent.
func (c *cable) ras(t testing.TB) (all []sentRA) {
	t.Helper()
	for _, f := range c.take() {
		m, ok := parseICMP(t, f, link.Ethernet)
		if !ok || m.typ != wire.ICMPv6RouterAdvertisement {
			continue
		}
		ra, err := wire.ParseRouterAdvertisement(m.raw)
		if err != nil || ra.Validate(m.src, m.dst, m.hop) != nil {
			t.Fatalf("sent an advertisement that is not valid: %v", err)
		}
		if h, _ := wire.CheckEthernet(f); m.dst.IsMulticast() && h.Dst() != m.dst.MulticastMAC() {
			t.Errorf("to %v on the link", h.Dst())
		}
		all = append(all, sentRA{m.src, m.dst, ra})
	}
	return all
}

// rs returns a Router Solicitation as a frame.
func rs(src wire.Addr, m wire.RouterSolicitation, change ...func(*wire.IPv6Header)) []byte {
	b := make([]byte, m.Len())
	m.Put(b)
	wire.FinishICMPv6(b, src, wire.AllRouters6)
	change = append([]func(*wire.IPv6Header){func(h *wire.IPv6Header) { h.HopLimit = 255 }}, change...)
	return eth(wire.AllRouters6.MulticastMAC(), peerMAC, wire.EtherTypeIPv6, ip6(src, wire.AllRouters6, wire.ProtoICMPv6, b, change...))
}

func newAdvertisingBed(t *testing.T, adv *nd.Advertising) *bed {
	t.Helper()
	b := newBed(t, setup{forwarding: true, tracing: true})
	if err := b.l.Advertise(2, adv); err != nil {
		t.Fatal(err)
	}
	return b
}

// RFC 4861, 6.2.2 to 6.2.6: advertisements leave an advertising interface, from its link-local address, by themselves and for
// those who ask.
func TestAdvertise(t *testing.T) {
	b := newAdvertisingBed(t, &nd.Advertising{Prefixes: []nd.AdvPrefix{{Prefix: netip.MustParsePrefix("2001:db8::/64")}}})
	all := b.eth0.ras(t)
	if len(all) != 1 || all[0].src != usLL || all[0].dst != wire.AllNodes6 || all[0].m.SourceLink != usMAC || len(all[0].m.Prefixes) != 1 {
		t.Fatalf("at first: %+v", all)
	}
	b.pass(time.Hour)
	if n := len(b.eth0.ras(t)); n < 6 || n > 25 {
		t.Errorf("%d in an hour", n)
	}
	if len(b.eth1.ras(t)) != 0 {
		t.Error("advertisements on an interface that does not advertise")
	}
	b.in(b.eth0, rs(wire.Addr{}, wire.RouterSolicitation{}))
	b.pass(4 * time.Second)
	if len(b.eth0.ras(t)) != 1 {
		t.Error("no answer to a solicitation from nobody")
	}
	a, err := b.l.Advertising(2)
	if err != nil || a.From != usLL || a.Next <= b.sim.Now() || a.Advertising.DefaultLifetime != 1800*time.Second {
		t.Errorf("%+v, %v", a, err)
	}
}

// RFC 4861, 6.2.6: "If there is no existing Neighbor Cache entry for the solicitation's sender, the router creates one, installs
// the link- layer address and sets its reachability state to STALE"; "the entry's IsRouter flag MUST be set to FALSE."
func TestSolicitationUpdatesCache(t *testing.T) {
	b := newAdvertisingBed(t, &nd.Advertising{})
	host, mac := a6("fe80::77"), wire.MAC{2, 0, 0, 0, 7, 7}
	find := func() (state string, router bool) {
		list, err := b.l.Neighbors(2)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range list {
			if n.Addr == host {
				return n.State.String(), n.Router
			}
		}
		return "", false
	}
	b.in(b.eth0, rs(host, wire.RouterSolicitation{}))
	if s, _ := find(); s != "" {
		t.Errorf("without an option: %s", s)
	}
	// It was a router.
	b.l.control.Lock()
	d, _ := b.l.find(2)
	d.cache.Router(b.sim.Now(), host, mac)
	b.l.control.Unlock()
	b.in(b.eth0, rs(host, wire.RouterSolicitation{SourceLink: mac}))
	if s, router := find(); s != "STALE" || router {
		t.Errorf("%s, router %v", s, router)
	}
}

// RFC 4861, 6.1.1: "A router MUST silently discard any received Router Solicitation messages that do not satisfy all of the
// following validity checks".
func TestInvalidSolicitations(t *testing.T) {
	b := newAdvertisingBed(t, &nd.Advertising{})
	b.pass(time.Minute)
	b.eth0.take()
	host := a6("fe80::77")
	code := rs(host, wire.RouterSolicitation{})
	body := code[wire.EthernetLen+wire.IPv6Len:]
	body[1] = 1
	wire.FinishICMPv6(body, host, wire.AllRouters6)
	zero := rs(host, wire.RouterSolicitation{SourceLink: peerMAC})
	body = zero[wire.EthernetLen+wire.IPv6Len:]
	body[9] = 0
	wire.FinishICMPv6(body, host, wire.AllRouters6)
	sum := rs(host, wire.RouterSolicitation{})
	sum[len(sum)-1] ^= 1
	for name, f := range map[string][]byte{
		"hop limit": rs(host, wire.RouterSolicitation{}, func(h *wire.IPv6Header) { h.HopLimit = 254 }),
		"checksum":  sum,
		"code":      code,
		"short": eth(wire.AllRouters6.MulticastMAC(), peerMAC, wire.EtherTypeIPv6, ip6(host, wire.AllRouters6, wire.ProtoICMPv6,
			icmp6(host, wire.AllRouters6, wire.ICMPv6RouterSolicitation, 0, 0, nil)[:4], func(h *wire.IPv6Header) { h.HopLimit = 255 })),
		"option of no length": zero,
		"option from nobody":  rs(wire.Addr{}, wire.RouterSolicitation{SourceLink: peerMAC}),
	} {
		before := b.values()
		b.in(b.eth0, f)
		if _, n := drops(b.values(), before); n != 1 {
			t.Errorf("%s: %d drops", name, n)
		}
		b.pass(4 * time.Second)
		if len(b.eth0.ras(t)) != 0 {
			t.Errorf("%s: it was answered", name)
		}
	}
}

// RFC 4861, 6.2.6: "A host MUST silently discard any received Router Solicitation messages." 6.2.4: "A host MUST NOT send
// Router Advertisement messages at any time."
func TestHostsAreSilent(t *testing.T) {
	b := newBed(t, setup{})
	if err := b.l.Advertise(2, &nd.Advertising{}); err != nil {
		t.Fatal(err)
	}
	before := b.values()
	b.in(b.eth0, rs(a6("fe80::77"), wire.RouterSolicitation{SourceLink: peerMAC}))
	if list, _ := drops(b.values(), before); len(list) != 1 {
		t.Errorf("dropped for %v", list)
	}
	b.pass(time.Hour)
	if all := b.eth0.ras(t); len(all) != 0 {
		t.Errorf("a host sent %+v", all)
	}
	// RFC 4861, 6.2.2: an interface may become an advertising interface by "enabling IP forwarding capability".
	b.l.Configure(func(s *Settings) { s.Forward6 = true })
	if all := b.eth0.ras(t); len(all) != 1 || all[0].m.RouterLifetime != 1800 {
		t.Errorf("a router sent %+v", all)
	}
}

// RFC 4861, 6.2.5: the ways to cease.
func TestCeaseAdvertising(t *testing.T) {
	for name, cease := range map[string]func(b *bed) error{
		"advertising": func(b *bed) error { return b.l.Advertise(2, nil) },
		"forwarding": func(b *bed) error {
			b.l.Configure(func(s *Settings) { s.Forward6 = false })
			return nil
		},
	} {
		b := newAdvertisingBed(t, &nd.Advertising{})
		b.pass(time.Minute)
		b.eth0.take()
		if err := cease(b); err != nil {
			t.Fatal(err)
		}
		b.pass(time.Hour)
		all := b.eth0.ras(t)
		for _, a := range all {
			if a.m.RouterLifetime != 0 {
				t.Errorf("%s: %+v", name, a)
			}
		}
		if len(all) != 3 {
			t.Errorf("%s: %d final advertisements", name, len(all))
		}
	}
	for name, cease := range map[string]func(b *bed) error{
		"close":    func(b *bed) error { return b.l.Close() },
		"removal":  func(b *bed) error { return b.l.RemoveInterface(2) },
		"down":     func(b *bed) error { return b.l.SetUp(2, false) },
		"disabled": func(b *bed) error { return disable6(b.l, 2) },
	} {
		b := newAdvertisingBed(t, &nd.Advertising{})
		b.pass(time.Minute)
		b.eth0.take()
		if err := cease(b); err != nil {
			t.Fatal(err)
		}
		b.pass(time.Hour)
		if all := b.eth0.ras(t); len(all) != 1 || all[0].m.RouterLifetime != 0 || all[0].src != usLL {
			t.Errorf("%s: %+v", name, all)
		}
	}
}

// RFC 4861, 6.2.7.
func TestInconsistentRouters(t *testing.T) {
	b := newAdvertisingBed(t, &nd.Advertising{})
	m := wire.RouterAdvertisement{CurHopLimit: 64, RouterLifetime: 1800}
	hear := func() {
		body := make([]byte, m.Len())
		m.Put(body)
		wire.FinishICMPv6(body, peerLL, wire.AllNodes6)
		b.in(b.eth0, eth(wire.AllNodes6.MulticastMAC(), peerMAC, wire.EtherTypeIPv6,
			ip6(peerLL, wire.AllNodes6, wire.ProtoICMPv6, body, func(h *wire.IPv6Header) { h.HopLimit = 255 })))
	}
	hear()
	if n := b.values().Get(mib.Icmp6RAInconsistent); n != 0 {
		t.Errorf("%d inconsistencies", n)
	}
	m.CurHopLimit, m.Managed = 32, true
	hear()
	hear()
	if n := b.values().Get(mib.Icmp6RAInconsistent); n != 2 || b.events.count(trace.RouterInconsistent) != 1 {
		t.Errorf("%d inconsistencies, %d told", n, b.events.count(trace.RouterInconsistent))
	}
	for _, e := range b.events.list {
		if e.Kind == trace.RouterInconsistent && (e.Src != peerLL || !strings.Contains(e.Reason, "cur hop limit is 32, ours 64") || !strings.Contains(e.Reason, "M is true")) {
			t.Errorf("%+v", e)
		}
	}
}

// What cannot be advertised is refused with a reason.
func TestAdvertiseErrors(t *testing.T) {
	b := newBed(t, setup{})
	if err := b.l.Advertise(9, &nd.Advertising{}); !errors.Is(err, syscall.ENODEV) {
		t.Error(err)
	}
	if err := b.l.Advertise(2, &nd.Advertising{MaxInterval: time.Second}); !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), "MaxInterval") {
		t.Error(err)
	}
	if err := b.l.Advertise(2, &nd.Advertising{LinkMTU: 1501}); !errors.Is(err, syscall.EINVAL) {
		t.Error(err)
	}
	tun := newBed(t, setup{medium: link.IP})
	if err := tun.l.Advertise(2, &nd.Advertising{}); !errors.Is(err, syscall.EOPNOTSUPP) {
		t.Error(err)
	}
}

func disable6(l *Layer, index int32) error {
	return l.ConfigureIPv6(index, func(c *netif.IPv6) { c.Disable = true })
}
