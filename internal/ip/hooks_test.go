package ip

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// watch adds a hook at every point that notes where it saw what.
func watch(b *bed) *[]string {
	log := new([]string)
	for _, at := range hook.Points() {
		b.hooks.Chain(at).Add(0, "watch", func(_ clock.Instant, p *packet.Buffer) hook.Verdict {
			*log = append(*log, seen(at, p))
			return hook.Continue
		})
	}
	return log
}

// seen tells what a hook sees: the point, the interfaces, and what p begins with.
func seen(at hook.Point, p *packet.Buffer) string {
	b := p.Bytes()
	what := "?"
	if at == hook.Ingress || at == hook.Egress {
		switch h, err := wire.CheckEthernet(b); {
		case err != nil:
		case h.EtherType() == wire.EtherTypeARP:
			what = "arp frame"
		default:
			what = "frame"
		}
	} else if h, err := wire.CheckIPv4(b); err == nil && p.Src == h.Src() && p.Dst == h.Dst() && p.HopLimit == h.TTL() {
		what = fmt.Sprintf("ip4 ttl %d proto %d", p.HopLimit, p.Proto)
	} else if h, err := wire.CheckIPv6(b); err == nil && p.Src == h.Src() && p.Dst == h.Dst() && p.HopLimit == h.HopLimit() {
		what = fmt.Sprintf("ip6 ttl %d proto %d", p.HopLimit, p.Proto)
	}
	return fmt.Sprintf("%v in %d out %d %s", at, p.In, p.Out, what)
}

// hookedWay is a way past the points, as hooks see it.
type hookedWay struct {
	name string
	run  func(b *bed)
	want []string
}

// passes reports whether packets on their way pass a point.
func (w *hookedWay) passes(at hook.Point) bool {
	return slices.ContainsFunc(w.want, func(s string) bool { return strings.HasPrefix(s, at.String()+" ") })
}

