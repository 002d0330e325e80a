package packetdrill

import (
	"errors"
	"time"
)

// World is what a script runs in: a stack that makes system calls and sends packets, and time.
// A script's time begins at 0 with Begin.
type World interface {
	System
	Admin
	// Begin ends the preparations: it is time 0 now.
	Begin()
	// SinceBegin converts a time of day, since 1970, to the time since Begin.
	SinceBegin(unix time.Duration) time.Duration
	// Now returns the time since Begin.
	Now() time.Duration
	// Sleep lets time pass until the given instant. stop, if not nil, is asked after whatever happens and ends it earlier.
	Sleep(until time.Duration, stop func() bool) error
	// Do begins f, which makes a system call, and returns when it has ended or blocks. The Call says which.
	Do(name string, f func()) *Call
	// Inject makes an IP packet arrive.
	Inject(b []byte) error
	// Sent returns and forgets the oldest packet that the stack has sent and nobody has asked for; nil: there is none.
	Sent() *Sent
	// Patience is how long it is worth waiting for what is overdue, to say when it came.
	Patience() time.Duration
	// Grace is how long what happens at once may take.
	Grace() time.Duration
	// End ends the world.
	End() error
}

// Sent is a packet that the stack has sent.
type Sent struct {
	At   time.Duration
	Data []byte
}

// Call is a system call under way.
type Call struct {
	Done bool          // it has returned
	At   time.Duration // when
}

// Errors of a World's Sleep.
var (
	errIdle   = errors.New("nothing can happen any more")
	errEvents = errors.New("the script was stopped: too much happened")
)
