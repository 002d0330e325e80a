package dhcp6

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"fmt"
)

// Auth is an Authentication option (RFC 8415, 21.11).
//
//	|   protocol    |   algorithm   |      RDM      |               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+               |
//	|          replay detection (64 bits)           +-+-+-+-+-+-+-+-+
//	|                                               |               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+               |
//	.                   authentication information                  .
type Auth struct {
	Protocol, Algorithm, RDM uint8
	Replay                   uint64
	Info                     []byte

	at int // where Info begins in the message it was read from
}

const authLen = 11 // without the information

// The values of the Reconfiguration Key Authentication Protocol (RFC 8415, 20.4.1).
const (
	rkapProtocol  = 3
	rkapAlgorithm = 1 // HMAC-MD5
	rkapRDM       = 0 // a counter that only grows
	rkapKey       = 1 // the type of the information in a Reply: the key
	rkapDigest    = 2 // and in a Reconfigure: the digest
	rkapInfoLen   = 1 + 16
)

// parseAuth reads the option that begins at the given offset in its message.
func parseAuth(b []byte, at int) (*Auth, error) {
	if len(b) < authLen {
		return nil, fmt.Errorf("%d octets, not %d", len(b), authLen)
	}
	return &Auth{b[0], b[1], b[2], binary.BigEndian.Uint64(b[3:]), b[authLen:], at + authLen}, nil
}

func (a *Auth) append(b []byte) []byte {
	b = append(b, a.Protocol, a.Algorithm, a.RDM)
	b = binary.BigEndian.AppendUint64(b, a.Replay)
	return append(b, a.Info...)
}

// rkap returns the value of the given type, of 16 octets, that a has of RKAP; nil if it has none.
func (a *Auth) rkap(kind byte) []byte {
	if a == nil || a.Protocol != rkapProtocol || a.Algorithm != rkapAlgorithm || a.RDM != rkapRDM ||
		len(a.Info) != rkapInfoLen || a.Info[0] != kind {
		return nil
	}
	return a.Info[1:]
}

// authentic reports whether a message, of which a is the option, has the digest that the key makes of it.
//
// RFC 8415, 20.4.3: "the client computes an HMAC-MD5 over the Reconfigure message, with zeroes substituted for the HMAC-MD5
// field, using the reconfigure key received from the server. If this computed HMAC-MD5 matches the value in the Authentication
// option, the client accepts the Reconfigure message."
func (a *Auth) authentic(raw, key []byte) bool {
	digest := a.rkap(rkapDigest)
	if digest == nil {
		return false
	}
	h := hmac.New(md5.New, key)
	h.Write(raw[:a.at+1])
	h.Write(make([]byte, md5.Size))
	h.Write(raw[a.at+rkapInfoLen:])
	return hmac.Equal(h.Sum(nil), digest)
}
