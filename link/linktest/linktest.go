// Package linktest tests that a [link.Link] keeps the promises the stack relies on: frames in order, one
// Deliver at a time, ownership, detaching that waits, Ready after a full Send, errors after Close.
//
// It needs two links joined to each other, made inside a testing/synctest bubble, so that "waits" and "nothing
// more happens" can be tested without guessing at times.
package linktest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
)

// Maker returns two links joined to each other, without loss or reordering. It is called in a bubble; what it
// makes is closed by the test.
type Maker func(t *testing.T) (a, b link.Link)

// settle is how long, in the bubble's time, a frame may take from one link to the other.
const settle = time.Minute

// Test runs all conformance tests on links made by mk, except those named.
func Test(t *testing.T, mk Maker, except ...string) {
	tests := []struct {
		name string
		f    func(t *testing.T, a, b link.Link)
	}{
		{"Order", testOrder},
		{"Echo", testEcho},
		{"Unattached", testUnattached},
		{"Attach", testAttach},
		{"DetachWaits", testDetachWaits},
		{"Ready", testReady},
		{"ConcurrentSenders", testConcurrentSenders},
		{"Close", testClose},
		{"CloseWhileBusy", testCloseWhileBusy},
	}
	for _, tt := range tests {
		if slices.Contains(except, tt.name) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := mk(t)
				tt.f(t, a, b)
				a.Close()
				b.Close()
				settled()
			})
		})
	}
}

// Frame returns a frame from link a to link b of n octets in all, at least 32, numbered (sender, seq). The rest
// is a pattern that follows from the number.
func Frame(a, b link.Info, sender, seq uint32, n int) *packet.Buffer {
	p := packet.New(max(n, 32))
	f := p.Bytes()
	clear(f[:24])
	if a.Medium == link.Ethernet {
		copy(f[0:6], b.Addr[:])
		copy(f[6:12], a.Addr[:])
		binary.BigEndian.PutUint16(f[12:], 0x88b5) // IEEE 802, 9.2.3: local experimental
	} else {
		f[0] = 0x45
	}
	binary.BigEndian.PutUint32(f[16:], sender)
	binary.BigEndian.PutUint32(f[20:], seq)
	for i := 24; i < len(f); i++ {
		f[i] = byte(seq) + byte(sender)*7 + byte(i)
	}
	return p
}

// Number returns the numbers Frame gave to p, and whether p is as Frame built it.
func Number(p *packet.Buffer) (sender, seq uint32, intact bool) {
	f := p.Bytes()
	if len(f) < 32 {
		return 0, 0, false
	}
	sender, seq = binary.BigEndian.Uint32(f[16:]), binary.BigEndian.Uint32(f[20:])
	for i := 24; i < len(f); i++ {
		if f[i] != byte(seq)+byte(sender)*7+byte(i) {
			return sender, seq, false
		}
	}
	return sender, seq, true
}

// Recorder is a [link.Receiver] that notes what it is told and finds fault with overlapping calls and damaged
// frames. Its zero value is ready.
type Recorder struct {
	OnDeliver func(q int, p *packet.Buffer) // if set, is given each frame and owns it; called in Deliver
	OnReady   func()

	mu      sync.Mutex
	inside  map[int]bool
	frames  [][2]uint32 // sender, seq
	ready   int
	changed []link.Info
	faults  []string
}

// Deliver notes the numbers of the frames.
func (r *Recorder) Deliver(q int, b *packet.Batch) {
	r.mu.Lock()
	if r.inside == nil {
		r.inside = make(map[int]bool)
	}
	if r.inside[q] {
		r.faults = append(r.faults, fmt.Sprintf("two calls to Deliver at once for queue %d", q))
	}
	r.inside[q] = true
	r.mu.Unlock()
	for p := b.Pop(); p != nil; p = b.Pop() {
		sender, seq, intact := Number(p)
		r.mu.Lock()
		r.frames = append(r.frames, [2]uint32{sender, seq})
		if !intact {
			r.faults = append(r.faults, fmt.Sprintf("frame %d of sender %d came damaged", seq, sender))
		}
		r.mu.Unlock()
		if r.OnDeliver != nil {
			r.OnDeliver(q, p)
		} else {
			p.Free()
		}
	}
	r.mu.Lock()
	r.inside[q] = false
	r.mu.Unlock()
}

// Ready counts.
func (r *Recorder) Ready(int) {
	r.mu.Lock()
	r.ready++
	r.mu.Unlock()
	if r.OnReady != nil {
		r.OnReady()
	}
}

// Changed notes info.
func (r *Recorder) Changed(info link.Info) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed = append(r.changed, info)
}

// Frames returns the numbers (sender, seq) of the frames so far, in order.
func (r *Recorder) Frames() [][2]uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([][2]uint32(nil), r.frames...)
}

// ReadyCalls returns how many times Ready was called.
func (r *Recorder) ReadyCalls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ready
}

// Changes returns what Changed was told so far.
func (r *Recorder) Changes() []link.Info {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]link.Info(nil), r.changed...)
}

// Check reports the faults found, and whether each sender's frames are 0, 1, … want[sender]-1 in order.
func (r *Recorder) Check(t *testing.T, want ...int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.faults {
		t.Error(f)
	}
	next := make([]int, len(want))
	for _, f := range r.frames {
		if int(f[0]) >= len(want) {
			t.Fatalf("a frame of sender %d came, which sent none", f[0])
		}
		if int(f[1]) != next[f[0]] {
			t.Fatalf("frame %d of sender %d came where %d was next", f[1], f[0], next[f[0]])
		}
		next[f[0]]++
	}
	for s, n := range next {
		if n != want[s] {
			t.Errorf("%d frames of sender %d came, want %d", n, s, want[s])
		}
	}
}
