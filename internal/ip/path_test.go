package ip

import "testing"

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
