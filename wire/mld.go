package wire

import (
	"encoding/binary"
	"time"
)

// Messages of MLDv1, and what queries of MLDv2 begin with (RFC 2710, 3; RFC 3810, 5.1). All are ICMPv6:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Type      |      Code     |           Checksum            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|    Maximum Response Code      |           Reserved            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                       Multicast Address                       |
//	|                         (16 octets)                           |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| Resv  |S| QRV |     QQIC      |     Number of Sources (N)     |  MLDv2
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                       Source Address [1…N]                    |
//	|                       (16 octets each)                        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// A report of MLDv2 (RFC 3810, 5.2) is that of IGMPv3 with a type of 143 and addresses of 16 octets.
const (
	mldMaxResp = 4
	mldGroup   = 8
)

// MLDLen is the length of an MLDv1 message.
const MLDLen = 24

// MLDHopLimit is the Hop Limit of every MLD message (RFC 3810, 5), and the TTL of every IGMP message (RFC 3376, 4).
const MLDHopLimit = 1

var mldFormat = groupFormat{addr: 16, head: MLDLen, unit: time.Millisecond, mant: 12, report: ICMPv6MLDv2Report}

// Groups with a name.
var (
	AllHosts4    = Addr4(224, 0, 0, 1)      // all-systems (RFC 1112, 4)
	AllRouters4  = Addr4(224, 0, 0, 2)      // all-routers
	IGMPRouters  = Addr4(224, 0, 0, 22)     // to which reports of IGMPv3 go (RFC 3376, 4.2.14)
	MLDRouters   = Addr{0xff02 << 48, 0x16} // to which reports of MLDv2 go (RFC 3810, 5.2.14)
	SiteRouters6 = Addr{0xff05 << 48, 2}    // site-local all-routers (RFC 4291, 2.7.1)
)

// ParseMLDGroup reads an MLDv1 report or a Done message. It returns ErrShort, ErrCode, or ErrAddress for a group that is
// none.
func ParseMLDGroup(b []byte) (typ uint8, group Addr, err error) {
	if len(b) < MLDLen {
		return 0, Addr{}, ErrShort
	}
	group = AddrFrom16(b[mldGroup:])
	if b[icmpType] != ICMPv6MLDReport && b[icmpType] != ICMPv6MLDDone {
		return b[icmpType], group, ErrCode
	}
	if !group.IsMulticast() {
		return b[icmpType], group, ErrAddress
	}
	return b[icmpType], group, nil
}

// PutMLDGroup writes one to the first MLDLen octets of b, without its checksum.
func PutMLDGroup(b []byte, typ uint8, group Addr) {
	clear(b[:MLDLen])
	b[icmpType] = typ
	group.Put16(b[mldGroup:])
}

// ParseMLDQuery reads a query of either version. It returns ErrShort, ErrCode, ErrLength for one of no version, or
// ErrAddress for a group that is none.
func ParseMLDQuery(b []byte) (GroupQuery, error) {
	var q GroupQuery
	f := &mldFormat
	if len(b) < MLDLen {
		return q, ErrShort
	}
	if b[icmpType] != ICMPv6MLDQuery {
		return q, ErrCode
	}
	q.Group = AddrFrom16(b[mldGroup:])
	if !q.Group.IsUnspecified() && !q.Group.IsMulticast() || q.Group.Is4() {
		return q, ErrAddress
	}
	code := uint32(binary.BigEndian.Uint16(b[mldMaxResp:]))
	// RFC 3810, 8.1: "MLDv1 Query: length = 24 octets. MLDv2 Query: length >= 28 octets." Others "MUST be silently ignored."
	switch {
	case len(b) == MLDLen:
		q.Version = 1
		// RFC 3810, 8.2.1: "the full range of this field is linear".
		q.MaxResp = time.Duration(code) * f.unit
		return q, nil
	case len(b) < f.head+groupQueryTail:
		return q, ErrLength
	}
	q.Version = 2
	q.MaxResp = time.Duration(groupFloat(code, f.mant)) * f.unit
	return q, f.tail(&q, b[f.head:])
}

// MLDQueryLen returns the length of q as an MLD message.
func (q *GroupQuery) MLDQueryLen() int {
	if q.Version < 2 {
		return MLDLen
	}
	return MLDLen + groupQueryTail + 16*len(q.Sources)
}

// PutMLDQuery writes q to the first MLDQueryLen octets of b, without its checksum.
func (q *GroupQuery) PutMLDQuery(b []byte) {
	f := &mldFormat
	b = b[:q.MLDQueryLen()]
	clear(b)
	b[icmpType] = ICMPv6MLDQuery
	units := uint64(q.MaxResp / f.unit)
	if q.Version < 2 {
		binary.BigEndian.PutUint16(b[mldMaxResp:], uint16(min(units, 65535)))
	} else {
		binary.BigEndian.PutUint16(b[mldMaxResp:], uint16(groupCode(units, f.mant)))
		f.putTail(q, b[f.head:])
	}
	q.Group.Put16(b[mldGroup:])
}

// ParseMLDReport reads an MLDv2 report. It returns ErrShort or ErrCode.
func ParseMLDReport(b []byte) (GroupReport, error) { return mldFormat.parseReport(b) }

// MLDReportLen returns the length of r as an MLD message.
func (r *GroupReport) MLDReportLen() int { return mldFormat.reportLen(r) }

// PutMLDReport writes r to the first MLDReportLen octets of b, without its checksum.
func (r *GroupReport) PutMLDReport(b []byte) { mldFormat.putReport(r, b) }

// MLDHopByHop is the Hop-by-Hop Options header of every MLD message but for its Next Header, ICMPv6: the Router Alert option
// with a value of 0, "Datagram contains a Multicast Listener Discovery message" (RFC 2711, 2.1), and two octets of
// padding.
var MLDHopByHop = [8]byte{ProtoICMPv6, 0, IPv6RouterAlert, 2, 0, 0, IPv6PadN, 0}
