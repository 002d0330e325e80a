package ip

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// What the link does not accept waits, in order and bounded, until it is ready.
func TestEgressBlocked(t *testing.T) {
	b := newBed(t, setup{cfg: netif.Config{TxQueue: 100}})
	path, _ := b.l.Route(0, Query{Dst: peer4})
	put := func(n int) {
		for i := range n {
			b.send(path, Params{Proto: 17}, []byte{byte(i >> 8), byte(i)})
		}
	}
	b.eth0.room = 5
	put(300)
	if len(b.eth0.sent) != 5 {
		t.Fatalf("%d sent", len(b.eth0.sent))
	}
	// One was handed back by the link, and 100 wait behind it.
	if n := b.values().Dropped(mib.LinkQueueFull); n != 300-5-101 {
		t.Errorf("%d dropped", n)
	}
	b.eth0.room = 50
	b.eth0.r.Ready(0)
	if len(b.eth0.sent) != 55 {
		t.Errorf("%d sent", len(b.eth0.sent))
	}
	b.eth0.room = -1
	b.eth0.r.Ready(0)
	if len(b.eth0.sent) != 106 {
		t.Errorf("%d sent", len(b.eth0.sent))
	}
	for i, f := range b.eth0.take() {
		if got := int(f[len(f)-2])<<8 | int(f[len(f)-1]); got != i {
			t.Fatalf("frame %d is number %d", i, got)
		}
	}
	b.eth0.r.Ready(0) // with nothing waiting
	put(3)
	if len(b.eth0.take()) != 3 {
		t.Error("stuck")
	}
}

// hasty is a cable that refuses what it is given first, and says Ready before Send returns.
type hasty struct {
	*cable
	refused bool
}

func (h *hasty) Send(q int, b *packet.Batch) error {
	if !h.refused {
		h.refused = true
		h.r.Ready(q)
		return nil
	}
	return h.cable.Send(q, b)
}

