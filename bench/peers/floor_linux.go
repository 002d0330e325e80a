package main

import (
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/wire"
)

// priceDevice measures the system calls on a TUN with virtio-net headers. What is written is for an address that the kernel does
// not have: it makes a packet of it and drops it. Without root there are no prices.
func priceDevice() prices {
	if rootOnly() != nil {
		return nil
	}
	t, err := openTUN()
	if err != nil {
		return nil
	}
	defer t.file.Close()
	if command(here, "ip link set "+deviceName+" mtu 65535") != nil || address(here, deviceName, clientAddrs) != nil {
		return nil
	}
	// The descriptor is not for waiting: what is read is there.
	write := func(octets int) time.Duration {
		b := make([]byte, virtioLen+octets)
		h := wire.IPv4Header{TotalLen: octets, TTL: 64, Protocol: wire.ProtoUDP, Src: wire.AddrFrom(serverAddrs.of(v4)),
			Dst: wire.AddrFrom(netip.MustParseAddr("203.0.113.77"))}
		h.Put(b[virtioLen:])
		return typical(func() { unix.Write(t.fd, b) })
	}
	p := prices{largeWrite: write(chunk - 1), fullWrite: write(1500), smallWrite: write(wire.IPv4MinLen + 1)}
	c, err := net.Dial("udp", netip.AddrPortFrom(serverAddrs.of(v4), udpPort).String())
	if err != nil {
		return p
	}
	defer c.Close()
	const headers = wire.IPv4MinLen + wire.UDPLen
	b := make([]byte, virtioLen+chunk)
	read := func(octets int) time.Duration {
		took := make([]time.Duration, 0, repeats)
		for range repeats {
			if _, err := c.Write(b[:octets-headers]); err != nil {
				break
			}
			began := time.Now()
			if n, err := unix.Read(t.fd, b); err == nil && n == virtioLen+octets {
				took = append(took, time.Since(began))
			}
		}
		return middle(took)
	}
	p[largeRead], p[fullRead], p[smallRead] = read(chunk-1), read(1500), read(headers+1)
	return p
}
