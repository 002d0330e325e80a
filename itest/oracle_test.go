package itest

import (
	"bytes"
	"encoding/binary"
	"net"
	"slices"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"pgregory.net/rapid"

	"github.com/onlink-go/onlink/wire"
)

// In these tests rapid chooses values, package wire writes them, and gopacket has to read the same.

// Generators.
var (
	octets  = rapid.Byte()
	words   = rapid.Uint16()
	doubles = rapid.Uint32()
	flags   = rapid.Bool()

	macs = rapid.Custom(func(t *rapid.T) wire.MAC {
		return wire.MAC(rapid.SliceOfN(octets, 6, 6).Draw(t, "mac"))
	})
	addrs4 = rapid.Custom(func(t *rapid.T) wire.Addr {
		return wire.AddrFrom4(rapid.SliceOfN(octets, 4, 4).Draw(t, "addr"))
	})
	// Not IPv4-mapped, which means IPv4 in package wire.
	addrs6 = rapid.Custom(func(t *rapid.T) wire.Addr {
		b := rapid.SliceOfN(octets, 16, 16).Draw(t, "addr")
		b[0] |= 0x20
		return wire.AddrFrom16(b)
	})
	// Not multicast either.
	unicast6 = rapid.Custom(func(t *rapid.T) wire.Addr {
		a := addrs6.Draw(t, "unicast")
		a.Hi &^= 1 << 63
		return a
	})
	payloads = rapid.SliceOfN(octets, 0, 100)
)

