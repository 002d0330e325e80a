package sim_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/dns"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/simtest"
)

// lookups is a host that asks two name servers, and what these and a web server are like.
type lookups struct {
	testing.TB
	*sim.Network
	host, web, ns *sim.Node
	queries       []string // "udp A www.example.", as they came
}

// The name servers: nobody is at the first.
var (
	deadServer = netip.MustParseAddrPort("[2001:db8::52]:53")
	liveServer = netip.MustParseAddrPort("[2001:db8::53]:53")
)

const zone = `
example.       60 SOA ns.example. root.example. 1 3600 600 86400 30
www.example.   60 A    192.0.2.80
www.example.   60 AAAA 2001:db8::80
half.example.  60 A    192.0.2.80
half.example.  60 AAAA 2001:db8::99
four.example.  60 A    192.0.2.80
alias.example. 60 CNAME www.example.
none.example.  60 TXT  "no address"
`

// newLookups makes a host with the given settings, a name server that answers from the zone, with answer around it if it is not
// nil, and a web server.
func newLookups(t testing.TB, n *sim.Network, cfg onlink.Config, line sim.Line, answer func(l *lookups, q *dnsmessage.Message, real func() *dnsmessage.Message) *dnsmessage.Message) *lookups {
	t.Helper()
	z, err := dns.ParseZone(zone)
	if err != nil {
		t.Fatal(err)
	}
	l := &lookups{TB: t, Network: n, host: n.Node("host", cfg), web: n.Host("web"), ns: n.Host("ns")}
	n.Switch(line, l.host.Port("eth0", "192.0.2.1/24", "2001:db8::1/64"), l.web.Port("eth0", "192.0.2.80/24", "2001:db8::80/64"),
		l.ns.Port("eth0", "192.0.2.53/24", "2001:db8::53/64"))
	n.RunFor(5 * time.Second)
	ln := listen(t, l.web, ":80")
	l.serve(func() error {
		for {
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			c.Close()
		}
	})
	for _, network := range []string{"udp", "tcp"} {
		s := &dns.Server{Runtime: l.ns.Runtime(), Answer: func(q *dnsmessage.Message) *dnsmessage.Message {
			l.queries = append(l.queries, fmt.Sprint(network, " ", strings.TrimPrefix(q.Questions[0].Type.String(), "Type"), " ", q.Questions[0].Name))
			if answer != nil {
				return answer(l, q, func() *dnsmessage.Message { return z.Answer(q) })
			}
			return z.Answer(q)
		}}
		if network == "tcp" {
			ln := listen(t, l.ns, ":53")
			l.serve(func() error { return s.Serve(ln) })
			continue
		}
		pc, err := l.ns.ListenPacket(context.Background(), "udp", ":53")
		if err != nil {
			t.Fatal(err)
		}
		l.serve(func() error { return s.ServePacket(pc) })
	}
	return l
}

// serve runs what never returns by itself.
func (l *lookups) serve(f func() error) { l.ns.Runtime().Spawn("server", func() { f() }) }

// run runs f as an application on the host and waits for it.
func (l *lookups) run(f func()) {
	l.Helper()
	l.host.Go("client", f)
	run(l.TB, l.Network)
}

// dial connects to a name and returns to which address, and after how long.
func (l *lookups) dial(address string) (to string, took time.Duration) {
	l.Helper()
	began := l.host.Now()
	c, err := l.host.DialContext(context.Background(), "tcp", address)
	if err != nil {
		l.Fatalf("%s: %v", address, err)
	}
	defer c.Close()
	return c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().String(), l.host.Now().Sub(began)
}

// Names are looked up and connected to in simulation, which replays.
func TestDialName(t *testing.T) {
	const oneWay = 5 * time.Millisecond
	for _, c := range []struct {
		name, address, to string
		after             time.Duration
		loss              float64
		servers           []netip.AddrPort
		answer            func(l *lookups, q *dnsmessage.Message, real func() *dnsmessage.Message) *dnsmessage.Message
		queries           []string
	}{
		{name: "both families", address: "www.example:80", to: "2001:db8::80", after: 8 * oneWay, // two to resolve the server's address, two each
			queries: []string{"udp AAAA www.example.", "udp A www.example."}},
		{name: "an alias", address: "alias.example:80", to: "2001:db8::80", after: 8 * oneWay},
		{name: "IPv6 is silent", address: "half.example:80", to: "192.0.2.80", after: 8*oneWay + 250*time.Millisecond},
		{name: "IPv4 only", address: "four.example:80", to: "192.0.2.80", after: 8 * oneWay},
		// RFC 1035, 4.2.1: "The client should try other servers and server addresses before repeating a query".
		{name: "a dead first server", address: "www.example:80", to: "2001:db8::80", servers: []netip.AddrPort{deadServer, liveServer}},
		{name: "truncation", address: "www.example:80", to: "2001:db8::80",
			answer: func(l *lookups, q *dnsmessage.Message, real func() *dnsmessage.Message) *dnsmessage.Message {
				m := real()
				if strings.HasPrefix(l.queries[len(l.queries)-1], "udp") {
					m.Truncated, m.Answers = true, nil
				}
				return m
			}, queries: []string{"udp AAAA www.example.", "udp A www.example.", "tcp AAAA www.example.", "tcp A www.example."}},
		// RFC 6891, 7: "MUST respond with a return code (RCODE) of FORMERR to messages containing an OPT record".
		{name: "no EDNS", address: "www.example:80", to: "2001:db8::80",
			answer: func(l *lookups, q *dnsmessage.Message, real func() *dnsmessage.Message) *dnsmessage.Message {
				m := real()
				if len(q.Additionals) > 0 {
					m.RCode, m.Answers, m.Additionals = dnsmessage.RCodeFormatError, nil, nil
				}
				return m
			}},
		// RFC 8305, 3: "If a positive A response is received first due to reordering, the client SHOULD wait a short time for the
		// AAAA response".
		{name: "AAAA is never answered", address: "www.example:80", to: "192.0.2.80", after: 8*oneWay + 50*time.Millisecond,
			answer: func(l *lookups, q *dnsmessage.Message, real func() *dnsmessage.Message) *dnsmessage.Message {
				if q.Questions[0].Type == dnsmessage.TypeAAAA {
					return nil
				}
				return real()
			}},
		{name: "loss", address: "www.example:80", to: "", loss: 0.2},
	} {
		t.Run(c.name, func(t *testing.T) {
			simtest.Replay(t, 1, func(t testing.TB, n *sim.Network) {
				servers := c.servers
				if servers == nil {
					servers = []netip.AddrPort{liveServer}
				}
				l := newLookups(t, n, onlink.Config{DNS: servers}, sim.Line{Delay: oneWay / 2, Loss: c.loss}, c.answer)
				l.run(func() {
					to, took := l.dial(c.address)
					if c.to != "" && to != c.to {
						t.Errorf("connected to %s, want %s", to, c.to)
					}
					if c.after != 0 && took != c.after {
						t.Errorf("connected after %v, want %v", took, c.after)
					}
				})
				if c.queries != nil && !slices.Equal(l.queries, c.queries) {
					t.Errorf("queries were %q, want %q", l.queries, c.queries)
				}
			})
		})
	}
}

