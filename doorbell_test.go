package onlink_test

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
)

// bell is a link.Doorbell in a synctest bubble, and a link that has it.
type bell struct {
	link.Link
	rung  chan struct{}
	waits atomic.Int32
}

func (b *bell) Info() link.Info {
	info := b.Link.Info()
	info.Doorbell = b
	return info
}

func (b *bell) Arm() {
	select {
	case <-b.rung:
	default:
	}
}

func (b *bell) Wait() bool {
	b.waits.Add(1)
	<-b.rung
	return true
}

func (b *bell) Ring() {
	select {
	case b.rung <- struct{}{}:
	default:
	}
}

// converse has c say something and s answer so many times.
func converse(t *testing.T, c, s *onlink.TCPConn, times int) {
	t.Helper()
	go func() {
		var b [1]byte
		for range times {
			if _, err := io.ReadFull(s, b[:]); err != nil {
				return
			}
			s.Write(b[:])
		}
	}()
	var b [1]byte
	for i := range times {
		b[0] = byte(i)
		if _, err := c.Write(b[:]); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, b[:]); err != nil || b[0] != byte(i) {
			t.Fatalf("answer %d: %v, %v", i, b[0], err)
		}
	}
}

// Who converses waits at the link's doorbell after a while. What ends other waits ends that one.
func TestDoorbell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bell{rung: make(chan struct{}, 1)}
		client, server := newPair(t, func(_ clock.Runtime, l link.Link) link.Link {
			b.Link = l
			return b
		})
		c, s := connect(t, client, server, server4)
		converse(t, c, s, 1000)
		if n := b.waits.Load(); n < 100 {
			t.Fatalf("%d waits at the doorbell", n)
		}
		// waitsThere has end end a wait at the doorbell.
		waitsThere := func(end func()) error {
			t.Helper()
			converse(t, c, s, 200)
			was := b.waits.Load()
			c.Write([]byte{1})
			failed := make(chan error)
			go func() {
				_, err := c.Read(make([]byte, 1))
				failed <- err
			}()
			synctest.Wait()
			if b.waits.Load() == was {
				t.Fatal("it does not wait at the doorbell")
			}
			end()
			s.Read(make([]byte, 1))
			return <-failed
		}
		if err := waitsThere(func() { c.SetReadDeadline(time.Now().Add(time.Minute)) }); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline: %v", err)
		}
		c.SetReadDeadline(time.Time{})
		if err := waitsThere(func() { c.Close() }); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}
