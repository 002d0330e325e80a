package socket

import (
	"encoding/binary"
	"syscall"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// cmsgLen is the size of struct cmsghdr: cmsg_len (64 bits), cmsg_level, cmsg_type. Its data follows, and the next one
// begins at a multiple of 8.
const cmsgLen = 16

// controlWriter writes control messages into what Recvmsg was given for them.
type controlWriter struct {
	room  []byte
	n     int
	flags int // MSG_CTRUNC
}

// into has m hold what was written.
func (w *controlWriter) into(m *Msg) {
	m.Control = m.Control[:w.n]
	m.Flags |= w.flags
}

// put writes a message, cut off where there is no room: then MSG_CTRUNC is set.
func (w *controlWriter) put(level, typ int, data []byte) {
	room := w.room[w.n:]
	if len(room) < cmsgLen {
		w.flags |= MSG_CTRUNC
		return
	}
	n := cmsgLen + len(data)
	if n > len(room) {
		w.flags |= MSG_CTRUNC
		n = len(room)
	}
	binary.LittleEndian.PutUint64(room, uint64(n))
	putInt32(room[8:], int32(level))
	putInt32(room[12:], int32(typ))
	copy(room[cmsgLen:n], data)
	end := min((n+7)&^7, len(room))
	clear(room[n:end])
	w.n += end
}

func (w *controlWriter) putInt(level, typ, v int) {
	var b [sizeofInt]byte
	putInt32(b[:], int32(v))
	w.put(level, typ, b[:])
}

// eachControl calls f for each control message in b. Errors: EINVAL for one that is not well-formed, and f's.
func eachControl(b []byte, f func(level, typ int, data []byte) error) error {
	for len(b) >= cmsgLen {
		n := binary.LittleEndian.Uint64(b)
		if n < cmsgLen || n > uint64(len(b)) {
			return syscall.EINVAL
		}
		if err := f(int(int32At(b[8:])), int(int32At(b[12:])), b[cmsgLen:n]); err != nil {
			return err
		}
		b = b[min((int(n)+7)&^7, len(b)):]
	}
	return nil
}

// Sizes of socket addresses and of what tells of interfaces.
const (
	sizeofSockaddr4 = 16
	sizeofSockaddr6 = 28
	sizeofPktinfo4  = 12
	sizeofPktinfo6  = 20
)

// putSockaddr4 writes a struct sockaddr_in.
func putSockaddr4(b []byte, e flow.Endpoint) {
	binary.LittleEndian.PutUint16(b, AF_INET)
	binary.BigEndian.PutUint16(b[2:], e.Port)
	e.Addr.Put4(b[4:])
}

// putSockaddr6 writes a struct sockaddr_in6.
func putSockaddr6(b []byte, e flow.Endpoint) {
	binary.LittleEndian.PutUint16(b, AF_INET6)
	binary.BigEndian.PutUint16(b[2:], e.Port)
	e.Addr.Put16(b[8:])
	binary.LittleEndian.PutUint32(b[24:], e.Scope)
}

// putPktinfo4 writes a struct in_pktinfo: interface, local address, destination.
func putPktinfo4(b []byte, index int32, local, dst wire.Addr) {
	putInt32(b, index)
	local.Put4(b[4:])
	dst.Put4(b[8:])
}

// putPktinfo6 writes a struct in6_pktinfo: destination, interface.
func putPktinfo6(b []byte, index int32, dst wire.Addr) {
	dst.Put16(b)
	putInt32(b[16:], index)
}

// Control messages of level SOL_SOCKET that only Unix sockets heed.
const (
	scmRights      = 1
	scmCredentials = 2
)

// socketControl takes a control message that is not of the protocol. Errors: EINVAL for one of level SOL_SOCKET that the
// stack does not have; other levels are no concern of ours.
func socketControl(level, typ int) error {
	if level == SOL_SOCKET && typ != scmRights && typ != scmCredentials {
		return syscall.EINVAL
	}
	return nil
}
