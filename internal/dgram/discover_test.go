package dgram

import (
	"errors"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// Linux's IP_MTU_DISCOVER, by what becomes of a datagram of a size.
func TestFit(t *testing.T) {
	link := &ip.Path{Dst: wire.Addr4(192, 0, 2, 2), MTU: 1500, If: &netif.Interface{MTU: 1500}}
	for _, c := range []struct {
		d      Discover
		size   int // of the datagram less that of the link
		df, ok bool
	}{
		{Want, 0, true, true}, {Want, 1, false, true}, {Dont, 0, false, true}, {Dont, 1, false, true}, {Do, 0, true, true}, {Do, 1, false, false},
		{Probe, 0, true, true}, {Probe, 1, false, false}, {Interface, 0, false, true}, {Interface, 1, false, false}, {Omit, 0, false, true}, {Omit, 1, false, true},
	} {
		var p ip.Params
		err := new(Socket).fit(link, link.MTU-wire.IPv4MinLen+c.size, &SendOptions{Discover: c.d}, &p)
		if err == nil != c.ok || p.DontFragment != c.df {
			t.Errorf("%d, %+d: DF %v, %v", c.d, c.size, p.DontFragment, err)
		}
		if e, ok := errors.AsType[*TooBig](err); err != nil && (!ok || e.MTU != link.MTU || !errors.Is(err, syscall.EMSGSIZE)) {
			t.Errorf("%d: %v", c.d, err)
		}
	}
}
