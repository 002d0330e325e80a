package sim_test

import (
	"context"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
)

// Where one frame in a hundred overtakes eighty others, what it overtook is not taken for lost again and again: hardly
// anything is sent twice, and the line is used.
func TestReorderingIsNoLoss(t *testing.T) {
	for _, control := range []string{"reno", "cubic"} {
		n := sim.New(3)
		defer n.Stop()
		a, b := lan(n, sim.Line{Rate: 50e6, Delay: 20 * time.Millisecond, Queue: 165, Reorder: 0.01})
		received := 0
		serve(t, b, func(c *onlink.TCPConn) {
			data := make([]byte, 1<<20)
			for {
				k, err := c.Read(data)
				if received += k; err != nil {
					return
				}
			}
		})
		var conn *onlink.TCPConn
		a.Go("send", func() {
			a.Sleep(5 * time.Second) // duplicate address detection is over
			d := onlink.Dialer{Stack: a.Stack, TCP: onlink.TCPOptions{CongestionControl: control}}
			c, err := d.DialContext(context.Background(), "tcp", servers["IPv4"])
			if err != nil {
				t.Error(err)
				return
			}
			conn = c.(*onlink.TCPConn)
			for data := make([]byte, 1<<20); err == nil; {
				_, err = c.Write(data)
			}
		})
		const d = 10 * time.Second
		n.RunFor(5*time.Second + d)
		i, rate := conn.Info(), float64(received)*8/d.Seconds()
		t.Logf("%s: %.1f Mbit/s, %d of %d segments sent again", control, rate/1e6, i.Retransmits, i.DataSegmentsOut)
		if rate < 0.8*50e6 || i.Retransmits > i.DataSegmentsOut/50 {
			t.Errorf("%s: %.1f Mbit/s, %d of %d segments sent again", control, rate/1e6, i.Retransmits, i.DataSegmentsOut)
		}
	}
}
