package itest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/dns"
)

// bigText is records of which the fifth does not fit into a datagram any more.
var bigText = strings.Repeat("x", 250)

// dnsmasqArgs are the arguments of a name server on the kernel's side of tap0.
func dnsmasqArgs(more ...string) []string {
	return append([]string{"--no-daemon", "--user=root", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--interface=tap0", "--bind-interfaces",
		"--local=/example/", "--host-record=www.example,192.0.2.80,2001:db8::80,600", "--host-record=four.example,192.0.2.4",
		"--cname=alias.example,www.example", "--txt-record=text.example,one,two", "--txt-record=big.example," + strings.Repeat(bigText+",", 5) + "end",
		"--mx-host=example,mail.example,10", "--srv-host=_sip._udp.example,sip.example,5060,1,2", "--ptr-record=80.2.0.192.in-addr.arpa,www.example",
		"--caa-record=example,0,issue,ca.example", "--dns-rr=odd.example,4711,0102ab", "--log-queries", "--log-facility=-"}, more...)
}

// dnsmasq starts a name server on the kernel's side, and waits until it answers.
func (r *rig) dnsmasq(more ...string) *process {
	r.t.Helper()
	p := r.start(nil, "dnsmasq", dnsmasqArgs(more...)...)
	p.says(r.t, "started")
	return p
}

// asking is the setup of a host that asks the kernel's side.
func asking(v family, options dns.Options) setup {
	return setup{stack: onlink.Config{DNS: []netip.AddrPort{netip.MustParseAddrPort(net.JoinHostPort(v.kernel, "53"))}, DNSOptions: options}}
}

// The resolver and dnsmasq: over both families, EDNS(0), TCP for what is too long, what there is not.
func TestNamesFromDnsmasq(t *testing.T) {
	t.Parallel()
	need(t, "dnsmasq")
	for _, v := range families {
		t.Run(v.name, func(t *testing.T) {
			r := newRig(t, asking(v, dns.Options{}))
			p := r.dnsmasq()
			ctx, d := t.Context(), r.DNS()
			found, err := d.LookupNetIP(ctx, "ip", "alias.example")
			if err != nil || !slices.Contains(found, netip.MustParseAddr("192.0.2.80")) || len(found) != 2 {
				t.Errorf("%v, %v", found, err)
			}
			texts, err := d.LookupTXT(ctx, "text.example")
			if err != nil || !slices.Equal(texts, []string{"onetwo"}) {
				t.Errorf("%q, %v", texts, err)
			}
			if texts, err = d.LookupTXT(ctx, "big.example"); err != nil || len(texts) != 1 || texts[0] != strings.Repeat(bigText, 5)+"end" {
				t.Errorf("%q, %v", texts, err)
			}
			if mx, err := d.LookupMX(ctx, "example"); err != nil || len(mx) != 1 || *mx[0] != (net.MX{Host: "mail.example.", Pref: 10}) {
				t.Errorf("%v, %v", mx, err)
			}
			if _, srv, err := d.LookupSRV(ctx, "sip", "udp", "example"); err != nil || len(srv) != 1 || *srv[0] != (net.SRV{Target: "sip.example.", Port: 5060, Priority: 1, Weight: 2}) {
				t.Errorf("%v, %v", srv, err)
			}
			if names, err := d.LookupAddr(ctx, "192.0.2.80"); err != nil || !slices.Equal(names, []string{"www.example."}) {
				t.Errorf("%q, %v", names, err)
			}
			_, err = d.LookupNetIP(ctx, "ip", "nobody.example")
			if e, ok := errors.AsType[*net.DNSError](err); !ok || !e.IsNotFound {
				t.Errorf("nobody: %v", err)
			}
			_, err = d.LookupNetIP(ctx, "ip6", "four.example")
			if e, ok := errors.AsType[*net.DNSError](err); !ok || !e.IsNotFound {
				t.Errorf("no data: %v", err)
			}
			// It asks nobody itself, and says so for names that are not its own.
			_, err = d.LookupNetIP(ctx, "ip", "www.elsewhere")
			if e, ok := errors.AsType[*net.DNSError](err); !ok || e.IsNotFound || e.Err != "server misbehaving" {
				t.Errorf("refused: %v", err)
			}
			eventually(t, "dnsmasq says that it was asked", func() bool { return strings.Contains(p.stderr.String(), "query[A] www.elsewhere") })
		})
	}
}

// The server is gone: what was kept is still known, the rest is refused at once, since the kernel says so.
func TestNameServerGone(t *testing.T) {
	t.Parallel()
	need(t, "dnsmasq")
	r := newRig(t, asking(v4, dns.Options{Timeout: time.Second}))
	p := r.dnsmasq()
	if _, err := r.LookupNetIP(t.Context(), "ip4", "www.example"); err != nil {
		t.Fatal(err)
	}
	p.Process.Kill()
	p.Wait()
	if _, err := r.LookupNetIP(t.Context(), "ip4", "www.example"); err != nil {
		t.Errorf("what was kept for its TTL: %v", err)
	}
	_, err := r.LookupNetIP(t.Context(), "ip4", "four.example")
	if e, ok := errors.AsType[*net.DNSError](err); !ok || e.IsNotFound || !e.IsTemporary || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v", err)
	}
	// And nobody at all: that takes its time-outs.
	r.ip("address del 192.0.2.1/24 dev tap0")
	_, err = r.LookupNetIP(t.Context(), "ip4", "four.example")
	if e, ok := errors.AsType[*net.DNSError](err); !ok || !e.IsTimeout && !e.IsTemporary {
		t.Errorf("%v", err)
	}
	r.dnsmasqAgain(t)
}