// ways are a packet's ways past the points, of each family.
var ways = []hookedWay{
	{"in, IPv4", func(b *bed) { b.in(b.eth0, in4(ip4(peer4, us4, 17, udp(peer4, us4, "x")))) },
		[]string{"Ingress in 2 out 0 frame", "Prerouting in 2 out 0 ip4 ttl 64 proto 17", "Input in 2 out 0 ip4 ttl 64 proto 17"}},
	{"in, IPv6", func(b *bed) { b.in(b.eth0, in6(ip6(peer6, us6, 17, udp(peer6, us6, "x")))) },
		[]string{"Ingress in 2 out 0 frame", "Prerouting in 2 out 0 ip6 ttl 64 proto 17", "Input in 2 out 0 ip6 ttl 64 proto 17"}},
	{"in, IPv6 with options", func(b *bed) { b.in(b.eth0, in6(ip6(peer6, us6, 60, cat(ext(17), udp(peer6, us6, "x"))))) },
		[]string{"Ingress in 2 out 0 frame", "Prerouting in 2 out 0 ip6 ttl 64 proto 60", "Input in 2 out 0 ip6 ttl 64 proto 17"}},
	{"forwarded, IPv4", func(b *bed) { b.in(b.eth0, in4(ip4(peer4, other4, 17, udp(peer4, other4, "x")))) },
		[]string{"Ingress in 2 out 0 frame", "Prerouting in 2 out 0 ip4 ttl 64 proto 17", "Forward in 2 out 3 ip4 ttl 63 proto 17",
			"Postrouting in 2 out 3 ip4 ttl 63 proto 17", "Egress in 2 out 3 frame"}},
	{"forwarded, IPv6", func(b *bed) { b.in(b.eth0, in6(ip6(peer6, other6, 17, udp(peer6, other6, "x")))) },
		[]string{"Ingress in 2 out 0 frame", "Prerouting in 2 out 0 ip6 ttl 64 proto 17", "Forward in 2 out 3 ip6 ttl 63 proto 17",
			"Postrouting in 2 out 3 ip6 ttl 63 proto 17", "Egress in 2 out 3 frame"}},
	{"out, IPv4", func(b *bed) { b.mustOut(Query{Dst: peer4}, udp(us4, peer4, "x")) },
		[]string{"Output in 0 out 2 ip4 ttl 64 proto 17", "Postrouting in 0 out 2 ip4 ttl 64 proto 17", "Egress in 0 out 2 frame"}},
	{"out, IPv6", func(b *bed) { b.mustOut(Query{Dst: peer6}, udp(us6, peer6, "x")) },
		[]string{"Output in 0 out 2 ip6 ttl 64 proto 17", "Postrouting in 0 out 2 ip6 ttl 64 proto 17", "Egress in 0 out 2 frame"}},
	{"answer, IPv4", func(b *bed) { b.in(b.eth0, in4(ip4(peer4, us4, 1, icmp4(8, 0, 1, nil)))) },
		[]string{"Ingress in 2 out 0 frame", "Prerouting in 2 out 0 ip4 ttl 64 proto 1", "Input in 2 out 0 ip4 ttl 64 proto 1",
			"Output in 0 out 2 ip4 ttl 64 proto 1", "Postrouting in 0 out 2 ip4 ttl 64 proto 1", "Egress in 0 out 2 frame"}},
	{"to ourselves, IPv4", func(b *bed) { b.mustOut(Query{Dst: us4}, udp(us4, us4, "x")) },
		[]string{"Output in 0 out 2 ip4 ttl 64 proto 17", "Postrouting in 0 out 2 ip4 ttl 64 proto 17",
			"Prerouting in 2 out 0 ip4 ttl 64 proto 17", "Input in 2 out 0 ip4 ttl 64 proto 17"}},
	{"to ourselves, IPv6", func(b *bed) { b.mustOut(Query{Dst: us6}, udp(us6, us6, "x")) },
		[]string{"Output in 0 out 2 ip6 ttl 64 proto 17", "Postrouting in 0 out 2 ip6 ttl 64 proto 17",
			"Prerouting in 2 out 0 ip6 ttl 64 proto 17", "Input in 2 out 0 ip6 ttl 64 proto 17"}},
	{"in fragments, IPv4", func(b *bed) {
		data := udp(peer4, us4, strings.Repeat("x", 24))
		b.in(b.eth0, piece4(7, data, 0, 16), piece4(7, data, 16, len(data)))
	}, []string{"Ingress in 2 out 0 frame", "Prerouting in 2 out 0 ip4 ttl 64 proto 17", "Ingress in 2 out 0 frame",
		"Prerouting in 2 out 0 ip4 ttl 64 proto 17", "Input in 2 out 0 ip4 ttl 64 proto 17"}},
	{"in fragments, IPv6", func(b *bed) {
		data := udp(peer6, us6, strings.Repeat("x", 24))
		b.in(b.eth0, piece6(7, data, 0, 16), piece6(7, data, 16, len(data)))
	}, []string{"Ingress in 2 out 0 frame", "Prerouting in 2 out 0 ip6 ttl 64 proto 44", "Ingress in 2 out 0 frame",
		"Prerouting in 2 out 0 ip6 ttl 64 proto 44", "Input in 2 out 0 ip6 ttl 64 proto 17"}},
	{"out in fragments", func(b *bed) { b.mustOut(Query{Dst: peer6}, make([]byte, 2000)) },
		[]string{"Output in 0 out 2 ip6 ttl 64 proto 17", "Postrouting in 0 out 2 ip6 ttl 64 proto 17",
			"Egress in 0 out 2 frame", "Egress in 0 out 2 frame"}},
	{"neighbor not known", func(b *bed) {
		b.mustOut(Query{Dst: a4("192.0.2.77")}, udp(us4, a4("192.0.2.77"), "x"))
		reply := wire.ARP{Op: wire.ARPReply, SenderMAC: otherMAC, SenderIP: a4("192.0.2.77"), TargetMAC: usMAC, TargetIP: us4}
		f := make([]byte, wire.ARPLen)
		reply.Put(f)
		b.in(b.eth0, eth(usMAC, otherMAC, wire.EtherTypeARP, f))
	}, []string{"Output in 0 out 2 ip4 ttl 64 proto 17", "Postrouting in 0 out 2 ip4 ttl 64 proto 17", "Egress in 0 out 2 arp frame",
		"Ingress in 2 out 0 arp frame", "Egress in 0 out 2 frame"}},
}

