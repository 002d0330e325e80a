package onlink

import (
	"math"

	"github.com/onlink-go/onlink/internal/netif"
)

// routerKnobs are Linux's settings of interfaces that only a router follows.
func routerKnobs() []confKnob {
	return []confKnob{
		conf6On("proxy_ndp", func(c *netif.IPv6) *bool { return &c.ProxyNDP }, "1: solicitations for proxied addresses are answered (RFC 4861, 7.2.8)"),
		conf4On("proxy_arp", func(c *netif.IPv4) *bool { return &c.ProxyARP }, "1: ARP requests for all that is reached by other interfaces are answered (RFC 1027)"),
		conf4On("send_redirects", func(c *netif.IPv4) *bool { return &c.SendRedirects }, "1: hosts are told of better ways (RFC 1812, 5.2.7.2)"),
	}
}

// conf4On is a switch among the settings of IPv4 on an interface.
func conf4On(name string, field func(*netif.IPv4) *bool, doc string) confKnob {
	return confKnob{family: "net.ipv4.conf.", name: name, doc: doc,
		get: func(s *Stack, index int32) (string, error) {
			c, err := s.ip.IPv4(index)
			return bit(*field(&c)), err
		},
		set: func(s *Stack, index int32, v string) error {
			n, err := parseNumber(v, 0, math.MaxUint8)
			if err != nil {
				return err
			}
			return s.ip.ConfigureIPv4(index, func(c *netif.IPv4) { *field(c) = n != 0 })
		}}
}
