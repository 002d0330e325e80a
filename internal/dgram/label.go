package dgram

import (
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
)

// SetFlowLabel chooses the flow label of what the socket sends.
func (s *Socket) SetFlowLabel(c ip.FlowLabel) { s.label.Store(uint32(c)) }

// key names the flow of packets to the given port at the end of path.
func (s *Socket) key(path *ip.Path, proto uint8, port uint16) flow.Key {
	return flow.Key{Local: path.Src, Remote: path.Dst, Ports: flow.Ports(s.bound.Local.Port, port), Scope: path.Scope, Proto: proto}
}
