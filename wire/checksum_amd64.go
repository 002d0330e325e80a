//go:build !purego && !race

package wire

import "golang.org/x/sys/cpu"

// vectorMin is from how many octets on AVX2 gains on 64-bit words, or is even (BenchmarkChecksumGain). Headers are shorter.
const vectorMin = 64

// vector is whether to use sumVector.
var vector = cpu.X86.HasAVX2

// sumVector returns a number that folds to the sum of b's words, read as little-endian ones. The length of b is a multiple
// of vectorLen, and at most vectorMax.
func sumVector(b []byte) uint64 { return sumAVX2(b) }

//go:noescape
func sumAVX2(b []byte) uint64
