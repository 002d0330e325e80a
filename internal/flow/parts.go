package flow

// mostParts bounds what Parts returns: each takes some KiB.
const mostParts = 256

// Parts returns into how many parts the flows of some processors are best divided: a stack's shards, or the queues of a cable, of which
// one goroutine at a time is at work on each. Two that meet at one cost more than the one's wait: a goroutine that has left its packets
// to another goes to sleep, and the next connection begins before the last one is served, until what all of them have under way
// no longer fits in the processors' caches. So there are that many that they seldom meet.
func Parts(processors int) int {
	if processors == 1 {
		return 1
	}
	return min(32*processors, mostParts)
}
