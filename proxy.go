package onlink

import "net/netip"

// AddProxy has the interface answer for a, another station's address, as long as the stack forwards: neighbors on its link
// then send packets for a to the stack, which sends them on (RFC 4861, 7.2.8; RFC 1027). An IPv4 address must be reached by
// another interface. For IPv6 it sets net.ipv6.conf.NAME.proxy_ndp. Errors: EINVAL for what is no unicast address, EEXIST,
// EOPNOTSUPP on a link where nobody asks.
func (i *Interface) AddProxy(a netip.Addr) error { return i.stack.ip.AddProxy(i.i.Index, a) }

// RemoveProxy undoes AddProxy. Errors: ESRCH.
func (i *Interface) RemoveProxy(a netip.Addr) error { return i.stack.ip.RemoveProxy(i.i.Index, a) }

func (s *Stack) proxies(index int32) (all []netip.Addr) {
	list, err := s.ip.Proxies(index)
	if err != nil {
		return nil // removed meanwhile
	}
	for _, a := range list {
		all = append(all, a.Netip())
	}
	return all
}
