//go:build !(amd64 || arm64) || purego || race

package wire

import "math"

// Here Checksum is all Go: no slice is long enough for sumVector.
const (
	vector    = false
	vectorMin = math.MaxInt
	vectorLen = 32
	vectorMax = math.MaxInt
)

func sumVector([]byte) uint64 { panic("unreachable") }
