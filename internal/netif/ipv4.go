package netif

// IPv4 is how an interface speaks IPv4: what Linux has under net.ipv4.conf, whose name is behind each field. NewIPv4 has the
// defaults.
type IPv4 struct {
	SendRedirects bool // send_redirects: a router tells hosts of better ways (RFC 1812, 5.2.7.2)
	ProxyARP      bool // proxy_arp: a router answers for all whom it reaches by other interfaces (RFC 1027)
}

// NewIPv4 returns the defaults: Linux's.
func NewIPv4() IPv4 { return IPv4{SendRedirects: true} }
