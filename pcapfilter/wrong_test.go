package pcapfilter

import (
	"strings"
	"testing"

	"github.com/onlink-go/onlink/link"
)

// wrong is what is refused: the word that is named, and what is said of it. tcpdump says that tcpdump takes it: what it would
// look up, and what is not implemented.
var wrong = []struct {
	expr, word, reason string
	tcpdump            bool
}{
	{"192.0.2.1", "192.0.2.1", "say before it what it is", false},
	{"tcp prot 80", "prot", "and, or, or the end", false},
	{"port 80 and", "", "something is missing", false},
	{"port", "", "a port is missing", false},
	{"host", "", "an address is missing", false},
	{"and", "and", "where a primitive should be", false},
	{"()", ")", "where a primitive should be", false},
	{"(port 80", "(", "is not closed", false},
	{"port 80)", ")", "closes what was not opened", false},
	{"tcp[(1]) = 1", "]", "closes what was not opened", false},
	{"port 70000", "70000", "65535", false},
	{"portrange 1-70000", "1-70000", "65535", false},
	{"portrange x-y", "x-y", "is not a port", false},
	{"portrange http", "http", "is not a range of ports", false},
	{"host 192.0.2.256", "192.0.2.256", "0 to 255", false},
	{"net 192.0.2.1/24", "192.0.2.1", "not in its mask", false},
	{"net 192.0.2.0/33", "33", "0 to 32", false},
	{"net 2001:db8::1/32", "2001:db8::1", "beyond its prefix length", false},
	{"net 2001:db8::/129", "129", "0 to 128", false},
	{"host 192.0.2.0/24", "24", "a mask belongs to a net", false},
	{"host 2001:db8::/32", "32", "a mask belongs to a net", false},
	{"ip host 2001:db8::1", "2001:db8::1", "is an IPv6 address", false},
	{"ip6 host 192.0.2.1", "192.0.2.1", "is an IPv4 address", false},
	{"tcp host 192.0.2.1", "192.0.2.1", "tcp has no addresses", false},
	{"ip port 80", "80", "ip has no ports", false},
	{"tcp and 80", "80", "host, net, port or proto is missing", false},
	{"(port 80) or 443", "443", "host, net, port or proto is missing", false},
	{"host 02:00:00:00:00:01", "02:00:00:00:00:01", "is a link address", false},
	{"ether host 192.0.2.1", "192.0.2.1", "is not a link address", false},
	{"ether", "ether", "alone says nothing", false},
	{"vlan 4096", "4096", "0 to 4095", false},
	{"tcp broadcast", "broadcast", "of ether, ip or ip6", false},
	{"ip6 broadcast", "broadcast", "IPv6 has no broadcast", false},
	{"ip[0:3] = 1", "3", "1, 2 or 4", false},
	{"ip[0]", "", "is expected", false},
	{"ip[0] = ", "", "is expected", false},
	{"ah[0] = 1", "ah", "has no octets", false},
	{"len = 1 / 0", "/", "divides by zero", false},
	{"len = 1 % 0", "%", "divides by zero", false},
	{"len = 1 << 32", "<<", "more than 31", false},
	{"len = 08", "08", "not a number of 32 bits", false},
	{"len = 4294967296", "4294967296", "not a number of 32 bits", false},
	{"len = 0x1_0", "0x1_0", "is expected", false},
	{"1-2 > 0", "1-2", "is not a word", false},
	{"src proto 6", "proto", "has no direction", false},
	{"tcp port tftp", "tftp", "not a service of tcp", false},
	{"port nonsense", "nonsense", "is not a port", false},
	{"ip proto nonsense", "nonsense", "is not a protocol", false},
	{"tcp proto 6", "6", "does not say what it carries", false},
	{"gateway a", "gateway", "looked up", false},
	{"less x", "x", "length in octets", false},
	{"tcp ; udp", ";", "not part of the language", false},
	{"tcp 'x'", "'", "not part of the language", false},
	{`proto \`, `\`, "before a name", false},
	{"tcp; port 80", ";", "not part of the language", false},

	{"inbound", "inbound", "cannot see it", false},
	{"host localhost", "localhost", "not looked up", true},
	{"ip protochain 6", "protochain", "loop", true},
	{"mpls", "mpls", "not supported", true},
	{"iso", "iso", "not supported", true},
	{"atalk", "atalk", "not supported", true},
	{"ifindex 1", "ifindex", "choose the interface", false},
	{"byte 0 = 1", "byte", "ether", true},
	{"ip proto 256", "256", "numbers up to 255", true},
	{"ether proto 65536", "65536", "numbers up to 65535", true},
	{strings.Repeat("(", 600) + "tcp" + strings.Repeat(")", 600), "(", "nested too deep", true},
	{strings.TrimSuffix(repeatf("host 10.0.%d.1 or ", 256)+repeatf("host 10.1.%d.1 or ", 256), "or "), "", "more than 4096", true},
}

// Errors name the word and its place.
func TestWrong(t *testing.T) {
	for _, row := range wrong {
		_, err := Compile(row.expr, link.Ethernet, Options{})
		e, ok := err.(*Error)
		if !ok {
			t.Errorf("%.60q: %v", row.expr, err)
			continue
		}
		if row.word == "" && e.Word == row.expr {
			row.word = row.expr // it is about the whole
		}
		if e.Word != row.word || !strings.Contains(e.Reason, row.reason) {
			t.Errorf("%.60q: %v", row.expr, err)
		}
		if e.Offset > len(row.expr) || !strings.HasPrefix(row.expr[e.Offset:], e.Word) {
			t.Errorf("%.60q: %q is not at %d", row.expr, e.Word, e.Offset)
		}
	}
	for expr, want := range map[string]string{
		"tcp prot 80": `filter "tcp prot 80": "prot" at 5: and, or, or the end is expected`,
		"tcp or":      `filter "tcp or": at its end: something is missing`,
	} {
		if _, err := Compile(expr, link.Ethernet, Options{}); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
