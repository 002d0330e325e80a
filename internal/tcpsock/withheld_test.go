package tcpsock

import (
	"slices"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

// What a write leaves over behind a super-packet goes with the next write, if that comes at once; and if none comes, then at once too.
func TestWithheld(t *testing.T) {
	const mss, super = 1460, 44 * 1460 // as many segments as a packet has room for
	for _, tt := range []struct {
		name   string
		writes []int
		fin    bool
		short  []int // of the segments, in octets, those that are not full
	}{
		{"one write", []int{super + 304}, false, []int{304}},
		{"a write at once", []int{super + 304, 500, 400}, false, []int{304 + 500 + 400}},
		{"a super-packet in between", []int{super + 304, super - 304 - 2*mss + 7, 100}, false, []int{107}},
		{"the end", []int{super + 304}, true, []int{304}},
		{"nothing left over", []int{super, 100}, false, []int{100}},
		{"less than a super-packet", []int{1000, 1000}, false, []int{1000, 1000}},
	} {
		r := newRig(t, 1)
		r.tcp.Configure(func(s *Settings) { s.TCP.InitialWindow, s.TCP.NoDelay = 200, true })
		l := r.listen(80, 1)
		r.send(peer4, wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 1000, Flags: wire.SYN,
			Options: wire.TCPOptions{MSS: mss, HasWindowScale: true, WindowScale: 7}})
		r.ack(peer4, r.got[0])
		c, err := r.accept(l)
		if err != nil {
			t.Fatal(err)
		}
		var short []int
		sent := 0
		r.raw = func(b []byte) {
			v4, err := wire.CheckIPv4(b)
			if err != nil {
				t.Error(err)
				return
			}
			h, err := wire.CheckTCP(v4.Payload())
			if err != nil {
				t.Error(err)
				return
			}
			n := len(h.Payload())
			sent += n
			if n > 0 && n < mss {
				short = append(short, n)
			}
		}
		total := 0
		r.sim.Start("writer", func() {
			for _, n := range tt.writes {
				if _, err := c.Write(make([]byte, n)); err != nil {
					t.Error(err)
				}
			}
			if tt.fin {
				c.CloseWrite()
			}
		})
		for _, n := range tt.writes {
			total += n
		}
		r.pass(0)
		if sent != total || !slices.Equal(short, tt.short) {
			t.Errorf("%s: %d octets sent of %d, short segments of %d, want %d", tt.name, sent, total, short, tt.short)
		}
		if c.withheld || len(r.tcp.tables[0].withheld.conns) != 0 {
			t.Errorf("%s: still withheld", tt.name)
		}
	}
}
