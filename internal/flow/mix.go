package flow

const golden = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio

// Mix makes of x a number every bit of which depends on every bit of x: the function of splitmix64 (Steele, Lea and Flood,
// 2014).
func Mix(x uint64) uint64 {
	x += golden
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Draw returns the next number of a sequence of splitmix64, and moves state on. Each value that state begins with has another
// sequence.
func Draw(state *uint64) uint64 {
	drawn := Mix(*state)
	*state += golden
	return drawn
}
