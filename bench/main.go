// Bench measures the stack: TCP's goodput over paths of many kinds, beside the Linux kernel's, and how flows share a line.
//
//	go run ./bench paths             goodput on each path, in simulation
//	go run ./bench paths -kernel     in real time through `onlink wire`: the kernel's TCP, and ours, in turn
//	go run ./bench paths -write      the charts and the table of docs/tcp.md, from what was measured last
//	go run ./bench fair              how two flows share a line; -kernel: ours beside the kernel's
//
// It is run in the root of the repository. Simulated results follow from the seeds. Those in real time need root, for network
// namespaces and TAPs, and a machine with time to spare.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// commands are what bench can be told to do.
var commands = map[string]func(ctx context.Context, args []string) error{"paths": runPaths, "fair": runFair}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: bench paths|fair [flags]; -h lists them")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](ctx, os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// newFlags returns the flags of a command, which end the program when they are wrong.
func newFlags(name string) *flag.FlagSet { return flag.NewFlagSet("bench "+name, flag.ExitOnError) }
