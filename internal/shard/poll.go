package shard

import (
	"runtime"
	"time"
)

// pollLooks is after how many looks who polls lets others run, and looks at the clock: some microseconds.
const pollLooks = 250

// Poll looks for up to so long whether v is woken, and reports it: what Linux calls busy polling (net.core.busy_read). It is not
// worth while, and returns false at once, where there is one processor only, and where time does not pass meanwhile, as in a
// simulation or a synctest bubble. sh locked, before and after.
func (s *Shard) Poll(v *Visitor, most time.Duration) bool {
	if looks == 1 {
		return false
	}
	was := v.woken.Load()
	s.Unlock()
	s.look(v, was, most)
	s.Lock()
	return v.woken.Load() != was // also since the last look
}

// look looks until v is woken another time than was, or for so long.
func (s *Shard) look(v *Visitor, was uint32, most time.Duration) {
	began := s.rt.Now()
	for last := began; ; {
		runtime.Gosched() // to whom it waits for, maybe, on this processor
		for range pollLooks {
			if v.woken.Load() != was {
				return
			}
			pause()
		}
		now := s.rt.Now()
		if now == last || now.Sub(began) >= most {
			return
		}
		last = now
	}
}
