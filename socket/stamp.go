package socket

import (
	"encoding/binary"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/internal/tcp"
)

// Flags of SO_TIMESTAMPING, as Linux numbers them.
const (
	SOF_TIMESTAMPING_TX_SOFTWARE = 1 << 1  // tell when a write was given to the link
	SOF_TIMESTAMPING_RX_SOFTWARE = 1 << 3  // tell when what is read came
	SOF_TIMESTAMPING_SOFTWARE    = 1 << 4  // say the time
	SOF_TIMESTAMPING_OPT_ID      = 1 << 7  // say which octet of the stream it is about
	SOF_TIMESTAMPING_TX_SCHED    = 1 << 8  // tell when a write was queued for the link
	SOF_TIMESTAMPING_TX_ACK      = 1 << 9  // tell when a write was acknowledged
	SOF_TIMESTAMPING_OPT_TSONLY  = 1 << 11 // without the packet
	SOF_TIMESTAMPING_OPT_STATS   = 1 << 12 // with statistics
	SOF_TIMESTAMPING_OPT_ID_TCP  = 1 << 16 // count octets from the next one written
	sofMask                      = 1<<18 - 1

	// What a time is of: ee_info.
	SCM_TSTAMP_SND   = 0
	SCM_TSTAMP_SCHED = 1
	SCM_TSTAMP_ACK   = 2

	sofTransmit = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_ACK
)

// setTimestamping is SO_TIMESTAMPING of a TCP socket. Statistics are not to be had. mu locked.
func (s *stream) setTimestamping(flags int) error {
	id, fromNext := flags&SOF_TIMESTAMPING_OPT_ID != 0, flags&SOF_TIMESTAMPING_OPT_ID_TCP != 0
	switch {
	case flags&^sofMask != 0, fromNext && !id:
		return syscall.EINVAL
	case flags&SOF_TIMESTAMPING_OPT_STATS != 0:
		return syscall.ENOPROTOOPT
	}
	if id && s.opt.timestamping&SOF_TIMESTAMPING_OPT_ID == 0 {
		if state := s.state(); s.conn == nil || state == tcp.Closed || state == tcp.Listen {
			return syscall.EINVAL
		}
		acknowledged, written := s.conn.Acknowledged()
		if s.stampBase = acknowledged; fromNext {
			s.stampBase = written
		}
	}
	s.opt.timestamping = flags
	return nil
}

// stampSent has the error queue tell what becomes of what was just written. mu not locked.
func (s *stream) stampSent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	flags, c := s.opt.timestamping, s.conn
	if flags&sofTransmit == 0 || c == nil {
		return
	}
	var id uint32
	if flags&SOF_TIMESTAMPING_OPT_ID != 0 {
		_, written := c.Acknowledged()
		id = uint32(written.Sub(s.stampBase)) - 1
	}
	c.Stamp(func(acked bool) {
		if acked {
			s.stamped(flags, SOF_TIMESTAMPING_TX_ACK, SCM_TSTAMP_ACK, id)
			return
		}
		s.stamped(flags, SOF_TIMESTAMPING_TX_SCHED, SCM_TSTAMP_SCHED, id)
		s.stamped(flags, SOF_TIMESTAMPING_TX_SOFTWARE, SCM_TSTAMP_SND, id)
	})
}

// stamped adds a time stamp of now to the error queue, if flags ask for it by want.
func (s *stream) stamped(flags, want int, what, id uint32) {
	if flags&want == 0 {
		return
	}
	x := extended{errno: syscall.ENOMSG, origin: SO_EE_ORIGIN_TIMESTAMPING, info: what, data: id,
		withoutPacket: flags&SOF_TIMESTAMPING_OPT_TSONLY != 0}
	if flags&SOF_TIMESTAMPING_SOFTWARE != 0 {
		x.stamp = scmTimestamping(s.rt.Wall())
	}
	s.queue.mu.Lock()
	s.errors.add(x)
	s.queue.mu.Unlock()
	s.Notify(ready.Err)
}

// scmTimestamping lays out struct scm_timestamping: three times, of which the software's is the first.
func scmTimestamping(t time.Time) []byte {
	b := make([]byte, 3*16)
	binary.LittleEndian.PutUint64(b, uint64(t.Unix()))
	binary.LittleEndian.PutUint64(b[8:], uint64(t.Nanosecond()))
	return b
}

// putArrival tells when what was read came: the last of it, if more has come since, as TCP has no packets. mu locked.
func (s *stream) putArrival(w *controlWriter) {
	const both = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE
	if s.opt.timestamping&both == both {
		at := s.rt.Wall().Add(-s.rt.Now().Sub(s.conn.Arrived()))
		w.put(SOL_SOCKET, SCM_TIMESTAMPING, scmTimestamping(at))
	}
}
