// Package tuntap joins a stack to the Linux kernel through a TAP or TUN device: what the kernel sends to the
// device comes in as frames, and frames sent come out of the device on the kernel's side. A TAP carries Ethernet
// frames, so that the stack is a neighbor of the kernel; a TUN carries IP packets.
//
//	d, err := tuntap.Open("tap0", tuntap.Config{})
//
// Opening a device needs the capability CAP_NET_ADMIN, or a device that was made for the user beforehand:
//
//	ip tuntap add dev tap0 mode tap user $USER
//	ip address add 192.0.2.1/24 dev tap0
//	ip link set tap0 up
//
// A device that Open had to create is gone after Close; one made with ip remains. The addresses and the state of
// the kernel's side are not the package's business. While the kernel's side is down, frames sent are dropped and
// counted. If the device is deleted the link is dead: its receiver is told that it is not up, and Send fails.
//
// Frames go one by one, with one system call each; those that came in while one was handled are read and
// delivered together. A frame may be a super-packet of TCP, since Linux 6.2 also of UDP, in both directions, and checksums are
// left to whoever needs them, if anybody does: nobody where the other end of a connection is the kernel itself.
//
// A device may have several queues, so that as many processors take in what the kernel sends ([Config.Queues]). The frames of a
// flow go and come by one of them, in their order.
package tuntap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Config describes a device. Its zero value asks for a TAP.
type Config struct {
	TUN     bool          // a TUN, which carries IP packets, instead of a TAP
	Addr    wire.MAC      // the stack's Ethernet address on a TAP; zero: a random one. The kernel's side has its own
	Runtime clock.Runtime // for waiting and the random address; nil: a real one

	// NoOffload has every frame be as it would be on a wire: no super-packets, all checksums made.
	NoOffload bool

	// Queues is how many queues the device has, each with a goroutine that reads it; 0: one. At most 256. It pays where several
	// connections carry much, and there is more than one processor. A device that was made beforehand for several must have been
	// made with `ip tuntap add … multi_queue`, and one for one queue without it.
	Queues int
}

// maxQueues is how many queues the kernel gives a device (MAX_TAP_QUEUES).
const maxQueues = 256

// check returns what is wrong with c.
func (c *Config) check() error {
	if c.Queues < 0 || c.Queues > maxQueues {
		return fmt.Errorf("tuntap: a device cannot have %d queues: ask for 1 to %d", c.Queues, maxQueues)
	}
	return nil
}

func (c *Config) mode() string {
	if c.TUN {
		return "tun"
	}
	return "tap"
}

// maxName is the longest name of a Linux interface, in octets.
const maxName = 15

// checkName returns what is wrong with a name for an interface, by the kernel's rules. The kernel chooses a name if
// none is given, and a number for a %d in it.
func checkName(name string) error {
	switch {
	case len(name) > maxName:
		return fmt.Errorf("tuntap: device name %q is too long: at most %d octets, please", name, maxName)
	case name == "." || name == ".." || slices.ContainsFunc([]byte(name), forbidden):
		return fmt.Errorf("tuntap: %q is no name for a device: slash, colon and white space are not allowed", name)
	}
	return nil
}

// forbidden reports whether the kernel takes no interface name with the octet c: its white space includes 0xa0.
func forbidden(c byte) bool {
	return strings.IndexByte("/: \t\n\v\f\r\x00", c) >= 0 || c == 0xa0
}
