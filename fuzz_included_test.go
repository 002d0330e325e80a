package onlink_test

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/wire"
)

// FuzzHeaderIncluded sends what a program may take for a packet, to this host and to another: it leaves, or an error says why not.
func FuzzHeaderIncluded(f *testing.F) {
	four := wire.IPv4Header{TTL: 5, Protocol: 17, Dst: wire.Addr4(192, 0, 2, 2), Options: []byte{7, 3, 4, 0}}
	b := make([]byte, four.Len()+8)
	four.Put(b)
	f.Add(b)
	f.Add(append([]byte{0x4f}, make([]byte, 40)...))
	six := wire.IPv6Header{HopLimit: 5, NextHeader: 44, PayloadLen: 9, Dst: wire.Loopback6}
	b = make([]byte, wire.IPv6Len+8)
	six.Put(b)
	f.Add(b)
	a, _ := newPair(f, nil)
	open := func(network string) *onlink.IPConn {
		c, err := a.ListenPacket(f.Context(), network, "")
		if err != nil {
			f.Fatal(err)
		}
		return c.(*onlink.IPConn)
	}
	conns := map[*onlink.IPConn][]string{open("ip4:raw"): {"127.0.0.1", "192.0.2.1", server4, "255.255.255.255", "224.0.0.1"},
		open("ip6:raw"): {"::1", "2001:db8::1", server6, "ff02::1%eth0"}}
	f.Fuzz(func(t *testing.T, b []byte) {
		for c, hosts := range conns {
			for _, host := range hosts {
				to, err := net.ResolveIPAddr("ip", host)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.WriteToIP(b, to); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.EMSGSIZE) {
					t.Errorf("to %s: %v", host, err)
				}
			}
		}
	})
}