// decode reads a frame with gopacket, which must find no fault and no wrong checksum.
func decode(t rapid.TB, frame []byte, first gopacket.LayerType) gopacket.Packet {
	t.Helper()
	p := gopacket.NewPacket(frame, first, gopacket.NoCopy)
	if e := p.ErrorLayer(); e != nil {
		t.Fatalf("gopacket: %v\n% x", e.Error(), frame)
	}
	if p.Metadata().Truncated {
		t.Fatalf("gopacket: truncated\n% x", frame)
	}
	for _, l := range p.Layers() {
		if l, ok := l.(interface {
			SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
		}); ok {
			if err := l.SetNetworkLayerForChecksum(p.NetworkLayer()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err, bad := p.VerifyChecksums(); err != nil || len(bad) > 0 {
		t.Fatalf("gopacket: checksums: %+v, %v\n% x", bad, err, frame)
	}
	return p
}

// layer returns the layer of p that is an L.
func layer[L gopacket.Layer](t rapid.TB, p gopacket.Packet) L {
	t.Helper()
	for _, l := range p.Layers() {
		if l, ok := l.(L); ok {
			return l
		}
	}
	var none L
	t.Fatalf("no %T in %v", none, p)
	return none
}

// eq fails the test unless got is want.
func eq[T comparable](t rapid.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func eqBytes(t rapid.TB, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s is % x, want % x", what, got, want)
	}
}

func eqAddr(t rapid.TB, what string, got []byte, want wire.Addr) {
	t.Helper()
	eqBytes(t, what, net.IP(got).To16(), addr16(want))
}

func TestOracleARP(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dst, src := macs.Draw(t, "dst"), macs.Draw(t, "src")
		a := wire.ARP{Op: words.Draw(t, "op"), SenderMAC: macs.Draw(t, "sha"), SenderIP: addrs4.Draw(t, "spa"),
			TargetMAC: macs.Draw(t, "tha"), TargetIP: addrs4.Draw(t, "tpa")}
		b := make([]byte, wire.EthernetLen+wire.ARPLen)
		wire.PutEthernet(b, dst, src, wire.EtherTypeARP)
		a.Put(b[wire.EthernetLen:])

		p := decode(t, b, layers.LayerTypeEthernet)
		e, g := layer[*layers.Ethernet](t, p), layer[*layers.ARP](t, p)
		eqBytes(t, "dst", e.DstMAC, dst[:])
		eqBytes(t, "src", e.SrcMAC, src[:])
		eq(t, "hardware", g.AddrType, layers.LinkTypeEthernet)
		eq(t, "protocol", g.Protocol, layers.EthernetTypeIPv4)
		eq(t, "op", g.Operation, a.Op)
		eqBytes(t, "sha", g.SourceHwAddress, a.SenderMAC[:])
		eqAddr(t, "spa", g.SourceProtAddress, a.SenderIP)
		eqBytes(t, "tha", g.DstHwAddress, a.TargetMAC[:])
		eqAddr(t, "tpa", g.DstProtAddress, a.TargetIP)
	})
}

// ipv4Options are options with correct lengths, of at most 40 octets together.
var ipv4Options = rapid.Custom(func(t *rapid.T) (b []byte) {
	for range rapid.IntRange(0, 4).Draw(t, "options") {
		if flags.Draw(t, "nop") {
			b = append(b, 1)
			continue
		}
		data := rapid.SliceOfN(octets, 0, 7).Draw(t, "data")
		b = append(b, rapid.ByteRange(2, 255).Draw(t, "type"), byte(2+len(data)))
		b = append(b, data...)
	}
	return b
})

func TestOracleIPv4(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payload := payloads.Draw(t, "payload")
		h := wire.IPv4Header{TrafficClass: octets.Draw(t, "tos"), ID: words.Draw(t, "id"), DontFragment: flags.Draw(t, "df"),
			MoreFragments: flags.Draw(t, "mf"), FragmentOffset: 8 * rapid.IntRange(0, 1<<13-1).Draw(t, "offset"),
			TTL: octets.Draw(t, "ttl"), Protocol: wire.ProtoNoNext, Src: addrs4.Draw(t, "src"), Dst: addrs4.Draw(t, "dst"),
			Options: ipv4Options.Draw(t, "options")}
		h.TotalLen = h.Len() + len(payload)
		b := make([]byte, h.Len(), h.TotalLen)
		h.Put(b)
		b = append(b, payload...)

		g := layer[*layers.IPv4](t, decode(t, b, layers.LayerTypeIPv4))
		eq(t, "version", g.Version, 4)
		eq(t, "tos", g.TOS, h.TrafficClass)
		eq(t, "total length", int(g.Length), h.TotalLen)
		eq(t, "id", g.Id, h.ID)
		eq(t, "df", g.Flags&layers.IPv4DontFragment != 0, h.DontFragment)
		eq(t, "mf", g.Flags&layers.IPv4MoreFragments != 0, h.MoreFragments)
		eq(t, "offset", int(g.FragOffset)*8, h.FragmentOffset)
		eq(t, "ttl", g.TTL, h.TTL)
		eq(t, "protocol", uint8(g.Protocol), h.Protocol)
		eqAddr(t, "src", g.SrcIP, h.Src)
		eqAddr(t, "dst", g.DstIP, h.Dst)
		eqBytes(t, "payload", g.Payload, payload)
		var options []byte
		for _, o := range g.Options {
			options = append(options, o.OptionType)
			if o.OptionType > 1 {
				options = append(append(options, o.OptionLength), o.OptionData...)
			}
		}
		eqBytes(t, "options", bytes.TrimRight(options, "\x00"), bytes.TrimRight(h.Options, "\x00"))
	})
}

// putIPv6 returns a packet of that upper layer.
func putIPv6(proto uint8, src, dst wire.Addr, payload []byte) []byte {
	h := wire.IPv6Header{PayloadLen: len(payload), NextHeader: proto, HopLimit: 255, Src: src, Dst: dst}
	b := make([]byte, wire.IPv6Len, wire.IPv6Len+len(payload))
	h.Put(b)
	return append(b, payload...)
}

// putIPv4 returns a packet of that upper layer.
func putIPv4(proto uint8, src, dst wire.Addr, payload []byte) []byte {
	h := wire.IPv4Header{TotalLen: wire.IPv4MinLen + len(payload), TTL: 64, Protocol: proto, Src: src, Dst: dst}
	b := make([]byte, wire.IPv4MinLen, h.TotalLen)
	h.Put(b)
	return append(b, payload...)
}

