package onlink

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/wire"
)

// Explanation tells how a packet would leave: what each of the nine steps decides now, and by which rule. A step that is not
// reached, because one before it finds that the packet cannot go, is not there.
type Explanation struct {
	Network     string     `json:"network"`
	Destination netip.Addr `json:"destination"`

	// What comes out; zero where no step got that far.
	Source    netip.Addr `json:"source"`
	Interface string     `json:"interface,omitempty"`
	NextHop   netip.Addr `json:"nextHop"`
	LinkAddr  wire.MAC   `json:"linkAddr"`      // of the next hop; zero: there is none, or it must be asked for
	MTU       int        `json:"mtu,omitempty"` // octets of the largest packet, as far as is known

	Steps []ExplainedStep `json:"steps"`
	Error string          `json:"error,omitempty"` // why the packet cannot go
	Err   error           `json:"-"`               // what a program gets then: errors.Is finds the errno
}

// ExplainedStep is one step of an Explanation.
type ExplainedStep struct {
	Number     int      `json:"number"` // 1 to 9
	Name       string   `json:"name"`
	Decision   string   `json:"decision"`
	Rule       string   `json:"rule,omitempty"`
	Candidates []string `json:"candidates,omitempty"` // among which the decision was made, each with what was found of it
}

// Explain tells how a packet from src to dst would leave, and why this way. Nothing is sent, and nothing changes. network is
// "tcp", "udp" or "ip", with "4" or "6" behind it for one family only; dst is an address, with a port for tcp and udp if it
// matters ("192.0.2.1", "[2001:db8::1]:80", "fe80::1%eth0"); src is an address of the stack, with or without a port, or empty
// if the stack is to choose. That a packet cannot go is no error, but in the Explanation. Errors are *net.OpError around
// what is wrong with the arguments; names are not looked up.
func (s *Stack) Explain(network, src, dst string) (*Explanation, error) {
	fail := func(err error) (*Explanation, error) {
		return nil, &net.OpError{Op: "explain", Net: network, Err: err}
	}
	n, err := explainNetwork(network)
	if err != nil {
		return fail(err)
	}
	to, err := s.explainEnd(n, dst)
	if err != nil {
		return fail(err)
	}
	var from flow.Endpoint
	if src != "" {
		if from, err = s.explainEnd(n, src); err != nil {
			return fail(err)
		}
	}
	e := &Explanation{Network: network, Destination: s.netipAddr(to.Addr, to.Scope)}
	s.explain(e, n, from, to)
	return e, nil
}

// explainNetwork is parseNetwork for what Explain knows besides.
func explainNetwork(name string) (network, error) {
	if family, ok := strings.CutPrefix(name, "ip"); ok {
		n, err := parseNetwork("udp" + family)
		if err != nil {
			return n, net.UnknownNetworkError(name)
		}
		n.name, n.transport = name, "ip"
		return n, nil
	}
	return parseNetwork(name)
}

// explainEnd reads "address" or "address:port".
func (s *Stack) explainEnd(n network, text string) (flow.Endpoint, error) {
	ap, err := netip.ParseAddrPort(text)
	if err != nil {
		a, aerr := netip.ParseAddr(strings.Trim(text, "[]"))
		if aerr != nil {
			return flow.Endpoint{}, &net.AddrError{Err: "neither an address nor an address and a port", Addr: text}
		}
		ap = netip.AddrPortFrom(a, 0)
	}
	ap = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	if !n.allows(ap.Addr()) {
		return flow.Endpoint{}, &net.AddrError{Err: "not an address of network " + n.name, Addr: text}
	}
	return s.endpoint(ap)
}

// explain takes the steps, and fills e.
func (s *Stack) explain(e *Explanation, n network, from, to flow.Endpoint) {
	e.step(1, "socket call", "send to "+e.Destination.String()+" by "+n.name, "", nil)
	e.step(2, "transport", map[string]string{"tcp": "a segment", "udp": "a datagram", "ip": "a message"}[n.transport], "", nil)
	proto := map[string]uint8{"tcp": wire.ProtoTCP, "udp": wire.ProtoUDP}[n.transport]
	var why ip.Explanation
	path, err := s.ip.Route(s.rt.Now(), ip.Query{Src: from.Addr, Dst: to.Addr, Scope: to.Scope, Out: int32(from.Scope), Why: &why,
		Flow: ip.Flow{Proto: proto, Ports: uint32(from.Port)<<16 | uint32(to.Port)}})
	for _, d := range why.Decisions {
		decision := d.Result
		if d.Err != nil {
			decision = strings.TrimPrefix(decision+": ", ": ") + d.Err.Error()
		}
		e.step(int(d.Step), d.Step.String(), decision, d.Rule, d.Candidates)
	}
	e.LinkAddr = why.LinkAddr
	if err != nil {
		e.Error, e.Err = err.Error(), err
		return
	}
	e.Source, e.NextHop = s.netipAddr(path.Src, 0), s.netipAddr(path.NextHop, 0)
	e.Interface, e.MTU = path.If.Name, path.MTU
}

func (e *Explanation) step(number int, name, decision, rule string, candidates []string) {
	e.Steps = append(e.Steps, ExplainedStep{number, name, decision, rule, candidates})
}

// teaching says what each step is for.
var teaching = [...]string{
	1: "A program asks for octets to be sent.",
	2: "The transport protocol puts its header in front, with the ports.",
	3: "Is the destination one that packets can be sent to, and is it ourselves?",
	4: "The address that the answer will come back to: one of ours, the best by RFC 6724, 5.",
	5: "What is for ourselves does not leave: it goes into our own receive queue.",
	6: "A host with several interfaces may be bound to one of them.",
	7: "The neighbor that gets the packet first: the destination itself if it is on the link, else a router; the route with the longest prefix tells.",
	8: "The link wants its own kind of address: the neighbor's is remembered, or asked for.",
	9: "The headers go in front, the packet waits its turn, and leaves.",
}

// String tells the steps one after the other, for somebody who sees them for the first time.
func (e *Explanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "A packet to %v:\n", e.Destination)
	for _, s := range e.Steps {
		fmt.Fprintf(&b, "\n%d. %s: %s\n   %s\n", s.Number, s.Name, s.Decision, teaching[s.Number])
		if s.Rule != "" {
			fmt.Fprintf(&b, "   Decided by: %s.\n", s.Rule)
		}
		for _, c := range s.Candidates {
			fmt.Fprintf(&b, "   - %s\n", c)
		}
	}
	switch {
	case errors.Is(e.Err, ip.ErrTentative):
		b.WriteString("\nIt waits: no address to send from has been verified yet.\n")
	case e.Err != nil:
		fmt.Fprintf(&b, "\nIt cannot go: %s.\n", e.Error)
	default:
		fmt.Fprintf(&b, "\nIt leaves from %v by %s to %v.\n", e.Source, e.Interface, e.NextHop)
	}
	return b.String()
}
