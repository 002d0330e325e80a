package udp

import (
	"testing"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/wire"
)

// RFC 8201, 6: what no socket sent is not believed.
func TestVouches(t *testing.T) {
	r := newRig(t)
	r.open(Config{Config: dgram.Config{Bound: to(us4, 7), Remote: flow.Endpoint{Addr: peer4, Port: 53}}})
	wild := r.open(Config{Config: dgram.Config{Bound: to(us4, 8)}})
	if err := wild.Send([]byte("x"), flow.Endpoint{Addr: peer4, Port: 99}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		sport, dport uint16
		dst          wire.Addr
		want         bool
	}{
		{7, 53, peer4, true}, {7, 54, peer4, false}, {7, 53, far, false}, {8, 99, peer4, true}, {8, 98, peer4, false}, {8, 99, far, false}, {9, 53, peer4, false},
	} {
		b := make([]byte, wire.UDPLen)
		wire.PutUDP(b, c.sport, c.dport, len(b))
		if got := r.udp.Vouches(r.sh, &ip.Error{Src: us4, Dst: c.dst, Quote: b}); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if r.udp.Vouches(r.sh, &ip.Error{Src: us4, Dst: peer4, Quote: make([]byte, 3)}) {
		t.Error("too little quoted")
	}
}
