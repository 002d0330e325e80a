package socket

import (
	"encoding/binary"
	"syscall"

	"github.com/onlink-go/onlink/internal/flow"
)

// sizeofExtended is the size of struct sock_extended_err.
const sizeofExtended = 16

// maxExtended is how many errors a socket's error queue holds; later ones are lost.
const maxExtended = 64

// extended is an entry of a socket's error queue: struct sock_extended_err, and what it is about.
type extended struct {
	errno      syscall.Errno
	origin     uint8
	typ, code  uint8
	info, data uint32
	offender   flow.Endpoint // who reported it; zero: nobody
	name       flow.Endpoint // where the packet was going to
	payload    []byte        // of the packet, as far as it was quoted
	stamp      []byte        // a control message of SCM_TIMESTAMPING; nil: none
	// withoutPacket is false for a time stamp that in Linux comes with its packet: here that is always cut off.
	withoutPacket bool
}

// icmp reports whether the entry tells of an ICMP error, which makes it the socket's pending error.
func (e *extended) icmp() bool {
	return e.origin == SO_EE_ORIGIN_ICMP || e.origin == SO_EE_ORIGIN_ICMP6
}

// errQueue is a socket's error queue. It is guarded by the socket's queue, since what fills it runs under the locks of
// the layers below.
type errQueue struct {
	entries []extended
}

// add appends e, or counts it with the last entry if both tell that zero-copy sends are complete.
func (q *errQueue) add(e extended) bool {
	if n := len(q.entries); n > 0 && e.origin == SO_EE_ORIGIN_ZEROCOPY {
		last := &q.entries[n-1]
		if last.origin == e.origin && last.code == e.code && last.data+1 == e.info {
			last.data = e.data
			return true
		}
	}
	if len(q.entries) >= maxExtended {
		return false
	}
	q.entries = append(q.entries, e)
	return true
}

// take returns the first entry.
func (q *errQueue) take() (extended, bool) {
	if len(q.entries) == 0 {
		return extended{}, false
	}
	e := q.entries[0]
	q.entries[0] = extended{}
	if q.entries = q.entries[1:]; len(q.entries) == 0 {
		q.entries = nil
	}
	return e, true
}

// pending returns the errno that the first entry makes pending; 0: none.
func (q *errQueue) pending() syscall.Errno {
	if len(q.entries) > 0 && q.entries[0].icmp() {
		return q.entries[0].errno
	}
	return 0
}

// write fills m with what the entry tells, as Recvmsg with MSG_ERRQUEUE does. It returns how many octets of the packet's
// payload it copied.
func (e *extended) write(s *inet, m *Msg) int {
	m.Flags = MSG_ERRQUEUE
	m.Name = s.name(e.name)
	n := 0
	for _, b := range m.Buf {
		n += copy(b, e.payload[n:])
	}
	if n < len(e.payload) || e.origin == SO_EE_ORIGIN_TIMESTAMPING && !e.withoutPacket {
		m.Flags |= MSG_TRUNC
	}
	w := controlWriter{room: m.Control}
	defer w.into(m)
	if e.stamp != nil {
		w.put(SOL_SOCKET, SCM_TIMESTAMPING, e.stamp)
	}
	var b [sizeofExtended + sizeofSockaddr6]byte
	binary.LittleEndian.PutUint32(b[:], uint32(number(e.errno)))
	b[4], b[5], b[6] = e.origin, e.typ, e.code
	binary.LittleEndian.PutUint32(b[8:], e.info)
	binary.LittleEndian.PutUint32(b[12:], e.data)
	if s.domain == AF_INET {
		if e.icmp() {
			putSockaddr4(b[sizeofExtended:], e.offender)
		}
		w.put(IPPROTO_IP, IP_RECVERR, b[:sizeofExtended+sizeofSockaddr4])
		return n
	}
	if e.icmp() {
		putSockaddr6(b[sizeofExtended:], e.offender)
	}
	w.put(IPPROTO_IPV6, IPV6_RECVERR, b[:])
	return n
}
