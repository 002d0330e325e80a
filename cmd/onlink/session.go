// How commands work on a stack: three places, one command.
//
// A command that looks at a stack or changes it is a [verb]: it embeds [targetFlags] (or [runningFlags], if a host of its own
// makes no sense for it), and its Run hands it over:
//
//	func (c *pingCmd) Run(ctx context.Context) error { return c.target(ctx, c) }
//	func (c *pingCmd) run(s *session) error { … s.stack.Ping(s.ctx, …); fmt.Fprintln(s.out, …) … }
//
// target finds the stack (target.go): that of a running `onlink up`, over its control socket (control.go; the verb runs in
// that process then, which parses the same arguments with the same structures: what a command opens on the side of
// whoever called it, it opens in Run); that of a node of the built-in lab, in virtual time (testbed.go); or that of a
// host of its own on a device (host.go). The verb cannot tell which, as long as it keeps to the session: it reads s.in, writes s.out
// and s.err, waits with s.sleep, s.withTimeout and s.parallel, and takes the time from s.stack.Runtime(). It starts no
// goroutines of its own and waits on no channels: in the lab that would stop time.
//
// An interrupt ends s.ctx. The verb then says what it has to say (statistics) and returns; an error that wraps the context's is
// told as "interrupted". exitStatus is an error without a message.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/onlink-go/onlink"
)

// verb is a command that works on a stack, wherever that is.
type verb interface{ run(s *session) error }

// session is what a verb runs with.
type session struct {
	ctx   context.Context // done when the verb is to end
	stack *onlink.Stack
	in    io.Reader
	out   io.Writer // each Write is seen at once: put together what belongs together
	err   io.Writer

	// In the stack's time: sleep waits, and returns ctx's error if that ends first; withTimeout is context.WithTimeout; spawn runs
	// f at once with the caller, and f may wait.
	sleep       func(d time.Duration) error
	withTimeout func(parent context.Context, d time.Duration) (context.Context, context.CancelFunc)
	spawn       func(f func())
}

// newSession returns a session with a stack in real time.
func newSession(ctx context.Context, stack *onlink.Stack, in io.Reader, out, err io.Writer) *session {
	return &session{ctx: ctx, stack: stack, in: in, out: out, err: err, withTimeout: context.WithTimeout,
		sleep: func(d time.Duration) error { return sleep(ctx, d) }, spawn: func(f func()) { go f() }}
}

// sleep waits for d, or until ctx is done, and returns its error then.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// print prints.
func (s *session) print(format string, args ...any) { fmt.Fprintf(s.out, format, args...) }

// parallel runs fs at once, waits for all of them, and joins their errors.
func (s *session) parallel(fs ...func() error) error {
	var mu sync.Mutex
	returned := s.stack.Runtime().NewCond(&mu)
	errs, running := make([]error, len(fs)), len(fs)
	for i, f := range fs {
		s.spawn(func() {
			err := f()
			mu.Lock()
			defer mu.Unlock()
			errs[i] = err
			running--
			returned.Broadcast()
		})
	}
	mu.Lock()
	defer mu.Unlock()
	for running > 0 {
		returned.Wait()
	}
	return errors.Join(errs...)
}
