package icmp

import (
	"syscall"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Config is what a socket is made of. Its local port is the identifier; 0: one that is free is chosen. Remote ports mean nothing.
type Config struct {
	dgram.Config
	Share bool // the identifier with others that do, as with Linux's SO_REUSEADDR
}

// Socket is a ping socket: what is sent and received are whole ICMP messages. All methods may be called at once from several
// goroutines.
type Socket struct {
	dgram.Socket
	layer *Layer
	share bool
	one   bool // it is about the request with the sequence number seq only
	seq   uint16
}

// Open makes a socket. Errors: EADDRINUSE if the identifier is another's, EADDRNOTAVAIL for a local address that is not ours, and
// for a connected one those of ip.Route.
func (c *Layer) Open(cfg Config) (*Socket, error) {
	return c.open(&Socket{layer: c, share: cfg.Share}, &cfg.Config)
}

func (c *Layer) open(s *Socket, cfg *dgram.Config) (*Socket, error) {
	if err := s.Init(&c.host, s, cfg); err != nil {
		return nil, err
	}
	if e := c.table.Bind(s, c.ids); e != 0 {
		return nil, e
	}
	s.Settle() // it has its identifier now
	return s, nil
}

// ID returns the socket's identifier.
func (s *Socket) ID() uint16 { return s.Binding().Local.Port }

// Conflicts implements flow.Socket. As with Linux an identifier is one socket's, whatever addresses it is bound to; requests that
// are told apart by their sequence numbers, or families, may share it.
func (s *Socket) Conflicts(o *Socket) bool {
	if s.one && o.one {
		return s.seq == o.seq && s.Family() == o.Family()
	}
	return !s.share || !o.share
}

// Unbind implements dgram.Kind.
func (s *Socket) Unbind() { s.layer.table.Unbind(s) }

// Protocol implements dgram.Kind.
func (s *Socket) Protocol(dst wire.Addr) uint8 {
	if dst.Is4() {
		return wire.ProtoICMP
	}
	return wire.ProtoICMPv6
}

// HeaderLen implements dgram.Kind.
func (s *Socket) HeaderLen() int { return 0 }

// Finish implements dgram.Kind: identifier and checksum are the socket's business. EINVAL for what is no echo request.
func (s *Socket) Finish(path *ip.Path, _ uint16, p *packet.Buffer) error {
	b := p.Bytes()
	request := uint8(wire.ICMPv6EchoRequest)
	if path.Dst.Is4() {
		request = wire.ICMPv4EchoRequest
	}
	if len(b) < wire.ICMPLen || b[0] != request || b[1] != 0 {
		return syscall.EINVAL
	}
	wire.ICMP(b).SetID(s.ID())
	if path.Dst.Is4() {
		wire.FinishICMPv4(b)
	} else {
		wire.FinishICMPv6(b, path.Src, path.Dst)
	}
	return nil
}

// Sent implements dgram.Kind.
func (s *Socket) Sent(c *mib.Set, path *ip.Path, p *packet.Buffer) {
	ip.CountICMPOut(c, path.Dst.Is4(), p.Bytes()[0])
}

// Payload implements dgram.Kind.
func (s *Socket) Payload(p *packet.Buffer) (b []byte, from, to uint16) { return p.Bytes(), 0, 0 }

// PortName implements dgram.Kind.
func (s *Socket) PortName() string { return "identifier" }

// Full implements dgram.Kind.
func (s *Socket) Full() mib.Reason { return mib.PingQueueFull }
