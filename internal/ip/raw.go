package ip

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
)

// Raw is who wants packets as they came in, beside their transports: raw sockets. Its methods are called without any lock.
type Raw interface {
	// Input sees a whole packet for this host before its transport does: p.Bytes() begins at the transport header, and
	// FromNetwork works. p stays ip's. It reports whether somebody hears the protocol: such a packet is not complained about
	// for want of a transport. c counts what is dropped.
	Input(c *mib.Set, now clock.Instant, p *packet.Buffer) bool
	// Error takes an error about a packet that this host sent. e is good until it returns.
	Error(e *Error)
	// Vouches reports whether a raw socket may just have sent the packet that e quotes.
	Vouches(e *Error) bool
}

// SetRaw has r see what comes in; nil: nobody. While it is nobody, that costs a packet one atomic load.
func (l *Layer) SetRaw(r Raw) {
	if r == nil {
		l.raw.Store(nil)
		return
	}
	l.raw.Store(&r)
}
