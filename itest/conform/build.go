package conform

import (
	"bytes"
	"encoding/binary"

	"github.com/onlink-go/onlink/wire"
)

// Eth returns a frame to the node's port, addressed as the destination of the packet wants: to the node or to a group.
func Eth(port int, packet []byte) []byte {
	dst, typ := NodeMAC[port], uint16(wire.EtherTypeIPv4)
	var to wire.Addr
	if packet[0]>>4 == 6 {
		typ = wire.EtherTypeIPv6
		to = wire.AddrFrom16(packet[24:])
	} else {
		to = wire.AddrFrom4(packet[16:])
	}
	switch {
	case to.IsMulticast():
		dst = to.MulticastMAC()
	case to == wire.Broadcast4 || to.Is4() && to.V4()&0xff == 0xff:
		dst = wire.BroadcastMAC
	}
	return EthTo(port, dst, typ, packet)
}

// EthTo returns a frame from the tester.
func EthTo(port int, dst wire.MAC, typ uint16, packet []byte) []byte {
	f := make([]byte, wire.EthernetLen+len(packet))
	wire.PutEthernet(f, dst, TesterMAC[port], typ)
	copy(f[wire.EthernetLen:], packet)
	return f
}

// IP6 returns an IPv6 packet whose payload begins with the header numbered next.
func IP6(src, dst wire.Addr, next uint8, payload []byte, change ...func(*wire.IPv6Header)) []byte {
	h := wire.IPv6Header{HopLimit: 64, NextHeader: next, Src: src, Dst: dst, PayloadLen: len(payload)}
	for _, f := range change {
		f(&h)
	}
	b := make([]byte, wire.IPv6Len, wire.IPv6Len+len(payload))
	h.Put(b)
	return append(b, payload...)
}

// IP4 returns an IPv4 datagram.
func IP4(src, dst wire.Addr, proto uint8, payload []byte, change ...func(*wire.IPv4Header)) []byte {
	h := wire.IPv4Header{TTL: 64, Protocol: proto, Src: src, Dst: dst, ID: 0x1234}
	for _, f := range change {
		f(&h)
	}
	if h.TotalLen == 0 {
		h.TotalLen = h.Len() + len(payload)
	}
	b := make([]byte, h.Len(), h.Len()+len(payload))
	h.Put(b)
	return append(b, payload...)
}

// Echo6 and Echo4 return echo requests.
func Echo6(src, dst wire.Addr, data []byte) []byte {
	return ICMP6(src, dst, wire.ICMPv6EchoRequest, 0, 0x0101_0001, data)
}

func Echo4(data []byte) []byte { return ICMP4(wire.ICMPv4EchoRequest, 0, 0x0101_0001, data) }

// ICMP6 and ICMP4 return messages with a good checksum.
func ICMP6(src, dst wire.Addr, typ, code uint8, rest uint32, body []byte) []byte {
	b := make([]byte, wire.ICMPLen, wire.ICMPLen+len(body))
	wire.PutICMP(b, typ, code, rest)
	b = append(b, body...)
	wire.FinishICMPv6(b, src, dst)
	return b
}

func ICMP4(typ, code uint8, rest uint32, body []byte) []byte {
	b := make([]byte, wire.ICMPLen, wire.ICMPLen+len(body))
	wire.PutICMP(b, typ, code, rest)
	b = append(b, body...)
	wire.FinishICMPv4(b)
	return b
}

// UDP returns a datagram to a port where nobody listens.
func UDP(src, dst wire.Addr, data []byte) []byte {
	b := make([]byte, wire.UDPLen, wire.UDPLen+len(data))
	wire.PutUDP(b, 1000, 9, wire.UDPLen+len(data))
	b = append(b, data...)
	wire.FinishChecksum(b, wire.UDPChecksumOffset, wire.ProtoUDP, src, dst)
	return b
}

// SYN returns a TCP segment to a port where nobody listens.
func SYN(src, dst wire.Addr) []byte {
	b := make([]byte, 20)
	binary.BigEndian.PutUint16(b, 1000)
	binary.BigEndian.PutUint16(b[2:], 9)
	binary.BigEndian.PutUint32(b[4:], 7)
	b[12], b[13] = 5<<4, 2
	binary.BigEndian.PutUint16(b[14:], 1000)
	wire.FinishChecksum(b, 16, wire.ProtoTCP, src, dst)
	return b
}

// Ext returns a header of options (hop-by-hop or destination), padded with PadN to a multiple of 8 octets.
func Ext(next uint8, options ...byte) []byte {
	n := (len(options) + 2 + 7) / 8 * 8
	b := make([]byte, n)
	b[0], b[1] = next, uint8(n/8-1)
	copy(b[2:], options)
	if pad := n - 2 - len(options); pad == 1 {
		b[n-1] = wire.IPv6Pad1
	} else if pad > 1 {
		b[2+len(options)], b[3+len(options)] = wire.IPv6PadN, uint8(pad-2)
	}
	return b
}

// Routing returns a Routing header with one address.
func Routing(next, typ, left uint8) []byte {
	b := make([]byte, 24)
	b[0], b[1], b[2], b[3] = next, 2, typ, left
	Addr("2001:db8::77").Put16(b[8:])
	return b
}

// Frag returns a Fragment header.
func Frag(next uint8, id uint32, offset int, more bool) []byte {
	b := make([]byte, wire.FragmentLen)
	f := wire.Fragment{Next: next, Offset: offset, More: more, ID: id}
	f.Put(b)
	return b
}

// Cat joins.
func Cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// Poke returns b with the octets v at at.
func Poke(b []byte, at int, v ...byte) []byte {
	b = bytes.Clone(b)
	copy(b[at:], v)
	return b
}

// Data returns n octets that differ.
func Data(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// Fix4 makes the header checksum of an IPv4 datagram good again.
func Fix4(b []byte) []byte {
	b = bytes.Clone(b)
	b[10], b[11] = 0, 0
	n := int(b[0]&15) * 4
	if n >= wire.IPv4MinLen && n <= len(b) {
		binary.BigEndian.PutUint16(b[10:], ^wire.Checksum(b[:n], 0))
	}
	return b
}

// One returns the steps of one frame at port 0.
func One(packet []byte) []Step { return []Step{{Frame: Eth(0, packet)}} }

// Each returns the steps of several frames at port 0.
func Each(packets ...[]byte) (s []Step) {
	for _, p := range packets {
		s = append(s, Step{Frame: Eth(0, p)})
	}
	return s
}
