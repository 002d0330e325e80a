package packetdrill

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
	"github.com/onlink-go/onlink/wire"
)

// live is a packet of the stack under test, taken apart. Its numbers are those on the wire until a connection maps them
// to the script's.
type live struct {
	at       time.Duration // since the script began
	raw      []byte
	v6       bool
	length   int // octets of the whole packet
	tos      uint8
	ttl      uint8
	label    uint32 // IPv6 flow label
	src, dst netip.AddrPort
	proto    uint8

	tcp      bool
	flags    script.Flags
	reserved uint8 // the header's bits that nobody uses
	seq, ack uint32
	win, urg uint16
	optLen   int
	options  []option
	optErr   error // what is wrong with the options

	icmpType, icmpCode uint8
	icmpMTU            uint32

	payload []byte // of TCP and UDP; of ICMP what follows its eight octets
	badSum  string // which checksum is wrong
}

// option is a TCP option as on the wire: data is what follows kind and length.
type option struct {
	kind byte
	data []byte
}

var errNotIP = errors.New("neither IPv4 nor IPv6")

// parseLive takes a packet apart. It keeps parts of b.
func parseLive(b []byte, at time.Duration) (*live, error) {
	if len(b) == 0 {
		return nil, wire.ErrShort
	}
	p := &live{at: at, raw: b, length: len(b)}
	switch b[0] >> 4 {
	case 4:
		return p, p.parse4(b)
	case 6:
		return p, p.parse6(b)
	}
	return nil, errNotIP
}

func (p *live) parse4(b []byte) error {
	h, err := wire.CheckIPv4(b)
	if err != nil {
		return err
	}
	if !h.ChecksumOK() {
		p.badSum = "IPv4 header"
	}
	p.length = h.TotalLen()
	p.tos, p.ttl, p.proto = h.TrafficClass(), h.TTL(), h.Protocol()
	if h.IsFragment() {
		return fmt.Errorf("a fragment")
	}
	return p.parseUpper(h.Src(), h.Dst(), h.Payload())
}

func (p *live) parse6(b []byte) error {
	h, err := wire.CheckIPv6(b)
	if err != nil {
		return err
	}
	p.v6 = true
	p.tos, p.ttl, p.label, p.proto = h.TrafficClass(), h.HopLimit(), h.FlowLabel(), h.NextHeader()
	return p.parseUpper(h.Src(), h.Dst(), h.Payload())
}

func (p *live) parseUpper(src, dst wire.Addr, b []byte) error {
	p.src, p.dst = netip.AddrPortFrom(src.Netip(), 0), netip.AddrPortFrom(dst.Netip(), 0)
	switch p.proto {
	case wire.ProtoTCP:
		t, err := wire.CheckTCP(b)
		if err != nil {
			return err
		}
		p.setPorts(t.SrcPort(), t.DstPort())
		p.parseTCP(t)
		p.checkSum("TCP", wire.TransportChecksumOK(b, p.proto, src, dst))
	case wire.ProtoUDP:
		u, err := wire.CheckUDP(b)
		if err != nil {
			return err
		}
		p.setPorts(u.SrcPort(), u.DstPort())
		p.payload = u.Payload()
		p.checkSum("UDP", u.Checksum() == 0 && !p.v6 || wire.TransportChecksumOK(b, p.proto, src, dst))
	case wire.ProtoICMP, wire.ProtoICMPv6:
		m, err := wire.CheckICMP(b)
		if err != nil {
			return err
		}
		p.icmpType, p.icmpCode, p.icmpMTU = m.Type(), m.Code(), m.Rest()
		p.payload = m.Body()
		if p.v6 {
			p.checkSum("ICMPv6", wire.ICMPv6ChecksumOK(b, src, dst))
		} else {
			// A message of zeros has the checksum of either zero of one's complement.
			p.checkSum("ICMP", wire.ICMPv4ChecksumOK(b) || wire.Checksum(b, 0) == 0)
		}
	default:
		p.payload = b
	}
	return nil
}

func (p *live) setPorts(src, dst uint16) {
	p.src, p.dst = netip.AddrPortFrom(p.src.Addr(), src), netip.AddrPortFrom(p.dst.Addr(), dst)
}

func (p *live) checkSum(what string, ok bool) {
	if !ok && p.badSum == "" {
		p.badSum = what
	}
}

func (p *live) parseTCP(t wire.TCP) {
	p.tcp = true
	p.seq, p.ack, p.win, p.urg = t.Seq(), t.Ack(), t.Window(), t.Urgent()
	p.flags = script.Flags(t[13]) | script.Flags(t[12]&1)<<8 // AE is the last of the four bits behind the data offset
	p.reserved = t[12] >> 1 & 7
	o := t.Options()
	p.optLen = len(o)
	p.options, p.optErr = parseOptions(o)
	p.payload = t.Payload()
}

// parseOptions lists the options of b in their order, each octet of padding included.
func parseOptions(b []byte) ([]option, error) {
	var list []option
	for len(b) > 0 {
		switch kind := b[0]; {
		case script.OptionKind(kind) == script.OptEOL, script.OptionKind(kind) == script.OptNOP:
			list = append(list, option{kind: kind})
			b = b[1:]
		case len(b) < 2 || b[1] < 2 || int(b[1]) > len(b):
			return list, fmt.Errorf("TCP option %d does not fit", kind)
		default:
			list = append(list, option{kind, b[2:b[1]]})
			b = b[b[1]:]
		}
	}
	return list, nil
}

// timestamps returns the values of the packet's Timestamps option (RFC 7323, 3.2).
func timestamps(list []option) (val, ecr uint32, ok bool) {
	for _, o := range list {
		if script.OptionKind(o.kind) == script.OptTS && len(o.data) == 8 {
			return binary.BigEndian.Uint32(o.data), binary.BigEndian.Uint32(o.data[4:]), true
		}
	}
	return 0, 0, false
}

// shiftSACK adds delta to the edges of SACK blocks.
func shiftSACK(list []option, delta uint32) {
	for i, o := range list {
		if script.OptionKind(o.kind) != script.OptSACK {
			continue
		}
		data := append([]byte(nil), o.data...)
		for at := 0; at+4 <= len(data); at += 4 {
			binary.BigEndian.PutUint32(data[at:], binary.BigEndian.Uint32(data[at:])+delta)
		}
		list[i].data = data
	}
}

// clone returns a copy whose options may be changed.
func (p *live) clone() *live {
	c := *p
	c.options = append([]option(nil), p.options...)
	return &c
}
