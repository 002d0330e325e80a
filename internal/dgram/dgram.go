// Package dgram is what sockets of datagrams have in common, whatever is in them: UDP's, raw sockets and ping sockets. A
// [Socket] has ends, a receive queue that holds the packets themselves, errors that were reported, groups, and the way of
// a datagram out; a [Kind], the socket of a protocol, embeds it and does the rest.
//
// A Socket has a lock of its own, a leaf below the shard's: datagrams of one socket may come in under any shard.
package dgram

import (
	"sync/atomic"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Host is what the sockets of one protocol stand on.
type Host struct {
	IP      *ip.Layer
	Runtime clock.Runtime
	opened  atomic.Uint32 // sockets so far
}

// Kind is the socket of a protocol, which embeds a Socket.
type Kind interface {
	// Protocol returns the number that is in the internet header of packets to dst.
	Protocol(dst wire.Addr) uint8
	// HeaderLen returns how many octets Finish writes in front of what the user sends.
	HeaderLen() int
	// Finish completes p, HeaderLen free octets and what the user sends, for the port at the end of path. The error is the
	// user's; p stays the caller's.
	Finish(path *ip.Path, port uint16, p *packet.Buffer) error
	// Sent counts p, which Finish has completed.
	Sent(c *mib.Set, path *ip.Path, p *packet.Buffer)
	// Payload returns what the user is to see of p, which was queued, and the ports it has; 0: none.
	Payload(p *packet.Buffer) (b []byte, from, to uint16)
	// PortName returns what the local port is, as "port" or "identifier"; empty: nothing to tell sockets by.
	PortName() string
	// Full is why a packet is dropped that the receive queue has no room for.
	Full() mib.Reason
	// Unbind takes the socket out of where it is found. It is called once, by Close.
	Unbind()
}

// Config is what a socket is made of.
type Config struct {
	flow.Bound                      // zero address: wildcard; port 0: an ephemeral one
	Remote      flow.Endpoint       // zero: not connected
	Watcher     Watcher             // nil: nobody
	SourcePrefs addrsel.Preferences // what it prefers of sources that it is to choose
	Groups      *Groups             // nil: its own, which it leaves when it is closed
	Mark        uint32              // what rules choose a routing table by
}

// Watcher is told what happens to a socket by those who wait on more than one thing. Its methods are called with locks
// held: they may lock only leaves, and must neither block nor call back.
type Watcher interface {
	ready.Notifier // of datagrams that come
	// Error takes an ICMP error about a datagram of the socket to port, in place of the socket's own calls. e is good
	// until it returns.
	Error(e *ip.Error, port uint16)
}
