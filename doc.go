// Package onlink is a dual-stack TCP/IP host and router that lives inside a program: IPv4 and IPv6, ARP and
// neighbor discovery, ICMP, UDP and TCP, over any [link.Link], used through the interfaces of package net.
//
// A [Stack] is one host. Give it links (a TAP or TUN device, an in-memory pair, a lossy wrapper around either),
// then dial and listen:
//
//	s, err := onlink.New(onlink.Config{})
//	eth0, err := s.AddLink("eth0", dev, onlink.InterfaceConfig{
//		Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("2001:db8::2/64")},
//		Gateways:  []netip.Addr{netip.MustParseAddr("192.0.2.1")},
//	})
//	conn, err := s.DialContext(ctx, "tcp", "192.0.2.1:80")
//	ln, err := s.Listen(ctx, "tcp", ":80")       // an http.Server serves on it
//	pc, err := s.ListenPacket(ctx, "udp", ":53")
//	err = s.Close(ctx)                            // no goroutine of the stack is left
//
// The same code runs in three kinds of time: real time; the virtual time of a testing/synctest bubble, where the
// stack needs nothing special; and the virtual time of package sim, where a whole network replays bit for bit
// from a seed.
//
// # Standards
//
// RFC 791, 8200 (IP), 826 (ARP), 4861 and 4862 (neighbor discovery, duplicate address detection), 792 and 4443
// (ICMP), 1191 and 8201 (path MTU), 6724 in part (source selection), 768 (UDP), 9293 (TCP) with 5681, 6298, 6582,
// 6675, 6928, 7323 and 2018.
//
// # What it does not do
//
// No router or DHCP configuration: addresses and routes are given. No multicast membership (IGMP, MLD) beyond the
// groups IPv6 itself needs. No packet filter, no IPsec. Each is planned; docs/design.md tells where it goes.
package onlink
