package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
)

// nc pipes its input to connections, and what comes from them to its output.
type nc struct {
	*session
	cmd *ncCmd

	mu      sync.Mutex
	changed clock.Cond
	piece   []byte // of the input, that nobody has taken yet
	inEnd   bool   // the input has ended
	stopped bool   // the command is to end
	reading bool   // readInput runs
}

func newNC(s *session, c *ncCmd) *nc {
	n := &nc{session: s, cmd: c}
	n.changed = s.stack.Runtime().NewCond(&n.mu)
	return n
}

// end has everybody stop who waits.
func (n *nc) end() {
	n.update(func() { n.stopped = true })
}

// update changes what others wait for.
func (n *nc) update(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
	n.changed.Broadcast()
}

// bufferLen is how much is read at once; with UDP it bounds the datagrams.
const bufferLen = 16 << 10

// readInput reads the input, piece by piece as they are taken. It may outlive the command, waiting for one.
func (n *nc) readInput() {
	b := make([]byte, bufferLen)
	for {
		count, err := n.in.Read(b)
		n.mu.Lock()
		n.piece = b[:count]
		n.inEnd = err != nil
		n.changed.Broadcast()
		for len(n.piece) > 0 && !n.stopped {
			n.changed.Wait()
		}
		done := n.inEnd || n.stopped
		n.mu.Unlock()
		if done {
			return
		}
	}
}

// pipe carries octets between the input and output and conn, until both have ended, and closes conn. If the peer has called us, its end is
// enough, as with OpenBSD's; but with -N, which says that each way ends by itself, the input goes whole.
func (n *nc) pipe(conn net.Conn, called bool) error {
	p := &ncPipe{nc: n, conn: conn, active: n.stack.Runtime().Now()}
	p.begin()
	called = called && !n.cmd.Shut
	quit := n.stack.Runtime().NewTimer(func(clock.Instant) { n.update(func() { p.over = true }) })
	n.spawn(p.receive)
	if !n.cmd.NoInput {
		n.spawn(p.send)
	} else {
		p.sent = true
	}
	n.mu.Lock()
	armed := false
	for !n.stopped && !p.over && !(p.received && (p.sent || called)) && p.fault == nil {
		if p.sent && n.cmd.Quit >= 0 && !armed {
			armed = true
			quit.Reset(n.stack.Runtime().Now().Add(ofSeconds(n.cmd.Quit)))
		}
		n.changed.Wait()
	}
	stopped, err := n.stopped, p.fault
	p.over = true
	n.changed.Broadcast()
	n.mu.Unlock()
	quit.Stop()
	if closing := conn.Close(); err == nil && !stopped {
		err = closing
	}
	n.mu.Lock()
	for !p.received { // it has returned before what it prints to may go
		n.changed.Wait()
	}
	n.mu.Unlock()
	switch {
	case stopped:
		return exitStatus(1)
	case err != nil:
		return fmt.Errorf("nc: %w", err)
	}
	return nil
}

// begin has the input read, if it is not yet.
func (p *ncPipe) begin() {
	if !p.cmd.NoInput && !p.reading {
		p.reading = true
		p.spawn(p.readInput)
	}
}

// ncPipe is a connection being used.
type ncPipe struct {
	*nc
	conn net.Conn

	// Of nc.mu:
	sent, received bool // the input, or what the peer sends, has ended
	over           bool // enough of it
	fault          error
	active         clock.Instant // when something came or went
}

// send sends the input.
func (p *ncPipe) send() {
	defer p.update(func() { p.sent = true })
	for {
		p.mu.Lock()
		for len(p.piece) == 0 && !p.inEnd && !p.over && !p.stopped {
			p.changed.Wait()
		}
		piece, over := p.piece, p.over || p.stopped
		p.mu.Unlock()
		if over {
			return
		}
		if len(piece) == 0 { // the end
			if w, ok := p.conn.(interface{ CloseWrite() error }); ok && (p.cmd.Shut || p.cmd.Quit >= 0) {
				if err := w.CloseWrite(); err != nil {
					p.fail(err)
				}
			}
			return
		}
		if _, err := p.conn.Write(piece); err != nil {
			p.fail(err)
			return
		}
		p.update(func() { p.piece, p.active = nil, p.stack.Runtime().Now() })
	}
}

