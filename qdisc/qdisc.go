// Package qdisc holds queue disciplines: machines that decide in which order, and whether at all, packets
// leave on a link that is slower than what is sent to it.
//
// A [Queue] reads no clock and takes no lock; the caller locks and says what time it is. The call order is free:
// Enqueue when a packet comes, Dequeue until nil when the link accepts packets, and, if Dequeue gave nothing
// though Len is not zero, again at the instant that Next answers.
package qdisc

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
)

// Queue is a queue discipline.
type Queue interface {
	// Enqueue gives p to the queue. If the queue thereby holds too much it returns the one packet it gives up,
	// which may be p or another, and which the caller then owns; nil otherwise.
	Enqueue(now clock.Instant, p *packet.Buffer) (dropped *packet.Buffer)
	// Dequeue removes and returns the packet to send next, or nil if there is none to send now.
	Dequeue(now clock.Instant) *packet.Buffer
	// Next returns when Dequeue will have a packet: now if it has one already, Never if the queue is empty.
	Next(now clock.Instant) clock.Instant
	// Len returns how many packets the queue holds.
	Len() int
}
