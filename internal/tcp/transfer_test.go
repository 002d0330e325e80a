package tcp

import (
	"fmt"
	"testing"
	"time"
)

func TestTransfer(t *testing.T) {
	for _, tc := range []struct {
		name      string
		loss, dup float64
		reorder   float64
		mutate    func(*pair)
		size      int
		limit     time.Duration
	}{
		{name: "clean", size: 4 << 20, limit: 5 * time.Second},
		{name: "loss", loss: 0.02, size: 4 << 20, limit: 60 * time.Second},
		{name: "heavy loss", loss: 0.1, size: 1 << 20, limit: 10 * time.Minute},
		{name: "reordering", reorder: 0.05, size: 2 << 20, limit: 60 * time.Second},
		{name: "everything", loss: 0.05, dup: 0.05, reorder: 0.05, size: 1 << 20, limit: 10 * time.Minute},
	} {
		for _, mode := range []string{"sack", "no sack", "no timestamps", "plain"} {
			t.Run(fmt.Sprint(tc.name, "/", mode), func(t *testing.T) {
				p := newPair(t, 42)
				for i := range p.chans {
					ch := &p.chans[i]
					ch.loss, ch.duplicate, ch.delay2 = tc.loss, tc.dup, tc.reorder
				}
				p.cfg[0].NoSACK = mode == "no sack" || mode == "plain"
				p.cfg[1].NoTimestamps = mode == "no timestamps" || mode == "plain"
				p.cfg[1].NoWindowScale = mode == "plain"
				p.connect()
				d := p.transfer(0, pattern(tc.size), tc.limit)
				i := p.ends[0].Info(p.now)
				t.Logf("%v, %.1f Mbit/s, %d retransmits, %d timeouts, %d recoveries", d, float64(tc.size)*8/d.Seconds()/1e6,
					i.Retransmits, i.Timeouts, i.FastRecoveries)
			})
		}
	}
}
