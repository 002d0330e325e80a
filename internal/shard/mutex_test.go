package shard

import (
	"sync"
	"testing"
)

// One at a time has it, whether it was found free or not.
func TestMutex(t *testing.T) {
	var m mutex
	n := 0
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for range 20000 {
				m.Lock()
				n++
				m.Unlock()
			}
		})
	}
	work.Wait()
	if n != 8*20000 {
		t.Errorf("%d times of %d", n, 8*20000)
	}
}
