package main

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/dns"
	"github.com/onlink-go/onlink/sim"
)

// The names of the lab, which its server answers for.
const testbedZone = `
lab.         3600 SOA   server.lab. hostmaster.lab. 1 3600 600 86400 300
lab.         3600 NS    server.lab.
lab.         3600 MX    10 server.lab.
client.lab.  300  A     192.0.2.2
client.lab.  300  AAAA  2001:db8:1::2
router.lab.  300  A     192.0.2.1
router.lab.  300  AAAA  2001:db8:1::1
server.lab.  300  A     198.51.100.2
server.lab.  300  AAAA  2001:db8:2::2
www.lab.     300  CNAME server.lab.
long.lab.    300  TXT   "` + longText + `" "` + longText + `" "` + longText + `" "` + longText + `" "` + longText + `"
`

// longText is a fifth of an answer that does not fit into a datagram.
const longText = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.," +
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV."

// testbedNames are the settings of names of a node of the lab.
func testbedNames() onlink.Config {
	return onlink.Config{TCP: settingsOfTCP(), DNSSearch: []string{"lab"}, DNS: []netip.AddrPort{
		netip.AddrPortFrom(netip.MustParseAddr(labServer6), 53), netip.AddrPortFrom(netip.MustParseAddr(labServer4), 53)}}
}

// serveNames has the lab's server answer for the names of the lab, and those of its addresses.
func (t *testbed) serveNames() error {
	zone := testbedZone
	for _, node := range []*sim.Node{t.client, t.router, t.server} {
		for _, i := range node.Snapshot().Interfaces {
			for _, a := range i.Addresses {
				if a := a.Prefix.Addr(); !i.Loopback && !a.IsLinkLocalUnicast() {
					zone += fmt.Sprintf("%s 300 PTR %s.lab.\n", dns.ReverseName(a), node.Name)
				}
			}
		}
	}
	z, err := dns.ParseZone(zone)
	if err != nil {
		return err
	}
	pc, err := t.server.ListenPacket(context.Background(), "udp", ":53")
	if err != nil {
		return err
	}
	ln, err := t.server.Listen(context.Background(), "tcp", ":53")
	if err != nil {
		return err
	}
	rt := t.server.Runtime()
	s := &dns.Server{Runtime: rt, Answer: z.Answer}
	rt.Spawn("name server, UDP", func() { s.ServePacket(pc) }) // they end with the lab
	rt.Spawn("name server, TCP", func() { s.Serve(ln) })
	return nil
}
