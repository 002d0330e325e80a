package dns_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink/dns"
)

// ask asks a zone, and writes the response as "NOERROR aa: answers | authority", each "name type data".
func ask(z *dns.Zone, name string, typ dnsmessage.Type) string {
	q := &dnsmessage.Message{Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: typ, Class: dnsmessage.ClassINET}}}
	m := z.Answer(q)
	s := dns.StatusName(m.RCode)
	for i, section := range [][]dnsmessage.Resource{m.Answers, m.Authorities} {
		if i == 1 && len(section) > 0 {
			s += " |"
		}
		for _, r := range section {
			s += fmt.Sprint(" ", r.Header.Name, " ", dns.DataText(r.Body), ";")
		}
	}
	return s
}

// RFC 1034, 4.3.2 and 4.3.3: what a zone answers.
func TestZone(t *testing.T) {
	z, err := dns.ParseZone(`
; a comment
example.       60 SOA   ns.example. root.example. 1 2 3 4 5
sub.example.   60 SOA   ns.sub.example. root.example. 1 2 3 4 5
www.example    60 IN A  192.0.2.1      ; without a dot
WWW.example.      AAAA  2001:db8::1
alias.example  60 CNAME www.example
away.example   60 CNAME www.elsewhere
a.b.example    60 TXT   "x; y" z
*.wild.example 60 A     192.0.2.9
here.wild.example 60 TXT x
x.sub.example  60 A     192.0.2.7
loop.example   60 CNAME pool.example
pool.example   60 CNAME loop.example
`)
	if err != nil {
		t.Fatal(err)
	}
	const soa, sub = " | example. ns.example. root.example. 1 2 3 4 5;", " | sub.example. ns.sub.example. root.example. 1 2 3 4 5;"
	for _, c := range []struct {
		name string
		typ  dnsmessage.Type
		want string
	}{
		{"www.example.", dnsmessage.TypeA, "NOERROR www.example. 192.0.2.1;"},
		{"wWw.example.", dnsmessage.TypeAAAA, "NOERROR wWw.example. 2001:db8::1;"},
		{"www.example.", dnsmessage.TypeALL, "NOERROR www.example. 192.0.2.1; www.example. 2001:db8::1;"},
		{"www.example.", dnsmessage.TypeMX, "NOERROR" + soa},
		{"alias.example.", dnsmessage.TypeA, "NOERROR alias.example. www.example.; www.example. 192.0.2.1;"},
		{"alias.example.", dnsmessage.TypeCNAME, "NOERROR alias.example. www.example.;"},
		{"alias.example.", dnsmessage.TypeMX, "NOERROR alias.example. www.example.;" + soa},
		{"away.example.", dnsmessage.TypeA, "NXDOMAIN away.example. www.elsewhere.;"},
		{"none.example.", dnsmessage.TypeA, "NXDOMAIN" + soa},
		{"none.sub.example.", dnsmessage.TypeA, "NXDOMAIN" + sub},
		{"b.example.", dnsmessage.TypeA, "NOERROR" + soa}, // there is something below it
		{"a.b.example.", dnsmessage.TypeTXT, `NOERROR a.b.example. "x; y" "z";`},
		{"any.wild.example.", dnsmessage.TypeA, "NOERROR any.wild.example. 192.0.2.9;"},
		{"a.any.wild.example.", dnsmessage.TypeA, "NOERROR a.any.wild.example. 192.0.2.9;"},
		{"here.wild.example.", dnsmessage.TypeA, "NOERROR" + soa},
		{".", dnsmessage.TypeNS, "NXDOMAIN"},
	} {
		if got := ask(z, c.name, c.typ); got != c.want {
			t.Errorf("%s %v: %s, want %s", c.name, c.typ, got, c.want)
		}
	}
	if got := ask(z, "loop.example.", dnsmessage.TypeA); !strings.HasPrefix(got, "NOERROR loop.example. pool.example.;") {
		t.Errorf("a loop: %s", got)
	}
}

