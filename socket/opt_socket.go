package socket

import (
	"encoding/binary"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/tcp"
)

// setSocket sets an option of level SOL_SOCKET that concerns the calls, not the protocol. known is false for another
// one. mu locked.
func (o *options) setSocket(name int, b []byte) (known bool, err error) {
	switch name {
	case SO_REUSEADDR:
		return true, boolValue(b, &o.reuseAddr)
	case SO_REUSEPORT:
		return true, boolValue(b, &o.reusePort)
	case SO_BROADCAST:
		return true, boolValue(b, &o.broadcast)
	case SO_OOBINLINE:
		return true, boolValue(b, &o.oobInline)
	case SO_DEBUG:
		return true, boolValue(b, &o.debug)
	case SO_MARK:
		return true, intInto(b, &o.mark)
	case SO_PRIORITY:
		return true, intInto(b, &o.priority)
	case SO_RCVTIMEO, SO_RCVTIMEO_NEW:
		return true, setTime(b, &o.rcvtimeo)
	case SO_SNDTIMEO, SO_SNDTIMEO_NEW:
		return true, setTime(b, &o.sndtimeo)
	case SO_LINGER:
		return true, o.setLinger(b)
	case SO_ZEROCOPY:
		n, err := intValue(b)
		if err == nil && (n < 0 || n > 1) {
			err = syscall.EINVAL
		}
		if err == nil {
			o.zerocopy = n == 1
		}
		return true, err
	case SO_TYPE, SO_PROTOCOL, SO_DOMAIN, SO_ERROR, SO_ACCEPTCONN, SO_SNDLOWAT, SO_COOKIE:
		if len(b) < sizeofInt {
			return true, syscall.EINVAL
		}
		return true, syscall.ENOPROTOOPT // these can only be read
	}
	return false, nil
}

func setTime(b []byte, t *timeout) error {
	// Like Linux, look for an int first.
	if _, err := intValue(b); err != nil {
		return err
	}
	v, err := timeValue(b)
	if err == nil {
		*t = v
	}
	return err
}

// setLinger takes a struct linger.
func (o *options) setLinger(b []byte) error {
	if len(b) < sizeofLinger {
		return syscall.EINVAL
	}
	if o.linger = int32At(b) != 0; o.linger {
		o.lingerTime = time.Duration(uint32(int32At(b[4:]))) * time.Second
	}
	return nil
}

// getSocket writes an option of level SOL_SOCKET. known is false for one that concerns the protocol. mu locked.
func (o *options) getSocket(name int, b []byte) (n int, known bool, err error) {
	switch name {
	case SO_REUSEADDR:
		n, err = putBool(b, o.reuseAddr)
	case SO_REUSEPORT:
		n, err = putBool(b, o.reusePort)
	case SO_BROADCAST:
		n, err = putBool(b, o.broadcast)
	case SO_OOBINLINE:
		n, err = putBool(b, o.oobInline)
	case SO_DEBUG:
		n, err = putBool(b, o.debug)
	case SO_MARK:
		n, err = put(b, o.mark)
	case SO_PRIORITY:
		n, err = put(b, o.priority)
	case SO_ZEROCOPY:
		n, err = putBool(b, o.zerocopy)
	case SO_RCVTIMEO, SO_RCVTIMEO_NEW:
		n, err = putTime(b, o.rcvtimeo)
	case SO_SNDTIMEO, SO_SNDTIMEO_NEW:
		n, err = putTime(b, o.sndtimeo)
	case SO_SNDLOWAT:
		n, err = put(b, 1)
	case SO_RCVLOWAT:
		n, err = put(b, o.rcvlowat)
	case SO_LINGER:
		var l [sizeofLinger]byte
		if o.linger {
			putInt32(l[:], 1)
		}
		putInt32(l[4:], int32(o.lingerTime/time.Second))
		n = copy(b, l[:])
	default:
		return 0, false, nil
	}
	return n, true, err
}

// bufferSize returns what SO_RCVBUF or SO_SNDBUF reads after it was set to n: Linux doubles it, for its own needs.
func bufferSize(n, limit, least int) int {
	if n < 0 || n > limit { // a negative number is a large one
		n = limit
	}
	return max(2*n, least)
}

