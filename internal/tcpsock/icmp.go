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
	c := tab.conns[key]
	if c != nil {
		if c.tcb.Sent(seq) {
			return c, nil, seq
		}
	} else if b := tab.embryos[key]; b == nil || b.Sent(seq) {
		return nil, b, seq
	}
	sh.Counters.Inc(mib.TcpExtOutOfWindowIcmps)
	return nil, nil, 0
}

// Vouches implements ip.Voucher: a message about the path MTU is believed if it quotes a segment in flight, as RFC 5927, 7.2,
// has it: "In addition to the general validation check described in Section 4.1, …".
func (t *Layer) Vouches(sh *shard.Shard, e *ip.Error) bool {
	c, b, _ := t.quoted(sh, e)
	return c != nil || b != nil
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
	if e.Errno == syscall.EMSGSIZE {
		c.refreshPath(now)
		if !c.header.OwnMTU {
			c.tcb.SetPathMTU(now, mss(e.Dst, e.MTU))
		}
	} else {
		c.tcb.Failed(now, e.Errno, seq)
	}
	c.pump(now)
}
