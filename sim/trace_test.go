package sim_test

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

var updateTraces = flag.Bool("update-traces", false, "write the golden traces anew")

// traced is a network of a client, a router and a server, whose addresses are verified.
type traced struct {
	*sim.Network
	client, router, server *sim.Node
}

func newTraced(seed uint64, lan, wan sim.Line) *traced {
	n := sim.New(seed)
	r := &traced{n, n.Host("client"), n.Router("router"), n.Host("server")}
	n.Wire(r.client.Port("eth0", "192.0.2.2/24", "2001:db8:1::2/64").Gateway("192.0.2.1", "2001:db8:1::1"),
		r.router.Port("lan", "192.0.2.1/24", "2001:db8:1::1/64"), lan)
	n.Wire(r.router.Port("wan", "198.51.100.1/24", "2001:db8:2::1/64"),
		r.server.Port("eth0", "198.51.100.2/24", "2001:db8:2::2/64").Gateway("198.51.100.1", "2001:db8:2::1"), wan)
	return r
}

// settle lets pass what hosts say when they begin.
func (r *traced) settle() *traced {
	r.RunFor(20 * time.Second)
	return r
}

// ping pings once, whatever comes of it.
func (r *traced) ping(to string, cfg onlink.PingConfig) {
	cfg.Timeout = 5 * time.Second
	r.client.Ping(context.Background(), netip.MustParseAddr(to), cfg)
}

// isResolution reports whether p is of ARP or Neighbor Discovery.
func isResolution(p *packet.Buffer, _ bool) bool {
	b := p.Bytes()
	typ := p.EtherType
	if typ == 0 {
		typ, b = wire.Ethernet(b).EtherType(), b[wire.EthernetLen:]
	}
	if typ == wire.EtherTypeARP {
		return true
	}
	h, err := wire.CheckIPv6(b)
	if err != nil || h.NextHeader() != wire.ProtoICMPv6 && h.NextHeader() != wire.ProtoHopByHop {
		return false
	}
	if h.NextHeader() == wire.ProtoHopByHop {
		return true // MLD
	}
	m := h.Payload()[0]
	return m >= wire.ICMPv6RouterSolicitation && m <= wire.ICMPv6Redirect
}

func notResolution(p *packet.Buffer, out bool) bool { return !isResolution(p, out) }

// goldens are scenes and the node whose trace is told.
var goldens = []struct {
	name   string
	filter trace.Filter
	of     func(r *traced) *sim.Node
	play   func(t *testing.T, r *traced) // as an application of the client
}{
	{"ping of the server, as the client sees it", notResolution, func(r *traced) *sim.Node { return r.client }, func(t *testing.T, r *traced) {
		r.ping("198.51.100.2", onlink.PingConfig{ID: 7})
		r.ping("198.51.100.2", onlink.PingConfig{ID: 7, Seq: 1})
		r.ping("2001:db8:2::2", onlink.PingConfig{ID: 7})
	}},
	{"ping of the server, as the server sees it", notResolution, func(r *traced) *sim.Node { return r.server }, func(t *testing.T, r *traced) {
		r.ping("198.51.100.2", onlink.PingConfig{ID: 7})
		r.ping("2001:db8:2::2", onlink.PingConfig{ID: 7})
	}},
	{"TCP connection, as the server sees it", notResolution, func(r *traced) *sim.Node { return r.server }, func(t *testing.T, r *traced) {
		talkTCP(t, r, "[2001:db8:2::2]:80")
	}},
	{"forwarding, and where it ends", notResolution, func(r *traced) *sim.Node { return r.router }, func(t *testing.T, r *traced) {
		r.ping("2001:db8:2::2", onlink.PingConfig{ID: 7})
		r.ping("2001:db8:2::2", onlink.PingConfig{ID: 7, HopLimit: 1})
		r.ping("198.51.100.2", onlink.PingConfig{ID: 7, HopLimit: 1})
	}},
	{"hooks", notResolution, func(r *traced) *sim.Node { return r.router }, func(t *testing.T, r *traced) {
		pass := func(clock.Instant, *packet.Buffer) hook.Verdict { return hook.Continue }
		defer r.router.Hook(hook.Prerouting).Add(0, "meter", pass)()
		defer r.router.Hook(hook.Forward).Add(0, "meter", pass)()
		defer r.router.Hook(hook.Forward).Add(1, "firewall", func(_ clock.Instant, p *packet.Buffer) hook.Verdict {
			switch p.HopLimit {
			case 8:
				return hook.Drop
			case 7:
				p.Free()
				return hook.Stolen
			}
			return hook.Continue
		})()
		for _, hops := range []uint8{10, 9, 8} {
			r.ping("198.51.100.2", onlink.PingConfig{ID: 7, HopLimit: hops})
		}
	}},
	{"datagram to a port where nobody is", notResolution, func(r *traced) *sim.Node { return r.server }, func(t *testing.T, r *traced) {
		conn, err := r.client.DialContext(t.Context(), "udp", "198.51.100.2:9")
		if err != nil {
			t.Error(err)
			return
		}
		conn.Write([]byte("hello"))
		r.client.Sleep(time.Second)
		conn.Close()
	}},
	{"fragments", notResolution, func(r *traced) *sim.Node { return r.server }, func(t *testing.T, r *traced) {
		r.ping("198.51.100.2", onlink.PingConfig{ID: 7, Size: 3000})
		r.ping("2001:db8:2::2", onlink.PingConfig{ID: 7, Size: 2000})
	}},
	{"neighbor that is asked for", nil, func(r *traced) *sim.Node { return r.client }, func(t *testing.T, r *traced) {
		r.ping("192.0.2.1", onlink.PingConfig{ID: 7})
		r.ping("192.0.2.99", onlink.PingConfig{ID: 7})
		r.ping("2001:db8:1::99", onlink.PingConfig{ID: 7})
	}},
	{"packets to ourselves", nil, func(r *traced) *sim.Node { return r.client }, func(t *testing.T, r *traced) {
		r.ping("192.0.2.2", onlink.PingConfig{ID: 7})
		r.ping("::1", onlink.PingConfig{ID: 7})
	}},
}

