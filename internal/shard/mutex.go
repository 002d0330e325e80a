package shard

import (
	"runtime"
	"sync"
)

// mutex is a sync.Mutex for what is locked often and for a microsecond or two. Who waits for a sync.Mutex for a millisecond, behind
// others that can run, makes everybody after him wait in line, and a change of goroutines is then the price of each Unlock. Such a
// queue does not go away by itself. So whoever finds this one locked first looks for as long as a change of goroutines takes whether
// it is free again.
type mutex struct{ sync.Mutex }

// looks is how often; where there is one processor, who has locked it cannot go on meanwhile.
var looks = func() int {
	if runtime.GOMAXPROCS(0) == 1 {
		return 1
	}
	return 1500
}()

func (m *mutex) Lock() {
	for range looks {
		if m.TryLock() {
			return
		}
	}
	m.Mutex.Lock()
}
