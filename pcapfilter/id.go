package pcapfilter

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// id reads an address, a number or a name that q says what it is, with negations, or several in parentheses.
func (p *parser) id(q qualifiers) (node, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	switch {
	case p.accept("not", "!"):
		n, err := p.id(q)
		return negate(n), err
	case p.accept("("):
		n, err := p.ids(q)
		if err != nil {
			return nil, err
		}
		if t := p.next(); !t.is(")") {
			return nil, p.errorAt(t, "and, or or ) is expected")
		}
		return n, nil
	}
	t := p.next()
	switch {
	case t.kind == tokEnd:
		return nil, p.errorAt(t, "%s is missing", q.wants())
	case t.kind == tokSign, t.kind == tokWord && q.what != "proto":
		return nil, p.errorAt(t, "stands where %s should be", q.wants())
	}
	switch q.what {
	case "port":
		return p.port(q, t)
	case "portrange":
		return p.portRange(q, t)
	case "proto":
		return p.proto(q, t)
	}
	return p.host(q, t)
}

// ids reads several of them, joined by and and or.
func (p *parser) ids(q qualifiers) (node, error) {
	n, err := p.id(q)
	for err == nil {
		isAnd := p.accept("and", "&&")
		if !isAnd && !p.accept("or", "||") {
			return n, nil
		}
		var r node
		if r, err = p.id(q); isAnd {
			n = all(n, r)
		} else {
			n = either(n, r)
		}
	}
	return nil, err
}

// wants tells what must follow the qualifiers.
func (q *qualifiers) wants() string {
	switch q.what {
	case "port":
		return "a port"
	case "portrange":
		return "a range of ports, as 6000-6010,"
	case "proto":
		return "a protocol"
	case "net":
		return "a network"
	}
	return "an address"
}

// host is the test for an address or network.
func (p *parser) host(q qualifiers, t *token) (node, error) {
	switch t.kind {
	case tokMAC:
		return p.etherHost(q, t)
	case tokName:
		return nil, p.errorAt(t, "names of hosts and networks are not looked up: write the address")
	}
	if q.proto == "ether" {
		return nil, p.errorAt(t, "is not a link address, as 02:00:5e:10:00:01")
	}
	if t.kind == tokIPv6 {
		return p.host6(q, t)
	}
	addr, bits, err := p.address4(q, t)
	if err != nil {
		return nil, err
	}
	mask := ^uint32(0) << (32 - bits)
	if bits == 0 {
		mask = 0
	}
	if p.peek().is("/") || p.peek().is("mask") {
		if mask, err = p.mask4(q, t, addr); err != nil {
			return nil, err
		}
	}
	return p.in4(q, t, addr, mask)
}

// address4 returns an IPv4 address, or its beginning, and how many bits were given. A number alone is the address, or, as a
// network, its first octets.
func (p *parser) address4(q qualifiers, t *token) (addr uint32, bits int, err error) {
	if t.kind == tokNumber {
		addr, bits = t.num, 32
		for q.what == "net" && addr != 0 && addr>>24 == 0 {
			addr, bits = addr<<8, bits-8
		}
		return addr, bits, nil
	}
	for _, part := range strings.Split(t.text, ".") {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil {
			return 0, 0, p.errorAt(t, "is not an IPv4 address: its parts are of 0 to 255")
		}
		addr, bits = addr<<8|uint32(n), bits+8
	}
	return addr << (32 - bits), bits, nil
}

// mask4 reads what follows the address of an IPv4 network: /24 or mask 255.255.255.0.
func (p *parser) mask4(q qualifiers, t *token, addr uint32) (mask uint32, err error) {
	slash := p.next().is("/")
	m := p.next()
	switch {
	case q.what != "net":
		return 0, p.errorAt(m, "a mask belongs to a net")
	case slash && (m.kind != tokNumber || m.num > 32):
		return 0, p.errorAt(m, "a prefix length of 0 to 32 is expected")
	case slash:
		mask = uint32(uint64(0xffffffff) << (32 - m.num))
	case m.kind != tokPart:
		return 0, p.errorAt(m, "a mask as 255.255.255.0 is expected")
	default:
		if mask, _, err = p.address4(q, m); err != nil {
			return 0, err
		}
	}
	if addr&^mask != 0 {
		return 0, p.errorAt(t, "has bits that are not in its mask")
	}
	return mask, nil
}

