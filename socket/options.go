package socket

import (
	"syscall"
	"time"
)

// baseOptions are the options of level SOL_SOCKET that the calls themselves heed.
type baseOptions struct {
	rcvtimeo, sndtimeo time.Duration // 0: none
}

func (s *stream) setsockopt(level, name int, value []byte) error { return syscall.ENOPROTOOPT }

func (s *stream) getsockopt(level, name int, value []byte) (int, error) {
	if level == SOL_SOCKET && name == SO_ERROR && len(value) >= 4 {
		s.mu.Lock()
		defer s.mu.Unlock()
		e := s.takeError()
		if e == 0 {
			putInt32(value, 0)
		} else {
			putInt32(value, int32(Errno(e)))
		}
		return 4, nil
	}
	return 0, syscall.ENOPROTOOPT
}
