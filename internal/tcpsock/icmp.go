package tcpsock

import (
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// quoted returns the connection, or else the handshake, that e is about, if the sequence number quoted is one in flight
// (RFC 5927, 4.1). sh locked.
func (t *Layer) quoted(sh *shard.Shard, e *ip.Error) (*Conn, *embryo, tcp.Seq) {
	if len(e.Quote) < 8 {
		return nil, nil, 0 // no sequence number: nothing to check it against
	}
	q := wire.TCP(e.Quote)
	key := flow.Key{Local: e.Src, Remote: e.Dst, Ports: flow.Ports(q.SrcPort(), q.DstPort()), Scope: e.Scope,
		Proto: wire.ProtoTCP}
	seq := tcp.Seq(q.Seq())
	tab := &t.tables[sh.Index]
	is := tab.demux.find(&key)
	if c := is.conn; c != nil {
		if c.awake().Sent(seq) {
			return c, nil, seq
		}
	} else if b := is.embryo; b == nil || b.Sent(seq) {
		return nil, b, seq
	}
	sh.Counters.Inc(mib.TcpExtOutOfWindowIcmps)
	return nil, nil, 0
}

// Vouches implements ip.Voucher: a message about the path MTU is believed if it quotes a segment in flight, as RFC 5927, 7.2,
// has it: "In addition to the general validation check described in Section 4.1, …".
func (t *Layer) Vouches(sh *shard.Shard, e *ip.Error) bool {
	c, b, _ := t.quoted(sh, e)
	return c != nil && !c.auth.IgnoresICMP() || b != nil && !b.auth().IgnoresICMP()
}

// Error implements ip.Transport: an ICMP error about a segment of ours (RFC 9293, 3.9.2.2; RFC 5927, 4).
func (t *Layer) Error(sh *shard.Shard, now clock.Instant, e *ip.Error) {
	c, b, seq := t.quoted(sh, e)
	if c == nil {
		if b != nil && unreachable(e) {
			b.end(sh)
		}
		return
	}
	if c.auth.IgnoresICMP() && c.tcb.State() != tcp.SynSent && (e.Errno == syscall.EMSGSIZE || e.Errno == syscall.ECONNREFUSED) {
		// RFC 5925, 7.8: "A TCP-AO implementation MUST default to ignore incoming ICMPv4 messages of Type 3 (destination
		// unreachable), Codes 2-4 …, and ICMPv6 Type 1 (destination unreachable), Code 1 … and Code 4 (port unreachable)
		// intended for connections in synchronized states … that match MKTs." The others of these end no connection.
		sh.Counters.Inc(mib.TcpExtOutOfWindowIcmps)
		return
	}
	if e.Errno == syscall.EMSGSIZE {
		c.refreshPath(now)
		if !c.header.OwnMTU {
			c.setMTU(now, e.MTU)
		}
	} else if disrupted(e) {
		c.tcb.Unreachable(now, e.Errno, seq)
	} else {
		c.tcb.Failed(now, e.Errno, seq)
	}
	c.pump(now)
}

// disrupted reports whether an error tells of a connectivity disruption: RFC 6069, 3. Our own neighbor resolution that fails
// tells of one too.
func disrupted(e *ip.Error) bool {
	switch {
	case e.Local:
		return e.Errno == syscall.EHOSTUNREACH || e.Errno == syscall.ENETUNREACH
	case e.Dst.Is4():
		return e.Type == wire.ICMPv4DestUnreachable && (e.Code == wire.ICMPv4NetUnreachable || e.Code == wire.ICMPv4HostUnreachable)
	}
	return e.Type == wire.ICMPv6DestUnreachable && e.Code == wire.ICMPv6NoRoute
}
