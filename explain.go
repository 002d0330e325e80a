package onlink

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/wire"
)

// Explanation tells how a packet would leave: what each of the nine steps decides now, among which candidates and by which rule,
// and what would be sent. A step that is not reached, because one before it finds that the packet cannot go, is not there.
// String writes it for people, Brief in one line a step, and encoding/json for programs.
type Explanation struct {
	Network     string     `json:"network"`
	Destination netip.Addr `json:"destination"`
	Port        uint16     `json:"port,omitempty"` // of the destination; 0: none was named

	// Destinations are all that were asked for, if there were several, in the order in which they are best tried: Destination is
	// the first.
	Destinations []ExplainedCandidate `json:"destinations,omitempty"`

	// What comes out; zero where no step got that far.
	Source    netip.Addr `json:"source"`
	Interface string     `json:"interface,omitempty"`
	NextHop   netip.Addr `json:"nextHop"`
	LinkAddr  wire.MAC   `json:"linkAddr"`         // of the next hop; zero: there is none, or it must be asked for
	MTU       int        `json:"mtu,omitempty"`    // octets of the largest packet, as far as is known
	Local     bool       `json:"local,omitempty"`  // the packet is for ourselves
	Socket    string     `json:"socket,omitempty"` // that takes a packet for ourselves, or a copy of it

	Steps []ExplainedStep `json:"steps"`

	First *ExplainedFrame `json:"first,omitempty"` // what goes onto the link first, to ask for LinkAddr; nil: nothing does
	Frame *ExplainedFrame `json:"frame,omitempty"` // the packet itself; nil: it does not leave
	Waits bool            `json:"waits,omitempty"` // the packet is queued until LinkAddr is known

	Error string `json:"error,omitempty"` // why the packet cannot go
	Err   error  `json:"-"`               // what a program gets then: errors.Is finds the errno
	Late  bool   `json:"late,omitempty"`  // it gets it with a later call: this one returns before the packet is dropped
}

// ExplainedStep is one step of an Explanation.
type ExplainedStep struct {
	Number     int                  `json:"number"` // 1 to 9
	Name       string               `json:"name"`
	Question   string               `json:"question"` // that the step answers
	Decision   string               `json:"decision"`
	Rule       string               `json:"rule,omitempty"`       // by which it decided
	RFC        string               `json:"rfc,omitempty"`        // where the rule is written: "RFC 6724, 5"
	Entry      string               `json:"entry,omitempty"`      // what it was read from: a route, a neighbor's entry
	Candidates []ExplainedCandidate `json:"candidates,omitempty"` // among which the decision was made
	Notes      []string             `json:"notes,omitempty"`      // what else there is to know
	Words      []string             `json:"words,omitempty"`      // what the words mean that come up here first
	Error      string               `json:"error,omitempty"`      // why the packet goes no further
}

// ExplainedCandidate is one of several that a step chose among.
type ExplainedCandidate struct {
	Name   string `json:"name"` // an address, or a route as ip(8) writes it
	Chosen bool   `json:"chosen,omitempty"`

	Address *ExplainedAddress `json:"address,omitempty"` // if it is an address
	Router  string            `json:"router,omitempty"`  // of a route: whether its router answers: "reachable", "unknown", "unreachable"

	Rule string `json:"rule,omitempty"` // by which it was not chosen, or stands behind the one before it
	RFC  string `json:"rfc,omitempty"`
	Has  string `json:"has,omitempty"` // what it has of what Rule compares, and
	Won  string `json:"won,omitempty"` // what the chosen one, or the one before it, has
}

// ExplainedAddress is what decisions about an address depend on.
type ExplainedAddress struct {
	Prefix     netip.Prefix `json:"prefix"`              // of an address of ours: with its length, host bits kept
	Interface  string       `json:"interface,omitempty"` // that has it
	Scope      string       `json:"scope"`               // "link-local", "global", …
	State      string       `json:"state,omitempty"`     // of an address of ours: "preferred", "deprecated", "tentative", "duplicate"
	Temporary  bool         `json:"temporary,omitempty"`
	Optimistic bool         `json:"optimistic,omitempty"`
	Policy     string       `json:"policy,omitempty"` // the prefix of the policy table that covers it (RFC 6724, 2.1)
	Precedence int          `json:"precedence"`
	Label      int          `json:"label"`
	Source     netip.Addr   `json:"source,omitzero"` // of a destination: what packets to it would leave from
}

// ExplainOptions say more about the packet that is asked for. The zero value is a plain socket's.
type ExplainOptions struct {
	Interface    string           // the socket is bound to it (SO_BINDTODEVICE)
	Mark         uint32           // of the socket (SO_MARK)
	HopLimit     int              // TTL or hop limit; 0: the default
	TrafficClass int              // TOS or traffic class
	Source       SourcePreference // where src names no address
	Size         int              // octets of a datagram's payload
}

