package tcpsock

import (
	"encoding/binary"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
)

// isn returns the initial sequence number and the timestamp offset of a connection.
//
// RFC 6528, 3: "ISN = M + F(localip, localport, remoteip, remoteport, secretkey) where M is the 4 microsecond
// timer, and F() is a pseudorandom function (PRF) of the connection-id." RFC 7323, 5.4, suggests the like for
// the timestamp clock's offset. F is SipHash, as in Linux.
func (t *Layer) isn(now clock.Instant, k *flow.Key) (iss, tsOffset uint32) {
	var b [16 + 16 + 8]byte
	k.Local.Put16(b[:])
	k.Remote.Put16(b[16:])
	binary.BigEndian.PutUint32(b[32:], k.Ports)
	binary.BigEndian.PutUint32(b[36:], k.Scope)
	f := sipHash(&t.secret, b[:])
	m := uint32(now.Duration() / (4 * time.Microsecond))
	if !t.Settings().TCP.NoTimestampOffset {
		tsOffset = uint32(f >> 32)
	}
	return m + uint32(f), tsOffset
}
