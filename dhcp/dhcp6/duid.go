package dhcp6

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/onlink-go/onlink/wire"
)

// DUID is a DHCP Unique Identifier: what servers know a client by, and clients a server (RFC 8415, 11). It is compared, and not
// looked into. A client keeps its own: whoever makes one that contains the time, or is random, stores it.
type DUID []byte

// The lengths of a DUID with its type. RFC 8415, 11.1: "The length of the DUID (not including the type code) is at least 1 octet
// and at most 128 octets."
const (
	minDUID = 2 + 1
	maxDUID = 2 + 128
)

// ethernet is the hardware type of Ethernet, as ARP has it.
const ethernet = 1

// epoch is where DUID-LLT counts its seconds from. RFC 8415, 11.2: "The time value is the time that the DUID is generated,
// represented in seconds since midnight (UTC), January 1, 2000, modulo 2^32."
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// NewDUIDLLT makes a DUID of a link-layer address and the time (RFC 8415, 11.2).
func NewDUIDLLT(mac wire.MAC, now time.Time) DUID {
	d := []byte{0, 1, 0, ethernet}
	d = binary.BigEndian.AppendUint32(d, uint32(now.Unix()-epoch.Unix()))
	return append(d, mac[:]...)
}

// NewDUIDLL makes a DUID of a link-layer address (RFC 8415, 11.4): it need not be stored where the address does not change.
func NewDUIDLL(mac wire.MAC) DUID { return append([]byte{0, 3, 0, ethernet}, mac[:]...) }

// NewDUIDUUID makes a DUID of a UUID (RFC 8415, 11.5; RFC 6355).
func NewDUIDUUID(uuid [16]byte) DUID { return append([]byte{0, 4}, uuid[:]...) }

// Equal reports whether two DUIDs are one.
func (d DUID) Equal(o DUID) bool { return bytes.Equal(d, o) }

// String writes the octets as hexadecimal digits with colons between them.
func (d DUID) String() string {
	s := make([]byte, 0, 3*len(d))
	for i, o := range d {
		if i > 0 {
			s = append(s, ':')
		}
		s = hex.AppendEncode(s, []byte{o})
	}
	return string(s)
}

// MarshalText returns the String.
func (d DUID) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads hexadecimal digits, with colons between the octets or without.
func (d *DUID) UnmarshalText(b []byte) error {
	raw, err := hex.DecodeString(string(bytes.ReplaceAll(b, []byte(":"), nil)))
	if err == nil {
		err = DUID(raw).check()
	}
	if err != nil {
		return fmt.Errorf("%q is not a DUID in hexadecimal digits, like 00:03:00:01:02:00:00:00:00:01", b)
	}
	*d = raw
	return nil
}

func (d DUID) check() error {
	if len(d) < minDUID || len(d) > maxDUID {
		return fmt.Errorf("a DUID of %d octets", len(d))
	}
	return nil
}
