// Package afpacket puts a stack on an Ethernet interface that Linux has already, a network card or one end of a veth pair,
// through a packet socket (packet(7)): what comes in on the interface comes to the stack as well as to the kernel, and what
// the stack sends goes out on the interface.
//
//	d, err := afpacket.Open("eth0", afpacket.Config{})
//
// Opening takes the capability CAP_NET_RAW.
//
// The kernel's own stack stays on the interface, if it has addresses there. It and this one do not hear what the other
// sends, so they cannot talk to each other over the interface; and both answer for the same Ethernet address. Two things
// follow. An IP address belongs to one of them: what comes for an address of both is answered by both, with a reset by the one
// that knows nothing of the connection. And a kernel that forwards sends on what comes for the stack, as a router that it
// takes itself to be. The stack is alone on an interface without addresses:
//
//	ip address flush dev eth0
//	sysctl net.ipv6.conf.eth0.disable_ipv6=1
//
// The interface's state is the kernel's. The receiver is told when it goes up or down, which is also when the other end of
// the cable does, and when its MTU or its address changes. If the interface is deleted or moved to another network namespace
// the link is dead: its receiver is told that it is not up, and Send fails.
//
// Frames that are sent together go with one system call. Those that come are read with one each, and what came while some were
// handled is delivered together.
//
// A frame may be a super-packet of TCP, in both directions, which the card cuts, or the kernel for it; checksums are left to
// whoever needs them. Super-packets of UDP are cut here. A VLAN tag that the kernel took off is put back. One device has one queue.
package afpacket

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Config says how to use an interface. Its zero value is a station with the interface's own address.
type Config struct {
	Runtime clock.Runtime // for waiting; nil: a real one

	// Addr is the stack's Ethernet address, and the interface listens to it; zero: the interface's own, also when that changes.
	Addr wire.MAC

	// Promiscuous has the interface take frames that are for other stations, too.
	Promiscuous bool

	// NoOffload has every frame be as it would be on a wire: no super-packets, all checksums made.
	NoOffload bool
}
