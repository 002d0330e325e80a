package onlink_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/wire"
)

// sourceExamples are those of RFC 6724, 10.1, in its order: destination, candidates, result. The deprecated one is marked with
// a minus, the temporary one with a t.
var sourceExamples = []struct {
	dst        string
	candidates []string
	want, rule string
}{
	{"2001:db8:1::1", []string{"2001:db8:3::1/64", "fe80::1/64"}, "2001:db8:3::1", "rule 2: prefer appropriate scope"},
	{"ff05::1", []string{"2001:db8:3::1/64", "fe80::1/64"}, "2001:db8:3::1", "rule 2: prefer appropriate scope"},
	{"2001:db8:1::1", []string{"-2001:db8:1::1/64", "2001:db8:2::1/64"}, "2001:db8:1::1", "rule 1: prefer same address"},
	{"fe80::1%eth0", []string{"-fe80::2/64", "2001:db8:1::1/64"}, "fe80::2", "rule 2: prefer appropriate scope"},
	{"2001:db8:1::1", []string{"2001:db8:1::2/64", "2001:db8:3::2/64"}, "2001:db8:1::2", "rule 8: use longest matching prefix"},
	{"2002:c633:6401::1", []string{"t2002:c633:6401::d5e3:7953:13eb:22e8/64", "2001:db8:1::2/64"}, "2002:c633:6401::d5e3:7953:13eb:22e8",
		"rule 6: prefer matching label"},
	{"2001:db8:1::d5e3:0:0:1", []string{"2001:db8:1::2/64", "t2001:db8:1::d5e3:7953:13eb:22e8/64"}, "2001:db8:1::d5e3:7953:13eb:22e8",
		"rule 7: prefer temporary addresses"},
}

