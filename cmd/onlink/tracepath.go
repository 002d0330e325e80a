package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// tracepathCmd is `onlink tracepath`, which finds the hops to a host and what the path takes, and prints them in the manner of tracepath(8)
// of iputils.
type tracepathCmd struct {
	targetFlags `embed:""`
	familyFlags `embed:""`
	Numeric     bool   `help:"Print no names." short:"n"`
	Both        bool   `help:"Print names and addresses." short:"b"`
	Length      int    `help:"Octets of the first probe with its headers; by default what the interface takes." short:"l" placeholder:"OCTETS" default:"0"`
	MaxHops     int    `help:"Hops to go at most." short:"m" placeholder:"N" default:"30"`
	Port        int    `help:"Destination port of the first probe; it counts up." short:"p" placeholder:"PORT" default:"44444"`
	Host        string `arg:"" help:"Where to: an address or a name."`
}

// Run has the command work on the host that the flags say.
func (c *tracepathCmd) Run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.target(ctx, c)
}

// check says what is wrong with the flags.
func (c *tracepathCmd) check() error {
	switch {
	case c.Length != 0 && (c.Length < 28 || c.Length > 65535):
		return usagef("tracepath: -l %d: must be 28 to 65535", c.Length)
	case c.MaxHops < 1 || c.MaxHops > 255:
		return usagef("tracepath: -m %d: must be 1 to 255", c.MaxHops)
	case c.Port < 1 || c.Port > 65535:
		return usagef("tracepath: -p %d: must be 1 to 65535", c.Port)
	case c.Host == "":
		return usagef("tracepath: no host")
	}
	return c.familyFlags.check("tracepath")
}

func (c *tracepathCmd) run(s *session) error {
	if err := c.check(); err != nil {
		return err
	}
	dst, _, err := c.destination(s, "tracepath", c.Host)
	if err != nil {
		return err
	}
	p := &pathfinder{session: s, cmd: c, dst: dst, names: newNames(s, c.Numeric), head: wire.IPv6Len + wire.UDPLen, back: -1,
		probes: map[uint16]pathProbe{}}
	if dst.Is4() {
		p.head = wire.IPv4MinLen + wire.UDPLen
	}
	if c.Length != 0 && c.Length < p.head {
		return usagef("tracepath: -l %d: the headers alone have %d octets", c.Length, p.head)
	}
	if err := p.open(); err != nil {
		return fmt.Errorf("tracepath: %w", cause(err))
	}
	defer p.conn.Close() // there is nothing that could fail
	defer p.watch(p.conn)()
	return p.find()
}

// pathfinder finds a path.
type pathfinder struct {
	*session
	cmd      *tracepathCmd
	names    *names
	conn     *onlink.UDPConn
	dst, src netip.Addr
	local    uint16               // our port
	head     int                  // octets of headers
	mtu      int                  // what the path is known to take
	hops     int                  // to the host; 0: not known
	back     int                  // hops of its way back; -1: not known
	probes   map[uint16]pathProbe // by the port that they went to
}

// pathProbe is a probe.
type pathProbe struct {
	at   clock.Instant
	ttl  int
	size int // octets, with its headers
}

func (p *pathfinder) open() error {
	digit := familyDigit(p.dst)
	c, err := p.stack.DialContext(p.ctx, "udp"+digit, net.JoinHostPort(p.dst.String(), "9"))
	if err != nil {
		return err
	}
	found := c.(*onlink.UDPConn)
	p.mtu, err = found.PathMTU()
	p.src = sourceOf(found)
	found.Close() // nothing was sent
	if err != nil {
		return err
	}
	pc, err := p.stack.ListenPacket(p.ctx, "udp"+digit, net.JoinHostPort(p.src.String(), "0"))
	if err != nil {
		return err
	}
	p.conn = pc.(*onlink.UDPConn)
	p.local = p.conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	return errors.Join(p.conn.SetReceiveErrors(true), p.conn.SetMTUDiscovery(onlink.DiscoverProbe))
}

// tries is how often a hop is asked, and patienceAHop how long each time.
const (
	tries        = 3
	patienceAHop = time.Second
)

// find asks hop after hop, and prints what they say.
func (p *pathfinder) find() error {
	p.mtu = min(p.mtu, 65535)
	if p.cmd.Length != 0 {
		p.mtu = p.cmd.Length
	} else {
		p.print("%s pmtu %d\n", p.line(0, "[LOCALHOST]", 0), p.mtu)
	}
	found := false
hops:
	for ttl := 1; ttl <= p.cmd.MaxHops; ttl++ {
		for try := 0; try < tries; {
			said, err := p.ask(ttl)
			switch {
			case p.ctx.Err() != nil:
				break hops
			case err != nil:
				return err
			case said == nothing:
				try++
				continue
			case said == smaller:
				continue // the same hop again, with less
			case said == end:
				found = true
				break hops
			}
			continue hops
		}
		p.print("%2d:  no reply\n", ttl)
	}
	if !found && p.ctx.Err() == nil {
		p.print("     Too many hops: pmtu %d\n", p.mtu)
	}
	p.print("     Resume: pmtu %d ", p.mtu)
	if p.hops > 0 {
		p.print("hops %d ", p.hops)
		if p.back >= 0 {
			p.print("back %d ", p.back)
		}
	}
	p.print("\n")
	if p.ctx.Err() != nil {
		return exitStatus(1)
	}
	return nil
}

