package socket

import (
	"encoding/binary"
	"syscall"

	"golang.org/x/net/bpf"

	"github.com/onlink-go/onlink/internal/framesock"
)

// Options of level SOL_PACKET.
const (
	SOL_PACKET = 263

	PACKET_ADD_MEMBERSHIP  = 1
	PACKET_DROP_MEMBERSHIP = 2
	PACKET_STATISTICS      = 6
	PACKET_IGNORE_OUTGOING = 23
)

// sizeofSockFilter is the size of struct sock_filter: code, jt, jf, k.
const sizeofSockFilter = 8

func (s *packetSocket) setsockopt(level, name int, b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch level {
	case SOL_PACKET:
		return s.setPacket(name, b)
	case SOL_SOCKET:
		return s.setSocket(name, b)
	}
	return syscall.ENOPROTOOPT
}

// setPacket sets an option of SOL_PACKET. mu locked.
func (s *packetSocket) setPacket(name int, b []byte) error {
	switch name {
	case PACKET_ADD_MEMBERSHIP, PACKET_DROP_MEMBERSHIP: // struct packet_mreq. Links deliver all they get: there is nothing to do
		if len(b) < 16 {
			return syscall.EINVAL
		}
		if s.t.ip.Snapshot().Interface(int32At(b)) == nil {
			return syscall.ENODEV
		}
		return nil
	case PACKET_IGNORE_OUTGOING:
		n, err := intValue(b)
		if err != nil || n < 0 || n > 1 {
			return syscall.EINVAL
		}
		s.outgoing = n == 0
		return s.open(s.proto, s.index)
	}
	return syscall.ENOPROTOOPT
}

// setSocket sets an option of SOL_SOCKET. mu locked.
func (s *packetSocket) setSocket(name int, b []byte) error {
	if known, err := s.opt.setSocket(name, b); known {
		return err
	}
	switch name {
	case SO_ATTACH_FILTER:
		return s.attach(b)
	case SO_DETACH_FILTER:
		if s.filter == nil {
			return syscall.ENOENT
		}
		s.filter = nil
		s.f.SetFilters(framesock.Filters{})
		return nil
	case SO_RCVBUF, SO_SNDBUF:
		n, err := intValue(b)
		if err != nil {
			return err
		}
		if name == SO_SNDBUF { // kept: nothing waits in the socket to be sent
			s.opt.sndbuf = bufferSize(n, s.t.tcp.Settings().WMemMax, minSndbuf)
			return nil
		}
		s.opt.rcvbuf = bufferSize(n, s.t.tcp.Settings().RMemMax, minRcvbuf)
		s.f.SetReceiveBuffer(s.opt.rcvbuf)
		return nil
	}
	return syscall.ENOPROTOOPT
}

// attach sets the filter. The value is the array of struct sock_filter itself, not a struct sock_fprog that points at it. mu
// locked.
func (s *packetSocket) attach(b []byte) error {
	if len(b) == 0 || len(b)%sizeofSockFilter != 0 {
		return syscall.EINVAL
	}
	var program []bpf.RawInstruction
	for ; len(b) > 0; b = b[sizeofSockFilter:] {
		program = append(program, bpf.RawInstruction{Op: binary.LittleEndian.Uint16(b), Jt: b[2], Jf: b[3], K: binary.LittleEndian.Uint32(b[4:])})
	}
	f, err := framesock.NewFilter(program)
	if err != nil {
		return errno(err)
	}
	s.filter = f
	s.f.SetFilters(framesock.Same(f))
	return nil
}

func (s *packetSocket) getsockopt(level, name int, b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if level == SOL_PACKET {
		return s.getPacket(name, b)
	}
	if level != SOL_SOCKET {
		return 0, syscall.ENOPROTOOPT
	}
	if n, known, err := s.opt.getSocket(name, b); known {
		return n, err
	}
	switch name {
	case SO_TYPE:
		return put(b, s.typ)
	case SO_DOMAIN:
		return put(b, AF_PACKET)
	case SO_PROTOCOL, SO_ERROR, SO_ACCEPTCONN: // of packet sockets Linux does not tell the protocol here
		return put(b, 0)
	case SO_RCVBUF:
		return put(b, s.opt.rcvbuf)
	case SO_SNDBUF:
		return put(b, s.opt.sndbuf)
	}
	return 0, syscall.ENOPROTOOPT
}

// getPacket writes an option of SOL_PACKET. mu locked.
func (s *packetSocket) getPacket(name int, b []byte) (int, error) {
	switch name {
	case PACKET_IGNORE_OUTGOING:
		return putBool(b, !s.outgoing)
	case PACKET_STATISTICS: // struct tpacket_stats: what was counted since it was last read
		now := s.f.Stats()
		var v [8]byte
		binary.LittleEndian.PutUint32(v[:], uint32(now.Received-s.told.Received))
		binary.LittleEndian.PutUint32(v[4:], uint32(now.Dropped-s.told.Dropped))
		s.told = now
		return copy(b, v[:]), nil
	}
	return 0, syscall.ENOPROTOOPT
}

// ioctl implements sock.
func (s *packetSocket) ioctl(req uint, arg []byte) error {
	if req != SIOCINQ {
		return syscall.ENOTTY
	}
	s.mu.Lock()
	f := s.f
	s.mu.Unlock()
	n := 0
	if p, _, err := f.Try(true); err == nil {
		n = p.Len()
		p.Free()
	}
	putInt32(arg, int32(n))
	return nil
}
