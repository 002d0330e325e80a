package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/mem"
)

// newSteered makes a stack with the interfaces eth0 (192.0.2.1/24, 2001:db8::1/64) and eth1, whose links lead nowhere.
func newSteered(t *testing.T) (*onlink.Stack, string) {
	t.Helper()
	s, path := newControlled(t)
	quiet := onlink.InterfaceConfig{DisableDAD: true, IPv6: onlink.IPv6Config{NoLinkLocal: true, RouterAdvertisements: onlink.RANever}}
	for i, name := range []string{"eth0", "eth1"} {
		a, _ := mem.Pair(mem.Config{})
		cfg := quiet
		if i == 0 {
			cfg.Addresses = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8::1/64")}
		}
		if _, err := s.AddLink(name, a, cfg); err != nil {
			t.Fatal(err)
		}
	}
	return s, path
}

// steps are commands and what they must print; a line that begins with "-" is one that must not be there.
type step struct{ line, want string }

// steer runs commands that must succeed.
func steer(t *testing.T, path string, steps []step) {
	t.Helper()
	for _, x := range steps {
		code, out, errs := called(t, x.line+" --socket "+path)
		if code != 0 || errs != "" {
			t.Errorf("%s: exit code %d, %q", x.line, code, errs)
		}
		for _, want := range strings.Split(x.want, "\n") {
			if no, ok := strings.CutPrefix(want, "-"); ok && no != "" {
				if strings.Contains(out, no) {
					t.Errorf("%s: %q must not be in\n%s", x.line, no, out)
				}
			} else if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", x.line, want, out)
			}
		}
		if x.want == "" && out != "" {
			t.Errorf("%s: printed %q", x.line, out)
		}
	}
}

func TestAddr(t *testing.T) {
	_, path := newSteered(t)
	steer(t, path, []step{
		{"addr add 192.0.2.7/24 dev eth0", ""},
		{"addr show dev eth0", "    inet 192.0.2.7/24 scope global eth0\n       valid_lft forever preferred_lft forever"},
		{"a a 2001:db8::7/64 dev eth0 valid_lft 3600 preferred_lft 1800 nodad noprefixroute", ""},
		{"addr sh eth0", "inet6 2001:db8::7/64 scope global dynamic nodad noprefixroute\nvalid_lft 3"},
		{"addr show dynamic", "2001:db8::7\n-192.0.2\n-lo:"},
		{"addr change 2001:db8::7/64 dev eth0 valid_lft forever preferred_lft 0", ""},
		{"addr show to 2001:db8::7/128", "deprecated\nvalid_lft forever preferred_lft 0sec"},
		{"addr replace 198.51.100.1/32 dev eth1 brd +", ""},
		{"addr replace 198.51.100.1/32 dev eth1 valid_lft 99", ""},
		{"-o -4 addr", "2: eth0    inet 192.0.2.1/24 scope global eth0\\       valid_lft forever\n3: eth1    inet 198.51.100.1/32 scope global dynamic eth1\\       valid_lft 9\n-inet6"},
		{"-br addr show eth1", "eth1             UP             198.51.100.1/32"},
		{"addr del 192.0.2.7/24 dev eth0", ""},
		{"addr del 2001:db8::7 dev eth0", ""},
		{"addr", "2001:db8::1/64\n-192.0.2.7\n-2001:db8::7"},
		{"addr flush dev eth1", ""},
		{"addr show eth1", "3: eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500\n-inet"},
		{"addr add 10.0.0.1 dev eth1", ""},
		{"addr show eth1", "inet 10.0.0.1/32"},
		{"addr help", "onlink addr {add | change | replace}"},
	})
}

