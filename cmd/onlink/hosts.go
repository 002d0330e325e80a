package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// What the tools that send to a host have in common: which address is meant, and what an address is called.

// familyFlags say which family a tool is to use.
type familyFlags struct {
	IPv4 bool `help:"Only IPv4." name:"ipv4" short:"4"`
	IPv6 bool `help:"Only IPv6." name:"ipv6" short:"6"`
}

// digit returns what network names have behind them: "4", "6", or nothing for both.
func (f *familyFlags) digit() string {
	switch {
	case f.IPv4:
		return "4"
	case f.IPv6:
		return "6"
	}
	return ""
}

// check says what is wrong with the flags.
func (f *familyFlags) check(tool string) error {
	if f.IPv4 && f.IPv6 {
		return usagef("%s: -4 and -6: one of them", tool)
	}
	return nil
}

// destination returns the address that a tool is to send to, and whether it was given as such.
func (f *familyFlags) destination(s *session, tool, host string) (a netip.Addr, numeric bool, err error) {
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		a = a.Unmap()
		if a.Is4() && f.IPv6 || a.Is6() && f.IPv4 {
			return a, true, usagef("%s: %s is not an address of the family asked for", tool, host)
		}
		return a, true, nil
	}
	all, err := s.stack.LookupNetIP(s.ctx, "ip"+f.digit(), host)
	if err != nil {
		return a, false, usageError{fmt.Errorf("%s: %s: %w", tool, host, lookupFault(err))}
	}
	return all[0], false, nil
}

// lookupFault is what a failed lookup comes to, without the name.
func lookupFault(err error) error {
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return errors.New(e.Err)
	}
	return err
}

// names tells what addresses are called.
type names struct {
	*session
	off   bool
	known map[netip.Addr]string // empty: it has none
}

func newNames(s *session, off bool) *names { return &names{s, off, map[netip.Addr]string{}} }

// nameTimeout is how long a tool waits for the name of an address.
const nameTimeout = 5 * time.Second

// of returns the name of a; empty: it has none, or none is asked for.
func (n *names) of(a netip.Addr) string {
	if n.off || n.ctx.Err() != nil {
		return ""
	}
	name, ok := n.known[a]
	if !ok {
		ctx, cancel := n.withTimeout(n.ctx, nameTimeout)
		defer cancel()
		if all, err := n.stack.DNS().LookupAddr(ctx, a.WithZone("").String()); err == nil && len(all) > 0 {
			name = strings.TrimSuffix(all[0], ".")
		}
		n.known[a] = name
	}
	return name
}

// with returns a as ping prints it: with its name before it, if it has one.
func (n *names) with(a netip.Addr) string {
	if name := n.of(a); name != "" {
		return name + " (" + a.String() + ")"
	}
	return a.String()
}

// familyDigit returns what network names have behind them for the family of a.
func familyDigit(a netip.Addr) string {
	if a.Is4() {
		return "4"
	}
	return "6"
}

// sourceOf returns the address that conn, a connection of UDP or for echoes, sends from.
func sourceOf(conn net.Conn) netip.Addr {
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

// deadliner is what can be read from until a time.
type deadliner interface{ SetReadDeadline(time.Time) error }

// readUntil has conn's reads end at an instant of the stack's time, and at once when the session ends, if it is watched.
func (s *session) readUntil(conn deadliner, at clock.Instant) error {
	rt := s.stack.Runtime()
	deadline := time.Time{}
	if at != clock.Never {
		deadline = rt.Wall().Add(at.Sub(rt.Now()))
	}
	if err := conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	if s.ctx.Err() != nil { // after it was set: whoever ends the session sets it, too
		return conn.SetReadDeadline(rt.Wall())
	}
	return nil
}

// watch has the end of the session end conn's reads, until stop is called.
func (s *session) watch(conn deadliner) (stop func()) {
	rt := s.stack.Runtime()
	return rt.AfterDone(s.ctx, func() { conn.SetReadDeadline(rt.Wall()) }) // of a closed one: nobody reads
}
