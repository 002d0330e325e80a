package socket

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// stampKind is in what Recvmsg tells when a datagram came.
type stampKind uint8

const (
	noStamp    stampKind = iota
	microStamp           // SO_TIMESTAMP
	nanoStamp            // SO_TIMESTAMPNS
)

func (s *datagram) recvmsg(m *Msg, flags int) (int, error) {
	m.Flags = 0
	if flags&MSG_OOB != 0 && !s.isUDP() {
		return -1, syscall.EOPNOTSUPP
	}
	if flags&MSG_ERRQUEUE != 0 {
		return s.recvError(m)
	}
	s.mu.Lock()
	end := patience(s.rt, !s.nonblock && flags&MSG_DONTWAIT == 0, s.opt.rcvtimeo)
	s.mu.Unlock()
	for {
		turn := s.now()
		if e := s.takeError(); e != 0 {
			return -1, e
		}
		s.mu.Lock()
		u, shut := s.u, s.shut
		s.mu.Unlock()
		if u != nil {
			var d dgram.Datagram
			n, err := u.TryReceive(m.Buf, flags&MSG_PEEK != 0, &d)
			if err == nil {
				return s.received(m, flags, n, &d), nil
			}
			if err != syscall.EAGAIN {
				return -1, errno(err)
			}
		}
		if shut&shutRead != 0 && end != 0 {
			m.Control = m.Control[:0]
			return 0, nil
		}
		if !s.wait(turn, end) {
			return -1, syscall.EAGAIN
		}
	}
}

// received fills m with what is to say of a datagram of which n octets were copied.
func (s *datagram) received(m *Msg, flags, n int, d *dgram.Datagram) int {
	m.Name = s.name(d.From)
	if n < d.Len {
		m.Flags |= MSG_TRUNC
		if flags&MSG_TRUNC != 0 {
			n = d.Len
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := controlWriter{room: m.Control}
	s.putStamp(&w, d)
	w.putSegment(d)
	s.putControl(&w, d)
	w.into(m)
	return n
}

// putStamp tells when the datagram came. mu locked.
func (s *datagram) putStamp(w *controlWriter, d *dgram.Datagram) {
	if s.timestamp == noStamp {
		return
	}
	at := s.rt.Wall().Add(-s.rt.Now().Sub(d.Arrived))
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], uint64(at.Unix()))
	if s.timestamp == nanoStamp {
		binary.LittleEndian.PutUint64(b[8:], uint64(at.Nanosecond()))
		w.put(SOL_SOCKET, SO_TIMESTAMPNS, b[:])
		return
	}
	binary.LittleEndian.PutUint64(b[8:], uint64(time.Duration(at.Nanosecond())/time.Microsecond))
	w.put(SOL_SOCKET, SO_TIMESTAMP, b[:])
}

// putControl writes the control messages that the options ask for. mu locked.
func (s *datagram) putControl(w *controlWriter, d *dgram.Datagram) {
	o := &s.opt
	four := d.To.Addr.Is4()
	if s.domain == AF_INET6 {
		if o.pktInfo6 {
			w.putPktinfo6(d)
		}
		if o.recvHops && !four {
			w.putInt(IPPROTO_IPV6, IPV6_HOPLIMIT, int(d.HopLimit))
		}
		if o.recvTClass && !four {
			w.putInt(IPPROTO_IPV6, IPV6_TCLASS, int(d.TrafficClass))
		}
		if o.recvFlow && !four {
			w.putFlowinfo(d)
		}
	}
	if !four {
		return
	}
	if o.pktInfo {
		w.putPktinfo4(d)
	}
	if o.recvTTL {
		w.putInt(IPPROTO_IP, IP_TTL, int(d.HopLimit))
	}
	if o.recvTOS {
		w.put(IPPROTO_IP, IP_TOS, []byte{d.TrafficClass})
	}
}

// recvError is recvmsg with MSG_ERRQUEUE, which never waits.
func (s *datagram) recvError(m *Msg) (int, error) {
	s.queue.mu.Lock()
	x, ok := s.errors.take()
	if ok && x.icmp() || s.errors.pending() != 0 {
		s.err = s.errors.pending()
	}
	s.queue.mu.Unlock()
	if !ok {
		return -1, syscall.EAGAIN
	}
	return x.write(&s.inet, m), nil
}

