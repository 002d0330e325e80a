package script

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// String returns the packet in the script's syntax: < S 0:0(0) win 1000 <mss 1460>.
func (p *Packet) String() string {
	var b strings.Builder
	b.WriteByte("<>"[p.Dir])
	for _, h := range p.Outer {
		b.WriteString(" " + h.String() + ":")
	}
	if ip := p.IP.String(); ip != "" {
		b.WriteString(" " + ip)
	}
	ports := ""
	if p.Ports != nil {
		ports = p.Ports.String()
	}
	switch {
	case p.TCP != nil:
		if ports != "" {
			b.WriteString(" " + ports)
		}
		b.WriteString(" " + p.TCP.String())
	case p.UDP != nil:
		b.WriteString(" udp ")
		if ports != "" {
			b.WriteString(ports + " ")
		}
		fmt.Fprintf(&b, "(%d)", p.UDP.Len)
	case p.ICMP != nil:
		b.WriteString(" " + p.ICMP.String())
	}
	return b.String()
}

// String returns 1234 > 80, with addresses where they are known.
func (p *Ports) String() string {
	side := func(addr interface {
		IsValid() bool
		String() string
	}, port uint16) string {
		if addr.IsValid() {
			a, colon := addr.String(), ":"
			if strings.Contains(a, ":") {
				colon = " : " // an IPv6 address has colons of its own
			}
			return a + colon + strconv.Itoa(int(port))
		}
		return strconv.Itoa(int(port))
	}
	return side(p.SrcAddr, p.Src) + " > " + side(p.DstAddr, p.Dst)
}

// String returns ipv4 1.1.1.1 > 2.2.2.2.
func (h *IPHeader) String() string {
	name := "ipv6"
	if h.Src.Is4() {
		name = "ipv4"
	}
	if ip := h.IP.String(); ip != "" {
		name += " " + ip
	}
	return name + " " + h.Src.String() + " > " + h.Dst.String()
}

// String returns gre flags 0x0, sum 0x0, …, or gre alone.
func (x *GRE) String() string {
	if !x.Fields {
		return "gre"
	}
	return fmt.Sprintf("gre flags 0x%x, sum 0x%x, off 0x%x, key 0x%x, seq 0x%x", x.Flags, x.Sum, x.Off, x.Key, x.Seq)
}

// String returns mpls (label 1, tc 0, ttl 64).
func (x *MPLS) String() string {
	var b strings.Builder
	b.WriteString("mpls")
	for _, l := range x.Entries {
		bottom := ""
		if l.Bottom {
			bottom = "[S], "
		}
		fmt.Fprintf(&b, " (label %d, tc %d, %sttl %d)", l.Label, l.TC, bottom, l.TTL)
	}
	return b.String()
}

// String returns [ect0, ttl 3]; the empty string where nothing is said.
func (i IPInfo) String() string {
	var said []string
	switch i.Check {
	case TOSECN:
		said = append(said, ecnNames[i.TOS&3])
	case TOSECT01:
		said = append(said, "ect01")
	case TOSAll:
		said = append(said, fmt.Sprintf("tos 0x%02x", i.TOS))
	case TOSDSCP:
		said = append(said, fmt.Sprintf("dscp 0x%02x", i.TOS>>2))
	case TOSDSCPECT01:
		said = append(said, fmt.Sprintf("dscp 0x%02x", i.TOS>>2), "ecn ect01")
	}
	if i.HasFlowLabel {
		said = append(said, fmt.Sprintf("flowlabel 0x%x", i.FlowLabel))
	}
	if i.TTL != 0 {
		said = append(said, fmt.Sprintf("ttl %d", i.TTL))
	}
	if said == nil {
		return ""
	}
	return "[" + strings.Join(said, ", ") + "]"
}

// ecnNames are the four marks by their value (RFC 3168, section 5).
var ecnNames = [4]string{"noecn", "ect1", "ect0", "ce"}

// String returns the flags as a script has them: SEW., - for none.
func (f Flags) String() string { return f.text(false) }

func (f Flags) text(ace bool) string {
	letters := "FSRP.UEWA"
	var b []byte
	for _, i := range [...]int{1, 0, 2, 3, 5, 6, 7, 8, 4} { // SFRPUEWA.
		if ace && i >= 6 {
			continue
		}
		if f&(1<<i) != 0 {
			b = append(b, letters[i])
		}
	}
	if ace {
		b = append(b, '0'+byte(f>>6&7))
	}
	if b == nil {
		return "-"
	}
	return string(b)
}

