package main

import (
	"net"
	"net/netip"
)

// family is the internet protocol that a measurement uses. Hosts have addresses of both.
type family int

const (
	v4 family = 4
	v6 family = 6
)

func (f family) String() string { return map[family]string{v4: "IPv4", v6: "IPv6"}[f] }

// addresses are those of a host with their prefix lengths.
type addresses struct{ v4, v6 netip.Prefix }

var (
	clientAddrs = addresses{netip.MustParsePrefix("198.51.100.1/24"), netip.MustParsePrefix("2001:db8::1/64")}
	serverAddrs = addresses{netip.MustParsePrefix("198.51.100.2/24"), netip.MustParsePrefix("2001:db8::2/64")}
)

func (a addresses) all() []netip.Prefix { return []netip.Prefix{a.v4, a.v6} }

// of returns the address of a family.
func (a addresses) of(f family) netip.Addr {
	if f == v4 {
		return a.v4.Addr()
	}
	return a.v6.Addr()
}

// host makes connections on one system: package net's view of it.
type host struct {
	dial      func(to netip.AddrPort) (net.Conn, error)
	listen    func(at netip.AddrPort) (net.Listener, error)
	dialUDP   func(to netip.AddrPort) (net.Conn, error)
	listenUDP func(at netip.AddrPort) (net.Conn, error) // reads what comes from anyone
	close     func()
}

// pair is a client and a server, and the server's address as the client sees it. The client is who sends in bulk.
type pair struct {
	client, server host
	addr           netip.Addr
	kernel         bool // both ends are the kernel's
	mode           udpMode
	router         router // in place of both, of those that forward
	hello, module  string // in place of both, where programs are built
	close          func() // both ends and what joins them
}

// The server's first ports. More connections than one port has numbers for take the next ones.
const (
	tcpPort = 8000
	udpPort = 7000
)

// dial connects to the server's nth port.
func (p *pair) dial(n int) (net.Conn, error) {
	return p.client.dial(netip.AddrPortFrom(p.addr, tcpPort+uint16(n)))
}

// listen listens at the server's nth port.
func (p *pair) listen(n int) (net.Listener, error) {
	return p.server.listen(netip.AddrPortFrom(p.addr, tcpPort+uint16(n)))
}

// open makes a connection through l, which listens at the nth port, and returns both its ends.
func (p *pair) open(l net.Listener, n int) (c, s net.Conn, err error) {
	if c, err = p.dial(n); err != nil {
		return nil, nil, err
	}
	s, err = l.Accept()
	return c, s, err
}

// udp returns a socket of the client's that sends to one of the server's.
func (p *pair) udp() (from, to net.Conn, err error) {
	at := netip.AddrPortFrom(p.addr, udpPort)
	if to, err = p.server.listenUDP(at); err != nil {
		return nil, nil, err
	}
	from, err = p.client.dialUDP(at)
	return from, to, err
}
