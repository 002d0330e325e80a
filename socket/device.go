package socket

import (
	"bytes"
	"syscall"
)

// sizeofName is Linux's IFNAMSIZ: the longest name of an interface, and its NUL.
const sizeofName = 16

// setDevice sets SO_BINDTODEVICE or SO_BINDTOIFINDEX: the interface that the socket hears by and sends by alone. As with Linux an
// empty name, or index 0, takes that back, and an index need not be there. mu locked.
func (s *inet) setDevice(name int, b []byte) error {
	if name == SO_BINDTOIFINDEX {
		n, err := intValue(b)
		if err == nil && n < 0 {
			err = syscall.EINVAL
		}
		if err == nil {
			s.opt.device = int32(n)
		}
		return err
	}
	b = b[:min(len(b), sizeofName-1)]
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	if len(b) == 0 {
		s.opt.device = 0
		return nil
	}
	for _, i := range s.t.ip.Snapshot().Interfaces {
		if i.Name == string(b) {
			s.opt.device = i.Index
			return nil
		}
	}
	return syscall.ENODEV
}

// getDevice reads it. mu locked.
func (s *inet) getDevice(name int, b []byte) (int, error) {
	if name == SO_BINDTOIFINDEX {
		return put(b, int(s.opt.device))
	}
	if s.opt.device == 0 {
		return 0, nil
	}
	if len(b) < sizeofName {
		return 0, syscall.EINVAL
	}
	i := s.t.ip.Snapshot().Interface(s.opt.device)
	if i == nil {
		return 0, syscall.ENODEV // it is gone
	}
	return copy(b, append([]byte(i.Name), 0)), nil
}