// A Ready that comes while a goroutine is still sending is not lost.
func TestEgressReadyWithinSend(t *testing.T) {
	b := newBed(t, setup{})
	h := &hasty{cable: newCable(us1MAC), refused: true}
	i, err := b.l.AddInterface("hasty", h, netif.Config{DupAddrDetectTransmits: -1})
	if err != nil {
		t.Fatal(err)
	}
	h.take()
	h.refused = false
	if err := b.out(Query{Dst: wire.AllNodes6, Scope: uint32(i.Index)}, Params{Proto: 17}, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if len(h.take()) != 1 {
		t.Error("stuck")
	}
}

func TestEgressError(t *testing.T) {
	b := newBed(t, setup{})
	path, _ := b.l.Route(0, Query{Dst: peer4})
	b.eth0.room = 0
	b.send(path, Params{Proto: 17}, []byte("one"))
	b.send(path, Params{Proto: 17}, []byte("two"))
	b.eth0.err = link.ErrClosed
	b.eth0.r.Ready(0)
	if n := b.values().Dropped(mib.LinkError); n != 2 {
		t.Errorf("%d dropped", n)
	}
	b.send(path, Params{Proto: 17}, []byte("three"))
	if n := b.values().Dropped(mib.LinkError); n != 3 {
		t.Errorf("%d dropped", n)
	}
}

func TestRemoveInterface(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	path, _ := b.l.Route(0, Query{Dst: peer4})
	b.in(b.eth0, in4(ip4(peer4, us4, 17, udp(peer4, us4, "x"))))
	b.eth0.room = 0
	b.send(path, Params{Proto: 17}, []byte("waits"))
	b.out(Query{Dst: new4}, Params{Proto: 17}, []byte("waits for its neighbor"))
	before := b.values().Get(mib.IpInReceives)
	r := b.eth0.r
	if err := b.l.RemoveInterface(2); err != nil {
		t.Fatal(err)
	}
	if b.eth0.r != nil || !b.eth0.closed || b.l.Valid(path) || b.l.Assigned(us4, 0) || b.l.Snapshot().Interface(2) != nil {
		t.Error("still there")
	}
	for _, rt := range b.l.Routes() {
		if rt.Out == 2 {
			t.Errorf("route %v", rt)
		}
	}
	v := b.values()
	if v.Get(mib.IpInReceives) != before || v.Dropped(mib.LinkDown) != 3 { // the ARP request too
		t.Errorf("%d received, %d dropped", v.Get(mib.IpInReceives), v.Dropped(mib.LinkDown))
	}
	// Packets and frames that are late.
	b.send(path, Params{Proto: 17}, []byte("late"))
	b.eth0.r = r
	b.in(b.eth0, in4(ip4(peer4, us4, 17, udp(peer4, us4, "x"))))
	r.Changed(b.eth0.info)
	r.Ready(0)
	if b.udp.n != 1 || b.values().Dropped(mib.LinkDown) != 4 {
		t.Error("late ones were not dropped")
	}
	if err := b.l.RemoveInterface(2); !errors.Is(err, syscall.ENODEV) {
		t.Error(err)
	}
	if err := b.l.RemoveInterface(1); !errors.Is(err, syscall.EINVAL) {
		t.Error(err)
	}
	if err := b.l.DetachInterface(3); err != nil || b.eth1.closed || b.eth1.r != nil {
		t.Error("not detached", err)
	}
}

func TestClose(t *testing.T) {
	b := newBed(t, setup{dad: true})
	data := pattern(64)
	b.in(b.eth0, piece4(1, data, 0, 24), piece6(1, data, 0, 24))
	b.out(Query{Dst: new4}, Params{Proto: 17}, []byte("waits"))
	if err := b.l.Close(); err != nil || !b.eth0.closed {
		t.Error(err)
	}
	b.eth0.take()
	b.sim.RunUntilIdle()
	if len(b.eth0.take()) != 0 || b.l.fragments.memory.used != 0 {
		t.Error("not quiet")
	}
	if _, err := b.l.AddInterface("x", newCable(usMAC), netif.Config{}); err != link.ErrClosed {
		t.Error(err)
	}
}

func TestConfigurationErrors(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	small := newCable(usMAC)
	small.info.MTU = 60
	taken := newCable(usMAC)
	taken.r = b.l.devices[1]
	for _, c := range []struct {
		name string
		lk   *cable
		err  error
	}{{"eth0", newCable(usMAC), syscall.EEXIST}, {"lo", newCable(usMAC), syscall.EEXIST}, {"", newCable(usMAC), syscall.EINVAL},
		{"a%b", newCable(usMAC), syscall.EINVAL}, {"a b", newCable(usMAC), syscall.EINVAL}, {"small", small, syscall.EINVAL}, {"taken", taken, link.ErrAttached}} {
		before := len(b.l.Snapshot().Interfaces)
		if _, err := b.l.AddInterface(c.name, c.lk, netif.Config{}); !errors.Is(err, c.err) {
			t.Errorf("%q: %v", c.name, err)
		}
		if len(b.l.Snapshot().Interfaces) != before || c.lk.closed {
			t.Errorf("%q left something behind", c.name)
		}
	}
	for _, c := range []struct {
		index int32
		p     string
		err   error
	}{{2, "192.0.2.2/24", syscall.EEXIST}, {9, "192.0.2.3/24", syscall.ENODEV}, {2, "0.0.0.0/0", syscall.EINVAL}, {2, "224.0.0.1/32", syscall.EINVAL},
		{2, "255.255.255.255/32", syscall.EINVAL}, {2, "127.0.0.2/8", syscall.EINVAL}, {2, "::1/128", syscall.EINVAL}, {2, "::/0", syscall.EINVAL},
		{2, "ff02::1/128", syscall.EINVAL}, {2, "192.0.2.255/24", syscall.EINVAL}, {2, "192.0.2.0/24", syscall.EINVAL}, {2, "::ffff:1.2.3.4/128", syscall.EINVAL},
		{1, "10.0.0.1/32", nil}, {2, "192.0.2.4/31", nil}} {
		if err := b.l.AddAddress(c.index, netip.MustParsePrefix(c.p), netif.AddressOptions{}); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.p, err)
		}
	}
	if err := b.l.AddAddress(2, netip.Prefix{}, netif.AddressOptions{}); !errors.Is(err, syscall.EINVAL) {
		t.Error(err)
	}
	if err := b.l.RemoveAddress(2, netip.MustParseAddr("1.2.3.4")); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Error(err)
	}
	for _, c := range []struct {
		prefix, gateway string
		out             int32
		err             error
	}{{"0.0.0.0/0", "192.0.2.1", 2, syscall.EEXIST}, {"10.0.0.0/8", "203.0.113.1", 0, syscall.ENETUNREACH}, {"10.0.0.0/8", "2001:db8::1", 0, syscall.EINVAL},
		{"10.0.0.0/8", "192.0.2.2", 0, syscall.EINVAL}, {"10.0.0.0/8", "", 0, syscall.EINVAL}, {"10.0.0.0/8", "", 9, syscall.ENODEV},
		{"2001:db8:5::/48", "fe80::1", 0, syscall.ENETUNREACH}, {"2001:db8:5::/48", "fe80::1", 3, nil}, {"10.0.0.0/8", "198.51.100.7", 0, nil}, {"10.1.0.0/16", "", 2, nil}} {
		r := route.Route{Prefix: netip.MustParsePrefix(c.prefix), Out: c.out}
		if c.gateway != "" {
			r.Gateway = netip.MustParseAddr(c.gateway)
		}
		if err := b.l.AddRoute(r); !errors.Is(err, c.err) {
			t.Errorf("%v: %v", r, err)
		} else if err == nil {
			if err := b.l.RemoveRoute(r); err != nil {
				t.Error(err)
			}
			if err := b.l.RemoveRoute(r); !errors.Is(err, syscall.ESRCH) {
				t.Error(err)
			}
		}
	}
	// A route can be removed when its gateway is on no link any more.
	if err := b.l.RemoveAddress(2, netip.MustParseAddr("192.0.2.2")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []error{nil, syscall.ESRCH} {
		if err := b.l.RemoveRoute(route.Route{Prefix: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("192.0.2.1")}); !errors.Is(err, want) {
			t.Error(err)
		}
	}
	if err := b.l.RemoveRoute(route.Route{}); !errors.Is(err, syscall.EINVAL) {
		t.Error(err)
	}
}
