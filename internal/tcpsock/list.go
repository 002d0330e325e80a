package tcpsock

import (
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcp"
)

// Listed is a socket as a list of sockets has it.
type Listed struct {
	Local, Remote flow.Endpoint
	Unread        int      // octets received and not read; of a listener, the connections to be accepted
	Unacked       int      // octets written and not acknowledged; of a listener, its backlog
	Info          tcp.Info // of a listener, only the State
	Dual          bool     // a listener's, that takes both families

	SendBuffer, ReceiveBuffer int   // octets of memory; not of a listener
	Interface                 int32 // that a listener is bound to; 0: none
}

// List returns the listeners, in the order they were made, and the connections.
func (t *Layer) List(shards []*shard.Shard) []Listed {
	var s []Listed
	for _, l := range t.listen.All() {
		s = append(s, Listed{Local: l.Local(), Unread: l.Waiting(), Unacked: l.Backlog(), Info: tcp.Info{State: tcp.Listen},
			Dual: l.bound.Family == flow.Dual, Interface: l.device.Load()})
	}
	for _, sh := range shards {
		for _, c := range t.conns(sh) {
			q := c.Status(false)
			e := Listed{Local: c.Local(), Remote: c.Remote(), Unread: q.Unread, Unacked: q.Unacked, Info: c.Info()}
			e.SendBuffer, e.ReceiveBuffer = c.Buffers()
			s = append(s, e)
		}
	}
	return s
}
