package socket

import (
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/tcpsock"
)

// open sends the SYN that cfg asks for, with what it may of data (RFC 7413) if fast is set, and returns how many octets
// the connection has taken of them. With TCP_FASTOPEN_CONNECT and a cookie at hand no SYN is sent before there is data:
// then the connection returned is nil. mu locked.
func (s *stream) open(cfg tcpsock.OpenConfig, fast bool, data [][]byte) (c *tcpsock.Conn, n int, err error) {
	wanted := s.config().FastOpenConnect
	switch {
	case wanted && !fast && s.t.tcp.FastOpenReady(cfg):
		s.deferred = &cfg
		return nil, 0, nil
	case wanted || fast:
		return s.t.tcp.OpenFast(cfg, data)
	}
	c, err = s.t.tcp.Open(cfg)
	return c, 0, err
}

// sendFast connects with data in the SYN: sendmsg with MSG_FASTOPEN, and the first one after a deferred connect. It
// returns how many octets of m the connection has taken; with a nil error the handshake is over, and the rest is to be
// sent as ever.
func (s *stream) sendFast(m *Msg, flags int) (int, error) {
	s.mu.Lock()
	enabled, deferred := s.t.tcp.Settings().Limits.FastOpen&tcpsock.FastOpenClient != 0, s.deferred
	s.mu.Unlock()
	n := 0
	var err error
	switch {
	case deferred != nil:
		n, err = s.resume(m)
	case !enabled:
		return 0, syscall.EOPNOTSUPP
	case m.Name == (netip.AddrPort{}):
		return 0, syscall.EINVAL
	default:
		n, err = s.startConnect(m.Name, true, m.Buf)
	}
	if err != nil && err != syscall.EINPROGRESS && err != syscall.EALREADY {
		return n, err
	}
	if flags&MSG_DONTWAIT != 0 {
		return n, err
	}
	s.awaitData(true)
	err = s.finishConnect(err)
	s.awaitData(false)
	return n, err
}

// resume sends the SYN that connect has deferred, with what it may of m.
func (s *stream) resume(m *Msg) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cfg := s.deferred
	if cfg == nil {
		return 0, syscall.EALREADY // another call was faster
	}
	s.deferred = nil
	c, n, err := s.t.tcp.OpenFast(*cfg, m.Buf)
	if err != nil {
		s.phase = unconnected
		return 0, errno(err)
	}
	s.attach(c)
	return n, syscall.EINPROGRESS
}

// waitsForData reports whether connect has deferred the SYN.
func (s *stream) waitsForData() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deferred != nil
}

// fastKeyLen is the length of a key of TCP_FASTOPEN_KEY.
const fastKeyLen = len(tcpsock.FastOpenKey{})

// setFastOpenKeys sets one key or two that the listener's cookies are made with; the second checks old ones. mu locked.
func (s *stream) setFastOpenKeys(b []byte) error {
	if len(b) != fastKeyLen && len(b) != 2*fastKeyLen {
		return syscall.EINVAL
	}
	keys := make([]tcpsock.FastOpenKey, len(b)/fastKeyLen)
	for i := range keys {
		copy(keys[i][:], b[i*fastKeyLen:])
	}
	s.fastKeys = keys
	if s.listener != nil {
		s.listener.SetFastOpenKeys(keys)
	}
	return nil
}

// getFastOpenKeys writes the keys in force. mu locked.
func (s *stream) getFastOpenKeys(b []byte) (n int) {
	keys := s.fastKeys
	if keys == nil {
		keys = s.t.tcp.FastOpenKeys()
	}
	for _, k := range keys {
		n += copy(b[n:], k[:])
	}
	return n
}
