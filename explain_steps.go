package onlink

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/tcpsock"
	"github.com/onlink-go/onlink/wire"
)

// questions are what the steps answer.
var questions = [...]string{
	1: "What does the program ask for?",
	2: "What does the transport protocol make of it?",
	3: "Can packets be sent to this destination, and is it ourselves?",
	4: "Which of our addresses does the packet come from?",
	5: "Is it for ourselves?",
	6: "Which interface does it leave by?",
	7: "Which neighbor on the link gets it first?",
	8: "What is the hardware address of that neighbor?",
	9: "What goes onto the link?",
}

// explain takes the steps.
func (x *explainer) explain() {
	x.chooseDestination()
	x.Destination, x.Port = x.s.netipAddr(x.to.Addr, x.to.Scope), x.to.Port
	x.call()
	x.transport()
	err := x.route()
	for _, d := range x.why.Decisions {
		x.decision(d)
	}
	x.LinkAddr, x.Waits = x.why.LinkAddr, x.why.Waits
	if x.Err = err; err == nil {
		x.Err = x.refusal()
	}
	if x.path != nil {
		x.Source, x.NextHop = x.s.netipAddr(x.path.Src, 0), x.s.netipAddr(x.path.NextHop, 0)
		x.Interface, x.MTU, x.Local = x.path.If.Name, x.path.MTU, x.path.Local
	}
	if x.Err == nil {
		x.takers()
		x.send()
	} else {
		x.Error = x.Err.Error()
	}
	x.explainWords()
}

// refusal returns the error that a packet meets although there is a way: TCP's of groups, or that of a neighbor that does not
// answer.
func (x *explainer) refusal() error {
	if x.net.transport == "tcp" {
		if err := tcpsock.Refuses(x.path); err != nil {
			s := x.step(3)
			s.Rule, s.RFC, s.Error = "a TCP connection is between two machines, not with a group", "RFC 9293, 3.9.2.3", err.Error()
			s.Decision += ": " + s.Error
			x.Steps, x.path, x.LinkAddr, x.Waits = x.Steps[:3], nil, wire.MAC{}, false
			return err
		}
	}
	for _, d := range x.why.Decisions {
		if d.Err != nil {
			x.Late = true
			return d.Err
		}
	}
	return nil
}

// step returns the step of a number, which is there.
func (x *explainer) step(number int) *ExplainedStep {
	for i := range x.Steps {
		if x.Steps[i].Number == number {
			return &x.Steps[i]
		}
	}
	panic("onlink: a step that was taken is not there")
}

func (x *explainer) add(s ExplainedStep) {
	s.Question = questions[s.Number]
	x.Steps = append(x.Steps, s)
}

// decision adds what the internet layer decided.
func (x *explainer) decision(d ip.Decision) {
	s := ExplainedStep{Number: int(d.Step), Name: d.Step.String(), Decision: d.Result, Rule: d.Rule, RFC: d.RFC, Entry: d.Entry, Notes: d.Notes}
	if d.Err != nil {
		s.Error = d.Err.Error()
		s.Decision = strings.TrimPrefix(d.Result+": ", ": ") + s.Error
	}
	for _, c := range d.Candidates {
		o := ExplainedCandidate{Name: c.Name, Chosen: c.Chosen, Router: c.Router, Rule: c.Rule, RFC: c.RFC, Has: c.Has, Won: c.Won}
		if c.Addr != nil {
			o.Address = x.address(c.Addr, c.If)
		}
		s.Candidates = append(s.Candidates, o)
	}
	x.add(s)
}

// address describes an address of ours.
func (x *explainer) address(a *netif.Address, i *netif.Interface) *ExplainedAddress {
	e := x.anyAddress(a.Addr)
	e.Prefix, e.Interface, e.State, e.Temporary, e.Optimistic = a.Prefix(), i.Name, a.State.String(), a.Temporary, a.Optimistic
	return e
}

// anyAddress describes an address by what it says itself.
func (x *explainer) anyAddress(a wire.Addr) *ExplainedAddress {
	e := &ExplainedAddress{Scope: addrsel.ScopeOf(a).String(), Label: -1}
	if p, ok := x.s.ip.Policy().Entry(a); ok {
		e.Policy, e.Precedence, e.Label = p.Prefix.String(), p.Precedence, p.Label
	}
	return e
}