func TestLink(t *testing.T) {
	s, path := newSteered(t)
	steer(t, path, []step{
		{"link show dev eth1", "3: eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo state UP\n    link/ether"},
		{"link set eth1 mtu 1400 down", ""},
		{"link show eth1", "<BROADCAST,MULTICAST> mtu 1400 qdisc pfifo state DOWN"},
		{"link show up", "-eth1:\neth0:"},
		{"link set dev eth1 up", ""},
		{"-s l sh eth1", "    RX:  bytes packets errors dropped  missed   mcast\n    TX:  bytes packets errors dropped carrier collsns"},
	})
	if i := s.Interface("eth1").State(); i.Down || i.MTU != 1400 {
		t.Errorf("%+v", i)
	}
}

func TestRoute(t *testing.T) {
	s, path := newSteered(t)
	steer(t, path, []step{
		{"route add default via 192.0.2.9", ""},
		{"route add default via 2001:db8::9 metric 7 pref high", ""},
		{"route", "default via 192.0.2.9 dev eth0 proto static\ndefault via 2001:db8::9 dev eth0 proto static metric 7"},
		{"route show default", "default via 192.0.2.9\n-connected"},
		{"route get 203.0.113.5", "203.0.113.5 via 192.0.2.9 dev eth0 src 192.0.2.1"},
		{"route get 2001:db8:5::1", "2001:db8:5::1 via 2001:db8::9 dev eth0 src 2001:db8::1"},
		{"route get 192.0.2.1", "local 192.0.2.1 dev lo table local src 192.0.2.1"},
		{"route get 192.0.2.5 oif eth0", "192.0.2.5 dev eth0 src 192.0.2.1"},
		{"r a blackhole 198.51.100.0/24", ""},
		{"route show 198.51.100.0/24", "blackhole 198.51.100.0/24 proto static"},
		{"route add unreachable 2001:db8:dead::/48 metric 5", ""},
		{"route show type unreachable", "unreachable 2001:db8:dead::/48 proto static metric 5"},
		{"route add 10.0.0.0/8 nexthop via 192.0.2.3 weight 3 nexthop via 192.0.2.4 metric 20", ""},
		{"route show exact 10.0.0.0/8", "10.0.0.0/8 proto static metric 20\n\tnexthop via 192.0.2.3 dev eth0 weight 3\n\tnexthop via 192.0.2.4 dev eth0 weight 1"},
		{"-j route show 10.0.0.0/8", `[{"dst":"10.0.0.0/8","protocol":"static","metric":20,"flags":[],"nexthops":[{"gateway":"192.0.2.3","dev":"eth0","weight":3,"flags":[]},{"gateway":"192.0.2.4","dev":"eth0","weight":1,"flags":[]}]}]`},
		{"route del 10.0.0.0/8", ""},
		{"route add 10.1.0.0/16 via 192.0.2.3 table 7 mtu 1400 hoplimit 9 advmss 1300 initcwnd 20 rto_min 300ms src 192.0.2.1", ""},
		{"route show table 7", "10.1.0.0/16 via 192.0.2.3 dev eth0 table 7 proto static src 192.0.2.1 mtu 1400 hoplimit 9 advmss 1300 initcwnd 20 rto_min 300ms"},
		{"-j route show table 7", `"table":"7","protocol":"static","prefsrc":"192.0.2.1","flags":[],"metrics":[{"mtu":1400,"advmss":1300,"hoplimit":9,"initcwnd":20,"rto_min":300}]`},
		{"route show table all", "table 7\ndefault via 192.0.2.9"},
		{"route replace default via 192.0.2.8", ""},
		{"route show via 192.0.2.8", "default via 192.0.2.8"},
		{"route change default via 192.0.2.7", ""},
		{"route append default via 192.0.2.6", ""},
		{"-4 route show default", "default via 192.0.2.7\ndefault via 192.0.2.6\n-192.0.2.8\n-2001"},
		{"route del default via 192.0.2.6", ""},
		{"route del default", ""},
		{"-4 route show default", ""},
		{"route add 203.0.113.0/24 via 10.9.9.9 dev eth1 onlink", ""},
		{"route show 203.0.113.0/24", "203.0.113.0/24 via 10.9.9.9 dev eth1 onlink proto static"},
		{"route show root 203.0.0.0/8", "203.0.113.0/24"},
		{"route show match 203.0.113.9", "203.0.113.0/24\n-192.0.2.0/24"},
		{"route show scope link", "192.0.2.0/24 dev eth0 proto kernel scope link\n-203.0.113"},
		{"route show table local", "local 192.0.2.1 dev eth0 table local proto kernel scope host src 192.0.2.1"},
		{"route flush dev eth1", ""},
		{"route show root 203.0.113.0/24", ""},
		{"route flush table 7", ""},
		{"route show table 7", ""},
	})
	for _, r := range s.Routes() {
		if r.Metric == 20 {
			t.Errorf("%v is still there", r)
		}
	}
}

