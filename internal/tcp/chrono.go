package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// wait says what sending waits for; a later one stands for those before it too.
type wait uint8

const (
	waitNothing wait = iota // there is nothing to send
	waitNetwork             // data is on its way, or held back by the congestion window or Nagle's algorithm
	waitWindow              // for the peer's window
	waitUser                // for the user, whom a full send buffer held up
	numWaits
)

// chrono adds up the time spent in each wait.
type chrono struct {
	cur   wait
	since clock.Instant
	spent [numWaits]time.Duration // [waitNothing] is not kept
}

// enter begins to wait for w.
func (t *chrono) enter(now clock.Instant, w wait) {
	if w == t.cur {
		return
	}
	if t.cur != waitNothing {
		t.spent[t.cur] += now.Sub(t.since)
	}
	t.cur, t.since = w, now
}

// read returns the sums: of all waits, of those for the window, of those for the user.
func (t chrono) read(now clock.Instant) (busy, window, user time.Duration) {
	t.enter(now, waitNothing)
	window, user = t.spent[waitWindow], t.spent[waitUser]
	return t.spent[waitNetwork] + window + user, window, user
}

// clockWait notes what sending waits for, when there is nothing more to send now.
func (c *TCB) clockWait(now clock.Instant) {
	w := waitNetwork
	unsent := c.unsent()
	switch {
	case unsent == 0 && c.board.empty():
		w = waitNothing
	case unsent == 0 && c.snd.space.wanted && !c.snd.limited:
		w = waitUser
	case unsent > 0 && c.snd.una.Add(c.snd.wnd).Sub(c.snd.nxt) < min(unsent, c.snd.mss):
		w = waitWindow
	}
	c.chrono.enter(now, w)
}
