package nd

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// iidBits is the length of interface identifiers on Ethernet (RFC 2464, 4).
const iidBits = 64

// IDGenRetries is how many other interface identifiers are tried after one that is a duplicate. RFC 7217, 6: "Hosts
// SHOULD try at least IDGEN_RETRIES (see Section 7) tentative addresses if DAD fails for successive generated addresses
// … hosts MUST limit the number of tentative addresses that are tried".
const IDGenRetries = 3

// StableIID returns the interface identifier of RFC 7217, 5, for the first 64 bits of prefix.
//
// "RID = F(Prefix, Net_Iface, Network_ID, DAD_Counter, secret_key)". F is HMAC-SHA-256, Net_Iface the interface's name:
// it stays when a device is made anew with another hardware address. There is no Network_ID, which "is OPTIONAL".
func StableIID(secret netif.Secret, prefix wire.Addr, iface string, dadCounter uint8) uint64 {
	h := hmac.New(sha256.New, secret[:])
	var b [9]byte
	binary.BigEndian.PutUint64(b[:], prefix.Hi)
	b[8] = dadCounter
	h.Write(b[:])
	h.Write([]byte(iface))
	sum := h.Sum(nil)
	// "as many bits from the RID value … as necessary, starting from the least significant bit."
	return binary.BigEndian.Uint64(sum[len(sum)-8:])
}

// ReservedIID reports whether iid is one of those that no unicast address of a host may have: RFC 5453, 3, and IANA's
// registry "Reserved IPv6 Interface Identifiers".
func ReservedIID(iid uint64) bool {
	switch {
	case iid == 0: // Subnet-Router Anycast (RFC 4291, 2.6.1)
		return true
	case iid>>24 == 0x0200_5eff_fe: // IANA's Ethernet block (RFC 7042), Proxy Mobile IPv6 among it
		return true
	case iid >= 0xfdff_ffff_ffff_ff80 && iid <= 0xfdff_ffff_ffff_ffff: // Reserved Subnet Anycast (RFC 2526)
		return true
	}
	return false
}
