package wire

// TCPFlags are the control bits of a TCP header (RFC 9293, 3.1; RFC 3168, 6.1).
type TCPFlags uint8

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
)

// SACKBlock is a run of octets the receiver holds: [Left, Right) in sequence space (RFC 2018, 3).
type SACKBlock struct{ Left, Right uint32 }

// MaxSACKBlocks is how many blocks fit into the option space of one segment (RFC 2018, 3).
const MaxSACKBlocks = 4

// TCPOptions are the options of one segment, as values. A zero field is an option that is absent, so a
// TCPOptions needs no allocation.
type TCPOptions struct {
	MSS            uint16 // maximum segment size (RFC 9293, 3.7.1); 0: absent
	WindowScale    uint8  // shift count (RFC 7323, 2.2); meaningful if HasWindowScale
	SACKCount      uint8  // number of SACK blocks that are valid
	HasWindowScale bool
	HasTimestamps  bool
	SACKPermitted  bool   // (RFC 2018, 2)
	TSVal, TSEcr   uint32 // timestamps (RFC 7323, 3.2); meaningful if HasTimestamps
	SACK           [MaxSACKBlocks]SACKBlock
}
