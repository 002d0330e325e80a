package udp

import (
	"syscall"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// MaxPayload4 and MaxPayload6 are the longest payloads a datagram can carry: 65,535 octets less the headers
// that the length fields count.
const (
	MaxPayload4 = 65535 - wire.IPv4MinLen - wire.UDPLen
	MaxPayload6 = 65535 - wire.UDPLen
)

// Config is what a socket is made of.
type Config struct {
	dgram.Config
	Sharing Sharing
}

// Sharing says with which others a socket shares its port: those that have one of these bits too.
type Sharing uint8

// The ways to share: Linux's SO_REUSEADDR and SO_REUSEPORT.
const (
	ReuseAddr Sharing = 1 << iota
	ReusePort
)

// Socket is a UDP socket. All methods may be called at once from several goroutines.
type Socket struct {
	dgram.Socket
	layer   *Layer
	sharing Sharing
}

// Open makes a socket. Errors: EADDRINUSE, EADDRNOTAVAIL for a local address that is not ours, and for a
// connected one those of ip.Route.
func (u *Layer) Open(cfg Config) (*Socket, error) {
	s := &Socket{layer: u, sharing: cfg.Sharing}
	if err := s.Init(&u.host, s, &cfg.Config); err != nil {
		return nil, err
	}
	if e := u.table.Bind(s, u.ports); e != 0 {
		return nil, e
	}
	s.Settle() // it has its port now
	return s, nil
}

// Conflicts implements flow.Socket. Of sockets that share a port, and of those opened to different ends, the better match
// wins; those on two interfaces hear different datagrams.
func (s *Socket) Conflicts(o *Socket) bool {
	if a, b := s.Interface(), o.Interface(); a != 0 && b != 0 && a != b {
		return false
	}
	return s.sharing&o.sharing == 0 && s.Opened() == o.Opened() && s.Binding().Overlaps(o.Binding())
}

// Protocol implements dgram.Kind.
func (s *Socket) Protocol(wire.Addr) uint8 { return wire.ProtoUDP }

// HeaderLen implements dgram.Kind.
func (s *Socket) HeaderLen() int { return wire.UDPLen }

// Finish implements dgram.Kind.
func (s *Socket) Finish(_ *ip.Path, port uint16, p *packet.Buffer) error {
	if port == 0 {
		return syscall.EINVAL // RFC 768 reserves it as a source: nobody is there
	}
	b := p.Bytes()
	wire.PutUDP(b, s.Binding().Local.Port, port, len(b))
	p.Flags |= packet.ChecksumLater
	return nil
}

// Sent implements dgram.Kind.
func (s *Socket) Sent(c *mib.Set, _ *ip.Path, p *packet.Buffer) {
	c.Add(mib.UdpOutDatagrams, uint64(dgram.Datagrams(p)))
}

// Payload implements dgram.Kind.
func (s *Socket) Payload(p *packet.Buffer) (b []byte, from, to uint16) {
	h := wire.UDP(p.Bytes())
	return h.Payload(), h.SrcPort(), h.DstPort()
}

// PortName implements dgram.Kind.
func (s *Socket) PortName() string { return "port" }

// Full implements dgram.Kind.
func (s *Socket) Full() mib.Reason { return mib.UdpQueueFull }

// Unbind implements dgram.Kind.
func (s *Socket) Unbind() { s.layer.table.Unbind(s) }
