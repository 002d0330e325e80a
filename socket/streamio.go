package socket

import (
	"io"
	"syscall"

	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpsock"
)

func (s *stream) recvmsg(m *Msg, flags int) (int, error) {
	m.Flags = 0
	s.mu.Lock()
	end := patience(s.rt, !s.nonblock && flags&MSG_DONTWAIT == 0, s.opt.rcvtimeo)
	s.mu.Unlock()
	want := m.len()
	target := 1
	if flags&MSG_WAITALL != 0 {
		target = want
	}
	done := 0
	for {
		turn := s.now()
		s.mu.Lock()
		c := s.conn
		if s.listener != nil {
			s.mu.Unlock()
			return -1, syscall.ENOTCONN
		}
		s.mu.Unlock()
		n, err := 0, error(syscall.ENOTCONN)
		if c != nil {
			n, err = s.receive(c, m, done, flags)
		}
		done += n
		if done >= target || want == 0 && err == nil {
			break
		}
		if err != nil && err != syscall.EAGAIN {
			if done == 0 {
				n, err = s.endOfReading(c, err)
				if err != nil {
					return -1, err
				}
			}
			break
		}
		s.mu.Lock()
		shut := s.shut&shutRead != 0
		s.mu.Unlock()
		if shut {
			break
		}
		if !s.wait(turn, end) {
			if done == 0 {
				return -1, syscall.EAGAIN
			}
			break
		}
	}
	m.Control = m.Control[:0]
	return done, nil
}

// receive takes what is there into m's buffers behind the first done octets.
func (s *stream) receive(c *tcpsock.Conn, m *Msg, done, flags int) (int, error) {
	switch {
	case flags&MSG_PEEK != 0:
		return c.Peek(done, after(m.Buf, done))
	case flags&MSG_TRUNC != 0:
		return c.Discard(m.len() - done)
	}
	return c.TryRead(after(m.Buf, done))
}

// after returns b without its first n octets. With n 0, which is the rule, nothing is allocated.
func after(b [][]byte, n int) [][]byte {
	for len(b) > 0 && n >= len(b[0]) {
		n -= len(b[0])
		b = b[1:]
	}
	if n == 0 {
		return b
	}
	rest := append([][]byte(nil), b...)
	rest[0] = rest[0][n:]
	return rest
}

// endOfReading returns what recvmsg says when nothing can come any more.
func (s *stream) endOfReading(c *tcpsock.Conn, err error) (int, error) {
	if err == io.EOF {
		return 0, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.takeError(); e != 0 {
		return -1, e
	}
	if c == nil && s.shut&shutRead == 0 {
		return -1, syscall.ENOTCONN
	}
	return 0, nil // what it died of has been told
}

func (s *stream) sendmsg(m *Msg, flags int) (int, error) {
	s.mu.Lock()
	end := patience(s.rt, !s.nonblock && flags&MSG_DONTWAIT == 0, s.opt.sndtimeo)
	s.mu.Unlock()
	want, done := m.len(), 0
	for {
		turn := s.now()
		n, err := s.trySend(m, done)
		if err != nil && err != syscall.EAGAIN {
			if done > 0 {
				return done, nil
			}
			return -1, err
		}
		if err == nil {
			done += n
			if done == want {
				return done, nil
			}
			if n > 0 {
				continue
			}
		}
		if !s.wait(turn, end) {
			if done > 0 {
				return done, nil
			}
			return -1, syscall.EAGAIN
		}
	}
}

// trySend queues what there is room for of m, behind its first done octets.
func (s *stream) trySend(m *Msg, done int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.takeError(); e != 0 {
		return 0, e
	}
	switch s.state() {
	case tcp.SynSent, tcp.SynReceived:
		return 0, syscall.EAGAIN
	case tcp.Closed, tcp.Listen:
		return 0, syscall.EPIPE
	}
	if s.shut&shutWrite != 0 {
		return 0, syscall.EPIPE
	}
	n, err := s.conn.TryWrite(m.Buf, done)
	if err != nil && err != syscall.EAGAIN {
		if e := s.takeError(); e != 0 {
			return 0, e
		}
		return 0, syscall.EPIPE
	}
	return n, err
}

// ioctl implements sock.
func (s *stream) ioctl(req uint, arg []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n int
	switch req {
	case SIOCINQ, SIOCOUTQ, SIOCOUTQNSD:
		if s.listener != nil {
			return syscall.EINVAL
		}
		if s.conn == nil {
			break
		}
		st := s.conn.Status(false)
		if st.State == tcp.SynSent || st.State == tcp.SynReceived {
			break
		}
		switch req {
		case SIOCINQ:
			n = st.Unread
		case SIOCOUTQ:
			n = st.Unacked
		case SIOCOUTQNSD:
			n = st.Unsent
		}
	case SIOCATMARK:
	default:
		return syscall.ENOTTY
	}
	putInt32(arg, int32(n))
	return nil
}