func (s *datagram) sendmsg(m *Msg, flags int) (int, error) {
	if flags&MSG_OOB != 0 {
		return -1, syscall.EOPNOTSUPP
	}
	n := m.len()
	if n > 65535 {
		return -1, syscall.EMSGSIZE
	}
	if flags&MSG_MORE != 0 {
		return -1, syscall.EOPNOTSUPP // there is no cork
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	to, err := s.recipient(m)
	if err != nil {
		return -1, err
	}
	var o dgram.SendOptions
	s.sendOptions(to.Addr, &o)
	o.HeaderIncluded = s.raw != nil && s.raw.HeaderIncluded()
	if len(m.Control) > 0 {
		if err := eachControl(m.Control, func(level, typ int, data []byte) error { return s.control(&o, to.Addr, level, typ, data) }); err != nil {
			return -1, err
		}
	}
	if e := s.takeError(); e != 0 {
		return -1, e
	}
	if s.shut&shutWrite != 0 && s.raw == nil { // a raw socket sends on, as with Linux
		return -1, syscall.EPIPE
	}
	if err := s.u.TrySend(m.Buf, to, &o); err != nil {
		return -1, errno(err)
	}
	return n, nil
}

// recipient returns where a datagram goes, and gives the socket a port if it has none. mu locked.
func (s *datagram) recipient(m *Msg) (flow.Endpoint, error) {
	if m.Name == (netip.AddrPort{}) {
		if s.u == nil || !s.u.Connected() {
			return flow.Endpoint{}, syscall.EDESTADDRREQ
		}
		return s.u.Remote(), nil
	}
	to, err := s.target(m.Name)
	switch {
	case err != nil:
		return to, err
	case !s.mayPort(to.Port):
		return to, syscall.EINVAL
	}
	if err := s.autobind(); err != nil {
		return to, err
	}
	return s.destination(to), nil
}

// sendOptions fills in what the socket's options say. mu locked.
func (s *datagram) sendOptions(dst wire.Addr, o *dgram.SendOptions) {
	o.HopLimit, o.TrafficClass, _ = s.opt.header(dst)
	o.Broadcast, o.Mark, o.SourcePrefs = s.opt.broadcast, uint32(s.opt.mark), s.opt.sources.preferences()
	if dst.IsMulticast() {
		o.HopLimit = 0 // IP_MULTICAST_TTL
	}
	discover := s.opt.pmtudisc
	if !dst.Is4() {
		discover = s.opt.pmtudisc6
	}
	o.Discover = discovers[discover]
	o.Segment = s.opt.segment
	if !dst.Is4() {
		o.FlowLabel = s.label.choice()
		s.sticky(dst, o)
	}
	if !dst.Is4() && s.opt.dontFrag6 && (o.Discover == dgram.Want || o.Discover == dgram.Dont) {
		// RFC 3542, 11.2: "turn off the automatic inserting of a fragment header for UDP".
		o.Discover = dgram.Do
	}
}

// discovers are the values of IP_MTU_DISCOVER.
var discovers = [...]dgram.Discover{IP_PMTUDISC_DONT: dgram.Dont, IP_PMTUDISC_WANT: dgram.Want, IP_PMTUDISC_DO: dgram.Do,
	IP_PMTUDISC_PROBE: dgram.Probe, IP_PMTUDISC_INTERFACE: dgram.Interface, IP_PMTUDISC_OMIT: dgram.Omit}

// control takes one control message of Sendmsg. Errors: EINVAL.
func (s *datagram) control(o *dgram.SendOptions, dst wire.Addr, level, typ int, data []byte) error {
	switch {
	case level == IPPROTO_IP && dst.Is4():
		return control4(o, typ, data)
	case level == IPPROTO_IPV6 && s.domain == AF_INET6:
		return control6(o, typ, data)
	case level == SOL_UDP && s.isUDP():
		return controlUDP(o, typ, data)
	}
	return socketControl(level, typ)
}
