package main

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/trace"
)

// ways runs onlink trace --json and returns what it tells.
func ways(t *testing.T, line string) (all []trace.Way) {
	t.Helper()
	code, out, errs := called(t, "trace --json "+line)
	if code != 0 || errs != "" {
		t.Fatalf("trace %s: exit code %d, %s", line, code, errs)
	}
	for l := range strings.Lines(out) {
		var w trace.Way
		if err := json.Unmarshal([]byte(l), &w); err != nil {
			t.Fatalf("%v: %s", err, l)
		}
		all = append(all, w)
	}
	return all
}

// The lab's router sees what is sent to it, what it sends, and what it forwards, as one way.
func TestTraceLab(t *testing.T) {
	all := ways(t, "--node router")
	for _, want := range []struct{ what, outcome, reason, step string }{
		{"ICMP echo request", "delivered", "", "ICMP answers it"},
		{"ICMP echo request", "forwarded", "", "forward to 198.51.100.2 by wan"},
		{"ICMPv6 echo request", "forwarded", "", "the link wan has it"},
		{"ICMP echo request", "dropped", "IPv4 TTL exceeded", "198.51.100.2"},
		{"ICMPv6 echo request", "dropped", "IPv6 hop limit exceeded", "2001:db8:2::2"},
		{"ICMP time exceeded", "sent", "", "the stack itself"},
		{"fragment of ICMP", "forwarded", "", "1500 octets"},
		{"TCP", "forwarded", "", "the TTL is 63 now"},
		{"UDP", "forwarded", "", "the hop limit is 63 now"},
		{"ARP: who has", "delivered", "", "ARP answers it"},
	} {
		found := false
		for _, w := range all {
			if strings.HasPrefix(w.What, want.what) && w.Outcome == want.outcome && w.Reason == want.reason {
				for _, s := range w.Steps {
					found = found || strings.Contains(s.Decision, want.step)
				}
			}
		}
		if !found {
			t.Errorf("nothing tells of %q: %s %s, %q", want.what, want.outcome, want.reason, want.step)
		}
	}
}

// What a filter selects, and no more; the first so many; the same in each run.
func TestTraceSelects(t *testing.T) {
	for _, row := range []struct {
		line string
		is   func(w *trace.Way) bool
	}{
		{"--node router arp", func(w *trace.Way) bool { return strings.HasPrefix(w.What, "ARP") }},
		{"--node client tcp port 7", func(w *trace.Way) bool { return strings.HasPrefix(w.What, "TCP") && strings.Contains(w.What, " 7") }},
		{"--node client icmp6 and inbound", func(w *trace.Way) bool { return strings.Contains(w.What, "ICMPv6") && !w.Steps[0].Out }},
		{"--node client icmp and outbound", func(w *trace.Way) bool { return !strings.Contains(w.What, "ICMPv6") && w.Steps[0].Out }},
		{"--node client -i lo host ::1 or host 192.0.2.2", func(w *trace.Way) bool { return w.Source == w.Destination }},
		{"--node server less 60", func(w *trace.Way) bool { return !strings.Contains(w.What, "echo") }},
	} {
		all := ways(t, row.line)
		if len(all) == 0 {
			t.Errorf("%s: nothing", row.line)
		}
		for i := range all {
			if !row.is(&all[i]) {
				t.Errorf("%s: %v", row.line, &all[i])
			}
		}
	}
	_, out, _ := called(t, "trace --node server -c 3")
	if n := strings.Count(out, "═"); n != 3 {
		t.Errorf("-c 3: %d packets", n)
	}
	if _, again, _ := called(t, "trace --node server -c 3"); again != out {
		t.Error("another run tells another story")
	}
}

func TestTraceErrors(t *testing.T) {
	for _, row := range []struct{ line, want string }{
		{"trace --node client -i eth9", "-i eth9: there is no such interface"},
		{"trace --node client --count=-1", "-c -1"},
		{"trace --node client tcp prt 80", `"prt" at 5`},
	} {
		code, out, errs := called(t, row.line)
		if code != exitUsage || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, row.want) {
			t.Errorf("%s: exit code %d, %q, %q", row.line, code, out, errs)
		}
	}
}

// A running host is traced until as many packets have passed as were asked for, or the client goes.
func TestTraceRunning(t *testing.T) {
	s, path := newControlled(t)
	done := make(chan string)
	go func() {
		_, out, errs := called(t, "trace --socket "+path+" -c 1 icmp[icmptype] == icmp-echo")
		done <- out + errs
	}()
	awaitTracing(t, s, true)
	if _, err := s.Ping(t.Context(), netip.MustParseAddr("127.0.0.1"), onlink.PingConfig{ID: 77}); err != nil {
		t.Fatal(err)
	}
	if out := <-done; !strings.Contains(out, "127.0.0.1 → 127.0.0.1  ICMP echo request, identifier 77") || strings.Contains(out, "reply, id") {
		t.Error(out)
	}

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		calling(ctx, strings.NewReader(""), "trace", "--socket", path)
		done <- ""
	}()
	awaitTracing(t, s, true)
	cancel()
	<-done
	awaitTracing(t, s, false) // the server notices a little later
}

// awaitTracing waits until somebody follows packets of s, or nobody does.
func awaitTracing(t *testing.T, s *onlink.Stack, want bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); (s.Tracer().Steps() != nil) != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("somebody follows packets: %v", !want)
		}
	}
}
