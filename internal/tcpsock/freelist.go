package tcpsock

// freeList keeps what is not in use any more, to be used again: the last one first, and no more than a few. What it holds may
// be looked at until the next get. Guarded by the lock of who owns it.
type freeList[T any] struct{ free []*T }

// mostFree is how many a freeList holds.
const mostFree = 64

// get returns one, in whatever state it was left.
func (l *freeList[T]) get() *T {
	n := len(l.free)
	if n == 0 {
		return new(T)
	}
	v := l.free[n-1]
	l.free = l.free[:n-1]
	return v
}

func (l *freeList[T]) put(v *T) {
	if len(l.free) < mostFree {
		l.free = append(l.free, v)
	}
}
