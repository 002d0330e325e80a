package itest

import (
	"strings"
	"testing"
)

// nmap finds the protocols that the stack speaks, by what it answers to each next header.
func TestProtocolScan(t *testing.T) {
	need(t, "nmap")
	r := newRig(t, setup{})
	if err := r.SetSysctl("net.ipv4.icmp_msgs_per_sec", "0"); err != nil {
		t.Fatal(err)
	}
	out := r.run("nmap", "-6", "-n", "-Pn", "-sO", "-p", "1,6,17,47,50,58,89,132,143,253", "--max-retries", "2", "-e", r.name, v6.stack)
	for protocol, state := range map[string]string{"6": "open", "17": "open", "58": "open"} {
		if !hasLine(out, protocol+" ", state) {
			t.Errorf("protocol %s is not %s", protocol, state)
		}
	}
	for _, protocol := range []string{"1", "47", "50", "89", "132", "143", "253"} {
		// RFC 4443, 3.4: a Parameter Problem, code 1, is what closed is told by.
		if !hasLine(out, protocol+" ", "closed") {
			t.Errorf("protocol %s is not closed:\n%s", protocol, out)
		}
	}
}

// hasLine reports whether a line of s begins with prefix and contains word.
func hasLine(s, prefix, word string) bool {
	for line := range strings.Lines(s) {
		if strings.HasPrefix(line, prefix) && strings.Contains(line, word) {
			return true
		}
	}
	return false
}
