package flow

import (
	"encoding/binary"
	"iter"

	"github.com/onlink-go/onlink/clock"
)

// The range ephemeral ports come from. RFC 6056, 3.2, asks for as much of 1024-65535 as can be had; this leaves
// the lower half to servers.
const (
	FirstEphemeral = 32768
	LastEphemeral  = 65535
)

// EphemeralPorts yields all ephemeral ports once, from a random one on (RFC 6056, 3.3.1).
func EphemeralPorts(rt clock.Runtime) iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		const n = LastEphemeral - FirstEphemeral + 1
		var b [2]byte
		rt.Entropy(b[:])
		first := int(binary.BigEndian.Uint16(b[:]))
		for i := range n {
			if !yield(uint16(FirstEphemeral + (first+i)%n)) {
				return
			}
		}
	}
}