func TestOracleIPv6(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payload := payloads.Draw(t, "payload")
		f := wire.Fragment{Next: wire.ProtoNoNext, Offset: 8 * rapid.IntRange(0, 1<<13-1).Draw(t, "offset"), More: flags.Draw(t, "more"),
			ID: doubles.Draw(t, "id")}
		h := wire.IPv6Header{TrafficClass: octets.Draw(t, "class"), FlowLabel: doubles.Draw(t, "label") & 0xfffff,
			PayloadLen: wire.FragmentLen + len(payload), NextHeader: wire.ProtoFragment, HopLimit: octets.Draw(t, "hops"),
			Src: addrs6.Draw(t, "src"), Dst: addrs6.Draw(t, "dst")}
		b := make([]byte, wire.IPv6Len+wire.FragmentLen, wire.IPv6Len+h.PayloadLen)
		h.Put(b)
		f.Put(b[wire.IPv6Len:])
		b = append(b, payload...)

		p := decode(t, b, layers.LayerTypeIPv6)
		g, gf := layer[*layers.IPv6](t, p), layer[*layers.IPv6Fragment](t, p)
		eq(t, "version", g.Version, 6)
		eq(t, "class", g.TrafficClass, h.TrafficClass)
		eq(t, "label", g.FlowLabel, h.FlowLabel)
		eq(t, "length", int(g.Length), h.PayloadLen)
		eq(t, "next", uint8(g.NextHeader), h.NextHeader)
		eq(t, "hops", g.HopLimit, h.HopLimit)
		eqAddr(t, "src", g.SrcIP, h.Src)
		eqAddr(t, "dst", g.DstIP, h.Dst)
		eq(t, "fragment next", uint8(gf.NextHeader), f.Next)
		eq(t, "fragment offset", int(gf.FragmentOffset)*8, f.Offset)
		eq(t, "fragment more", gf.MoreFragments, f.More)
		eq(t, "fragment id", gf.Identification, f.ID)
		eqBytes(t, "payload", gf.Payload, payload)
	})
}

// Here gopacket writes options headers, and package wire reads them.
func TestOracleExtensionHeaders(t *testing.T) {
	type option struct {
		typ  uint8
		data []byte
	}
	options := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) option {
		return option{rapid.ByteRange(2, 254).Filter(func(b byte) bool { return b != wire.IPv6Jumbo }).Draw(t, "type"),
			rapid.SliceOfN(octets, 0, 20).Draw(t, "data")}
	}), 1, 4)
	// RFC 8200, 4.2: padding makes the header a multiple of 8 octets long; package wire skips it.
	padded := func(options []option) []option {
		n := 2
		for _, o := range options {
			n += 2 + len(o.data)
		}
		switch pad := -n & 7; pad {
		case 0:
			return options
		case 1:
			return append(slices.Clone(options), option{wire.IPv6Pad1, nil})
		default:
			return append(slices.Clone(options), option{wire.IPv6PadN, make([]byte, pad-2)})
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		hops, dest := options.Draw(t, "hops"), options.Draw(t, "dest")
		ip := &layers.IPv6{Version: 6, NextHeader: layers.IPProtocolIPv6HopByHop, SrcIP: net.IPv6loopback, DstIP: net.IPv6loopback}
		hbh := &layers.IPv6HopByHop{}
		hbh.NextHeader = layers.IPProtocolIPv6Destination
		for _, o := range padded(hops) {
			hbh.Options = append(hbh.Options, &layers.IPv6HopByHopOption{OptionType: o.typ, OptionData: o.data})
		}
		dst := &layers.IPv6Destination{}
		dst.NextHeader = layers.IPProtocolNoNextHeader
		for _, o := range padded(dest) {
			dst.Options = append(dst.Options, &layers.IPv6DestinationOption{OptionType: o.typ, OptionData: o.data})
		}
		buf := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, ip, hbh, dst, gopacket.Payload("rest")); err != nil {
			t.Fatal(err)
		}
		v, err := wire.CheckIPv6(buf.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		it := wire.WalkExt(v.NextHeader(), v.Payload())
		for i, want := range [][]option{hops, dest} {
			if !it.Next() || it.Header().Proto != []uint8{wire.ProtoHopByHop, wire.ProtoDestOpts}[i] {
				t.Fatalf("header %d is %+v, %v", i, it.Header(), it.Err())
			}
			o := wire.WalkIPv6Options(it.Header().Data)
			for _, w := range want {
				if !o.Next() || o.Option().Type != w.typ || !bytes.Equal(o.Option().Data, w.data) {
					t.Fatalf("option is %+v (%v), want %+v", o.Option(), o.Err(), w)
				}
			}
			if o.Next() || o.Err() != nil {
				t.Errorf("another option %+v, %v", o.Option(), o.Err())
			}
		}
		if it.Next() || it.Err() != nil {
			t.Errorf("another header %+v, %v", it.Header(), it.Err())
		}
		proto, offset := it.Upper()
		eq(t, "upper", proto, wire.ProtoNoNext)
		eqBytes(t, "rest", v.Payload()[offset:], []byte("rest"))
	})
}

