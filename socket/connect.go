package socket

import (
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpsock"
)

func (s *stream) connect(a netip.AddrPort) error {
	if a == (netip.AddrPort{}) {
		return s.disconnect()
	}
	if _, err := s.startConnect(a, false, nil); err == nil {
		return nil // deferred
	} else if err != syscall.EINPROGRESS && err != syscall.EALREADY {
		return err
	} else {
		return s.finishConnect(err)
	}
}

// startConnect sends the SYN, if none was sent, with what it may of data if fast is set; it returns how much the
// connection has taken of that. It returns EINPROGRESS if it did, EALREADY if one was sent before, and nil if the SYN waits
// for data.
func (s *stream) startConnect(a netip.AddrPort, fast bool, data [][]byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.phase == connected:
		return 0, syscall.EISCONN
	case s.deferred != nil:
		return 0, syscall.EISCONN
	case s.phase == connecting:
		return 0, syscall.EALREADY
	case s.phase == disconnecting:
		return 0, syscall.EINVAL
	case s.state() != tcp.Closed:
		return 0, syscall.EISCONN
	}
	e, err := s.endpoint(a)
	if err != nil {
		return 0, err
	}
	e = s.destination(e)
	if s.v6only && e.Addr.Is4() {
		return 0, syscall.ENETUNREACH
	}
	var local flow.Endpoint
	if s.claim != nil {
		local.Port = s.local.Port
	}
	if s.boundAddr {
		local.Addr, local.Scope = s.local.Addr, s.local.Scope
	}
	c, n, err := s.open(tcpsock.OpenConfig{Local: local, Remote: e, TCP: s.ownConfig(), Header: s.header(e.Addr), Keys: s.keys(),
		Watcher: s, SourcePrefs: s.opt.sources.preferences()}, fast, data)
	if err != nil {
		if s.boundPort && errno(err) == syscall.EADDRINUSE {
			return 0, syscall.EADDRNOTAVAIL // the port is bound, and in use to this peer
		}
		return 0, errno(err)
	}
	s.phase = connecting
	if c == nil {
		return 0, nil
	}
	s.attach(c)
	return n, syscall.EINPROGRESS
}

// attach makes c, which is being opened, the socket's connection. mu locked.
func (s *stream) attach(c *tcpsock.Conn) {
	c.SetSharing(s.sharing())
	s.conn, s.told, s.pending, s.phase = c, false, 0, connecting
}

// finishConnect waits for the end of the handshake as long as the socket says, and returns unless otherwise.
func (s *stream) finishConnect(unless error) error {
	s.mu.Lock()
	end := patience(s.rt, !s.nonblock, s.opt.sndtimeo)
	s.mu.Unlock()
	if end == 0 && unless == syscall.EINPROGRESS {
		return unless // however soon the answer may have come
	}
	for {
		turn := s.now()
		s.mu.Lock()
		switch s.state() {
		case tcp.Closed:
			defer s.mu.Unlock()
			return s.failConnect()
		case tcp.SynSent, tcp.SynReceived:
			s.mu.Unlock()
		default:
			s.phase = connected
			s.mu.Unlock()
			return nil
		}
		if !s.wait(turn, end) {
			return unless
		}
	}
}

// failConnect makes the socket one that may connect again, and returns why it did not. mu locked.
func (s *stream) failConnect() error {
	err := s.takeError()
	if err == 0 {
		err = syscall.ECONNABORTED
	}
	s.detach()
	return err
}

// takeError returns what is wrong with the socket, once: SO_ERROR. mu locked.
func (s *stream) takeError() syscall.Errno {
	if e := s.pending; e != 0 {
		s.pending = 0
		return e
	}
	if s.conn == nil || s.told {
		return 0
	}
	if e := s.conn.TakePending(); e != 0 {
		return e
	}
	st := s.conn.Status(false)
	if !st.Dead || st.Errno == 0 {
		return 0
	}
	s.told = true
	if st.Errno == syscall.ECONNRESET && st.EOF && !st.Finished {
		return syscall.EPIPE // what Linux makes of a reset in CLOSE-WAIT
	}
	return st.Errno
}

// failed reports whether takeError has something to return. mu locked.
func (s *stream) failed() bool {
	if s.pending != 0 || s.conn == nil || s.told {
		return s.pending != 0
	}
	st := s.conn.Status(false)
	return st.Pending != 0 || st.Dead && st.Errno != 0
}

// detach parts the socket from its connection, which is over. mu locked.
func (s *stream) detach() {
	if s.conn != nil {
		s.conn.Notify(nil)
		s.local.Port = s.conn.Local().Port // what getsockname says, though it is not the socket's any more
	}
	s.conn, s.deferred, s.phase, s.shut = nil, nil, unconnected, 0
	if !s.boundAddr {
		s.local.Addr, s.local.Scope = s.wildcard(), 0
	}
	if !s.boundPort {
		s.unclaim()
	}
}

// disconnect is connect to AF_UNSPEC: the connection is reset, listening ends, and the socket may connect anew.
func (s *stream) disconnect() error {
	s.mu.Lock()
	switch s.state() {
	case tcp.Listen:
		s.stopListening()
	case tcp.Closed:
	case tcp.SynSent:
		if s.conn != nil {
			s.conn.Abort()
			s.pending = syscall.ECONNRESET
		}
	case tcp.TimeWait, tcp.FinWait2, tcp.Closing, tcp.LastAck:
		s.conn.Abort()
	default:
		s.conn.Abort()
		s.pending = syscall.ECONNRESET
	}
	s.detach()
	s.mu.Unlock()
	s.Notify(ready.All)
	return nil
}

// stopListening ends the listener. mu locked.
func (s *stream) stopListening() {
	s.listener.Notify(nil)
	s.listener.Close() // it is open: only this socket closes it, or the stack, whose end is the same
	s.listener = nil
}
