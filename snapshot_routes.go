package onlink

import "net/netip"

// GatewayState is a router that routes lead through.
type GatewayState struct {
	Addr      netip.Addr
	Interface string
	State     string // "reachable", "unknown": nobody has asked yet, "unreachable": packets go by others if there are any
}

func (s *Stack) gateways() (all []GatewayState) {
	for _, r := range s.ip.Gateways() {
		all = append(all, GatewayState{r.Addr.Netip(), s.interfaceName(r.Out), r.Reach().String()})
	}
	return all
}