// in4 is the test that an IPv4 address is in a network: of an IPv4 packet, or in ARP and RARP.
func (p *parser) in4(q qualifiers, t *token, addr, mask uint32) (node, error) {
	f := &p.frame
	n := &cases{name: f.name(q.proto + " host")}
	add := func(proto string, src, dst uint32) {
		if q.proto == "" || q.proto == proto {
			n.kinds = append(n.kinds, f.carries(etherNames[proto]))
			n.asked = append(n.asked, q.dir.ends(masked(f.net(src, 4), addr, mask), masked(f.net(dst, 4), addr, mask)))
		}
	}
	switch q.proto {
	case "", "ip", "arp", "rarp":
		add("ip", 12, 16)
		add("arp", 14, 24)
		add("rarp", 14, 24)
		return n, nil
	case "ip6":
		return nil, p.errorAt(t, "is an IPv4 address, and ip6 stands before it")
	}
	return nil, p.errorAt(t, "%s has no addresses: use ip, ip6, arp, rarp or ether", q.proto)
}

// host6 is the test for an IPv6 address or network.
func (p *parser) host6(q qualifiers, t *token) (node, error) {
	bits := 128
	if p.accept("/") {
		m := p.next()
		switch {
		case m.kind != tokNumber || m.num > 128:
			return nil, p.errorAt(m, "a prefix length of 0 to 128 is expected")
		case q.what != "net" && m.num != 128:
			return nil, p.errorAt(m, "a mask belongs to a net")
		}
		bits = int(m.num)
	}
	if prefix := netip.PrefixFrom(t.addr, bits); prefix.Masked().Addr() != t.addr {
		return nil, p.errorAt(t, "has bits beyond its prefix length")
	}
	switch q.proto {
	case "", "ip6":
	case "ip", "arp", "rarp":
		return nil, p.errorAt(t, "is an IPv6 address, and %s stands before it", q.proto)
	default:
		return nil, p.errorAt(t, "%s has no addresses: use ip, ip6, arp, rarp or ether", q.proto)
	}
	f := &p.frame
	a := t.addr.As16()
	at := func(off uint32) node {
		var words []node
		for i := 0; i < 16; i += 4 {
			word := uint32(a[i])<<24 | uint32(a[i+1])<<16 | uint32(a[i+2])<<8 | uint32(a[i+3])
			mask := uint32(uint64(0xffffffff) << (32 - min(32, max(0, bits-8*i))))
			words = append(words, masked(f.net(off+uint32(i), 4), word, mask))
		}
		return all(words...)
	}
	return &cases{f.name("host6"), []node{f.carries(typeIPv6)}, []node{q.dir.ends(at(8), at(24))}}, nil
}

// etherHost is the test for a link address.
func (p *parser) etherHost(q qualifiers, t *token) (node, error) {
	f := &p.frame
	switch {
	case q.proto != "ether" || q.what == "net":
		return nil, p.errorAt(t, "is a link address: ether host, ether src or ether dst belongs before it")
	case !f.ethernet:
		return nil, p.errorAt(t, "frames of this link have no link addresses")
	}
	return q.dir.ends(mac(f, 6, t.mac), mac(f, 0, t.mac)), nil
}

