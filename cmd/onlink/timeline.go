package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// timeline tells what happens in the lab, a line each, in the order it happens.
type timeline struct {
	network *sim.Network
	out     io.Writer
	verbose bool
	told    map[string]int // lines of a kind that repeats, by its key
	keys    []string       // of told, in the order they came
}

// repeats is how many lines of one kind are told unless verbose; the rest is counted.
const repeats = 6

func newTimeline(n *sim.Network, out io.Writer, verbose bool) *timeline {
	return &timeline{network: n, out: out, verbose: verbose, told: make(map[string]int)}
}

// say tells one line of who.
func (t *timeline) say(who, format string, args ...any) {
	t.line(t.network.Now(), who, fmt.Sprintf(format, args...))
}

func (t *timeline) line(at clock.Instant, who, text string) {
	fmt.Fprintf(t.out, "%12v  %-7s %s\n", at, who, text)
}

// often is line for what happens many times; key says of what kind it is.
func (t *timeline) often(at clock.Instant, who, key, text string) {
	key = who + " " + key
	if t.told[key] == 0 {
		t.keys = append(t.keys, key)
	}
	t.told[key]++
	switch n := t.told[key]; {
	case t.verbose || n <= repeats:
		t.line(at, who, text)
	case n == repeats+1:
		t.line(at, who, "… and more of these (--verbose tells each)")
	}
}

// flush counts what was not told.
func (t *timeline) flush() {
	for _, key := range t.keys {
		if n := t.told[key]; !t.verbose && n > repeats {
			fmt.Fprintf(t.out, "%12s  %s: %d in all\n", "", key, n)
		}
	}
}

// of returns the sink for the events of node.
func (t *timeline) of(node *sim.Node) trace.Sink { return nodeTimeline{t, node} }

type nodeTimeline struct {
	*timeline
	node *sim.Node
}

// Trace tells e.
func (t nodeTimeline) Trace(e *trace.Event) {
	who := t.node.Name
	switch e.Kind {
	case trace.AddressTentative:
		t.line(e.At, who, fmt.Sprintf("address %v: is it anybody else's? (duplicate address detection)", e.Src))
	case trace.AddressReady:
		t.line(e.At, who, fmt.Sprintf("address %v is ready", e.Src))
	case trace.AddressDuplicate:
		t.line(e.At, who, fmt.Sprintf("address %v is taken", e.Src))
	case trace.NeighborChanged:
		t.neighbor(who, e)
	case trace.TCPStateChanged:
		t.line(e.At, who, fmt.Sprintf("tcp %s: %s → %s", ends(e), e.From, e.To))
	case trace.TCPRetransmit:
		t.often(e.At, who, "tcp "+ends(e)+" retransmissions",
			fmt.Sprintf("tcp %s: sends %d octets again: %s", ends(e), e.Len, e.Reason))
	case trace.TCPRecovery:
		t.often(e.At, who, "tcp "+ends(e)+" recoveries", fmt.Sprintf("tcp %s: %s → %s", ends(e), e.From, e.To))
	case trace.PacketDropped:
		t.often(e.At, who, "drops: "+e.Reason, fmt.Sprintf("drops a packet %v → %v: %s", e.Src, e.Dst, e.Reason))
	case trace.ICMPSent:
		if strings.Contains(e.Reason, "neighbor") || strings.Contains(e.Reason, "echo") || strings.Contains(e.Reason, "listener") {
			return // the neighbor's state and the ping tell as much, and groups are no news
		}
		t.line(e.At, who, fmt.Sprintf("icmp to %v: %s", e.Dst, e.Reason))
	}
}

func (t nodeTimeline) neighbor(who string, e *trace.Event) {
	switch e.To {
	case "INCOMPLETE":
		t.line(e.At, who, fmt.Sprintf("neighbor %v: who has it?", e.Dst))
	case "REACHABLE":
		if e.From == "INCOMPLETE" {
			t.line(e.At, who, fmt.Sprintf("neighbor %v is at %v", e.Dst, e.LinkAddr))
		}
	case "FAILED":
		t.line(e.At, who, fmt.Sprintf("neighbor %v does not answer", e.Dst))
	}
}

// ends names the ends of the connection that e is about.
func ends(e *trace.Event) string {
	return fmt.Sprintf("%d ↔ %s", e.SrcPort, hostPort(e.Dst, e.DstPort))
}

func hostPort(a wire.Addr, port uint16) string {
	if a.Is4() {
		return fmt.Sprintf("%v:%d", a, port)
	}
	return fmt.Sprintf("[%v]:%d", a, port)
}

// impaired tells what a wire did to a frame.
func (t *timeline) impaired(i sim.Impairment) {
	t.often(t.network.Now(), "wire", i.From+"→"+i.To+" "+i.What, fmt.Sprintf("%s → %s: frame of %d octets %s", i.From, i.To, i.Len, i.What))
}
