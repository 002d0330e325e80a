package tcp

import (
	"testing"
	"time"
)

// The receive buffer grows to its greatest size on a path that takes some time, and on a short one to what that can ever need.
func TestReceiveLimit(t *testing.T) {
	const most = 6 << 20
	for _, tt := range []struct {
		rtt        time.Duration
		most, want int
	}{
		{0, most, most}, // not known
		{time.Microsecond, most, nearBuffer},
		{200 * time.Microsecond, most, max(nearBuffer, 200_000*fastest)},
		{315 * time.Microsecond, most, most},
		{100 * time.Millisecond, most, most},
		{time.Hour, most, most},
		{time.Microsecond, 4096, 4096}, // the user wants less
		{time.Microsecond, 1 << 30, nearBuffer},
		{999 * time.Microsecond, 1 << 30, 999_000 * fastest},
		{time.Millisecond, 1 << 30, 1 << 30},
	} {
		c := TCB{cfg: &Config{RMem: [3]int{0, 0, tt.most}}}
		if tt.rtt != 0 {
			c.rtt.minimum.add(0, tt.rtt, time.Minute)
		}
		if got := c.receiveLimit(); got != tt.want {
			t.Errorf("RTT %v, at most %d: %d, want %d", tt.rtt, tt.most, got, tt.want)
		}
	}
}

// Connections with near peers share what may be in flight, as long as they receive, and give up some for those that come later.
func TestSharers(t *testing.T) {
	const rtt = 200 * time.Microsecond
	var memory account
	memory.pressure, memory.limit = 1<<30, 1<<30
	all := make([]*TCB, 4)
	for i := range all {
		c := New()
		c.cfg, c.memory, c.state = &Config{RMem: [3]int{0, 0, 6 << 20}}, &memory, Established
		c.rtt.minimum.add(0, rtt, time.Minute)
		c.rcv.space.share = startShare
		c.rcv.space.size = c.receiveLimit()
		if want := int(rtt) * fastest / (i + 1); c.rcv.space.size != want {
			t.Errorf("connection %d: %d octets, want %d", i, c.rcv.space.size, want)
		}
		all[i] = c
	}
	c := all[0]
	c.rcv.space.clamp, c.rcv.space.ssthresh = c.rcv.space.full(), c.rcv.space.full()
	c.rcv.space.fixed = true // by the user
	c.giveShares()
	if want := int(rtt) * fastest; c.rcv.space.size != want {
		t.Errorf("a buffer that the user has set became %d octets, want %d", c.rcv.space.size, want)
	}
	c.rcv.space.fixed = false
	c.giveShares()
	if want := int(rtt) * fastest / 4; c.rcv.space.size != want || c.rcv.space.ssthresh != want/2 || c.rcv.space.clamp != want/2 {
		t.Errorf("with three others %d octets and windows of %d and at most %d, want %d and half of that", c.rcv.space.size,
			c.rcv.space.ssthresh, c.rcv.space.clamp, want)
	}
	all[1].setState(0, CloseWait) // nothing more comes
	all[2].Free()
	if got, want := c.receiveLimit(), int(rtt)*fastest/2; got != want || memory.sharers != 2 {
		t.Errorf("%d share, and have %d octets; want 2 and %d", memory.sharers, got, want)
	}
}
