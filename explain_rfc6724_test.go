package onlink_test

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/onlink-go/onlink"
)

var update = flag.Bool("update", false, "write the golden files anew")

// selection is an example of RFC 6724, 10. The deprecated addresses are marked with a minus, the temporary ones with a t. Prefixes are
// of 64 bits, IPv4's of 16 and 24.
type selection struct {
	sources, destinations string
	want                  string // the source, or the destinations in their order, each with its source
	rule                  string // that decides
	note                  string // what is to be said of it
}

// selections are the examples of one section, and the lines of the policy table that are others than by default.
type selections struct {
	section, policy string
	examples        []selection
}

const homeAddress = "\n   Home and care-of addresses are those of Mobile IPv6 (RFC 6275), which this stack does not speak; so none of\n" +
	"   its addresses is either, and rule 4 is left out. The same addresses without these marks give:"

var rfc6724 = []selections{
	{"10.1. Default Source Address Selection", "", []selection{
		{"2001:db8:3::1 fe80::1", "2001:db8:1::1", "2001:db8:3::1", "rule 2", "The RFC has 2001:db8::1 here, an obvious slip."},
		{"2001:db8:3::1 fe80::1", "ff05::1", "2001:db8:3::1", "rule 2", ""},
		{"-2001:db8:1::1 2001:db8:2::1", "2001:db8:1::1", "2001:db8:1::1", "rule 1", ""},
		{"-fe80::2 2001:db8:1::1", "fe80::1", "fe80::2", "rule 2", ""},
		{"2001:db8:1::2 2001:db8:3::2", "2001:db8:1::1", "2001:db8:1::2", "rule 8", ""},
		{"2001:db8:1::2 2001:db8:3::2", "2001:db8:1::1", "2001:db8:1::2", "rule 8",
			"In the RFC the first is a care-of address and the second, a home address, wins by rule 4." + homeAddress},
		{"t2002:c633:6401::d5e3:7953:13eb:22e8 2001:db8:1::2", "2002:c633:6401::1", "2002:c633:6401:0:d5e3:7953:13eb:22e8", "rule 6", ""},
		{"2001:db8:1::2 t2001:db8:1::d5e3:7953:13eb:22e8", "2001:db8:1::d5e3:0:0:1", "2001:db8:1:0:d5e3:7953:13eb:22e8", "rule 7", ""},
	}},
	{"10.2. Default Destination Address Selection", "", []selection{
		{"2001:db8:1::2 fe80::1 169.254.13.78", "2001:db8:1::1 198.51.100.121", "2001:db8:1::1<2001:db8:1::2 198.51.100.121<169.254.13.78", "rule 2", ""},
		{"fe80::1 198.51.100.117", "2001:db8:1::1 198.51.100.121", "198.51.100.121<198.51.100.117 2001:db8:1::1<fe80::1", "rule 2", ""},
		{"2001:db8:1::2 fe80::1 10.1.2.4", "2001:db8:1::1 10.1.2.3", "2001:db8:1::1<2001:db8:1::2 10.1.2.3<10.1.2.4", "rule 6", ""},
		{"2001:db8:1::2 fe80::2", "2001:db8:1::1 fe80::1", "fe80::1%eth0<fe80::2 2001:db8:1::1<2001:db8:1::2", "rule 8", ""},
		{"2001:db8:1::2 2001:db8:3::1 fe80::2", "2001:db8:1::1 fe80::1", "fe80::1%eth0<fe80::2 2001:db8:1::1<2001:db8:1::2", "rule 8",
			"In the RFC 2001:db8:3::1 is a home address, the others are care-of addresses, and\n   2001:db8:1::1 is first by rule 4, from the home address." + homeAddress},
		{"2001:db8:1::2 -fe80::2", "2001:db8:1::1 fe80::1", "2001:db8:1::1<2001:db8:1::2 fe80::1%eth0<fe80::2", "rule 3", ""},
		{"2001:db8:1::2 2001:db8:3f44::2 fe80::2", "2001:db8:1::1 2001:db8:3ffe::1", "2001:db8:1::1<2001:db8:1::2 2001:db8:3ffe::1<2001:db8:3f44::2", "rule 9", ""},
		{"2002:c633:6401::2 fe80::2", "2002:c633:6401::1 2001:db8:1::1", "2002:c633:6401::1<2002:c633:6401::2 2001:db8:1::1<2002:c633:6401::2", "rule 5", ""},
		{"2002:c633:6401::2 2001:db8:1::2 fe80::2", "2002:c633:6401::1 2001:db8:1::1", "2001:db8:1::1<2001:db8:1::2 2002:c633:6401::1<2002:c633:6401::2", "rule 6", ""},
	}},
	{"10.3. Configuring Preference for IPv6 or IPv4", "::ffff:0:0/96 100 4", []selection{
		{"2001:db8::2 fe80::1 169.254.13.78", "2001:db8::1 198.51.100.121", "2001:db8::1<2001:db8::2 198.51.100.121<169.254.13.78", "rule 2", ""},
		{"fe80::1 198.51.100.117", "2001:db8::1 198.51.100.121", "198.51.100.121<198.51.100.117 2001:db8::1<fe80::1", "rule 2", ""},
		{"2001:db8::2 fe80::1 10.1.2.4", "2001:db8::1 10.1.2.3", "10.1.2.3<10.1.2.4 2001:db8::1<2001:db8::2", "rule 6", ""},
	}},
	{"10.4. Configuring Preference for Link-Local Addresses", "fe80::/10 33 1", []selection{
		{"2001:db8::2 fe80::2", "2001:db8::1 fe80::1", "2001:db8::1<2001:db8::2 fe80::1%eth0<fe80::2", "rule 6", ""},
		{"-2001:db8::2 fe80::2", "2001:db8::1 fe80::1", "fe80::1%eth0<fe80::2 2001:db8::1<2001:db8::2", "rule 3", ""},
	}},
	{"10.5. Configuring a Multi-Homed Site (with the default policy table)", "", []selection{
		{"2001:db8:1aaa::a 2001:db8:70aa::a fe80::a", "2001:db8:1bbb::b 2001:db8:70bb::b", "2001:db8:70bb::b<2001:db8:70aa::a 2001:db8:1bbb::b<2001:db8:1aaa::a", "rule 9", ""},
		{"2001:db8:1aaa::a 2001:db8:70aa::a fe80::a", "2001:db8:1ccc::c 2001:db8:6ccc::c", "2001:db8:1ccc::c<2001:db8:1aaa::a 2001:db8:6ccc::c<2001:db8:70aa::a", "rule 9", ""},
	}},
	{"10.5. Configuring a Multi-Homed Site (with its own)", "2001:db8:1aaa::/48 43 6, 2001:db8:1bbb::/48 43 6", []selection{
		{"2001:db8:1aaa::a 2001:db8:70aa::a fe80::a", "2001:db8:1bbb::b 2001:db8:70bb::b", "2001:db8:1bbb::b<2001:db8:1aaa::a 2001:db8:70bb::b<2001:db8:70aa::a", "rule 6", ""},
		{"2001:db8:1aaa::a 2001:db8:70aa::a fe80::a", "2001:db8:1ccc::c 2001:db8:6ccc::c", "2001:db8:6ccc::c<2001:db8:70aa::a 2001:db8:1ccc::c<2001:db8:70aa::a", "rule 9", ""},
	}},
	{"10.6. Configuring ULA Preference (with the default policy table)", "", []selection{
		{"2001:db8:1::1 fd11:1111:1111:1::1", "2001:db8:2::2 fd22:2222:2222:2::2", "2001:db8:2::2<2001:db8:1::1 fd22:2222:2222:2::2<fd11:1111:1111:1::1", "rule 6", ""},
	}},
	{"10.6. Configuring ULA Preference (with its own)", "fd11:1111:1111::/48 45 14", []selection{
		{"2001:db8:1::1 fd11:1111:1111:1::1", "2001:db8:2::2 fd22:2222:2222:2::2", "2001:db8:2::2<2001:db8:1::1 fd22:2222:2222:2::2<fd11:1111:1111:1::1", "rule 5",
			"The RFC says that rule 6 decides. By its own table rule 5 does before that: the source fd11:1111:1111:1::1 has\n" +
				"   label 14, and its destination 13."},
		{"2001:db8:1::1 fd11:1111:1111:1::1", "2001:db8:2::2 fd11:1111:1111:2::2", "fd11:1111:1111:2::2<fd11:1111:1111:1::1 2001:db8:2::2<2001:db8:1::1", "rule 6", ""},
		{"2001:db8:1::1 fd11:1111:1111:1::1", "ff0e::1", "2001:db8:1::1", "rule 6", "The RFC has ff00:1 here, which is no address; a group of global scope stands for it."},
	}},
	{"10.7. Configuring 6to4 Preference (with the default policy table)", "", []selection{
		{"2002:c633:6401::2 10.1.2.3", "2001:db8:1::1 203.0.113.1", "203.0.113.1<10.1.2.3 2001:db8:1::1<2002:c633:6401::2", "rule 5", ""},
	}},
	{"10.7. Configuring 6to4 Preference (with its own)", "2002:c633:6401::/48 45 14", []selection{
		{"2002:c633:6401:1::1 10.1.2.3", "2002:c633:6401:2::2 203.0.113.1", "2002:c633:6401:2::2<2002:c633:6401:1::1 203.0.113.1<10.1.2.3", "rule 6", ""},
	}},
}