func TestNeigh(t *testing.T) {
	_, path := newSteered(t)
	steer(t, path, []step{
		{"neigh", ""},
		{"neigh add 192.0.2.5 lladdr 02:00:00:00:00:05 dev eth0 nud permanent", ""},
		{"neigh add 2001:db8::5 lladdr 02:00:00:00:00:05 dev eth0", ""},
		{"n", "192.0.2.5 dev eth0 lladdr 02:00:00:00:00:05 PERMANENT\n2001:db8::5 dev eth0"},
		{"-6 neigh show dev eth0", "2001:db8::5\n-192.0.2.5"},
		{"neigh show 192.0.2.5", "192.0.2.5\n-2001"},
		{"neigh show nud permanent", "192.0.2.5"},
		{"neigh show nud reachable", ""},
		{"neigh change 192.0.2.5 lladdr 02:00:00:00:00:06 dev eth0", ""},
		{"neigh get 192.0.2.5 dev eth0", "192.0.2.5 dev eth0 lladdr 02:00:00:00:00:06 PERMANENT"},
		{"-j neigh show 192.0.2.5", `[{"dst":"192.0.2.5","dev":"eth0","lladdr":"02:00:00:00:00:06","state":["PERMANENT"]}]`},
		{"neigh replace 192.0.2.6 lladdr 02:00:00:00:00:06 dev eth0", ""},
		{"neigh flush all", ""},
		{"neigh show", "192.0.2.6\n192.0.2.5"}, // as with ip, what was configured stays
		{"neigh del 192.0.2.6 dev eth0", ""},
		{"neigh flush nud permanent", ""},
		{"neigh show", ""},
		{"neigh add proxy 2001:db8::77 dev eth1", ""},
		{"neigh show proxy", "2001:db8::77 dev eth1 proxy"},
		{"neigh del proxy 2001:db8::77 dev eth1", ""},
		{"neigh show proxy", ""},
	})
}

func TestRule(t *testing.T) {
	_, path := newSteered(t)
	steer(t, path, []step{
		{"rule", "32766:\tfrom all lookup main\n32767:\tfrom all lookup default"},
		{"rule add from 192.0.2.0/24 fwmark 0x10/0xff table 7", ""},
		{"-4 rule show", "32765:\tfrom 192.0.2.0/24 fwmark 0x10/0xff lookup 7"},
		{"-6 rule", "-192.0.2\n32766:"},
		{"rule add to 2001:db8:5::/48 iif eth0 prohibit pref 100", ""},
		{"-6 rule show", "100:\tfrom all to 2001:db8:5::/48 iif eth0 prohibit"},
		{"-j -6 rule show pref 100", `[{"priority":100,"src":"all","dst":"2001:db8:5::","dstlen":48,"iif":"eth0","action":"prohibit"}]`},
		{"-6 rule add not oif eth1 tos 0x10 table main priority 50", ""},
		{"-6 rule show", "50:\tnot from all tos 0x10 oif eth1 lookup main"},
		{"-6 rule del priority 50", ""},
		{"rule del from 192.0.2.0/24 fwmark 0x10/0xff table 7", ""},
		{"rule del to 2001:db8:5::/48 iif eth0 prohibit", ""},
		{"rule", "-192.0.2\n-prohibit\n-tos\nlookup main"},
		{"-4 rule flush", ""},
		{"-4 rule", ""},
	})
}