func TestOracleICMP(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id, seq, payload := words.Draw(t, "id"), words.Draw(t, "seq"), payloads.Draw(t, "payload")
		b := append(make([]byte, wire.ICMPLen), payload...)
		wire.PutICMP(b, wire.ICMPv4EchoRequest, 0, uint32(id)<<16|uint32(seq))
		wire.FinishICMPv4(b)
		g := layer[*layers.ICMPv4](t, decode(t, putIPv4(wire.ProtoICMP, addrs4.Draw(t, "src"), addrs4.Draw(t, "dst"), b), layers.LayerTypeIPv4))
		eq(t, "type", g.TypeCode, layers.CreateICMPv4TypeCode(layers.ICMPv4TypeEchoRequest, 0))
		eq(t, "id", g.Id, id)
		eq(t, "seq", g.Seq, seq)
		eqBytes(t, "payload", g.Payload, payload)

		src, dst := addrs6.Draw(t, "src6"), addrs6.Draw(t, "dst6")
		wire.PutICMP(b, wire.ICMPv6EchoReply, 0, uint32(id)<<16|uint32(seq))
		wire.FinishICMPv6(b, src, dst)
		p := decode(t, putIPv6(wire.ProtoICMPv6, src, dst, b), layers.LayerTypeIPv6)
		e := layer[*layers.ICMPv6Echo](t, p)
		eq(t, "type", layer[*layers.ICMPv6](t, p).TypeCode, layers.CreateICMPv6TypeCode(layers.ICMPv6TypeEchoReply, 0))
		eq(t, "id", e.Identifier, id)
		eq(t, "seq", e.SeqNumber, seq)
		eqBytes(t, "payload", e.Payload, payload)
	})
}

func TestOracleUDP(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payload := payloads.Draw(t, "payload")
		// No protocol that gopacket decodes further is spoken on these ports.
		port := rapid.Uint16Range(50000, 60000)
		src, dst := port.Draw(t, "src"), port.Draw(t, "dst")
		check := func(p gopacket.Packet) {
			g := layer[*layers.UDP](t, p)
			eq(t, "src", uint16(g.SrcPort), src)
			eq(t, "dst", uint16(g.DstPort), dst)
			eq(t, "length", int(g.Length), wire.UDPLen+len(payload))
			eqBytes(t, "payload", g.Payload, payload)
		}
		b := append(make([]byte, wire.UDPLen), payload...)
		for _, addr := range []*rapid.Generator[wire.Addr]{addrs4, addrs6} {
			from, to := addr.Draw(t, "from"), addr.Draw(t, "to")
			wire.PutUDP(b, src, dst, len(b))
			wire.FinishChecksum(b, wire.UDPChecksumOffset, wire.ProtoUDP, from, to)
			if from.Is4() {
				check(decode(t, putIPv4(wire.ProtoUDP, from, to, b), layers.LayerTypeIPv4))
			} else {
				check(decode(t, putIPv6(wire.ProtoUDP, from, to, b), layers.LayerTypeIPv6))
			}
		}
	})
}

