package sim_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/wire"
)

// explainCase is a packet that is explained, and sent.
type explainCase struct {
	*explained
	network string
	local   netip.AddrPort // the zero Addr: none
	to      netip.AddrPort
	opt     onlink.ExplainOptions
}

// Ports of the host that somebody listens on, and one that nobody does.
const (
	explainTCPPort   = 7000
	explainUDPPort   = 7001
	explainEmptyPort = 9
)

// listen takes what comes to ourselves.
func (x *explained) listen(t *testing.T) {
	ln, err := x.host.Listen(context.Background(), "tcp", fmt.Sprintf(":%d", explainTCPPort))
	if err != nil {
		t.Error(err)
		return
	}
	pc, err := x.host.ListenPacket(context.Background(), "udp", fmt.Sprintf(":%d", explainUDPPort))
	if err != nil {
		t.Error(err)
		return
	}
	x.host.Go("datagrams", func() {
		b := make([]byte, 65536)
		for {
			if _, _, err := pc.ReadFrom(b); err == nil {
				x.heard++
			}
		}
	})
	for {
		if c, err := ln.Accept(); err == nil {
			c.Close()
		}
	}
}

// aCase returns a packet to send.
func (x *explained) aCase() *explainCase {
	x.port++
	c := &explainCase{explained: x, network: []string{"udp", "udp", "tcp"}[x.IntN(3)], local: netip.AddrPortFrom(netip.Addr{}, uint16(x.port))}
	port := []uint16{explainTCPPort, explainUDPPort, explainEmptyPort}[x.IntN(3)]
	c.to = netip.AddrPortFrom(x.destination(), port)
	if x.IntN(3) == 0 {
		if own := x.own(); own.Is4() == c.to.Addr().Is4() || x.IntN(8) == 0 {
			c.local = netip.AddrPortFrom(own, uint16(x.port))
		}
	}
	if x.IntN(5) == 0 {
		c.opt.Interface = fmt.Sprintf("eth%d", x.IntN(4))
	}
	if x.IntN(4) == 0 {
		c.opt.Mark = 7
	}
	if x.IntN(5) == 0 {
		c.opt.TrafficClass = 0x20
	}
	if x.IntN(5) == 0 && !c.to.Addr().IsMulticast() { // of groups it is said otherwise
		c.opt.HopLimit = 5
	}
	if c.network == "udp" {
		c.opt.Size = []int{0, 1, 1200, 1252, 1400, 1472, 3000, 9000}[x.IntN(8)]
	}
	return c
}

// from writes the local end.
func (c *explainCase) from() string {
	if !c.local.Addr().IsValid() {
		return fmt.Sprintf(":%d", c.local.Port())
	}
	return c.local.String()
}

func (c *explainCase) String() string {
	return fmt.Sprintf("%s from %s to %v, %+v", c.network, c.from(), c.to, c.opt)
}

// explain explains the packet, and finds that to do so changes nothing.
func (c *explainCase) explain(t *testing.T) *onlink.Explanation {
	e, err := c.host.ExplainWith(c.network, c.from(), []string{c.to.String()}, c.opt)
	if err != nil {
		t.Fatalf("%v: %v", c, err)
	}
	again, err := c.host.ExplainWith(c.network, c.from(), []string{c.to.String()}, c.opt)
	if err != nil || again.Brief() != e.Brief() {
		t.Errorf("%v: %v; once\n%v, and then\n%v", c, err, e, again)
	}
	return e
}

// try sends the packet and compares.
func (c *explainCase) try(t *testing.T, met map[string]int) {
	for _, o := range c.open {
		o.Close()
	}
	c.open = nil
	e := c.explain(t)
	c.note(e, met)
	c.sent, c.heard = nil, 0
	var err error
	if c.network == "tcp" {
		err = c.connect(e)
	} else {
		err = c.datagram(e)
	}
	switch {
	case e.Waiting() && c.network == "udp" && c.opt.Mark|uint32(c.opt.TrafficClass) != 0: // a Dialer has none of these
	case e.Waiting():
		if !errors.Is(err, context.Canceled) && !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Errorf("%v: %v, and it did not wait, in spite of\n%v", c, err, e)
		}
	case e.Late && e.Interface == "eth3": // the VRF's own table may know another router, which Explain does not look for
	case e.Late:
		if len(c.sent) != 0 || err != nil && !errors.Is(err, e.Err) {
			t.Errorf("%v: %v, %d frames, in spite of\n%v", c, err, len(c.sent), e)
		}
	case e.Err != nil:
		// A Dialer finds by itself that it has no address of the family.
		_, told := errors.AsType[*net.AddrError](err)
		told = told && errors.Is(e.Err, syscall.EAFNOSUPPORT)
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "listen" {
			told = errors.Is(err, syscall.EADDRNOTAVAIL) // the socket could not even be bound
		}
		if !errors.Is(err, errnoOf(e.Err)) && !told || len(c.sent) != 0 {
			t.Errorf("%v: %v, %d frames, in spite of\n%v", c, err, len(c.sent), e)
		}
	case c.network == "udp" && err != nil:
		t.Errorf("%v: %v, in spite of\n%v", c, err, e)
	default:
		c.compare(t, e, err)
	}
}

