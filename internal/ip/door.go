package ip

import "github.com/onlink-go/onlink/internal/shard"

// Door returns where who expects an answer by the way of p may wait for it; nil: nowhere.
func (l *Layer) Door(p *Path) *shard.Door {
	if d := l.snap.Load().device(p.If.Index); d != nil && !p.Local {
		return d.door
	}
	return nil
}
