package sim_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
)

// A long fat pipe: 1 Gbit/s, a round-trip time of 100 ms, a queue of one bandwidth-delay product.
const (
	longFatRate  = 1e9
	longFatRTT   = 100 * time.Millisecond
	longFatFrame = 1514
	longFatBDP   = int(longFatRate/8/10) / longFatFrame // segments
	longFatData  = longFatRate * 1448 / longFatFrame    // bit/s of data that the line carries
)

// longFat is a transfer over the long fat pipe.
type longFat struct {
	*sim.Network
	conn     *onlink.TCPConn // the sender's
	received int
	dropped  uint64 // by the full queue
}

// newLongFat begins a transfer, with net.ipv4.tcp_hystart as given; a round-trip time after it returns the first data arrives.
func newLongFat(t *testing.T, control, hystart string) *longFat {
	cfg := onlink.Config{TCP: onlink.TCPConfig{SendBuffer: 64 << 20, ReceiveBuffer: 64 << 20, CongestionControl: control, Algorithms: []onlink.CongestionAlgorithm{onlink.BBR()}}}
	f := &longFat{Network: sim.New(1)}
	t.Cleanup(f.Stop)
	f.Observe(func(i sim.Impairment) { f.dropped++ })
	a, b := f.Node("a", cfg), f.Node("b", cfg)
	if err := a.SetSysctl("net.ipv4.tcp_hystart", hystart); err != nil {
		t.Fatal(err)
	}
	f.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"),
		sim.Line{Rate: longFatRate, Delay: longFatRTT / 2, Queue: longFatBDP})
	ln := listen(t, b, ":80")
	b.Go("receive", func() {
		c := accept(t, ln)
		data := make([]byte, 1<<20)
		for {
			n, err := c.Read(data)
			if f.received += n; err != nil {
				return
			}
		}
	})
	a.Go("send", func() {
		c, err := a.DialContext(context.Background(), "tcp", "192.0.2.2:80")
		if err != nil {
			t.Error(err)
			return
		}
		f.conn = c.(*onlink.TCPConn)
		data := make([]byte, 1<<20)
		for {
			if _, err := c.Write(data); err != nil {
				return
			}
		}
	})
	if !f.RunUntil(time.Minute, func() bool { return f.conn != nil }) {
		t.Fatal("no connection")
	}
	return f
}

// Slow start doubles the window each round-trip time, from RFC 6928's ten segments on, so that the pipe is full after
// log2(BDP/10) of them; what is sent then takes another one to be acknowledged, and as a goodput it is seen over one more.
// BBR's gain in Startup, 2.77, is for the rate, whose first estimates come from windows that were sent in a burst: one more.
func TestLongFatPipeIsFilled(t *testing.T) {
	doublings := math.Ceil(math.Log2(float64(longFatBDP) / 10))
	for control, rounds := range map[string]float64{"reno": doublings + 2, "cubic": doublings + 2, "bbr": doublings + 3} {
		f := newLongFat(t, control, "1")
		for n := 1.0; ; n++ {
			before := f.received
			f.RunFor(longFatRTT)
			rate := float64(f.received-before) * 8 / longFatRTT.Seconds()
			if rate >= 0.95*longFatData {
				t.Logf("%s: %.0f Mbit/s in round-trip time %v", control, rate/1e6, n)
				break
			}
			if n > rounds {
				t.Errorf("%s: %.0f Mbit/s in round-trip time %v, want %.0f", control, rate/1e6, n, 0.95*longFatData/1e6)
				break
			}
		}
	}
}

// Slow start without HyStart ends when the queue overflows, and every second segment of a whole window is lost. The receiver
// tells of each range that arrives, so that what is lost is sent again, and hardly anything else, without a timeout.
func TestLongFatOverflowIsRecovered(t *testing.T) {
	f := newLongFat(t, "reno", "0")
	f.RunFor(2 * time.Second)
	i := f.conn.Info()
	if f.dropped < 5000 || i.Timeouts > 0 || i.LostSegments > 0 || i.Retransmits > f.dropped+f.dropped/100 {
		t.Errorf("the queue dropped %d, %d were sent again, %d are missing, and the timer expired %d times", f.dropped, i.Retransmits,
			i.LostSegments, i.Timeouts)
	}
	t.Logf("the queue dropped %d, %d were sent again in %d recoveries", f.dropped, i.Retransmits, i.FastRecoveries)
}
