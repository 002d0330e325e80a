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
		{"tcp", "", "[2001:db8:9::9]:80", `
4. Which of our addresses does the packet come from?
   → 2001:db8:1::3, by rule 7: prefer temporary addresses [RFC 6724, 5]
     Candidates are the addresses of eth0, by which the packet would leave: the route default (::/0) via
     2001:db8:1::fe dev eth0 says so (RFC 6724, 4).
     - 2001:db8:1::2/64 on eth0, scope global, preferred, label 1
         loses by rule 7: prefer temporary addresses (public; the chosen one: temporary)
     * 2001:db8:1::3/64 on eth0, scope global, preferred, temporary, label 1
     - 2001:db8:1::4/64 on eth0, scope global, deprecated, label 1
         loses by rule 3: avoid deprecated addresses (deprecated; the chosen one: preferred)
`},
		{"tcp", "", "[2001:db8:9::9]:80", `
8. What is the hardware address of that neighbor?
   → 02:00:00:00:00:fe, because the neighbor cache has it [RFC 4861, 7.3.3]
     read from neighbor 2001:db8:1::fe dev eth0 lladdr 02:00:00:00:00:fe, PERMANENT
`},
		{"tcp", "", "[2001:db8:9::9]:80", "\nSo it leaves from 2001:db8:1::3 by eth0, to the router 2001:db8:1::fe.\n"},
		{"udp", "192.0.2.1:53", "192.0.2.77:53", `
9. What goes onto the link?
   → first a question, an ARP request to all on eth0: who has 192.0.2.77?; the packet waits for the answer
     MTU, the size of the largest packet: 1500 octets, the interface's.
     first  the ARP request
       Ethernet  02:00:00:00:00:01 → ff:ff:ff:ff:ff:ff, type 0x0806 (ARP)
       ARP       who has 192.0.2.77? tell 192.0.2.1
     then   the UDP datagram
       Ethernet  02:00:00:00:00:01 → what the answer says, type 0x0800 (IPv4)
       IPv4      192.0.2.1 → 192.0.2.77, TTL 64, DF set, protocol 17 (UDP)
       UDP       from port 53 to port 53
`},
		{"udp", "192.0.2.1", "198.51.100.9", `
7. Which neighbor on the link gets it first?
   → nowhere: prohibit: permission denied,
     because its prefix is the longest that covers the destination [RFC 4861, 5.2; RFC 1122, 3.3.1.1]
     read from route prohibit 198.51.100.0/24 (static), table main
     · Link: an Ethernet, say. Neighbors are the machines on it: there is no router between them and us.

So it cannot go. The program gets the error: permission denied.
`},
		{"udp", "", "198.51.100.9", `
4. Which of our addresses does the packet come from?
   → none: permission denied,
     because packets to there end here, by a route or rule of type prohibit, so there is no interface whose
     addresses to choose among [RFC 6724, 4]
     read from route prohibit 198.51.100.0/24 (static), table main
`},
		{"udp", "", "203.0.113.1", "   → none: network is unreachable,\n"},
		{"tcp", "", "192.0.2.1:80", "   → yes, because the destination is one of our addresses\n     But nobody listens on TCP port 80"},
		{"ip", "", "192.0.2.255", "   → ff:ff:ff:ff:ff:ff, because"},
		{"udp", "", "255.255.255.255:67", "\nSo it leaves from 192.0.2.1 by eth0, to all on the link.\n"},
		{"ip6", "", "ff02::5%eth0", "   → 33:33:00:00:00:05, because"},
		{"ip", "", "fe80::1", "   → no: invalid argument,\n     because a link-local address means another machine on each link"},
		{"ip", "2001:db8::99", "2001:db8:1::5", "   → 2001:db8::99: cannot assign requested address, because"},
		{"tcp", "", "[ff02::5%eth0]:80", "3. Can packets be sent to this destination, and is it ourselves?\n   → a multicast group: network is unreachable,\n"},
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
