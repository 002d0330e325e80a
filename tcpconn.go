package onlink

import (
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpsock"
)

// TCPConn is a TCP connection. It implements [net.Conn] with the half-closes, options and errors of
// *net.TCPConn. All methods may be called at once from several goroutines.
//
// Errors are *net.OpError. They unwrap to [io.EOF] (bare, after the peer's FIN), [net.ErrClosed] after Close,
// [os.ErrDeadlineExceeded], or the errno a kernel would return: syscall.ECONNRESET, ETIMEDOUT, EPIPE,
// EHOSTUNREACH and so on.
type TCPConn struct {
	stack *Stack
	conn  *tcpsock.Conn

	local, peer atomic.Pointer[net.TCPAddr] // made when they are asked for
}

func (s *Stack) newTCPConn(c *tcpsock.Conn) *TCPConn { return &TCPConn{stack: s, conn: c} }

func (c *TCPConn) err(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return opError(op, "tcp", c.LocalAddr(), c.RemoteAddr(), err)
}

// Read reads what has come, and waits for some. It returns [io.EOF] after the peer's FIN.
func (c *TCPConn) Read(b []byte) (int, error) {
	n, err := c.conn.Read(b)
	return n, c.err("read", err)
}

// Write writes all of b, waiting for room in the send buffer. Calls do not mix their data.
func (c *TCPConn) Write(b []byte) (int, error) {
	n, err := c.conn.Write(b)
	return n, c.err("write", err)
}

// Close ends the connection in both directions. What was written is still sent, in the background.
func (c *TCPConn) Close() error { return c.err("close", c.conn.Close()) }

// CloseWrite sends a FIN behind what was written. Reading goes on until the peer closes its half.
func (c *TCPConn) CloseWrite() error { return c.err("close", c.conn.CloseWrite()) }

// CloseRead ends reading, as shutdown(2) with SHUT_RD does: Read returns what has come and then [io.EOF], without waiting.
// After CloseWrite, data that comes resets the connection.
func (c *TCPConn) CloseRead() error { return c.err("close", c.conn.CloseRead()) }

// LocalAddr and RemoteAddr return the ends of the connection, as *net.TCPAddr.
func (c *TCPConn) LocalAddr() net.Addr { return c.addr(&c.local, c.conn.Local) }

func (c *TCPConn) RemoteAddr() net.Addr { return c.addr(&c.peer, c.conn.Remote) }

func (c *TCPConn) addr(kept *atomic.Pointer[net.TCPAddr], end func() flow.Endpoint) *net.TCPAddr {
	a := kept.Load()
	if a == nil {
		a = c.stack.tcpAddr(end())
		kept.Store(a)
	}
	return a
}

// SetDeadline sets both deadlines. The zero time means none.
func (c *TCPConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline sets the time after which Read fails with [os.ErrDeadlineExceeded]. t is read against the
// stack's clock: virtual time in a simulation.
func (c *TCPConn) SetReadDeadline(t time.Time) error {
	return c.err("set", c.conn.SetReadDeadline(c.stack.deadline(t)))
}

// SetWriteDeadline sets the time after which Write fails with [os.ErrDeadlineExceeded].
func (c *TCPConn) SetWriteDeadline(t time.Time) error {
	return c.err("set", c.conn.SetWriteDeadline(c.stack.deadline(t)))
}

// SetNoDelay turns Nagle's algorithm off (true, the default, as in package net) or on.
func (c *TCPConn) SetNoDelay(noDelay bool) error {
	return c.configure(func(cfg *tcp.Config) { cfg.NoDelay = noDelay })
}

// The keep-alive timers SetKeepAlive turns on: package net's.
const (
	keepAliveIdle     = 15 * time.Second
	keepAliveInterval = 15 * time.Second
	keepAliveCount    = 9
)

// SetKeepAlive turns keep-alive probes on or off. On, they begin after 15 s without traffic.
func (c *TCPConn) SetKeepAlive(keepAlive bool) error {
	return c.configure(func(cfg *tcp.Config) {
		setKeepAlive(cfg, net.KeepAliveConfig{})
		cfg.KeepAlive = keepAlive
	})
}

// SetKeepAliveConfig sets the keep-alive timers as [net.TCPConn.SetKeepAliveConfig] does: 0 means the
// default; negative values, which leave a setting alone there, mean the default here too.
func (c *TCPConn) SetKeepAliveConfig(k net.KeepAliveConfig) error {
	if !k.Enable {
		return c.SetKeepAlive(false)
	}
	return c.configure(func(cfg *tcp.Config) { setKeepAlive(cfg, k) })
}

// SetLinger sets what Close does with data not yet sent: sec < 0 sends it in the background (the default), 0
// discards it and resets the connection. A positive sec is treated as negative: Close never blocks.
func (c *TCPConn) SetLinger(sec int) error {
	return c.configure(func(cfg *tcp.Config) { cfg.Lingers, cfg.Linger = sec == 0, 0 })
}

// SetHopLimit sets the TTL or hop limit of the packets sent (1-255); 0 restores the default.
func (c *TCPConn) SetHopLimit(n uint8) error { return c.err("set", c.conn.SetHopLimit(n)) }

// SetTrafficClass sets the TOS or traffic class of the packets sent.
func (c *TCPConn) SetTrafficClass(n uint8) error { return c.err("set", c.conn.SetTrafficClass(n)) }

// SetFlowLabel sets the flow label of what the connection sends with IPv6: 20 bits (RFC 6437). 0 has one made for the connection, as
// Sysctl net.ipv6.auto_flowlabels says. The error is EINVAL.
func (c *TCPConn) SetFlowLabel(label uint32) error {
	if label >= uint32(ip.NoLabel) {
		return c.err("set", syscall.EINVAL)
	}
	return c.err("set", c.conn.ChangeHeader(func(h *tcpsock.Header) { h.FlowLabel = ip.FlowLabel(label) }))
}

// SetMark sets what rules choose a routing table by for what the connection sends.
func (c *TCPConn) SetMark(mark uint32) error {
	return c.err("set", c.conn.ChangeHeader(func(h *tcpsock.Header) { h.Mark = mark }))
}

// TCPListener accepts connections. It implements [net.Listener].
type TCPListener struct {
	stack *Stack
	l     *tcpsock.Listener
	addr  *net.TCPAddr
}

// Accept waits for a connection, a *TCPConn. Errors unwrap to [net.ErrClosed] or [os.ErrDeadlineExceeded].
func (l *TCPListener) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptTCP is Accept with the connection's own type.
func (l *TCPListener) AcceptTCP() (*TCPConn, error) {
	c, err := l.l.Accept()
	if err != nil {
		return nil, opError("accept", "tcp", nil, l.addr, err)
	}
	return l.stack.newTCPConn(c), nil
}

// Close stops listening and resets the connections nobody accepted.
func (l *TCPListener) Close() error { return opError("close", "tcp", nil, l.addr, l.l.Close()) }

// Addr returns where it listens, as *net.TCPAddr.
func (l *TCPListener) Addr() net.Addr { return l.addr }

// SetDeadline sets the time after which Accept fails with [os.ErrDeadlineExceeded]; the zero time means none.
func (l *TCPListener) SetDeadline(t time.Time) error {
	return opError("set", "tcp", nil, l.addr, l.l.SetDeadline(l.stack.deadline(t)))
}

// deadline converts a time as SetDeadline takes it.
func (s *Stack) deadline(t time.Time) clock.Instant {
	if t.IsZero() {
		return clock.Never
	}
	return clock.Deadline(s.rt, t)
}
