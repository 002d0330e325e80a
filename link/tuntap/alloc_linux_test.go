//go:build !race

package tuntap

import (
	"testing"

	"github.com/onlink-go/onlink/internal/netns"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// counter frees frames of the local experimental type, and tells of each.
type counter chan struct{}

func (c counter) Deliver(_ int, b *packet.Batch) {
	for p := b.Pop(); p != nil; p = b.Pop() {
		if f := p.Bytes(); p.Len() > wire.EthernetLen && f[12] == 0x88 && f[13] == 0xb5 {
			c <- struct{}{}
		}
		p.Free()
	}
}
func (c counter) Ready(int)         {}
func (c counter) Changed(link.Info) {}

// A frame is sent and received without garbage, by one queue or several.
func TestAllocs(t *testing.T) {
	netns.Enter(t)
	for _, queues := range []int{1, 2} {
		d := openDevice(t, "otap0", Config{Queues: queues})
		c := make(counter, 10)
		d.Attach(c)
		netns.IP(t, "link set otap0 up")
		k := openKernelSide(t, "otap0")
		f := frame(1, 1514)
		var batch packet.Batch
		n := testing.AllocsPerRun(1000, func() {
			batch.Push(packet.From(f))
			if err := d.Send(0, &batch); err != nil {
				t.Fatal(err)
			}
			k.send(t, f)
			<-c
		})
		if n >= 1 {
			t.Errorf("%d queues: %v allocations for two frames", queues, n)
		}
		d.Close()
	}
}
