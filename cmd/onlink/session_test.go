package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
)

// verbFunc is a verb for tests.
type verbFunc func(s *session) error

func (f verbFunc) run(s *session) error { return f(s) }

// runEverywhere runs v on a node of the lab and on a stack in real time, and returns what it wrote and its errors there.
func runEverywhere(t *testing.T, ctx context.Context, input string, v verbFunc) (out [2]string, errs [2]error) {
	t.Helper()
	s, err := onlink.New(onlink.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	var lab, real strings.Builder
	errs[0] = inLab(ctx, "client", v, &invocation{nil, strings.NewReader(input), &lab, io.Discard})
	errs[1] = v(newSession(ctx, s, strings.NewReader(input), &real, io.Discard))
	return [2]string{lab.String(), real.String()}, errs
}

// A verb reads, writes, waits and does things at once alike in virtual and in real time.
func TestSession(t *testing.T) {
	failed := errors.New("failed")
	out, errs := runEverywhere(t, t.Context(), "input", func(s *session) error {
		b, err := io.ReadAll(s.in)
		fmt.Fprintf(s.out, "read %s\n", b)
		began := s.stack.Runtime().Now()
		err = errors.Join(err, s.parallel(
			func() error { return s.sleep(20 * time.Millisecond) },
			func() error { return errors.Join(failed, s.sleep(30*time.Millisecond)) }))
		if took := s.stack.Runtime().Now().Sub(began); took < 30*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		ctx, cancel := s.withTimeout(s.ctx, 10*time.Millisecond)
		defer cancel()
		changes := s.stack.Subscribe()
		defer changes.Close()
		_, late := changes.Next(ctx)
		fmt.Fprintf(s.out, "%v\n", errors.Is(late, context.DeadlineExceeded))
		return err
	})
	for i := range out {
		if out[i] != "read input\ntrue\n" || !errors.Is(errs[i], failed) {
			t.Errorf("%q, %v", out[i], errs[i])
		}
	}
}

// An interrupt ends waits, and the verb says what it has to say.
func TestSessionInterrupted(t *testing.T) {
	for _, wait := range []func(s *session) error{
		func(s *session) error { return s.sleep(time.Second) },
		func(s *session) error {
			changes := s.stack.Subscribe()
			defer changes.Close()
			for {
				if _, err := changes.Next(s.ctx); err != nil {
					return err
				}
			}
		},
	} {
		ctx, interrupt := context.WithCancel(t.Context())
		out, errs := runEverywhere(t, ctx, "", func(s *session) error {
			interrupt()
			err := wait(s)
			fmt.Fprint(s.out, "statistics")
			return err
		})
		for i := range out {
			if out[i] != "statistics" || !errors.Is(errs[i], context.Canceled) {
				t.Errorf("%d: %q, %v", i, out[i], errs[i])
			}
		}
	}
	var said strings.Builder
	i := &invocation{err: &said}
	if code := i.finish(fmt.Errorf("somewhere: %w", context.Canceled)); code != exitFailed || said.String() != "onlink: interrupted\n" {
		t.Errorf("exit code %d, %q", code, &said)
	}
	said.Reset()
	if code := i.finish(exitStatus(7)); code != 7 || said.String() != "" {
		t.Errorf("exit code %d, %q", code, &said)
	}
}

// What never comes in the lab does not keep a command from ending: its context ends.
func TestLabForEver(t *testing.T) {
	var out strings.Builder
	err := inLab(t.Context(), "server", verbFunc(func(s *session) error {
		ln, err := s.stack.Listen(s.ctx, "tcp", ":1234")
		if err != nil {
			return err
		}
		defer ln.Close()
		changes := s.stack.Subscribe()
		defer changes.Close()
		for err == nil {
			_, err = changes.Next(s.ctx)
		}
		fmt.Fprint(&out, "over")
		return nil
	}), &invocation{nil, strings.NewReader(""), &out, io.Discard})
	if err != nil || out.String() != "over" {
		t.Errorf("%q, %v", &out, err)
	}
}
