package ip

import (
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// RFC 3927, 2.6.2: "If for any reason the host chooses to send the packet with an IPv4 Link-Local source address …, then it MUST
// ARP for the destination address". 2.7: such packets "MUST NOT be sent to any router for forwarding". That nobody answers is no
// reason to.
func TestLinkLocalSourceNeverByRouter(t *testing.T) {
	b := newBed(t, setup{})
	ll := a4("169.254.7.7")
	if err := b.l.AddAddress(2, netip.MustParsePrefix("169.254.7.7/16"), netif.AddressOptions{}); err != nil {
		t.Fatal(err)
	}
	b.eth0.take()
	if err := b.out(Query{Src: ll, Dst: far4}, Params{Proto: wire.ProtoUDP}, make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	b.pass(10 * time.Second)
	frames := b.eth0.take()
	if len(frames) == 0 {
		t.Error("nobody was asked")
	}
	for _, f := range frames {
		if h := wire.Ethernet(f); h.EtherType() != wire.EtherTypeARP {
			t.Errorf("it went to %v: %x", h.Dst(), f)
		}
	}
}
