//go:build (amd64 || arm64) && !purego && !race

package wire

// The race detector does not see what assembly reads: with it, as with the build tag purego, there is none.

const (
	vectorLen = 32      // sumVector takes a multiple of so many octets
	vectorMax = 1 << 30 // and no more than so many: it counts on 64 bits being enough for the sum of all 32-bit words
)
