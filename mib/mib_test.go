package mib

import (
	"reflect"
	"strings"
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

func TestNames(t *testing.T) {
	if len(Counters()) != int(numCounters) || len(Reasons()) != int(numReasons) {
		t.Fatalf("%d counters, %d reasons", len(Counters()), len(Reasons()))
	}
	seen := map[string]bool{}
	for _, c := range Counters() {
		name := c.String()
		if name == "" || seen[name] || strings.ContainsAny(name, " _") {
			t.Errorf("counter %d is called %q", c, name)
		}
		seen[name] = true
	}
	for _, r := range Reasons() {
		name := r.String()
		if name == "" || seen[name] {
			t.Errorf("reason %d is called %q", r, name)
		}
		seen[name] = true
		// The counter of the other family would be a slip of the pen.
		if c := reasons[r].counter; c != none {
			six := strings.Contains(name, "IPv6") || strings.Contains(name, "ICMPv6") || r == NdInvalid
			four := strings.Contains(name, "IPv4") || strings.Contains(name, "ICMP ")
			counts6 := strings.HasPrefix(c.String(), "Ip6") || strings.HasPrefix(c.String(), "Icmp6")
			counts4 := !counts6 && (strings.HasPrefix(c.String(), "Ip") || strings.HasPrefix(c.String(), "Icmp"))
			if six && !counts6 || four && !counts4 {
				t.Errorf("a drop for %q counts as %v", name, c)
			}
		}
	}
}

type sink func(e *trace.Event)

func (f sink) Trace(e *trace.Event) { f(e) }

// Every drop is counted by its reason, under the MIB counter that covers it, and traced while it still is a packet.
func TestDrop(t *testing.T) {
	var tr trace.Tracer
	s := Set{Tracer: &tr}
	var got trace.Event
	var octets string
	tr.Add(sink(func(e *trace.Event) { got, octets = *e, string(e.Packet.Bytes()) }))
	for _, row := range []struct {
		reason  Reason
		counter Counter
	}{
		{UdpNoPort, UdpNoPorts},
		{Ip4TTLExceeded, IpInHdrErrors},
		{TcpBacklogFull, TcpExtListenOverflows},
		{LinkDown, none},
	} {
		p := packet.From([]byte("packet"))
		p.In, p.Out, p.Proto, p.Src, p.Dst = 2, 3, 17, wire.Loopback4, wire.Loopback6
		s.Drop(7, p, row.reason)
		if s.Dropped(row.reason) != 1 {
			t.Errorf("%v: dropped %d", row.reason, s.Dropped(row.reason))
		}
		if row.counter != none && s.Get(row.counter) != 1 {
			t.Errorf("%v: %v = %d", row.reason, row.counter, s.Get(row.counter))
		}
		got.Packet = nil
		want := trace.Event{At: 7, Kind: trace.PacketDropped, In: 2, Out: 3, Proto: 17, Src: wire.Loopback4,
			Dst: wire.Loopback6, Reason: row.reason.String()}
		if !reflect.DeepEqual(got, want) || octets != "packet" {
			t.Errorf("%v: traced %+v %q", row.reason, got, octets)
		}
	}
	s.Tracer = nil
	s.Drop(8, packet.New(0), LinkDown)
	if s.Dropped(LinkDown) != 2 {
		t.Errorf("without a tracer: %d", s.Dropped(LinkDown))
	}
}

func TestAddTo(t *testing.T) {
	var a, b Set
	a.Inc(TcpInSegs)
	a.Add(TcpInSegs, 4)
	b.Add(TcpInSegs, 10)
	b.Inc(TcpExtTCPFastRetrans) // the last one
	b.Drop(0, packet.New(0), Closing)
	var v Values
	a.AddTo(&v)
	var w Values
	b.AddTo(&w)
	v.Add(&w)
	if v.Get(TcpInSegs) != 15 || v.Get(TcpExtTCPFastRetrans) != 1 || v.Dropped(Closing) != 1 || v.Get(IpInReceives) != 0 {
		t.Errorf("summed: %d %d %d %d", v.Get(TcpInSegs), v.Get(TcpExtTCPFastRetrans), v.Dropped(Closing), v.Get(IpInReceives))
	}
}

func TestDropAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := Set{Tracer: new(trace.Tracer)}
	if n := testing.AllocsPerRun(1000, func() { s.Drop(clock.Instant(1), packet.New(64), UdpNoPort) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
