package dns_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink/dns"
)

// Names that are looked up in the search list, and in what order they are asked for.
func TestSearch(t *testing.T) {
	for _, c := range []struct {
		name  string
		ndots int
		want  []string
	}{
		{"www", 0, []string{"www.corp.example.", "www.example.", "www."}},
		{"www.", 0, []string{"www."}},
		{"www.sub", 0, []string{"www.sub.", "www.sub.corp.example.", "www.sub.example."}},
		{"www.sub", 2, []string{"www.sub.corp.example.", "www.sub.example.", "www.sub."}},
		{"www", -1, []string{"www.", "www.corp.example.", "www.example."}},
		{strings.Repeat("a.", 122) + "aaa", 0, []string{strings.Repeat("a.", 122) + "aaa."}}, // no room for more
	} {
		bubble(t, dns.Options{Ndots: c.ndots}, func(r *rig) {
			r.cfg.Search = func() []string { return []string{"corp.example", "example."} }
			r.Resolver = dns.New(r.cfg)
			r.serve(first, code(dnsmessage.RCodeNameError))
			_, err := r.lookup("ip4", c.name)
			if e, ok := errors.AsType[*net.DNSError](err); !ok || !e.IsNotFound || e.Name != c.name || e.Server != first.String() {
				t.Errorf("%s: %#v", c.name, err)
			}
			var want []string
			for _, name := range c.want {
				want = append(want, "192.0.2.53 udp edns1232 A "+name)
			}
			r.wantQueries(want...)
		})
	}
}

// The first name that has an address is the one, though it has none of the other family. One that a server could not tell of is
// passed over, but is what is told if no other is found.
func TestSearchStops(t *testing.T) {
	bubble(t, dns.Options{}, func(r *rig) {
		r.cfg.Search = func() []string { return []string{"one", "two"} }
		r.Resolver = dns.New(r.cfg)
		z := from(t, "www.one 60 A 192.0.2.1\nwww.two 60 A 192.0.2.2\nwww.two 60 AAAA 2001:db8::2\nx.two 60 A 192.0.2.3")
		r.serve(first, func(network string, q *dnsmessage.Message, send func(*dnsmessage.Message)) {
			if strings.HasSuffix(q.Questions[0].Name.String(), ".one.") && !strings.HasPrefix(q.Questions[0].Name.String(), "www") {
				code(dnsmessage.RCodeServerFailure)(network, q, send)
				return
			}
			z(network, q, send)
		})
		if got, err := r.lookup("ip", "www"); got != "192.0.2.1" || err != nil {
			t.Errorf("%s, %v", got, err)
		}
		r.want("x", "192.0.2.3")
		_, err := r.lookup("ip", "y")
		if e, ok := errors.AsType[*net.DNSError](err); !ok || e.IsNotFound || !e.IsTemporary || e.Err != "server misbehaving" {
			t.Errorf("%#v", err)
		}
	})
}

// Nobody is asked for addresses, and for the names of RFC 6761, 6762 and 7686.
func TestUnasked(t *testing.T) {
	bubble(t, dns.Options{}, func(r *rig) {
		r.cfg.Hosts = dns.NewHosts(map[string][]netip.Addr{"Router.Lab.": {netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}})
		r.Resolver = dns.New(r.cfg)
		r.serve(first, code(dnsmessage.RCodeServerFailure))
		for _, c := range []struct{ network, host, want string }{
			{"ip", "192.0.2.1", "192.0.2.1"},
			{"ip", "::ffff:192.0.2.1", "192.0.2.1"},
			{"ip", "fe80::1%eth0", "fe80::1%eth0"},
			{"ip4", "2001:db8::1", "no such host"},
			{"ip", "localhost", "::1 127.0.0.1"},
			{"ip", "LocalHost.", "::1 127.0.0.1"},
			{"ip4", "a.b.localhost", "127.0.0.1"},
			{"ip", "router.lab", "2001:db8::1 192.0.2.1"},
			{"ip6", "ROUTER.lab.", "2001:db8::1"},
			{"ip", "x.invalid", "no such host"},
			{"ip", "printer.local.", "no such host"},
			{"ip", "x.onion", "no such host"},
			{"ip", "", "no such host"},
			{"ip", "a b.example", "no such host"},
			{"ip", strings.Repeat("a", 64) + ".example", "no such host"},
			{"ip9", "192.0.2.1", "unknown network ip9"},
		} {
			got, err := r.lookup(c.network, c.host)
			if e, ok := errors.AsType[*net.DNSError](err); ok {
				got = e.Err
			}
			if got != c.want {
				t.Errorf("%s %q: %q, %v; want %q", c.network, c.host, got, err, c.want)
			}
		}
		for addr, want := range map[string]string{"2001:db8::1": "router.lab.", "127.0.0.1": "localhost.", "::1": "localhost."} {
			if names, err := r.LookupAddr(r.Context(), addr); err != nil || !slices.Equal(names, []string{want}) {
				t.Errorf("%s: %q, %v", addr, names, err)
			}
		}
		r.wantQueries()
	})
}

