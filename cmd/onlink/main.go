// Command onlink is a TCP/IP host on the command line: a simulated network to look at, a host on a TAP or TUN
// device that serves or fetches, commands that look at such a host and change it, and a lossy wire between two TAPs.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// cli is the command line.
type cli struct {
	Lab   labCmd   `cmd:"" help:"Simulate a client, a router and a server in virtual time, and tell what happens."`
	Up    upCmd    `cmd:"" help:"Be a host or router on TAP and TUN devices until interrupted."`
	Drill drillCmd `cmd:"" help:"Run packetdrill scripts against the stack, in virtual time."`
	Fetch fetchCmd `cmd:"" help:"Download a URL as a host on a TAP or TUN device."`
	Wire  wireCmd  `cmd:"" help:"Join two TAP devices by a wire that delays, loses and reorders."`

	Addr  addrCmd  `cmd:"" aliases:"a,address" help:"Show and change the addresses of a running host."`
	Route routeCmd `cmd:"" aliases:"r,ro" help:"Show and change the routes of a running host."`
}

func main() {
	signal.Ignore(syscall.SIGPIPE) // a write to a closed pipe is an error like others, and what was begun is undone
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
