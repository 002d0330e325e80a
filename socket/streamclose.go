package socket

import (
	"syscall"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpsock"
)

func (s *stream) shutdown(how int) error {
	s.mu.Lock()
	defer s.Notify(ready.All)
	defer s.mu.Unlock()
	dirs := how + 1 // SHUT_RD, SHUT_WR and SHUT_RDWR as a set
	var err error
	state := s.state()
	if s.phase == connecting {
		switch state {
		case tcp.SynSent, tcp.SynReceived, tcp.Closed:
			s.phase = disconnecting
		default:
			s.phase = connected
		}
	}
	switch state {
	case tcp.Closed:
		err = syscall.ENOTCONN
		s.shut |= dirs
	case tcp.Listen:
		if dirs&shutRead != 0 {
			s.stopListening()
		}
	case tcp.SynSent:
		if s.conn != nil {
			s.conn.Abort()
			s.pending = syscall.ECONNRESET
		}
		s.detach()
	default:
		s.shut |= dirs
		if dirs&shutRead != 0 {
			s.conn.CloseRead() // fails only if it is over, which is no news
		}
		if dirs&shutWrite != 0 {
			s.conn.CloseWrite() // likewise
		}
	}
	return err
}

// release implements file: the last use of the socket has ended.
func (s *stream) release() error {
	s.mu.Lock()
	if s.listener != nil {
		s.stopListening()
	}
	c, linger := s.conn, time.Duration(0)
	if s.opt.linger {
		linger = s.opt.lingerTime
	}
	s.unclaim()
	s.mu.Unlock()
	if c != nil {
		c.Close() // fails only if the stack has closed it already
		if linger > 0 {
			s.linger(c, s.rt.Now().Add(linger))
		}
		c.Notify(nil)
	}
	return nil
}

// linger waits until the peer has acknowledged all there was to send, and the FIN behind it, or until the instant end. It
// does so also if the socket is not to block, as Linux does.
func (s *stream) linger(c *tcpsock.Conn, end clock.Instant) {
	for {
		turn := s.now()
		switch c.Status(false).State {
		case tcp.FinWait1, tcp.Closing, tcp.LastAck:
		default:
			return
		}
		if !s.wait(turn, end) {
			return
		}
	}
}

// poll implements file, as Linux's tcp_poll says.
func (s *stream) poll() ready.Events {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		if s.listener.Waiting() > 0 {
			return ready.Read
		}
		return 0
	}
	var ev ready.Events
	if s.deferred != nil {
		return ready.Write
	}
	if s.conn == nil {
		ev = ready.Hup | ready.Write
		if s.shut&shutRead != 0 {
			ev |= ready.Read | ready.RdHup
		}
		if s.pending != 0 || s.hasErrors() {
			ev |= ready.Err
		}
		return ev
	}
	st := s.conn.Status(true)
	shut := s.shut
	if st.EOF {
		shut |= shutRead
	}
	over := st.State == tcp.Closed || st.State == tcp.TimeWait
	if over {
		shut = shutBoth
	}
	if shut == shutBoth || over {
		ev |= ready.Hup
	}
	if shut&shutRead != 0 {
		ev |= ready.Read | ready.RdHup
	}
	if st.State != tcp.SynSent && (st.State != tcp.SynReceived || s.conn.Early()) {
		if st.Readable && st.Pending == 0 {
			ev |= ready.Read
		}
		if st.Urgent {
			ev |= ready.Pri
		}
		if shut&shutWrite != 0 || st.Writable {
			ev |= ready.Write
		}
	}
	if s.pending != 0 || st.Pending != 0 || st.Errno != 0 && !s.told || s.hasErrors() {
		ev |= ready.Err
	}
	return ev
}

// hasErrors reports whether something is in the error queue.
func (s *stream) hasErrors() bool {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return len(s.errors.entries) > 0
}
