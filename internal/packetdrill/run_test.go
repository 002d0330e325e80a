package packetdrill

import (
	"testing"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// runText runs a script.
func runText(t *testing.T, text string, o Options) Result {
	t.Helper()
	s, err := script.Parse("test.pkt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	res, err := Run(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}