func TestParseZoneErrors(t *testing.T) {
	for text, want := range map[string]string{
		"a..b A 192.0.2.1":                   `line 1: "a..b" is not a domain name`,
		"\nx A":                              "line 2: A has 1 fields, not 0",
		"x A 2001:db8::1":                    "not an address of the type",
		"x AAAA 192.0.2.1":                   "not an address of the type",
		"x AAAA fe80::1%eth0":                "not an address of the type",
		"x MX ten a.b":                       `"ten" is not a number of 16 bits`,
		"x MX 65536 a.b":                     "not a number of 16 bits",
		"x NSEC y":                           `type "NSEC" is not one that can be read`,
		"x":                                  "there is no type",
		"x 60 IN":                            "there is no type",
		"x TXT":                              "TXT has no text",
		`x TXT "y`:                           "a quotation mark is missing",
		"x TXT " + strings.Repeat("y", 256):  "256 octets",
		"x CNAME " + strings.Repeat("y", 64): "is not a domain name",
		"x SRV 1 2 99999 a":                  "not a number",
		"x SOA a b 1 2 3 4":                  "SOA has 7 fields, not 6",
		"x 4294967295 A 192.0.2.1":           `type "4294967295"`,
		strings.Repeat("abcdefg.", 33) + " A 192.0.2.1": "is not a domain name",
	} {
		if _, err := dns.ParseZone(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestNames(t *testing.T) {
	for name, is := range map[string][2]bool{ // IsName, IsHostName
		"a": {true, true}, "a.b.": {true, true}, ".": {true, true}, "": {}, "..": {}, "a..b": {}, ".a": {}, "_sip._udp.x": {true, true},
		"-a.b": {true, false}, "a-.b": {true, false}, "a-b": {true, true}, "192.0.2.1": {true, false}, "0/25.2.0.192.in-addr.arpa": {true, false},
		"a b": {}, "a\x00b": {}, "a:b": {}, "a%b": {}, strings.Repeat("a", 63): {true, true}, strings.Repeat("a", 64): {},
		strings.Repeat("a.", 126) + "a": {true, true}, strings.Repeat("a.", 127) + "a": {}, "ü.example": {true, false},
	} {
		if got := [2]bool{dns.IsName(name), dns.IsHostName(name)}; got != is {
			t.Errorf("%q: %v, want %v", name, got, is)
		}
	}
}

func TestText(t *testing.T) {
	name := dnsmessage.MustNewName("a.example.")
	for _, c := range []struct {
		body dnsmessage.ResourceBody
		want string
	}{
		{&dnsmessage.TXTResource{TXT: []string{`a "b\`, "\x00\xff ;"}}, `"a \"b\\" "\000\255 ;"`},
		{&dnsmessage.UnknownResource{Type: 4711, Data: []byte{1, 0xab}}, `\# 2 01AB`},
		{&dnsmessage.UnknownResource{Type: 257, Data: []byte("\x00\x05issueca.example")}, `0 issue "ca.example"`},
		{&dnsmessage.UnknownResource{Type: 257, Data: []byte("\x00\x09issue")}, `\# 7 00096973737565`},
		{&dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("a\x1b[m.b;c.")}, `a\027[m.b\;c.`},
		{&dnsmessage.HTTPSResource{SVCBResource: dnsmessage.SVCBResource{Priority: 1, Target: dnsmessage.MustNewName("."), Params: []dnsmessage.SVCParam{
			{Key: dnsmessage.SVCParamALPN, Value: []byte("\x02h2\x02h3")}, {Key: dnsmessage.SVCParamPort, Value: []byte{1, 0xbb}},
			{Key: dnsmessage.SVCParamIPv4Hint, Value: []byte{192, 0, 2, 1, 192, 0, 2, 2}}, {Key: 9, Value: []byte("x")}}}},
			`1 . alpn="h2,h3" port=443 ipv4hint=192.0.2.1,192.0.2.2 key9="x"`},
		{&dnsmessage.SRVResource{Priority: 1, Weight: 2, Port: 3, Target: name}, "1 2 3 a.example."},
	} {
		if got := dns.DataText(c.body); got != c.want {
			t.Errorf("%v: %s, want %s", c.body.GoString(), got, c.want)
		}
	}
	for text, want := range map[string]dnsmessage.Type{"a": 1, "AAAA": 28, "type28": 28, "TYPE65535": 65535, "any": 255, "https": 65} {
		if got, ok := dns.ParseType(text); !ok || got != want {
			t.Errorf("%s: %d, %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "type", "type65536", "nosuch", "type-1"} {
		if got, ok := dns.ParseType(text); ok {
			t.Errorf("%s: %d", text, got)
		}
	}
	if got := []string{dns.TypeName(28), dns.TypeName(4711), dns.StatusName(3), dns.StatusName(16), dns.StatusName(99), dns.ClassName(3)}; !slices.Equal(got,
		[]string{"AAAA", "TYPE4711", "NXDOMAIN", "BADVERS", "RESERVED99", "CH"}) {
		t.Errorf("%q", got)
	}
}
