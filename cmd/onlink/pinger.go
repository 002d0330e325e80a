package main

import (
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

func (c *pingCmd) run(s *session) error {
	if err := c.check(); err != nil {
		return err
	}
	dst, numeric, err := c.destination(s, "ping", c.Host)
	if err != nil {
		return err
	}
	p := &pinger{session: s, cmd: c, dst: dst, names: newNames(s, c.Numeric || numeric), sent: map[uint16]clock.Instant{},
		answered: map[uint16]bool{}, rtt: newRTTs()}
	if err := p.open(); err != nil {
		return err
	}
	defer p.conn.Close() // there is nothing that could fail
	p.header()
	if err := p.ask(); err != nil {
		return err
	}
	p.statistics()
	if p.received == 0 || c.Deadline > 0 && c.Count > 0 && p.received < c.Count {
		return exitStatus(1)
	}
	return nil
}

// pinger sends echo requests and prints what comes of them.
type pinger struct {
	*session
	cmd   *pingCmd
	names *names
	conn  *onlink.PingConn
	dst   netip.Addr
	src   netip.Addr // what the route says, or -I
	by    string     // interface, with -I

	message     []byte
	control     onlink.ControlMessage
	began, last clock.Instant // the first and the last request

	transmitted, received, repeated, errors int64

	sent     map[uint16]clock.Instant // by sequence number
	answered map[uint16]bool
	pipe     int64 // the most requests under way
	rtt      rtts
}

// open makes the socket. What fails here has ping not begin.
func (p *pinger) open() error {
	network := "ping" + familyDigit(p.dst)
	d := onlink.Dialer{Stack: p.stack, Mark: p.cmd.Mark}
	ifi := p.stack.Interface(p.cmd.From)
	if p.cmd.From != "" {
		a, err := netip.ParseAddr(p.cmd.From)
		switch {
		case ifi != nil:
			d.Interface, p.by = p.cmd.From, p.cmd.From
		case err != nil:
			return usagef("ping: -I %s: neither an interface of the host nor an address", p.cmd.From)
		case a.Is4() != p.dst.Is4():
			return usagef("ping: -I %s: not of the family of %v", p.cmd.From, p.dst)
		default:
			d.LocalAddr = p.cmd.From
		}
	}
	// Connecting finds the way and the source; the socket to ask with hears everybody, as it takes for groups.
	probe, err := d.DialContext(p.ctx, network, p.dst.String())
	if err != nil {
		return usageError{fmt.Errorf("ping: %w", cause(err))}
	}
	p.src = sourceOf(probe)
	probe.Close() // nothing was sent
	local := ""
	if p.cmd.From != "" {
		local = p.src.String()
	}
	if p.conn, err = p.stack.ListenPing(network, local); err != nil {
		return usageError{fmt.Errorf("ping: %w", cause(err))}
	}
	err = errors.Join(p.conn.SetInterface(ifi), p.conn.SetReceiveErrors(true), p.conn.SetMark(p.cmd.Mark),
		p.conn.SetMTUDiscovery(discoveries[p.cmd.MTU]))
	p.control = onlink.ControlMessage{HopLimit: uint8(p.cmd.TTL), TrafficClass: uint8(p.cmd.TOS)}
	p.prepare()
	return err
}

// cause returns what is behind the words that package net puts around an error.
func cause(err error) error {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e.Err
	}
	return err
}

// stampLen is how many octets of the payload are when it was sent, if there is room: seconds since 1970, microseconds.
const stampLen = 16

// prepare makes the request, all but what differs from one to the next.
func (p *pinger) prepare() {
	p.message = make([]byte, wire.ICMPLen+p.cmd.Size)
	p.message[0] = wire.ICMPv6EchoRequest
	if p.dst.Is4() {
		p.message[0] = wire.ICMPv4EchoRequest
	}
	fill, _ := p.cmd.pattern() // it was checked
	for i := range p.message[wire.ICMPLen:] {
		if len(fill) > 0 {
			p.message[wire.ICMPLen+i] = fill[i%len(fill)]
		} else {
			p.message[wire.ICMPLen+i] = byte(i)
		}
	}
}

