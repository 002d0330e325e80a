package shard

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
)

// Door is where who is expected waits for what a link brings: at its Doorbell instead of at a condition variable. That is whoever
// was the last to wait some times in a row, and not for long: one end of a conversation that the link has to itself. Where there
// are several, or one sends on without waiting for answers, a thread that is woken for an idle processor has something to do.
type Door struct {
	bell link.Doorbell

	mu     sync.Mutex
	last   any // who has waited last
	times  int // how often in a row
	inside bool
}

const (
	expected = 64               // times after which somebody is
	brief    = time.Millisecond // how long a wait may be to count
)

// NewDoor returns a Door with that bell.
func NewDoor(bell link.Doorbell) *Door { return &Door{bell: bell} }

// Wait waits once for v to be woken, or on c; who is the socket that waits. Callers loop. l, the Locker of c which guards v, is locked
// before and after.
func (d *Door) Wait(rt clock.Runtime, l sync.Locker, c clock.Cond, v *Visitor, who any) {
	began := rt.Now()
	if d.enter(who) {
		v.door = d
		l.Unlock()
		works := d.bell.Wait()
		l.Lock()
		v.door = nil
		d.leave(works)
	} else {
		c.Wait()
	}
	d.note(who, rt.Now().Sub(began) <= brief)
}

// enter has who wait at the bell, if it is expected. If somebody is there still who is not any more, it is asked to leave, for the
// next time.
func (d *Door) enter(who any) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last != who || d.times < expected {
		return false
	}
	if d.inside {
		d.bell.Ring()
		return false
	}
	d.inside = true
	d.bell.Arm()
	return true
}

// leave ends what enter began; works is false if the bell does not ring any more.
func (d *Door) leave(works bool) {
	d.mu.Lock()
	d.inside = !works // for ever: nobody enters again
	d.mu.Unlock()
}

// note takes in that who has waited, briefly or not.
func (d *Door) note(who any, briefly bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last != who || !briefly {
		d.last, d.times = who, 0
	}
	d.times++
}

// Pass takes in that who waits elsewhere: so nobody is expected. d may be nil.
func (d *Door) Pass(who any) {
	if d != nil {
		d.note(who, false)
	}
}

// Visitor is somebody who may wait at a Door, or poll. Its shard's lock guards it, but for woken.
type Visitor struct {
	door  *Door
	woken atomic.Uint32 // how often
}

// Wake wakes v, if it waits at a Door or polls.
func (v *Visitor) Wake() {
	v.woken.Add(1)
	if v.door != nil {
		v.door.bell.Ring()
	}
}
