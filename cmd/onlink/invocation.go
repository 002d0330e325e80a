package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// invocation is a call of the program: its arguments, and where it reads and writes.
type invocation struct {
	args     []string
	in       io.Reader
	out, err io.Writer
}

// run runs the command line args and returns its exit code.
func run(ctx context.Context, args []string) int {
	return (&invocation{args, os.Stdin, os.Stdout, os.Stderr}).run(ctx)
}

type invocationKey struct{}

// invoked returns the call of the program that a command's context is of.
func invoked(ctx context.Context) *invocation { return ctx.Value(invocationKey{}).(*invocation) }

func (i *invocation) run(ctx context.Context) int {
	k, err := i.parse(context.WithValue(ctx, invocationKey{}, i), os.Exit)
	if err == nil {
		err = k.Run()
	}
	return i.finish(err)
}

// parse reads the arguments. exit is called after help.
func (i *invocation) parse(ctx context.Context, exit func(int)) (*kong.Context, error) {
	parser, err := kong.New(&cli{}, kong.Name("onlink"), kong.UsageOnError(), kong.Writers(i.out, i.err), kong.Exit(exit),
		kong.Description("A dual-stack TCP/IP host and router inside a program."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		return nil, err
	}
	k, err := parser.Parse(flagsFirst(parser.Model, ipStyle(parser.Model, i.args)))
	if err != nil {
		return nil, usagef("%w (onlink --help tells more)", err)
	}
	return k, nil
}

// verb returns the verb that the arguments call; nil if they asked for help, which is printed.
func (i *invocation) verb(ctx context.Context) (verb, error) {
	helped := false
	k, err := i.parse(ctx, func(int) { helped = true })
	switch {
	case helped:
		return nil, nil
	case err != nil:
		return nil, err
	}
	v, ok := k.Selected().Target.Addr().Interface().(verb)
	if !ok {
		return nil, usagef("%s is not a command for a running host", k.Selected().Name)
	}
	return v, nil
}

// finish says what went wrong, if anything did, and returns the exit code.
func (i *invocation) finish(err error) int {
	if err == nil {
		return 0
	}
	if status, ok := errors.AsType[exitStatus](err); ok {
		return int(status)
	}
	if unread(err) {
		return 0
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	// One line, and its beginning once: the library's errors have it, too.
	line := strings.ReplaceAll(strings.TrimPrefix(err.Error(), "onlink: "), "\n", "; ")
	fmt.Fprintln(i.err, "onlink:", line)
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailed
}

// unread reports whether err is that nobody reads the output any more: that is how a pipe into head(1) ends.
func unread(err error) bool {
	e, ok := errors.AsType[*fs.PathError](err)
	return ok && e.Path == os.Stdout.Name() && e.Err == syscall.EPIPE
}

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a fault in the command line that only the command itself can see.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Unwrap returns the fault.
func (e usageError) Unwrap() error { return e.error }

// exitStatus ends a command with an exit code, all being said.
type exitStatus int

// Error names the exit code.
func (e exitStatus) Error() string { return "exit status " + strconv.Itoa(int(e)) }