const goldenRFC6724 = "testdata/explain/rfc6724.txt"

// What explain says of each example of RFC 6724, 10: the golden file is to be read as a newcomer would. That the results and rules are
// the RFC's is checked apart from it.
func TestExplainRFC6724(t *testing.T) {
	var b strings.Builder
	b.WriteString("What onlink explain says of the examples of RFC 6724, section 10: of each the step that is in question. The\n" +
		"host has one interface, eth0, by which everything is reached. What words mean is told once.\n")
	for _, x := range rfc6724 {
		fmt.Fprintf(&b, "\n\n%s\n%s\n", x.section, strings.Repeat("=", len(x.section)))
		if x.policy != "" {
			fmt.Fprintf(&b, "\nThe policy table has besides, or instead (prefix, precedence, label): %s.\n", x.policy)
		}
		for i, e := range x.examples {
			fmt.Fprintf(&b, "\n%d) ", i+1)
			e.tell(t, &b, x)
		}
	}
	if *update {
		if err := os.WriteFile(goldenRFC6724, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(goldenRFC6724)
	if err != nil || string(golden) != b.String() {
		t.Errorf("it says other things than %s does (-update writes that anew), %v:\n%s", goldenRFC6724, err, b.String())
	}
}

// tell explains the example of x.
func (e *selection) tell(t *testing.T, b *strings.Builder, x selections) {
	s := e.host(t, x.policy)
	destinations := strings.Fields(e.destinations)
	for i, d := range destinations {
		if strings.HasPrefix(d, "fe80") {
			destinations[i] = d + "%eth0"
		}
	}
	words := strings.NewReplacer("-", "deprecated ", "t", "temporary ", " ", ", ").Replace(e.sources)
	fmt.Fprintf(b, "Ours: %s. To: %s.\n", words, strings.Join(destinations, ", "))
	if e.note != "" {
		fmt.Fprintf(b, "   %s\n", e.note)
	}
	got, err := s.ExplainWith("udp", "", destinations, onlink.ExplainOptions{})
	if err != nil || got.Err != nil {
		t.Errorf("%s: %v, %v", x.section, err, got)
		return
	}
	step, result, rule := got.Steps[3], got.Source.String(), got.Steps[3].Rule
	if len(destinations) > 1 {
		step, result, rule = got.Steps[0], "", got.Destinations[1].Rule
		for _, d := range got.Destinations {
			result = strings.TrimPrefix(result+" "+d.Name+"<"+d.Address.Source.String(), " ")
		}
	}
	if result != e.want || !strings.HasPrefix(rule, e.rule+":") {
		t.Errorf("%s: from %s to %s: %s by %s, want %s by %s", x.section, e.sources, e.destinations, result, rule, e.want, e.rule)
	}
	step.Words = slices.DeleteFunc(step.Words, func(w string) bool {
		return strings.Contains(b.String(), strings.Join(strings.Fields(w)[:4], " ")) // it has been told
	})
	b.WriteString("\n" + step.String())
}

// host makes a host with the example's addresses.
func (e *selection) host(t *testing.T, policy string) *onlink.Stack {
	var addresses []string
	for _, a := range strings.Fields(e.sources) {
		bits := "/64"
		switch {
		case strings.HasPrefix(a, "169.254."):
			bits = "/16"
		case strings.Contains(a, "."):
			bits = "/24"
		}
		addresses = append(addresses, a+bits)
	}
	s, _ := bare(t, addresses...)
	for _, all := range []string{"0.0.0.0/0", "::/0"} {
		if err := s.AddRoute(onlink.Route{Prefix: netip.MustParsePrefix(all), Interface: "eth0"}); err != nil {
			t.Fatal(err)
		}
	}
	table := onlink.DefaultPolicy()
	for _, line := range strings.Split(policy, ", ") {
		var p string
		var entry onlink.PolicyEntry
		if n, _ := fmt.Sscan(line, &p, &entry.Precedence, &entry.Label); n != 3 {
			continue
		}
		entry.Prefix = netip.MustParsePrefix(p)
		table = append(slices.DeleteFunc(table, func(o onlink.PolicyEntry) bool { return o.Prefix == entry.Prefix }), entry)
	}
	if err := s.SetPolicy(table); err != nil {
		t.Fatal(err)
	}
	return s
}