// call is step 1.
func (x *explainer) call() {
	to := x.end(x.to)
	s := ExplainedStep{Number: 1, Name: "socket call"}
	switch x.net.transport {
	case "tcp":
		s.Decision = "a TCP connection to " + to
		if x.to.Addr.IsUnspecified() {
			x.to.Addr, x.to.Scope = loopbackOf(x.to.Addr), 0
			s.Rule = "the unspecified address stands for the machine itself"
			s.Decision += ", and so to " + x.to.Addr.String()
			x.Destination = x.to.Addr.Netip()
		}
	case "udp":
		s.Decision = "a UDP datagram to " + to
	default:
		s.Decision = "a packet to " + to
	}
	if x.from != (flow.Endpoint{}) {
		s.Decision += ", from " + x.end(x.from)
	}
	if x.out != 0 {
		s.Notes = append(s.Notes, "The socket is bound to "+x.opt.Interface+": nothing of its leaves by another interface.")
	}
	if x.opt.Mark != 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("The socket has the mark %#x, by which rules can choose another routing table.", x.opt.Mark))
	}
	if n := len(x.Destinations); n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("It is the best of %d addresses. They are tried in this order:", n))
		s.Candidates = x.Destinations
	}
	x.add(s)
}

func loopbackOf(a wire.Addr) wire.Addr {
	if a.Is4() {
		return wire.Loopback4
	}
	return wire.AddrFrom(netip.IPv6Loopback())
}

// end writes an end of the packet.
func (x *explainer) end(e flow.Endpoint) string {
	switch {
	case e.Addr == (wire.Addr{}):
		return fmt.Sprintf("port %d", e.Port)
	case e.Port == 0:
		return x.s.netipAddr(e.Addr, e.Scope).String()
	}
	return x.s.addrPort(e).String()
}

// transport is step 2.
func (x *explainer) transport() {
	s := ExplainedStep{Number: 2, Name: "transport"}
	switch x.net.transport {
	case "tcp":
		s.Decision = "a SYN: the segment, without data, that opens a connection"
		s.RFC = "RFC 9293, 3.5"
	case "udp":
		s.Decision = fmt.Sprintf("a datagram: 8 octets of header, with the ports, and %d of payload", x.opt.Size)
		s.RFC = "RFC 768"
	default:
		s.Decision = "nothing: the program has made the message itself"
		if x.proto != 0 {
			s.Decision = fmt.Sprintf("a message of protocol %d, %s", x.proto, transportName(x.proto))
		}
	}
	if x.net.transport != "ip" && x.from.Port == 0 {
		s.Notes = append(s.Notes, "The source port is chosen when the program sends: one of those not in use, at random.")
	}
	x.add(s)
}

// route takes steps 3 to 8, as a socket would, and finds what it has packets say.
func (x *explainer) route() (err error) {
	if x.net.transport == "tcp" {
		return x.routeTCP(&tcpsock.Header{Interface: x.out, Mark: x.opt.Mark, HopLimit: uint8(x.opt.HopLimit), TrafficClass: uint8(x.opt.TrafficClass)})
	}
	w := dgram.Would{IP: x.s.ip, Proto: x.proto, From: x.from, To: x.to, Options: dgram.SendOptions{Interface: x.out, Mark: x.opt.Mark,
		HopLimit: uint8(x.opt.HopLimit), TrafficClass: uint8(x.opt.TrafficClass), SourcePrefs: x.opt.Source.preferences()}}
	if err = x.ask(w.Query()); err == nil {
		x.params = w.Params(x.path, x.size())
	}
	return err
}

// size returns how many octets are behind the packet's internet header.
func (x *explainer) size() int {
	switch x.net.transport {
	case "tcp":
		return wire.TCPMinLen
	case "udp":
		return wire.UDPLen + x.opt.Size
	}
	return x.opt.Size
}