func (b *bed) mustOut(q Query, data []byte) {
	b.Helper()
	if err := b.out(q, Params{Proto: wire.ProtoUDP}, data); err != nil {
		b.Fatal(err)
	}
}

func TestHookPoints(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			b := newBed(t, setup{forwarding: true})
			log := watch(b)
			w.run(b)
			if !slices.Equal(*log, w.want) {
				t.Errorf("saw\n%s\nwant\n%s", strings.Join(*log, "\n"), strings.Join(w.want, "\n"))
			}
		})
	}
}

// What a hook drops or keeps goes no further, is counted or is not, and everything else is as it was.
func TestHookVerdicts(t *testing.T) {
	for _, w := range ways {
		for _, at := range hook.Points() {
			if !w.passes(at) {
				continue
			}
			t.Run(w.name+"/"+at.String(), func(t *testing.T) {
				b := newBed(t, setup{forwarding: true, tracing: true})
				before := b.values()
				remove := b.hooks.Chain(at).Add(0, "wall", func(_ clock.Instant, p *packet.Buffer) hook.Verdict { return hook.Drop })
				w.run(b)
				reasons, n := drops(b.values(), before)
				if len(reasons) != 1 || reasons[0] != mib.Hook || b.udp.n != 0 || len(b.eth1.take()) != 0 {
					t.Errorf("dropped %d for %v; %d delivered", n, reasons, b.udp.n)
				}
				if e := b.events.list[len(b.events.list)-1]; e.Rule != "wall at "+at.String() {
					t.Errorf("the trace tells of %q", e.Rule)
				}
				remove()
				before = b.values()
				var kept packet.Batch
				b.hooks.Chain(at).Add(0, "thief", func(_ clock.Instant, p *packet.Buffer) hook.Verdict {
					kept.Push(p)
					return hook.Stolen
				})
				b.eth0.take()
				w.run(b)
				if reasons, _ := drops(b.values(), before); len(reasons) != 0 || b.udp.n != 0 || kept.Empty() {
					t.Errorf("stolen: dropped for %v; %d delivered, %d kept", reasons, b.udp.n, kept.Len())
				}
				kept.Free()
			})
		}
	}
}

// rewrite adds a hook that gives packets another destination.
func rewrite(b *bed, at hook.Point, to wire.Addr) {
	b.hooks.Chain(at).Add(0, "rewrite", func(_ clock.Instant, p *packet.Buffer) hook.Verdict {
		h := p.Bytes()
		if to.Is4() {
			to.Put4(h[16:])
			wire.IPv4(h).UpdateChecksum()
		} else {
			to.Put16(h[24:])
		}
		// The sum of UDP covers the address (RFC 768).
		at := len(h) - len("x") - wire.UDPLen
		wire.FinishChecksum(h[at:], 6, wire.ProtoUDP, p.Src, to)
		return hook.Continue
	})
}