// bare returns a stack whose "eth0" has no addresses but the given ones.
func bare(t *testing.T, addresses ...string) (*onlink.Stack, *onlink.Interface) {
	t.Helper()
	s, i := newLinked(t, onlink.InterfaceConfig{IPv6: onlink.IPv6Config{RouterAdvertisements: onlink.RANever}})
	for _, a := range i.Addresses() {
		if err := i.RemoveAddress(a.Addr()); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range addresses {
		opt := onlink.AddressOptions{NoDAD: true, Temporary: strings.HasPrefix(a, "t")}
		if strings.HasPrefix(a, "-") {
			opt.Preferred = -1
		}
		if err := i.AddAddressWith(netip.MustParsePrefix(strings.TrimLeft(a, "t-")), opt); err != nil {
			t.Fatal(err)
		}
	}
	return s, i
}

// The examples of RFC 6724, 10.1: which source is chosen, and that the rule is named by which it is.
func TestExplainSources(t *testing.T) {
	for _, x := range sourceExamples {
		s, _ := bare(t, x.candidates...)
		if err := s.AddRoute(onlink.Route{Prefix: netip.MustParsePrefix("::/0"), Interface: "eth0"}); err != nil {
			t.Fatal(err)
		}
		e, err := s.Explain("ip6", "", x.dst)
		if err != nil || e.Err != nil {
			t.Errorf("%s: %v, %v", x.dst, err, e)
			continue
		}
		if step := e.Steps[3]; e.Source != netip.MustParseAddr(x.want) || step.Decision != e.Source.String() || step.Rule != x.rule {
			t.Errorf("to %s from %v: %+v", x.dst, x.candidates, step)
		}
	}
}

// What somebody reads who asks why.
func TestExplanationText(t *testing.T) {
	s, i := bare(t, "192.0.2.1/24", "2001:db8:1::2/64", "t2001:db8:1::3/64", "-2001:db8:1::4/64")
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	gw := netip.MustParseAddr("2001:db8:1::fe")
	check(s.AddRoute(onlink.Route{Prefix: netip.MustParsePrefix("::/0"), Gateway: gw}))
	check(s.AddRoute(onlink.Route{Prefix: netip.MustParsePrefix("198.51.100.0/24"), Type: onlink.ProhibitRoute}))
	check(i.SetNeighbor(gw, wire.MAC{2, 0, 0, 0, 0, 0xfe}))
	before, err := json.Marshal(s.Snapshot().Neighbors)
	check(err)
	for _, x := range []struct{ network, src, dst, want string }{
		{"tcp", "", "[2001:db8:9::9]:80", `A packet to 2001:db8:9::9:

1. socket call: send to 2001:db8:9::9 by tcp
   A program asks for octets to be sent.

2. transport: a segment
   The transport protocol puts its header in front, with the ports.

3. destination: a unicast address, not one of ours
   Is the destination one that packets can be sent to, and is it ourselves?
   Decided by: it is no address of our interfaces.

4. source: 2001:db8:1::3
   The address that the answer will come back to: one of ours, the best by RFC 6724, 5.
   Decided by: rule 7: prefer temporary addresses.
   - 2001:db8:1::2 on eth0: not by rule 7: prefer temporary addresses
   - 2001:db8:1::3 on eth0: chosen
   - 2001:db8:1::4 on eth0: not by rule 3: avoid deprecated addresses

5. to ourselves: no
   What is for ourselves does not leave: it goes into our own receive queue.
   Decided by: the destination is not one of our addresses.

6. interface: eth0
   A host with several interfaces may be bound to one of them.
   Decided by: the source's is preferred where routes are equal.

7. next hop: 2001:db8:1::fe on eth0
   The neighbor that gets the packet first: the destination itself if it is on the link, else a router; the route with the longest prefix tells.
   Decided by: longest prefix; route ::/0 via 2001:db8:1::fe dev eth0.
   - ::/0 via 2001:db8:1::fe dev eth0, router reachable

8. neighbor: 02:00:00:00:00:fe
   The link wants its own kind of address: the neighbor's is remembered, or asked for.
   Decided by: the neighbor cache has it, PERMANENT.

9. send: eth0, packets of up to 1500 octets
   The headers go in front, the packet waits its turn, and leaves.
   Decided by: Ethernet from 02:00:00:00:00:01.

It leaves from 2001:db8:1::3 by eth0 to 2001:db8:1::fe.
`},
		{"udp", "192.0.2.1:53", "192.0.2.77:53", `8. neighbor: not known
   The link wants its own kind of address: the neighbor's is remembered, or asked for.
   Decided by: not in the neighbor cache: ask by ARP, and queue the packet (RFC 826; RFC 1122, 2.3.2.2).
`},
		{"udp", "192.0.2.1", "198.51.100.9", `7. next hop: prohibit: permission denied
   The neighbor that gets the packet first: the destination itself if it is on the link, else a router; the route with the longest prefix tells.
   Decided by: longest prefix; route prohibit 198.51.100.0/24.
   - prohibit 198.51.100.0/24

It cannot go: permission denied.
`},
		{"udp", "", "203.0.113.1", "4. source: none: network is unreachable\n"},
		{"ip", "", "192.0.2.1", "5. to ourselves: yes\n"},
		{"ip", "", "192.0.2.255", "8. neighbor: ff:ff:ff:ff:ff:ff\n"},
		{"ip6", "", "ff02::5%eth0", "8. neighbor: 33:33:00:00:00:05\n"},
		{"ip", "", "fe80::1", "3. destination: invalid argument\n"},
		{"ip", "2001:db8::99", "2001:db8:1::5", "4. source: 2001:db8::99: cannot assign requested address\n"},
	} {
		e, err := s.Explain(x.network, x.src, x.dst)
		if err != nil || !strings.Contains(e.String(), x.want) {
			t.Errorf("%s to %s: %v\n%v\nwant\n%s", x.src, x.dst, err, e, x.want)
			continue
		}
		b, err := json.Marshal(e)
		if err != nil || !strings.Contains(string(b), `"steps":[{"number":1,"name":"socket call"`) {
			t.Errorf("%s, %v", b, err)
		}
	}
	if after, err := json.Marshal(s.Snapshot().Neighbors); err != nil || string(after) != string(before) {
		t.Errorf("it changed the neighbors: %s, before %s, %v", after, before, err)
	}
	if e, err := s.Explain("udp", "", "198.51.100.9"); err != nil || !errors.Is(e.Err, syscall.EACCES) {
		t.Errorf("%v, %v", e, err)
	}
	for _, x := range [][3]string{{"ipx", "", "::1"}, {"udp", "", "localhost"}, {"udp4", "", "::1"}, {"ip", "x", "::1"}, {"ip", "", "ff02::1%eth9"}} {
		if e, err := s.Explain(x[0], x[1], x[2]); err == nil {
			t.Errorf("%v: %v", x, e)
		}
	}
}
