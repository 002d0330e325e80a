package socket

import (
	"math/bits"
	"syscall"

	"github.com/onlink-go/onlink/internal/addrsel"
)

// Values of IPV6_ADDR_PREFERENCES (RFC 5014, 3), as Linux has them: which of several addresses a socket leaves from that is
// bound to none. Home and care-of addresses, and those made of a key, are not known here: what is set is kept and read, as
// far as Linux does.
const (
	IPV6_PREFER_SRC_TMP            = 0x1
	IPV6_PREFER_SRC_PUBLIC         = 0x2
	IPV6_PREFER_SRC_PUBTMP_DEFAULT = 0x100
	IPV6_PREFER_SRC_COA            = 0x4
	IPV6_PREFER_SRC_HOME           = 0x400
	IPV6_PREFER_SRC_CGA            = 0x8
	IPV6_PREFER_SRC_NONCGA         = 0x800
)

// sourcePrefs is the value of IPV6_ADDR_PREFERENCES, but for the bits that say that nothing is preferred.
type sourcePrefs uint8

// set takes the option. Of flags that exclude each other only one can be set: EINVAL (RFC 5014, 5). What v does not speak of is
// as if it had never been set, as in Linux.
func (p *sourcePrefs) set(v int) error {
	for _, exclusive := range [...]int{IPV6_PREFER_SRC_TMP | IPV6_PREFER_SRC_PUBLIC | IPV6_PREFER_SRC_PUBTMP_DEFAULT,
		IPV6_PREFER_SRC_COA | IPV6_PREFER_SRC_HOME, IPV6_PREFER_SRC_CGA | IPV6_PREFER_SRC_NONCGA} {
		if bits.OnesCount(uint(v&exclusive)) > 1 {
			return syscall.EINVAL
		}
	}
	*p = sourcePrefs(v & (IPV6_PREFER_SRC_TMP | IPV6_PREFER_SRC_PUBLIC | IPV6_PREFER_SRC_COA))
	return nil
}

// get returns the option's value.
func (p sourcePrefs) get() int {
	v := int(p)
	if v&(IPV6_PREFER_SRC_TMP|IPV6_PREFER_SRC_PUBLIC) == 0 {
		v |= IPV6_PREFER_SRC_PUBTMP_DEFAULT
	}
	if v&IPV6_PREFER_SRC_COA == 0 {
		v |= IPV6_PREFER_SRC_HOME
	}
	return v
}

// preferences returns what source address selection goes by.
func (p sourcePrefs) preferences() addrsel.Preferences {
	switch {
	case p&IPV6_PREFER_SRC_TMP != 0:
		return addrsel.PreferTemporary
	case p&IPV6_PREFER_SRC_PUBLIC != 0:
		return addrsel.PreferPublic
	}
	return 0
}