// Behind Prerouting the way follows the destination; behind Output too.
func TestHookRewrites(t *testing.T) {
	for _, f := range []struct {
		name            string
		us, peer, other wire.Addr
		frame           func(src, dst wire.Addr) []byte
	}{
		{"IPv4", us4, peer4, other4, func(src, dst wire.Addr) []byte { return in4(ip4(src, dst, 17, udp(src, dst, "x"))) }},
		{"IPv6", us6, peer6, other6, func(src, dst wire.Addr) []byte { return in6(ip6(src, dst, 17, udp(src, dst, "x"))) }},
	} {
		t.Run(f.name, func(t *testing.T) {
			b := newBed(t, setup{forwarding: true})
			rewrite(b, hook.Prerouting, f.us)
			b.in(b.eth0, f.frame(f.peer, f.other))
			if b.udp.n != 1 || b.udp.got[0].dst != f.us || len(b.eth1.take()) != 0 {
				t.Errorf("%d delivered", b.udp.n)
			}

			b = newBed(t, setup{forwarding: true})
			rewrite(b, hook.Prerouting, f.other)
			b.in(b.eth0, f.frame(f.peer, f.us))
			if b.udp.n != 0 || len(b.eth1.take()) != 1 {
				t.Errorf("%d delivered, none forwarded", b.udp.n)
			}

			b = newBed(t, setup{forwarding: true})
			rewrite(b, hook.Output, f.other)
			b.mustOut(Query{Dst: f.peer}, udp(f.us, f.peer, "x"))
			if len(b.eth0.take()) != 0 || len(b.eth1.take()) != 1 {
				t.Error("what Output sent elsewhere did not go there")
			}

			b = newBed(t, setup{forwarding: true})
			rewrite(b, hook.Output, f.us)
			b.mustOut(Query{Dst: f.peer}, udp(f.us, f.peer, "x"))
			if len(b.eth0.take()) != 0 || b.udp.n != 1 {
				t.Error("what Output sent to ourselves did not come")
			}

			b = newBed(t, setup{forwarding: true})
			rewrite(b, hook.Postrouting, f.other)
			b.mustOut(Query{Dst: f.peer}, udp(f.us, f.peer, "x"))
			if len(b.eth0.take()) != 1 || len(b.eth1.take()) != 0 {
				t.Error("Postrouting changed the way")
			}
		})
	}
}

