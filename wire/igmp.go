package wire

import (
	"encoding/binary"
	"time"
)

// The types of IGMP messages (RFC 3376, 4).
const (
	IGMPQuery    = 0x11
	IGMPv1Report = 0x12 // (RFC 1112)
	IGMPv2Report = 0x16 // (RFC 2236)
	IGMPLeave    = 0x17 // Version 2 Leave Group (RFC 2236)
	IGMPv3Report = 0x22
)

// Messages of versions 1 and 2, and what queries of version 3 begin with (RFC 2236, 2; RFC 3376, 4.1). Max Resp Code is
// unused in version 1, and zero:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|      Type     | Max Resp Code |           Checksum            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                         Group Address                         |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| Resv  |S| QRV |     QQIC      |     Number of Sources (N)     |  version 3
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                       Source Address [1…N]                    |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// A report of version 3 (RFC 3376, 4.2), whose Group Records follow one another:
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  Type = 0x22  |    Reserved   |           Checksum            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|           Reserved            |  Number of Group Records (M)  |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  Record Type  |  Aux Data Len |     Number of Sources (N)     |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                       Multicast Address                       |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                       Source Address [1…N], Auxiliary Data    |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const (
	igmpMaxResp  = 1
	igmpChecksum = 2
	igmpGroup    = 4
)

// IGMPLen is the length of a message of versions 1 and 2.
const IGMPLen = 8

var igmpFormat = groupFormat{addr: 4, head: IGMPLen, unit: time.Second / 10, mant: 4, report: IGMPv3Report}

// IGMPChecksumOK reports whether the checksum of the message b, all of the datagram's payload, is right.
func IGMPChecksumOK(b []byte) bool { return Checksum(b, 0) == 0xffff }

// FinishIGMP sets the checksum of the message b.
func FinishIGMP(b []byte) {
	b[igmpChecksum], b[igmpChecksum+1] = 0, 0
	binary.BigEndian.PutUint16(b[igmpChecksum:], ^Checksum(b, 0))
}

// ParseIGMPGroup reads a report of version 1 or 2, or a Leave Group message. It returns ErrShort, ErrCode, or ErrAddress for a
// group that is none.
func ParseIGMPGroup(b []byte) (typ uint8, group Addr, err error) {
	if len(b) < IGMPLen {
		return 0, Addr{}, ErrShort
	}
	group = AddrFrom4(b[igmpGroup:])
	switch b[0] {
	case IGMPv1Report, IGMPv2Report, IGMPLeave:
	default:
		return b[0], group, ErrCode
	}
	if !group.IsMulticast() {
		return b[0], group, ErrAddress
	}
	return b[0], group, nil
}

// PutIGMPGroup writes one to the first IGMPLen octets of b, without its checksum.
func PutIGMPGroup(b []byte, typ uint8, group Addr) {
	clear(b[:IGMPLen])
	b[0] = typ
	group.Put4(b[igmpGroup:])
}

// ParseIGMPQuery reads a query of any version. It returns ErrShort, ErrCode, ErrLength for one of no version, or ErrAddress
// for a group that is none.
func ParseIGMPQuery(b []byte) (GroupQuery, error) {
	var q GroupQuery
	f := &igmpFormat
	if len(b) < IGMPLen {
		return q, ErrShort
	}
	if b[0] != IGMPQuery {
		return q, ErrCode
	}
	if q.Group = AddrFrom4(b[igmpGroup:]); q.Group == Unspecified4 {
		q.Group = Addr{}
	} else if !q.Group.IsMulticast() {
		return q, ErrAddress
	}
	code := uint32(b[igmpMaxResp])
	// RFC 3376, 7.1: "IGMPv1 Query: length = 8 octets AND Max Resp Code field is zero. IGMPv2 Query: length = 8 octets AND Max
	// Resp Code field is non-zero. IGMPv3 Query: length >= 12 octets". Others "MUST be silently ignored."
	switch {
	case len(b) == IGMPLen && code == 0:
		q.Version = 1
		// RFC 3376, 7.2.1: "This MUST be interpreted as a value of 100 (10 seconds)."
		q.MaxResp = 100 * f.unit
	case len(b) == IGMPLen:
		q.Version = 2
		// "the full range of this field is linear and the exponential algorithm … is not used."
		q.MaxResp = time.Duration(code) * f.unit
	case len(b) < f.head+groupQueryTail:
		return q, ErrLength
	default:
		q.Version = 3
		q.MaxResp = time.Duration(groupFloat(code, f.mant)) * f.unit
		return q, f.tail(&q, b[f.head:])
	}
	return q, nil
}

// IGMPQueryLen returns the length of q as an IGMP message.
func (q *GroupQuery) IGMPQueryLen() int {
	if q.Version < 3 {
		return IGMPLen
	}
	return IGMPLen + groupQueryTail + 4*len(q.Sources)
}

// PutIGMPQuery writes q to the first IGMPQueryLen octets of b, without its checksum.
func (q *GroupQuery) PutIGMPQuery(b []byte) {
	f := &igmpFormat
	b = b[:q.IGMPQueryLen()]
	clear(b)
	b[0] = IGMPQuery
	switch units := uint64(q.MaxResp / f.unit); q.Version {
	case 1:
	case 2:
		b[igmpMaxResp] = byte(min(units, 255))
	default:
		b[igmpMaxResp] = byte(groupCode(units, f.mant))
		f.putTail(q, b[f.head:])
	}
	q.Group.Put4(b[igmpGroup:])
}

// ParseIGMPReport reads a report of version 3. It returns ErrShort or ErrCode.
func ParseIGMPReport(b []byte) (GroupReport, error) { return igmpFormat.parseReport(b) }

// IGMPReportLen returns the length of r as an IGMP message.
func (r *GroupReport) IGMPReportLen() int { return igmpFormat.reportLen(r) }

// PutIGMPReport writes r to the first IGMPReportLen octets of b, without its checksum.
func (r *GroupReport) PutIGMPReport(b []byte) { igmpFormat.putReport(r, b) }

// IPv4RouterAlertOption is the Router Alert option as every IGMP message of version 2 and 3 has it: "Router shall examine
// packet" (RFC 2113, 2.1).
var IPv4RouterAlertOption = [4]byte{IPv4RouterAlert, 4, 0, 0}
