package conform

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/wire"
)

// A burster is a Host that takes many frames at once.
type burster interface {
	Host
	// burst puts frames to port 0, and returns what was sent until the time has passed.
	burst(frames [][]byte, then time.Duration) []Sent
}

func (s *Stack) burst(frames [][]byte, then time.Duration) []Sent {
	for _, f := range frames {
		s.deliver(0, f)
	}
	s.pass(then)
	return s.take()
}

func (k *Kernel) burst(frames [][]byte, then time.Duration) (all []Sent) {
	for _, f := range frames {
		if _, err := k.taps[0].Write(f); err != nil {
			panic(fmt.Sprintf("a TAP takes no frame: %v", err))
		}
	}
	return k.listen(then)
}

// subject is a neighbor that the tester plays by itself, and what is done to the node's entry for it.
type subject struct {
	name  string
	addr  wire.Addr
	a, b  wire.MAC // its link-layer addresses: that of the beginning, and another
	state string
	event func(s *subject) []byte // nil: none
}

// frame returns a frame to the node from the neighbor.
func (s *subject) frame(dst wire.MAC, typ uint16, p []byte) []byte {
	f := make([]byte, wire.EthernetLen+len(p))
	wire.PutEthernet(f, dst, s.a, typ)
	copy(f[wire.EthernetLen:], p)
	return f
}

// echo asks the node for something that it answers.
func (s *subject) echo() []byte {
	if s.addr.Is4() {
		return s.frame(NodeMAC[0], wire.EtherTypeIPv4, IP4(s.addr, Node4[0], 1, Echo4(Data(8))))
	}
	return s.frame(NodeMAC[0], wire.EtherTypeIPv6, IP6(s.addr, Node6[0], icmp, Echo6(s.addr, Node6[0], Data(8))))
}

type ndMessage interface {
	Len() int
	Put([]byte)
}

// nd returns a frame with a Neighbor Discovery message.
func (s *subject) nd(linkDst wire.MAC, src, dst wire.Addr, m ndMessage) []byte {
	b := make([]byte, m.Len())
	m.Put(b)
	wire.FinishICMPv6(b, src, dst)
	return s.frame(linkDst, wire.EtherTypeIPv6, IP6(src, dst, icmp, b, func(h *wire.IPv6Header) { h.HopLimit = 255 }))
}

// advertise is a Neighbor Advertisement of the neighbor, to the node if it is solicited, else to all nodes.
func (s *subject) advertise(solicited, override, router bool, mac wire.MAC) []byte {
	m := &wire.NeighborAdvertisement{Solicited: solicited, Override: override, Router: router, Target: s.addr, TargetLink: mac}
	if !solicited {
		return s.nd(wire.AllNodes6.MulticastMAC(), s.addr, wire.AllNodes6, m)
	}
	return s.nd(NodeMAC[0], s.addr, Node6[0], m)
}

func (s *subject) solicit(mac wire.MAC) []byte {
	dst := Node6[0].SolicitedNode()
	return s.nd(dst.MulticastMAC(), s.addr, dst, &wire.NeighborSolicitation{Target: Node6[0], SourceLink: mac})
}

// arp returns an ARP packet.
func (s *subject) arp(dst wire.MAC, op uint16, mac wire.MAC, sender wire.Addr, targetMAC wire.MAC, target wire.Addr) []byte {
	m := wire.ARP{Op: op, SenderMAC: mac, SenderIP: sender, TargetMAC: targetMAC, TargetIP: target}
	b := make([]byte, wire.ARPLen)
	m.Put(b)
	return s.frame(dst, wire.EtherTypeARP, b)
}

// confirm is the answer to a solicitation.
func (s *subject) confirm() []byte {
	if s.addr.Is4() {
		return s.arp(NodeMAC[0], wire.ARPReply, s.a, s.addr, NodeMAC[0], Node4[0])
	}
	return s.advertise(true, true, false, s.a)
}

// states are where a subject can be, in the order in which they are brought about.
var states = []string{"NONE", "INCOMPLETE", "REACHABLE", "DELAY", "PROBE"}