// A server that did not answer is asked last for a while.
func TestDeadServerIsNotWaitedForTwice(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	l := newLookups(t, n, onlink.Config{DNS: []netip.AddrPort{deadServer, liveServer}}, sim.Line{Delay: time.Millisecond}, nil)
	l.run(func() {
		_, first := l.dial("www.example:80")
		_, second := l.dial("half.example:80")
		if first < 3*time.Second || second >= time.Second {
			t.Errorf("took %v, then %v", first, second)
		}
	})
}

// UDP goes to the first address that it can be sent to; errors are those of package net.
func TestDialNameErrors(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	l := newLookups(t, n, onlink.Config{DNS: []netip.AddrPort{liveServer}}, sim.Line{Delay: time.Millisecond}, nil)
	l.run(func() {
		ctx := context.Background()
		for _, name := range []string{"nobody.example", "none.example", "printer.local", "a..b"} {
			for _, network := range []string{"tcp", "udp"} {
				_, err := l.host.DialContext(ctx, network, name+":80")
				e, ok := errors.AsType[*net.DNSError](err)
				if !ok || !e.IsNotFound || e.Name != name || e.Err != "no such host" {
					t.Errorf("%s %s: %v", network, name, err)
				}
			}
		}
		c, err := l.host.DialContext(ctx, "udp", "www.example:9")
		if err != nil || c.RemoteAddr().String() != "[2001:db8::80]:9" {
			t.Errorf("udp: %v, %v", c, err)
		}
		if _, err := l.host.DialContext(ctx, "tcp", "www.example:81"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("nobody listens: %v", err)
		}
		short, cancel := l.host.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		if _, err := l.host.DialContext(short, "tcp", "slow.example:80"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("no time: %v", err)
		}
	})
}

// A router tells of itself, by its link-local address, and answers: on this link alone is that address what it is.
func TestLinkLocalNameServer(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	host, router := n.Host("host"), n.Router("router")
	n.Wire(host.Port("eth0"), router.Port("eth0", "2001:db8::1/64"), sim.Line{Delay: time.Millisecond})
	n.RunFor(5 * time.Second)
	var self netip.Addr
	for _, a := range router.Interface("eth0").Addresses() {
		if a.Addr().IsLinkLocalUnicast() {
			self = a.Addr()
		}
	}
	err := router.Interface("eth0").Advertise(&onlink.RouterAdvertisement{NameServers: []netip.Addr{self}, SearchDomains: []string{"example"},
		Prefixes: []onlink.AdvertisedPrefix{{Prefix: netip.MustParsePrefix("2001:db8::/64")}}})
	if err != nil {
		t.Fatal(err)
	}
	z, err := dns.ParseZone("router.example AAAA 2001:db8::1")
	if err != nil {
		t.Fatal(err)
	}
	pc, err := router.ListenPacket(context.Background(), "udp", ":53")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{Runtime: router.Runtime(), Answer: z.Answer}
	router.Runtime().Spawn("name server", func() { s.ServePacket(pc) })
	serve(t, router, func(c *onlink.TCPConn) { c.Close() })
	n.RunFor(10 * time.Second)
	host.Go("client", func() {
		c := dial(t, host, "router:80")
		if got := c.RemoteAddr().String(); got != "[2001:db8::1]:80" {
			t.Errorf("connected to %s", got)
		}
		c.Close()
		a, err := host.DNS().Lookup(context.Background(), "router", dnsmessage.TypeAAAA)
		if err != nil || a.Server != netip.AddrPortFrom(self.WithZone("eth0"), 53) || a.Name != "router.example." {
			t.Errorf("%v, %v", a, err)
		}
	})
	run(t, n)
}
