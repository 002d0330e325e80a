package tcpauth

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/onlink-go/onlink/wire"
)

// Algorithm says how segments are authenticated.
type Algorithm uint8

const (
	MD5      Algorithm = iota // the MD5 Signature Option (RFC 2385)
	HMACSHA1                  // TCP-AO with KDF_HMAC_SHA1 and HMAC-SHA-1-96 (RFC 5926, 3.1.1.1, 3.2.1)
	AESCMAC                   // TCP-AO with KDF_AES_128_CMAC and AES-128-CMAC-96 (RFC 5926, 3.1.1.2, 3.2.2)
)

func (a Algorithm) String() string {
	switch a {
	case MD5:
		return "MD5"
	case HMACSHA1:
		return "SHA1" // RFC 5926, 3.1.1.3: "UIs SHOULD refer to the choice of KDF_HMAC_SHA1 as simply "SHA1""
	case AESCMAC:
		return "AES128"
	}
	return fmt.Sprintf("Algorithm(%d)", uint8(a))
}

// Key is a secret shared with peers: an MD5 key, or a Master Key Tuple of TCP-AO (RFC 5925, 3.1). It must not be changed
// once it is in a Keys.
type Key struct {
	Peer      netip.Prefix // whom it is shared with
	Algorithm Algorithm
	Secret    []byte // of an MD5 key up to 80 octets, as Linux has it

	// TCP-AO only.
	SendID, RecvID uint8 // the KeyID of segments sent, and of segments received
	// ExcludeOptions leaves TCP's other options out of the MAC, for paths that change them (RFC 5925, 3.1, the TCP
	// option flag).
	ExcludeOptions bool
}

const maxMD5Secret = 80

func (k *Key) validate() error {
	switch {
	case !k.Peer.IsValid():
		return errors.New("tcp key: invalid peer prefix")
	case k.Algorithm > AESCMAC:
		return fmt.Errorf("tcp key for %v: unknown algorithm %d", k.Peer, k.Algorithm)
	case len(k.Secret) == 0:
		return fmt.Errorf("tcp key for %v: no secret", k.Peer)
	case k.Algorithm == MD5 && len(k.Secret) > maxMD5Secret:
		return fmt.Errorf("tcp key for %v: an MD5 secret of %d octets, the most is %d", k.Peer, len(k.Secret), maxMD5Secret)
	}
	return nil
}

// Keys are the keys of a socket. They do not change: to change them, make new ones. A nil Keys has none.
type Keys struct {
	all []*Key // the longest prefixes first
}

// NewKeys returns Keys of the given ones, copied. Errors name the key that is wrong, or two that a segment could not tell
// apart: RFC 5925, 3.1: "The IDs of MKTs MUST NOT overlap where their TCP connection identifiers overlap"; also where MD5 and
// TCP-AO are for the same peer: "TCP-AO and TCP MD5 are never permitted to be used simultaneously".
func NewKeys(keys []Key) (*Keys, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	ks := &Keys{}
	for i := range keys {
		k := keys[i]
		if err := k.validate(); err != nil {
			return nil, err
		}
		k.Peer = netip.PrefixFrom(k.Peer.Addr().Unmap(), k.Peer.Bits()).Masked()
		if !k.Peer.IsValid() {
			return nil, fmt.Errorf("tcp key for %v: an IPv4-mapped prefix must be given as IPv4", keys[i].Peer)
		}
		k.Secret = slices.Clone(k.Secret)
		for _, other := range ks.all {
			if err := k.conflict(other); err != nil {
				return nil, err
			}
		}
		i := 0
		for i < len(ks.all) && ks.all[i].Peer.Bits() >= k.Peer.Bits() {
			i++
		}
		ks.all = slices.Insert(ks.all, i, &k)
	}
	return ks, nil
}

// conflict returns why k and other cannot be in one Keys.
func (k *Key) conflict(other *Key) error {
	switch {
	case !k.Peer.Overlaps(other.Peer):
		return nil
	case (k.Algorithm == MD5) != (other.Algorithm == MD5):
		return fmt.Errorf("tcp key: both MD5 and TCP-AO for %v", k.Peer)
	case k.Algorithm == MD5 && k.Peer == other.Peer:
		return fmt.Errorf("tcp key: two MD5 keys for %v", k.Peer)
	case k.Algorithm != MD5 && k.SendID == other.SendID:
		return fmt.Errorf("tcp key: two keys for %v with SendID %d", k.Peer, k.SendID)
	case k.Algorithm != MD5 && k.RecvID == other.RecvID:
		return fmt.Errorf("tcp key: two keys for %v with RecvID %d", k.Peer, k.RecvID)
	}
	return nil
}

// All returns the keys, for whoever wants to see them; they must not be changed.
func (ks *Keys) All() []*Key {
	if ks == nil {
		return nil
	}
	return ks.all
}

// find returns the first key for peer that match accepts: that of the longest prefix.
func (ks *Keys) find(peer wire.Addr, match func(*Key) bool) *Key {
	if ks == nil {
		return nil
	}
	a := peer.Netip()
	for _, k := range ks.all {
		if k.Peer.Contains(a) && match(k) {
			return k
		}
	}
	return nil
}

// For reports whether there is a key for peer.
func (ks *Keys) For(peer wire.Addr) bool {
	return ks.find(peer, func(*Key) bool { return true }) != nil
}