// talkTCP has the client fetch a line from the server.
func talkTCP(t *testing.T, r *traced, address string) {
	ln := listen(t, r.server, ":80")
	r.server.Go("serve", func() {
		c := accept(t, ln)
		c.Write([]byte("hello"))
		c.Close()
		ln.Close()
	})
	c := dial(t, r.client, address)
	c.Read(make([]byte, 10))
	r.client.Sleep(10 * time.Millisecond)
	c.Close()
	r.client.Sleep(time.Second)
}

// What is told of a packet's way is what a reader of the trace sees. Look through the changes that -update-traces makes.
func TestGoldenTraces(t *testing.T) {
	for _, g := range goldens {
		t.Run(g.name, func(t *testing.T) {
			r := newTraced(1, sim.Line{}, sim.Line{Delay: 20 * time.Millisecond}).settle()
			defer r.Stop()
			var got strings.Builder
			journal := trace.NewJournal(func(w *trace.Way) { fmt.Fprintf(&got, "%v\n", w) })
			remove, err := g.of(r).Tracer().AddSteps(journal, g.filter)
			if err != nil {
				t.Fatal(err)
			}
			defer remove()
			r.client.Go("play", func() { g.play(t, r) })
			run(t, r.Network)
			journal.Flush()
			path := filepath.Join("testdata", "trace", strings.ReplaceAll(g.name, " ", "-")+".txt")
			if *updateTraces {
				if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("%s differs:\n%s", path, firstDifference(got.String(), string(want)))
			}
		})
	}
}

// firstDifference shows the first lines that differ.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			return fmt.Sprintf("line %d:\n got %s\nwant %s", i+1, a, b)
		}
	}
	return "nowhere"
}

// A hook that sends packets elsewhere is told with the way that they go then.
func TestTraceOfRerouted(t *testing.T) {
	r := newTraced(1, sim.Line{}, sim.Line{}).settle()
	defer r.Stop()
	defer r.client.Hook(hook.Output).Add(0, "detour", func(_ clock.Instant, p *packet.Buffer) hook.Verdict {
		if p.Dst.Is4() && p.Proto == wire.ProtoICMP {
			wire.AddrFrom4([]byte{192, 0, 2, 1}).Put4(p.Bytes()[16:])
			wire.IPv4(p.Bytes()).UpdateChecksum()
		}
		return hook.Continue
	})()
	var got []string
	remove, err := r.client.Tracer().AddSteps(trace.NewJournal(func(w *trace.Way) {
		for _, s := range w.Steps {
			got = append(got, s.Decision+" "+s.Rule)
		}
	}), notResolution)
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	r.client.Go("play", func() { r.ping("198.51.100.2", onlink.PingConfig{}) })
	run(t, r.Network)
	all := strings.Join(got, "\n")
	for _, want := range []string{"192.0.2.1 on eth0, a router", "192.0.2.1 by eth0 instead a hook changed what the way goes by", "192.0.2.1 is at"} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing tells %q:\n%s", want, all)
		}
	}
}
