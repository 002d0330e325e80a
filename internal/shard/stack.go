package shard

// drainStack is how many octets of stack sending takes, in the deepest case: on a link in memory the packets are delivered, and
// answered, before it returns.
const drainStack = 6 << 10

// reserveStack has the goroutine's stack grow by drainStack, if it has not that much left: at once, and while few frames are on it.
// Else that of a new goroutine, as servers have one for each connection, grows in small steps on the way down, and each time all
// frames are looked up and copied. use is false: the array is there so that the function needs a stack of its size.
//
//go:noinline
func reserveStack(use bool) {
	if use {
		var b [drainStack]byte
		touch(b[:])
	}
}

//go:noinline
func touch(b []byte) { clear(b) }
