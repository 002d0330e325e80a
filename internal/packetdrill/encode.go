package packetdrill

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
	"github.com/onlink-go/onlink/wire"
)

// encoder makes the octets of a packet of the script that arrives, in the numbers of its socket on the wire.
type encoder struct {
	s  *sock
	v6 bool
	// Where it comes from and goes to.
	src, dst netip.AddrPort
}

// encode returns the packet.
func (e *encoder) encode(p *script.Packet) ([]byte, error) {
	switch {
	case len(p.Outer) > 0:
		return nil, errors.New("encapsulated packets are not supported")
	case p.TCP != nil && p.TCP.InUDP != nil:
		return nil, errors.New("TCP inside UDP is not supported")
	case p.TCP != nil:
		return e.tcp(p)
	case p.UDP != nil:
		return e.udp(p), nil
	}
	return e.icmp(p)
}

// ip returns a packet of n octets behind the internet header, and those octets.
func (e *encoder) ip(info *script.IPInfo, proto uint8, n int) (all, upper []byte, err error) {
	all, h, err := ipHeader(e.v6, n)
	if err != nil {
		return nil, nil, err
	}
	ttl := info.TTL
	if ttl == 0 {
		ttl = defaultTTL
	}
	putIP(all, e.v6, n, info.TOS, info.FlowLabel, ttl, proto, e.src.Addr(), e.dst.Addr())
	return all, all[h:], nil
}

// defaultTTL is the TTL or hop limit of packets that do not say theirs.
const defaultTTL = 255

func ipHeader(v6 bool, n int) (all []byte, header int, err error) {
	header = wire.IPv4MinLen
	if v6 {
		header = wire.IPv6Len
	}
	if !v6 && header+n > 65535 || n > 65535 {
		return nil, 0, fmt.Errorf("a packet of %d octets is longer than IP has", header+n)
	}
	return make([]byte, header+n), header, nil
}

func putIP(b []byte, v6 bool, n int, tos uint8, label uint32, ttl, proto uint8, src, dst netip.Addr) {
	if v6 {
		h := wire.IPv6Header{TrafficClass: tos, FlowLabel: label, PayloadLen: n, NextHeader: proto, HopLimit: ttl,
			Src: wire.AddrFrom(src), Dst: wire.AddrFrom(dst)}
		h.Put(b)
		return
	}
	h := wire.IPv4Header{TrafficClass: tos, TotalLen: wire.IPv4MinLen + n, TTL: ttl, Protocol: proto,
		Src: wire.AddrFrom(src), Dst: wire.AddrFrom(dst)}
	h.Put(b)
}

// tcp encodes a segment. Its options stand in the order of the script, which wire.TCPHeader would not keep.
func (e *encoder) tcp(p *script.Packet) ([]byte, error) {
	t := p.TCP
	if !t.HasWin {
		return nil, errors.New("a segment that arrives must say its window")
	}
	syn := t.Flags&script.SYN != 0
	list := encodeOptions(t.Options)
	e.mapOptions(t, list, syn)
	options := joinOptions(list)
	if len(options)%4 != 0 {
		return nil, fmt.Errorf("the TCP options are %d octets, which is no multiple of 4: pad them with nop or eol", len(options))
	}
	if len(options) > wire.TCPMaxLen-wire.TCPMinLen {
		return nil, fmt.Errorf("the TCP options are %d octets: there is room for 40", len(options))
	}
	header := wire.TCPMinLen + len(options)
	all, b, err := e.ip(&p.IP, wire.ProtoTCP, header+int(t.Seq.Len))
	if err != nil {
		return nil, err
	}
	seq, ack := t.Seq.Start, t.Ack
	if !t.Seq.Absolute {
		seq += e.s.remoteOffset(syn)
	}
	if t.Flags&script.ACK != 0 && !t.Seq.Absolute {
		ack += e.s.localOffset(syn)
	}
	be := binary.BigEndian
	be.PutUint16(b, e.src.Port())
	be.PutUint16(b[2:], e.dst.Port())
	be.PutUint32(b[4:], seq)
	be.PutUint32(b[8:], ack)
	be.PutUint16(b[12:], uint16(header/4)<<12|uint16(t.Flags&0x1ff))
	be.PutUint16(b[14:], t.Win)
	be.PutUint16(b[18:], t.Urg)
	copy(b[wire.TCPMinLen:], options)
	wire.FinishChecksum(b, wire.TCPChecksumOffset, wire.ProtoTCP, wire.AddrFrom(e.src.Addr()), wire.AddrFrom(e.dst.Addr()))
	return all, nil
}

