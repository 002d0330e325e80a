package onlink

import "github.com/onlink-go/onlink/internal/addrsel"

// SourcePreference is which of an interface's IPv6 addresses connections and datagrams leave from that are bound to none: the
// temporary ones (RFC 8981), which are hard to follow, or the public ones, which last (RFC 5014, 3). It decides where rules
// 1 to 6 of RFC 6724, 5, have not.
type SourcePreference uint8

// The preferences.
const (
	AnySource       SourcePreference = iota // as the interface is configured: IPv6Config.Temporary
	PublicSource                            // IPV6_PREFER_SRC_PUBLIC
	TemporarySource                         // IPV6_PREFER_SRC_TMP
)

func (p SourcePreference) preferences() addrsel.Preferences {
	switch p {
	case PublicSource:
		return addrsel.PreferPublic
	case TemporarySource:
		return addrsel.PreferTemporary
	}
	return 0
}

// SetSourcePreference sets which addresses the socket's datagrams leave from, if it is neither bound to one nor connected. It
// returns nil.
func (c *UDPConn) SetSourcePreference(p SourcePreference) error {
	c.sock.SetSourcePrefs(p.preferences())
	return nil
}
