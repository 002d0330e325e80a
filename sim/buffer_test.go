package sim_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
)

// However small the buffers, all of it arrives, without time-outs and in about the time that a window a round trip
// takes: no silly windows (RFC 9293, 3.8.6.2) and no waiting for probes.
func TestBufferSizes(t *testing.T) {
	sizes := []int{1, 100, 536, 1460, 3000, 8192, 65535, 1 << 20}
	for _, receive := range sizes {
		for _, sendBuffer := range sizes {
			t.Run(fmt.Sprintf("receive %d, send %d", receive, sendBuffer), func(t *testing.T) {
				t.Parallel()
				window := min(receive, sendBuffer)
				size := min(window*20, 1<<20)
				n := sim.New(1)
				defer n.Stop()
				a := n.Node("a", onlink.Config{TCP: onlink.TCPConfig{SendBuffer: sendBuffer}})
				b := n.Node("b", onlink.Config{TCP: onlink.TCPConfig{ReceiveBuffer: receive}})
				n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"), sim.Line{Delay: 10 * time.Millisecond, Rate: 100e6})
				want := make([]byte, size)
				for i := range want {
					want[i] = byte(i * 7)
				}
				var got []byte
				serve(t, b, func(c *onlink.TCPConn) {
					got, _ = io.ReadAll(c)
					c.Close()
				})
				var info onlink.TCPInfo
				began := n.Now()
				a.Go("client", func() {
					c := dial(t, a, "192.0.2.2:80")
					if _, err := c.Write(want); err != nil {
						t.Error(err)
					}
					c.CloseWrite()
					io.Copy(io.Discard, c)
					info = c.Info()
					c.Close()
				})
				run(t, n)
				took := n.Now().Sub(began)
				if !bytes.Equal(got, want) || info.Timeouts > 0 || took > time.Second {
					t.Errorf("%d octets arrived in %v: %+v", len(got), took, info)
				}
			})
		}
	}
}
