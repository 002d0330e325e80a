package shard

// drainStack is how many octets of stack the goroutine that sends has ready at least. What is sent on a link in memory is delivered
// at once, and answered by the goroutine that delivers it: that takes some 5 KiB from the first drain on, and half of it from the
// second on.
const drainStack = 3 << 10

// reserveStack has the goroutine's stack grow, if it has not that much left: at once, and while few frames are on it. Else that of a
// new goroutine, as servers have one for each connection, grows in small steps on the way down, and each time all frames are
// looked up and copied. use is false: the array is there so that the function needs a stack of its size.
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
