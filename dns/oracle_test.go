package dns_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/dns"
)

// Go's own resolver is the oracle: with the same server, this one has its results and its errors.
func TestAsGoResolver(t *testing.T) {
	z, err := dns.ParseZone(`
www.example.   60 A     192.0.2.80
www.example.   60 A     192.0.2.81
www.example.   60 AAAA  2001:db8::80
alias.example. 60 CNAME www.example
four.example.  60 A     192.0.2.4
text.example.  60 TXT   "one " "text"
long.example.  60 TXT   "` + strings.Repeat("x", 250) + `" "` + strings.Repeat("y", 250) + `" "` + strings.Repeat("z", 250) + `" "` + strings.Repeat("z", 250) + `" "` + strings.Repeat("z", 250) + `"
mail.example.  60 MX    10 a.example
mail.example.  60 MX    20 b.example
odd.example.   60 MX    10 a.example
odd.example.   60 MX    20 bad-.example
ns.example.    60 NS    a.example
_sip._udp.example. 60 SRV 1 0 5060 a.example
_sip._udp.example. 60 SRV 2 0 5060 b.example
80.2.0.192.in-addr.arpa. 60 PTR www.example
`)
	if err != nil {
		t.Fatal(err)
	}
	address := serveKernel(t, func(q *dnsmessage.Message) *dnsmessage.Message {
		m := z.Answer(q)
		switch strings.Split(q.Questions[0].Name.String(), ".")[0] {
		case "servfail":
			m.RCode = dnsmessage.RCodeServerFailure
		case "refused":
			m.RCode = dnsmessage.RCodeRefused
		case "lame":
			m.RCode, m.Authoritative, m.RecursionAvailable, m.Additionals = dnsmessage.RCodeSuccess, false, false, nil
		}
		return m
	})
	rt := clock.NewReal()
	ours := dns.New(dns.Config{Runtime: rt, Dial: new(net.Dialer).DialContext, Servers: func() []netip.AddrPort { return []netip.AddrPort{address} }})
	defer rt.Drain()
	defer ours.Close()
	theirs := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address.String())
	}}
	type resolver interface {
		LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
		LookupHost(ctx context.Context, host string) ([]string, error)
		LookupAddr(ctx context.Context, addr string) ([]string, error)
		LookupCNAME(ctx context.Context, host string) (string, error)
		LookupTXT(ctx context.Context, name string) ([]string, error)
		LookupMX(ctx context.Context, name string) ([]*net.MX, error)
		LookupNS(ctx context.Context, name string) ([]*net.NS, error)
		LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
		LookupIP(ctx context.Context, network, host string) ([]net.IP, error)
		LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
	}
	var _ resolver = net.DefaultResolver
	lookups := map[string]func(r resolver, ctx context.Context, name string) (any, error){
		"ip4": func(r resolver, ctx context.Context, name string) (any, error) {
			return r.LookupNetIP(ctx, "ip4", name)
		},
		"ip6": func(r resolver, ctx context.Context, name string) (any, error) {
			return r.LookupNetIP(ctx, "ip6", name)
		},
		"cname": func(r resolver, ctx context.Context, name string) (any, error) { return r.LookupCNAME(ctx, name) },
		"txt":   func(r resolver, ctx context.Context, name string) (any, error) { return r.LookupTXT(ctx, name) },
		"mx":    func(r resolver, ctx context.Context, name string) (any, error) { return r.LookupMX(ctx, name) },
		"ns":    func(r resolver, ctx context.Context, name string) (any, error) { return r.LookupNS(ctx, name) },
		"addr":  func(r resolver, ctx context.Context, name string) (any, error) { return r.LookupAddr(ctx, name) },
		"srv": func(r resolver, ctx context.Context, name string) (any, error) {
			cname, all, err := r.LookupSRV(ctx, "sip", "udp", name)
			return []any{cname, all}, err
		},
	}
	for what, lookup := range lookups {
		for _, name := range []string{"www", "alias", "four", "text", "long", "mail", "odd", "ns", "none", "servfail", "refused", "lame"} {
			name += ".example."
			switch {
			case what == "srv":
				name = strings.TrimPrefix(name, "www.")
			case what == "addr" && strings.HasPrefix(name, "www"):
				name = "192.0.2.80"
			case what == "addr" && strings.HasPrefix(name, "none"):
				name = "192.0.2.81"
			}
			got, err := lookup(ours, t.Context(), name)
			want, wantErr := lookup(theirs, t.Context(), name)
			if g, w := outcome(t, got, err, address), outcome(t, want, wantErr, address); g != w {
				t.Errorf("%s %s: %s, Go's resolver has %s", what, name, g, w)
			}
		}
	}
}

// outcome writes what a lookup came to; of an error all that programs look at, but for the server, which Go's resolver takes from the
// system's configuration.
func outcome(t *testing.T, v any, err error, server netip.AddrPort) string {
	s := ""
	switch v := v.(type) {
	case []*net.MX:
		for _, m := range v {
			s += fmt.Sprint(*m)
		}
	case []*net.NS:
		for _, n := range v {
			s += fmt.Sprint(*n)
		}
	case []any:
		for _, m := range v[1].([]*net.SRV) {
			s += fmt.Sprint(*m)
		}
	default:
		if r := reflect.ValueOf(v); r.Kind() != reflect.Slice || r.Len() > 0 {
			s += fmt.Sprint(v)
		}
	}
	if err == nil {
		return s
	}
	e, ok := errors.AsType[*net.DNSError](err)
	if !ok {
		return fmt.Sprintf("%s; a %T", s, err)
	}
	return fmt.Sprintf("%s; %q of %q, timeout %t, temporary %t, not found %t", s, e.Err, e.Name, e.IsTimeout, e.IsTemporary, e.IsNotFound)
}

// serveKernel answers on a port of the kernel's loopback interface until the test ends.
func serveKernel(t *testing.T, answer func(*dnsmessage.Message) *dnsmessage.Message) netip.AddrPort {
	t.Helper()
	rt := clock.NewReal()
	t.Cleanup(rt.Drain)
	s := &dns.Server{Runtime: rt, Answer: answer}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	ln, err := net.Listen("tcp", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	rt.Spawn("udp", func() { s.ServePacket(pc) })
	rt.Spawn("tcp", func() { s.Serve(ln) })
	return pc.LocalAddr().(*net.UDPAddr).AddrPort()
}
