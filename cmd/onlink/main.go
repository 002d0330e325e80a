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

	Addr    addrCmd    `cmd:"" aliases:"a,ad,address" help:"Show and change addresses, as ip address does."`
	Link    linkCmd    `cmd:"" aliases:"l" help:"Show and change interfaces, as ip link does."`
	Route   routeCmd   `cmd:"" aliases:"r,ro" help:"Show and change routes, as ip route does."`
	Neigh   neighCmd   `cmd:"" aliases:"n,neighbor,neighbour" help:"Show and change neighbors, as ip neighbour does."`
	Rule    ruleCmd    `cmd:"" aliases:"ru" help:"Show and change the rules of routing, as ip rule does."`
	Maddr   maddrCmd   `cmd:"" aliases:"m,maddress" help:"Show and change multicast groups, as ip maddress does."`
	Policy  policyCmd  `cmd:"" aliases:"addrlabel" help:"Show and change the table that addresses are chosen by (RFC 6724), as ip addrlabel does."`
	Explain explainCmd `cmd:"" help:"Explain how a packet would leave, and why this way. Nothing is sent."`
	Monitor monitorCmd `cmd:"" aliases:"mo" help:"Tell what changes, as ip monitor does."`
	Batch   batchCmd   `cmd:"" help:"Run commands from a file on one host, as ip -batch does."`
	Trace   traceCmd   `cmd:"" help:"Tell every packet's way in and out, step by step, as it goes."`
	SS      ssCmd      `cmd:"" name:"ss" help:"List sockets, as ss does."`
	Nstat   nstatCmd   `cmd:"" help:"Print counters, as nstat does."`

	Capture    captureCmd    `cmd:"" help:"Print the packets of an interface, or write them as pcapng, as tcpdump does."`
	Ping       pingCmd       `cmd:"" help:"Ask a host for echoes, as ping does."`
	Traceroute tracerouteCmd `cmd:"" help:"Tell the routers on the way to a host, as traceroute does."`
	NC         ncCmd         `cmd:"" name:"nc" help:"Pipe input and output over TCP or UDP, as nc does."`
	Tracepath  tracepathCmd  `cmd:"" help:"Tell the hops to a host and what the path takes, as tracepath does."`
	Dig        digCmd        `cmd:"" help:"Ask name servers, and print what they say as dig does."`
}

func main() {
	signal.Ignore(syscall.SIGPIPE) // a write to a closed pipe is an error like others, and what was begun is undone
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
