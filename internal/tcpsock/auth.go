package tcpsock

import (
	"net"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpauth"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// newAuth returns what authenticates the connection key, or nil if keys has nothing for its peer.
func newAuth(keys *tcpauth.Keys, key *flow.Key, iss uint32) *tcpauth.Conn {
	return tcpauth.NewConn(keys, key.Local, key.Remote, key.LocalPort(), key.RemotePort(), iss)
}

// authentic reports whether segment p may be taken. If not, it counts it and drops it: RFC 5925, 7.3: "TCP segments whose
// TCP-AO does not validate MUST be silently discarded." RFC 2385, 2: "A failing comparison must result in the segment
// being dropped and must not produce any response back to the sender." sh locked.
func authentic(sh *shard.Shard, now clock.Instant, p *packet.Buffer, auth *tcpauth.Conn, seg *tcp.Segment) bool {
	why := mib.TcpAuthUnexpected
	switch {
	case auth != nil:
		switch auth.Check(p.Bytes()) {
		case tcpauth.Good:
			return true
		case tcpauth.Missing:
			why = mib.TcpAuthMissing
		case tcpauth.Bad, tcpauth.Contradicts:
			why = mib.TcpAuthBad
		}
	case !seg.Options.MD5:
		// RFC 5925, 7.3, of TCP-AO that matches no key: "The initial default of this configuration SHOULD be to silently
		// accept such connections."
		return true
	}
	sh.Counters.Drop(now, p, why)
	return false
}

// sign makes room in the header of segment, whose options end at at, for the option that auth adds, and has it signed. It
// comes before the others, as Linux has it.
func sign(auth *tcpauth.Conn, segment []byte, at int) {
	n := auth.OptionLen()
	segment[12] += byte(n/4) << 4 // Data Offset
	copy(segment[wire.TCPMinLen+n:at+n], segment[wire.TCPMinLen:at])
	auth.Sign(segment, wire.TCPMinLen)
}

// auth returns what authenticates a connection of l with key, or nil.
func (l *Listener) auth(key *flow.Key) *tcpauth.Conn {
	l.in.Lock()
	defer l.in.Unlock()
	return newAuth(l.keys, key, 0)
}

// SetKeys sets the keys that the listener's connections are authenticated with; those under way keep theirs. Errors:
// net.ErrClosed.
func (l *Listener) SetKeys(keys *tcpauth.Keys) error {
	l.in.Lock()
	defer l.in.Unlock()
	if l.in.Closed() {
		return net.ErrClosed
	}
	l.keys = keys
	return nil
}

// Keys returns the keys that SetKeys has set.
func (l *Listener) Keys() *tcpauth.Keys {
	l.in.Lock()
	defer l.in.Unlock()
	return l.keys
}

// SetKeys replaces the keys of a connection that is authenticated. Errors: net.ErrClosed; EINVAL if it was opened without,
// if keys has none for its peer, or if those are of the other kind: what a segment has room for is fixed when the
// connection is opened.
func (c *Conn) SetKeys(keys *tcpauth.Keys) error {
	return c.do(func(clock.Instant) error {
		if c.auth == nil || !c.auth.SetKeys(keys) {
			return syscall.EINVAL
		}
		return nil
	})
}

// ChooseKey has what is sent from now on signed with the key of the given SendID, and asks the peer for the one of the
// given RecvID (RFC 5925, 6.1). Errors: net.ErrClosed, EINVAL: there is no such key.
func (c *Conn) ChooseKey(sendID, recvID uint8) error {
	return c.do(func(clock.Instant) error {
		if c.auth == nil || !c.auth.Choose(sendID, recvID) {
			return syscall.EINVAL
		}
		return nil
	})
}

// KeyStatus returns the state of the connection's keys; false: it is not authenticated.
func (c *Conn) KeyStatus() (tcpauth.Status, bool) {
	c.sh.Lock()
	defer c.sh.Unlock()
	if c.auth == nil {
		return tcpauth.Status{}, false
	}
	return c.auth.Status(), true
}
