package tcpsock

import (
	"encoding/binary"
	"math"
	"sync"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/mib"
)

// challengeLimit bounds the challenge ACKs of all connections: RFC 5961, 7: "The system administrator can configure the
// number of challenge ACKs that can be sent out in a given interval." A bound that can be foreseen tells those who count
// the answers on a connection of their own what others get, so each second's is drawn anew.
type challengeLimit struct {
	mu     sync.Mutex // a leaf
	second int64      // 1 more than that of now, so that 0 is none
	left   uint32
}

// mayChallenge reports whether one more challenge ACK may be sent now, by the setting tcp_challenge_ack_limit. sh locked.
func (t *Layer) mayChallenge(sh *shard.Shard, now clock.Instant) bool {
	if n := t.Settings().TCP.ChallengeACKLimit; n < math.MaxInt32 && !t.challenges.take(t.rt, now, uint32(max(n, 0))) {
		return false
	}
	sh.Counters.Inc(mib.TcpExtTCPChallengeACK)
	return true
}

// take takes one of the challenge ACKs of this second, if any is left of limit: from half of it to one and a half.
func (l *challengeLimit) take(rt clock.Runtime, now clock.Instant, limit uint32) bool {
	if limit == 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if second := int64(now.Duration()/time.Second) + 1; second != l.second {
		l.second = second
		var b [4]byte
		rt.Entropy(b[:])
		l.left = (limit+1)/2 + binary.LittleEndian.Uint32(b[:])%limit
	}
	if l.left == 0 {
		return false
	}
	l.left--
	return true
}
