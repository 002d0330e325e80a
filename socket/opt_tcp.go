package socket

import (
	"bytes"
	"slices"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/tcp"
)

// Bounds of TCP's options, as Linux has them.
const (
	maxKeepIdle  = 32767 // seconds; of TCP_KEEPINTVL too
	maxKeepCount = 127
	maxSYNCount  = 127
	minMaxSeg    = 88
	maxMaxSeg    = 32767
	maxLinger2   = 120 // seconds
	maxNameLen   = 16  // of a congestion control, with its 0
	minRTOMax    = 1000
	maxRTOMax    = 120000 // milliseconds
)

// secondsIn returns n, in seconds, as a time, if it is from 1 to limit.
func secondsIn(n, limit int) (time.Duration, error) {
	if n < 1 || n > limit {
		return 0, syscall.EINVAL
	}
	return time.Duration(n) * time.Second, nil
}

// within returns EINVAL if n is not from low to high.
func within(n, low, high int) error {
	if n < low || n > high {
		return syscall.EINVAL
	}
	return nil
}

// setTCP sets an option of level IPPROTO_TCP. mu locked.
func (s *stream) setTCP(name int, b []byte) error {
	switch name {
	case TCP_CONGESTION:
		return s.setCongestion(b)
	case TCP_FASTOPEN_KEY:
		return s.setFastOpenKeys(b)
	case TCP_MD5SIG, TCP_MD5SIG_EXT:
		return s.setMD5Sig(b, name == TCP_MD5SIG_EXT)
	}
	n, err := intValue(b)
	if err != nil {
		return err
	}
	switch name {
	case TCP_NODELAY:
		s.configure(func(c *tcp.Config) { c.NoDelay = n != 0 })
	case TCP_CORK:
		s.configure(func(c *tcp.Config) { c.Cork = n != 0 })
	case TCP_QUICKACK:
		if s.conn != nil {
			s.conn.SetQuickACK(n) // fails only if the stack is closing
		}
	case TCP_MAXSEG:
		if n != 0 {
			err = within(n, minMaxSeg, maxMaxSeg)
		}
		s.configureUnless(err, func(c *tcp.Config) { c.MaxSeg = n })
	case TCP_WINDOW_CLAMP:
		return s.setWindowClamp(n)
	case TCP_NOTSENT_LOWAT:
		s.notSent = uint32(n)
		s.configure(func(c *tcp.Config) { c.NotSentLowWater = notSentLowWater(uint32(n), s.layerConfig()) })
		s.wakeWriters()
	case TCP_DEFER_ACCEPT:
		s.deferAccept = toRetransmits(n)
		d := time.Duration(toSeconds(s.deferAccept)) * time.Second
		s.configure(func(c *tcp.Config) { c.DeferAccept = d })
	case TCP_INQ:
		if err = within(n, 0, 1); err == nil {
			s.inq = n == 1
		}
	case TCP_SAVE_SYN:
		err = within(n, 0, 1) // 2 is with the link's header, which is not kept
		s.configureUnless(err, func(c *tcp.Config) { c.SaveSYN = n })
	case TCP_THIN_LINEAR_TIMEOUTS:
		err = within(n, 0, 1)
		s.configureUnless(err, func(c *tcp.Config) { c.ThinLinear = n == 1 })
	case TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_NO_COOKIE:
		return s.setFastOpen(name, n)
	default:
		return s.setTimer(name, n)
	}
	return err
}

