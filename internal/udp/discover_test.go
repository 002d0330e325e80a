package udp

import (
	"errors"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/wire"
)

// Linux's IP_MTU_DISCOVER, by what becomes of a datagram of a size.
func TestFit(t *testing.T) {
	r := newRig(t)
	s := r.open(Config{Bound: to(us4, 7), Remote: flow.Endpoint{Addr: peer4, Port: 53}})
	link := s.path.Load()
	for _, c := range []struct {
		d      Discover
		size   int // of the datagram less that of the link
		df, ok bool
	}{
		{Want, 0, true, true}, {Want, 1, false, true}, {Dont, 0, false, true}, {Dont, 1, false, true}, {Do, 0, true, true}, {Do, 1, false, false},
		{Probe, 0, true, true}, {Probe, 1, false, false}, {Interface, 0, false, true}, {Interface, 1, false, false}, {Omit, 0, false, true}, {Omit, 1, false, true},
	} {
		var p ip.Params
		err := s.fit(link, link.MTU-wire.IPv4MinLen-wire.UDPLen+c.size, c.d, &p)
		if err == nil != c.ok || p.DontFragment != c.df {
			t.Errorf("%d, %+d: DF %v, %v", c.d, c.size, p.DontFragment, err)
		}
		if e, ok := errors.AsType[*TooBig](err); err != nil && (!ok || e.MTU != link.MTU || !errors.Is(err, syscall.EMSGSIZE)) {
			t.Errorf("%d: %v", c.d, err)
		}
	}
}

// RFC 8201, 6: what no socket sent is not believed.
func TestVouches(t *testing.T) {
	r := newRig(t)
	r.open(Config{Bound: to(us4, 7), Remote: flow.Endpoint{Addr: peer4, Port: 53}})
	wild := r.open(Config{Bound: to(us4, 8)})
	if err := wild.Send([]byte("x"), flow.Endpoint{Addr: peer4, Port: 99}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		sport, dport uint16
		dst          wire.Addr
		want         bool
	}{
		{7, 53, peer4, true}, {7, 54, peer4, false}, {7, 53, far, false}, {8, 99, peer4, true}, {8, 98, peer4, false}, {8, 99, far, false}, {9, 53, peer4, false},
	} {
		b := make([]byte, wire.UDPLen)
		wire.PutUDP(b, c.sport, c.dport, len(b))
		if got := r.udp.Vouches(r.sh, &ip.Error{Src: us4, Dst: c.dst, Quote: b}); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if r.udp.Vouches(r.sh, &ip.Error{Src: us4, Dst: peer4, Quote: make([]byte, 3)}) {
		t.Error("too little quoted")
	}
}