// The other lookups.
func TestLookups(t *testing.T) {
	bubble(t, dns.Options{}, func(r *rig) {
		r.serve(first, from(t, `
www.example    60 A     192.0.2.80
www.example    60 AAAA  2001:db8::80
alias.example  60 CNAME www.example
example        60 MX    20 b.example
example        60 MX    10 a.example
example        60 NS    ns.example
example        60 TXT   "one " "text"
example        60 TXT   "two"
_sip._udp.example 60 SRV 2 0 5060 c.example
_sip._udp.example 60 SRV 1 0 5060 a.example
_sip._udp.example 60 SRV 1 9 5060 b.example
80.2.0.192.in-addr.arpa 60 PTR www.example
80.2.0.192.in-addr.arpa 60 PTR bad_name-.example
nomail.example 60 MX 0 .
`))
		ctx := r.Context()
		check := func(what string, got, want any, err error) {
			t.Helper()
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %v, %v; want %v", what, got, err, want)
			}
		}
		name, err := r.LookupCNAME(ctx, "alias.example")
		check("CNAME", name, "www.example.", err)
		hosts, err := r.LookupHost(ctx, "alias.example")
		check("host", hosts, []string{"2001:db8::80", "192.0.2.80"}, err)
		ips, err := r.LookupIP(ctx, "ip6", "www.example")
		check("IP", fmt.Sprint(ips), "[2001:db8::80]", err)
		addrs, err := r.LookupIPAddr(ctx, "www.example")
		check("IPAddr", fmt.Sprint(addrs), "[{2001:db8::80 } {192.0.2.80 }]", err)
		mx, err := r.LookupMX(ctx, "example")
		check("MX", mx, []*net.MX{{Host: "a.example.", Pref: 10}, {Host: "b.example.", Pref: 20}}, err)
		mx, err = r.LookupMX(ctx, "nomail.example")
		check("null MX", mx, []*net.MX{{Host: ".", Pref: 0}}, err)
		ns, err := r.LookupNS(ctx, "example")
		check("NS", ns, []*net.NS{{Host: "ns.example."}}, err)
		texts, err := r.LookupTXT(ctx, "example")
		check("TXT", texts, []string{"one text", "two"}, err)
		cname, srv, err := r.LookupSRV(ctx, "sip", "udp", "example")
		check("SRV", cname, "_sip._udp.example.", err)
		if len(srv) != 3 || srv[0].Target != "b.example." || srv[1].Target != "a.example." || srv[2].Target != "c.example." {
			t.Errorf("SRV: %v", srv)
		}
		_, _, err = r.LookupSRV(ctx, "", "", "_sip._udp.example")
		check("SRV by its whole name", nil, nil, err)
		// What is no name of a host is left out, and told of.
		names, err := r.LookupAddr(ctx, "192.0.2.80")
		if !slices.Equal(names, []string{"www.example."}) || err == nil || !strings.Contains(err.Error(), "invalid names") {
			t.Errorf("PTR: %q, %v", names, err)
		}
		if _, err := r.LookupAddr(ctx, "no address"); err == nil {
			t.Error("no address has names")
		}
		for _, f := range []func() error{
			func() error { _, err := r.LookupMX(ctx, "www.example"); return err },
			func() error { _, err := r.LookupTXT(ctx, "none.example"); return err },
			func() error { _, err := r.LookupAddr(ctx, "192.0.2.81"); return err },
			func() error { _, err := r.LookupCNAME(ctx, "none.example"); return err },
		} {
			if e, ok := errors.AsType[*net.DNSError](f()); !ok || !e.IsNotFound || e.Server != first.String() {
				t.Errorf("%#v", e)
			}
		}
	})
}

// RFC 2782: of servers of one priority each comes first as often as its weight says.
func TestWeights(t *testing.T) {
	bubble(t, dns.Options{}, func(r *rig) {
		r.serve(first, from(t, "s.example 60 SRV 1 10 1 a.example\ns.example 60 SRV 1 30 1 b.example\ns.example 60 SRV 1 0 1 c.example"))
		came := map[string]int{}
		for range 4000 {
			_, all, err := r.LookupSRV(r.Context(), "", "", "s.example")
			if err != nil || len(all) != 3 {
				t.Fatal(all, err)
			}
			came[all[0].Target]++
		}
		if a := came["a.example."]; a < 800 || a > 1200 || came["c.example."] > 0 {
			t.Errorf("%v", came)
		}
	})
}

