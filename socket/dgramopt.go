package socket

import "syscall"

func (s *datagram) setsockopt(level, name int, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.shareOptions()
	switch {
	case level == SOL_SOCKET:
		return s.setSocketOption(name, value)
	case s.isGroupOption(level, name):
		return s.setGroups(level, name, value)
	case s.isRawOption(level, name):
		return s.setRaw(level, name, value)
	case level == SOL_UDP && s.isUDP():
		return s.setUDP(name, value)
	case level == IPPROTO_IP:
		err := s.setIP(name, value)
		if name == IP_RECVERR && err == nil && !s.opt.recvErr {
			s.forgetErrors()
		}
		return err
	case level == IPPROTO_IPV6 && s.domain == AF_INET6 && name == IPV6_AUTOFLOWLABEL:
		return s.label.set(value)
	case level == IPPROTO_IPV6 && s.domain == AF_INET6:
		err := s.setIPv6(name, value)
		if name == IPV6_RECVERR && err == nil && !s.opt.recvErr6 {
			s.forgetErrors()
		}
		return err
	}
	return syscall.ENOPROTOOPT
}

// forgetErrors empties the error queue: who asks for no errors is not told of old ones either. What is pending remains so.
func (s *datagram) forgetErrors() {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	s.errors.entries = nil
}

// shareOptions gives Error the options it heeds. mu locked.
func (s *datagram) shareOptions() {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	s.wantErrors = [2]bool{s.opt.recvErr, s.opt.recvErr6}
	s.want4884 = [2]bool{s.opt.recvErr4884, s.opt.recvErr48846}
	s.pmtudisc, s.pmtudisc6 = s.opt.pmtudisc, s.opt.pmtudisc6
}

func (s *datagram) setSocketOption(name int, b []byte) error {
	if known, err := s.opt.setSocket(name, b); known {
		if s.u != nil {
			s.u.SetMark(uint32(s.opt.mark))
		}
		return err
	}
	if name == SO_BINDTODEVICE || name == SO_BINDTOIFINDEX {
		err := s.setDevice(name, b)
		if err == nil && s.u != nil {
			s.u.SetInterface(s.opt.device)
		}
		return err
	}
	n, err := intValue(b)
	if err != nil {
		return err
	}
	switch name {
	case SO_RCVBUF:
		s.setRcvbuf(bufferSize(n, s.t.tcp.Settings().RMemMax, minRcvbuf))
	case SO_RCVBUFFORCE:
		s.setRcvbuf(bufferSize(max(n, 0), maxForced, minRcvbuf))
	case SO_SNDBUF:
		s.opt.sndbuf = bufferSize(n, s.t.tcp.Settings().WMemMax, minSndbuf)
	case SO_SNDBUFFORCE:
		s.opt.sndbuf = bufferSize(max(n, 0), maxForced, minSndbuf)
	case SO_RCVLOWAT:
		if n < 0 {
			n = 1<<31 - 1
		}
		s.opt.rcvlowat = max(n, 1)
	case SO_TIMESTAMP, SO_TIMESTAMP_NEW:
		s.setStamp(microStamp, n != 0)
	case SO_TIMESTAMPNS, SO_TIMESTAMPNS_NEW:
		s.setStamp(nanoStamp, n != 0)
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

func (s *datagram) setRcvbuf(reads int) {
	s.opt.rcvbuf = reads
	if s.u != nil {
		s.u.SetReceiveBuffer(reads)
	}
}

// setStamp chooses a kind of time stamp, in place of another, or none.
func (s *datagram) setStamp(k stampKind, on bool) {
	s.timestamp = noStamp
	if on {
		s.timestamp = k
	}
}

// rcvbuf returns what SO_RCVBUF reads: octets of memory that datagrams may take. mu locked.
func (s *datagram) rcvbuf() int {
	if s.opt.rcvbuf != 0 {
		return s.opt.rcvbuf
	}
	return s.t.tcp.Settings().RMemDefault
}

func (s *datagram) sndbuf() int {
	if s.opt.sndbuf != 0 {
		return s.opt.sndbuf
	}
	return s.t.tcp.Settings().WMemDefault
}

func (s *datagram) getsockopt(level, name int, value []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case level == SOL_SOCKET:
		return s.getSocketOption(name, value)
	case s.isGroupOption(level, name):
		return s.getGroups(level, name, value)
	case s.isRawOption(level, name):
		return s.getRaw(level, name, value)
	case level == SOL_UDP && s.isUDP():
		return s.getUDP(name, value)
	case level == IPPROTO_IP:
		return s.getIP(name, value, s.pathMTU())
	case level == IPPROTO_IPV6 && s.domain == AF_INET6 && name == IPV6_AUTOFLOWLABEL:
		return s.label.get(value, s.t.ip.Settings())
	case level == IPPROTO_IPV6 && s.domain == AF_INET6:
		return s.getIPv6(name, value, s.pathMTU())
	}
	return 0, s.unknownLevel()
}

// pathMTU returns the MTU of the way to the peer; 0: there is none. mu locked.
func (s *datagram) pathMTU() int {
	if s.u == nil {
		return 0
	}
	return s.u.PathMTU()
}

func (s *datagram) getSocketOption(name int, b []byte) (int, error) {
	if n, known, err := s.opt.getSocket(name, b); known {
		return n, err
	}
	switch name {
	case SO_BINDTODEVICE, SO_BINDTOIFINDEX:
		return s.getDevice(name, b)
	case SO_TYPE:
		return put(b, s.typ)
	case SO_PROTOCOL:
		return put(b, s.proto)
	case SO_DOMAIN:
		return put(b, s.domain)
	case SO_ACCEPTCONN:
		return put(b, 0)
	case SO_COOKIE:
		return s.putCookie(b)
	case SO_ERROR:
		return put(b, number(s.takeError()))
	case SO_SNDBUF:
		return put(b, s.sndbuf())
	case SO_RCVBUF:
		return put(b, s.rcvbuf())
	case SO_TIMESTAMP, SO_TIMESTAMP_NEW:
		return putBool(b, s.timestamp == microStamp)
	case SO_TIMESTAMPNS, SO_TIMESTAMPNS_NEW:
		return putBool(b, s.timestamp == nanoStamp)
	}
	return 0, syscall.ENOPROTOOPT
}
