package wire

import "encoding/binary"

// The options of a TCP header (RFC 9293, 3.2; RFC 7323, 2.2 and 3.2; RFC 2018, 2 and 3):
//
//	End of Option List   0
//	No-Operation         1
//	Maximum Segment Size 2  4  MSS (16 bits)
//	Window Scale         3  3  shift.cnt (8 bits)
//	SACK-Permitted       4  2
//	SACK                 5  n  n = 2 + 8 for each block: left edge, right edge (32 bits each)
//	Timestamps           8 10  TSval, TSecr (32 bits each)
//	Fast Open           34  n  cookie of n - 2 octets (tcpfastopen.go)
//	AccECN0, AccECN1    172, 174  n  counters (tcpaccecn.go)
const (
	tcpOptEnd           = 0
	tcpOptNOP           = 1
	tcpOptMSS           = 2
	tcpOptWindowScale   = 3
	tcpOptSACKPermitted = 4
	tcpOptSACK          = 5
	tcpOptTimestamps    = 8
	tcpOptMD5           = 19
	tcpOptFastOpen      = 34
	tcpOptAccECN0       = 172
	tcpOptAccECN1       = 174
	tcpOptExperiment    = 254

	tcpMaxOptionsLen = TCPMaxLen - TCPMinLen
)

// SACKBlock is a run of octets the receiver holds: [Left, Right) in sequence space (RFC 2018, 3).
type SACKBlock struct{ Left, Right uint32 }

// MaxSACKBlocks is how many blocks fit into the option space of one segment, one fewer beside timestamps (RFC
// 2018, 3).
const MaxSACKBlocks = 4

// TCPOptions are the options of one segment, as values. A zero field is an option that is absent, so a
// TCPOptions needs no allocation.
type TCPOptions struct {
	MSS            uint16 // maximum segment size (RFC 9293, 3.7.1); 0: absent
	WindowScale    uint8  // shift.cnt as received, perhaps over 14 (RFC 7323, 2.3); meaningful if HasWindowScale
	SACKCount      uint8  // number of SACK blocks that are valid
	HasWindowScale bool
	HasTimestamps  bool
	SACKPermitted  bool   // (RFC 2018, 2)
	MD5            bool   // a signature is there (RFC 2385); not written by Put
	TSVal, TSEcr   uint32 // timestamps (RFC 7323, 3.2); meaningful if HasTimestamps
	SACK           [MaxSACKBlocks]SACKBlock
	AccECN         AccECNOption // Accurate ECN's counters (RFC 9768, 3.2.3)
	FastOpen       FastOpenOption
}

// ParseTCPOptions reads the options of a TCP header into o, which it clears first. Options not known here are skipped.
// It returns ErrOption if the length of an option is illegal: o then lacks that one if it has another length than its kind,
// and those behind it too if it goes beyond the end or is less than two.
func ParseTCPOptions(b []byte, o *TCPOptions) (err error) {
	*o = TCPOptions{}
	// RFC 7323, appendix A: the layout recommended for segments without SYN, which is what nearly all have.
	if len(b) == 12 && binary.BigEndian.Uint32(b) == tcpTimestampsWord {
		o.HasTimestamps = true
		o.TSVal = binary.BigEndian.Uint32(b[4:])
		o.TSEcr = binary.BigEndian.Uint32(b[8:])
		return nil
	}
	for len(b) > 0 {
		kind := b[0]
		if kind == tcpOptEnd {
			return err
		}
		if kind == tcpOptNOP {
			b = b[1:]
			continue
		}
		// RFC 9293, 3.1: "TCP implementations MUST be prepared to handle an illegal option length (e.g., zero)"
		// (MUST-7).
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return ErrOption
		}
		n := int(b[1])
		if !o.parse(kind, b[2:n]) {
			err = ErrOption
		}
		b = b[n:]
	}
	return err
}