// setSocketOption sets an option of level SOL_SOCKET. mu locked.
func (s *stream) setSocketOption(name int, b []byte) error {
	if known, err := s.opt.setSocket(name, b); known {
		if err == nil {
			s.shared(name)
		}
		return err
	}
	if name == SO_BINDTODEVICE || name == SO_BINDTOIFINDEX {
		if err := s.setDevice(name, b); err != nil {
			return err
		}
		if s.listener != nil {
			s.listener.SetInterface(s.opt.device)
		}
		return s.headerChanged(nil)
	}
	if name == SO_MAX_PACING_RATE && len(b) == 8 {
		return s.setPacing(binary.LittleEndian.Uint64(b), ^uint64(0))
	}
	n, err := intValue(b)
	if err != nil {
		return err
	}
	switch name {
	case SO_KEEPALIVE:
		s.configure(func(c *tcp.Config) { c.KeepAlive = n != 0 })
	case SO_SNDBUF:
		s.setSndbuf(bufferSize(n, s.t.tcp.Settings().WMemMax, minSndbuf))
	case SO_SNDBUFFORCE:
		s.setSndbuf(bufferSize(max(n, 0), maxForced, minSndbuf))
	case SO_RCVBUF:
		s.setRcvbuf(bufferSize(n, s.t.tcp.Settings().RMemMax, minRcvbuf))
	case SO_RCVBUFFORCE:
		s.setRcvbuf(bufferSize(max(n, 0), maxForced, minRcvbuf))
	case SO_RCVLOWAT:
		s.setRcvlowat(n)
	case SO_TIMESTAMPING, SO_TIMESTAMPING_NEW:
		return s.setTimestamping(n)
	case SO_MAX_PACING_RATE:
		return s.setPacing(uint64(uint32(n)), 1<<32-1)
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

// maxForced is what SO_RCVBUFFORCE and SO_SNDBUFFORCE can be set to.
const maxForced = 1<<30 - 1

func (s *stream) setSndbuf(reads int) {
	s.opt.sndbuf = reads
	s.configure(func(c *tcp.Config) { c.SendBuffer = reads / 2 })
}

func (s *stream) setRcvbuf(reads int) {
	s.opt.rcvbuf = reads
	s.configure(func(c *tcp.Config) { c.ReceiveBuffer = reads / 2 })
}

// setRcvlowat sets SO_RCVLOWAT: at most half the receive buffer.
func (s *stream) setRcvlowat(n int) {
	limit := s.config().RMem[2] / 2
	if s.opt.rcvbuf != 0 {
		limit = s.opt.rcvbuf / 2
	}
	if n < 0 {
		n = limit
	}
	n = max(min(n, limit), 1)
	s.opt.rcvlowat = n
	s.configure(func(c *tcp.Config) { c.ReceiveLowWater = n })
}

// setPacing sets SO_MAX_PACING_RATE in octets a second; none: no limit.
func (s *stream) setPacing(rate, none uint64) error {
	if rate == none {
		rate = 0
	}
	s.configure(func(c *tcp.Config) { c.MaxPacingRate = rate })
	return nil
}

// getSocketOption writes an option of level SOL_SOCKET. mu locked.
func (s *stream) getSocketOption(name int, b []byte) (int, error) {
	if n, known, err := s.opt.getSocket(name, b); known {
		return n, err
	}
	switch name {
	case SO_BINDTODEVICE, SO_BINDTOIFINDEX:
		return s.getDevice(name, b)
	case SO_TYPE:
		return put(b, SOCK_STREAM)
	case SO_PROTOCOL:
		return put(b, IPPROTO_TCP)
	case SO_DOMAIN:
		return put(b, s.domain)
	case SO_ACCEPTCONN:
		return putBool(b, s.listener != nil)
	case SO_COOKIE:
		return s.putCookie(b)
	case SO_ERROR:
		e := s.takeError()
		if e == 0 && s.conn != nil {
			e = s.conn.TakeSoftError()
		}
		return put(b, number(e))
	case SO_KEEPALIVE:
		return putBool(b, s.config().KeepAlive)
	case SO_SNDBUF:
		return put(b, s.sndbuf())
	case SO_RCVBUF:
		return put(b, s.rcvbuf())
	case SO_TIMESTAMPING, SO_TIMESTAMPING_NEW:
		return put(b, s.opt.timestamping)
	case SO_MAX_PACING_RATE:
		return putPacing(b, s.config().MaxPacingRate)
	}
	return 0, syscall.ENOPROTOOPT
}

// sndbuf and rcvbuf return what SO_SNDBUF and SO_RCVBUF read. mu locked.
func (s *stream) sndbuf() int {
	if s.opt.sndbuf != 0 {
		return s.opt.sndbuf
	}
	if s.conn != nil {
		send, _ := s.conn.Buffers()
		return send
	}
	return s.config().WMem[1]
}

func (s *stream) rcvbuf() int {
	if s.opt.rcvbuf != 0 {
		return s.opt.rcvbuf
	}
	if s.conn != nil {
		_, receive := s.conn.Buffers()
		return receive
	}
	return s.config().RMem[1]
}

// putPacing writes a rate in 64 bits if there is room, else in 32.
func putPacing(b []byte, rate uint64) (int, error) {
	if rate == 0 {
		rate = ^uint64(0)
	}
	if len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, rate)
		return 8, nil
	}
	return put(b, int(int32(uint32(min(rate, 1<<32-1)))))
}

// putCookie writes the number that tells the socket from all others of its stack. mu locked.
func (s *inet) putCookie(b []byte) (int, error) {
	if len(b) < 8 {
		return 0, syscall.EINVAL
	}
	binary.LittleEndian.PutUint64(b, s.cookie)
	return 8, nil
}

// number is Errno for an errno that may be 0.
func number(e syscall.Errno) int {
	if e == 0 {
		return 0
	}
	return Errno(e)
}