// dnsmasqAgain starts the server anew, which is asked again at once.
func (r *rig) dnsmasqAgain(t *testing.T) {
	r.ip("address add 192.0.2.1/24 dev tap0")
	r.dnsmasq()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	found, err := r.LookupNetIP(ctx, "ip4", "four.example")
	if err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
}

// Name servers and search domains come with Router Advertisements.
func TestNamesFromAdvertisements(t *testing.T) {
	t.Parallel()
	need(t, "radvd")
	need(t, "dnsmasq")
	r := newAutoconfRig(t, onlink.IPv6Config{})
	r.dnsmasq()
	conf := filepath.Join(t.TempDir(), "radvd.conf")
	if err := os.WriteFile(conf, []byte(`interface tap0 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4;
	prefix 2001:db8:5::/64 { }; RDNSS 2001:db8:5::1 { }; DNSSL nosuch.example example { }; };`), 0o600); err != nil {
		t.Fatal(err)
	}
	r.start(nil, "radvd", "-n", "-C", conf, "-p", filepath.Join(t.TempDir(), "pid"), "-m", "stderr")
	eventually(t, "the search list is known", func() bool { return len(r.SearchDomains()) == 2 })
	found, err := r.LookupNetIP(t.Context(), "ip", "www")
	if err != nil || len(found) != 2 {
		t.Errorf("%v, %v", found, err)
	}
	if s := r.NameServers(); len(s) != 1 || s[0].Origin != onlink.OriginRA || s[0].Interface != "tap0" || s[0].Addr.String() != "[2001:db8:5::1]:53" {
		t.Errorf("%v", s)
	}
}

// What differs from query to query and from dig to dig.
var (
	digBanner = regexp.MustCompile(`(?m)^; <<>> .* <<>> .*$`)
	digID     = regexp.MustCompile(`id: \d+`)
	digTime   = regexp.MustCompile(`Query time: \d+ msec`)
	digWhen   = regexp.MustCompile(`WHEN: .*`)
)

func digged(s string) string {
	s = digBanner.ReplaceAllString(s, "; <<>> dig <<>>")
	s = digID.ReplaceAllString(s, "id: 0")
	s = digTime.ReplaceAllString(s, "Query time: 0 msec")
	return digWhen.ReplaceAllString(s, "WHEN: now")
}

// onlink dig prints what dig prints, of the same server.
func TestDigAsDig(t *testing.T) {
	t.Parallel()
	need(t, "dig")
	need(t, "dnsmasq")
	n := newNamespace(t)
	up := n.onlink(append([]string{"up", "--control", filepath.Join(t.TempDir(), "s")}, hostArgs("--tap", "tap0")...)...)
	n.appears("tap0", families)
	up.says(t, "192.0.2.2")
	p := n.start(nil, "dnsmasq", dnsmasqArgs()...)
	p.says(t, "started")
	socket := up.Args[3]
	for _, args := range []string{
		"www.example", "www.example AAAA", "AAAA www.example", "alias.example", "text.example TXT", "big.example TXT", "example MX", "example CAA",
		"_sip._udp.example SRV", "odd.example TYPE4711", "nobody.example", "four.example AAAA", "www.elsewhere", "-x 192.0.2.80", "-x 192.0.2.81",
		"www.example +tcp", "www.example +short", "alias.example +short", "big.example TXT +short", "www.example +noall +answer", "nobody.example +short",
		"www.example +noedns", "www.example +norecurse", "www.example +dnssec", "www.example +nocomments", "www.example +nostats +nocmd", "big.example TXT +ignore +noedns",
		"example SOA +noadflag +cdflag", "-t MX example", "www.example -t AAAA +noquestion", "a.b.c.d.e.f.g.h.i.j.k.example",
	} {
		args := append([]string{"@" + v4.kernel}, strings.Fields(args)...)
		// A cookie is not sent by onlink.
		want := n.run("dig", append(slices.Clone(args), "+nocookie")...)
		path, err := command()
		if err != nil {
			t.Fatal(err)
		}
		got := n.run(path, append([]string{"dig", "--socket", socket}, args...)...)
		if g, w := digged(got), digged(want); g != w {
			t.Errorf("%v:\n%s\ndig prints\n%s", args, g, w)
		}
	}
	// A host of its own, and no reply.
	for _, args := range []string{"@192.0.2.1 www.example -p 54 +tries=2 +time=1", "@192.0.2.1 www.example -p 54 +tries=1 +tcp", "@192.0.2.77 www.example +tries=1 +time=1"} {
		want, err := n.try("dig", append(strings.Fields(args), "+nocookie")...)
		got := n.onlink(append([]string{"dig", "--socket", socket}, strings.Fields(args)...)...)
		if code := got.exitCode(t); err == nil || code != want.ProcessState.ExitCode() {
			t.Errorf("%s: exit code %d, dig has %v", args, code, err)
		}
		if g, w := digged(got.stdout.String()), digged(want.stdout.String()); g != w {
			t.Errorf("%s:\n%s\ndig prints\n%s", args, g, w)
		}
	}
	up.interrupt(t)
}
