package wire

import (
	"encoding/binary"
	"strings"
)

// The TCP header (RFC 9293, 3.1):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|          Source Port          |       Destination Port        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                        Sequence Number                        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                    Acknowledgment Number                      |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  Data |     |A|C|E|U|A|P|R|S|F|                               |
//	| Offset|Rsrvd|E|W|C|R|C|S|S|Y|I|            Window             |
//	|       |     | |R|E|G|K|H|T|N|N|                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|           Checksum            |         Urgent Pointer        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                           [Options]                           |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const (
	tcpSrcPort    = 0
	tcpDstPort    = 2
	tcpSeq        = 4
	tcpAck        = 8
	tcpDataOffset = 12
	tcpFlags      = 13
	tcpWindow     = 14
	tcpChecksum   = 16
	tcpUrgent     = 18
)

// TCPMinLen is the length of a TCP header without options, TCPMaxLen that with the most options.
const (
	TCPMinLen = 20
	TCPMaxLen = 60
)

// TCPChecksumOffset is where the checksum is, for FinishChecksum.
const TCPChecksumOffset = tcpChecksum

// TCPFlags are the control bits of a TCP header (RFC 9293, 3.1; RFC 3168, 6.1; RFC 9768, 3.2.2).
type TCPFlags uint16

// The control bits.
const (
	FIN TCPFlags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
	AE
)

// ACE is the three bits that RFC 9768, 3.2.2, reads as one number where Accurate ECN was agreed on, its most significant
// bit first.
const ACE = AE | CWR | ECE

const aceShift = 6

// ACE returns the bits AE, CWR and ECE as a number of 0 to 7.
func (f TCPFlags) ACE() uint8 { return uint8(f>>aceShift) & 7 }

// WithACE returns f with AE, CWR and ECE set to the lowest three bits of n.
func (f TCPFlags) WithACE(n uint8) TCPFlags { return f&^ACE | TCPFlags(n&7)<<aceShift }

// String writes the names of the bits that are set, as "SYN,ACK"; none is "-".
func (f TCPFlags) String() string {
	if f == 0 {
		return "-"
	}
	var s strings.Builder
	for i, name := range [...]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"} {
		if f&(1<<i) != 0 {
			if s.Len() > 0 {
				s.WriteByte(',')
			}
			s.WriteString(name)
		}
	}
	return s.String()
}

// TCP is a view of a segment from its header to the end of the data.
type TCP []byte

// CheckTCP returns b as a segment. It returns ErrShort, or ErrLength for a Data Offset below 5. It does not look at
// the options; ParseTCPOptions does.
func CheckTCP(b []byte) (TCP, error) {
	if len(b) < TCPMinLen {
		return nil, ErrShort
	}
	n := TCP(b).HeaderLen()
	if n < TCPMinLen {
		return nil, ErrLength
	}
	if n > len(b) {
		return nil, ErrShort
	}
	return b, nil
}

// SrcPort returns the source port.
func (t TCP) SrcPort() uint16 { return binary.BigEndian.Uint16(t[tcpSrcPort:]) }

// DstPort returns the destination port.
func (t TCP) DstPort() uint16 { return binary.BigEndian.Uint16(t[tcpDstPort:]) }

// Seq returns the sequence number, SEG.SEQ.
func (t TCP) Seq() uint32 { return binary.BigEndian.Uint32(t[tcpSeq:]) }

// Ack returns the acknowledgment number, SEG.ACK; meaningful with the ACK bit.
func (t TCP) Ack() uint32 { return binary.BigEndian.Uint32(t[tcpAck:]) }

// HeaderLen returns the length of the header with its options: the Data Offset in octets.
func (t TCP) HeaderLen() int { return int(t[tcpDataOffset]>>4) * 4 }

// Flags returns the control bits.
func (t TCP) Flags() TCPFlags { return TCPFlags(t[tcpDataOffset]&1)<<8 | TCPFlags(t[tcpFlags]) }

// SetSeq and SetFlags write the sequence number and the control bits, for segments cut from one.
func (t TCP) SetSeq(n uint32) { binary.BigEndian.PutUint32(t[tcpSeq:], n) }

func (t TCP) SetFlags(f TCPFlags) {
	t[tcpDataOffset] = t[tcpDataOffset]&^1 | byte(f>>8)&1
	t[tcpFlags] = byte(f)
}

// Window returns the window field, not scaled.
func (t TCP) Window() uint16 { return binary.BigEndian.Uint16(t[tcpWindow:]) }

// Checksum returns the checksum field.
func (t TCP) Checksum() uint16 { return binary.BigEndian.Uint16(t[tcpChecksum:]) }

// Urgent returns the urgent pointer; meaningful with the URG bit.
func (t TCP) Urgent() uint16 { return binary.BigEndian.Uint16(t[tcpUrgent:]) }

// Options returns the options with their padding.
func (t TCP) Options() []byte { return t[TCPMinLen:t.HeaderLen()] }

// Payload returns the data.
func (t TCP) Payload() []byte { return t[t.HeaderLen():] }

// TCPHeader is a TCP header to be written.
type TCPHeader struct {
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	Flags            TCPFlags
	Window, Urgent   uint16
	Options          TCPOptions
}

// Len returns the length of the header with its options.
func (h *TCPHeader) Len() int { return TCPMinLen + h.Options.Len() }

// Put writes h with a zero checksum to the first Len octets of b.
func (h *TCPHeader) Put(b []byte) {
	n := h.Len()
	b = b[:n]
	binary.BigEndian.PutUint16(b[tcpSrcPort:], h.SrcPort)
	binary.BigEndian.PutUint16(b[tcpDstPort:], h.DstPort)
	binary.BigEndian.PutUint32(b[tcpSeq:], h.Seq)
	binary.BigEndian.PutUint32(b[tcpAck:], h.Ack)
	b[tcpDataOffset] = uint8(n/4)<<4 | uint8(h.Flags>>8)&1
	b[tcpFlags] = uint8(h.Flags)
	binary.BigEndian.PutUint16(b[tcpWindow:], h.Window)
	b[tcpChecksum], b[tcpChecksum+1] = 0, 0
	binary.BigEndian.PutUint16(b[tcpUrgent:], h.Urgent)
	h.Options.Put(b[TCPMinLen:])
}
