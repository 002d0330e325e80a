package socket

import (
	"syscall"

	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpsock"
	"github.com/onlink-go/onlink/wire"
)

func (s *stream) setsockopt(level, name int, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case level == SOL_SOCKET:
		return s.setSocketOption(name, value)
	case level == IPPROTO_TCP:
		return s.setTCP(name, value)
	case level == IPPROTO_IP:
		if known, err := s.setOwnIP(level, name, value); known {
			return s.headerChanged(err)
		}
		was := s.opt.tos
		err := s.setIP(name, value)
		// RFC 3168: with TCP the two lowest bits are the stack's.
		s.opt.tos = s.opt.tos&^ecnMask | was&ecnMask
		return s.headerChanged(err)
	case level == IPPROTO_IPV6 && s.domain == AF_INET6:
		if known, err := s.setOwnIP(level, name, value); known {
			return s.headerChanged(err)
		}
		was := s.opt.tclass
		err := s.setIPv6(name, value)
		s.opt.tclass = s.opt.tclass&^ecnMask | was&ecnMask
		return s.headerChanged(err)
	}
	return syscall.ENOPROTOOPT
}

func (s *stream) getsockopt(level, name int, value []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case level == SOL_SOCKET:
		return s.getSocketOption(name, value)
	case level == IPPROTO_TCP:
		return s.getTCP(name, value)
	case level == IPPROTO_IP:
		if n, known := s.getOwnIP(level, name, value); known {
			return n, nil
		}
		return s.getIP(name, value, s.pathMTU())
	case level == IPPROTO_IPV6 && s.domain == AF_INET6:
		if n, known := s.getOwnIP(level, name, value); known {
			return n, nil
		}
		return s.getIPv6(name, value, s.pathMTU())
	}
	return 0, s.unknownLevel()
}

// configure changes the settings of the socket's connection, present and future. mu locked.
func (s *stream) configure(f func(*tcp.Config)) {
	s.changes = append(s.changes[:len(s.changes):len(s.changes)], f)
	switch {
	case s.conn != nil:
		s.conn.Configure(f) // fails only if the stack is closing
	case s.listener != nil:
		s.listener.Configure(f)
	}
}

// configureUnless is configure unless err is not nil.
func (s *stream) configureUnless(err error, f func(*tcp.Config)) {
	if err == nil {
		s.configure(f)
	}
}

// layerConfig returns what the stack's settings say.
func (s *stream) layerConfig() *tcp.Config { return &s.t.tcp.Settings().TCP }

// config returns the settings of the socket's connection, or those it will have. mu locked.
func (s *stream) config() *tcp.Config {
	var c tcp.Config
	switch {
	case s.conn != nil:
		c = s.conn.Config()
	case s.listener != nil:
		c = s.listener.Config()
	default:
		return s.changed()
	}
	return &c
}

// changed returns the stack's settings with the socket's changes. mu locked.
func (s *stream) changed() *tcp.Config {
	if len(s.changes) == 0 {
		return s.layerConfig()
	}
	c := *s.layerConfig()
	for _, f := range s.changes {
		f(&c)
	}
	return &c
}

// ownConfig returns the settings of a connection to be, complete; nil: the stack's. mu locked.
func (s *stream) ownConfig() *tcp.Config {
	if len(s.changes) == 0 {
		return nil
	}
	return s.changed()
}

// headerChanged tells the connection of changed fields of the internet header. mu locked.
func (s *stream) headerChanged(err error) error {
	if err == nil {
		errors := s.opt.recvErr || s.opt.recvErr6
		if errors != s.config().ReceiveErrors {
			s.configure(func(c *tcp.Config) { c.ReceiveErrors = errors })
		}
		switch {
		case s.conn != nil:
			s.conn.SetHeader(s.header(s.conn.Remote().Addr))
		case s.listener != nil:
			s.listener.SetHeaders(s.headers())
		}
	}
	return err
}

// pathMTU returns the MTU of the connection's path; 0: there is none. mu locked.
func (s *stream) pathMTU() int {
	if s.conn == nil || s.state() == tcp.Closed {
		return 0
	}
	return s.conn.PathMTU()
}

// wakeWriters has those who wait for room look again.
func (s *stream) wakeWriters() { s.Notify(ready.Write) }

func (s *stream) headers() tcpsock.Headers {
	return tcpsock.Headers{V4: s.header(wire.Unspecified4), V6: s.header(wire.Addr{})}
}

// shared passes on an option that sockets have in common. mu locked.
func (s *stream) shared(name int) {
	switch name {
	case SO_LINGER:
		on, d := s.opt.linger, s.opt.lingerTime
		s.configure(func(c *tcp.Config) { c.Lingers, c.Linger = on, d })
	case SO_MARK:
		s.headerChanged(nil)
	case SO_OOBINLINE:
		on := s.opt.oobInline
		s.configure(func(c *tcp.Config) { c.UrgentInline = on })
	case SO_REUSEADDR, SO_REUSEPORT:
		if s.claim != nil {
			s.claim.SetSharing(s.sharing())
		}
		if s.conn != nil {
			s.conn.SetSharing(s.sharing())
		}
	}
}
