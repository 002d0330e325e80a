package ip

import (
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Disposition is what a Transport did with a packet.
type Disposition uint8

// The dispositions.
const (
	Delivered Disposition = iota // taken
	NoPort                       // nobody wants it: the packet is ip's again, which answers with an ICMP error
	Malformed                    // dropped and counted by the transport
)

// Transport is a protocol above IP, registered once per protocol number. One that registers for
// wire.ProtoICMP or wire.ProtoICMPv6 gets echo replies and the errors about our echo requests, and nothing else:
// ip answers all other ICMP itself.
type Transport interface {
	// Protocol returns the protocol number.
	Protocol() uint8
	// Input takes a packet that arrived for this host, with sh, the shard of its flow, locked. p.Bytes()
	// begins at the transport header and ends with the datagram; p.Src, Dst, Proto, HopLimit, In and Flags
	// are set, and FromNetwork works. It owns p, except with NoPort. The checksum is verified already if
	// p.Flags has ChecksumGood (echo replies always have).
	Input(sh *shard.Shard, now clock.Instant, p *packet.Buffer) Disposition
	// Error takes an error about a packet that this host sent, with sh, the shard of its flow, locked. e is
	// good until it returns.
	Error(sh *shard.Shard, now clock.Instant, e *Error)
}

// Voucher is a Transport that knows what it has sent. An ICMP message about the path MTU that it does not vouch for is
// ignored, since anybody might have made it (RFC 5927, 7).
type Voucher interface {
	// Vouches reports whether this host may just have sent the packet that e quotes, with sh, the shard of its flow, locked.
	Vouches(sh *shard.Shard, e *Error) bool
}

// Error tells a transport that a packet of its did not arrive: by an ICMP message, or by ip itself.
type Error struct {
	Errno      syscall.Errno // what a Linux socket would report
	Type, Code uint8         // of the ICMP message; 0 with Local
	Local      bool          // from our own neighbor resolution or fragmentation, not from the network
	MTU        int           // with EMSGSIZE: octets of the largest packet that the path takes
	From       wire.Addr     // who sent the message; Src with Local
	Src, Dst   wire.Addr     // of our packet: Src is ours
	Scope      uint32        // interface index if Dst is link-local, as in flow.Key
	Proto      uint8
	Quote      []byte           // our packet from its transport header on; may be cut short anywhere
	Message    wire.ICMP        // the whole message; nil with Local
	Objects    wire.ICMPObjects // behind the packet it quotes (RFC 4884)
	HopLimit   uint8            // that the message came with; 0 with Local

	quoteAt    int  // where in Message Quote begins
	size       int  // octets of our packet
	fragment   bool // it is one behind the first, which names no flow
	fragmentID uint32
}

// Register makes t the transport of its protocol number, in place of another.
func (l *Layer) Register(t Transport) { l.transports[t.Protocol()].Store(&t) }

// transport returns the transport of a protocol number, or nil.
func (l *Layer) transport(proto uint8) Transport {
	if t := l.transports[proto].Load(); t != nil {
		return *t
	}
	return nil
}

// SetShards gives the layer the shards that flows are spread over. It must be called before the first interface
// is added, with shards whose drain functions are l.Transmitter's.
func (l *Layer) SetShards(shards []*shard.Shard) { l.shards = shards }

// Shards returns them. They must not be changed.
func (l *Layer) Shards() []*shard.Shard { return l.shards }

// ShardFor returns the shard that owns the flow k. Echo requests and replies are the flow with the identifier
// as local port and 0 as remote port.
func (l *Layer) ShardFor(k *flow.Key) *shard.Shard { return l.shards[l.shardIndex(k)] }

// FlowSeed returns the secret that flows are hashed with.
func (l *Layer) FlowSeed() uint64 { return l.cfg.Seed }

func (l *Layer) shardIndex(k *flow.Key) int {
	if len(l.shards) == 1 {
		return 0
	}
	return int(uint64(k.Hash(l.cfg.Seed)) * uint64(len(l.shards)) >> 32)
}
