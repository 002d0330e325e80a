package onlink

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// hasPorts reports whether the network's addresses have ports.
func (n network) hasPorts() bool { return n.transport == "tcp" || n.transport == "udp" }

// parseAnyNetwork is parseNetwork for all kinds of sockets: of raw ones, "ip", "ip4" or "ip6" and behind a colon the protocol's
// number or name; of ping sockets, "ping", "ping4" or "ping6".
func parseAnyNetwork(name string) (network, error) {
	base, proto, raw := strings.Cut(name, ":")
	n := network{name: name}
	switch {
	case !raw && (name == "ping" || name == "ping4" || name == "ping6"):
		n.transport = "ping"
	case raw && (base == "ip" || base == "ip4" || base == "ip6"):
		n.transport = "ip"
	default:
		return parseNetwork(name)
	}
	n.v4, n.v6 = !strings.HasSuffix(base, "6"), !strings.HasSuffix(base, "4")
	var err error
	if raw {
		n.proto, err = lookupProtocol(proto)
	}
	return n, err
}

// lookupProtocol converts a protocol's number or name.
func lookupProtocol(s string) (uint8, error) {
	if n, err := strconv.ParseUint(s, 10, 8); err == nil && n > 0 {
		return uint8(n), nil
	}
	if n, ok := protocols[strings.ToLower(s)]; ok {
		return n, nil
	}
	return 0, fmt.Errorf("unknown IP protocol %q: a number from 1 to 255, or a name such as icmp, ipv6-icmp or ospf", s)
}

// protocols are the names of those that are of use to raw sockets, as IANA's "Protocol Numbers" and /etc/protocols have them.
var protocols = map[string]uint8{
	"icmp": wire.ProtoICMP, "igmp": wire.ProtoIGMP, "ipv4": 4, "tcp": wire.ProtoTCP, "egp": 8, "igp": 9, "udp": wire.ProtoUDP,
	"dccp": 33, "ipv6": 41, "rsvp": 46, "gre": 47, "esp": wire.ProtoESP, "ah": wire.ProtoAH, "ipv6-icmp": wire.ProtoICMPv6,
	"icmp6": wire.ProtoICMPv6, "icmpv6": wire.ProtoICMPv6, "eigrp": 88, "ospf": 89, "pim": 103, "vrrp": 112, "l2tp": 115,
	"isis": 124, "sctp": 132, "udplite": 136, "raw": 255,
}

// ipAddr returns a as net has it.
func ipAddr(a netip.Addr) *net.IPAddr { return &net.IPAddr{IP: a.AsSlice(), Zone: a.Zone()} }

// addrFromIP is the inverse. It is not valid if a is not.
func addrFromIP(a *net.IPAddr) netip.Addr {
	if a == nil {
		return netip.Addr{}
	}
	ip, _ := netip.AddrFromSlice(a.IP)
	return ip.Unmap().WithZone(a.Zone)
}

// onlyFamily returns the family of a.
func onlyFamily(a wire.Addr) flow.Family {
	if a.Is4() {
		return flow.Only4
	}
	return flow.Only6
}