func TestMaddr(t *testing.T) {
	s, path := newSteered(t)
	steer(t, path, []step{
		{"maddr show dev eth0", "2:\teth0\n\tlink  33:33:00:00:00:01\n\tinet  224.0.0.1\n\tinet6 ff02::1:ff00:1"},
		{"maddr add 233.252.0.5 dev eth0", ""},
		{"maddr add ff05::db8:5 dev eth0", ""},
		{"-d maddr show dev eth0", "\tinet  233.252.0.5 IGMPv3\n\tinet6 ff05::db8:5 MLDv2\n\tlink  01:00:5e:7c:00:05"},
		{"-j -4 maddr show dev eth0", `{"family":"inet","address":"233.252.0.5","users":1,"protocol":"IGMPv3"}`},
		{"maddr del 233.252.0.5 dev eth0", ""},
		{"maddr del ff05::db8:5 dev eth0", ""},
		{"maddr", "-233.252\n-ff05"},
	})
	for _, g := range s.Snapshot().Groups {
		if g.Users > 0 && !g.Group.IsLinkLocalMulticast() && !g.Group.IsInterfaceLocalMulticast() {
			t.Errorf("left behind: %v", g)
		}
	}
}

func TestPolicy(t *testing.T) {
	_, path := newSteered(t)
	steer(t, path, []step{
		{"policy", "prefix ::/0 precedence 40 label 1\nprefix ::ffff:0.0.0.0/96 precedence 35 label 4"},
		{"policy add prefix 2001:db8::/32 precedence 45 label 9", ""},
		{"policy add 10.0.0.0/8 precedence 100 label 8", ""},
		{"policy show", "prefix 2001:db8::/32 precedence 45 label 9\nprefix ::ffff:10.0.0.0/104 precedence 100 label 8"},
		{"-j policy", `{"address":"2001:db8::","prefixlen":32,"precedence":45,"label":9}`},
		{"policy change 2001:db8::/32 precedence 46 label 9", ""},
		{"policy show", "precedence 46"},
		{"policy del 2001:db8::/32", ""},
		{"policy", "-2001:db8"},
		{"policy flush", ""},
		{"policy", ""},
		{"policy default", ""},
		{"policy", "prefix ::1/128 precedence 50 label 0"},
	})
}

