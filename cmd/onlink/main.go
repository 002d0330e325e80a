// Command onlink is a TCP/IP host on the command line: a simulated network to look at, a host on a TAP or TUN
// device that serves or fetches, and a lossy wire between two TAPs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	Lab   labCmd   `cmd:"" help:"Simulate a client, a router and a server in virtual time, and tell what happens."`
	Up    upCmd    `cmd:"" help:"Be a host or router on TAP and TUN devices until interrupted."`
	Drill drillCmd `cmd:"" help:"Run packetdrill scripts against the stack, in virtual time."`
	Fetch fetchCmd `cmd:"" help:"Download a URL as a host on a TAP or TUN device."`
	Wire  wireCmd  `cmd:"" help:"Join two TAP devices by a wire that delays, loses and reorders."`
}

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a write to a closed pipe is an error like others, and what was begun is undone
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run runs the command line args and returns its exit code.
func run(ctx context.Context, args []string) int {
	var c cli
	parser, err := kong.New(&c, kong.Name("onlink"), kong.UsageOnError(),
		kong.Description("A dual-stack TCP/IP host and router inside a program."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		fmt.Fprintln(os.Stderr, "onlink:", err)
		return exitFailed
	}
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "onlink: %v (onlink --help tells more)\n", err)
		return exitUsage
	}
	err = k.Run()
	if err == nil {
		return 0
	}
	// One line, and its beginning once: the library's errors have it, too.
	line := strings.ReplaceAll(strings.TrimPrefix(err.Error(), "onlink: "), "\n", "; ")
	fmt.Fprintln(os.Stderr, "onlink:", line)
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailed
}

// usageError is a fault in the command line that only the command itself can see.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }
