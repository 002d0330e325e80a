package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/capture"
	"github.com/onlink-go/onlink/sim"
)

// labCmd is `onlink lab`.
type labCmd struct {
	Seed    uint64        `help:"What the randomness of the run follows from." default:"1"`
	Loss    percent       `help:"Share of frames the long link loses, each way." default:"1%"`
	Delay   time.Duration `help:"Delay of the long link, each way." default:"20ms"`
	Rate    rate          `help:"Rate of the long link." default:"100mbit"`
	Size    size          `help:"What to fetch over TCP, on each family." default:"8MiB"`
	Output  string        `help:"Where the capture goes." short:"o" default:"lab.pcapng" placeholder:"FILE"`
	Verbose bool          `help:"Tell every loss and every retransmission." short:"v"`
}

// The lab's addresses.
const (
	labClient4 = "192.0.2.2"
	labClient6 = "2001:db8:1::2"
	labRouter4 = "192.0.2.1"
	labRouter6 = "2001:db8:1::1"
	labServer4 = "198.51.100.2"
	labServer6 = "2001:db8:2::2"
	labPort    = 8000
)

// Run runs the lab and prints what happened.
func (c *labCmd) Run(ctx context.Context) error {
	switch {
	case c.Delay < 0:
		return usagef("--delay %v: must not be negative", c.Delay)
	case c.Size < 1:
		return usagef("--size %v: must be at least 1 octet", int64(c.Size))
	}
	return writeWhole(c.Output, func(w io.Writer) error {
		out := bufio.NewWriter(os.Stdout)
		if err := c.run(ctx, out, w); err != nil {
			return errors.Join(out.Flush(), err)
		}
		fmt.Fprintf(out, "  capture      %s\n", c.Output)
		return out.Flush()
	})
}

// run runs the lab, with its report on out and the capture on pcap.
func (c *labCmd) run(ctx context.Context, out, pcap io.Writer) error {
	n := sim.New(c.Seed)
	defer n.Stop()
	captured := capture.NewWriter(pcap, capture.Config{})
	n.Capture(captured)
	tell := newTimeline(n, out, c.Verbose)
	n.Observe(tell.impaired)

	bed := newTestbed(n)
	for _, node := range n.Nodes() {
		node.Tracer().Add(tell.of(node))
	}
	fmt.Fprintf(out, "client ──── lan ──── router ──── wan: %v, %v loss each way, %v ──── server\n\n", c.Delay, c.Loss, c.Rate)
	bed.wire(sim.Line{Delay: c.Delay, Loss: float64(c.Loss), Rate: int64(c.Rate)})

	l := &lab{cmd: c, ctx: ctx, client: bed.client, server: bed.server, tell: tell}
	bed.server.Go("fetch server", l.serveTCP)
	bed.server.Go("datagram server", l.serveUDP)
	n.RunUntil(labPatience, func() bool { return allReady(n) })
	bed.client.Go("client", l.play)
	n.RunUntil(labPatience, func() bool { return l.done || ctx.Err() != nil })
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case !l.done:
		return fmt.Errorf("nothing came of it in %v of virtual time", labPatience)
	}
	frames := n.Frames()
	tell.flush()
	l.report(out)
	fmt.Fprintf(out, "\n  virtual time %v, %d frames on the wires\n", n.Now(), frames)
	fmt.Fprintf(out, "  seed         %d\n  trace hash   %s\n", c.Seed, n.Hash())
	return captured.Close()
}

// allReady reports whether no address in the network is in duplicate address detection any more.
func allReady(n *sim.Network) bool {
	for _, node := range n.Nodes() {
		for _, i := range node.Snapshot().Interfaces {
			for _, a := range i.Addresses {
				if a.State == "tentative" {
					return false
				}
			}
		}
	}
	return true
}

// labPatience is how long, in virtual time, the lab may take.
const labPatience = 24 * time.Hour

// lab is one run of the lab: the applications and their results.
type lab struct {
	cmd            *labCmd
	ctx            context.Context
	client, server *sim.Node
	tell           *timeline
	pings          []pingResult
	fetches        []fetchResult
	datagrams      []datagramResult
	err            error
	done           bool
}

// play is the client's application.
func (l *lab) play() {
	defer func() { l.done = true }()
	for _, host := range []string{labServer4, labServer6} {
		l.ping(host)
		l.expire(host)
	}
	for _, host := range []string{labServer4, labServer6} {
		l.fetch(host)
	}
	for _, host := range []string{labServer4, labServer6} {
		l.datagram(host)
	}
	l.client.Sleep(time.Second) // let the last acknowledgments and FINs through
}

// pingResult is what pings of one host came to.
type pingResult struct {
	host           string
	sent, received int
	min, max, sum  time.Duration
}

const labPings = 5

func (l *lab) ping(host string) {
	r := pingResult{host: host}
	for seq := range labPings {
		r.sent++
		reply, err := l.client.Ping(l.ctx, netip.MustParseAddr(host), onlink.PingConfig{ID: 1, Seq: uint16(seq), Timeout: time.Second})
		if err != nil {
			l.tell.say("client", "ping %s seq %d: %v", host, seq, err)
			continue
		}
		l.tell.say("client", "ping %s seq %d: reply, hop limit %d, %v", host, seq, reply.HopLimit, reply.RTT)
		r.add(reply.RTT)
		l.client.Sleep(200 * time.Millisecond)
	}
	l.pings = append(l.pings, r)
}

// expire sends a ping that gets no farther than the router.
func (l *lab) expire(host string) {
	_, err := l.client.Ping(l.ctx, netip.MustParseAddr(host), onlink.PingConfig{ID: 2, HopLimit: 1, Timeout: time.Second})
	if e, ok := errors.AsType[*onlink.ICMPError](err); ok {
		err = e
	}
	l.tell.say("client", "ping %s with hop limit 1: %v", host, err)
}

func (r *pingResult) add(rtt time.Duration) {
	if r.received == 0 || rtt < r.min {
		r.min = rtt
	}
	r.max = max(r.max, rtt)
	r.sum += rtt
	r.received++
}

// fetchResult is what a TCP transfer came to.
type fetchResult struct {
	host   string
	size   int64
	took   time.Duration
	info   onlink.TCPInfo // the sender's, at the end
	intact bool
	err    error
}

// serveTCP sends a pattern of the asked size to whoever connects, and closes.
func (l *lab) serveTCP() {
	ln, err := l.server.Listen(l.ctx, "tcp", fmt.Sprintf(":%d", labPort))
	if err != nil {
		l.err = err
		return
	}
	for {
		conn, err := ln.Accept()
		if err != nil {
			return // closed
		}
		l.server.Go("fetch", func() {
			_, err := io.Copy(conn, io.LimitReader(&pattern{}, int64(l.cmd.Size)))
			err = errors.Join(err, conn.(*onlink.TCPConn).CloseWrite())
			io.Copy(io.Discard, conn) // until the client closes: its FIN says that all has come
			r := &l.fetches[len(l.fetches)-1]
			r.info = conn.(*onlink.TCPConn).Info()
			r.err = errors.Join(r.err, err, conn.Close())
		})
	}
}

// fetch gets what serveTCP sends and compares it.
func (l *lab) fetch(host string) {
	l.fetches = append(l.fetches, fetchResult{host: host})
	r := &l.fetches[len(l.fetches)-1]
	began := l.client.Now()
	conn, err := l.client.DialContext(l.ctx, "tcp", net.JoinHostPort(host, fmt.Sprint(labPort)))
	if err != nil {
		r.err = err
		return
	}
	got := sha256.New()
	r.size, r.err = io.Copy(got, conn)
	r.took = l.client.Now().Sub(began)
	r.err = errors.Join(r.err, conn.Close())
	want := sha256.New()
	io.CopyN(want, &pattern{}, int64(l.cmd.Size)) // neither of the two can fail
	r.intact = string(got.Sum(nil)) == string(want.Sum(nil))
	l.client.Sleep(time.Second) // the server closes in the meantime
}

// pattern is an endless stream of octets that does not repeat soon.
type pattern struct{ n uint64 }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		x := p.n >> 3 * 0x9e3779b97f4a7c15
		b[i] = byte(x >> (8 * (p.n & 7)))
		p.n++
	}
	return len(b), nil
}

// datagramResult is what an exchange of datagrams came to.
type datagramResult struct {
	host           string
	sent, answered int
}

const labDatagrams = 20

// serveUDP sends each datagram back.
func (l *lab) serveUDP() {
	pc, err := l.server.ListenPacket(l.ctx, "udp", ":7")
	if err != nil {
		l.err = err
		return
	}
	b := make([]byte, 2048)
	for {
		n, from, err := pc.ReadFrom(b)
		if err != nil {
			return // closed
		}
		if _, err := pc.WriteTo(b[:n], from); err != nil {
			l.err = err
			return
		}
	}
}

func (l *lab) datagram(host string) {
	r := datagramResult{host: host}
	defer func() { l.datagrams = append(l.datagrams, r) }()
	conn, err := l.client.DialContext(l.ctx, "udp", net.JoinHostPort(host, "7"))
	if err != nil {
		l.err = err
		return
	}
	defer conn.Close()
	b := make([]byte, 2048)
	for i := range labDatagrams {
		r.sent++
		fmt.Fprintf(conn, "datagram %d", i)
		conn.SetReadDeadline(l.client.Wall().Add(500 * time.Millisecond))
		if _, err := conn.Read(b); err == nil {
			r.answered++
		}
	}
	l.tell.say("client", "udp %s: %d datagrams sent, %d answered", host, r.sent, r.answered)
}

// report prints the table of results.
func (l *lab) report(out io.Writer) {
	fmt.Fprintf(out, "\n  %-10s %-14s %s\n", "ping", "host", "sent  answered  least       mean        most")
	for _, r := range l.pings {
		fmt.Fprintf(out, "  %-10s %-14s %4d  %8d", "", r.host, r.sent, r.received)
		if r.received > 0 {
			fmt.Fprintf(out, "  %-10v  %-10v  %v", r.min.Round(time.Microsecond), (r.sum / time.Duration(r.received)).Round(time.Microsecond), r.max.Round(time.Microsecond))
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintf(out, "\n  %-10s %-14s %s\n", "tcp fetch", "host", "    octets  took        goodput         rtt         resent  time-outs  content")
	for _, r := range l.fetches {
		fmt.Fprintf(out, "  %-10s %-14s", "", r.host)
		if r.err != nil {
			fmt.Fprintf(out, " failed: %v\n", r.err)
			continue
		}
		content := "as sent"
		if !r.intact {
			content = "DIFFERS"
		}
		fmt.Fprintf(out, " %10d  %-10v  %6.2f Mbit/s   %-10v  %6d  %9d  %s\n", r.size, r.took.Round(time.Millisecond),
			float64(r.size)*8/r.took.Seconds()/1e6, r.info.RTT.Round(time.Microsecond), r.info.Retransmits, r.info.Timeouts, content)
		fmt.Fprintf(out, "  %-10s %-14s   %s\n", "", "", r.info)
	}
	fmt.Fprintf(out, "\n  %-10s %-14s %s\n", "udp echo", "host", "sent  answered")
	for _, r := range l.datagrams {
		fmt.Fprintf(out, "  %-10s %-14s %4d  %8d\n", "", r.host, r.sent, r.answered)
	}
}