// state is what commands can change, as text.
func state(t *testing.T, s *onlink.Stack) string {
	t.Helper()
	snap := s.Snapshot()
	snap.Counters, snap.Hosts, snap.Sockets, snap.Gateways = onlink.Snapshot{}.Counters, nil, nil, nil
	for i := range snap.Interfaces {
		snap.Interfaces[i].Received, snap.Interfaces[i].Sent = onlink.LinkStats{}, onlink.LinkStats{}
		for k := range snap.Interfaces[i].Addresses {
			a := &snap.Interfaces[i].Addresses[k]
			a.Valid, a.Preferred = 0, 0
		}
	}
	b, err := json.Marshal(snap)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Wrong requests get one clear line, the right exit code, and change nothing.
func TestWrongRequests(t *testing.T) {
	s, path := newSteered(t)
	steer(t, path, []step{
		{"route add 10.0.0.0/8 via 192.0.2.9 metric 5", ""},
		{"neigh add 192.0.2.5 lladdr 02:00:00:00:00:05 dev eth0", ""},
		{"rule add from 10.0.0.0/8 table 7 pref 9", ""},
		{"maddr add ff05::db8:5 dev eth0", ""},
	})
	before := state(t, s)
	for _, x := range []struct {
		line string
		code int
		want string
	}{
		// What is not there, or is there already.
		{"addr add 10.0.0.1/8 dev eth9", exitFailed, `there is no interface "eth9", but lo, eth0, eth1`},
		{"addr show eth9", exitFailed, `there is no interface "eth9"`},
		{"link set eth9 up", exitFailed, `there is no interface "eth9"`},
		{"route add 10.5.0.0/16 dev eth9", exitFailed, `there is no interface "eth9"`},
		{"addr add 192.0.2.1/24 dev eth0", exitFailed, "192.0.2.1/24: the interface has it already"},
		{"addr del 192.0.2.77/24 dev eth0", exitFailed, "192.0.2.77/24: not on interface eth0"},
		{"addr del 192.0.2.1/25 dev eth0", exitFailed, "as 192.0.2.1/24"},
		{"addr change 192.0.2.77/24 dev eth0 valid_lft 9", exitFailed, "not on interface eth0"},
		{"route add 10.0.0.0/8 via 192.0.2.8 metric 5", exitFailed, "route to 10.0.0.0/8: there is one already: 10.0.0.0/8 via 192.0.2.9"},
		{"route add 192.0.2.0/24 dev eth1", exitFailed, "there is one already: 192.0.2.0/24 dev eth0"},
		{"route append 10.0.0.0/8 via 192.0.2.9 metric 5", exitFailed, "file exists"},
		{"route del 10.77.0.0/16", exitFailed, "route to 10.77.0.0/16: there is none"},
		{"route change 10.77.0.0/16 via 192.0.2.9", exitFailed, "there is none to change"},
		{"route add 10.5.0.0/16 via 203.0.113.1", exitFailed, "gateway 203.0.113.1 is on no link of ours"},
		{"route add 10.5.0.0/16 via 192.0.2.1", exitFailed, "our own address"},
		{"route add 10.5.0.0/16", exitFailed, "needs a gateway or an interface"},
		{"route add 10.5.0.0/16 nexthop via 192.0.2.3 nexthop via 203.0.113.1", exitFailed, "203.0.113.1 is on no link"},
		{"route replace 10.0.0.0/8 metric 5 nexthop via 192.0.2.3 nexthop via 203.0.113.1", exitFailed, "203.0.113.1 is on no link"},
		{"route add 10.5.0.0/16 via 192.0.2.9 src 192.0.2.200", exitFailed, "192.0.2.200 is no address of ours"},
		{"route get 203.0.113.1", exitFailed, "203.0.113.1: network is unreachable"},
		{"neigh add 192.0.2.5 lladdr 02:00:00:00:00:09 dev eth0", exitFailed, "it is there already"},
		{"neigh change 192.0.2.6 lladdr 02:00:00:00:00:09 dev eth0", exitFailed, "there is none to change"},
		{"neigh del 192.0.2.6 dev eth0", exitFailed, "192.0.2.6"},
		{"neigh get 192.0.2.6 dev eth0", exitFailed, "not known on eth0"},
		{"neigh add 224.0.0.1 lladdr 02:00:00:00:00:09 dev eth0", exitFailed, "224.0.0.1"},
		{"rule add from 10.0.0.0/8 table 7 pref 9", exitFailed, "file exists"},
		{"rule del pref 8", exitFailed, "there is none like this"},
		{"rule add iif eth9 table 7", exitFailed, `there is no interface "eth9"`},
		{"maddr add ff05::db8:5 dev eth0", exitFailed, "added on eth0 already"},
		{"maddr del ff05::db8:6 dev eth0", exitFailed, "not added on eth0"},
		{"policy add ::/0 precedence 1 label 1", exitFailed, "it is there already"},
		{"policy del 2001:db8::/32", exitFailed, "there is none"},
		{"link set lo down", exitFailed, "lo"},
		{"link set eth0 mtu 10", exitFailed, "10"},
		{"link set eth0 mtu 99999", exitFailed, "99999"},
		{"addr add 127.0.0.5/8 dev eth0", exitFailed, "a loopback address belongs on lo"},
		{"addr add 224.0.0.5/8 dev eth0", exitFailed, "not a unicast address"},
		// What makes no sense.
		{"addr add 10.0.0.1/33 dev eth0", exitUsage, "10.0.0.1/33: not a prefix"},
		{"addr add x dev eth0", exitUsage, "x: not a prefix"},
		{"addr add 10.0.0.1/8", exitUsage, "dev DEVICE"},
		{"addr add", exitUsage, "the prefix is missing"},
		{"addr add 10.0.0.1/8 dev", exitUsage, "dev: its device is missing"},
		{"addr add 10.0.0.1/8 dve eth0", exitUsage, `"dve" makes no sense here; did you mean "dev"?`},
		{"addr add 10.0.0.1/8 dev eth0 valid_lft 0", exitUsage, "an address has to last"},
		{"addr add 10.0.0.1/8 dev eth0 valid_lft 5 preferred_lft 6", exitUsage, "longer than valid_lft"},
		{"addr add 10.0.0.1/8 dev eth0 brd 10.0.0.255", exitUsage, "broadcast 10.0.0.255"},
		{"addr add 10.0.0.1/8 dev eth0 scope link", exitUsage, "the scope of 10.0.0.1 is global"},
		{"-6 addr add 10.0.0.1/8 dev eth0", exitUsage, "not an IPv6 prefix"},
		{"-4 -6 addr", exitUsage, "one of them"},
		{"addr flush", exitUsage, "say which addresses"},
		{"addr shwo", exitUsage, `"shwo" is not something to do with it; did you mean "show"?`},
		{"addr show scope site", exitUsage, "scope site"},
		{"link set eth0", exitUsage, "what is missing"},
		{"link set eth0 up down", exitUsage, "contradict"},
		{"link set eth0 promisc on", exitUsage, `"promisc" makes no sense here`},
		{"route add 10.5.0.1/16 via 192.0.2.9", exitUsage, "the prefix is 10.5.0.0/16"},
		{"route add 10.5.0.0/16 via 2001:db8::9", exitUsage, "not an IPv4 address"},
		{"route add default via 192.0.2.9 src 2001:db8::1", exitUsage, "2001:db8::1 is not an IPv4 address"},
		{"route add 10.5.0.0/16 via", exitUsage, "via: its address is missing"},
		{"route add 10.5.0.0/16 via 192.0.2.9 metric x", exitUsage, "metric x"},
		{"route add 10.5.0.0/16 via 192.0.2.9 hoplimit 256", exitUsage, "hoplimit 256: not a number from 1 to 255"},
		{"route add 10.5.0.0/16 via 192.0.2.9 table local", exitUsage, "it follows from addresses"},
		{"route add local 10.5.0.0/16 dev eth0", exitUsage, "local routes follow from addresses"},
		{"route add 10.5.0.0/16 via 192.0.2.9 nexthop via 192.0.2.8", exitUsage, "said twice"},
		{"route add 10.5.0.0/16 nexthop weight 3", exitUsage, "say where it is"},
		{"route add 10.5.0.0/16 nexthop via 192.0.2.9 weight 257", exitUsage, "weight 257"},
		{"route add 10.5.0.0/16 via 192.0.2.9 mettric 5", exitUsage, `did you mean "metric"?`},
		{"route flush", exitUsage, "say which routes"},
		{"route get", exitUsage, "the address is missing"},
		{"route get here", exitUsage, "here: not an address"},
		{"route show type foo", exitUsage, "type foo"},
		{"neigh add 192.0.2.6 dev eth0", exitUsage, "lladdr"},
		{"neigh add 192.0.2.6 lladdr 02:00:00:00:00 dev eth0", exitUsage, "not a link-layer address"},
		{"neigh add lladdr 02:00:00:00:00:07 dev eth0", exitUsage, "say which"},
		{"neigh add 192.0.2.6 lladdr 02:00:00:00:00:07", exitUsage, "dev DEVICE"},
		{"neigh add 192.0.2.6 lladdr 02:00:00:00:00:07 dev eth0 nud reachable", exitUsage, "permanent"},
		{"neigh show nud well", exitUsage, "nud well: not a state"},
		{"neigh flush", exitUsage, "say which"},
		{"rule add", exitUsage, "what is missing"},
		{"rule del", exitUsage, "say which rule"},
		{"rule add from 10.0.0.0/8 to 2001:db8::/32 table 7", exitUsage, "not of one family"},
		{"rule add fwmark x table 7", exitUsage, "not a mark"},
		{"rule add from 10.0.0.0/8 tabel 7", exitUsage, `did you mean "table"?`},
		{"maddr add 192.0.2.1 dev eth0", exitUsage, "not a multicast group"},
		{"maddr add ff05::1", exitUsage, "dev DEVICE"},
		{"policy add 2001:db8::/32 label 5", exitUsage, "precedence NUMBER"},
		{"policy add 2001:db8::1/32 label 5 precedence 5", exitUsage, "the prefix is 2001:db8::/32"},
		{"monitor adress", exitUsage, `did you mean "address"?`},
		{"route monitor now", exitUsage, `"now" makes no sense here`},
		{"ss state foo", exitUsage, "there is no such state"},
		{"ss dport = here", exitUsage, "here: not a port"},
		{"ss ( sport = :7", exitUsage, "a parenthesis is not closed"},
		{"ss dst 10.0.0.0/99", exitUsage, "not an address or prefix"},
		{"ss sprot = :7", exitUsage, `did you mean "sport"?`},
		{"nstat [", exitUsage, "not a pattern"},
		{"up --tap tap0", exitUsage, "--socket"},
		{"addr --tabel", exitUsage, "--tabel"},
	} {
		code, out, errs := called(t, x.line+" --socket "+path)
		if code != x.code || out != "" || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "onlink: ") || !strings.Contains(errs, x.want) {
			t.Errorf("%s: exit code %d, %q, %q; want %d, %q", x.line, code, out, errs, x.code, x.want)
		}
		if after := state(t, s); after != before {
			t.Fatalf("%s: changed\n%s\nto\n%s", x.line, before, after)
		}
	}
}

