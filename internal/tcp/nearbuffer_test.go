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
