// Package mib counts what the stack does, under the names the MIBs and Linux's nstat give (RFC 4293 for IP
// and ICMP, RFC 4022 for TCP, RFC 4113 for UDP, RFC 2863 for interfaces), and counts every packet dropped by
// its reason.
//
// A [Set] belongs to one shard or one receive queue, so that its counters are never contended; a snapshot
// sums the sets. Hot paths count a batch at a time.
package mib

import (
	"strconv"
	"sync/atomic"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
)

// Set is one owner's share of all counters. The zero Set is ready; give it a Tracer before use to have
// drops traced.
type Set struct {
	Tracer *trace.Tracer // told of each drop; may be nil
	c      [numCounters]atomic.Uint64
	drops  [numReasons]atomic.Uint64
}

// Inc adds one to c.
func (s *Set) Inc(c Counter) { s.c[c].Add(1) }

// Add adds n to c.
func (s *Set) Add(c Counter, n uint64) { s.c[c].Add(n) }

// Get returns the value of c.
func (s *Set) Get(c Counter) uint64 { return s.c[c].Load() }

// Dropped returns how many packets were dropped for r.
func (s *Set) Dropped(r Reason) uint64 { return s.drops[r].Load() }

// Drop counts p as dropped for r, traces it, and frees it. Every packet the stack gives up on ends here.
func (s *Set) Drop(now clock.Instant, p *packet.Buffer, r Reason) { s.DropBy(now, p, r, "") }

// DropBy is Drop with the name of what wanted it so, which is told with the reason.
func (s *Set) DropBy(now clock.Instant, p *packet.Buffer, r Reason, by string) {
	s.drops[r].Add(1)
	if c := reasons[r].counter; c != none {
		s.c[c].Add(1)
	}
	if s.Tracer.Enabled() {
		s.Tracer.Emit(&trace.Event{At: now, Kind: trace.PacketDropped, In: p.In, Out: p.Out, Src: p.Src, Dst: p.Dst,
			Proto: p.Proto, Reason: reasons[r].name, Rule: by, Packet: p})
	}
	if p.Trace != 0 {
		s.Tracer.Step(p, &trace.Event{At: now, Reason: reasons[r].name, Rule: by, Outcome: trace.Dropped})
	}
	p.Free()
}

// AddTo adds the counters of s to t.
func (s *Set) AddTo(t *Values) {
	for i := range s.c {
		t.Counters[i] += s.c[i].Load()
	}
	for i := range s.drops {
		t.Drops[i] += s.drops[i].Load()
	}
}

// Values are counters summed over their owners at one moment.
type Values struct {
	Counters [numCounters]uint64
	Drops    [numReasons]uint64
}

// Add adds the counters of w to v.
func (v *Values) Add(w *Values) {
	for i := range w.Counters {
		v.Counters[i] += w.Counters[i]
	}
	for i := range w.Drops {
		v.Drops[i] += w.Drops[i]
	}
}

// Get returns the value of c.
func (v *Values) Get(c Counter) uint64 { return v.Counters[c] }

// Dropped returns how many packets were dropped for r.
func (v *Values) Dropped(r Reason) uint64 { return v.Drops[r] }

// Counters returns all counters in their order, and Reasons all drop reasons.
func Counters() []Counter { return upTo(numCounters) }
func Reasons() []Reason   { return upTo(numReasons) }

func upTo[T ~uint16](n T) []T {
	s := make([]T, n)
	for i := range s {
		s[i] = T(i)
	}
	return s
}

// String returns the counter's name, as "IpInReceives".
func (c Counter) String() string { return counters[c] }

// String returns the reason in words, as "neighbor unreachable".
func (r Reason) String() string { return reasons[r].name }

// MarshalJSON writes the counters and drops by their names: {"counters":{"IpInReceives":1,…},"drops":{"link is down":0,…}}.
func (v Values) MarshalJSON() ([]byte, error) {
	b := append([]byte(nil), `{"counters":{`...)
	for i, n := range v.Counters {
		b = appendMember(b, i, Counter(i).String(), n)
	}
	b = append(b, `},"drops":{`...)
	for i, n := range v.Drops {
		b = appendMember(b, i, Reason(i).String(), n)
	}
	return append(b, `}}`...), nil
}

// appendMember appends the i-th member of a JSON object. Names are of ASCII.
func appendMember(b []byte, i int, name string, n uint64) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return strconv.AppendUint(append(strconv.AppendQuote(b, name), ':'), n, 10)
}
