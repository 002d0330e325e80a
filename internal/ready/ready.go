// Package ready is how a socket says what it has become ready for, in the words of poll and epoll.
package ready

// Events is a set of EPOLL bits, whose numbers are Linux's.
type Events uint32

// The events.
const (
	In     Events = 0x001  // something can be read, or accepted; or the end
	Pri    Events = 0x002  // urgent data
	Out    Events = 0x004  // it is worth while to write
	Err    Events = 0x008  // an error is pending, or something is in the error queue
	Hup    Events = 0x010  // both directions are shut
	RdNorm Events = 0x040  // with In
	WrNorm Events = 0x100  // with Out
	WrBand Events = 0x200  // with Out, of datagrams
	RdHup  Events = 0x2000 // the peer has shut its side

	Read  = In | RdNorm
	Write = Out | WrNorm
	All   = ^Events(0) // the state has changed: anything may be new
)

// Notifier is told when something happens to a socket that those who wait for it want to know.
type Notifier interface {
	// Notify tells what may have become true. The socket's own lock is held, a shard's or a leaf's: Notify may lock
	// only leaves, and must neither block nor call back.
	Notify(ev Events)
}