// errnoOf returns the errno in err.
func errnoOf(err error) error {
	var e syscall.Errno
	if errors.As(err, &e) {
		return e
	}
	return err
}

// datagram sends a datagram by a socket of its own, and returns before time passes.
func (c *explainCase) datagram(e *onlink.Explanation) error {
	ctx, cancel := c.host.WithCancel(context.Background())
	defer cancel()
	if e.Waiting() {
		cancel() // who waits is told so
		d := onlink.Dialer{Stack: c.host.Stack, LocalAddr: c.from(), Interface: c.opt.Interface}
		_, err := d.DialContext(ctx, "udp", c.to.String())
		return err
	}
	l := onlink.ListenConfig{Stack: c.host.Stack, Interface: c.opt.Interface}
	pc, err := l.ListenPacket(ctx, "udp", c.from())
	if err != nil {
		return err
	}
	c.open = append(c.open, pc) // what comes back is for it
	u := pc.(*onlink.UDPConn)
	err = errors.Join(u.SetMark(c.opt.Mark), u.SetTrafficClass(uint8(c.opt.TrafficClass)), u.SetHopLimit(uint8(c.opt.HopLimit)))
	if err != nil {
		return err
	}
	_, err = u.WriteToUDPAddrPort(make([]byte, c.opt.Size), c.to)
	return err
}

// connect connects, and lets what is for ourselves through; else it gives up before any answer can come.
func (c *explainCase) connect(e *onlink.Explanation) error {
	ctx, cancel := c.host.WithCancel(context.Background())
	defer cancel()
	if e.Waiting() {
		cancel()
	}
	d := onlink.Dialer{Stack: c.host.Stack, LocalAddr: c.from(), Interface: c.opt.Interface,
		TCP: onlink.TCPOptions{Mark: c.opt.Mark, TrafficClass: uint8(c.opt.TrafficClass), HopLimit: uint8(c.opt.HopLimit)}}
	var err error
	done := false
	c.host.Go("dial", func() {
		defer func() { done = true }()
		var conn net.Conn
		if conn, err = d.DialContext(ctx, "tcp", c.to.String()); err == nil {
			conn.Close()
		}
	})
	if c.host.Sleep(1); e.Local {
		c.host.Sleep(time.Millisecond)
	}
	cancel()
	for !done {
		c.host.Sleep(1)
	}
	return err
}

// compare compares the frames that were sent with those that were to be.
func (c *explainCase) compare(t *testing.T, e *onlink.Explanation, err error) {
	bad := func(format string, a ...any) {
		t.Errorf("%v: %s; sent %x, in spite of\n%v", c, fmt.Sprintf(format, a...), c.sent, e)
	}
	switch {
	case e.Local:
		c.host.Sleep(time.Millisecond)
		taken := c.heard > 0
		if c.network == "tcp" {
			// Who is bound to another interface than the source's does not hear the answer, and between a link-local address
			// and one of another link there is no way back: its zone is not theirs. Nor does TCP answer from an anycast address.
			scoped := e.Source.IsLinkLocalUnicast() && e.Source.Is6() || c.to.Addr().IsLinkLocalUnicast() && c.to.Addr().Is6()
			if c.opt.Interface != "" || c.anycast(c.to.Addr()) || scoped && e.Source.WithZone("") != c.to.Addr().WithZone("") {
				return
			}
			taken = err == nil
		}
		// Answers may go elsewhere: to a link-local address of ours on another link.
		left := c.toDestination(&onlink.ExplainedFrame{Source: e.Source, Destination: e.Destination.WithZone("")})
		if len(left) > 0 || c.to.Port() != explainEmptyPort && taken != (e.Socket != "") {
			bad("taken: %v, %v", taken, err)
		}
	case e.Frame == nil, e.Waits && e.First == nil:
		if len(c.sent) != 0 {
			bad("something was sent")
		}
	case e.First != nil:
		if len(c.sent) != 1 {
			bad("not one frame, but %d", len(c.sent))
			return
		}
		if what := unlikeQuestion(e.First, c.sent[0]); what != "" {
			bad("%s", what)
		}
		c.host.Sleep(time.Millisecond)
		if rest := c.toDestination(e.Frame); len(rest) > 0 { // it was answered
			f := *e.Frame
			f.LinkDst = c.linkAddr(e)
			if what := unlikePackets(&f, rest); what != "" {
				bad("after the answer: %s", what)
			}
		}
	default:
		if what := unlikePackets(e.Frame, c.sent); what != "" {
			bad("%s", what)
		}
		if c.network == "udp" && e.Frame.Destination.IsMulticast() {
			c.host.Sleep(time.Millisecond)
			if c.to.Port() == explainUDPPort && (c.heard > 0) != (e.Socket != "") {
				bad("a copy heard: %v", c.heard > 0)
			}
		}
	}
}

