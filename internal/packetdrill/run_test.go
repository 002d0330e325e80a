package packetdrill

import (
	"os"
	"testing"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

func TestHandshake(t *testing.T) {
	src, err := os.ReadFile("testdata/rfc9293/3.5-handshake-passive.pkt")
	if err != nil {
		t.Fatal(err)
	}
	s, err := script.Parse("3.5-handshake-passive.pkt", src)
	if err != nil {
		t.Fatal(err)
	}
	res, err := Run(s, Options{Trace: func(l string) { t.Log(l) }})
	if err != nil {
		t.Fatal(err)
	}
	if res.Failure != nil {
		t.Error(res.Failure)
	}
}
