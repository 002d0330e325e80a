package onlink

import "github.com/onlink-go/onlink/internal/ip"

// routeKnobs are Linux's settings of routes and redirects.
func routeKnobs() []knob {
	return []knob{
		ipBool("net.ipv4.fib_multipath_hash_policy", "1: multipath routes spread connections, 0: pairs of hosts",
			func(s *ip.Settings) *bool { return &s.HashPorts4 }),
		ipBool("net.ipv6.fib_multipath_hash_policy", "1: multipath routes spread connections, 0: pairs of hosts, by flow label",
			func(s *ip.Settings) *bool { return &s.HashPorts6 }),
		ipBool("net.ipv4.conf.all.accept_redirects", "1: redirects are followed, unless the stack is a router",
			func(s *ip.Settings) *bool { return &s.AcceptRedirects4 }),
		ipBool("net.ipv6.conf.all.accept_redirects", "1: redirects are followed, unless the stack is a router",
			func(s *ip.Settings) *bool { return &s.AcceptRedirects6 }),
		ipBool("net.ipv4.conf.all.secure_redirects", "1: redirects only to gateways there is a route through, unless shared_media is 1",
			func(s *ip.Settings) *bool { return &s.SecureRedirects }),
		ipBool("net.ipv4.conf.all.shared_media", "1: secure_redirects has no effect",
			func(s *ip.Settings) *bool { return &s.SharedMedia }),
	}
}

// ipBool is a switch among the settings of the internet layer.
func ipBool(name, doc string, field func(*ip.Settings) *bool) knob {
	return ipNumber(name, 0, 1, doc, func(s *ip.Settings) int { return btoi(*field(s)) },
		func(s *ip.Settings, n int) { *field(s) = n != 0 })
}