// Explain tells how a packet from src to dst would leave, and why this way. Nothing is sent, and nothing changes. network is
// "tcp", "udp" or "ip", with "4" or "6" behind it for one family only, and "ip" with ":icmp" or another protocol's name
// or number behind that; dst is an address, with a port for tcp and udp if it
// matters ("192.0.2.1", "[2001:db8::1]:80", "fe80::1%eth0"); src is an address of the stack, with or without a port, or a port
// (":53"), or empty
// if the stack is to choose. That a packet cannot go is no error, but in the Explanation. Errors are *net.OpError around
// what is wrong with the arguments; names are not looked up.
func (s *Stack) Explain(network, src, dst string) (*Explanation, error) {
	return s.ExplainWith(network, src, []string{dst}, ExplainOptions{})
}

// ExplainWith is Explain of a packet of which opt says more, to the best of several destinations: those of a host, say, of which
// a program tries one after the other (RFC 6724, 6).
func (s *Stack) ExplainWith(network, src string, dst []string, opt ExplainOptions) (*Explanation, error) {
	x, err := s.explainer(network, src, dst, opt)
	if err != nil {
		return nil, &net.OpError{Op: "explain", Net: network, Err: err}
	}
	x.explain()
	return x.Explanation, nil
}

// explainer is an Explanation being made.
type explainer struct {
	*Explanation
	s     *Stack
	net   network
	proto uint8 // 0: not known
	opt   ExplainOptions
	out   int32 // of opt.Interface

	from, to flow.Endpoint
	all      []flow.Endpoint // the destinations
	why      ip.Explanation
	path     *ip.Path
	params   ip.Params
}

// explainer reads the arguments of ExplainWith.
func (s *Stack) explainer(network, src string, dst []string, opt ExplainOptions) (*explainer, error) {
	x := &explainer{s: s, opt: opt, Explanation: &Explanation{Network: network}}
	var err error
	if x.net, x.proto, err = explainNetwork(network); err != nil {
		return nil, err
	}
	switch {
	case len(dst) == 0:
		return nil, &net.AddrError{Err: "no destination"}
	case opt.HopLimit < 0 || opt.HopLimit > 255:
		return nil, &net.AddrError{Err: "a hop limit is 0 to 255", Addr: strconv.Itoa(opt.HopLimit)}
	case opt.TrafficClass < 0 || opt.TrafficClass > 255:
		return nil, &net.AddrError{Err: "a traffic class is 0 to 255", Addr: strconv.Itoa(opt.TrafficClass)}
	case opt.Size < 0 || opt.Size > 65507:
		return nil, &net.AddrError{Err: "a payload has 0 to 65507 octets", Addr: strconv.Itoa(opt.Size)}
	}
	if opt.Interface != "" {
		if x.out, err = s.zone(opt.Interface); err != nil {
			return nil, err
		}
	}
	for _, d := range dst {
		to, err := s.explainEnd(x.net, d, false)
		if err != nil {
			return nil, err
		}
		x.all = append(x.all, to)
	}
	x.to = x.all[0]
	if src != "" {
		x.from, err = s.explainEnd(x.net, src, true)
	}
	return x, err
}

// explainNetwork is parseNetwork for what Explain knows besides: "ip", "ip4:icmp", "ip6:58".
func explainNetwork(name string) (n network, proto uint8, err error) {
	if !strings.HasPrefix(name, "ip") {
		n, err = parseNetwork(name)
		return n, map[string]uint8{"tcp": wire.ProtoTCP, "udp": wire.ProtoUDP}[n.transport], err
	}
	family, protocol, _ := strings.Cut(name[len("ip"):], ":")
	if n, err = parseNetwork("udp" + family); err != nil {
		return n, 0, net.UnknownNetworkError(name)
	}
	n.name, n.transport = name, "ip"
	switch protocol {
	case "":
	case "icmp":
		proto = wire.ProtoICMP
	case "ipv6-icmp", "icmpv6":
		proto = wire.ProtoICMPv6
	case "tcp":
		proto = wire.ProtoTCP
	case "udp":
		proto = wire.ProtoUDP
	default:
		p, err := strconv.ParseUint(protocol, 10, 8)
		if err != nil {
			return n, 0, net.UnknownNetworkError(name)
		}
		proto = uint8(p)
	}
	return n, proto, nil
}

// explainEnd reads "address", "address:port", or where a port may stand alone, ":port".
func (s *Stack) explainEnd(n network, text string, portOnly bool) (flow.Endpoint, error) {
	wrong := func(what string) (flow.Endpoint, error) {
		return flow.Endpoint{}, &net.AddrError{Err: what, Addr: text}
	}
	if port, only := strings.CutPrefix(text, ":"); only && portOnly && !strings.Contains(port, ":") {
		p, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return wrong("not a port")
		}
		return flow.Endpoint{Port: uint16(p)}, nil
	}
	ap, err := netip.ParseAddrPort(text)
	if err != nil {
		a, aerr := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
		if aerr != nil {
			return wrong("neither an address nor an address and a port")
		}
		ap = netip.AddrPortFrom(a, 0)
	}
	ap = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	if !n.allows(ap.Addr()) {
		return wrong("not an address of network " + n.name)
	}
	return s.endpoint(ap)
}

// Waiting reports whether the packet goes nowhere yet because the addresses to send from are still being verified.
func (e *Explanation) Waiting() bool { return errors.Is(e.Err, ip.ErrTentative) }