// timed reports whether requests say when they were sent.
func (p *pinger) timed() bool { return p.cmd.Size >= stampLen }

// ask sends requests and takes what comes, until there is no more to do.
func (p *pinger) ask() error {
	defer p.watch(p.conn)()
	rt := p.stack.Runtime()
	p.began = rt.Now()
	end, next := clock.Never, p.began
	if p.cmd.Deadline > 0 {
		end = p.began.Add(ofSeconds(p.cmd.Deadline))
	}
	buffer := make([]byte, 65535)
	for p.ctx.Err() == nil && !p.enough() && rt.Now() < end {
		if rt.Now() >= next {
			if next = p.wait(); p.more() {
				p.send()
				next = p.wait()
			} else if rt.Now() >= next {
				return nil
			}
			continue // what was sent may have been the last, or have failed
		}
		if err := p.readUntil(p.conn, min(next, end)); err != nil {
			return err
		}
		if err := p.receive(buffer); err != nil {
			return err
		}
	}
	return nil
}

// enough reports whether there are as many replies as asked for, or what is as good.
func (p *pinger) enough() bool {
	return p.cmd.Count > 0 && p.received+p.errors >= p.cmd.Count || p.cmd.Deadline > 0 && p.errors > 0
}

// more reports whether there are more requests to send.
func (p *pinger) more() bool {
	return p.cmd.Count < 0 || p.transmitted < p.cmd.Count || p.cmd.Deadline > 0
}

// wait returns when to go on: with the next request, or with the end if there is none: what comes is not waited for longer than twice
// the longest time that any took, or -W if none came.
func (p *pinger) wait() clock.Instant {
	interval := ofSeconds(p.cmd.Interval)
	switch {
	case p.transmitted == 0:
		return p.began
	case p.more():
		return p.last.Add(interval)
	case p.received > 0:
		return p.last.Add(max(2*p.rtt.longest, interval))
	}
	return p.last.Add(ofSeconds(p.cmd.Linger))
}

// send sends a request.
func (p *pinger) send() {
	if p.cmd.Outstanding && !p.cmd.Quiet && p.transmitted > 0 && !p.answered[uint16(p.transmitted)] {
		p.print("no answer yet for icmp_seq=%d\n", uint16(p.transmitted))
	}
	rt := p.stack.Runtime()
	p.transmitted++
	seq := uint16(p.transmitted)
	binary.BigEndian.PutUint16(p.message[6:], seq)
	p.last = rt.Now()
	if p.timed() {
		wall := rt.Wall()
		binary.NativeEndian.PutUint64(p.message[wire.ICMPLen:], uint64(wall.Unix()))
		binary.NativeEndian.PutUint64(p.message[wire.ICMPLen+8:], uint64(wall.Nanosecond()/1000))
	}
	p.sent[seq] = p.last
	delete(p.answered, seq)
	if _, err := p.conn.WriteMsg(p.message, &p.control, p.dst); err != nil {
		p.unsent(err)
	}
}

// unsent tells of a request that did not leave.
func (p *pinger) unsent(err error) {
	p.errors++
	if p.cmd.Quiet {
		return
	}
	if e, ok := errors.AsType[*onlink.PathMTUError](err); ok {
		fmt.Fprintf(p.err, "ping: local error: message too long, mtu=%d\n", e.MTU)
		return
	}
	fmt.Fprintf(p.err, "ping: sendmsg: %v\n", cause(err))
}

// receive takes the next reply or error, if one comes in time.
func (p *pinger) receive(b []byte) error {
	var m onlink.ControlMessage
	n, from, err := p.conn.ReadMsg(b, &m)
	e, reported := errors.AsType[*onlink.ICMPError](err)
	switch {
	case reported:
		p.complaint(e)
	case errors.Is(err, os.ErrDeadlineExceeded):
	case err != nil:
		return err
	case n >= wire.ICMPLen:
		p.reply(b[:n], from, &m)
	}
	return nil
}

