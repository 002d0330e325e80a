package wire

import "encoding/binary"

// The extension structure that an ICMP error may have behind the packet it quotes, a header and then objects (RFC 4884, 7
// and 8):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|Version|      (Reserved)       |           Checksum            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|             Length            |   Class-Num   |   C-Type      |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                   // (Object payload) //                      |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const (
	icmpExtHeaderLen = 4
	icmpExtVersion   = 2
	icmpObjectLen    = 4
)

// minQuoteExtended is how long the quoted packet in front of an extension structure is at least, in octets.
//
// RFC 4884, 4: "the 'original datagram' field MUST contain at least 128 octets. If the original datagram did not contain 128
// octets, the 'original datagram' field MUST be zero padded to 128 octets."
const minQuoteExtended = 128

// Classes of extension objects.
const (
	ICMPClassMPLS      = 1 // RFC 4950: the label stack the packet came with
	ICMPClassInterface = 2 // RFC 5837: an interface, and what is next to it
)

// ICMPObject is an object of an extension structure.
type ICMPObject struct {
	Class, Type uint8
	Data        []byte
}

// ICMPObjects iterates over the objects of an extension structure that was checked.
type ICMPObjects []byte

// Next returns the first object and moves on. It returns false if there is none.
func (o *ICMPObjects) Next() (ICMPObject, bool) {
	b := *o
	if len(b) < icmpObjectLen {
		return ICMPObject{}, false
	}
	n := int(binary.BigEndian.Uint16(b))
	*o = b[n:]
	return ICMPObject{b[2], b[3], b[icmpObjectLen:n]}, true
}

// QuotedLen returns how long the length attribute says that the quoted packet is, in octets with its padding; 0: there is none,
// and so no extension structure. four says of which family the message is.
//
// RFC 4884, 4: "For ICMPv4 messages, the length attribute represents 32-bit words"; "For ICMPv6 messages, the length attribute
// represents 64-bit words." 4.6 tells the types that have one.
func (m ICMP) QuotedLen(four bool) int {
	if four {
		switch m.Type() {
		case ICMPv4DestUnreachable, ICMPv4TimeExceeded, ICMPv4ParamProblem:
			return int(m[icmpRest+1]) * 4
		}
		return 0
	}
	switch m.Type() {
	case ICMPv6DestUnreachable, ICMPv6TimeExceeded:
		return int(m[icmpRest]) * 8
	}
	return 0
}

// Extensions returns the part of the body that is the quoted packet, and the objects behind it. If the length attribute is zero, or
// can be no such thing, all is the packet.
//
// RFC 4884, 5.4: "If the length attribute is zero, the compliant application MUST determine that the message contains no
// extensions." The error is ErrVersion, ErrChecksum, ErrShort or ErrLength for a structure that is malformed; the quoted packet is
// good all the same.
func (m ICMP) Extensions(four bool) (quoted []byte, objects ICMPObjects, err error) {
	body := m.Body()
	n := m.QuotedLen(four)
	if n < minQuoteExtended || n > len(body) {
		return body, nil, nil
	}
	objects, err = CheckICMPExtension(body[n:])
	return body[:n], objects, err
}

// CheckICMPExtension returns the objects of the extension structure b. Errors: ErrVersion, ErrChecksum, ErrShort, ErrLength.
//
// RFC 4884, 7: the version is 2; of the checksum, "An all-zero value means that no checksum was transmitted."
func CheckICMPExtension(b []byte) (ICMPObjects, error) {
	switch {
	case len(b) < icmpExtHeaderLen:
		return nil, ErrShort
	case b[0]>>4 != icmpExtVersion:
		return nil, ErrVersion
	case binary.BigEndian.Uint16(b[2:]) != 0 && Checksum(b, 0) != 0xffff:
		return nil, ErrChecksum
	}
	objects := b[icmpExtHeaderLen:]
	for o := objects; len(o) > 0; {
		if len(o) < icmpObjectLen {
			return nil, ErrShort
		}
		n := int(binary.BigEndian.Uint16(o))
		switch {
		case n < icmpObjectLen:
			return nil, ErrLength
		case n > len(o):
			return nil, ErrShort
		}
		o = o[n:]
	}
	return objects, nil
}

// MPLSLabel is an entry of a label stack (RFC 3032, 2.1).
type MPLSLabel struct {
	Label uint32 // 20 bits
	Class uint8  // the traffic class, once EXP: 3 bits
	Last  bool   // the bottom of the stack
	TTL   uint8
}

// MPLSLabels returns the label stack in an object of ICMPClassMPLS, the top first; nil for another, or one that is malformed.
func (o *ICMPObject) MPLSLabels() []MPLSLabel {
	if o.Class != ICMPClassMPLS || o.Type != 1 || len(o.Data)%4 != 0 {
		return nil
	}
	var labels []MPLSLabel
	for b := o.Data; len(b) > 0; b = b[4:] {
		v := binary.BigEndian.Uint32(b)
		labels = append(labels, MPLSLabel{Label: v >> 12, Class: uint8(v >> 9 & 7), Last: v>>8&1 != 0, TTL: uint8(v)})
	}
	return labels
}

// InterfaceRole is what the interface of an object of ICMPClassInterface has to do with the packet.
type InterfaceRole uint8

// The roles of RFC 5837.
const (
	RoleArrived    InterfaceRole = iota // the packet came in by it
	RoleSubArrived                      // it is a part of the one the packet came in by
	RoleOutgoing                        // the packet would have left by it
	RoleNextHop                         // the address is the next hop's
)

// InterfaceInfo is what an object of ICMPClassInterface tells.
type InterfaceInfo struct {
	Role  InterfaceRole
	Index uint32 // ifIndex; 0: not told
	Addr  Addr   // unspecified: not told
	Name  []byte // nil: not told
	MTU   uint32 // 0: not told
}

// The bits of the C-Type of RFC 5837, and the address families of its addresses.
const (
	infoIndex   = 1 << 3
	infoAddr    = 1 << 2
	infoName    = 1 << 1
	infoMTU     = 1 << 0
	afi4        = 1
	afi6        = 2
	maxInfoName = 64
)

// Interface returns what an object of ICMPClassInterface tells, or false for another, or one that is malformed.
func (o *ICMPObject) Interface() (i InterfaceInfo, ok bool) {
	if o.Class != ICMPClassInterface {
		return i, false
	}
	i.Role = InterfaceRole(o.Type >> 6)
	b := o.Data
	if o.Type&infoIndex != 0 {
		if len(b) < 4 {
			return i, false
		}
		i.Index, b = binary.BigEndian.Uint32(b), b[4:]
	}
	if o.Type&infoAddr != 0 {
		switch {
		case len(b) >= 8 && binary.BigEndian.Uint16(b) == afi4:
			i.Addr, b = AddrFrom4(b[4:]), b[8:]
		case len(b) >= 20 && binary.BigEndian.Uint16(b) == afi6:
			i.Addr, b = AddrFrom16(b[4:]), b[20:]
		default:
			return i, false
		}
	}
	if o.Type&infoName != 0 {
		if len(b) < 1 || b[0] < 1 || b[0] > maxInfoName || int(b[0]) > len(b) {
			return i, false
		}
		i.Name, b = b[1:b[0]], b[b[0]:]
		for len(i.Name) > 0 && i.Name[len(i.Name)-1] == 0 { // padding
			i.Name = i.Name[:len(i.Name)-1]
		}
	}
	if o.Type&infoMTU != 0 {
		if len(b) < 4 {
			return i, false
		}
		i.MTU = binary.BigEndian.Uint32(b)
	}
	return i, true
}
