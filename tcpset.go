package onlink

import (
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/tcp"
)

// configure changes the connection's settings.
func (c *TCPConn) configure(f func(*tcp.Config)) error { return c.err("set", c.conn.Configure(f)) }

// atLeast is configure for a number that must not be less than least, else EINVAL.
func (c *TCPConn) atLeast(least, n int, f func(*tcp.Config)) error {
	if n < least {
		return c.err("set", syscall.EINVAL)
	}
	return c.configure(f)
}

// SetCork has only full segments sent (true); what is left goes out when the cork is taken out (false), or after a
// retransmission timeout. It is TCP_CORK.
func (c *TCPConn) SetCork(on bool) error { return c.configure(func(cfg *tcp.Config) { cfg.Cork = on }) }

// SetReadBuffer fixes the receive buffer, and with it the largest window, at n octets, as (*net.TCPConn).SetReadBuffer.
func (c *TCPConn) SetReadBuffer(n int) error {
	return c.atLeast(1, n, func(cfg *tcp.Config) { cfg.ReceiveBuffer = n })
}

// SetWriteBuffer fixes at n octets how far Write may run ahead of the peer's acknowledgments.
func (c *TCPConn) SetWriteBuffer(n int) error {
	return c.atLeast(1, n, func(cfg *tcp.Config) { cfg.SendBuffer = n })
}

// SetReadLowWater has Read wait until n octets have come, or as many as it can take. It is SO_RCVLOWAT.
func (c *TCPConn) SetReadLowWater(n int) error {
	return c.atLeast(1, n, func(cfg *tcp.Config) { cfg.ReceiveLowWater = n })
}

// SetNotSentLowWater has Write wait while n octets wait to be sent. It is TCP_NOTSENT_LOWAT.
func (c *TCPConn) SetNotSentLowWater(n int) error {
	return c.atLeast(1, n, func(cfg *tcp.Config) { cfg.NotSentLowWater = n })
}

// SetWindowClamp bounds the window that is offered to n octets, 0: not. It is TCP_WINDOW_CLAMP.
func (c *TCPConn) SetWindowClamp(n int) error {
	return c.atLeast(0, n, func(cfg *tcp.Config) { cfg.WindowClamp = n })
}

// SetMaxPacingRate bounds what is sent in a second, in octets; 0: not. It is SO_MAX_PACING_RATE.
func (c *TCPConn) SetMaxPacingRate(n uint64) error {
	return c.configure(func(cfg *tcp.Config) { cfg.MaxPacingRate = n })
}

// SetUserTimeout bounds how long data may stay unacknowledged before the connection fails with ETIMEDOUT; 0: as many
// retransmissions as the stack's settings allow. RFC 9293, 3.9.1, MUST-83; RFC 5482; TCP_USER_TIMEOUT.
func (c *TCPConn) SetUserTimeout(d time.Duration) error {
	return c.atLeast(0, int(d), func(cfg *tcp.Config) { cfg.UserTimeout = d })
}

// SetFinWait2 sets how long FIN-WAIT-2 lasts after Close; negative: a RST ends it at once. It is TCP_LINGER2.
func (c *TCPConn) SetFinWait2(d time.Duration) error {
	return c.configure(func(cfg *tcp.Config) { cfg.FinWait2 = max(d, -1) })
}

// SetCongestionControl chooses the congestion control by its name. Errors: ENOENT if there is none of that name.
func (c *TCPConn) SetCongestionControl(name string) error {
	if err := checkControl(&c.stack.tcp.Settings().TCP, name); err != nil {
		return c.err("set", err)
	}
	return c.configure(func(cfg *tcp.Config) { cfg.CongestionControl = name })
}

// SetOptions sets options of the connections to come, beside those set before. Errors: net.ErrClosed, EINVAL, ENOENT for a congestion control there is not.
func (l *TCPListener) SetOptions(o TCPOptions) error {
	err := o.check(&l.stack.tcp.Settings().TCP)
	if err == nil {
		err = l.l.Configure(o.change)
	}
	if err != nil {
		return opError("set", "tcp", nil, l.addr, err)
	}
	l.l.SetHeaders(o.headers(l.stack.tcp.Settings()))
	if len(o.Keys) > 0 {
		return l.SetKeys(o.Keys)
	}
	return nil
}
