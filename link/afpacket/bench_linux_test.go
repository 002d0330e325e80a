package afpacket

import (
	"fmt"
	"testing"

	"github.com/onlink-go/onlink/packet"
)

// What a frame costs on its way to the kernel, with so many given to Send at once. Nobody is at the other end of the pair.
func BenchmarkSend(b *testing.B) {
	inNamespace(b)
	d := openDevice(b, "ov0", Config{})
	eventually(b, "it is up", func() bool { return d.Info().Up })
	f := make([]byte, 64)
	f[12], f[13] = 0x88, 0xb5
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			var batch packet.Batch
			for i := 0; b.Loop(); i++ {
				if batch.Push(packet.From(f)); batch.Len() < n {
					continue
				}
				if err := d.Send(0, &batch); err != nil {
					b.Fatal(err)
				}
				batch.Free() // what there was no room for
			}
		})
	}
}
