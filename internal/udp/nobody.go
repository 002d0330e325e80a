package udp

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Nobody is the transport of a stack that has had no socket of UDP yet: nobody listens on any port.
type Nobody struct{}

// Protocol implements ip.Transport.
func (Nobody) Protocol() uint8 { return wire.ProtoUDP }

// Input implements ip.Transport.
func (Nobody) Input(sh *shard.Shard, now clock.Instant, p *packet.Buffer) ip.Disposition {
	if _, ok := check(sh, now, p); !ok {
		return ip.Malformed
	}
	return ip.NoPort
}

// Error implements ip.Transport: there is nobody to tell.
func (Nobody) Error(*shard.Shard, clock.Instant, *ip.Error) {}
