package clock

import (
	"sync"
	"testing"
	"time"
)

func BenchmarkSimTimer(b *testing.B) {
	s := NewSim(1)
	rt := s.Runtime(0)
	n := b.N
	var timers [8]Timer
	for i := range timers {
		timers[i] = rt.NewTimer(func(now Instant) {
			if n--; n > 0 {
				timers[i].Reset(now.Add(time.Duration(i + 1)))
			}
		})
		timers[i].Reset(Instant(i))
	}
	b.ReportAllocs()
	s.RunUntilIdle()
}

func BenchmarkSimGo(b *testing.B) {
	s := NewSim(1)
	rt := s.Runtime(0)
	n := b.N
	var f func()
	f = func() {
		if n--; n > 0 {
			rt.Go(f)
		}
	}
	rt.Go(f)
	b.ReportAllocs()
	s.RunUntilIdle()
}

// One wait and one wake by another coroutine: a switch out and back in.
func BenchmarkSimSwitch(b *testing.B) {
	s := NewSim(1)
	var mu sync.Mutex
	rt := s.Runtime(0)
	c := [2]Cond{rt.NewCond(&mu), rt.NewCond(&mu)}
	turn, n := 0, b.N
	for i := range c {
		s.Start("", func() {
			mu.Lock()
			defer mu.Unlock()
			for n > 0 {
				n--
				turn = 1 - i
				c[turn].Broadcast()
				for n > 0 && turn != i {
					c[i].Wait()
				}
			}
			c[1-i].Broadcast()
		})
	}
	b.ReportAllocs()
	s.RunUntilIdle()
}

func BenchmarkSimSleep(b *testing.B) {
	s := NewSim(1)
	s.Start("", func() {
		for range b.N {
			s.Sleep(1)
		}
	})
	b.ReportAllocs()
	s.RunUntilIdle()
}

// Ten virtual minutes of an idle network: a hundred nodes, each with a timer every second.
func BenchmarkSimIdle(b *testing.B) {
	for b.Loop() {
		s := NewSim(1)
		for node := range uint64(100) {
			var tm Timer
			tm = s.Runtime(node).NewTimer(func(now Instant) { tm.Reset(now.Add(time.Second)) })
			tm.Reset(Instant(node))
		}
		s.Run(600e9)
	}
}