// A packet that Output sends where no way leads is dropped for that.
func TestHookRewritesToNowhere(t *testing.T) {
	b := newBed(t, setup{})
	for _, r := range b.l.Routes() {
		if r.Prefix.Bits() == 0 {
			if err := b.l.RemoveRoute(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	rewrite(b, hook.Output, far4)
	before := b.values()
	b.mustOut(Query{Dst: peer4}, udp(us4, peer4, "x"))
	if reasons, n := drops(b.values(), before); n != 1 || reasons[0] != mib.Ip4NoRoute {
		t.Errorf("dropped %d for %v", n, reasons)
	}
}

// A header that a hook has spoilt does no harm, whoever looks at it: at whatever point, in whatever octet, of whatever way.
func TestHookSpoilsHeader(t *testing.T) {
	for _, w := range ways {
		for _, point := range hook.Points() {
			if !w.passes(point) {
				continue
			}
			for at := range 40 {
				for _, bits := range []byte{0xff, 0x0f} {
					b := newBed(t, setup{forwarding: true})
					b.tracer.AddSteps(&b.events, nil)
					b.hooks.Chain(point).Add(0, "spoil", func(_ clock.Instant, p *packet.Buffer) hook.Verdict {
						if at < p.Len() {
							p.Bytes()[at] ^= bits
						}
						return hook.Continue
					})
					w.run(b)
				}
			}
		}
	}
}

// Nor does it if hooks shorten a packet where they must not: it is dropped.
func TestHookShortens(t *testing.T) {
	for _, w := range ways {
		for _, point := range hook.Points()[1:6] {
			b := newBed(t, setup{forwarding: true})
			before := b.values()
			n := uint64(0)
			b.hooks.Chain(point).Add(0, "cut", func(_ clock.Instant, p *packet.Buffer) hook.Verdict {
				n++
				p.Truncate(p.Len() - 1)
				return hook.Continue
			})
			w.run(b)
			v := b.values()
			if got := v.Dropped(mib.Ip4Header) + v.Dropped(mib.Ip6Header) - before.Dropped(mib.Ip4Header) - before.Dropped(mib.Ip6Header); got != n {
				t.Errorf("%s at %v: %d shortened, %d dropped", w.name, point, n, got)
			}
		}
	}
}

// markRule has packets with a mark looked up in a table whose default route is via a gateway.
func (b *bed) markRule(mark uint32, gateway wire.Addr) {
	b.Helper()
	const table = 100
	if err := b.l.AddRule(route.Rule{Priority: 10, Mark: mark, Mask: ^uint32(0), Table: table}); err != nil {
		b.Fatal(err)
	}
	any := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if err := b.l.AddRoute(route.Route{Prefix: any, Gateway: gateway.Netip(), Table: table}); err != nil {
		b.Fatal(err)
	}
}

// Marks set in Prerouting are what rules of forwarding go by, and those of Output what rules of ours go by.
func TestHookMarks(t *testing.T) {
	mark := func(b *bed, at hook.Point) {
		b.hooks.Chain(at).Add(0, "mark", func(_ clock.Instant, p *packet.Buffer) hook.Verdict {
			p.Mark = 7
			return hook.Continue
		})
	}
	b := newBed(t, setup{forwarding: true})
	b.markRule(7, other4)
	b.in(b.eth0, in4(ip4(peer4, far4, 17, udp(peer4, far4, "x"))))
	if len(b.eth1.take()) != 0 {
		t.Fatal("forwarded by the rule though it had no mark")
	}
	mark(b, hook.Prerouting)
	b.in(b.eth0, in4(ip4(peer4, far4, 17, udp(peer4, far4, "x"))))
	if len(b.eth1.take()) != 1 {
		t.Error("a mark of Prerouting does not lead to the rule's table")
	}

	b = newBed(t, setup{forwarding: true})
	b.markRule(7, other4)
	b.mustOut(Query{Dst: far4}, udp(us4, far4, "x"))
	if len(b.eth1.take()) != 0 {
		t.Fatal("sent by the rule though it had no mark")
	}
	mark(b, hook.Output)
	b.mustOut(Query{Dst: far4}, udp(us4, far4, "x"))
	if len(b.eth1.take()) != 1 {
		t.Error("a mark of Output does not lead to the rule's table")
	}
}

// The frames of a link without link-layer headers are packets.
func TestHooksWithoutLinkHeaders(t *testing.T) {
	b := newBed(t, setup{medium: link.IP})
	var log []string
	for _, at := range []hook.Point{hook.Ingress, hook.Egress} {
		b.hooks.Chain(at).Add(0, "watch", func(_ clock.Instant, p *packet.Buffer) hook.Verdict {
			log = append(log, fmt.Sprintf("%v %x %x", at, p.EtherType, p.Bytes()[0]>>4))
			return hook.Continue
		})
	}
	b.in(b.eth0, ip6(peer6, us6, 17, udp(peer6, us6, "x")))
	b.mustOut(Query{Dst: peer4}, udp(us4, peer4, "x"))
	if got := strings.Join(log, ", "); got != "Ingress 86dd 6, Egress 800 4" {
		t.Error(got)
	}
}

// Hooks that let packets go on cost no allocation.
func TestHooksAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget")
	}
	for _, n := range []int{0, 1, 7} {
		for name, f := range hooked(t, n) {
			f()
			f()
			if a := testing.AllocsPerRun(100, f); a >= 1 {
				t.Errorf("%s with %d hooks at each point: %.2f allocations for %d packets", name, n, a, perBatch)
			}
		}
	}
}

// hooked returns ways of packets past n hooks at each point.
func hooked(t testing.TB, n int) map[string]func() {
	host, router := quiet(newBed(t, setup{rate: -1})), quiet(newBed(t, setup{forwarding: true}))
	for _, b := range []*bed{host, router} {
		for _, at := range hook.Points() {
			for range n {
				b.hooks.Chain(at).Add(0, "nothing", func(clock.Instant, *packet.Buffer) hook.Verdict { return hook.Continue })
			}
		}
	}
	data := make([]byte, 1400)
	return map[string]func(){
		"deliver4": feeder(host, in4(ip4(peer4, us4, 6, data))),
		"forward6": feeder(router, in6(ip6(peer6, other6, 6, data))),
		"output6":  sender(host, far6, 1400),
		"self":     sender(host, us6, 1400),
	}
}

func BenchmarkHooks(b *testing.B) {
	for _, n := range []int{0, 1, 7} {
		fs := hooked(b, n)
		for _, name := range []string{"deliver4", "forward6", "output6", "self"} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for range b.N/perBatch + 1 {
					fs[name]()
				}
			})
		}
	}
}
