package link

// Doorbell is where a goroutine waits for what a link brings, as the link's own goroutine does: at the poller of descriptors. A
// goroutine that is woken by another has Go's scheduler wake a thread besides, to run it on a processor that is idle; the thread
// that the other one is about to leave would have run it at once. To wake that thread takes longer than to answer an octet. Who is
// woken by the poller is found by the thread that looks there next, which is the same.
type Doorbell interface {
	// Arm is called before Wait, and before anybody can know that Ring should be.
	Arm()
	// Wait waits until Ring is called after Arm. It returns false if the link is closed: then it does not wait any more. One
	// goroutine at a time may be between Arm and the end of Wait.
	Wait() bool
	// Ring ends Wait. It may be called by anybody at any time.
	Ring()
}
