package tuntap

import (
	"errors"
	"sync"
	"testing"

	"github.com/onlink-go/onlink/internal/netns"
	"github.com/onlink-go/onlink/link"
)

// Several send at once: the frames of each stay in order, and none is lost, until the device is closed under them.
func TestSendAtOnce(t *testing.T) {
	netns.Enter(t)
	d := openDevice(t, "otap0", Config{})
	netns.IP(t, "link set otap0 up")
	k := openKernelSide(t, "otap0")
	const senders, frames = 4, 30 // together no more than the packet socket holds
	var all, sent sync.WaitGroup
	sent.Add(senders)
	begun := make(chan struct{}, senders)
	for s := range senders {
		all.Go(func() {
			f := frame(0, 60)
			for i := range frames {
				f[14], f[15] = byte(s), byte(i)
				if err := send(t, d, f); err != nil {
					t.Error(err)
				}
			}
			sent.Done()
			sent.Wait()
			f[12] = 0 // not for the packet socket
			for i := 0; ; i++ {
				if i == 1 {
					begun <- struct{}{}
				}
				if err := send(t, d, f); err != nil {
					if !errors.Is(err, link.ErrClosed) {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	var next [senders]byte
	for range senders * frames {
		f := k.receive(t)
		if s, i := f[14], f[15]; i != next[s] {
			t.Fatalf("sender %d: frame %d, want %d", s, i, next[s])
		}
		next[f[14]]++
	}
	for range senders {
		<-begun
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
}
