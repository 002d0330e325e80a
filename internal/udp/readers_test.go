package udp

import (
	"fmt"
	"slices"
	"testing"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/packet"
)

// Of several that wait for a datagram one gets each, in the order they came, also where several are in one packet; and all are told
// of the end.
func TestReaders(t *testing.T) {
	r := newRig(t)
	s := r.open(Config{Config: dgram.Config{Bound: to(us4, 7)}})
	var got []string
	for i := range 4 {
		r.sim.Start(fmt.Sprint(i), func() {
			b := make([]byte, 100)
			n, _, _, err := s.Receive(b)
			got = append(got, fmt.Sprintf("%d %s %v", i, b[:n], err))
		})
	}
	r.sim.RunUntilIdle()
	r.input(datagram(peer4, us4, 53, 7, "one"))
	r.sim.RunUntilIdle()
	if want := []string{"0 one <nil>"}; !slices.Equal(got, want) || len(r.sim.Waiting()) != 3 {
		t.Errorf("read %q, want %q; %d wait", got, want, len(r.sim.Waiting()))
	}
	p := datagram(peer4, us4, 53, 7, "twoand")
	p.GSOSize = 3
	p.Flags |= packet.ChecksumGood
	r.input(p)
	r.sim.RunUntilIdle()
	s.Close()
	r.sim.RunUntilIdle()
	want := []string{"0 one <nil>", "1 two <nil>", "2 and <nil>", "3  use of closed network connection"}
	if !slices.Equal(got, want) {
		t.Errorf("read %q, want %q", got, want)
	}
}
