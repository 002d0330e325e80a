package ip

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/mcast"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// The headers of IGMP and MLD messages, Router Alert included, in octets.
const (
	igmpHeaderLen = wire.IPv4MinLen + 4
	mldHeaderLen  = wire.IPv6Len + 8
)

// sendIGMP stages an IGMP message. Control locked.
//
// RFC 3376, 4: "Every IGMP message described in this document is sent with an IP Time-to-Live of 1, IP Precedence of Internetwork
// Control (e.g., Type of Service 0xc0), and carries an IP Router Alert option". Those of version 1 have none (RFC 1112).
func (d *device) sendIGMP(m *mcast.Message) {
	var p *packet.Buffer
	switch {
	case m.Version == mcast.V3:
		p = packet.New(m.Report.IGMPReportLen())
		m.Report.PutIGMPReport(p.Bytes())
	default:
		p = packet.New(wire.IGMPLen)
		typ := uint8(wire.IGMPv2Report)
		switch {
		case m.Leave:
			typ = wire.IGMPLeave
		case m.Version == mcast.V1:
			typ = wire.IGMPv1Report
		}
		wire.PutIGMPGroup(p.Bytes(), typ, m.Group)
	}
	wire.FinishIGMP(p.Bytes())
	// RFC 3376, 4.2.13: "An IGMP report is sent with a valid IP source address for the destination subnet. The 0.0.0.0 source
	// address may be used by a system that has not yet acquired an IP address."
	src := wire.Unspecified4
	for i := range d.addrs {
		if a := &d.addrs[i]; a.Addr.Is4() && a.Assigned() {
			src = a.Addr
			break
		}
	}
	h := wire.IPv4Header{TrafficClass: 6 << 5, DontFragment: true, TTL: wire.MLDHopLimit, Protocol: wire.ProtoIGMP, Src: src, Dst: m.Dst}
	if m.Version > mcast.V1 {
		h.Options = wire.IPv4RouterAlertOption[:]
	}
	h.TotalLen = h.Len() + p.Len()
	h.Put(p.Prepend(h.Len()))
	p.Proto, p.EtherType = wire.ProtoIGMP, wire.EtherTypeIPv4
	d.stageReport(p, src, m.Dst)
}

// sendMLD stages an MLD message. Control locked.
//
// RFC 3810, 5: "All MLDv2 messages described in this document MUST be sent with a link-local IPv6 Source Address, an IPv6 Hop Limit
// of 1, and an IPv6 Router Alert option [RFC2711] in a Hop-by-Hop Options header … MLDv2 Reports can be sent with the source
// address set to the unspecified address [RFC3513], if a valid link-local IPv6 source address has not been acquired yet".
func (d *device) sendMLD(now clock.Instant, m *mcast.Message) {
	var p *packet.Buffer
	if m.Version == mcast.V3 {
		p = packet.New(m.Report.MLDReportLen())
		m.Report.PutMLDReport(p.Bytes())
	} else {
		p = packet.New(wire.MLDLen)
		typ := uint8(wire.ICMPv6MLDReport)
		if m.Leave {
			typ = wire.ICMPv6MLDDone
		}
		wire.PutMLDGroup(p.Bytes(), typ, m.Group)
	}
	src := d.reportFrom
	typ := p.Bytes()[0]
	wire.FinishICMPv6(p.Bytes(), src, m.Dst)
	copy(p.Prepend(len(wire.MLDHopByHop)), wire.MLDHopByHop[:])
	h := wire.IPv6Header{PayloadLen: p.Len(), NextHeader: wire.ProtoHopByHop, HopLimit: wire.MLDHopLimit, Src: src, Dst: m.Dst}
	h.Put(p.Prepend(wire.IPv6Len))
	p.Proto, p.EtherType = wire.ProtoICMPv6, wire.EtherTypeIPv6
	p.Src, p.Dst, p.Out = src, m.Dst, d.index
	d.l.sentICMP(&d.counters, now, p, typ, 0)
	d.stageReport(p, src, m.Dst)
}

func (d *device) stageReport(p *packet.Buffer, src, dst wire.Addr) {
	p.SetNetwork()
	p.Src, p.Dst, p.HopLimit = src, dst, wire.MLDHopLimit
	p.Out, p.NextHop, p.LinkDst = d.index, dst, dst.MulticastMAC()
	p.Flags |= packet.Resolved
	d.l.control.Stage(p)
}

// groupMessage takes an IGMP message, or an ICMPv6 message of MLD, whose checksum is right. Control locked.
func (q *queue) groupMessage(p *packet.Buffer) {
	reason, taken := mib.Reason(0), false
	if p.Dst.Is4() {
		reason, taken = q.igmp(p)
	} else {
		reason, taken = q.mld(p)
	}
	if !taken {
		q.drop(p, reason)
		return
	}
	q.d.pollGroups(q.now)
	q.taken(p, "group membership: "+ProtocolName(p.Proto))
}