// receive prints what comes.
func (p *ncPipe) receive() {
	defer p.update(func() { p.received = true })
	b := make([]byte, 64<<10)
	for {
		p.expect()
		n, err := p.conn.Read(b)
		if n > 0 {
			p.update(func() { p.active = p.stack.Runtime().Now() })
			if _, err := p.out.Write(b[:n]); err != nil {
				p.fail(err)
				return
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			if p.idle() >= ofSeconds(p.cmd.Wait) {
				p.update(func() { p.over = true })
				return
			}
		default:
			p.fail(err)
			return
		}
	}
}

// expect has reading end when nothing has come or gone for as long as -w says.
func (p *ncPipe) expect() {
	if p.cmd.Wait > 0 {
		p.mu.Lock()
		at := p.active.Add(ofSeconds(p.cmd.Wait))
		p.mu.Unlock()
		rt := p.stack.Runtime()
		p.conn.SetReadDeadline(rt.Wall().Add(at.Sub(rt.Now()))) // of a closed one: reading tells
	}
}

func (p *ncPipe) idle() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stack.Runtime().Now().Sub(p.active)
}

// fail ends the pipe with err, but for what its end itself brings about.
func (p *ncPipe) fail(err error) {
	p.update(func() {
		if !p.over && !p.stopped && p.fault == nil {
			p.fault = cause(err)
		}
	})
}

// probeWait is how long a port of UDP has to refuse.
const probeWait = time.Second

// asks sends a datagram and waits for somebody to refuse it.
func (n *nc) asks(conn net.Conn) error {
	if _, err := conn.Write([]byte("X")); err != nil {
		return err
	}
	if err := n.readUntil(conn, n.stack.Runtime().Now().Add(probeWait)); err != nil {
		return err
	}
	_, err := conn.Read(make([]byte, 1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

// say says what happens, with -v.
func (n *nc) say(format string, args ...any) {
	if n.cmd.Verbose {
		fmt.Fprintf(n.err, format+"\n", args...)
	}
}

// listen takes a connection, or with -k one after the other.
func (n *nc) listen(t ncTarget) error {
	ln, err := n.stack.Listen(n.ctx, n.cmd.network(), net.JoinHostPort(t.host, strconv.Itoa(int(t.first))))
	if err != nil {
		return fmt.Errorf("nc: %w", err)
	}
	defer ln.Close() // a second time is harmless
	defer n.stack.Runtime().AfterDone(n.ctx, func() { ln.Close() })()
	n.say("Listening on %s", spaced(ln.Addr()))
	for {
		conn, err := ln.Accept()
		switch {
		case n.ctx.Err() != nil:
			return exitStatus(1)
		case err != nil:
			return fmt.Errorf("nc: %w", err)
		}
		n.say("Connection received on %s", spaced(conn.RemoteAddr()))
		if !n.cmd.Keep {
			ln.Close()
			return n.pipe(conn, true)
		}
		if err := n.pipe(conn, true); n.ctx.Err() != nil {
			return exitStatus(1)
		} else if err != nil {
			fmt.Fprintln(n.err, err) // of this one; others may come
		}
	}
}

// spaced returns "address port".
func spaced(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host + " " + port
}

// listenUDP takes datagrams of who sends the first, and sends the input there; with -k those of everybody.
func (n *nc) listenUDP(t ncTarget) error {
	pc, err := n.stack.ListenPacket(n.ctx, n.cmd.network(), net.JoinHostPort(t.host, strconv.Itoa(int(t.first))))
	if err != nil {
		return fmt.Errorf("nc: %w", err)
	}
	n.say("Bound on %s", spaced(pc.LocalAddr()))
	u := &ncUDP{UDPConn: pc.(*onlink.UDPConn), all: n.cmd.Keep, first: make([]byte, 65535)}
	stop := n.stack.Runtime().AfterDone(n.ctx, func() { pc.Close() })
	count, from, err := u.ReadFromUDPAddrPort(u.first)
	stop()
	switch {
	case n.ctx.Err() != nil:
		pc.Close()
		return exitStatus(1)
	case err != nil:
		pc.Close()
		return fmt.Errorf("nc: %w", err)
	}
	u.first, u.peer = u.first[:count], from
	n.say("Connection received on %s", spaced(net.UDPAddrFromAddrPort(from)))
	return n.pipe(u, false)
}

// ncUDP is a UDP socket as a connection to who sent the first datagram to it.
type ncUDP struct {
	*onlink.UDPConn
	peer  netip.AddrPort
	all   bool   // read what others send, too
	first []byte // nil: it was read
}

// Read reads the next datagram.
func (u *ncUDP) Read(b []byte) (int, error) {
	if u.first != nil {
		n := copy(b, u.first)
		u.first = nil
		return n, nil
	}
	for {
		n, from, err := u.ReadFromUDPAddrPort(b)
		if err != nil || u.all || from == u.peer {
			return n, err
		}
	}
}

// Write sends b to the peer.
func (u *ncUDP) Write(b []byte) (int, error) { return u.WriteToUDPAddrPort(b, u.peer) }
