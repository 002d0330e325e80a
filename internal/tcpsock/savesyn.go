package tcpsock

import (
	"bytes"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/packet"
)

// saveSYN keeps the internet and TCP headers of a SYN, which has just made an embryo, if its listener wants that:
// TCP_SAVE_SYN. sh locked.
func (t *Layer) saveSYN(sh *shard.Shard, key *flow.Key, p *packet.Buffer, seg *tcp.Segment) {
	e := t.tables[sh.Index].demux.find(key).embryo
	if e == nil {
		return // it was answered with a cookie
	}
	if cfg, _, _ := e.l.config(key.Remote); cfg.SaveSYN == 0 {
		return
	}
	b := p.FromNetwork()
	b = bytes.Clone(b[:len(b)-len(seg.Payload)])
	if e.rare == nil {
		e.rare = &rare{}
	}
	e.rare.syn = &b
}

// SavedSYN returns the headers of the SYN that made the connection, if its listener saved them, from the internet header
// to the end of TCP's options; nil: there is none. forget: it is not kept any longer.
func (c *Conn) SavedSYN(forget bool) []byte {
	c.sh.Lock()
	defer c.sh.Unlock()
	if c.syn == nil {
		return nil
	}
	b := *c.syn
	if forget {
		c.syn = nil
	}
	return b
}
