package ip

import (
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink/internal/netif"
)

// RFC 4861, 6.3.4: "If the MTU option is present, hosts SHOULD copy the option's value into LinkMTU". It is IPv6's own.
func TestLinkMTU(t *testing.T) {
	b := newBed(t, setup{})
	ra := advert()
	ra.MTU = 1400
	b.advertise(ra)
	for _, q := range []struct {
		Query
		want int
	}{{Query{Dst: far6}, 1400}, {Query{Dst: far4}, 1500}, {Query{Dst: us6}, 65535}} {
		p, err := b.l.Route(0, q.Query)
		if err != nil || p.LinkMTU() != q.want {
			t.Errorf("to %v: %d octets, %v, want %d", q.Dst, p.LinkMTU(), err, q.want)
		}
	}
}

// RFC 6724, 4: "it is RECOMMENDED that the candidate source addresses be the set of unicast addresses assigned to the interface
// that will be used to send to the destination": an anycast address of ours is none, not even to itself.
func TestSourceToOwnAnycast(t *testing.T) {
	b := newBed(t, setup{})
	any := a6("2001:db8::aaaa")
	if err := b.l.AddAddress(2, netip.PrefixFrom(any.Netip(), 64), netif.AddressOptions{Anycast: true, NoDAD: true}); err != nil {
		t.Fatal(err)
	}
	p, err := b.l.Route(0, Query{Dst: any})
	if err != nil || !p.Local || p.Src != us6 {
		t.Errorf("from %v, local %v, %v; want %v", p.Src, p.Local, err, us6)
	}
}
