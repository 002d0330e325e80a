package packetdrill

import (
	"testing"

	"github.com/onlink-go/onlink/link/capture"
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

// panicWorld is a world whose close panics.
type panicWorld struct{ World }

func (w panicWorld) Close(int) error { panic("broken") }

func panicking(cfg *Config, c *capture.Writer) (World, error) {
	w, err := newSimWorld(cfg, c)
	return panicWorld{w}, err
}
