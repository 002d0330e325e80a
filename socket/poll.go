package socket

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/ready"
)

// PollFD is struct pollfd.
type PollFD struct {
	FD      int // negative: is skipped
	Events  int16
	Revents int16
}

// Poll waits until one of fds is ready for what its Events ask, or timeout is over: 0: at once, negative: never. It
// returns how many are ready, with their Revents set.
func (t *Table) Poll(fds []PollFD, timeout time.Duration) (int, error) {
	if n := t.scan(fds); n > 0 || timeout == 0 {
		return n, nil
	}
	p := &poller{queue: queue{rt: t.rt}}
	for i := range fds {
		f, err := t.file(fds[i].FD)
		if err != nil {
			continue // scan says so
		}
		q := &f.base().queue
		q.add(p)
		defer func() {
			q.remove(p)
			t.put(f)
		}()
	}
	end := deadline(t.rt, timeout)
	for {
		turn := p.now()
		if n := t.scan(fds); n > 0 {
			return n, nil
		}
		if !p.wait(turn, end) {
			return t.scan(fds), nil
		}
	}
}

// scan sets Revents and returns how many are not empty.
func (t *Table) scan(fds []PollFD) int {
	n := 0
	for i := range fds {
		p := &fds[i]
		p.Revents = 0
		if p.FD < 0 {
			continue
		}
		if f, err := t.file(p.FD); err != nil {
			p.Revents = POLLNVAL
		} else {
			p.Revents = int16(f.poll() & (ready.Events(uint16(p.Events)) | ready.Err | ready.Hup))
			t.put(f)
		}
		if p.Revents != 0 {
			n++
		}
	}
	return n
}

// deadline returns the instant at which timeout, as Poll takes it, is over.
func deadline(rt clock.Runtime, timeout time.Duration) clock.Instant {
	if timeout < 0 {
		return clock.Never
	}
	return rt.Now().Add(timeout)
}

// poller is a call of Poll, waiting in the queues of its files.
type poller struct{ queue }

// woken implements entry.
func (p *poller) woken(ev ready.Events) { p.Notify(ev) }
