package onlink

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/wire"
)

// ExplainedFrame is the headers of what would go onto a link.
type ExplainedFrame struct {
	What      string `json:"what"` // "TCP SYN", "UDP datagram", "Neighbor Solicitation", "ARP request"
	Interface string `json:"interface"`

	// The Ethernet header; on links without addresses there is none.
	Ethernet bool     `json:"ethernet"`
	LinkDst  wire.MAC `json:"linkDst"` // zero: not known yet
	LinkSrc  wire.MAC `json:"linkSrc"`
	Type     uint16   `json:"type"` // EtherType: 0x0800 IPv4, 0x0806 ARP, 0x86dd IPv6

	// The internet header; of an ARP request, which has none, its sender and its target.
	Source       netip.Addr `json:"source"`
	Destination  netip.Addr `json:"destination"`
	Protocol     uint8      `json:"protocol"` // or next header
	HopLimit     uint8      `json:"hopLimit"` // or TTL
	TrafficClass uint8      `json:"trafficClass"`
	FlowLabel    uint32     `json:"flowLabel"`               // of IPv6
	LabelOpen    bool       `json:"flowLabelOpen,omitempty"` // the flow label follows from the source port, which is not chosen yet
	DontFragment bool       `json:"dontFragment"`            // of IPv4
	Fragments    int        `json:"fragments"`               // packets that it is cut into; 1: it is whole

	SourcePort      uint16     `json:"sourcePort,omitempty"` // 0: not chosen yet, or there are none
	DestinationPort uint16     `json:"destinationPort,omitempty"`
	MSS             int        `json:"mss,omitempty"`   // of a SYN: octets of data that we take in a segment
	Target          netip.Addr `json:"target,omitzero"` // who is asked for
}

// ndHopLimit is that of Neighbor Discovery: RFC 4861, 4.3, "Hop Limit 255".
const ndHopLimit = wire.NDHopLimit

// send is step 9.
func (x *explainer) send() {
	p := x.path
	s := ExplainedStep{Number: 9, Name: "send"}
	defer func() { x.add(s) }()
	switch {
	case p.Local:
		s.Decision = "nothing: packets to ourselves go into our own receive queue"
		s.Notes = append(s.Notes, fmt.Sprintf("They may have %d octets (%s).", p.MTU, x.why.MTU))
		return
	case !p.Leaves(&x.params):
		s.Decision = "nothing: the group does not reach beyond this machine, and nobody here has joined it"
		s.RFC = "RFC 4291, 2.7"
		return
	case p.HostOnly(&x.params):
		s.Decision, s.RFC = "nothing: the group does not reach beyond this machine", "RFC 4291, 2.7"
		x.copies(&s)
		return
	}
	x.Frame = x.frame()
	x.First = x.solicitation()
	s.Decision = fmt.Sprintf("the %s, on %s", x.Frame.What, p.If.Name)
	if x.First != nil {
		s.Decision = fmt.Sprintf("first a question, %s; the packet waits for the answer", x.First.title())
	} else if x.Waits {
		s.Decision = "nothing yet: the packet waits for the answer"
	}
	if x.Frame.Fragments > 1 {
		s.Notes = append(s.Notes, fmt.Sprintf("It is too large for one packet, and cut into %d fragments.", x.Frame.Fragments))
	}
	s.Notes = append(s.Notes, fmt.Sprintf("MTU, the size of the largest packet: %d octets, %s.", p.MTU, x.why.MTU))
	if p.Multicast && x.Frame.HopLimit == 1 && x.opt.HopLimit == 0 {
		s.Notes = append(s.Notes, "The hop limit to a group is 1 if the program does not say more: no router sends it on.")
	}
	if x.path.Multicast || x.path.Broadcast {
		x.copies(&s)
	}
}

// copies notes who of our own gets a copy of what is sent to many.
func (x *explainer) copies(s *ExplainedStep) {
	if !x.path.LoopsBack(&x.params) {
		return
	}
	s.Notes = append(s.Notes, "We are among those it is for: a copy goes into our own receive queue.")
	if x.net.transport == "udp" && x.to.Port != 0 {
		x.udpTakers(flow.Endpoint{Addr: x.path.Src, Port: x.from.Port}, true)
	}
}

// frame returns the headers of the packet.
func (x *explainer) frame() *ExplainedFrame {
	h := x.s.ip.FrameOf(x.path, &x.params, x.size(), x.LinkAddr)
	f := &ExplainedFrame{What: x.what(), Interface: x.path.If.Name, Ethernet: h.Ethernet, LinkDst: h.LinkDst, LinkSrc: h.LinkSrc,
		Type: h.EtherType, Source: h.Src.Netip(), Destination: h.Dst.Netip(), Protocol: h.Proto, HopLimit: h.HopLimit,
		TrafficClass: h.TrafficClass, FlowLabel: h.FlowLabel, DontFragment: h.DontFragment, Fragments: h.Parts,
		SourcePort: x.from.Port, DestinationPort: x.to.Port}
	if x.net.transport == "tcp" {
		f.MSS = x.s.tcp.Announces(x.path)
	}
	if f.FlowLabel != 0 && x.from.Port == 0 && x.net.transport != "ip" {
		f.FlowLabel, f.LabelOpen = 0, true
	}
	return f
}

