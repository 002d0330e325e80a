package onlink_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/onlink-go/onlink"
)

// A listener may be told where to listen by a name of the stack's own, and asks no server for others.
func TestListenByName(t *testing.T) {
	s := newStack(t, onlink.Config{Hosts: map[string][]netip.Addr{"Us.Example": {netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("::1")},
		"six.example": {netip.MustParseAddr("::1")}}})
	for _, c := range []struct{ network, address, want, fault string }{
		{"tcp", "localhost:80", "[::1]:80", ""},
		{"tcp4", "localhost:80", "127.0.0.1:80", ""},
		{"tcp", "us.example.:81", "127.0.0.2:81", ""},
		{"tcp6", "us.example:81", "[::1]:81", ""},
		{"tcp", "www.example:82", "", "www.example: neither an address, nor a name in Config.Hosts"},
		{"tcp4", "six.example:82", "", "six.example: a name in Config.Hosts without an address of network tcp4"},
	} {
		l, err := s.Listen(t.Context(), c.network, c.address)
		switch {
		case c.fault != "":
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%s %s: %v, want %q", c.network, c.address, err, c.fault)
			}
		case err != nil:
			t.Errorf("%s %s: %v", c.network, c.address, err)
		case l.Addr().String() != c.want:
			t.Errorf("%s %s: listens on %v, want %s", c.network, c.address, l.Addr(), c.want)
		}
	}
}
