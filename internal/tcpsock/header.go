package tcpsock

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Header is what a connection's user chooses of the internet header.
type Header struct {
	HopLimit     uint8 // TTL or hop limit; 0: the default
	TrafficClass uint8
	MayFragment  bool // IPv4 without DF (IP_PMTUDISC_DONT)
}

// Headers are those of a listener's connections, by family.
type Headers struct{ V4, V6 Header }

// of returns the one for packets to a.
func (h *Headers) of(a wire.Addr) Header {
	if a.Is4() {
		return h.V4
	}
	return h.V6
}

// SetHeader sets what the connection's packets have in their internet header. Errors: net.ErrClosed.
func (c *Conn) SetHeader(h Header) error {
	return c.do(func(clock.Instant) error { c.header = h; return nil })
}

// SetHopLimit and SetTrafficClass set the header fields of what the connection sends. Errors: net.ErrClosed.
func (c *Conn) SetHopLimit(n uint8) error {
	return c.do(func(clock.Instant) error { c.header.HopLimit = n; return nil })
}

func (c *Conn) SetTrafficClass(n uint8) error {
	return c.do(func(clock.Instant) error { c.header.TrafficClass = n; return nil })
}

// PathMTU returns the largest packet, in octets, that the connection's path is known to carry.
func (c *Conn) PathMTU() int {
	c.sh.Lock()
	defer c.sh.Unlock()
	return c.path.MTU
}

// SetHeaders sets what the packets of the listener's connections begin with.
func (l *Listener) SetHeaders(h Headers) {
	l.in.Lock()
	defer l.in.Unlock()
	l.headers = h
}