// mapOptions changes what in the options of an arriving segment is about what the stack sent: the edges of SACK blocks,
// the timestamp echoed and the Fast Open cookie.
func (e *encoder) mapOptions(t *script.TCP, list []option, syn bool) {
	shiftSACK(list, e.s.localOffset(syn))
	for i := range t.Options {
		o := &t.Options[i]
		switch o.Kind {
		case script.OptTS:
			if t.Flags&script.ACK != 0 && !o.AbsTSEcr && !o.Raw {
				binary.BigEndian.PutUint32(list[i].data[4:], e.s.liveEcr(o.TSEcr))
			}
		case script.OptFO:
			list[i].data = e.s.cookies.live(o.Data)
		case script.OptExpFO:
			list[i].data = append([]byte{0xf9, 0x89}, e.s.cookies.live(o.Data)...)
		}
	}
}

func (e *encoder) udp(p *script.Packet) []byte {
	n := wire.UDPLen + int(p.UDP.Len)
	all, b, err := e.ip(&p.IP, wire.ProtoUDP, n)
	if err != nil {
		return nil
	}
	wire.PutUDP(b, e.src.Port(), e.dst.Port(), n)
	wire.FinishChecksum(b, wire.UDPChecksumOffset, wire.ProtoUDP, wire.AddrFrom(e.src.Addr()), wire.AddrFrom(e.dst.Addr()))
	return all
}

// quoted is how many octets of the transport header an ICMP error quotes (RFC 792: "64 bits of Data Datagram").
const quoted = 8

// icmp encodes an ICMP message, with the packet it is about.
func (e *encoder) icmp(p *script.Packet) ([]byte, error) {
	m := p.ICMP
	typ, code, err := m.Numbers(e.v6)
	if err != nil {
		return nil, err
	}
	quote, err := e.quote(m)
	if err != nil {
		return nil, err
	}
	proto := uint8(wire.ProtoICMP)
	if e.v6 {
		proto = wire.ProtoICMPv6
	}
	all, b, err := e.ip(&p.IP, proto, wire.ICMPLen+len(quote))
	if err != nil {
		return nil, err
	}
	var rest uint32
	switch {
	case m.HasMTU && !e.v6 && m.MTU > 0xffff:
		return nil, fmt.Errorf("an MTU of %d does not fit ICMP's 16 bits", m.MTU)
	case m.HasMTU:
		rest = m.MTU
	case m.HasID:
		rest = uint32(m.ID) << 16
	}
	wire.PutICMP(b, typ, code, rest)
	copy(b[wire.ICMPLen:], quote)
	if e.v6 {
		wire.FinishICMPv6(b, wire.AddrFrom(e.src.Addr()), wire.AddrFrom(e.dst.Addr()))
	} else {
		wire.FinishICMPv4(b)
	}
	return all, nil
}

// quote returns the beginning of the packet of ours that an ICMP error is about, or, where none is, zeros.
func (e *encoder) quote(m *script.ICMP) ([]byte, error) {
	x := script.Echoed{Proto: script.EchoedTCP}
	if e.s.proto == wire.ProtoUDP {
		x.Proto = script.EchoedUDP
	}
	if m.Echoed != nil {
		x = *m.Echoed
	}
	if x.Proto == script.EchoedRaw {
		if x.Len < wire.ICMPLen {
			return nil, fmt.Errorf("%d octets are too few for an ICMP message, whose header is 8", x.Len)
		}
		return make([]byte, x.Len-wire.ICMPLen), nil
	}
	proto, header, n := uint8(wire.ProtoTCP), wire.TCPMinLen, int(x.Seq.Len)
	if x.Proto == script.EchoedUDP {
		proto, header, n = wire.ProtoUDP, wire.UDPLen, int(x.Len)
	}
	b, at, err := ipHeader(e.v6, quoted+n)
	if err != nil {
		return nil, err
	}
	putIP(b, e.v6, header+n, 0, 0, defaultTTL, proto, e.dst.Addr(), e.src.Addr())
	if x.Proto == script.EchoedUDP {
		wire.PutUDP(b[at:], e.s.live.local.Port(), e.s.live.remote.Port(), header+n)
		return b, nil
	}
	binary.BigEndian.PutUint16(b[at:], e.s.live.local.Port())
	binary.BigEndian.PutUint16(b[at+2:], e.s.live.remote.Port())
	seq := x.Seq.Start
	if !x.Seq.Absolute {
		seq += e.s.localOffset(false)
	}
	binary.BigEndian.PutUint32(b[at+4:], seq)
	return b, nil
}

// encodeOptions returns the options in their order with the script's numbers.
func encodeOptions(options []script.TCPOption) []option {
	list := make([]option, 0, len(options))
	for i := range options {
		b := options[i].Append(nil)
		list = append(list, option{kind: b[0], data: b[min(2, len(b)):]})
	}
	return list
}

// joinOptions returns the octets of options.
func joinOptions(list []option) []byte {
	var b []byte
	for _, o := range list {
		b = append(b, o.kind)
		if k := script.OptionKind(o.kind); k != script.OptEOL && k != script.OptNOP {
			b = append(append(b, byte(len(o.data)+2)), o.data...)
		}
	}
	return b
}
