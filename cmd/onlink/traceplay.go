package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink"
)

// player is a verb that looks at what the lab plays.
type player interface{ play(t *testbed) }

// play has the lab's client send something of everything as soon as the command listens.
func (c *traceCmd) play(t *testbed) { c.played = &playing{t} }

// playing is traffic in the lab, from the client to the server and to where nothing is.
type playing struct{ *testbed }

// start plays; over is called afterwards.
func (p *playing) start(over func()) {
	p.client.Go("traffic", func() {
		defer over()
		for _, server := range []string{labServer4, labServer6} {
			p.pings(netip.MustParseAddr(server))
			p.talk(server)
		}
		p.client.Sleep(5 * time.Second) // let come what is still under way: answers, or that there is none
	})
}

// pings are one that is answered, one of several fragments, one that does not get beyond the router, one to nobody, and one to
// the client itself.
func (p *playing) pings(server netip.Addr) {
	ctx := context.Background()
	router, nobody := netip.MustParseAddr(labRouter4), netip.MustParseAddr("192.0.2.99")
	self := netip.MustParseAddr(labClient4)
	if server.Is6() {
		router, nobody, self = netip.MustParseAddr(labRouter6), netip.MustParseAddr("2001:db8:1::99"), netip.MustParseAddr(labClient6)
	}
	for _, to := range []struct {
		addr netip.Addr
		cfg  onlink.PingConfig
	}{
		{router, onlink.PingConfig{}},
		{server, onlink.PingConfig{}},
		{server, onlink.PingConfig{Size: 2000}},
		{server, onlink.PingConfig{HopLimit: 1}},
		{nobody, onlink.PingConfig{}},
		{self, onlink.PingConfig{}},
	} {
		to.cfg.Timeout = 5 * time.Second
		p.client.Ping(ctx, to.addr, to.cfg) // what comes of it is what the trace tells
	}
}

// talk sends a line by UDP and by TCP to the echo service, and a datagram to a port where nobody is.
func (p *playing) talk(server string) {
	for _, to := range []struct{ network, port string }{{"udp", "7"}, {"udp", "9"}, {"tcp", "7"}, {"tcp", "9"}} {
		conn, err := p.client.DialContext(context.Background(), to.network, net.JoinHostPort(server, to.port))
		if err != nil {
			continue // port 9 of TCP: refused
		}
		p.exchange(conn)
	}
}

// exchange sends a line and waits for its echo, or for the news that there is none.
func (p *playing) exchange(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(p.client.Wall().Add(time.Second))
	fmt.Fprintln(conn, "hello")
	conn.Read(make([]byte, 64))
}
