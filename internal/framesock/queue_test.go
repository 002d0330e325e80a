package framesock

import (
	"testing"

	"github.com/onlink-go/onlink/packet"
)

// What goes in comes out in order, however the ring has grown and turned, and the octets are those of what is there.
func TestQueue(t *testing.T) {
	var q queue
	in, out := 0, 0
	for round := range 200 {
		for range round%7 + 1 {
			q.push(entry{Info{Len: in}, packet.New(in % 3000)})
			in++
		}
		for range round % 6 {
			e, ok := q.pop()
			if !ok || e.Len != out {
				t.Fatalf("%d, %v, want %d", e.Len, ok, out)
			}
			out++
			e.p.Free()
		}
		octets := 0
		for k := range q.n {
			octets += q.ring[(q.first+k)%len(q.ring)].p.Cap()
		}
		if q.n != in-out || q.octets != octets {
			t.Fatalf("%d frames of %d octets, want %d of %d", q.n, q.octets, in-out, octets)
		}
	}
	if len(q.ring) < 64 {
		t.Errorf("the ring has %d places: it did not grow", len(q.ring))
	}
	q.free()
	if _, ok := q.pop(); ok || q.octets != 0 {
		t.Error("not empty")
	}
}
