package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/wire"
)

// framePrinter prints a line for each packet, as tcpdump -n does.
type framePrinter struct {
	cmd         *captureCmd
	any         bool // the interface and the direction are printed
	out         io.Writer
	text        bytes.Buffer
	first, last time.Time
	streams     map[tcpStream]tcpStart
}

func newFramePrinter(out io.Writer, c *captureCmd, any bool) *framePrinter {
	return &framePrinter{cmd: c, any: any, out: out, streams: map[tcpStream]tcpStart{}}
}

func (p *framePrinter) flush() error {
	_, err := p.out.Write(p.text.Bytes())
	p.text.Reset()
	return err
}

func (p *framePrinter) printf(format string, args ...any) { fmt.Fprintf(&p.text, format, args...) }

func (p *framePrinter) packet(b []byte, i *onlink.FrameInfo) error {
	p.time(i.Wall)
	if p.any {
		direction := "In"
		switch {
		case i.Outgoing:
			direction = "Out"
		case i.Medium == link.Ethernet && len(b) >= 6 && wire.MAC(b) == wire.BroadcastMAC:
			direction = "B"
		case i.Medium == link.Ethernet && len(b) >= 6 && wire.MAC(b).IsMulticast():
			direction = "M"
		}
		p.printf("%-5s %-3s ", i.Interface, direction)
	}
	if i.Medium == link.Ethernet {
		p.ethernet(b, i.Len)
	} else {
		p.network(i.EtherType, b, i.Len)
	}
	p.text.WriteByte('\n')
	if p.text.Len() > 1<<15 {
		return p.flush()
	}
	return nil
}

// time prints when a packet came.
func (p *framePrinter) time(at time.Time) {
	at = at.Truncate(time.Microsecond)
	if p.first.IsZero() {
		p.first, p.last = at, at
	}
	switch p.cmd.Time {
	case 0:
		p.printf("%s ", at.Format("15:04:05.000000"))
	case 1:
	case 2:
		p.printf("%d.%06d ", at.Unix(), at.Nanosecond()/1000)
	case 3:
		p.printf("%s ", sinceText(at.Sub(p.last)))
	case 4:
		p.printf("%s ", at.Format("2006-01-02 15:04:05.000000"))
	default:
		p.printf("%s ", sinceText(at.Sub(p.first)))
	}
	p.last = at
}

func sinceText(d time.Duration) string {
	return time.Unix(0, 0).UTC().Add(max(0, d)).Format(" 15:04:05.000000")
}

// etherTypes are the names that tcpdump has for them.
var etherTypes = map[uint16]string{wire.EtherTypeIPv4: "IPv4", wire.EtherTypeIPv6: "IPv6", wire.EtherTypeARP: "ARP", 0x8035: "Reverse ARP",
	wire.EtherTypeVLAN: "802.1Q", 0x88a8: "802.1Q-QinQ", 0x88cc: "LLDP", 0x888e: "EAPOL", 0x8847: "MPLS unicast", 0x8863: "PPPoE D", 0x8864: "PPPoE S",
	0x9000: "Loopback"}

// ethernet prints a frame of n octets, of which b are there.
func (p *framePrinter) ethernet(b []byte, n int) {
	h, err := wire.CheckEthernet(b)
	if err != nil {
		p.printf("[|ether]")
		return
	}
	typ, payload := h.EtherType(), h.Payload()
	if p.cmd.LinkHeader {
		p.printf("%v > %v, ", h.Src(), h.Dst())
		if typ <= 1500 {
			p.printf("802.3, length %d: ", typ)
		} else {
			p.etherType(typ)
			p.printf(", length %d: ", n)
		}
	}
	n -= wire.EthernetLen
	for (typ == wire.EtherTypeVLAN || typ == 0x88a8 || typ == 0x9100) && len(payload) >= wire.VLANLen {
		tag := binary.BigEndian.Uint16(payload)
		typ = binary.BigEndian.Uint16(payload[2:])
		payload, n = payload[wire.VLANLen:], n-wire.VLANLen
		if p.cmd.LinkHeader {
			p.printf("vlan %d, p %d", tag&0xfff, tag>>13)
			if tag&0x1000 != 0 {
				p.printf(", DEI")
			}
			p.printf(", ")
			p.etherType(typ)
			p.printf(", ")
		}
	}
	p.network(typ, payload, n)
}

func (p *framePrinter) etherType(typ uint16) {
	name, ok := etherTypes[typ]
	if !ok {
		name = "Unknown"
	}
	p.printf("ethertype %s (0x%04x)", name, typ)
}

// network prints a packet of the given EtherType, of n octets.
func (p *framePrinter) network(typ uint16, b []byte, n int) {
	plain := !p.cmd.LinkHeader // tcpdump has told the protocol before
	switch typ {
	case wire.EtherTypeIPv4:
		if plain {
			p.printf("IP ")
		}
		p.ipv4(b)
	case wire.EtherTypeIPv6:
		if plain {
			p.printf("IP6 ")
		}
		p.ipv6(b)
	case wire.EtherTypeARP, 0x8035:
		if plain {
			p.printf("%s, ", map[bool]string{true: "ARP", false: "Reverse ARP"}[typ == wire.EtherTypeARP])
		}
		p.arp(b, n)
	default:
		if typ <= 1500 {
			p.printf("802.3")
		} else if plain {
			p.etherType(typ)
		}
		p.printf(", length %d", n)
	}
}

