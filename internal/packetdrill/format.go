package packetdrill

import (
	"fmt"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
	"github.com/onlink-go/onlink/wire"
)

// format writes a packet in the script's syntax, as far as the script's language goes.
func (p *live) format(dir script.Dir) string {
	s := script.Packet{Dir: dir}
	if ecn := p.tos & 3; p.tos > 3 {
		s.IP.Check, s.IP.TOS = script.TOSAll, p.tos
	} else if ecn != 0 {
		s.IP.Check, s.IP.TOS = script.TOSECN, ecn
	}
	switch {
	case p.tcp:
		s.TCP = p.formatTCP()
	case p.proto == wire.ProtoUDP:
		s.UDP = &script.UDP{Len: uint16(len(p.payload))}
	case p.proto == wire.ProtoICMP || p.proto == wire.ProtoICMPv6:
		s.ICMP = p.formatICMP()
	default:
		return fmt.Sprintf("a packet of protocol %d", p.proto)
	}
	return s.String()
}

func (p *live) formatTCP() *script.TCP {
	t := &script.TCP{Flags: p.flags, Seq: script.Seq{Start: p.seq, Len: uint16(len(p.payload))}, HasWin: true, Win: p.win,
		HasUrg: p.urg != 0, Urg: p.urg}
	if p.flags&script.ACK != 0 {
		t.HasAck, t.Ack = true, p.ack
	}
	t.Options = script.DecodeOptions(joinOptions(p.options))
	return t
}

func (p *live) formatICMP() *script.ICMP {
	t, c := script.ICMPNames(p.v6, p.icmpType, p.icmpCode)
	m := &script.ICMP{Type: t, Code: c}
	if p.v6 && p.icmpType == 2 || !p.v6 && p.icmpType == 3 && p.icmpCode == 4 {
		m.HasMTU, m.MTU = true, p.icmpMTU
	}
	return m
}