// reply takes a reply.
func (p *pinger) reply(b []byte, from netip.Addr, m *onlink.ControlMessage) {
	seq := wire.ICMP(b).Seq()
	sent, ok := p.sent[seq]
	if !ok {
		return // we never asked that
	}
	if p.timed() && len(b) < len(p.message) {
		return // nor that
	}
	took, again := max(0, m.Arrived.Sub(sent)), p.answered[seq] // what is printed meanwhile takes its time, and names are looked up
	p.acknowledge(seq)
	if again {
		p.repeated++
	} else {
		p.received++
		p.answered[seq] = true
	}
	if p.timed() {
		p.rtt.add(took)
	}
	if p.cmd.Quiet {
		return
	}
	line := p.stamp() + fmt.Sprintf("%d bytes from %s: icmp_seq=%d ttl=%d", len(b), p.names.with(from), seq, m.HopLimit)
	if p.timed() {
		line += " time=" + milliseconds(took) + " ms"
	}
	if again {
		line += " (DUP!)"
	}
	p.print("%s%s\n", line, p.differs(b))
}

// acknowledge notes that something came of the request seq.
func (p *pinger) acknowledge(seq uint16) {
	if d := uint16(p.transmitted) - seq; d < 0x8000 {
		p.pipe = max(p.pipe, int64(d)+1)
	}
}

// differs says where the payload of a reply is not that of the requests.
func (p *pinger) differs(b []byte) string {
	at := wire.ICMPLen
	if p.timed() {
		at += stampLen
	}
	for i := at; i < min(len(b), len(p.message)); i++ {
		if b[i] != p.message[i] {
			return fmt.Sprintf("\nwrong data byte #%d should be 0x%x but was 0x%x", i-wire.ICMPLen, p.message[i], b[i])
		}
	}
	return ""
}

// stamp is what is before each line with -D.
func (p *pinger) stamp() string {
	if !p.cmd.Timestamp {
		return ""
	}
	now := p.stack.Runtime().Wall()
	return fmt.Sprintf("[%d.%06d] ", now.Unix(), now.Nanosecond()/1000)
}

// complaint takes an error about a request.
func (p *pinger) complaint(e *onlink.ICMPError) {
	if len(e.Quote) < wire.ICMPLen || e.Dst.Addr().WithZone("") != p.dst.WithZone("") {
		return
	}
	seq := wire.ICMP(e.Quote).Seq()
	if _, ok := p.sent[seq]; !ok {
		return
	}
	p.acknowledge(seq)
	p.errors++
	if p.cmd.Quiet {
		return
	}
	from, text := e.From, ""
	switch local := !from.IsValid(); {
	case local && e.MTU != 0:
		fmt.Fprintf(p.err, "ping: local error: message too long, mtu=%d\n", e.MTU)
		return
	case local: // of the neighbor that there is none; Linux tells that to itself as a router would
		from, text = p.src, unreachable(p.dst.Is4())
	default:
		text = icmpWords(e)
	}
	p.print("%sFrom %s icmp_seq=%d %s\n", p.stamp(), p.names.with(from), seq, text)
}

// milliseconds returns d as ping prints it: with four significant digits at most.
func milliseconds(d time.Duration) string {
	us := d.Microseconds()
	switch {
	case us >= 100_000-50:
		return fmt.Sprint((us + 500) / 1000)
	case us >= 10_000-5:
		us += 50
		return fmt.Sprintf("%d.%d", us/1000, us%1000/100)
	case us >= 1000:
		us += 5
		return fmt.Sprintf("%d.%02d", us/1000, us%1000/10)
	}
	return fmt.Sprintf("0.%03d", us)
}
