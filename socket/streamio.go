package socket

import (
	"io"
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpsock"
)

func (s *stream) recvmsg(m *Msg, flags int) (int, error) {
	m.Flags, m.Name = 0, netip.AddrPort{}
	switch {
	case flags&MSG_ERRQUEUE != 0:
		return s.recvError(m)
	case flags&MSG_OOB != 0:
		return s.recvUrgent(m, flags)
	}
	s.mu.Lock()
	end := patience(s.rt, !s.nonblock && flags&MSG_DONTWAIT == 0, s.opt.rcvtimeo)
	s.mu.Unlock()
	want := m.len()
	s.mu.Lock()
	target := max(min(s.opt.rcvlowat, want), 1)
	s.mu.Unlock()
	if flags&MSG_WAITALL != 0 {
		target = max(want, 1)
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
		if done > 0 && (c.AtMark() || c.Status(false).Pending != 0) {
			break // the next call goes on behind the mark, or says what is wrong
		}
		n, err := 0, error(syscall.ENOTCONN)
		if s.waitsForData() {
			err = syscall.EAGAIN
		} else if c != nil {
			n, err = s.receive(c, m, done, flags)
		}
		done += n
		if done >= target || want == 0 && err == nil {
			break
		}
		if err != nil && err != syscall.EAGAIN {
			if done == 0 {
				if err := s.endOfReading(c, err); err != nil {
					return -1, err
				}
			}
			break
		}
		if n > 0 {
			continue // what comes behind may be the end
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
	s.control(m, done)
	return done, nil
}

// receive takes what is there into m's buffers behind the first done octets.
func (s *stream) receive(c *tcpsock.Conn, m *Msg, done, flags int) (int, error) {
	switch {
	case m.len() == 0 && c.Status(false).Unread > 0:
		return 0, nil
	case flags&(MSG_PEEK|MSG_TRUNC) == MSG_PEEK|MSG_TRUNC:
		return c.PeekLen(done, m.len()-done)
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
func (s *stream) endOfReading(c *tcpsock.Conn, err error) error {
	if err == io.EOF && c.Status(false).EOF {
		return nil
	}
	if e, ok := err.(syscall.Errno); ok && c != nil && !c.Status(false).Dead {
		return e // a soft error, which is told once
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.takeError(); e != 0 {
		return e
	}
	if c == nil && s.shut&shutRead == 0 {
		return syscall.ENOTCONN
	}
	return nil // what it died of has been told
}

func (s *stream) sendmsg(m *Msg, flags int) (int, error) {
	n, err := s.send(m, flags)
	if n > 0 && flags&MSG_ZEROCOPY != 0 {
		s.copied()
	}
	if n > 0 {
		s.stampSent()
	}
	return n, err
}

// copied tells that a send with MSG_ZEROCOPY is complete. It was a copy, as Linux makes one for loopback.
func (s *stream) copied() {
	s.mu.Lock()
	on, id := s.opt.zerocopy, s.sends
	if on {
		s.sends++
	}
	s.mu.Unlock()
	if !on {
		return
	}
	s.queue.mu.Lock()
	s.errors.add(extended{origin: SO_EE_ORIGIN_ZEROCOPY, code: SO_EE_CODE_ZEROCOPY_COPIED, info: id, data: id})
	s.queue.mu.Unlock()
	s.Notify(ready.Err)
}

func (s *stream) send(m *Msg, flags int) (int, error) {
	s.mu.Lock()
	end := patience(s.rt, !s.nonblock && flags&MSG_DONTWAIT == 0, s.opt.sndtimeo)
	s.mu.Unlock()
	want, done := m.len(), 0
	if flags&MSG_FASTOPEN != 0 || s.waitsForData() {
		if end == 0 {
			flags |= MSG_DONTWAIT
		}
		n, err := s.sendFast(m, flags)
		switch {
		case err != nil && n > 0:
			return n, nil
		case err != nil:
			return -1, err
		case n == want:
			return n, nil
		}
		done = n
	}
	for {
		turn := s.now()
		n, err := s.trySend(m, done, flags)
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
		s.awaitData(end != 0)
		if !s.wait(turn, end) {
			s.awaitData(false)
			if done > 0 {
				return done, nil
			}
			return -1, syscall.EAGAIN
		}
	}
}

// awaitData has the end of a handshake wait for the data of a call that waits for it.
func (s *stream) awaitData(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil && s.state() == tcp.SynSent {
		s.conn.AwaitData(yes)
	}
}

// trySend queues what there is room for of m, behind its first done octets.
func (s *stream) trySend(m *Msg, done, flags int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if done > 0 && s.failed() {
		return 0, syscall.EPIPE // how much was written is told now; the next call says what is wrong
	}
	if e := s.takeError(); e != 0 {
		return 0, e
	}
	switch s.state() {
	case tcp.SynSent, tcp.SynReceived:
		if !s.conn.Early() {
			return 0, syscall.EAGAIN
		}
	case tcp.Closed, tcp.Listen:
		return 0, syscall.EPIPE
	}
	if len(m.Control) > 0 && done == 0 {
		if err := eachControl(m.Control, func(level, typ int, _ []byte) error { return socketControl(level, typ) }); err != nil {
			return 0, err
		}
	}
	if s.shut&shutWrite != 0 {
		return 0, syscall.EPIPE
	}
	n, err := s.write(m, done, flags)
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
			n = st.ToMark
		case SIOCOUTQ:
			n = st.Unacked
		case SIOCOUTQNSD:
			n = st.Unsent
		}
	case SIOCATMARK:
		if s.conn != nil && s.conn.AtMark() {
			n = 1
		}
	default:
		return syscall.ENOTTY
	}
	putInt32(arg, int32(n))
	return nil
}

// control tells what the options ask for: with SO_TIMESTAMPING, when it came; with TCP_INQ, how much is left to be read.
func (s *stream) control(m *Msg, done int) {
	w := controlWriter{room: m.Control}
	defer w.into(m)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return
	}
	if done > 0 {
		s.putArrival(&w)
	}
	if !s.inq {
		return
	}
	st := s.conn.Status(false)
	n := st.Unread
	if n == 0 && st.EOF {
		n = 1 // as Linux hints that there is an end to be read
	}
	w.putInt(IPPROTO_TCP, TCP_CM_INQ, n)
}

// recvError is recvmsg with MSG_ERRQUEUE, which never waits.
func (s *stream) recvError(m *Msg) (int, error) {
	s.queue.mu.Lock()
	x, ok := s.errors.take()
	s.queue.mu.Unlock()
	if !ok {
		return -1, syscall.EAGAIN
	}
	return x.write(&s.inet, m), nil
}

// recvUrgent is recvmsg with MSG_OOB.
func (s *stream) recvUrgent(m *Msg, flags int) (int, error) {
	s.mu.Lock()
	c, listens := s.conn, s.listener != nil
	s.mu.Unlock()
	switch {
	case listens:
		return -1, syscall.ENOTCONN
	case c == nil:
		return -1, syscall.EINVAL
	}
	b, n, err := c.ReadUrgent(flags&MSG_PEEK != 0)
	if err != nil {
		return -1, errno(err)
	}
	m.Control = m.Control[:0]
	if n == 0 {
		return 0, nil
	}
	m.Flags |= MSG_OOB
	if room := after(m.Buf, 0); len(room) == 0 {
		m.Flags |= MSG_TRUNC
		return 0, nil
	} else if flags&MSG_TRUNC == 0 {
		room[0][0] = b
	}
	return 1, nil
}

// write queues what there is room for of m, behind its first done octets. mu locked.
func (s *stream) write(m *Msg, done, flags int) (int, error) {
	if flags&MSG_OOB == 0 {
		n, err := s.conn.TryWrite(m.Buf, done, flags&MSG_MORE != 0)
		if flags&MSG_EOR != 0 && err == nil && done+n == m.len() {
			s.conn.EndRecord()
		}
		return n, err
	}
	var all []byte // urgent data is one piece: the pointer tells where it ends
	for _, b := range after(m.Buf, done) {
		all = append(all, b...)
	}
	return s.conn.TryWriteUrgent(all)
}