// RFC 1034, 5.3.3: "if the response shows a CNAME and that is not the answer itself, cache the CNAME, change the SNAME to the
// canonical name in the CNAME RR and go to step 1." What is not of the chain is nobody's business.
func TestAliases(t *testing.T) {
	rr := func(lines string) []dnsmessage.Resource {
		z, err := dns.ParseZone(lines)
		if err != nil {
			t.Fatal(err)
		}
		return z.Records
	}
	for name, c := range map[string]struct {
		answers map[string]string // by name, the answer section
		want    string
		err     string
		queries int
	}{
		"a chain": {map[string]string{"www.example.": "www.example CNAME a.example\na.example CNAME b.example\nb.example A 192.0.2.1"}, "192.0.2.1", "", 1},
		"out of order": {map[string]string{"www.example.": "b.example A 192.0.2.1\na.example CNAME b.example\nwww.example CNAME a.example"},
			"192.0.2.1", "", 1},
		"in pieces": {map[string]string{"www.example.": "www.example CNAME a.example", "a.example.": "a.example A 192.0.2.1"},
			"192.0.2.1", "", 2},
		"of others": {map[string]string{"www.example.": "evil.example A 192.0.2.66\nwww.example A 192.0.2.1\nevil.example CNAME www.example"},
			"192.0.2.1", "", 1},
		"only of others": {map[string]string{"www.example.": "evil.example A 192.0.2.66"}, "", "no such host", 1},
		"a loop": {map[string]string{"www.example.": "www.example CNAME a.example\na.example CNAME www.example",
			"a.example.": "www.example CNAME a.example\na.example CNAME www.example"}, "", "too many aliases", 2},
		"to itself":  {map[string]string{"www.example.": "www.example CNAME www.example"}, "", "too many aliases", 2},
		"to nowhere": {map[string]string{"www.example.": "www.example CNAME a.example"}, "", "no such host", 2},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, dns.Options{}, func(r *rig) {
				r.serve(first, func(_ string, q *dnsmessage.Message, send func(*dnsmessage.Message)) {
					m := (&dns.Zone{}).Answer(q)
					m.RCode, m.Answers = dnsmessage.RCodeSuccess, rr(c.answers[q.Questions[0].Name.String()])
					send(m)
				})
				got, err := r.lookup("ip4", "www.example")
				if e, ok := errors.AsType[*net.DNSError](err); got != c.want || (err != nil) != (c.err != "") || ok && e.Err != c.err {
					t.Errorf("%q, %v", got, err)
				}
				if n := len(r.asked()); n != c.queries {
					t.Errorf("%d queries, want %d", n, c.queries)
				}
			})
		})
	}
}

// Both families are asked for at once, and each is told of as it comes (RFC 8305, 3).
func TestLookupEach(t *testing.T) {
	bubble(t, dns.Options{}, func(r *rig) {
		z := from(t, "www.example 60 A 192.0.2.80\nwww.example 60 AAAA 2001:db8::80\nfour.example 60 A 192.0.2.4")
		r.serve(first, func(network string, q *dnsmessage.Message, send func(*dnsmessage.Message)) {
			if q.Questions[0].Type == dnsmessage.TypeA {
				time.Sleep(time.Second)
			}
			z(network, q, send)
		})
		for host, want := range map[string]string{
			"www.example":  "0s 6 [2001:db8::80] 1s 4 [192.0.2.80] ",
			"four.example": "1s 6 [] 1s 4 [192.0.2.4] ", // nothing is known of the name before it has an address
		} {
			began := time.Now()
			got := ""
			err := r.LookupEach(r.Context(), "ip", host, func(f dns.Family, found []netip.Addr) {
				got += fmt.Sprint(time.Since(began), " ", int(f), " ", found, " ")
			})
			if got != want || err != nil {
				t.Errorf("%s: %s, %v", host, got, err)
			}
		}
	})
}

// However many ask for the same at once, servers are asked once; those who lose patience do not spoil it for the others.
func TestOneQueryForAll(t *testing.T) {
	bubble(t, dns.Options{CacheSize: -1}, func(r *rig) {
		r.serve(first, func(network string, q *dnsmessage.Message, send func(*dnsmessage.Message)) {
			time.Sleep(time.Second)
			from(t, small)(network, q, send)
		})
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i*200+100)*time.Millisecond)
				defer cancel()
				found, err := r.LookupNetIP(ctx, "ip4", "www.example")
				if i < 5 {
					e, ok := errors.AsType[*net.DNSError](err)
					if !ok || !e.IsTimeout || !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%d: %v, %v", i, found, err)
					}
				} else if err != nil || len(found) != 1 {
					t.Errorf("%d: %v, %v", i, found, err)
				}
			})
		}
		wg.Wait()
		r.wantQueries("192.0.2.53 udp edns1232 A www.example.")
	})
}

// When nobody wants the answer any more, the connection is closed at once.
func TestNobodyWaits(t *testing.T) {
	bubble(t, dns.Options{}, func(r *rig) {
		r.serve(first, silent)
		ctx, cancel := context.WithCancel(r.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		_, err := r.LookupNetIP(ctx, "ip", "www.example")
		e, ok := errors.AsType[*net.DNSError](err)
		if !ok || e.IsTimeout || !errors.Is(err, context.Canceled) || e.Err != "operation was canceled" {
			t.Errorf("%#v", err)
		}
		synctest.Wait()
		r.wantTook(began, time.Second)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.open != 0 {
			t.Errorf("%d connections are open", r.open)
		}
	})
}

func TestClose(t *testing.T) {
	bubble(t, dns.Options{}, func(r *rig) {
		r.serve(first, silent)
		time.AfterFunc(time.Second, r.Close)
		began := time.Now()
		for range 2 {
			if _, err := r.lookup("ip", "www.example"); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%v", err)
			}
			r.wantTook(began, time.Second)
		}
	})
}
