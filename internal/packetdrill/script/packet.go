package script

import "net/netip"

// Dir is the way a packet goes.
type Dir uint8

// The two ways.
const (
	Inbound  Dir = iota // < arrives at the stack under test
	Outbound            // > leaves it
)

// Packet is a packet that arrives or is expected: its outer headers, what its IP header has of note, and one of TCP, UDP
// and ICMP.
type Packet struct {
	Pos   Pos // of < or >
	Dir   Dir
	Outer []Header // encapsulation, from the outside in
	IP    IPInfo
	Ports *Ports // nil: those of the connection
	TCP   *TCP   // one of these three is not nil
	UDP   *UDP
	ICMP  *ICMP
}

// Header is an outer header: *IPHeader, *GRE or *MPLS.
type Header interface {
	Position() Pos
	String() string
	header()
}

// IPHeader is an outer header of IPv4 or IPv6: ipv4 1.1.1.1 > 2.2.2.2:
type IPHeader struct {
	Pos      Pos
	IP       IPInfo
	Src, Dst netip.Addr
}

// GRE is a header of generic routing encapsulation (RFC 2784, RFC 2890): gre: or gre flags 0x…, sum 0, off 0, key = 1, seq 0:
type GRE struct {
	Pos      Pos
	Fields   bool   // false: bare gre, all zero
	Flags    uint16 // the first 16 bits of the header
	Sum, Off uint16
	Key, Seq uint32
}

// GRE's flags.
const (
	GREChecksum = 0x8000
	GREKey      = 0x2000
	GRESequence = 0x1000
)

// MPLS is a label stack (RFC 3032): mpls (label 1, tc 0, ttl 64) (label 2, tc 0, [S], ttl 64):
type MPLS struct {
	Pos     Pos
	Entries []Label
}

// Label is an entry of a label stack.
type Label struct {
	Label  uint32
	TC     uint8
	Bottom bool
	TTL    uint8
}

func (h *IPHeader) Position() Pos { return h.Pos }
func (h *GRE) Position() Pos      { return h.Pos }
func (h *MPLS) Position() Pos     { return h.Pos }

func (*IPHeader) header() {}
func (*GRE) header()      {}
func (*MPLS) header()     {}

// TOSCheck says which bits of the traffic class a packet fixes.
type TOSCheck uint8

// What is fixed.
const (
	TOSNone      TOSCheck = iota // nothing is said
	TOSECN                       // [ect0]: the two bits of ECN
	TOSECT01                     // [ect01]: ECT(0) or ECT(1), outbound only
	TOSAll                       // [tos 0x10]: all eight
	TOSDSCP                      // [dscp 0x08]: the upper six
	TOSDSCPECT01                 // [dscp 0x08, ecn ect01]
)

// IPInfo is what a packet says of its IP header: [ect0], (tos 0x10, flowlabel 0x1), [ttl 1], …
type IPInfo struct {
	Pos          Pos // of the bracket; the zero Pos where nothing is said
	Check        TOSCheck
	TOS          uint8 // the whole octet: an ECN mark in the lower two bits, a DSCP in the upper six
	HasFlowLabel bool
	FlowLabel    uint32
	TTL          uint8 // of IPv4's TTL and IPv6's hop limit; 0: not said
}

// Ports are the ports a packet says it has: 1234 > 80; Src and Dst may have addresses too.
type Ports struct {
	Pos              Pos
	Src, Dst         uint16
	SrcAddr, DstAddr netip.Addr // invalid: not said
}

// Flags are a segment's control bits as on the wire.
type Flags uint16

// The control bits, RFC 9293, 3.1, and the AE bit of Accurate ECN (RFC 9768).
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
	AE
)

// TCP is a segment.
type TCP struct {
	Pos        Pos // of the flags
	Flags      Flags
	ACE        bool // the flags AE, CWR, ECE are written as a digit: S.5
	Seq        Seq
	HasAck     bool // ack … is written
	Ack        uint32
	HasWin     bool // win … is written; without it an outbound segment may have any window
	Win        uint16
	HasUrg     bool
	Urg        uint16
	Options    []TCPOption
	AnyOptions bool   // <...>: options are not looked at, outbound only
	InUDP      *Ports // /udp(1234 > 80): the segment is inside UDP
}

// Seq is start:end(len). The numbers count from the connection's initial sequence number unless Absolute.
type Seq struct {
	Pos      Pos
	Start    uint32
	Len      uint16
	Absolute bool // 1:1(0)!: the numbers are those on the wire
	Any      bool // ...(len): any number
}

// End is Start + Len.
func (s Seq) End() uint32 { return s.Start + uint32(s.Len) }

// OptionKind is the kind of a TCP option, with the experiment identifier of RFC 6994 in the upper bits where kind 254
// is shared.
type OptionKind uint32

// The kinds. Those without a name are written as kind N data 0x….
const (
	OptEOL     OptionKind = 0
	OptNOP     OptionKind = 1
	OptMSS     OptionKind = 2
	OptWScale  OptionKind = 3
	OptSACKOK  OptionKind = 4
	OptSACK    OptionKind = 5
	OptTS      OptionKind = 8
	OptMD5     OptionKind = 19
	OptFO      OptionKind = 34
	OptAccECN0 OptionKind = 172
	OptAccECN1 OptionKind = 174

	OptExp        OptionKind = 254
	OptExpFO      OptionKind = 0xF989<<8 | 254
	OptExpAccECN0 OptionKind = 0xACC0<<8 | 254
	OptExpAccECN1 OptionKind = 0xACC1<<8 | 254
	OptExpTARR    OptionKind = 0x00AC<<8 | 254
)

// TCPOption is an option of a segment. Which fields matter depends on Kind.
type TCPOption struct {
	Pos      Pos
	Kind     OptionKind
	Value    uint32   // OptMSS, OptWScale, OptExpTARR
	TSVal    uint32   // OptTS
	TSEcr    uint32   // OptTS
	AnyTSVal bool     // OptTS: TS val ... ecr 0
	AbsTSEcr bool     // OptTS: ecr 100!: the number on the wire
	Blocks   []Block  // OptSACK
	Counters []uint32 // the AccECN options: 0 to 3 counters of 24 bits, in the order of the wire
	Data     []byte   // OptFO, OptExpFO: the cookie; OptMD5: the digest; other kinds: what follows the length
	HasValue bool     // OptExpTARR: a rate is written
	Raw      bool     // written as kind N data …, whatever Kind is: Data is all that follows the length
}

// Block is a SACK block, Left to just before Right.
type Block struct{ Left, Right uint32 }

// UDP is a datagram: udp (100).
type UDP struct {
	Pos Pos
	Len uint16 // of the payload
}

// ICMP is a message of ICMP, or of ICMPv6 where the script runs on IPv6.
type ICMP struct {
	Pos    Pos
	Type   string // unreachable, echo_request, …, type_9
	Code   string // frag_needed, …, code_3; empty: 0
	HasMTU bool
	MTU    uint32
	HasID  bool
	ID     uint16
	Echoed *Echoed // nil: an empty TCP segment with sequence number 0
}

// Echoed is the packet an ICMP error quotes: [1:1001(1000)], [udp (100)], [raw (100)].
type Echoed struct {
	Pos   Pos
	Proto EchoedProto
	Seq   Seq    // EchoedTCP
	Len   uint16 // EchoedUDP, EchoedRaw
}

// EchoedProto is the protocol of a quoted packet.
type EchoedProto uint8

// The protocols.
const (
	EchoedTCP EchoedProto = iota
	EchoedUDP
	EchoedRaw // no packet is quoted: the message is Len zero bytes
)