// arp prints a message of ARP.
func (p *framePrinter) arp(b []byte, n int) {
	a, err := wire.ParseARP(b)
	if err != nil {
		p.printf("[|arp], length %d", n)
		return
	}
	target := a.TargetIP.Netip()
	switch op := binary.BigEndian.Uint16(b[6:]); op {
	case 1:
		p.printf("Request who-has %v", target)
		if a.TargetMAC != (wire.MAC{}) && a.TargetMAC != wire.BroadcastMAC {
			p.printf(" (%v)", a.TargetMAC)
		}
		p.printf(" tell %v", a.SenderIP.Netip())
	case 2:
		p.printf("Reply %v is-at %v", a.SenderIP.Netip(), a.SenderMAC)
	default:
		p.printf("opcode %d", op)
	}
	p.printf(", length %d", n)
}

// ipv4 prints a packet.
func (p *framePrinter) ipv4(b []byte) {
	h, err := wire.CheckIPv4Quoted(b)
	if err != nil {
		p.printf("[|ip]")
		return
	}
	rest := b[min(len(b), h.HeaderLen()):min(len(b), max(h.HeaderLen(), h.TotalLen()))]
	t := transport{src: h.Src().Netip(), dst: h.Dst().Netip(), data: rest, n: h.TotalLen() - h.HeaderLen()}
	if h.FragmentOffset() > 0 {
		p.printf("%v > %v: ip-proto-%d", t.src, t.dst, h.Protocol())
		return
	}
	p.transport(h.Protocol(), &t)
}

// ipv6 prints a packet.
func (p *framePrinter) ipv6(b []byte) {
	h, err := wire.CheckIPv6Quoted(b)
	if err != nil {
		p.printf("[|ip6]")
		return
	}
	t := transport{src: h.Src().Netip(), dst: h.Dst().Netip(), data: b[wire.IPv6Len:min(len(b), wire.IPv6Len+h.PayloadLen())], n: h.PayloadLen(), six: true}
	next := h.NextHeader()
	for len(t.data) >= 8 {
		size := 8 + 8*int(t.data[1])
		switch next {
		case 0:
			t.prefix += "HBH "
		case 43:
			t.prefix += "RT6 "
		case 60:
			t.prefix += "DSTOPT "
		case 44:
			at := int(binary.BigEndian.Uint16(t.data[2:]) &^ 7)
			size = 8
			t.prefix += fmt.Sprintf("frag (%d|%d) ", at, t.n-size)
			if at > 0 {
				p.printf("%v > %v: %s", t.src, t.dst, t.prefix[:len(t.prefix)-1])
				return
			}
		default:
			p.transport(next, &t)
			return
		}
		next = t.data[0]
		t.data, t.n = t.data[min(len(t.data), size):], t.n-size
	}
	p.transport(next, &t)
}

// transport is what IP carries.
type transport struct {
	src, dst netip.Addr
	prefix   string // of extension headers
	data     []byte // as far as it is there
	n        int    // octets that IP says it has
	six      bool
}

// transport prints what is behind the headers of IP.
func (p *framePrinter) transport(proto uint8, t *transport) {
	need := map[uint8]int{wire.ProtoTCP: wire.TCPMinLen, wire.ProtoUDP: wire.UDPLen}[proto]
	if need > 0 && len(t.data) >= need {
		src, dst := binary.BigEndian.Uint16(t.data), binary.BigEndian.Uint16(t.data[2:])
		if t.prefix == "" {
			p.printf("%v.%d > %v.%d: ", t.src, src, t.dst, dst)
		} else {
			p.printf("%v > %v: %s%d > %d: ", t.src, t.dst, t.prefix, src, dst)
		}
		if proto == wire.ProtoUDP {
			p.printf("UDP, length %d", max(0, int(binary.BigEndian.Uint16(t.data[4:]))-wire.UDPLen))
		} else {
			p.tcp(t, src, dst)
		}
		return
	}
	p.printf("%v > %v: %s", t.src, t.dst, t.prefix)
	switch {
	case need > 0:
		p.printf("[|%s]", carriedName(proto))
	case proto == wire.ProtoICMP && !t.six:
		p.icmp4(t)
	case proto == wire.ProtoICMPv6 && t.six:
		p.icmp6(t)
	case proto == wire.ProtoIGMP && !t.six:
		p.igmp(t)
	case proto == 59:
		p.printf("no next header")
	default:
		p.printf("%s %d", carriedName(proto), t.n)
	}
}

// carriedName is the name of a protocol that IP carries.
func carriedName(proto uint8) string {
	names := map[uint8]string{wire.ProtoICMP: "icmp", wire.ProtoIGMP: "igmp", wire.ProtoTCP: "tcp", wire.ProtoUDP: "udp", wire.ProtoICMPv6: "ipv6-icmp",
		47: "gre", 50: "esp", 51: "ah", 89: "ospf", 132: "sctp"}
	if name, ok := names[proto]; ok {
		return name
	}
	return fmt.Sprintf("ip-proto-%d", proto)
}
