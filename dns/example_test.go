package dns_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/dns"
)

// A server and a resolver, here over the kernel's loopback interface; onlink.Stack.DNS is one over a stack.
func Example() {
	rt := clock.NewReal()
	zone, err := dns.ParseZone("www.example. 60 CNAME host.example.\nhost.example. 60 A 192.0.2.1")
	if err != nil {
		panic(err)
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := &dns.Server{Runtime: rt, Answer: zone.Answer}
	rt.Spawn("server", func() { server.ServePacket(conn) })
	defer rt.Drain()
	defer conn.Close()

	resolver := dns.New(dns.Config{
		Runtime: rt,
		Dial:    new(net.Dialer).DialContext,
		Servers: func() []netip.AddrPort { return []netip.AddrPort{conn.LocalAddr().(*net.UDPAddr).AddrPort()} },
		Search:  func() []string { return []string{"example"} },
	})
	defer resolver.Close()
	found, err := resolver.LookupNetIP(context.Background(), "ip", "www")
	fmt.Println(found, err)
	_, err = resolver.LookupNetIP(context.Background(), "ip", "nobody.example")
	fmt.Println(err.(*net.DNSError).IsNotFound)
	// Output:
	// [192.0.2.1] <nil>
	// true
}