// parse reads one option, without kind and length, into o. It returns false if the length is not that of the kind.
func (o *TCPOptions) parse(kind uint8, data []byte) bool {
	switch kind {
	case tcpOptMSS:
		if len(data) != 2 {
			return false
		}
		o.MSS = binary.BigEndian.Uint16(data)
	case tcpOptWindowScale:
		if len(data) != 1 {
			return false
		}
		o.WindowScale, o.HasWindowScale = data[0], true
	case tcpOptSACKPermitted:
		if len(data) != 0 {
			return false
		}
		o.SACKPermitted = true
	case tcpOptSACK:
		if len(data) == 0 || len(data)%8 != 0 {
			return false
		}
		o.SACKCount = 0
		for ; len(data) > 0 && o.SACKCount < MaxSACKBlocks; data = data[8:] {
			o.SACK[o.SACKCount] = SACKBlock{binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:])}
			o.SACKCount++
		}
	case tcpOptMD5:
		o.MD5 = true
	case tcpOptTimestamps:
		if len(data) != 8 {
			return false
		}
		o.HasTimestamps = true
		o.TSVal, o.TSEcr = binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:])
	case tcpOptAccECN0, tcpOptAccECN1:
		o.AccECN.parse(kind, data)
	case tcpOptFastOpen, tcpOptExperiment:
		o.FastOpen.parse(kind, data)
	}
	return true
}

// The options as Put lays them out: words of 32 bits, so that the values in them are aligned, each word one of
// these or a value. SACK-Permitted takes the place of the padding before timestamps.
const (
	tcpMSSWord           = tcpOptMSS<<24 | 4<<16
	tcpTimestampsWord    = tcpOptNOP<<24 | tcpOptNOP<<16 | tcpOptTimestamps<<8 | 10
	tcpSACKPermTSWord    = tcpOptSACKPermitted<<24 | 2<<16 | tcpOptTimestamps<<8 | 10
	tcpSACKPermittedWord = tcpOptNOP<<24 | tcpOptNOP<<16 | tcpOptSACKPermitted<<8 | 2
	tcpWindowScaleWord   = tcpOptNOP<<24 | tcpOptWindowScale<<16 | 3<<8
	tcpSACKWord          = tcpOptNOP<<24 | tcpOptNOP<<16 | tcpOptSACK<<8
)

// sackBlocks returns how many SACK blocks go beside n octets of other options.
//
// RFC 2018, 3: "the 40 bytes available for TCP options can specify a maximum of 4 blocks", of 3 beside timestamps.
func (o *TCPOptions) sackBlocks(n int) int {
	return min(int(o.SACKCount), MaxSACKBlocks, (tcpMaxOptionsLen-n-4)/8)
}

// withoutSACK returns the length of all options but SACK and Fast Open.
func (o *TCPOptions) withoutSACK() int {
	n := o.AccECN.Len()
	if o.MSS != 0 {
		n += 4
	}
	if o.HasTimestamps {
		n += 12
	} else if o.SACKPermitted {
		n += 4
	}
	if o.HasWindowScale {
		n += 4
	}
	return n
}

// Len returns how many octets Put writes: a multiple of 4, at most 40.
func (o *TCPOptions) Len() int {
	n := o.withoutSACK()
	if o.SACKCount > 0 {
		n += 4 + 8*o.sackBlocks(n)
	}
	return n + o.FastOpen.len(n)
}

// Put writes the options to the first Len octets of b. SACK blocks for which there is no room are left out, the
// last ones first.
func (o *TCPOptions) Put(b []byte) {
	b = b[:o.Len()]
	word := func(v uint32) {
		binary.BigEndian.PutUint32(b, v)
		b = b[4:]
	}
	if o.MSS != 0 {
		word(tcpMSSWord | uint32(o.MSS))
	}
	if o.HasTimestamps {
		if o.SACKPermitted {
			word(tcpSACKPermTSWord)
		} else {
			word(tcpTimestampsWord)
		}
		word(o.TSVal)
		word(o.TSEcr)
	}
	if n := o.AccECN.Len(); n > 0 {
		o.AccECN.put(b[:n])
		b = b[n:]
	}
	if o.SACKPermitted && !o.HasTimestamps {
		word(tcpSACKPermittedWord)
	}
	if o.HasWindowScale {
		word(tcpWindowScaleWord | uint32(o.WindowScale))
	}
	if o.SACKCount > 0 {
		n := o.sackBlocks(o.withoutSACK())
		word(tcpSACKWord | uint32(2+8*n))
		for _, s := range o.SACK[:n] {
			word(s.Left)
			word(s.Right)
		}
	}
	if o.FastOpen.Present && len(b) > 0 {
		o.FastOpen.put(b)
	}
}