// tcpOptions are options that fit a header together.
var tcpOptions = rapid.Custom(func(t *rapid.T) wire.TCPOptions {
	o := wire.TCPOptions{HasWindowScale: flags.Draw(t, "has scale"), HasTimestamps: flags.Draw(t, "has timestamps"),
		SACKPermitted: flags.Draw(t, "sack permitted")}
	if flags.Draw(t, "has mss") {
		o.MSS = rapid.Uint16Min(1).Draw(t, "mss")
	}
	if o.HasWindowScale {
		o.WindowScale = octets.Draw(t, "scale")
	}
	if o.HasTimestamps {
		o.TSVal, o.TSEcr = doubles.Draw(t, "tsval"), doubles.Draw(t, "tsecr")
	}
	o.SACKCount = rapid.ByteRange(0, 2).Draw(t, "sack blocks")
	for i := range o.SACKCount {
		o.SACK[i] = wire.SACKBlock{Left: doubles.Draw(t, "left"), Right: doubles.Draw(t, "right")}
	}
	return o
})

func TestOracleTCP(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payload := payloads.Draw(t, "payload")
		port := rapid.Uint16Range(50000, 60000)
		h := wire.TCPHeader{SrcPort: port.Draw(t, "src"), DstPort: port.Draw(t, "dst"), Seq: doubles.Draw(t, "seq"),
			Ack: doubles.Draw(t, "ack"), Flags: wire.TCPFlags(words.Draw(t, "flags")) & 0x1ff, Window: words.Draw(t, "window"),
			Urgent: words.Draw(t, "urgent"), Options: tcpOptions.Draw(t, "options")}
		b := make([]byte, h.Len(), h.Len()+len(payload))
		h.Put(b)
		b = append(b, payload...)
		src, dst := addrs6.Draw(t, "from"), addrs6.Draw(t, "to")
		wire.FinishChecksum(b, wire.TCPChecksumOffset, wire.ProtoTCP, src, dst)

		g := layer[*layers.TCP](t, decode(t, putIPv6(wire.ProtoTCP, src, dst, b), layers.LayerTypeIPv6))
		eq(t, "src", uint16(g.SrcPort), h.SrcPort)
		eq(t, "dst", uint16(g.DstPort), h.DstPort)
		eq(t, "seq", g.Seq, h.Seq)
		eq(t, "ack", g.Ack, h.Ack)
		for i, f := range []bool{g.FIN, g.SYN, g.RST, g.PSH, g.ACK, g.URG, g.ECE, g.CWR, g.NS} { // NS is what AE was in RFC 3540
			eq(t, wire.TCPFlags(1<<i).String(), f, h.Flags&(1<<i) != 0)
		}
		eq(t, "data offset", int(g.DataOffset)*4, h.Len())
		eq(t, "window", g.Window, h.Window)
		eq(t, "urgent", g.Urgent, h.Urgent)
		eqBytes(t, "payload", g.Payload, payload)
		eq(t, "options", readTCPOptions(t, g.Options), h.Options)
	})
}

// readTCPOptions converts what gopacket read.
func readTCPOptions(t rapid.TB, options []layers.TCPOption) (o wire.TCPOptions) {
	t.Helper()
	for _, g := range options {
		d := g.OptionData
		switch g.OptionType {
		case layers.TCPOptionKindMSS:
			o.MSS = binary.BigEndian.Uint16(d)
		case layers.TCPOptionKindWindowScale:
			o.HasWindowScale, o.WindowScale = true, d[0]
		case layers.TCPOptionKindTimestamps:
			o.HasTimestamps, o.TSVal, o.TSEcr = true, binary.BigEndian.Uint32(d), binary.BigEndian.Uint32(d[4:])
		case layers.TCPOptionKindSACKPermitted:
			o.SACKPermitted = true
		case layers.TCPOptionKindSACK:
			for ; len(d) >= 8; d = d[8:] {
				o.SACK[o.SACKCount] = wire.SACKBlock{Left: binary.BigEndian.Uint32(d), Right: binary.BigEndian.Uint32(d[4:])}
				o.SACKCount++
			}
		case layers.TCPOptionKindNop, layers.TCPOptionKindEndList:
		default:
			t.Errorf("option %v", g)
		}
	}
	return o
}
