package onlink

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// addresses makes addresses of a list.
func addresses(list string) (all []netip.Addr) {
	for _, a := range strings.Fields(list) {
		all = append(all, netip.MustParseAddr(a))
	}
	return all
}

// The machine of RFC 8305, step by step. Its sorting puts IPv6 first.
func TestEyeballs(t *testing.T) {
	const ms = clock.Instant(time.Millisecond)
	for _, c := range []struct {
		name   string
		script string // "MS event": 4=…, 6=…: the lookup ended; fail: an attempt did
		want   string // "MS address" of each attempt
	}{
		{"AAAA first: at once, then the other family after the delay", "10 6=2001:db8::1,2001:db8::2 12 4=192.0.2.1,192.0.2.2",
			"10 2001:db8::1 260 192.0.2.1 510 2001:db8::2 760 192.0.2.2"},
		{"A first: waits for AAAA, which comes in time", "10 4=192.0.2.1 40 6=2001:db8::1", "40 2001:db8::1 290 192.0.2.1"},
		{"A first, and no AAAA in time", "10 4=192.0.2.1 500 6=2001:db8::1", "60 192.0.2.1 500 2001:db8::1"},
		{"A first, then a negative AAAA", "10 4=192.0.2.1 20 6=", "20 192.0.2.1"},
		{"negative A first", "10 4= 90 6=2001:db8::1", "90 2001:db8::1"},
		{"a failure begins the next", "10 6=2001:db8::1 10 4=192.0.2.1 100 fail", "10 2001:db8::1 100 192.0.2.1"},
		{"but not within 10 ms", "10 6=2001:db8::1 10 4=192.0.2.1 12 fail", "10 2001:db8::1 20 192.0.2.1"},
		{"one family only", "0 4= 5 6=2001:db8::1,2001:db8::2,2001:db8::3", "5 2001:db8::1 255 2001:db8::2 505 2001:db8::3"},
		{"late answers join in", "0 6=2001:db8::1 300 4=192.0.2.1", "0 2001:db8::1 300 192.0.2.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := eyeballs{delay: attemptDelay, pending: [2]bool{true, true}, sort: func(as []netip.Addr) {
				slices.SortFunc(as, func(a, b netip.Addr) int {
					if a, b := familyOf(a), familyOf(b); a != b {
						return b - a
					}
					return a.Compare(b)
				})
			}}
			words := strings.Fields(c.script)
			var got []string
			attempts := 0
			for now := clock.Instant(0); now < 2000*ms; now += ms {
				for len(words) > 0 && atMS(words[0]) == now {
					switch kind, list, _ := strings.Cut(words[1], "="); kind {
					case "4":
						e.Resolved(now, family4, addresses(strings.ReplaceAll(list, ",", " ")))
					case "6":
						e.Resolved(now, family6, addresses(strings.ReplaceAll(list, ",", " ")))
					default:
						e.Failed()
						attempts--
					}
					words = words[2:]
				}
				due := e.Deadline() <= now
				a, ok := e.Next(now)
				if ok {
					attempts++
					got = append(got, time.Duration(now).Truncate(time.Millisecond).String()+" "+a.String())
				}
				if due && !ok || ok && !due {
					t.Errorf("at %v: due %v, something to do %v", now, due, ok)
				}
			}
			if g := strings.ReplaceAll(strings.ReplaceAll(strings.Join(got, " "), "ms", ""), "0s", "0"); g != c.want {
				t.Errorf("attempts: %s, want %s", g, c.want)
			}
			if e.Over() {
				t.Error("over while attempts run")
			}
			for ; attempts > 0; attempts-- {
				e.Failed()
			}
			if !e.Over() {
				t.Error("not over")
			}
		})
	}
}

// atMS reads a number of milliseconds.
func atMS(s string) clock.Instant {
	d, err := time.ParseDuration(s + "ms")
	if err != nil {
		return -1
	}
	return clock.Instant(d)
}
