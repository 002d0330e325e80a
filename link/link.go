// Package link defines what the stack asks of a network device: a [Link] takes and gives batches of
// frames. Devices are in the packages below this one: mem joins stacks in memory, tuntap joins them to the
// Linux kernel, afpacket puts them on an interface that Linux has. A device that changes or watches traffic (impair, capture) is a Link wrapped around a Link, so
// that every driver can be made lossy or be listened to, and no driver knows it.
//
// Who writes a driver finds the receiving half ready-made in [Slot], and a conformance test in package
// linktest.
package link

import (
	"errors"

	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Medium is what a frame of a link begins with.
type Medium uint8

// The media.
const (
	Ethernet Medium = iota // an Ethernet header; neighbors have link-layer addresses
	IP                     // an IPv4 or IPv6 header: point to point, no neighbors
)

// String returns "ethernet" or "ip".
func (m Medium) String() string {
	if m == IP {
		return "ip"
	}
	return "ethernet"
}

// Info describes a link.
type Info struct {
	MTU    int      // largest network-layer packet, in octets, without the Ethernet header
	Addr   wire.MAC // the link's own address; zero where Medium is IP
	Medium Medium
	Queues int  // receive queues, each with its own sequence of Deliver calls; at least 1
	Up     bool // the carrier is there

	// SendQueues is how many calls of Send, for different queues from 0 on, get on at the same time; 0: one. Frames stay in order
	// within a queue.
	SendQueues int

	Offload Offload // what Send takes beyond finished frames of the MTU

	Doorbell Doorbell // where who expects something may wait for it; nil: nowhere but at what Go's scheduler has for it
}

// Offload is work that a link does itself, or saves.
type Offload uint8

// The kinds of work.
const (
	Checksums Offload = 1 << iota // frames with packet.ChecksumLater: it makes the transport checksum, or vouches for it
	TCP4                          // super-packets of TCP over IPv4, as package packet has them (Meta.GSOSize), and any on loan (packet.Buffer.Lend)
	TCP6                          // of TCP over IPv6
	UDP                           // of UDP, over both
)

// Link is a network device.
type Link interface {
	// Info returns the link's present properties.
	Info() Info
	// Attach makes r the receiver of the link's frames. Attach(nil) detaches the receiver and waits until
	// no call to it is under way; it must not be called from within such a call. Attaching a second
	// receiver fails with ErrAttached.
	Attach(r Receiver) error
	// Send sends the packets of b, in order, on send queue q and removes from b those it accepted, which it then
	// owns, and those it dropped. What it leaves in b stays the caller's, who may try again when Receiver.Ready
	// is called. An error means that the link is dead (ErrClosed) or broken: nothing will be accepted.
	// Send may be called from several goroutines at once.
	Send(q int, b *packet.Batch) error
	// Close detaches as Attach(nil) does, with the same restriction, and releases the device and all frames
	// still queued in it. Send and Attach fail with ErrClosed afterwards. Closing twice is no error.
	Close() error
}

// Receiver is the stack's side of a link.
type Receiver interface {
	// Deliver hands over the packets of b, which it leaves empty. No two calls are under way at once for
	// one q. A packet's Meta is zero, but for EtherType on a link whose Medium is IP, and for what the link knows:
	// packet.ChecksumGood, with ChecksumLater besides if the checksum was not even made, and of a super-packet GSOSize and
	// KeepCWR. Deliver may Send; a frame that comes back because of it is delivered later and not from within.
	Deliver(q int, b *packet.Batch)
	// Ready tells that send queue q accepts packets again after Send had left some.
	Ready(q int)
	// Changed tells that the link's properties are new: carrier, MTU or address.
	Changed(Info)
}

// Errors of links.
var (
	ErrClosed   = errors.New("link: closed")
	ErrAttached = errors.New("link: a receiver is attached already")
)
