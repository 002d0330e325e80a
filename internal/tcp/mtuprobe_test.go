package tcp

import (
	"testing"
	"time"
)

// narrow is a pair whose path from the first end drops segments of more than size octets, options counted, without a word.
func narrow(t *testing.T, size, mode int) (p *pair, largest *int) {
	p = newPair(t, 1)
	for i := range p.cfg {
		p.cfg[i].Config.MTUProbing = mode
	}
	largest = new(int)
	p.chans[0].drop = func(seg *Segment) bool {
		n := seg.Len + optionsLen(&seg.Options)
		if n <= size {
			*largest = max(*largest, n)
		}
		return n > size
	}
	return p.connect(), largest
}

// RFC 4821, 7: probing finds what the path carries, from below, to within the threshold, whatever that is; no loss of a
// probe reduces the window.
func TestMTUProbing(t *testing.T) {
	for _, size := range []int{1100, 1250, 1300, 1400, 1459, 1460} {
		p, largest := narrow(t, size, mtuProbeAlways)
		c := p.ends[0]
		for range 600 { // a minute, since a probe waits for as many round trips after a lost one as the window has segments
			p.send(0, pattern(20_000))
			p.runFor(100 * time.Millisecond)
			p.read(1)
		}
		if *largest > size || *largest < size-c.cfg.ProbeThreshold-1 {
			t.Errorf("path of %d: the largest segment was of %d", size, *largest)
		}
		if c.stats.timeouts > 0 || c.recovery.undo.threshold != 0 && c.recovery.state != stateOpen {
			t.Errorf("path of %d: %d timeouts, state %v", size, c.stats.timeouts, c.recovery.state)
		}
		if i := c.Info(p.now); i.SlowStartThreshold < 1<<20 && i.State == Established {
			t.Errorf("path of %d: the threshold fell to %d", size, i.SlowStartThreshold)
		}
	}
}

// RFC 4821, 7.7: a path that carries less than the handshake promised, and does not say so, is a black hole until segments
// get smaller. Without probing nothing gets through.
func TestBlackHole(t *testing.T) {
	for _, size := range []int{1200, 700, 300} {
		p, largest := narrow(t, size, mtuProbeBlack)
		took := p.transfer(0, pattern(200<<10), 10*time.Minute)
		if *largest > size {
			t.Errorf("a segment of %d on a path of %d", *largest, size)
		}
		t.Logf("path of %d: %v, segments of up to %d", size, took, *largest)
	}
	p, _ := narrow(t, 1200, mtuProbeNever)
	p.send(0, pattern(10<<10))
	p.runFor(time.Minute)
	if b, _ := p.read(1); len(b) > 0 {
		t.Errorf("%d octets got through without probing", len(b))
	}
}
