package shard

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
)

// Who polls finds that it is woken, without the lock held meanwhile, or gives up.
func TestPoll(t *testing.T) {
	if runtime.GOMAXPROCS(0) == 1 {
		t.Skip("on one processor nobody polls")
	}
	s := New(clock.NewReal(), 0, func(out *packet.Batch) { out.Free() })
	var v Visitor
	polls := make(chan bool)
	go func() {
		<-polls
		s.Lock()
		defer s.Unlock()
		v.Wake()
	}()
	s.Lock()
	defer s.Unlock()
	close(polls)
	if !s.Poll(&v, time.Hour) {
		t.Error("not woken")
	}
	if s.Poll(&v, time.Microsecond) {
		t.Error("woken by nobody")
	}
}

// Where time stands still while somebody polls nobody does.
func TestPollInVirtualTime(t *testing.T) {
	var v Visitor
	drain := func(out *packet.Batch) { out.Free() }
	poll := func(s *Shard) {
		t.Helper()
		s.Lock()
		defer s.Unlock()
		if s.Poll(&v, time.Hour) {
			t.Error("woken by nobody")
		}
	}
	poll(New(clock.NewSim(1).Runtime(0), 0, drain))
	synctest.Test(t, func(t *testing.T) { poll(New(clock.NewReal(), 0, drain)) })
}

// late is a Runtime where who polls is woken when it looks at the clock.
type late struct {
	clock.Runtime
	s     *Shard
	v     Visitor
	calls int
}

func (l *late) Now() clock.Instant {
	if l.calls++; l.calls == 2 {
		l.s.Lock()
		l.v.Wake()
		l.s.Unlock()
	}
	return 0
}

// Who is woken after its last look, before it has the lock again, is told so: nobody wakes it another time.
func TestPollWokenLate(t *testing.T) {
	if runtime.GOMAXPROCS(0) == 1 {
		t.Skip("on one processor nobody polls")
	}
	l := &late{Runtime: clock.NewReal()}
	l.s = New(l, 0, func(out *packet.Batch) { out.Free() })
	l.s.Lock()
	defer l.s.Unlock()
	if !l.s.Poll(&l.v, time.Hour) {
		t.Error("it would wait now for what has been")
	}
}