// setTimer sets an option that is a time, or how often something is tried. mu locked.
func (s *stream) setTimer(name, n int) error {
	var d time.Duration
	var err error
	switch name {
	case TCP_KEEPIDLE:
		d, err = secondsIn(n, maxKeepIdle)
		s.configureUnless(err, func(c *tcp.Config) { c.KeepAliveIdle = d })
	case TCP_KEEPINTVL:
		d, err = secondsIn(n, maxKeepIdle)
		s.configureUnless(err, func(c *tcp.Config) { c.KeepAliveInterval = d })
	case TCP_KEEPCNT:
		err = within(n, 1, maxKeepCount)
		s.configureUnless(err, func(c *tcp.Config) { c.KeepAliveCount = n })
	case TCP_SYNCNT:
		err = within(n, 1, maxSYNCount)
		s.configureUnless(err, func(c *tcp.Config) { c.SYNRetries = n })
	case TCP_USER_TIMEOUT:
		err = within(n, 0, 1<<31-1)
		s.configureUnless(err, func(c *tcp.Config) { c.UserTimeout = time.Duration(n) * time.Millisecond })
	case TCP_LINGER2:
		s.setLinger2(n)
	case TCP_RTO_MAX_MS:
		err = within(n, minRTOMax, maxRTOMax)
		s.configureUnless(err, func(c *tcp.Config) { c.MaxRTO = time.Duration(n) * time.Millisecond })
	case TCP_RTO_MIN_US:
		err = within(n, 1, 200000)
		s.configureUnless(err, func(c *tcp.Config) { c.MinRTO = time.Duration(n) * time.Microsecond })
	case TCP_DELACK_MAX_US:
		err = within(n, 1, 200000)
		s.configureUnless(err, func(c *tcp.Config) { c.DelayedACK = time.Duration(n) * time.Microsecond })
	default:
		return syscall.ENOPROTOOPT
	}
	return err
}

// setLinger2 sets how long FIN-WAIT-2 lasts without a user: negative: not at all, 0: the default. mu locked.
func (s *stream) setLinger2(n int) {
	s.linger2 = int32(max(min(n, maxLinger2), -1))
	d := time.Duration(s.linger2) * time.Second
	switch s.linger2 {
	case 0:
		d = s.layerConfig().FinWait2
	case -1:
		d = -1
	}
	s.configure(func(c *tcp.Config) { c.FinWait2 = d })
}

// setWindowClamp bounds the window offered. It can be lifted only before there is a connection. mu locked.
func (s *stream) setWindowClamp(n int) error {
	if n == 0 && s.state() != tcp.Closed {
		return syscall.EINVAL
	}
	if n != 0 {
		n = max(n, minRcvbuf/2)
	}
	s.configure(func(c *tcp.Config) { c.WindowClamp = n })
	return nil
}

// setFastOpen sets one of RFC 7413's options. mu locked.
func (s *stream) setFastOpen(name, n int) error {
	state := s.state()
	idle := state == tcp.Closed || state == tcp.Listen
	switch {
	case name == TCP_FASTOPEN && (n < 0 || !idle):
		return syscall.EINVAL
	case name != TCP_FASTOPEN && (n < 0 || n > 1):
		return syscall.EINVAL
	case name == TCP_FASTOPEN:
		s.configure(func(c *tcp.Config) { c.FastOpenQueue = n })
	case name == TCP_FASTOPEN_NO_COOKIE && !idle:
		return syscall.EINVAL
	case name == TCP_FASTOPEN_NO_COOKIE:
		s.configure(func(c *tcp.Config) { c.FastOpenNoCookie = n == 1 })
	case s.t.tcp.Settings().Limits.FastOpen&1 == 0:
		return syscall.EOPNOTSUPP
	case state != tcp.Closed:
		return syscall.EINVAL
	default:
		s.configure(func(c *tcp.Config) { c.FastOpenConnect = n == 1 })
	}
	return nil
}

// setCongestion chooses a congestion control by its name. Errors: EINVAL, ENOENT for one that is not there. mu locked.
func (s *stream) setCongestion(b []byte) error {
	if len(b) < 1 {
		return syscall.EINVAL
	}
	b = b[:min(len(b), maxNameLen-1)]
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	name := string(b)
	if !slices.Contains(s.layerConfig().Controls(), name) {
		return syscall.ENOENT
	}
	s.configure(func(c *tcp.Config) { c.CongestionControl = name })
	if s.congestion(s.config()) != name {
		return syscall.ENOPROTOOPT // the connection cannot change it any more
	}
	return nil
}