// answer is what came of a probe.
type answer int

const (
	nothing answer = iota // came in time
	passed                // a router says that it goes on there
	smaller               // the path takes less
	end                   // the probe went no further
)

// ask sends a probe that goes so many hops, and waits for what comes of it.
func (p *pathfinder) ask(ttl int) (answer, error) {
	rt := p.stack.Runtime()
	port := uint16((p.cmd.Port-1+len(p.probes))%65535 + 1)
	p.probes[port] = pathProbe{rt.Now(), ttl, p.mtu}
	_, err := p.conn.WriteMsg(make([]byte, p.mtu-p.head), &onlink.ControlMessage{HopLimit: uint8(ttl)}, netip.AddrPortFrom(p.dst, port))
	if e, ok := errors.AsType[*onlink.PathMTUError](err); ok && e.MTU < p.mtu {
		p.mtu = e.MTU
		p.print("%s pmtu %d\n", p.line(0, "[LOCALHOST]", 0), p.mtu)
		return smaller, nil
	}
	if err != nil {
		return nothing, fmt.Errorf("tracepath: %w", cause(err))
	}
	for late := rt.Now().Add(patienceAHop); rt.Now() < late && p.ctx.Err() == nil; {
		if err := p.readUntil(p.conn, late); err != nil {
			return nothing, err
		}
		_, from, err := p.conn.ReadMsg(nil, nil)
		e, reported := errors.AsType[*onlink.ICMPError](err)
		switch {
		case reported:
			probe, ok := p.about(e)
			if !ok {
				continue
			}
			if a := p.told(probe, e); a != passed || probe.ttl == ttl {
				return a, nil
			}
		case errors.Is(err, os.ErrDeadlineExceeded):
		case err != nil:
			return nothing, err
		case from == netip.AddrPortFrom(p.dst, port): // somebody listens there
			p.hops = ttl
			p.print("%s reached\n", p.line(ttl, p.name(p.dst), rt.Now().Sub(p.probes[port].at)))
			return end, nil
		}
	}
	return nothing, nil
}

// about returns the probe that e quotes. It is the very probe, or ok is false.
func (p *pathfinder) about(e *onlink.ICMPError) (probe pathProbe, ok bool) {
	q := e.Quote
	if len(q) < wire.UDPLen || e.Dst.Addr().WithZone("") != p.dst.WithZone("") || binary.BigEndian.Uint16(q) != p.local {
		return probe, false
	}
	probe, ok = p.probes[binary.BigEndian.Uint16(q[2:])]
	return probe, ok && int(binary.BigEndian.Uint16(q[4:]))+p.head-wire.UDPLen == probe.size
}

// told prints what e says of a probe.
func (p *pathfinder) told(probe pathProbe, e *onlink.ICMPError) answer {
	ttl, took := probe.ttl, p.stack.Runtime().Now().Sub(probe.at)
	from := e.From
	if !from.IsValid() {
		from = p.src
	}
	line := p.line(ttl, p.name(from), took)
	switch note, final := traceNote(e); {
	case e.MTU != 0:
		if e.MTU >= p.mtu {
			return nothing // it makes no sense
		}
		p.mtu = e.MTU
		p.print("%s pmtu %d\n", line, p.mtu)
		return smaller
	case !e.From.IsValid():
		p.print("%s !H\n", line)
		return end
	case !final:
		p.print("%s %s\n", line, p.asymmetry(ttl, e.HopLimit))
		return passed
	case note == "":
		p.hops, p.back = ttl, backHops(e.HopLimit)
		p.print("%s %sreached\n", line, p.asymmetry(ttl, e.HopLimit))
		return end
	default:
		p.print("%s %s\n", line, note)
		return end
	}
}

// asymmetry tells of a way back that is longer or shorter than that there.
func (p *pathfinder) asymmetry(ttl int, limit uint8) string {
	if back := backHops(limit); back >= 0 && back != ttl {
		return fmt.Sprintf("asymm %2d ", back)
	}
	return ""
}

// backHops guesses how many hops a message took that came with the given hop limit: hosts begin with 64, 128 or 255.
func backHops(limit uint8) int {
	for _, began := range [...]int{64, 128, 255} {
		if n := began - int(limit); n >= 0 {
			return n + 1
		}
	}
	return -1
}

// name returns what a host is called.
func (p *pathfinder) name(a netip.Addr) string {
	if p.cmd.Numeric {
		return a.String()
	}
	name := p.names.of(a)
	if name == "" {
		name = "???"
		if !p.cmd.Both {
			return a.String()
		}
	}
	if p.cmd.Both {
		return name + " (" + a.String() + ")"
	}
	return name
}

// line returns the beginning of a line.
func (p *pathfinder) line(ttl int, who string, took time.Duration) string {
	if ttl == 0 {
		return fmt.Sprintf(" 1?: %-32s", who)
	}
	return fmt.Sprintf("%2d:  %-52s%3d.%03dms", ttl, who, took.Milliseconds(), took.Microseconds()%1000)
}
