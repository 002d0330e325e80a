package packetdrill

import (
	"testing"
)

// runText runs a script.
func runText(t *testing.T, text string, o Options) Result {
	t.Helper()
	s, err := Parse("test.pkt", []byte(text), IPv4, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := Run(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}
