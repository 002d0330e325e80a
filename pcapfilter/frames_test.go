package pcapfilter

import (
	"encoding/binary"
	"encoding/hex"
	"slices"

	"github.com/onlink-go/onlink/link"
)

var be = binary.BigEndian

// The addresses and ports that frames of the tests have, and expressions ask for.
var (
	macs   = []string{"02:00:00:00:00:01", "02:00:00:00:00:02", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "33:33:00:00:00:01"}
	hosts4 = []string{"192.0.2.1", "192.0.2.2", "198.51.100.7", "224.0.0.1", "255.255.255.255", "0.0.0.0"}
	hosts6 = []string{"2001:db8::1", "2001:db8::2", "fe80::1", "ff02::1", "::"}
	ports  = []uint16{22, 53, 80, 443, 6000, 40000}
)

func bytesOf(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// ethernet returns a frame; dst and src are numbers of macs.
func ethernet(dst, src int, etherType uint16, payload []byte) []byte {
	b := append(macOf(dst), macOf(src)...)
	return append(be.AppendUint16(b, etherType), payload...)
}

func macOf(i int) []byte {
	m, _ := parseMAC(macs[i%len(macs)])
	return m[:]
}

// packet4 returns an IPv4 packet with a field of flags and fragment offset, and options.
func packet4(src, dst string, proto byte, fragment uint16, options, payload []byte) []byte {
	h := 20 + len(options)
	b := make([]byte, h)
	b[0] = 0x40 | byte(h/4)
	be.PutUint16(b[2:], uint16(h+len(payload)))
	be.PutUint16(b[4:], uint16(len(payload)*7))
	be.PutUint16(b[6:], fragment)
	b[8], b[9] = 64, proto
	copy(b[12:], addrOf(src))
	copy(b[16:], addrOf(dst))
	copy(b[20:], options)
	return append(b, payload...)
}

func packet6(src, dst string, next byte, payload []byte) []byte {
	b := make([]byte, 40)
	b[0] = 0x60
	be.PutUint16(b[4:], uint16(len(payload)))
	b[6], b[7] = next, 64
	copy(b[8:], addrOf(src))
	copy(b[24:], addrOf(dst))
	return append(b, payload...)
}

func addrOf(s string) []byte {
	p := parser{expr: s}
	if err := p.lex(); err != nil {
		panic(err)
	}
	t := p.tokens[0]
	if t.kind == tokIPv6 {
		a := t.addr.As16()
		return a[:]
	}
	v, _, err := p.address4(qualifiers{}, &t)
	if err != nil {
		panic(err)
	}
	return be.AppendUint32(nil, v)
}

// transport returns what stands behind an IP header: with ports, flags, types or whatever proto has.
func transport(proto byte, k int) []byte {
	src, dst := ports[k%len(ports)], ports[(k/2)%len(ports)]
	b := be.AppendUint16(be.AppendUint16(nil, src), dst)
	switch proto {
	case tcp:
		b = append(b, 0, 0, 0, byte(k), 0, 0, 0, byte(k/3), 0x50, byte(k*5), 0xff, 0xff, 0, 0, 0, 0)
	case udp:
		b = append(b, 0, byte(8+k%5), 0, 0)
	case sctp:
		b = append(b, 0, 0, 0, 1, 0, 0, 0, 0)
	case 1:
		b = []byte{[]byte{0, 3, 8, 11}[k%4], byte(k % 3), 0, 0, 0, 1, 0, byte(k)}
	case 58:
		b = []byte{[]byte{128, 129, 135, 136, 134, 1}[k%6], byte(k % 2), 0, 0, 0, 0, 0, 0}
	}
	return append(b, slices.Repeat([]byte{byte(k)}, k%40)...)
}

// sampleFrames returns some hundred frames of many kinds, whole and cut off.
func sampleFrames(medium link.Medium) (frames [][]byte) {
	add := func(f []byte) { frames = append(frames, f) }
	k := 0
	for _, proto := range []byte{1, 2, 6, 17, 47, 50, 51, 58, 89, 103, 112, 132} {
		for i := range 6 {
			k++
			src, dst := hosts4[(k+i)%3], hosts4[k%len(hosts4)]
			add(ethernet(k, k/5, typeIPv4, packet4(src, dst, proto, 0x4000, nil, transport(proto, k))))
			add(ethernet(k, 1, typeIPv6, packet6(hosts6[k%3], hosts6[(k+i)%len(hosts6)], proto, transport(proto, k+i))))
		}
		k++
		options := bytesOf("9404000001010100")
		add(ethernet(0, 1, typeIPv4, packet4(hosts4[0], hosts4[1], proto, 0, options, transport(proto, k))))
		add(ethernet(0, 1, typeIPv4, packet4(hosts4[1], hosts4[0], proto, 0x2000, nil, transport(proto, k))))   // first fragment
		add(ethernet(0, 1, typeIPv4, packet4(hosts4[1], hosts4[0], proto, 0x2001, nil, transport(proto, k+1)))) // one within
		add(ethernet(0, 1, typeIPv4, packet4(hosts4[2], hosts4[0], proto, 0x00b9, nil, transport(proto, k))))   // the last
		add(ethernet(0, 1, typeIPv6, packet6(hosts6[1], hosts6[0], 44, append([]byte{proto, 0, 0, 1, 0, 0, 0, 7}, transport(proto, k)...))))
		add(ethernet(0, 1, typeIPv6, packet6(hosts6[1], hosts6[0], 0, append([]byte{proto, 0, 5, 2, 0, 0, 1, 0}, transport(proto, k)...))))
		for _, tag := range []string{"0005", "0007", "e005", "0fff"} {
			k++
			inner := append(bytesOf(tag), bytesOf("0800")...)
			add(ethernet(0, 1, []uint16{typeVLAN, typeQinQ, typeQinQ9}[k%3], append(inner, packet4(hosts4[k%3], hosts4[0], proto, 0, nil, transport(proto, k))...)))
			inner = append(bytesOf(tag), bytesOf("8100000586dd")...)
			add(ethernet(0, 1, typeQinQ, append(inner, packet6(hosts6[k%3], hosts6[0], proto, transport(proto, k))...)))
		}
	}
	for i := range 8 {
		arp := append(bytesOf("000108000604"), 0, byte(i%4))
		arp = append(append(append(append(arp, macOf(0)...), addrOf(hosts4[i%3])...), macOf(i)...), addrOf(hosts4[(i+1)%3])...)
		add(ethernet(2, i, []uint16{typeARP, typeRARP}[i%2], arp))
		add(ethernet(i, 0, []uint16{0x88cc, 0x6003, 0x9000, 0x0600, 0x05dc, 0x0026, 0x888e, 0xffff}[i], bytesOf("424203000000000000")))
		add(ethernet(i, 0, 9, append([]byte{[]byte{0x06, 0x42, 0xfe, 0xf0}[i%4], []byte{0x06, 0x42}[i%2]}, 3, 0, 0, 0, 0, 0, 0)))
	}
	// Every length of some, to be cut off in every field.
	for _, at := range []int{0, 1, 12, 13, 14, 16, 18, 19, len(frames) - 24} {
		whole := frames[at]
		for n := 1; n < min(len(whole), 80); n += 1 + at%3 {
			add(whole[:n])
		}
	}
	if medium == link.IP {
		var packets [][]byte
		for _, f := range frames {
			if len(f) > 14 && (be.Uint16(f[12:]) == typeIPv4 || be.Uint16(f[12:]) == typeIPv6) {
				packets = append(packets, f[14:])
			}
		}
		return append(packets, []byte{0x50, 0, 0, 0}, []byte{0x46})
	}
	return frames
}