// saw is what the node sent to the neighbor or asked about it, repetitions and the order left out: timers of many neighbors
// decide about these.
func (s *subject) saw(sent []Sent) string {
	var list []string
	for _, x := range sent {
		if d := s.describe(x.Frame); d != "" && !slices.Contains(list, d) {
			list = append(list, d)
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func (s *subject) describe(f []byte) string {
	to := "to a group"
	switch wire.Ethernet(f).Dst() {
	case s.a:
		to = "to a"
	case s.b:
		to = "to b"
	}
	p := f[wire.EthernetLen:]
	switch wire.Ethernet(f).EtherType() {
	case wire.EtherTypeARP:
		m, err := wire.ParseARP(p)
		switch {
		case err != nil || m.TargetIP != s.addr:
			return ""
		case m.Op == wire.ARPRequest:
			return "asks " + to
		}
		return "answers " + to
	case wire.EtherTypeIPv4:
		if h, err := wire.CheckIPv4(p); err == nil && h.Dst() == s.addr {
			return "packet " + to
		}
	case wire.EtherTypeIPv6:
		h, err := wire.CheckIPv6(p)
		if err != nil {
			return "bad packet"
		}
		if h.NextHeader() == icmp {
			if m, err := wire.ParseNeighborSolicitation(h.Payload()); err == nil {
				if m.Target != s.addr {
					return ""
				}
				return "asks " + to
			}
		}
		if h.Dst() == s.addr {
			if _, err := wire.ParseNeighborAdvertisement(h.Payload()); err == nil {
				return "answers " + to
			}
			return "packet " + to
		}
	}
	return ""
}

// observe brings each subject to its state, has its event happen, and then asks for something. It returns what the node did
// since the event, by name: the way of the answer shows the link-layer address in the cache, and a probe after
// DELAY_FIRST_PROBE_TIME shows that it was STALE or so.
func observe(h burster, subjects []*subject) map[string]string {
	batch := func(only func(s *subject) []byte) (frames [][]byte) {
		for _, s := range subjects {
			if f := only(s); f != nil {
				frames = append(frames, f)
			}
		}
		return frames
	}
	in := func(states string, f func(s *subject) []byte) func(*subject) []byte {
		return func(s *subject) []byte {
			if strings.Contains(states, s.state) {
				return f(s)
			}
			return nil
		}
	}
	const moment = 300 * time.Millisecond
	// PROBE: reachable, then contradicted, then used, and then nothing for DELAY_FIRST_PROBE_TIME and a bit.
	begin := func(states string) {
		h.burst(batch(in(states, (*subject).echo)), moment)
		h.burst(batch(in(states, (*subject).confirm)), moment)
	}
	doubt := func(s *subject) []byte {
		if s.addr.Is4() {
			return s.arp(wire.BroadcastMAC, wire.ARPRequest, s.a, s.addr, wire.MAC{}, Node4[0]) // changes nothing: see below
		}
		return s.advertise(false, false, false, s.b)
	}
	begin("PROBE")
	h.burst(batch(in("PROBE", doubt)), moment)
	h.burst(batch(in("PROBE", (*subject).echo)), 4*time.Second)
	begin("REACHABLE DELAY")
	h.burst(batch(in("DELAY", doubt)), moment)
	h.burst(batch(in("DELAY INCOMPLETE", (*subject).echo)), 1200*time.Millisecond) // Linux takes no other address for a second

	sent := h.burst(batch(func(s *subject) []byte {
		if s.event == nil {
			return nil
		}
		return s.event(s)
	}), moment)
	sent = append(sent, h.burst(batch((*subject).echo), 6500*time.Millisecond)...)
	result := map[string]string{}
	for _, s := range subjects {
		result[s.name] = s.saw(sent)
	}
	return result
}

// stateDifferences are all differences between onlink and Linux 6.18 in what they make of what neighbors say.
var stateDifferences = []difference{
	{"INCOMPLETE: NA with from ::", `RFC 4291, 2.5.2: the unspecified address is for who does "not yet know its own address"; nobody asks a single node from there`},
	{"INCOMPLETE: NA with our link-layer address", credible},
	{"INCOMPLETE: NA with a group's link-layer address", credible},
	{"DELAY: NA S=true O=false R=false address b", `RFC 4861, 7.2.5, I: "the received advertisement should be ignored and MUST NOT update the cache"; Linux takes it for a confirmation`},
	{"DELAY: NA S=true O=false R=true address b", `RFC 4861, 7.2.5, I: "the received advertisement should be ignored and MUST NOT update the cache"; Linux takes it for a confirmation`},
	{"INCOMPLETE: ARP reply to all", "RFC 3927, 2.5: replies may be broadcast; one to our address says that our request arrived"},
	{"REACHABLE: ARP reply to all", "RFC 3927, 2.5: replies may be broadcast; one to our address says that our request arrived"},
	{"INCOMPLETE: ARP reply from a broadcast address", `RFC 1812, 3.3.2: "A router MUST not believe any ARP reply that claims that the Link Layer address of another host or router is a broadcast or multicast address."`},
	{"REACHABLE: ARP reply from a broadcast address", `RFC 1812, 3.3.2: "A router MUST not believe any ARP reply that claims that the Link Layer address of another host or router is a broadcast or multicast address."`},
	{"INCOMPLETE: ARP reply for another target", "only a reply to us says that our request arrived"},
	{"REACHABLE: ARP reply for another target", "only a reply to us says that our request arrived"},
}

func compareStates(t *testing.T, subjects []*subject) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	k, err := NewKernel(HostNode)
	if err != nil {
		t.Skip(err)
	}
	defer k.Close()
	theirs := observe(k, subjects)
	s, err := NewStack(HostNode)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ours := observe(s, subjects)
	var same int
	used := map[string]bool{}
	for _, x := range subjects {
		if ours[x.name] == theirs[x.name] {
			same++
			continue
		}
		i := slices.IndexFunc(stateDifferences, func(d difference) bool { return strings.HasPrefix(x.name, d.prefix) })
		if i < 0 {
			t.Errorf("%s:\nonlink %s\nLinux  %s", x.name, ours[x.name], theirs[x.name])
			continue
		}
		used[stateDifferences[i].prefix] = true
		t.Logf("%s: %s\nonlink %s\nLinux  %s", x.name, stateDifferences[i].why, ours[x.name], theirs[x.name])
	}
	t.Logf("%d of %d the same", same, len(subjects))
	for _, d := range stateDifferences {
		about := slices.ContainsFunc(subjects, func(s *subject) bool { return strings.HasPrefix(s.name, d.prefix) })
		if about && !used[d.prefix] {
			t.Errorf("no difference, though %q: %s", d.prefix, d.why)
		}
	}
}

// Neighbor Advertisements of all flags, with the link-layer address that is known, with another and with none, and Neighbor
// Solicitations, in each state of the entry: RFC 4861, 7.2.3, 7.2.5 and appendix C. What Linux makes of them, onlink does.
func TestNeighborAdvertisementStates(t *testing.T) {
	var all []*subject
	add := func(state, name string, event func(s *subject) []byte) {
		n := len(all)
		all = append(all, &subject{name: state + ": " + name, addr: wire.Addr{Hi: 0x2001_0db8 << 32, Lo: 0xdead_0000 + uint64(n)},
			a: wire.MAC{2, 0xa, 0, 0, byte(n >> 8), byte(n)}, b: wire.MAC{2, 0xb, 0, 0, byte(n >> 8), byte(n)}, state: state, event: event})
	}
	for _, state := range states {
		add(state, "nothing", nil)
		for flags := range 8 {
			for mac := range 3 {
				s, o, r := flags&1 != 0, flags&2 != 0, flags&4 != 0
				add(state, fmt.Sprintf("NA S=%v O=%v R=%v address %s", s, o, r, []string{"none", "a", "b"}[mac]), func(x *subject) []byte {
					return x.advertise(s, o, r, []wire.MAC{{}, x.a, x.b}[mac])
				})
			}
		}
		add(state, "NS from a", func(x *subject) []byte { return x.solicit(x.a) })
		add(state, "NS from b", func(x *subject) []byte { return x.solicit(x.b) })
		add(state, "NS without an address", func(x *subject) []byte { return x.solicit(wire.MAC{}) })
	}
	// RFC 4861, 7.1.2: "A node MUST silently discard any received Neighbor Advertisement messages that do not satisfy all of the
	// following validity checks".
	for name, event := range map[string]func(x *subject) []byte{
		"hop limit 254":         func(x *subject) []byte { return Poke(x.confirm(), 14+7, 254) },
		"checksum":              func(x *subject) []byte { return Poke(x.confirm(), 14+40+2, 0xbe, 0xef) },
		"code 1":                func(x *subject) []byte { return x.changed(1, 1) },
		"a group as target":     func(x *subject) []byte { return x.changed(8, 0xff, 2) },
		"option of length zero": func(x *subject) []byte { return x.changed(25, 0) },
		"option beyond the end": func(x *subject) []byte { return x.changed(25, 2) },
		"solicited, to all nodes": func(x *subject) []byte {
			return x.nd(wire.AllNodes6.MulticastMAC(), x.addr, wire.AllNodes6, &wire.NeighborAdvertisement{Solicited: true, Override: true, Target: x.addr, TargetLink: x.a})
		},
		"reserved bits":     func(x *subject) []byte { return x.changed(5, 0xff, 0xff, 0xff) },
		"an unknown option": func(x *subject) []byte { return x.changed(24, 200) },
		"from another address": func(x *subject) []byte {
			return x.nd(NodeMAC[0], Peer6[0], Node6[0], &wire.NeighborAdvertisement{Solicited: true, Override: true, Target: x.addr, TargetLink: x.a})
		},
		"from a group": func(x *subject) []byte {
			return x.nd(NodeMAC[0], wire.AllNodes6, Node6[0], &wire.NeighborAdvertisement{Solicited: true, Override: true, Target: x.addr, TargetLink: x.a})
		},
		"from ::": func(x *subject) []byte {
			return x.nd(NodeMAC[0], wire.Addr{}, Node6[0], &wire.NeighborAdvertisement{Solicited: true, Override: true, Target: x.addr, TargetLink: x.a})
		},
		"our link-layer address":       func(x *subject) []byte { return x.advertise(true, true, false, NodeMAC[0]) },
		"a group's link-layer address": func(x *subject) []byte { return x.advertise(true, true, false, wire.AllNodes6.MulticastMAC()) },
		"no link-layer address in it":  func(x *subject) []byte { return x.advertise(true, true, false, wire.MAC{}) },
	} {
		add("INCOMPLETE", "NA with "+name, event)
	}
	compareStates(t, all)
}

// changed is a solicited advertisement with the octets v at at of the message, and a checksum that is right.
func (s *subject) changed(at int, v ...byte) []byte {
	f := Poke(s.confirm(), wire.EthernetLen+wire.IPv6Len+at, v...)
	wire.FinishICMPv6(f[wire.EthernetLen+wire.IPv6Len:], s.addr, Node6[0])
	return f
}

// ARP packets of all kinds in each state: RFC 826, "Packet Reception".
func TestARPStates(t *testing.T) {
	var all []*subject
	add := func(state, name string, event func(s *subject) []byte) {
		n := len(all)
		all = append(all, &subject{name: state + ": ARP " + name, addr: wire.Addr4(192, 0, 2, byte(128+n)),
			a: wire.MAC{2, 0xa, 1, 0, 0, byte(n)}, b: wire.MAC{2, 0xb, 1, 0, 0, byte(n)}, state: state, event: event})
	}
	none := wire.MAC{}
	for _, state := range []string{"NONE", "INCOMPLETE", "REACHABLE"} {
		add(state, "nothing", nil)
		for _, m := range []struct {
			name string
			mac  func(x *subject) wire.MAC
		}{{"a", func(x *subject) wire.MAC { return x.a }}, {"b", func(x *subject) wire.MAC { return x.b }}} {
			add(state, "reply to us from "+m.name, func(x *subject) []byte {
				return x.arp(NodeMAC[0], wire.ARPReply, m.mac(x), x.addr, NodeMAC[0], Node4[0])
			})
			add(state, "reply to all from "+m.name, func(x *subject) []byte {
				return x.arp(wire.BroadcastMAC, wire.ARPReply, m.mac(x), x.addr, NodeMAC[0], Node4[0])
			})
			add(state, "gratuitous reply from "+m.name, func(x *subject) []byte {
				return x.arp(wire.BroadcastMAC, wire.ARPReply, m.mac(x), x.addr, wire.BroadcastMAC, x.addr)
			})
			add(state, "gratuitous request from "+m.name, func(x *subject) []byte {
				return x.arp(wire.BroadcastMAC, wire.ARPRequest, m.mac(x), x.addr, none, x.addr)
			})
			add(state, "request for us from "+m.name, func(x *subject) []byte {
				return x.arp(wire.BroadcastMAC, wire.ARPRequest, m.mac(x), x.addr, none, Node4[0])
			})
			add(state, "unicast request for us from "+m.name, func(x *subject) []byte {
				return x.arp(NodeMAC[0], wire.ARPRequest, m.mac(x), x.addr, NodeMAC[0], Node4[0])
			})
			add(state, "request for another from "+m.name, func(x *subject) []byte {
				return x.arp(wire.BroadcastMAC, wire.ARPRequest, m.mac(x), x.addr, none, Addr("192.0.2.99"))
			})
		}
		add(state, "unknown operation", func(x *subject) []byte { return x.arp(NodeMAC[0], 7, x.b, x.addr, NodeMAC[0], Node4[0]) })
		add(state, "reply from a broadcast address", func(x *subject) []byte {
			return x.arp(NodeMAC[0], wire.ARPReply, wire.BroadcastMAC, x.addr, NodeMAC[0], Node4[0])
		})
		add(state, "reply for another target", func(x *subject) []byte {
			return x.arp(NodeMAC[0], wire.ARPReply, x.b, x.addr, NodeMAC[0], Addr("192.0.2.99"))
		})
	}
	compareStates(t, all)
}
