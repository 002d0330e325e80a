package socket

import (
	"encoding/binary"
	"syscall"

	"github.com/onlink-go/onlink/internal/dgram"
)

// The options of level SOL_UDP: segmentation of what is sent, and coalescing of what comes.

// setUDP sets an option of level SOL_UDP. Errors: EINVAL, ENOPROTOOPT. mu locked.
func (s *datagram) setUDP(name int, value []byte) error {
	n, err := intValue(value)
	if err != nil {
		return err
	}
	switch name {
	case UDP_SEGMENT:
		if n < 0 || n > 65535 {
			return syscall.EINVAL
		}
		s.opt.segment = uint16(n)
	case UDP_GRO:
		s.opt.coalesce = n != 0
		if s.u != nil {
			s.u.SetCoalesce(s.opt.coalesce)
		}
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

// getUDP reads an option of level SOL_UDP. Errors: ENOPROTOOPT. mu locked.
func (s *datagram) getUDP(name int, b []byte) (int, error) {
	switch name {
	case UDP_SEGMENT:
		return put(b, int(s.opt.segment))
	case UDP_GRO:
		return putBool(b, s.opt.coalesce)
	}
	return 0, syscall.ENOPROTOOPT
}

// controlUDP takes a control message of level SOL_UDP. Errors: EINVAL.
func controlUDP(o *dgram.SendOptions, typ int, data []byte) error {
	if typ != UDP_SEGMENT || len(data) != 2 {
		return syscall.EINVAL
	}
	o.Segment = binary.LittleEndian.Uint16(data)
	return nil
}

// putSegment tells of how many octets each datagram is that was received with others.
func (w *controlWriter) putSegment(d *dgram.Datagram) {
	if d.Segment != 0 {
		w.putInt(SOL_UDP, UDP_GRO, int(d.Segment))
	}
}
