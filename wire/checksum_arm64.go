//go:build !purego && !race

package wire

// vectorMin is from how many octets on NEON is used: a guess, on the safe side.
const vectorMin = 128

// vector is whether to use sumVector. Every arm64 that Go runs on has NEON.
var vector = true

// sumVector returns a number that folds to the sum of b's words, read as little-endian ones. The length of b is a multiple
// of vectorLen, and at most vectorMax.
func sumVector(b []byte) uint64 { return sumNEON(b) }

//go:noescape
func sumNEON(b []byte) uint64
