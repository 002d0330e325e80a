package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Sending the probes of a traceroute, and finding out what came of each.

// way is a way to probe. Probes have numbers from 0 on.
type way interface {
	deadliner
	// send sends a probe.
	send(n int, m *onlink.ControlMessage) error
	// receive waits for an answer of the destination and says which probe it answers; ok: it is none to a probe. Errors about
	// probes are *onlink.ICMPError.
	receive(b []byte) (n int, ok bool, err error)
	// quoted returns the probe that an ICMP error quotes. It is the very probe, or ok is false: a port or an identifier alone may be
	// another program's.
	quoted(q []byte) (n int, ok bool)
	Close() error
}

// defaultSim is how many probes are under way at once.
const defaultSim = 16

// sim returns how many probes may be under way at once.
//
// SYNs of one flow that reach a listener are segments of one connection to it: only when it has answered one, and our RST has ended that,
// does it answer the next.
func (t *tracer) sim() int {
	switch {
	case t.cmd.Sim > 0:
		return t.cmd.Sim
	case t.cmd.TCP && t.cmd.Paris:
		return 1
	}
	return defaultSim
}

// probeAll sends the probes and takes what comes of them, until the end of the way.
func (t *tracer) probeAll() error {
	defer t.end()
	defer t.watch(t.way)()
	rt, wait := t.stack.Runtime(), ofSeconds(t.cmd.Wait)
	buffer := make([]byte, 65535)
	next := 0
	for t.ctx.Err() == nil {
		flying, first := t.flying(rt.Now().Add(-wait))
		if flying < t.sim() && next < len(t.probes) && t.hops(next) <= t.lastHop() {
			t.send(next)
			next++
			continue
		}
		if flying == 0 {
			return nil
		}
		if err := t.readUntil(t.way, first.Add(wait)); err != nil {
			return err
		}
		n, ok, err := t.way.receive(buffer)
		e, reported := errors.AsType[*onlink.ICMPError](err)
		switch {
		case reported:
			t.complaint(e)
		case errors.Is(err, os.ErrDeadlineExceeded):
		case err != nil:
			return err
		case ok:
			t.came(n, t.dst, "", true)
		}
	}
	return nil
}

// flying gives up probes sent at or before late, and returns how many others are under way, and when the first of them was sent.
func (t *tracer) flying(late clock.Instant) (n int, first clock.Instant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first = clock.Never
	for i := range t.probes {
		switch p := &t.probes[i]; {
		case p.sent == 0 || p.done || t.hops(i) > t.last:
		case p.sent <= late:
			p.done = true
			t.changed.Broadcast()
		default:
			n++
			first = min(first, p.sent)
		}
	}
	return n, first
}

func (t *tracer) lastHop() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

func (t *tracer) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	t.changed.Broadcast()
}

// send sends probe n.
func (t *tracer) send(n int) {
	t.mu.Lock()
	t.probes[n].sent = t.stack.Runtime().Now()
	t.mu.Unlock()
	err := t.way.send(n, &onlink.ControlMessage{HopLimit: uint8(t.hops(n)), TrafficClass: uint8(t.cmd.TOS)})
	if e, ok := errors.AsType[*onlink.PathMTUError](err); ok {
		t.came(n, t.src, fmt.Sprintf("!F-%d", e.MTU), true)
	} else if err != nil {
		t.came(n, t.src, "!N", true) // the way has gone since the trace began
	}
}

// complaint takes an ICMP error.
func (t *tracer) complaint(e *onlink.ICMPError) {
	n, ok := t.way.quoted(e.Quote)
	if !ok || e.Dst.Addr().WithZone("") != t.dst.WithZone("") {
		return
	}
	if !e.From.IsValid() { // this host found no neighbor; or no room
		note := "!H"
		if e.MTU != 0 {
			note = fmt.Sprintf("!F-%d", e.MTU)
		}
		t.came(n, t.src, note, true)
		return
	}
	note, final := traceNote(e)
	t.came(n, e.From, note, final)
}

// came notes what came of probe n.
func (t *tracer) came(n int, from netip.Addr, note string, final bool) {
	now := t.stack.Runtime().Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if n < 0 || n >= len(t.probes) {
		return
	}
	p := &t.probes[n]
	if p.sent == 0 || p.done {
		return
	}
	p.done, p.from, p.took, p.note, p.final = true, from, now.Sub(p.sent), note, final
	if final {
		t.last = min(t.last, t.hops(n))
	}
	t.changed.Broadcast()
}

// traceNotes4 are traceroute's notes for the codes of Destination Unreachable; traceNotes6 those of ICMPv6.
var (
	traceNotes4 = map[uint8]string{0: "!N", 1: "!H", 2: "!P", 3: "", 5: "!S", 9: "!X", 10: "!X", 13: "!X", 14: "!V", 15: "!C"}
	traceNotes6 = map[uint8]string{0: "!N", 1: "!X", 2: "!S", 3: "!H", 4: ""}
)

// traceNote returns traceroute's note for an ICMP error, and whether the probe went no further.
func traceNote(e *onlink.ICMPError) (note string, final bool) {
	four := e.From.Is4()
	notes, unreachable, exceeded := traceNotes6, uint8(wire.ICMPv6DestUnreachable), uint8(wire.ICMPv6TimeExceeded)
	if four {
		notes, unreachable, exceeded = traceNotes4, wire.ICMPv4DestUnreachable, wire.ICMPv4TimeExceeded
	}
	note, known := notes[e.Code]
	switch {
	case e.Type == exceeded:
		return "", false
	case e.MTU != 0:
		return fmt.Sprintf("!F-%d", e.MTU), true
	case e.Type == unreachable && known:
		return note, true
	case e.Type == unreachable:
		return fmt.Sprintf("!<%d>", e.Code), true
	case !four && e.Type == wire.ICMPv6ParamProblem && e.Code == 1: // RFC 4443, 3.4: "unrecognized Next Header type encountered"
		return "!P", true
	}
	return fmt.Sprintf("!<%d-%d>", e.Type, e.Code), true
}