// proto is the test for a protocol by number or name: of IP, or of Ethernet behind ether.
func (p *parser) proto(q qualifiers, t *token) (node, error) {
	f := &p.frame
	names, limit := protocolNames, uint32(0xff)
	if q.proto == "ether" {
		names, limit = etherNames, 0xffff
	}
	n, ok := t.num, t.kind == tokNumber
	if !ok && (t.kind == tokName || t.kind == tokWord) {
		n, ok = names[t.text]
	}
	switch {
	case !ok:
		return nil, p.errorAt(t, "is not a protocol")
	case n > limit:
		return nil, p.errorAt(t, "protocols have numbers up to %d here", limit)
	}
	switch q.proto {
	case "":
		return either(f.ip4(n), f.ip6(n)), nil
	case "ip":
		return f.ip4(n), nil
	case "ip6":
		return f.ip6(n), nil
	case "ether":
		return f.carries(n), nil
	}
	return nil, p.errorAt(t, "%s does not say what it carries: use ip proto, ip6 proto or ether proto", q.proto)
}

// port is the test for a port.
func (p *parser) port(q qualifiers, t *token) (node, error) {
	s, err := p.service(q, t, t.text)
	if err != nil {
		return nil, err
	}
	return p.ports(q, t, s.proto, s.port, s.port)
}

// portRange is the test for ports from one to another.
func (p *parser) portRange(q qualifiers, t *token) (node, error) {
	if t.kind == tokNumber {
		return p.port(q, t)
	}
	var wrong error = p.errorAt(t, "is not a range of ports, as 6000-6010")
	for i := range t.text {
		if t.text[i] != '-' {
			continue
		}
		first, err := p.service(q, t, t.text[:i])
		last, err2 := p.service(q, t, t.text[i+1:])
		if err == nil {
			err = err2
		}
		if err != nil {
			wrong = err
			continue // perhaps a dash within a name
		}
		if first.proto != last.proto {
			first.proto = 0
		}
		return p.ports(q, t, first.proto, min(first.port, last.port), max(first.port, last.port))
	}
	return nil, wrong
}

// service returns the port that s, of the word t, stands for.
func (p *parser) service(q qualifiers, t *token, s string) (service, error) {
	if n, err := strconv.ParseUint(s, 0, 32); err == nil {
		if n > 65535 {
			return service{}, p.errorAt(t, "ports have numbers up to 65535")
		}
		return service{port: uint16(n)}, nil
	}
	v, ok := services[s]
	switch {
	case !ok:
		return v, p.errorAt(t, "is not a port: a number is one, and the name of a well-known service")
	case v.proto != 0 && q.proto != "" && int(v.proto) != protocols[q.proto]:
		return v, p.errorAt(t, "is not a service of %s", q.proto)
	}
	return v, nil
}

// ports is the test for the ports from first to last: of the protocol of q, or of only if that is not 0, or of all that have ports.
func (p *parser) ports(q qualifiers, t *token, only uint8, first, last uint16) (node, error) {
	protos := []uint32{sctp, tcp, udp}
	switch {
	case q.proto == "tcp" || q.proto == "udp" || q.proto == "sctp":
		protos = []uint32{uint32(protocols[q.proto])}
	case q.proto != "":
		return nil, p.errorAt(t, "%s has no ports: use tcp, udp or sctp", q.proto)
	case only != 0:
		protos = []uint32{uint32(only)}
	}
	f := &p.frame
	var carried4, carried6 []node
	for _, n := range protos {
		carried4 = append(carried4, is(f.net(9, 1), n))
		carried6 = append(carried6, is(f.net(6, 1), n))
	}
	ends := func(at func(off uint32, size int) place) node {
		return q.dir.ends(between(at(0, 2), first, last), between(at(2, 2), first, last))
	}
	return &cases{
		name: f.name(fmt.Sprint("port of ", protos)),
		kinds: []node{
			all(f.carries(typeIPv6), either(carried6...)),
			all(f.carries(typeIPv4), either(carried4...), f.first()),
		},
		asked: []node{
			ends(func(off uint32, size int) place { return f.net(40+off, size) }),
			ends(f.behind4),
		},
	}, nil
}

// between is the test that the value at p is from first to last.
func between(p place, first, last uint16) node {
	if first == last {
		return is(p, uint32(first))
	}
	return all(&test{p, ^uint32(0), greaterOrEqual, uint32(first)}, negate(&test{p, ^uint32(0), greater, uint32(last)}))
}
