package shard

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// newLeaf returns a Leaf in a simulation, and a function that waits on it until it is refused.
func newLeaf() (s *clock.Sim, l *Leaf, wait func() error) {
	s = clock.NewSim(1)
	l = new(Leaf)
	l.Init(New(s.Runtime(1), 0, nil))
	return s, l, func() error {
		l.Lock()
		defer l.Unlock()
		for {
			if err := l.Refused(); err != nil {
				return err
			}
			l.Wait()
		}
	}
}

func TestLeafDeadline(t *testing.T) {
	s, l, wait := newLeaf()
	defer s.Stop()
	s.Start("wait", func() {
		for _, after := range []time.Duration{time.Second, time.Minute} {
			began := s.Now()
			if err := l.SetDeadline(began.Add(after)); err != nil {
				t.Error(err)
			}
			if err := wait(); !errors.Is(err, os.ErrDeadlineExceeded) || s.Now() != began.Add(after) {
				t.Errorf("%v at %v", err, s.Now())
			}
		}
		// A deadline put off does not end the wait; one moved forward, or past, does at once.
		l.SetDeadline(s.Now().Add(time.Second))
		l.SetDeadline(s.Now().Add(time.Hour))
		began := s.Now()
		s.Start("move", func() {
			s.Sleep(time.Minute)
			l.SetDeadline(began)
		})
		if err := wait(); !errors.Is(err, os.ErrDeadlineExceeded) || s.Now() != began.Add(time.Minute) {
			t.Errorf("%v at %v", err, s.Now())
		}
	})
	s.RunUntilIdle()
	if n := s.Waiting(); n != nil {
		t.Errorf("%v wait for ever", n)
	}
}

func TestLeafClose(t *testing.T) {
	s, l, wait := newLeaf()
	defer s.Stop()
	l.SetDeadline(clock.Instant(time.Hour))
	s.Start("wait", func() {
		if err := wait(); !errors.Is(err, net.ErrClosed) || s.Now() != clock.Instant(time.Second) {
			t.Errorf("%v at %v", err, s.Now())
		}
	})
	calls := 0
	s.Start("close", func() {
		s.Sleep(time.Second)
		if err := l.Close(func() { calls++ }); err != nil {
			t.Error(err)
		}
		if err := l.Close(func() { calls++ }); !errors.Is(err, net.ErrClosed) || calls != 1 {
			t.Errorf("second Close: %v, %d calls", err, calls)
		}
		if err := l.SetDeadline(clock.Never); !errors.Is(err, net.ErrClosed) {
			t.Errorf("SetDeadline after Close: %v", err)
		}
	})
	s.RunUntilIdle()
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}
