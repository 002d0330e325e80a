package main

import (
	"bytes"
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/mem"
)

var steerable = []*object{&addrObject, &linkObject, &routeObject, &neighObject, &ruleObject, &maddrObject, &policyObject}

// FuzzWords: whatever the words, they are obeyed, or refused in one line and nothing has changed.
func FuzzWords(f *testing.F) {
	for _, seed := range []string{"addr add 192.0.2.7/24 dev eth0 valid_lft 9 preferred_lft 0 nodad", "addr flush dev eth0", "link set eth0 mtu 1400 down",
		"route add default via 192.0.2.9 metric 5 pref high", "route replace 10.0.0.0/8 nexthop via 192.0.2.3 weight 3 nexthop via 192.0.2.4",
		"route del 10.0.0.0/8", "route show root 0/0 table all", "route get ::1", "neigh add 192.0.2.5 lladdr 02:00:00:00:00:05 dev eth0",
		"rule add not from 10.0.0.0/8 fwmark 1/3 prohibit", "rule flush", "maddr add ff05::5 dev eth0", "policy add ::/0 label 1 precedence 2",
		"addr change 192.0.2.1/24 dev eth0 valid_lft forever", "neigh flush all", "route show table local", "route add 10.0.0.1 dev lo onlink via 1.1.1.1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Fields(line)
		if len(args) < 2 || strings.HasPrefix("monitor", args[1]) {
			return
		}
		s, err := onlink.New(onlink.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(context.Background())
		a, _ := mem.Pair(mem.Config{})
		if _, err := s.AddLink("eth0", a, onlink.InterfaceConfig{DisableDAD: true, Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")},
			IPv6: onlink.IPv6Config{NoLinkLocal: true, RouterAdvertisements: onlink.RANever}}); err != nil {
			t.Fatal(err)
		}
		for _, o := range steerable {
			if o.name != args[0] {
				continue
			}
			before := state(t, s)
			var out bytes.Buffer
			i := &invocation{err: &out}
			err := (&ipFlags{Words: args[1:]}).do(newSession(t.Context(), s, nil, &bytes.Buffer{}, &out), o)
			if code := i.finish(err); code == 0 {
				continue
			}
			if strings.Count(out.String(), "\n") != 1 {
				t.Errorf("%q: said %q", args, &out)
			}
			if after := state(t, s); after != before {
				t.Errorf("%q: %v, but changed\n%s\nto\n%s", args, err, before, after)
			}
		}
	})
}

// FuzzSocketFilter: whatever the filter of ss, it is understood or refused, and understood ones can be asked.
func FuzzSocketFilter(f *testing.F) {
	for _, seed := range []string{"state established", "exclude listening ( sport = :22 or dport ge 1024 ) and not dst 10.0.0.0/8", "src [::1]:80 | dev eth0",
		"!!!sport!=7", "((((((((", "dst *:*", "state all exclude time-wait sport :7"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, expr, err := readSocketFilter([]string{text})
		if err == nil && expr != nil {
			expr(&onlink.SocketState{Network: "tcp"})
		}
	})
}

func TestSocketFilter(t *testing.T) {
	k := &onlink.SocketState{Network: "tcp", State: "ESTABLISHED", Local: netip.MustParseAddrPort("192.0.2.1:22"),
		Remote: netip.MustParseAddrPort("198.51.100.9:40000"), Interface: "eth0"}
	for text, want := range map[string]bool{
		"sport = :22": true, "sport = 22": true, "sport == :23": false, "sport != :22": false, "dport gt :1024": true, "dport<=:39999": false,
		"sport :22": true, "src 192.0.2.1": true, "src 192.0.2.0/24": true, "dst 192.0.2.0/24": false, "dst != 192.0.2.0/24": true,
		"src 192.0.2.1:22": true, "src 192.0.2.1:23": false, "src *:22": true, "dst :40000": true, "dev eth0": true, "dev = eth1": false,
		"sport = :22 and dport = :1":                       false,
		"sport = :1 or dport = :40000":                     true,
		"sport = :22 dport = :40000":                       true,
		"not sport = :22":                                  false,
		"! ( sport = :22 and dport = :1 )":                 true,
		"(sport=:1||dport=:40000)&&!dst 10.0.0.0/8":        true,
		"sport = :1 and dport = :40000 or sport = :22":     true, // "and" binds closer than "or"
		"sport = :1 and ( dport = :40000 or sport = :22 )": false,
	} {
		states, expr, err := readSocketFilter(strings.Fields(text))
		if err != nil || states != nil || expr(k) != want {
			t.Errorf("%s: %v, %v; want %v", text, err == nil && expr(k), err, want)
		}
	}
	for text, want := range map[string]string{"state established": "ESTAB", "state listening state closed": "LISTEN UNCONN",
		"state bucket": "SYN-RECV TIME-WAIT", "state all exclude big": "SYN-RECV TIME-WAIT", "exclude big": "SYN-RECV TIME-WAIT"} {
		states, expr, err := readSocketFilter(strings.Fields(text))
		if err != nil || expr != nil || strings.Join(states, " ") != want {
			t.Errorf("%s: %v, %v", text, states, err)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	known := []string{"dev", "metric", "table", "via"}
	for word, want := range map[string]string{"dve": "dev", "metrik": "metric", "tabel": "table", "foo": "", "": "", "verylongword": ""} {
		got := didYouMean(word, known)
		if want == "" && got != "" || want != "" && got != `; did you mean "`+want+`"?` {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

// Those who know ip write flags before the object, with one dash, and an object's first letters.
func TestIPStyle(t *testing.T) {
	_, path := newSteered(t)
	for line, want := range map[string]string{
		"-br -4 addre show eth0":       "eth0             UP             192.0.2.1/24\n",
		"-o -6 a s eth0":               "2: eth0    inet6 2001:db8::1/64 scope global\\       valid_lft forever preferred_lft forever\n",
		"-json rou show 192.0.2.0/24":  `[{"dst":"192.0.2.0/24","dev":"eth0","protocol":"kernel","scope":"link","prefsrc":"192.0.2.1","flags":[]}]` + "\n",
		"-4 rul":                       "32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n",
		"addrlabel show -j -pretty":    "[\n    {\n        \"address\": \"::1\"",
		"maddr -oneline -6 sh dev lo":  "1:\tlo\\\tinet6 ff01::1",
		"ss show -H -a":                "",
		"nstat show -a UdpInDatagrams": "#onlink\n",
	} {
		if code, out, errs := called(t, line+" --socket "+path); code != 0 || !strings.HasPrefix(out, want) {
			t.Errorf("%s: exit code %d, %q, %s; want %q", line, code, out, errs, want)
		}
	}
	for _, line := range []string{"-4", "-4 up", "foo", "-x addr"} {
		if code, out, errs := called(t, line); code != exitUsage || out != "" || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q, %s", line, code, out, errs)
		}
	}
}
