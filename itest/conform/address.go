package conform

import (
	"net/netip"

	"github.com/onlink-go/onlink/wire"
)

// The node's addresses, by port: the node is .2 and ::2, the tester all others. The prefixes are those for documentation
// (RFC 5737, RFC 3849).
var (
	NodeMAC   = [2]wire.MAC{{0x02, 0, 0, 0, 0, 0xa2}, {0x02, 0, 0, 0, 1, 0xa2}}
	TesterMAC = [2]wire.MAC{{0x02, 0, 0, 0, 0, 0x01}, {0x02, 0, 0, 0, 1, 0x01}}

	Node4 = [2]wire.Addr{Addr("192.0.2.2"), Addr("198.51.100.2")}
	Node6 = [2]wire.Addr{Addr("2001:db8::2"), Addr("2001:db8:1::2")}
	Peer4 = [2]wire.Addr{Addr("192.0.2.1"), Addr("198.51.100.1")}
	Peer6 = [2]wire.Addr{Addr("2001:db8::1"), Addr("2001:db8:1::1")}

	// NodeLL and PeerLL are link-local.
	NodeLL = [2]wire.Addr{{Hi: 0xfe80 << 48, Lo: NodeMAC[0].InterfaceID()}, {Hi: 0xfe80 << 48, Lo: NodeMAC[1].InterfaceID()}}
	PeerLL = [2]wire.Addr{Addr("fe80::1"), Addr("fe80::1:1")}

	// Far4 and Far6 are behind the router Peer4[0], Peer6[0].
	Far4 = Addr("203.0.113.9")
	Far6 = Addr("2001:db8:f::9")
)

// prefixes are what the node is configured with, by port.
var prefixes = [2][2]string{{"192.0.2.2/24", "2001:db8::2/64"}, {"198.51.100.2/24", "2001:db8:1::2/64"}}

// Addr parses an address.
func Addr(s string) wire.Addr { return wire.AddrFrom(netip.MustParseAddr(s)) }

// ours reports whether a is one of the node's at the port.
func ours(port int, a wire.Addr) bool {
	return a == Node4[port] || a == Node6[port] || a == NodeLL[port]
}