// toIGMP takes an IGMP message for us, at its header.
func (q *queue) toIGMP(p *packet.Buffer) {
	switch {
	case p.Flags&packet.Loopback != 0: // we know what we said
		q.drop(p, mib.IgmpIgnored)
	// RFC 3376, 4.1.2: "When receiving packets, the checksum MUST be verified before processing a packet."
	case !wire.IGMPChecksumOK(p.Bytes()):
		q.drop(p, mib.IgmpChecksum)
	default:
		q.groupq.Push(p)
	}
}

// isMLD reports whether p, at its transport header, is an MLD message.
func (q *queue) isMLD(p *packet.Buffer) bool {
	if p.Proto != wire.ProtoICMPv6 || p.Len() == 0 {
		return false
	}
	switch p.Bytes()[0] {
	case wire.ICMPv6MLDQuery, wire.ICMPv6MLDReport, wire.ICMPv6MLDDone, wire.ICMPv6MLDv2Report:
		return true
	}
	return false
}

// igmp takes an IGMP message, or says why not.
func (q *queue) igmp(p *packet.Buffer) (mib.Reason, bool) {
	b := p.Bytes()
	if len(b) < wire.IGMPLen {
		return mib.IgmpInvalid, false
	}
	switch b[0] {
	case wire.IGMPQuery:
		m, err := wire.ParseIGMPQuery(b)
		switch {
		case err != nil:
			return mib.IgmpInvalid, false
		// RFC 3376, 9.1: "Hosts SHOULD ignore v2 or v3 Queries without the Router-Alert option. Hosts SHOULD ignore v1, v2 or v3
		// General Queries sent to a multicast address other than 224.0.0.1, the all-systems address."
		case m.Version > 1 && !routerAlert4(p.FromNetwork()), m.Group.IsUnspecified() && p.Dst.IsMulticast() && p.Dst != wire.AllHosts4:
			return mib.IgmpInvalid, false
		}
		q.d.igmp.Query(q.now, &m)
	case wire.IGMPv1Report, wire.IGMPv2Report:
		_, group, err := wire.ParseIGMPGroup(b)
		if err != nil {
			return mib.IgmpInvalid, false
		}
		q.d.igmp.Heard(group)
	default:
		// RFC 3376, 5: "Received IGMP messages of types other than Query are silently ignored".
		return mib.IgmpIgnored, false
	}
	return 0, true
}

// mld takes an MLD message, or says why not.
func (q *queue) mld(p *packet.Buffer) (mib.Reason, bool) {
	b := p.Bytes()
	switch b[0] {
	case wire.ICMPv6MLDQuery:
		// RFC 3810, 6.2: "the node checks if the source address of the message is a valid link-local address, if the Hop Limit is
		// set to 1, and if the Router Alert option is present in the Hop-By-Hop Options header of the IPv6 packet. If any of these
		// checks fails, the packet is dropped."
		m, err := wire.ParseMLDQuery(b)
		if err != nil || b[1] != 0 || !p.Src.IsLinkLocal() || p.HopLimit != wire.MLDHopLimit || !routerAlert6(p.FromNetwork()) {
			return mib.MldInvalid, false
		}
		q.d.mld.Query(q.now, &m)
	case wire.ICMPv6MLDReport:
		// RFC 2710, 3: "with a link-local IPv6 Source Address, an IPv6 Hop Limit of 1". RFC 3590, 4, adds the unspecified address,
		// which only those without another have.
		_, group, err := wire.ParseMLDGroup(b)
		if err != nil || !p.Src.IsLinkLocal() && !p.Src.IsUnspecified() || p.HopLimit != wire.MLDHopLimit {
			return mib.MldInvalid, false
		}
		q.d.mld.Heard(group)
	default: // to routers
		return mib.MldIgnored, false
	}
	return 0, true
}

// routerAlert4 reports whether the IPv4 datagram b has a Router Alert option (RFC 2113).
func routerAlert4(b []byte) bool {
	h, err := wire.CheckIPv4(b)
	if err != nil {
		return false
	}
	it := wire.WalkIPv4Options(h.Options())
	for it.Next() {
		if it.Option().Type == wire.IPv4RouterAlert {
			return true
		}
	}
	return false
}

// routerAlert6 reports whether the IPv6 packet b has a Router Alert option in a Hop-by-Hop Options header (RFC 2711).
func routerAlert6(b []byte) bool {
	h, err := wire.CheckIPv6(b)
	if err != nil {
		return false
	}
	ext := wire.WalkExt(h.NextHeader(), h.Payload())
	if !ext.Next() {
		return false
	}
	x := ext.Header()
	if x.Proto != wire.ProtoHopByHop {
		return false
	}
	it := wire.WalkIPv6Options(x.Data)
	for it.Next() {
		if o := it.Option(); o.Type == wire.IPv6RouterAlert && len(o.Data) == 2 {
			return true
		}
	}
	return false
}

// unheard says whether a packet to a group is from a source that nobody here wants to hear. It is asked after the protocol is
// known: of the group's own protocol everything is heard.
func (q *queue) unheard(p *packet.Buffer) bool {
	if !p.Dst.IsMulticast() {
		return false
	}
	return q.decide(p).filtered
}