// anycast reports whether a is an anycast address of the host.
func (x *explained) anycast(a netip.Addr) bool {
	for _, i := range x.host.Snapshot().Interfaces {
		for _, o := range i.Addresses {
			if o.Prefix.Addr() == a && o.Anycast {
				return true
			}
		}
	}
	return false
}

// note counts what a case is one of.
func (c *explainCase) note(e *onlink.Explanation, met map[string]int) {
	for _, s := range e.Steps {
		met[fmt.Sprintf("%d: %s", s.Number, strings.SplitN(s.Rule, ":", 2)[0])]++
		for _, o := range s.Candidates {
			if !o.Chosen && s.Number == 7 {
				met["loses: "+o.Rule]++
			}
		}
		if s.Number == 9 {
			for _, n := range s.Notes {
				if strings.HasPrefix(n, "MTU") {
					met["MTU"+n[strings.Index(n, ","):][len(", the size of the largest packet: 1500 octets"):]]++
				}
			}
		}
	}
	if e.Err != nil {
		met[e.Error]++
	}
	for name, is := range map[string]bool{"local": e.Local, "a socket": e.Socket != "", "a question": e.First != nil, "queued": e.Waits && e.First == nil,
		"fragments": e.Frame != nil && e.Frame.Fragments > 1, "late": e.Late, "in a VRF": e.Interface == "eth3" && e.Frame != nil, "waiting": e.Waiting(), "sent": e.Frame != nil && !e.Waits && e.Err == nil,
		"IPv4": e.Destination.Is4(), "IPv6": e.Destination.Is6(), "tcp": c.network == "tcp"} {
		if is {
			met[name]++
		}
	}
}

// explainedWanted must come up.
var explainedWanted = []string{"local", "a socket", "a question", "queued", "fragments", "late", "waiting", "sent", "IPv4", "IPv6", "tcp", "in a VRF",
	"network is unreachable", "permission denied", "invalid argument", "no route to host", "network is down", "cannot assign requested address",
	"address family not supported by protocol",
	"4: rule 1", "4: rule 2", "4: rule 3", "4: rule 5.5", "4: rule 6", "4: rule 7", "4: rule 8", "4: the route to the destination names it",
	"4: better ones are still being verified",
	"7: a router has sent us there, by a redirect", "7: a rule ends the search", "7: it leaves by the interface that has the source",
	"7: its router answers, and others do not, or are not known to", "7: its router says that it is to be preferred",
	"7: link-local destinations are on-link", "7: no router answers, so each is tried in turn", "7: several routes share the flows, and this flow falls to it",
	"7: the routers are as good as each other, and share the destinations", "7: groups and broadcast addresses are on-link",
	"loses: it ends the search in its table", "loses: the flow's hash gives it to another",
	"8: it is being asked for already; the packet waits for the answer", "8: the neighbor cache has it", "8: the neighbor cache does not have it",
	"8: the neighbor cache has it, though not confirmed lately", "8: it was asked a moment ago, in vain; for now packets to it fail at once",
	"8: it is made of the group's address", "8: it means all stations on the link",
	"MTU, the route's.", "MTU, what a router of the link advertises (RFC 4861, 6.3.4).",
	"MTU, what a router on the way told of, by ICMP (RFC 8201; RFC 1191)."}

// unlikeQuestion says in what a frame is not the solicitation f; "" if it is.
func unlikeQuestion(f *onlink.ExplainedFrame, s sentFrame) string {
	b := s.frame
	if what := unlikeEthernet(f, s); what != "" {
		return what
	}
	b = b[wire.EthernetLen:]
	if f.Type == wire.EtherTypeARP {
		m, err := wire.ParseARP(b)
		if err != nil || m.Op != wire.ARPRequest || m.SenderMAC != f.LinkSrc || m.SenderIP.Netip() != f.Source || m.TargetIP.Netip() != f.Target {
			return fmt.Sprintf("ARP %+v, %v", m, err)
		}
		return ""
	}
	h, err := wire.CheckIPv6(b)
	if err != nil || h.Src().Netip() != f.Source || h.Dst().Netip() != f.Destination || h.HopLimit() != f.HopLimit || h.NextHeader() != f.Protocol ||
		h.FlowLabel() != f.FlowLabel || h.TrafficClass() != f.TrafficClass {
		return fmt.Sprintf("IPv6 header, %v", err)
	}
	m, err := wire.ParseNeighborSolicitation(h.Payload())
	if err != nil || m.Target.Netip() != f.Target || m.SourceLink != f.LinkSrc {
		return fmt.Sprintf("Neighbor Solicitation %+v, %v", m, err)
	}
	return ""
}

