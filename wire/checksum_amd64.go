//go:build !purego && !race

package wire

// vectorMin is from how many octets on AVX2 gains on 64-bit words, or is even (BenchmarkChecksumGain). Headers are shorter.
const vectorMin = 64

// vector is whether to use sumVector.
var vector = hasAVX2()

// hasAVX2 reports whether the processor has AVX2 and the system keeps its registers. There is golang.org/x/sys/cpu for this, but
// it is linked with all that it finds out.
func hasAVX2() bool

// sumVector returns a number that folds to the sum of b's words, read as little-endian ones. The length of b is a multiple
// of vectorLen, and at most vectorMax.
func sumVector(b []byte) uint64 { return sumAVX2(b) }

//go:noescape
func sumAVX2(b []byte) uint64