// getTCP writes an option of level IPPROTO_TCP. mu locked.
func (s *stream) getTCP(name int, b []byte) (int, error) {
	c := s.config()
	switch name {
	case TCP_NODELAY:
		return putBool(b, c.NoDelay)
	case TCP_CORK:
		return putBool(b, c.Cork)
	case TCP_QUICKACK:
		return putBool(b, s.conn == nil || s.conn.QuickACK())
	case TCP_MAXSEG:
		return put(b, s.maxSeg(c))
	case TCP_WINDOW_CLAMP:
		return put(b, c.WindowClamp)
	case TCP_NOTSENT_LOWAT:
		return put(b, int(int32(s.notSent)))
	case TCP_DEFER_ACCEPT:
		return put(b, toSeconds(s.deferAccept))
	case TCP_INQ:
		return putBool(b, s.inq)
	case TCP_SAVE_SYN:
		return put(b, c.SaveSYN)
	case TCP_SAVED_SYN:
		return s.savedSYN(b)
	case TCP_THIN_LINEAR_TIMEOUTS:
		return putBool(b, c.ThinLinear)
	case TCP_FASTOPEN:
		return put(b, c.FastOpenQueue)
	case TCP_FASTOPEN_CONNECT:
		return putBool(b, c.FastOpenConnect)
	case TCP_FASTOPEN_NO_COOKIE:
		return putBool(b, c.FastOpenNoCookie)
	case TCP_FASTOPEN_KEY:
		return s.getFastOpenKeys(b), nil
	case TCP_CONGESTION:
		var name [maxNameLen]byte
		copy(name[:], s.congestion(c))
		return copy(b, name[:]), nil
	case TCP_INFO:
		var info [sizeofInfo]byte
		s.putInfo(&info)
		return copy(b, info[:]), nil
	}
	return s.getTimer(name, c, b)
}

// getTimer writes an option that is a time, or how often something is tried. mu locked.
func (s *stream) getTimer(name int, c *tcp.Config, b []byte) (int, error) {
	switch name {
	case TCP_KEEPIDLE:
		return put(b, int(c.KeepAliveIdle/time.Second))
	case TCP_KEEPINTVL:
		return put(b, int(c.KeepAliveInterval/time.Second))
	case TCP_KEEPCNT:
		return put(b, c.KeepAliveCount)
	case TCP_SYNCNT:
		return put(b, c.SYNRetries)
	case TCP_USER_TIMEOUT:
		return put(b, int(c.UserTimeout/time.Millisecond))
	case TCP_LINGER2:
		if s.linger2 < 0 {
			return put(b, -1)
		}
		return put(b, int(c.FinWait2/time.Second))
	case TCP_RTO_MAX_MS:
		return put(b, int(c.MaxRTO/time.Millisecond))
	case TCP_RTO_MIN_US:
		return put(b, int(c.MinRTO/time.Microsecond))
	case TCP_DELACK_MAX_US:
		return put(b, int(c.DelayedACK/time.Microsecond))
	}
	return 0, syscall.ENOPROTOOPT
}

// maxSeg returns what TCP_MAXSEG reads: the largest payload of a segment at present; without a connection what was set,
// or RFC 9293's default of 536.
func (s *stream) maxSeg(c *tcp.Config) int {
	switch {
	case s.conn != nil && s.state() != tcp.Closed:
		return s.conn.Info().MSS
	case c.MaxSeg != 0:
		return c.MaxSeg
	}
	return 536
}

// congestion returns the name of the congestion control.
func (s *stream) congestion(c *tcp.Config) string {
	if s.conn != nil {
		if name := s.conn.Info().Control; name != "" {
			return name
		}
	}
	return c.Control()
}

// notSentLowWater returns what TCP_NOTSENT_LOWAT means: 0 is the layer's setting.
func notSentLowWater(n uint32, layer *tcp.Config) int {
	if n == 0 {
		return layer.NotSentLowWater
	}
	return int(n)
}

// toRetransmits and toSeconds convert the seconds of TCP_DEFER_ACCEPT into how often a SYN,ACK is sent within them, and
// back, as Linux counts: a time-out of one second doubles up to two minutes.
func toRetransmits(seconds int) int {
	n := 0
	for period, timeout := 0, 1; n < 255 && (n == 0 && seconds > 0 || n > 0 && seconds > period); n++ {
		period += timeout
		timeout = min(2*timeout, 120)
	}
	return n
}

func toSeconds(retransmits int) int {
	period := 0
	for timeout := 1; retransmits > 0; retransmits-- {
		period += timeout
		timeout = min(2*timeout, 120)
	}
	return period
}
