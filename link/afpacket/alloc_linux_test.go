//go:build !race

package afpacket

import (
	"testing"

	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
)

// counter frees frames and tells of each.
type counter chan struct{}

func (c counter) Deliver(_ int, b *packet.Batch) {
	for p := b.Pop(); p != nil; p = b.Pop() {
		p.Free()
		c <- struct{}{}
	}
}
func (c counter) Ready(int)         {}
func (c counter) Changed(link.Info) {}

// A frame is sent and received without garbage.
func TestAllocs(t *testing.T) {
	a, b := pair(t)
	c := make(counter, 10)
	attach(t, b, c)
	f := make([]byte, 1514)
	to, from := b.Info().Addr, a.Info().Addr
	copy(f, to[:])
	copy(f[6:], from[:])
	f[12], f[13] = 0x88, 0xb5
	var batch packet.Batch
	n := testing.AllocsPerRun(2000, func() {
		batch.Push(packet.From(f))
		if err := a.Send(0, &batch); err != nil {
			t.Fatal(err)
		}
		<-c
	})
	if n >= 1 {
		t.Errorf("%v allocations for a frame", n)
	}
}
