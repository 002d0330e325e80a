package tcpsock

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
)

// isn returns the initial sequence number and the timestamp offset of a connection.
//
// RFC 6528, 3: "ISN = M + F(localip, localport, remoteip, remoteport, secretkey) where M is the 4 microsecond
// timer, and F() is a pseudorandom function (PRF) of the connection-id." RFC 7323, 5.4, suggests the like for
// the timestamp clock's offset.
func (t *Layer) isn(now clock.Instant, k *flow.Key) (iss, tsOffset uint32) {
	var b [16 + 16 + 16 + 8]byte
	copy(b[:], t.secret[:])
	k.Local.Put16(b[16:])
	k.Remote.Put16(b[32:])
	binary.BigEndian.PutUint32(b[48:], k.Ports)
	binary.BigEndian.PutUint32(b[52:], k.Scope)
	f := sha256.Sum256(b[:])
	m := uint32(now.Duration() / (4 * time.Microsecond))
	if !t.Settings().TCP.NoTimestampOffset {
		tsOffset = binary.BigEndian.Uint32(f[4:])
	}
	return m + binary.BigEndian.Uint32(f[:]), tsOffset
}