// String returns start:end(len).
func (s Seq) String() string {
	if s.Any {
		return fmt.Sprintf("...(%d)", s.Len)
	}
	text := fmt.Sprintf("%d:%d(%d)", s.Start, s.End(), s.Len)
	if s.Absolute {
		text += "!"
	}
	return text
}

// String returns the segment without what is in front of its flags: S. 0:0(0) ack 1 win 100 <mss 1460>.
func (t *TCP) String() string {
	var b strings.Builder
	b.WriteString(t.Flags.text(t.ACE) + " " + t.Seq.String())
	if t.HasAck {
		fmt.Fprintf(&b, " ack %d", t.Ack)
	}
	if t.HasWin {
		fmt.Fprintf(&b, " win %d", t.Win)
	}
	if t.HasUrg {
		fmt.Fprintf(&b, " urg %d", t.Urg)
	}
	switch {
	case t.AnyOptions:
		b.WriteString(" <...>")
	case len(t.Options) > 0:
		b.WriteString(" <")
		for i := range t.Options {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(t.Options[i].String())
		}
		b.WriteByte('>')
	}
	if t.InUDP != nil {
		fmt.Fprintf(&b, " /udp(%d > %d)", t.InUDP.Src, t.InUDP.Dst)
	}
	return b.String()
}

// String returns the option as a script has it: mss 1460, TS val 100 ecr 0.
func (o *TCPOption) String() string {
	if o.Raw {
		return o.bare()
	}
	switch o.Kind {
	case OptEOL:
		return "eol"
	case OptNOP:
		return "nop"
	case OptMSS:
		return fmt.Sprintf("mss %d", o.Value)
	case OptWScale:
		return fmt.Sprintf("wscale %d", o.Value)
	case OptSACKOK:
		return "sackOK"
	case OptSACK:
		text := "sack"
		for _, b := range o.Blocks {
			text += fmt.Sprintf(" %d:%d", b.Left, b.Right)
		}
		return text
	case OptTS:
		return o.timestamps()
	case OptMD5:
		return withData("md5", o.Data)
	case OptFO:
		return withData("FO", o.Data)
	case OptExpFO:
		return withData("FOEXP", o.Data)
	case OptAccECN0, OptAccECN1, OptExpAccECN0, OptExpAccECN1:
		return o.accECN()
	case OptExpTARR:
		if o.HasValue {
			return fmt.Sprintf("exp-tarr %d", o.Value)
		}
		return "exp-tarr"
	}
	return o.bare()
}

// bare writes an option as its kind and its bytes.
func (o *TCPOption) bare() string {
	if len(o.Data) == 0 {
		return fmt.Sprintf("kind %d", uint8(o.Kind))
	}
	return fmt.Sprintf("kind %d data 0x%x", uint8(o.Kind), o.Data)
}

func (o *TCPOption) timestamps() string {
	val, ecr := "...", strconv.FormatUint(uint64(o.TSEcr), 10)
	if !o.AnyTSVal {
		val = strconv.FormatUint(uint64(o.TSVal), 10)
	}
	if o.AbsTSEcr {
		ecr += "!"
	}
	return "TS val " + val + " ecr " + ecr
}

func withData(name string, data []byte) string {
	if len(data) == 0 {
		return name
	}
	return name + " " + hex.EncodeToString(data)
}

// accECNOrder are the counters of the two forms of the option in the order of the wire (RFC 9768, 3.2.3).
var accECNOrder = [2][3]string{{"ee0b", "eceb", "ee1b"}, {"ee1b", "eceb", "ee0b"}}

func (o *TCPOption) accECN() string {
	text, order := "AccECN0", accECNOrder[0]
	if o.Kind == OptAccECN1 || o.Kind == OptExpAccECN1 {
		text, order = "AccECN1", accECNOrder[1]
	}
	if uint8(o.Kind) == 254 {
		text = "exp-" + text
	}
	for i, n := range o.Counters {
		text += fmt.Sprintf(" %s %d", order[i], n)
	}
	return text
}

// String returns icmp unreachable frag_needed mtu 1200 [1:1001(1000)].
func (i *ICMP) String() string {
	text := "icmp " + i.Type
	if i.Code != "" {
		text += " " + i.Code
	}
	if i.HasMTU {
		text += fmt.Sprintf(" mtu %d", i.MTU)
	}
	if i.HasID {
		text += fmt.Sprintf(" id %d", i.ID)
	}
	if i.Echoed == nil {
		return text
	}
	switch i.Echoed.Proto {
	case EchoedUDP:
		return text + fmt.Sprintf(" [udp (%d)]", i.Echoed.Len)
	case EchoedRaw:
		return text + fmt.Sprintf(" [raw (%d)]", i.Echoed.Len)
	}
	return text + " [" + i.Echoed.Seq.String() + "]"
}
