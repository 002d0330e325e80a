package tcpsock

import (
	"syscall"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/tcp"
)

// Would returns what Open would ask of the internet layer for a connection of key's that has h, and what it would have its
// packets say. A Local or port of zero is one that Open would choose.
func (t *Layer) Would(key *flow.Key, h *Header) (ip.Query, ip.Params) {
	return t.query(key, h, nil), t.params(key, h)
}

// Refuses returns the error that Open gives whose path is p; nil if it goes on.
func Refuses(p *ip.Path) error {
	if p.Multicast || p.Broadcast {
		return syscall.ENETUNREACH // RFC 9293, 3.9.2.3: MUST-46, a remote address must be unicast
	}
	return nil
}

// Announces returns the MSS option of the SYN that Open would send along p, in octets.
func (t *Layer) Announces(p *ip.Path) int {
	return t.openTo(p.Dst, p, &Header{}, &t.Settings().TCP).Announce
}

// Taker returns whom a segment to key's local end that comes in by the interface in is for: the local end of a connection or a
// listener, and its state; ok is false if nobody takes it.
func (t *Layer) Taker(key *flow.Key, in int32) (local flow.Endpoint, state tcp.State, ok bool) {
	sh := t.ip.ShardFor(key)
	sh.Lock()
	defer sh.Unlock()
	if c := t.tables[sh.Index].demux.find(key).conn; c != nil && c.header.by(in) {
		return flow.Endpoint{Addr: key.Local, Port: key.LocalPort()}, c.state(), true
	}
	if l := t.listen.find(key, in, t.ip.Apart(in)); l != nil {
		return l.Local(), tcp.Listen, true
	}
	return local, 0, false
}
