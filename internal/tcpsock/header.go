package tcpsock

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Header is what a connection's user chooses of the internet header.
type Header struct {
	Interface    int32  // the connection hears by and sends by it alone; 0: by all
	Mark         uint32 // what rules choose a routing table by (SO_MARK)
	HopLimit     uint8  // TTL or hop limit; 0: the default
	TrafficClass uint8
	MinHopLimit  uint8 // what comes with less is dropped (IP_MINTTL, IPV6_MINHOPCOUNT; RFC 5082)
	MayFragment  bool  // IPv4 without DF (IP_PMTUDISC_DONT)
	OwnMTU       bool  // the link's MTU counts, and not the path's (IP_PMTUDISC_PROBE, IP_PMTUDISC_INTERFACE)
	FlowLabel    ip.FlowLabel
}

// by reports whether the connection hears what comes in by the interface in.
func (h *Header) by(in int32) bool { return h.Interface == 0 || h.Interface == in }

// mtu returns the largest packet that is sent along path.
func (h *Header) mtu(path *ip.Path) int {
	if h.OwnMTU {
		return path.LinkMTU()
	}
	return path.MTU
}

// params returns h as the internet layer takes it, of a packet of key's.
func (t *Layer) params(key *flow.Key, h *Header) ip.Params {
	p := ip.Params{Proto: wire.ProtoTCP, HopLimit: h.HopLimit, TrafficClass: h.TrafficClass, DontFragment: !h.MayFragment}
	p.FlowLabel = t.ip.FlowLabel(key, h.FlowLabel)
	return p
}

// query asks for the way of packets of key's that have h. used is the way they go now, nil: they do not go yet.
func (t *Layer) query(key *flow.Key, h *Header, used *ip.Path) ip.Query {
	q := ip.Query{Src: key.Local, Dst: key.Remote, Scope: key.Scope, Out: h.Interface, Flow: ip.Flow{Mark: h.Mark, Ports: key.Ports,
		TrafficClass: h.TrafficClass, Proto: wire.ProtoTCP, FlowLabel: t.ip.FlowLabel(key, h.FlowLabel)}}
	if used != nil && used.NextHop != used.Dst {
		q.Habit = used.NextHop
	}
	return q
}

// Headers are those of a listener's connections, by family.
type Headers struct{ V4, V6 Header }

// of returns the one for packets to a.
func (h *Headers) of(a wire.Addr) Header {
	if a.Is4() {
		return h.V4
	}
	return h.V6
}

// SetHeader sets what the connection's packets have in their internet header. Errors: net.ErrClosed.
func (c *Conn) SetHeader(h Header) error { return c.ChangeHeader(func(now *Header) { *now = h }) }

// ChangeHeader has f change that. Errors: net.ErrClosed.
func (c *Conn) ChangeHeader(f func(*Header)) error {
	return c.do(func(now clock.Instant) error {
		was := c.header
		f(&c.header)
		h := &c.header
		if h.Mark != was.Mark || h.Interface != was.Interface || h.TrafficClass != was.TrafficClass || h.FlowLabel != was.FlowLabel {
			c.refreshPath(now) // rules may have it go elsewhere
		}
		if mtu := h.mtu(c.path); mtu != was.mtu(c.path) {
			c.setMTU(now, mtu)
		}
		return nil
	})
}

// SetHopLimit and SetTrafficClass set the header fields of what the connection sends. Errors: net.ErrClosed.
func (c *Conn) SetHopLimit(n uint8) error {
	return c.do(func(clock.Instant) error { c.header.HopLimit = n; return nil })
}

func (c *Conn) SetTrafficClass(n uint8) error {
	return c.do(func(clock.Instant) error { c.header.TrafficClass = n; return nil })
}

// PathMTU returns the largest packet, in octets, that the connection's path is known to carry.
func (c *Conn) PathMTU() int {
	c.sh.Lock()
	defer c.sh.Unlock()
	return c.path.MTU
}

// SetHeaders sets what the packets of the listener's connections begin with.
func (l *Listener) SetHeaders(h Headers) {
	l.in.Lock()
	defer l.in.Unlock()
	l.headers = h
}

// near reports whether a packet has come from as near as the listener's connections must.
func (l *Listener) near(key *flow.Key, p *packet.Buffer) bool {
	_, h, _ := l.config(key.Remote)
	return p.HopLimit >= h.MinHopLimit
}