// routeTCP is route of a connection: the source is chosen first, and then, where flows of one destination go different ways,
// the way of the flow.
func (x *explainer) routeTCP(h *tcpsock.Header) error {
	src := x.from.Addr
	if src.IsUnspecified() {
		src = wire.Addr{}
	}
	if err := x.ask(ip.Query{Src: src, Dst: x.to.Addr, Scope: x.to.Scope, Out: x.out, SourcePrefs: x.opt.Source.preferences(),
		Flow: ip.Flow{Mark: h.Mark, TrafficClass: h.TrafficClass, Proto: wire.ProtoTCP}}); err != nil {
		return err
	}
	key := flow.Key{Local: x.path.Src, Remote: x.path.Dst, Ports: flow.Ports(x.from.Port, x.to.Port), Proto: wire.ProtoTCP,
		Scope: flow.ScopeOf(x.path.Dst, x.path.If.Index)}
	q, params := x.s.tcp.Would(&key, h)
	x.params = params
	if x.path.Local || !x.s.ip.SpreadsFlows(key.Remote.Is4()) || tcpsock.Refuses(x.path) != nil {
		return nil
	}
	if x.from.Port == 0 {
		x.noteShared()
		return nil
	}
	first := x.why
	x.why = ip.Explanation{}
	if err := x.ask(q); err != nil {
		x.why = first
		return nil // as a connection does: the way that was found first is taken
	}
	for i, d := range x.why.Decisions {
		if d.Step == ip.StepSource { // it was given by then
			x.why.Decisions[i] = first.Decisions[i]
		}
	}
	return nil
}

// noteShared says that the flow matters, and is not known.
func (x *explainer) noteShared() {
	for i := range x.why.Decisions {
		if d := &x.why.Decisions[i]; d.Step == ip.StepNextHop {
			d.Notes = append(d.Notes, "Some routes share the flows. Where one of them is taken, which one depends on the ports too, and the source port is not chosen yet.")
		}
	}
}

// ask asks the internet layer for the way.
func (x *explainer) ask(q ip.Query) error {
	q.Why = &x.why
	p, err := x.s.ip.Route(x.s.rt.Now(), q)
	if err == nil {
		x.path = p
	}
	return err
}

// takers finds who of our own takes the packet, or a copy of it.
func (x *explainer) takers() {
	p := x.path
	if !p.Local {
		return
	}
	from := flow.Endpoint{Addr: p.Src, Port: x.from.Port}
	s := x.step(5)
	if back := x.s.ip.Snapshot().Lookup(p.Src, p.If.Index).If; x.out != 0 && back != nil && x.out != back.Index {
		s.Notes = append(s.Notes, "An answer will not be heard: it would come in by "+back.Name+", and the socket is bound to "+x.opt.Interface+".")
	}
	switch {
	case x.to.Port == 0:
		return
	case x.net.transport == "udp":
		if x.udpTakers(from, p.Multicast); x.Socket == "" {
			s.Notes = append(s.Notes, fmt.Sprintf("But no UDP socket is bound to port %d: it is dropped, and an ICMP port unreachable goes back (connection refused).", x.to.Port))
			return
		}
	case x.net.transport == "tcp":
		key := flow.Key{Local: p.Dst, Remote: p.Src, Ports: flow.Ports(x.to.Port, x.from.Port), Scope: flow.ScopeOf(p.Src, p.If.Index), Proto: wire.ProtoTCP}
		local, state, ok := x.s.tcp.Taker(&key, p.If.Index)
		if !ok {
			s.Notes = append(s.Notes, fmt.Sprintf("But nobody listens on TCP port %d: a RST goes back (connection refused).", x.to.Port))
			return
		}
		x.Socket = fmt.Sprintf("tcp %s %v", x.end(local), state)
	default:
		return
	}
	s.Decision += ", and it is for the socket " + x.Socket
}

// udpTakers finds the UDP sockets that take a datagram, or a copy of it.
func (x *explainer) udpTakers(from flow.Endpoint, group bool) {
	p := x.path
	for _, u := range x.s.udp().Takers(from, flow.Endpoint{Addr: p.Dst, Port: x.to.Port}, p.If.Index, group) {
		x.Socket = strings.TrimPrefix(x.Socket+", udp "+x.end(u.Local()), ", ")
	}
}
