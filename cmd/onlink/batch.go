package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// batchCmd is `onlink batch`: commands from a file, on one host one after the other, as ip -batch runs them.
type batchCmd struct {
	runningFlags `embed:""`
	Force        bool   `help:"Go on after a command that fails."`
	File         string `arg:"" optional:"" help:"File with a command in each line, without \"onlink\"; by default, and for \"-\", standard input. What is behind # is not read."`
}

// Run has the commands work on the host that the flags say.
func (c *batchCmd) Run(ctx context.Context) error {
	if c.File != "" && c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		invoked(ctx).in = f
	}
	return c.target(ctx, c)
}

func (c *batchCmd) run(s *session) error {
	lines := bufio.NewScanner(s.in)
	failed := 0
	for n := 1; lines.Scan() && s.ctx.Err() == nil; n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		args := strings.Fields(text)
		if len(args) == 0 {
			continue
		}
		i := &invocation{args, strings.NewReader(""), s.out, s.err}
		code := i.finish(atLine(n, runOn(s, i)))
		if code != 0 && !c.Force {
			return exitStatus(code)
		} else if code != 0 {
			failed = code
		}
	}
	if failed != 0 {
		return exitStatus(failed)
	}
	return errors.Join(lines.Err(), s.ctx.Err())
}

// runOn runs the verb that i calls on the host of s.
func runOn(s *session, i *invocation) error {
	v, err := i.verb(s.ctx)
	if err != nil || v == nil {
		return err
	}
	of := *s
	of.in = i.in
	return v.run(&of)
}

// atLine says in which line an error is; it stays what it is.
func atLine(n int, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[usageError](err); ok {
		return usageError{fmt.Errorf("line %d: %w", n, e.error)}
	}
	return fmt.Errorf("line %d: %w", n, err)
}
