package pcapfilter

// qualifiers are the words before an address, a number or a name that say what it is.
type qualifiers struct {
	proto string // "": any; the words for ether are "ether"
	dir   direction
	what  string // "" (as host), host, net, port, portrange, proto
}

// direction is which ends of a frame are meant.
type direction uint8

const (
	anyEnd direction = iota // src or dst
	srcEnd
	dstEnd
	bothEnds // src and dst
)

// ends joins what is true of the source and of the destination.
func (d direction) ends(src, dst node) node {
	switch d {
	case srcEnd:
		return src
	case dstEnd:
		return dst
	case bothEnds:
		return all(src, dst)
	}
	return either(src, dst)
}

// primitive reads what begins with a keyword.
func (p *parser) primitive() (node, error) {
	t := p.peek()
	if reason, ok := absent[t.text]; ok {
		return nil, p.errorAt(t, "%s", reason)
	}
	switch t.text {
	case "less", "greater", "inbound", "outbound", "vlan":
		p.pos++
		p.last = nil
		return p.other(t)
	}
	var q qualifiers
	if _, ok := protocols[t.text]; ok || links[t.text] {
		p.pos++
		if q.proto = t.text; links[t.text] {
			q.proto = "ether"
		}
		if c := p.peek(); c.is("broadcast") || c.is("multicast") {
			p.pos++
			p.last = nil
			return p.cast(q.proto, c)
		}
	} else if t.is("broadcast") || t.is("multicast") {
		p.pos++
		p.last = nil
		return p.cast("", t)
	}
	given := p.direction(&q)
	if c := p.peek(); c.is("host") || c.is("net") || c.is("port") || c.is("portrange") || c.is("proto") {
		if c.is("proto") && given {
			return nil, p.errorAt(c, "has no direction")
		}
		q.what, given = c.text, true
		p.pos++
	} else if reason, ok := absent[c.text]; ok && c.kind == tokWord && (given || q.proto != "") {
		return nil, p.errorAt(c, "%s", reason)
	}
	if !given {
		if q.proto == "" {
			return nil, p.errorAt(t, "stands where a primitive should be")
		}
		p.last = nil
		return p.protocol(t, q.proto)
	}
	p.last = &q
	return p.id(q)
}

// direction reads src, dst, and two of them joined by or or and. It reports whether there was one.
func (p *parser) direction(q *qualifiers) bool {
	ends := map[string]direction{"src": srcEnd, "dst": dstEnd}
	first := p.peek()
	if !p.accept("src", "dst") {
		return false
	}
	q.dir = ends[first.text]
	join := p.peek()
	isOr, isAnd := join.is("or") || join.is("||"), join.is("and") || join.is("&&")
	if !isOr && !isAnd {
		return true
	}
	other := p.tokens[p.pos+1]
	if other.kind != tokWord || ends[other.text] == anyEnd || other.text == first.text {
		return true
	}
	p.pos += 2
	q.dir = anyEnd
	if isAnd {
		q.dir = bothEnds
	}
	return true
}

// protocol is the test for a protocol named alone.
func (p *parser) protocol(t *token, proto string) (node, error) {
	f := &p.frame
	switch proto {
	case "ether":
		return nil, p.errorAt(t, "alone says nothing: every frame has a link header")
	case "stp":
		return f.carries(0x42), nil // the service access point of spanning tree, IEEE 802.1D
	case "icmp", "igmp", "igrp", "vrrp", "carp":
		return f.ip4(uint32(protocols[proto])), nil
	case "icmp6":
		return f.ip6(58), nil
	case "tcp", "udp", "sctp", "pim", "esp", "ah":
		n := uint32(protocols[proto])
		return either(f.ip4(n), f.ip6(n)), nil
	}
	return f.carries(etherNames[proto]), nil
}

// other reads what follows less, greater, inbound, outbound and vlan.
func (p *parser) other(t *token) (node, error) {
	switch t.text {
	case "inbound", "outbound":
		if p.opt.Direction == Unknown {
			return nil, p.errorAt(t, "the direction of frames is not known here: classic BPF cannot see it")
		}
		return always((t.text == "inbound") == (p.opt.Direction == Inbound)), nil
	case "vlan":
		return p.vlan(t)
	}
	n := p.next()
	if n.kind != tokNumber {
		return nil, p.errorAt(n, "the length in octets is expected")
	}
	at := place{from: length, size: 4}
	if t.text == "less" {
		return negate(&test{at, ^uint32(0), greater, n.num}), nil
	}
	return &test{at, ^uint32(0), greaterOrEqual, n.num}, nil
}

// vlan reads the number of a VLAN, if there is one. All that stands behind in the expression looks behind the tag.
func (p *parser) vlan(t *token) (node, error) {
	f := &p.frame
	if !f.ethernet {
		return nil, p.errorAt(t, "frames of this link have no VLAN tags")
	}
	n := f.tagged()
	open := p.peek().is("(") && p.tokens[p.pos+1].kind == tokNumber && p.tokens[p.pos+2].is(")")
	if open {
		p.pos++
	}
	if id := p.peek(); id.kind == tokNumber {
		if id.num > 0xfff {
			return nil, p.errorAt(id, "VLANs have the numbers 0 to 4095")
		}
		p.pos++
		n = all(n, masked(f.net(0, 2), id.num, 0xfff))
		if open {
			p.pos++
		}
	}
	f.untag()
	return n, nil
}

// cast is the test for broadcast and multicast.
func (p *parser) cast(proto string, t *token) (node, error) {
	f := &p.frame
	broadcast := t.is("broadcast")
	switch {
	case proto == "" || proto == "ether":
		if !f.ethernet {
			return nil, p.errorAt(t, "frames of this link have no link addresses")
		}
		if broadcast {
			return mac(f, 0, [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), nil
		}
		return negate(masked(f.at(0, 1), 0, 1)), nil
	case proto == "ip" && broadcast:
		m := p.opt.Netmask
		hosts := ^(uint32(m[0])<<24 | uint32(m[1])<<16 | uint32(m[2])<<8 | uint32(m[3]))
		dst := f.net(16, 4)
		return all(f.carries(typeIPv4), either(masked(dst, 0, hosts), masked(dst, hosts, hosts))), nil
	case proto == "ip":
		return all(f.carries(typeIPv4), &test{f.net(16, 1), ^uint32(0), greaterOrEqual, 224}), nil
	case proto == "ip6" && !broadcast:
		return all(f.carries(typeIPv6), is(f.net(24, 1), 255)), nil
	case proto == "ip6":
		return nil, p.errorAt(t, "IPv6 has no broadcast")
	}
	return nil, p.errorAt(t, "is of ether, ip or ip6 only")
}

// mac is the test that the link address at off is m.
func mac(f *frame, off uint32, m [6]byte) node {
	return all(is(f.at(off+2, 4), uint32(m[2])<<24|uint32(m[3])<<16|uint32(m[4])<<8|uint32(m[5])), is(f.at(off, 2), uint32(m[0])<<8|uint32(m[1])))
}