func unlikeEthernet(f *onlink.ExplainedFrame, s sentFrame) string {
	h, err := wire.CheckEthernet(s.frame)
	if err != nil || s.on != f.Interface || h.Dst() != f.LinkDst || h.Src() != f.LinkSrc || h.EtherType() != f.Type {
		return fmt.Sprintf("on %s, Ethernet %v to %v, type %#x, %v", s.on, h.Src(), h.Dst(), h.EtherType(), err)
	}
	return ""
}

// linkAddr returns the link-layer address of the next hop, now that it is known.
func (c *explainCase) linkAddr(e *onlink.Explanation) (mac wire.MAC) {
	for _, n := range c.host.Neighbors() {
		if n.Interface == e.Interface && n.Addr == e.NextHop.WithZone("") {
			mac = n.LinkAddr
		}
	}
	return mac
}

// toDestination returns the frames that were sent from f's source to its destination.
func (c *explainCase) toDestination(f *onlink.ExplainedFrame) (all []sentFrame) {
	for _, s := range c.sent {
		b := s.frame[wire.EthernetLen:]
		if h, err := wire.CheckIPv4(b); err == nil && h.Src().Netip() == f.Source && h.Dst().Netip() == f.Destination {
			all = append(all, s)
		} else if h, err := wire.CheckIPv6(b); err == nil && h.Src().Netip() == f.Source && h.Dst().Netip() == f.Destination && h.NextHeader() != wire.ProtoICMPv6 {
			all = append(all, s)
		}
	}
	return all
}

// unlikePackets says in what frames are not the packet f, whole or in fragments; "" if they are.
func unlikePackets(f *onlink.ExplainedFrame, sent []sentFrame) string {
	if len(sent) != f.Fragments {
		return fmt.Sprintf("not %d frames, but %d", f.Fragments, len(sent))
	}
	return unlikePacket(f, sent[0])
}

// unlikePacket says in what a frame is not the packet f, or its first fragment; "" if it is.
func unlikePacket(f *onlink.ExplainedFrame, s sentFrame) string {
	if what := unlikeEthernet(f, s); what != "" {
		return what
	}
	b := s.frame[wire.EthernetLen:]
	var data []byte
	if f.Type == wire.EtherTypeIPv4 {
		h, err := wire.CheckIPv4(b)
		if err != nil || h.Src().Netip() != f.Source || h.Dst().Netip() != f.Destination || h.TTL() != f.HopLimit || h.Protocol() != f.Protocol ||
			h.TrafficClass() != f.TrafficClass || h.DontFragment() != f.DontFragment || h.MoreFragments() != (f.Fragments > 1) {
			return fmt.Sprintf("IPv4 header, %v", err)
		}
		data = h.Payload()
	} else {
		h, err := wire.CheckIPv6(b)
		if err != nil || h.Src().Netip() != f.Source || h.Dst().Netip() != f.Destination || h.HopLimit() != f.HopLimit ||
			h.TrafficClass() != f.TrafficClass || h.FlowLabel() != f.FlowLabel {
			return fmt.Sprintf("IPv6 header, label %#x, %v", h.FlowLabel(), err)
		}
		next := h.NextHeader()
		if data = h.Payload(); f.Fragments > 1 {
			if next != wire.ProtoFragment {
				return "no Fragment header"
			}
			next, data = data[0], data[wire.FragmentLen:]
		}
		if next != f.Protocol {
			return fmt.Sprintf("next header %d", next)
		}
	}
	if src, dst := uint16(data[0])<<8|uint16(data[1]), uint16(data[2])<<8|uint16(data[3]); src != f.SourcePort || dst != f.DestinationPort {
		return fmt.Sprintf("ports %d and %d", src, dst)
	}
	if f.Protocol == wire.ProtoTCP {
		h, err := wire.CheckTCP(data)
		var o wire.TCPOptions
		if err != nil || wire.ParseTCPOptions(h.Options(), &o) != nil || h.Flags()&(wire.SYN|wire.ACK) != wire.SYN || int(o.MSS) != f.MSS {
			return fmt.Sprintf("TCP %v, MSS %d, %v", h.Flags(), o.MSS, err)
		}
	}
	return ""
}
