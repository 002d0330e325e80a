package onlink

import (
	"net/netip"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/dns"
)

// Config is what a Stack is made of. The zero Config makes a host in real time that speaks both families.
type Config struct {
	// Runtime is the time and scheduling the stack runs in; nil: real time, which inside a synctest bubble is
	// the bubble's. A simulated host gets its own from package sim.
	Runtime clock.Runtime

	// Forwarding makes the stack a router: packets for others are sent on.
	Forwarding bool

	// Shards is into how many independently locked parts the flows are divided; 0: one in a Runtime of your own or where there is
	// one processor, else 32 for each, but no more than 256.
	Shards int

	// DNS lists the name servers that DNS and names in DialContext ask, in order, before those told of at run time.
	DNS []netip.AddrPort

	// DNSSearch lists the domains that names are looked up in, in order.
	DNSSearch []string

	// Hosts are addresses of names that no server is asked for, as /etc/hosts has them.
	Hosts map[string][]netip.Addr

	// DNSOptions are the habits of the resolver: time-outs, attempts, ndots, its cache.
	DNSOptions dns.Options

	// TCP holds the settings of TCP connections.
	TCP TCPConfig
}

// InterfaceConfig is how an interface begins.
type InterfaceConfig struct {
	// Addresses are the interface's addresses with their prefix lengths: 192.0.2.2/24, 2001:db8::2/64. An
	// IPv6 link-local address is added by itself where the link is Ethernet.
	Addresses []netip.Prefix

	// Gateways are routers on the link that default routes lead to, at most one of each family.
	Gateways []netip.Addr

	// MTU is the largest packet to send, in octets, if smaller than the link's; 0: the link's.
	MTU int

	// NoOffload has each packet made, and taken in, by itself and as it is on a wire, checksums included. Otherwise TCP's
	// segments travel many at once inside the stack, and beyond it if the link takes them so (link.Info.Offload).
	NoOffload bool

	// VRF is the number of a routing table that the interface has with others of the same number and apart from all
	// others: routes of its addresses are in it, what comes in is forwarded by it, sockets bound to the interface
	// send by it. 0: the interface is in no VRF.
	VRF int

	// Conflicts says what to do about IPv4 addresses that another station has too.
	Conflicts ConflictMode

	// LinkLocal4 claims an address of 169.254/16 while the interface has no other IPv4 address (RFC 3927), whatever Conflicts
	// says. The same hardware address usually gets the same one.
	LinkLocal4 bool

	// IPv6 is how the interface speaks IPv6.
	IPv6 IPv6Config

	// DisableDAD makes IPv6 addresses usable at once, without duplicate address detection (RFC 4862, 5.4: "DAD
	// must be performed" – so only where the program itself gives out the addresses, as in a test).
	DisableDAD bool
}
