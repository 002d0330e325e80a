package sim_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

// What is sent to a subnet's routers (RFC 4291, 2.6.1): an echo request and a datagram are answered from a unicast address, and
// a connection is not made, since nothing may come from an anycast address: as with Linux, nobody is told.
func TestSubnetRouterAnycast(t *testing.T) {
	n := sim.New(1)
	t.Cleanup(n.Stop)
	host, router := n.Host("host"), n.Router("router")
	cable := n.Wire(host.Port("eth0", "2001:db8:a::9/64"), router.Port("eth0", "2001:db8:a::1/64"), sim.Line{Delay: time.Millisecond})
	n.RunFor(5 * time.Second)
	tcp, replies := 0, 0
	cable.Filter(func(from *sim.Node, frame []byte) bool {
		if h, err := wire.CheckIPv6(frame[wire.EthernetLen:]); err == nil && from == router {
			if h.Src() == wire.AddrFrom(netip.MustParseAddr("2001:db8:a::")) {
				t.Errorf("a packet from the anycast address: % x", frame)
			}
			if h.NextHeader() == wire.ProtoTCP {
				tcp++
			}
			if h.NextHeader() == wire.ProtoICMPv6 && wire.ICMP(h.Payload()).Type() == wire.ICMPv6EchoReply {
				replies++
			}
		}
		return true
	})
	ln := listen(t, router, ":80")
	open := func(node *sim.Node, address string) *onlink.UDPConn {
		c, err := node.ListenPacket(t.Context(), "udp", address)
		if err != nil {
			t.Fatal(err)
		}
		return c.(*onlink.UDPConn)
	}
	u := open(router, ":7")
	defer u.Close()
	router.Go("echo", func() {
		b := make([]byte, 100)
		size, from, err := u.ReadFromUDPAddrPort(b)
		if err != nil {
			t.Error(err)
			return
		}
		u.WriteToUDPAddrPort(b[:size], from)
	})
	host.Go("client", func() {
		// The reply comes from another address than was asked, which is not what a ping waits for.
		if r, err := ping(host, "2001:db8:a::", onlink.PingConfig{}); err == nil || replies != 1 {
			t.Errorf("ping: %+v, %d replies", r, replies)
		}
		c := open(host, ":0")
		defer c.Close()
		c.WriteToUDPAddrPort([]byte("x"), netip.MustParseAddrPort("[2001:db8:a::]:7"))
		c.SetReadDeadline(host.Wall().Add(10 * time.Second))
		if _, from, err := c.ReadFromUDPAddrPort(make([]byte, 10)); err != nil || from.String() != "[2001:db8:a::1]:7" {
			t.Errorf("UDP: from %v, %v", from, err)
		}
		for _, address := range []string{"[2001:db8:a::]:80", "[2001:db8:a::]:81"} {
			ctx, cancel := host.WithTimeout(t.Context(), 5*time.Second)
			if c, err := host.DialContext(ctx, "tcp", address); err == nil {
				t.Errorf("connected to %s", address)
				c.Close()
			}
			cancel()
		}
		ln.Close()
	})
	run(t, n)
	if tcp != 0 {
		t.Errorf("the router sent %d segments", tcp)
	}
}
