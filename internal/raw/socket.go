package raw

import (
	"sync/atomic"
	"syscall"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// ProtocolRaw is the protocol of sockets that only send, with internet headers of their own: IPPROTO_RAW.
const ProtocolRaw = 255

// Socket is a raw socket. All methods may be called at once from several goroutines.
type Socket struct {
	dgram.Socket
	layer    *Layer
	filter   atomic.Pointer[Filter] // of ICMP; nil: all pass
	checksum atomic.Int32           // where in what is sent with IPv6 a checksum is, in octets; noChecksum
}

// noChecksum is the offset of no checksum.
const noChecksum = -1

// Open makes a socket of the IP protocol proto; cfg's ports mean nothing. Errors: EPROTONOSUPPORT for protocol 0, EADDRNOTAVAIL
// for a local address that is not ours, and for a connected one those of ip.Route.
func (l *Layer) Open(proto uint8, cfg dgram.Config) (*Socket, error) {
	if proto == 0 {
		return nil, syscall.EPROTONOSUPPORT
	}
	s := &Socket{layer: l}
	s.checksum.Store(noChecksum)
	if proto == wire.ProtoICMPv6 {
		s.checksum.Store(wire.ICMPChecksumOffset)
	}
	s.SetHeaderIncluded(proto == ProtocolRaw)
	cfg.Local.Port = uint16(proto)
	if err := s.Init(&l.host, s, &cfg); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.table.Bind(s, nil); e != 0 {
		return nil, e
	}
	if l.count++; l.count == 1 {
		l.host.IP.SetRaw(l)
	}
	return s, nil
}

// Number returns the socket's protocol.
func (s *Socket) Number() uint8 { return uint8(s.Binding().Local.Port) }

// Conflicts implements flow.Socket: each gets a copy.
func (s *Socket) Conflicts(*Socket) bool { return false }

// Unbind implements dgram.Kind.
func (s *Socket) Unbind() {
	l := s.layer
	l.mu.Lock()
	defer l.mu.Unlock()
	l.table.Unbind(s)
	if l.count--; l.count == 0 {
		l.host.IP.SetRaw(nil)
	}
}

// Protocol implements dgram.Kind.
func (s *Socket) Protocol(wire.Addr) uint8 { return s.Number() }

// HeaderLen implements dgram.Kind.
func (s *Socket) HeaderLen() int { return 0 }

// Finish implements dgram.Kind.
func (s *Socket) Finish(path *ip.Path, _ uint16, p *packet.Buffer) error {
	p.Flags |= packet.Foreign
	at := int(s.checksum.Load())
	if path.Dst.Is4() || at == noChecksum {
		return nil
	}
	b := p.Bytes()
	if at+2 > len(b) {
		return syscall.EINVAL // as with Linux: it would be behind the end
	}
	// RFC 3542, 3.1: "The checksum will incorporate the IPv6 pseudo-header".
	wire.FinishChecksum(b, at, s.Number(), path.Src, path.Dst)
	return nil
}

// Sent implements dgram.Kind.
func (s *Socket) Sent(c *mib.Set, path *ip.Path, p *packet.Buffer) {
	four := path.Dst.Is4()
	if proto := s.Number(); p.Len() > 0 && (four && proto == wire.ProtoICMP || !four && proto == wire.ProtoICMPv6) {
		ip.CountICMPOut(c, four, p.Bytes()[0])
	}
}

// Payload implements dgram.Kind.
func (s *Socket) Payload(p *packet.Buffer) (b []byte, from, to uint16) {
	if p.Dst.Is4() {
		return p.FromNetwork(), 0, 0
	}
	return p.Bytes(), 0, 0
}

// PortName implements dgram.Kind: what the port is says the protocol's name already.
func (s *Socket) PortName() string { return "" }

// Full implements dgram.Kind.
func (s *Socket) Full() mib.Reason { return mib.RawQueueFull }

// SetChecksum has a checksum be put at the given offset of what is sent with IPv6, in octets, and be verified in what comes
// in; a negative one: none. Errors: EINVAL.
//
// RFC 3542, 3.1: "specifying a positive odd value as offset is invalid", and "An attempt to set IPV6_CHECKSUM for an ICMPv6
// socket will fail."
func (s *Socket) SetChecksum(at int) error {
	switch {
	case s.Number() == wire.ProtoICMPv6, at > 0 && at&1 != 0, at > 65535:
		return syscall.EINVAL
	}
	s.checksum.Store(int32(max(at, noChecksum)))
	return nil
}

// Checksum returns that offset; negative: there is none.
func (s *Socket) Checksum() int { return int(s.checksum.Load()) }

// verified reports whether the checksum of p is right, or is not looked at.
//
// RFC 3542, 3.1: with IPV6_CHECKSUM the kernel is to "verify the received checksum on input, discarding the packet if the
// checksum is in error."
func (s *Socket) verified(p *packet.Buffer) bool {
	if p.Dst.Is4() || s.checksum.Load() == noChecksum || p.Flags&packet.ChecksumGood != 0 {
		return true
	}
	return wire.TransportChecksumOK(p.Bytes(), p.Proto, p.Src, p.Dst)
}
