package dgram

import (
	"syscall"

	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/wire"
)

// ends are where a socket is bound and connected to. They do not change; Connect and Disconnect replace them.
type ends struct {
	bound  flow.Bound
	remote flow.Endpoint // zero: not connected
}

func (e *ends) connected() bool { return e.remote != (flow.Endpoint{}) }

// from reports whether a is the remote end's address.
func (e *ends) from(a wire.Addr, scope uint32) bool {
	return e.remote.Addr == a && (e.remote.Scope == 0 || e.remote.Scope == scope)
}

// route finds the way of datagrams from src, unspecified: one to be chosen, that are sent as o says.
func (s *Socket) route(src wire.Addr, to flow.Endpoint, o *SendOptions) (*ip.Path, error) {
	if src.IsUnspecified() || src.IsMulticast() || s.ip.IsBroadcast(src) {
		src = wire.Addr{} // what it is bound to for receiving cannot be sent from
	}
	return s.ip.Route(s.rt.Now(), ip.Query{Src: src, Dst: to.Addr, Scope: to.Scope, Out: o.Interface, SourcePrefs: o.SourcePrefs,
		Flow: ip.Flow{Mark: o.Mark, Ports: flow.Ports(s.bound.Local.Port, to.Port), TrafficClass: o.TrafficClass, Proto: s.kind.Protocol(to.Addr)}})
}

// Options returns how datagrams to the given end, zero: the one that the socket is connected to, are sent that nothing else is
// said of.
func (s *Socket) Options(to flow.Endpoint) SendOptions {
	o := SendOptions{Interface: s.device.Load(), Mark: s.mark.Load(), HopLimit: uint8(s.hop.Load()), TrafficClass: uint8(s.tos.Load()),
		FlowLabel: ip.FlowLabel(s.label.Load()), Discover: Discover(s.mtud.Load()), Segment: s.Segment(), Broadcast: true,
		SourcePrefs: addrsel.Preferences(s.prefs.Load()), HeaderIncluded: s.included.Load()}
	if to == (flow.Endpoint{}) {
		to = s.Remote()
	}
	if to.Addr.IsMulticast() {
		o.HopLimit = 0 // GroupSending has it
	}
	return o
}

// SetMark sets what rules choose a routing table by for what the socket sends.
func (s *Socket) SetMark(mark uint32) { s.mark.Store(mark) }

// SetSourcePrefs sets what the socket prefers of the addresses that its datagrams leave from, where it is bound to none.
func (s *Socket) SetSourcePrefs(p addrsel.Preferences) { s.prefs.Store(uint32(p)) }

// SetInterface has the socket hear by and send by the interface with the given index alone; 0: by all.
func (s *Socket) SetInterface(index int32) { s.device.Store(index) }

// Interface returns the interface that the socket is bound to; 0: none.
func (s *Socket) Interface() int32 { return s.device.Load() }

// Connect makes remote the only end that the socket receives from, and the one it sends to if nothing else is said. A
// socket bound to no address takes the one it sends from, and keeps it until Disconnect, as with Linux. Errors: EAFNOSUPPORT, those of ip.Route.
func (s *Socket) Connect(remote flow.Endpoint) error {
	e := *s.ends.Load()
	if !e.bound.Family.Takes(remote.Addr) {
		return syscall.EAFNOSUPPORT
	}
	o := s.Options(remote)
	if remote.Addr.IsMulticast() {
		s.toGroup(&remote, &o, &ip.Params{})
	}
	path, err := s.pathTo(&e, remote, &o)
	if err != nil {
		return err
	}
	s.path.Store(path)
	e.bound.Local.Addr, e.bound.Local.Scope = path.Src, flow.ScopeOf(path.Src, path.If.Index)
	e.remote = remote
	s.ends.Store(&e)
	return nil
}

// Disconnect undoes Connect.
func (s *Socket) Disconnect() { s.ends.Store(&ends{bound: s.bound}) }
