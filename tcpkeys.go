package onlink

import (
	"fmt"
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/tcpauth"
)

// TCPKeyAlgorithm says how the segments of a connection are authenticated.
type TCPKeyAlgorithm string

// The algorithms.
const (
	TCPKeySHA1   TCPKeyAlgorithm = "SHA1"   // TCP-AO with HMAC-SHA-1-96 (RFC 5926, 3.1.1.1); the default
	TCPKeyAES128 TCPKeyAlgorithm = "AES128" // TCP-AO with AES-128-CMAC-96 (RFC 5926, 3.1.1.2)
	TCPKeyMD5    TCPKeyAlgorithm = "MD5"    // the TCP MD5 Signature Option (RFC 2385), which old BGP speakers ask for
)

// TCPKey is a secret that two ends of TCP connections share, so that nobody else can send a segment in their name:
// TCP_MD5SIG and TCP_AO_ADD_KEY of Linux. Where a socket has a key for a peer, segments from there that are not authentic
// are dropped and counted. Several TCP-AO keys for a peer let it change from one to the next (RFC 5925, 6.1).
type TCPKey struct {
	Peer      netip.Prefix // whom it is shared with; of several the longest prefix counts
	Algorithm TCPKeyAlgorithm
	Secret    []byte // with MD5 up to 80 octets

	// With TCP-AO only.
	SendID, RecvID uint8 // the KeyID of segments sent with it, and of those received
	ExcludeOptions bool  // leave TCP's other options unprotected, for paths that change them
}

// TCPKeyStatus is the state of a connection's keys (RFC 5925, 7.1).
type TCPKeyStatus struct {
	Algorithm TCPKeyAlgorithm
	Current   uint8 // SendID of the key that signs what is sent
	Next      uint8 // RecvID of the key the peer is asked to sign with

	// Of the last segment that was authentic; Heard is false before there was one.
	Heard                 bool
	PeerCurrent, PeerNext uint8 // its KeyID and RNextKeyID
}

var keyAlgorithms = map[TCPKeyAlgorithm]tcpauth.Algorithm{"": tcpauth.HMACSHA1, TCPKeySHA1: tcpauth.HMACSHA1,
	TCPKeyAES128: tcpauth.AESCMAC, TCPKeyMD5: tcpauth.MD5}

// tcpKeys converts keys. The error names what is wrong.
func tcpKeys(keys []TCPKey) (*tcpauth.Keys, error) {
	var list []tcpauth.Key
	for _, k := range keys {
		a, ok := keyAlgorithms[k.Algorithm]
		if !ok {
			return nil, fmt.Errorf("tcp key for %v: unknown algorithm %q", k.Peer, k.Algorithm)
		}
		list = append(list, tcpauth.Key{Peer: k.Peer, Algorithm: a, Secret: k.Secret, SendID: k.SendID, RecvID: k.RecvID,
			ExcludeOptions: k.ExcludeOptions})
	}
	return tcpauth.NewKeys(list)
}

// SetKeys replaces the keys that the connections to come are authenticated with; none: they are not. Errors name the key
// that is wrong, or unwrap to [net.ErrClosed].
func (l *TCPListener) SetKeys(keys []TCPKey) error {
	ks, err := tcpKeys(keys)
	if err != nil {
		err = fmt.Errorf("%w: %w", err, syscall.EINVAL)
	} else {
		err = l.l.SetKeys(ks)
	}
	return opError("set", "tcp", nil, l.addr, err)
}

// SetKeys replaces the keys of a connection that was opened with some (RFC 5925, 7.1). Errors name the key that is wrong,
// or unwrap to [net.ErrClosed], or to EINVAL: the connection was opened without keys, or none of these is for its peer and
// of the kind, MD5 or TCP-AO, that it was opened with.
func (c *TCPConn) SetKeys(keys []TCPKey) error {
	ks, err := tcpKeys(keys)
	if err != nil {
		err = fmt.Errorf("%w: %w", err, syscall.EINVAL)
	} else {
		err = c.conn.SetKeys(ks)
	}
	return c.err("set", err)
}

// ChooseKey has what is sent from now on signed with the TCP-AO key that has sendID, and asks the peer to sign with the one
// that has recvID. Errors unwrap to [net.ErrClosed] or to EINVAL: there is no such key.
func (c *TCPConn) ChooseKey(sendID, recvID uint8) error {
	return c.err("set", c.conn.ChooseKey(sendID, recvID))
}

// KeyStatus returns the state of the connection's keys; false: it is not authenticated.
func (c *TCPConn) KeyStatus() (TCPKeyStatus, bool) {
	s, ok := c.conn.KeyStatus()
	return TCPKeyStatus{Algorithm: TCPKeyAlgorithm(s.Algorithm.String()), Current: s.Current, Next: s.Next, Heard: s.Heard,
		PeerCurrent: s.PeerCurrent, PeerNext: s.PeerNext}, ok
}
