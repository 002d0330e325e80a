package itest

import (
	"encoding/json"
	"net"
	"strings"
	"testing"

	"github.com/onlink-go/onlink/trace"
)

// What passes a running host is told, as it passes it: the kernel's requests and its answers, connections, and what is dropped.
func TestTraceOfRunningHost(t *testing.T) {
	t.Parallel()
	need(t, "ping")
	s := newSteered(t)
	text := s.onlink("trace", "--socket", s.socket, "icmp", "or", "icmp6")
	objects := s.onlink("trace", "--socket", s.socket, "--json", "-i", "tap0", "tcp", "or", "udp")
	eventually(t, "both listen", func() bool {
		// A packet is told as soon as they do.
		s.ping(v4.stack, 56)
		c, err := s.kernelDial("udp", net.JoinHostPort(v4.stack, "9"))
		if err == nil {
			c.Write([]byte("x"))
			c.Close()
		}
		return strings.Contains(text.stdout.String(), "echo request") && strings.Contains(objects.stdout.String(), "UDP")
	})
	for _, v := range families {
		s.ping(v.stack, 3000)
		if err := echo(s.kernelDial, net.JoinHostPort(v.stack, "7"), 1, 100_000); err != nil {
			t.Error(err)
		}
	}
	for _, want := range []string{"ICMP answers it", "═ delivered", "═ sent", "of 3 fragments", "ICMPv6 echo reply", "the link tap0 has it", "═ merged"} {
		eventually(t, want, func() bool { return strings.Contains(text.stdout.String(), want) })
	}
	text.interrupt(t)
	objects.interrupt(t)
	var accepted, dropped, read bool
	for l := range strings.Lines(objects.stdout.String()) {
		var w struct {
			In, Out string
			trace.Way
		}
		if err := json.Unmarshal([]byte(l), &w); err != nil {
			t.Fatalf("%v: %s", err, l)
		}
		if w.In != "tap0" && w.Out != "tap0" || !strings.Contains(w.What, "TCP") && !strings.Contains(w.What, "UDP") {
			t.Errorf("not asked for: %s", l)
		}
		dropped = dropped || w.Reason == "no UDP socket on the port"
		for _, step := range w.Steps {
			accepted = accepted || step.Name == "transport" && strings.Contains(step.Decision, "a connection is made")
			read = read || step.Name == "transport" && strings.Contains(step.Decision, "RCV.NXT advances by")
		}
	}
	if !accepted || !dropped || !read {
		t.Errorf("a connection made: %v, data read: %v; a datagram dropped: %v", accepted, read, dropped)
	}
}