// what names the packet.
func (x *explainer) what() string {
	switch {
	case x.net.transport == "tcp":
		return "TCP SYN"
	case x.net.transport == "udp":
		return "UDP datagram"
	case x.proto != 0:
		return transportName(x.proto) + " message"
	}
	return "packet"
}

// solicitation returns what asks for the next hop's link-layer address, or nil.
func (x *explainer) solicitation() *ExplainedFrame {
	a := x.why.Asks
	if a == nil {
		return nil
	}
	f := &ExplainedFrame{What: "ARP request", Interface: x.path.If.Name, Ethernet: true, LinkDst: a.LinkDst, LinkSrc: a.LinkSrc,
		Type: wire.EtherTypeARP, Source: a.Src.Netip(), Destination: a.Target.Netip(), Target: a.Target.Netip(), Fragments: 1}
	if !a.Target.Is4() {
		f.What, f.Type, f.Destination = "Neighbor Solicitation", wire.EtherTypeIPv6, a.Dst.Netip()
		f.Protocol, f.HopLimit = wire.ProtoICMPv6, ndHopLimit
	}
	return f
}

// title says in a line what the frame is.
func (f *ExplainedFrame) title() string {
	switch f.Type {
	case wire.EtherTypeARP:
		return fmt.Sprintf("an ARP request to all on %s: who has %v?", f.Interface, f.Target)
	case wire.EtherTypeIPv6:
		if f.Target.IsValid() {
			return fmt.Sprintf("a Neighbor Solicitation to %v on %s: who has %v?", f.Destination, f.Interface, f.Target)
		}
	}
	return "the " + f.What
}

// lines writes the frame's headers, one a line, with its name in front.
func (f *ExplainedFrame) lines() (all [][2]string) {
	line := func(name, format string, a ...any) { all = append(all, [2]string{name, fmt.Sprintf(format, a...)}) }
	family := map[uint16]string{wire.EtherTypeARP: "ARP", wire.EtherTypeIPv4: "IPv4", wire.EtherTypeIPv6: "IPv6"}[f.Type]
	if f.Ethernet {
		to := f.LinkDst.String()
		if f.LinkDst == (wire.MAC{}) {
			to = "what the answer says"
		}
		line("Ethernet", "%v → %s, type %#04x (%s)", f.LinkSrc, to, f.Type, family)
	}
	switch f.Type {
	case wire.EtherTypeARP:
		line("ARP", "who has %v? tell %v", f.Target, f.Source)
		return all
	case wire.EtherTypeIPv4:
		df := "DF set"
		if !f.DontFragment {
			df = "DF not set"
		}
		line("IPv4", "%v → %v, TTL %d, %s, protocol %d (%s)%s", f.Source, f.Destination, f.HopLimit, df, f.Protocol, transportName(f.Protocol), f.class())
	default:
		label := fmt.Sprintf("flow label %#05x", f.FlowLabel)
		switch {
		case f.LabelOpen:
			label = "flow label by the ports"
		case f.FlowLabel == 0:
			label = "no flow label"
		}
		line("IPv6", "%v → %v, hop limit %d, %s, next header %d (%s)%s", f.Source, f.Destination, f.HopLimit, label, f.Protocol,
			transportName(f.Protocol), f.class())
	}
	f.transportLine(line)
	return all
}

// transportLine writes what is behind the internet header.
func (f *ExplainedFrame) transportLine(line func(name, format string, a ...any)) {
	port := func(p uint16) string {
		if p == 0 {
			return "a port chosen then"
		}
		return fmt.Sprintf("port %d", p)
	}
	to := fmt.Sprintf("port %d", f.DestinationPort)
	if f.DestinationPort == 0 {
		to = "that of the service"
	}
	switch {
	case f.Target.IsValid():
		line("ICMPv6", "type 135, Neighbor Solicitation: who has %v? tell %v", f.Target, f.LinkSrc)
	case f.MSS != 0:
		line("TCP", "from %s to %s, SYN, with the option MSS %d", port(f.SourcePort), to, f.MSS)
	case f.What == "UDP datagram":
		line("UDP", "from %s to %s", port(f.SourcePort), to)
	}
}

// class writes the traffic class if there is one.
func (f *ExplainedFrame) class() string {
	if f.TrafficClass == 0 {
		return ""
	}
	return fmt.Sprintf(", traffic class %#02x", f.TrafficClass)
}

// transportName returns how people call a protocol of the internet layer.
func transportName(p uint8) string {
	if p == 0 {
		return "the program's"
	}
	return strings.TrimPrefix(ip.ProtocolName(p), "protocol ")
}