// Of several who add the same thing at once, one does.
func TestTwoAtOnce(t *testing.T) {
	s, path := newSteered(t)
	for _, line := range []string{"route add 10.0.0.0/8 via 192.0.2.%d", "neigh add 192.0.2.200 lladdr 02:00:00:00:00:%02x dev eth0",
		"addr add 192.0.2.201/%[1]d dev eth0", "policy add 2001:db8::/32 precedence %d label 1"} {
		const many = 8
		var mu sync.Mutex
		var won, lost int
		var all sync.WaitGroup
		for i := range many {
			all.Go(func() {
				code, out, errs := called(t, fmt.Sprintf(line, 16+i)+" --socket "+path)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case code == 0 && out == "" && errs == "":
					won++
				case code == exitFailed && strings.Count(errs, "\n") == 1 && strings.Contains(errs, "file exists"):
					lost++
				default:
					t.Errorf("%s: exit code %d, %q, %q", line, code, out, errs)
				}
			})
		}
		all.Wait()
		if won != 1 || lost != many-1 {
			t.Errorf("%s: %d won, %d lost", line, won, lost)
		}
	}
	n := 0
	for _, r := range s.Routes() {
		if r.Prefix.String() == "10.0.0.0/8" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d routes", n)
	}
}

// What is checked for all of several nexthops holds for the whole route: all or nothing.
func TestRemoveAllOrNone(t *testing.T) {
	s, path := newSteered(t)
	steer(t, path, []step{{"route add 10.0.0.0/8 nexthop via 192.0.2.3 nexthop via 192.0.2.4", ""}})
	c := &call{session: &session{stack: s}, ipFlags: &ipFlags{}}
	f := routeFilter{how: "exact"}
	f.Table, f.Prefix = onlink.MainTable, netip.MustParsePrefix("10.0.0.0/8")
	groups := c.routesTaken(&f)
	if len(groups) != 1 || len(groups[0]) != 2 {
		t.Fatal(groups)
	}
	gone := groups[0][1]
	if err := s.RemoveRoute(gone); err != nil {
		t.Fatal(err)
	}
	if err := c.remove(groups[0]); err == nil {
		t.Error("a route that is not there was removed")
	}
	if left := c.routesTaken(&f); len(left) != 1 || left[0][0].Gateway != groups[0][0].Gateway {
		t.Errorf("left: %v", left)
	}
}
