package dns

import (
	"context"
	"net"
	"slices"

	"github.com/onlink-go/onlink/clock"
)

// flight is a question that servers are being asked, for all who want to know.
type flight struct {
	q       question
	waiters []*waiter
	cancel  context.CancelFunc
	done    bool
	answer  Answer
	err     error
}

// waiter is somebody who waits for some flights.
type waiter struct {
	cond    clock.Cond
	flights []*flight // nil: its answer was taken
}

// ask asks questions side by side, and gives each answer to take, by the question's index, as they come, until it returns false or
// all are there. Errors: ctx's, before that.
func (r *Resolver) ask(ctx context.Context, qs []question, take func(i int, a Answer, err error) (more bool)) error {
	w := &waiter{flights: make([]*flight, len(qs))}
	w.cond = r.cfg.Runtime.NewCond(&r.mu)
	defer r.cfg.Runtime.AfterDone(ctx, func() {
		r.mu.Lock()
		w.cond.Broadcast()
		r.mu.Unlock()
	})()
	servers := r.cfg.Servers()
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.leave(w)
	if r.closed {
		return net.ErrClosed
	}
	r.renew(servers)
	for i, q := range qs {
		w.flights[i] = r.board(w, q)
	}
	for left := len(qs); left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		i := slices.IndexFunc(w.flights, func(f *flight) bool { return f != nil && f.done })
		if i < 0 {
			w.cond.Wait()
			continue
		}
		f := w.flights[i]
		w.flights[i] = nil
		left--
		if !r.unlocked(func() bool { return take(i, f.answer, f.err) }) {
			break
		}
	}
	return nil
}

// unlocked calls f with r unlocked.
func (r *Resolver) unlocked(f func() bool) bool {
	r.mu.Unlock()
	defer r.mu.Lock()
	return f()
}

// board returns the flight of q, with w among those who wait for it. r locked.
func (r *Resolver) board(w *waiter, q question) *flight {
	if a, ok := r.cache.find(r.cfg.Runtime.Now(), q); ok {
		return &flight{done: true, answer: a}
	}
	f := r.flights[q]
	if f == nil {
		ctx, cancel := context.WithCancel(r.life)
		f = &flight{q: q, cancel: cancel}
		r.flights[q] = f
		r.cfg.Runtime.Spawn("lookup of "+q.name, func() { r.fly(ctx, f) })
	}
	f.waiters = append(f.waiters, w)
	return f
}

// leave has w wait for nothing any more. A flight that nobody waits for is ended. r locked.
func (r *Resolver) leave(w *waiter) {
	for _, f := range w.flights {
		if f == nil || f.done {
			continue
		}
		f.waiters = slices.DeleteFunc(f.waiters, func(o *waiter) bool { return o == w })
		if len(f.waiters) == 0 {
			f.cancel()
			r.forget(f)
		}
	}
}

// forget lets the next who asks f's question have a flight of its own. r locked.
func (r *Resolver) forget(f *flight) {
	if r.flights[f.q] == f {
		delete(r.flights, f.q)
	}
}

// fly asks the servers, and tells those who wait.
func (r *Resolver) fly(ctx context.Context, f *flight) {
	defer f.cancel()
	a, err := r.follow(ctx, f.q)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		err = net.ErrClosed
	}
	if err == nil && r.flights[f.q] == f {
		r.cache.keep(r.cfg.Runtime.Now(), f.q, a)
	}
	f.done, f.answer, f.err = true, a, err
	r.forget(f)
	for _, w := range f.waiters {
		w.cond.Broadcast()
	}
	f.waiters = nil
}

// follow asks for q and, where a server tells of an alias but not of what it stands for, for that.
//
// RFC 1034, 5.3.3: "if the response shows a CNAME and that is not the answer itself, cache the CNAME, change the SNAME to the
// canonical name in the CNAME RR and go to step 1."
func (r *Resolver) follow(ctx context.Context, q question) (Answer, error) {
	expires := clock.Never
	for range maxAliases {
		a, err := r.query(ctx, q)
		if err != nil {
			return Answer{}, err
		}
		expires = min(expires, a.expires)
		if !a.partial {
			a.expires = expires
			return a, nil
		}
		if !IsName(a.Name) {
			return Answer{}, &failure{a.Server, errBadNames}
		}
		q = newQuestion(a.Name, q.typ)
	}
	return Answer{}, errAliases
}
