package onlink_test

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/wire"
)

func listenUDP(t testing.TB, s *onlink.Stack, network, address string) *onlink.UDPConn {
	t.Helper()
	c, err := s.ListenPacket(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(5 * time.Second))
	return c.(*onlink.UDPConn)
}

// What is said of a datagram that is written is what is read of it at the other end (RFC 3542, 6).
func TestControlMessage(t *testing.T) {
	a, b := newPair(t, nil)
	second := netip.MustParseAddr("2001:db8::3")
	if err := a.Interfaces()[1].AddAddress(netip.PrefixFrom(second, 64)); err != nil {
		t.Fatal(err)
	}
	if err := a.Interfaces()[1].WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, in := listenUDP(t, a, "udp", ":0"), listenUDP(t, b, "udp", ":7000")
	buf := make([]byte, 3)
	for _, c := range []struct {
		to   string
		sent onlink.ControlMessage
		want onlink.ControlMessage
	}{
		{server4, onlink.ControlMessage{HopLimit: 9, TrafficClass: 0x48, Interface: 2},
			onlink.ControlMessage{Src: clientAddrs[0].Addr(), HopLimit: 9, TrafficClass: 0x48}},
		{server6, onlink.ControlMessage{Src: second, HopLimit: 8, TrafficClass: 0xb8, FlowLabel: 0xabcde},
			onlink.ControlMessage{Src: second, HopLimit: 8, TrafficClass: 0xb8, FlowLabel: 0xabcde}},
		{server4, onlink.ControlMessage{}, onlink.ControlMessage{Src: clientAddrs[0].Addr(), HopLimit: 64}},
	} {
		to := netip.MustParseAddr(c.to)
		if _, err := out.WriteMsg([]byte("hello"), &c.sent, netip.AddrPortFrom(to, 7000)); err != nil {
			t.Fatal(err)
		}
		var got onlink.ControlMessage
		n, from, err := in.ReadMsg(buf, &got)
		c.want.Dst, c.want.Interface, c.want.Len = to, 2, 5
		if now := b.Runtime().Now(); got.Arrived <= 0 || got.Arrived > now {
			t.Errorf("it arrived at %v, and now is %v", got.Arrived, now)
		}
		c.want.Arrived = got.Arrived
		if err != nil || n != 3 || from.Addr() != c.want.Src || got != c.want {
			t.Errorf("%d octets from %v, %v: %+v, want %+v", n, from, err, got, c.want)
		}
	}
	for _, c := range []struct {
		name string
		m    onlink.ControlMessage
		want error
	}{
		{"a source of somebody else", onlink.ControlMessage{Src: netip.MustParseAddr("2001:db8::9")}, syscall.EADDRNOTAVAIL},
		{"a label of 21 bits", onlink.ControlMessage{FlowLabel: 1 << 20}, syscall.EINVAL},
		{"no such interface", onlink.ControlMessage{Interface: 99}, syscall.ENODEV},
	} {
		if _, err := out.WriteMsg(nil, &c.m, netip.AddrPortFrom(netip.MustParseAddr(server6), 7000)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// The octets of control messages are Linux's: golang.org/x/net reads and writes them.
func TestControlOctets(t *testing.T) {
	a, b := newPair(t, nil)
	out, in := listenUDP(t, a, "udp", ":0"), listenUDP(t, b, "udp", ":7000")
	buf, oob := make([]byte, 100), make([]byte, 200)
	cm4 := ipv4.ControlMessage{Src: clientAddrs[0].Addr().AsSlice(), IfIndex: 2}
	if _, n, err := out.WriteMsgUDPAddrPort([]byte("hello"), cm4.Marshal(), netip.MustParseAddrPort(server4+":7000")); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	n, oobn, flags, from, err := in.ReadMsgUDPAddrPort(buf, oob)
	var got4 ipv4.ControlMessage
	if err == nil {
		err = got4.Parse(oob[:oobn])
	}
	if err != nil || string(buf[:n]) != "hello" || flags != 0 || got4.TTL != 64 || got4.IfIndex != 2 || got4.Dst.String() != server4 ||
		from.Addr() != clientAddrs[0].Addr() {
		t.Errorf("%q from %v, flags %#x, %+v: %v", buf[:n], from, flags, got4, err)
	}
	cm6 := ipv6.ControlMessage{HopLimit: 7, TrafficClass: 0x48, Src: clientAddrs[1].Addr().AsSlice(), IfIndex: 2}
	if _, _, err := out.WriteMsgUDPAddrPort([]byte("hello"), cm6.Marshal(), netip.AddrPortFrom(netip.MustParseAddr(server6), 7000)); err != nil {
		t.Fatal(err)
	}
	n, oobn, flags, from, err = in.ReadMsgUDPAddrPort(buf, oob)
	var got6 ipv6.ControlMessage
	if err == nil {
		err = got6.Parse(oob[:oobn])
	}
	if err != nil || n != 5 || flags != 0 || got6.HopLimit != 7 || got6.TrafficClass != 0x48 || got6.IfIndex != 2 || got6.Dst.String() != server6 {
		t.Errorf("from %v, flags %#x, %+v: %v", from, flags, got6, err)
	}
	if _, _, err := out.WriteMsgUDPAddrPort(nil, []byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, from); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a message shorter than its header: %v", err)
	}
}

// RFC 6437, 2: "source nodes SHOULD assign each unrelated transport connection and application data stream to a new flow", and 3: a
// label is to stay the same for all packets of a flow, and labels to be spread uniformly.
func TestFlowLabels(t *testing.T) {
	a, b := newPair(t, nil)
	in := listenUDP(t, b, "udp6", ":7000")
	to := netip.AddrPortFrom(netip.MustParseAddr(server6), 7000)
	buf := make([]byte, 10)
	label := func(c *onlink.UDPConn) uint32 {
		t.Helper()
		var m onlink.ControlMessage
		if _, err := c.WriteToUDPAddrPort(nil, to); err != nil {
			t.Fatal(err)
		}
		if _, _, err := in.ReadMsg(buf, &m); err != nil {
			t.Fatal(err)
		}
		return m.FlowLabel
	}
	seen, ports := map[uint32]bool{}, map[string]bool{}
	high := 0
	const flows = 256
	for range flows {
		c := listenUDP(t, a, "udp6", ":0")
		l := label(c)
		if l == 0 || l != label(c) {
			t.Fatalf("label %x is not that of the flow", l)
		}
		seen[l], ports[c.LocalAddr().String()] = true, true
		high += int(l >> 19)
		c.Close()
	}
	// Of 2**20 labels hardly two are the same, and half of them have the high bit: within five standard deviations, of 8.
	if len(seen) < len(ports)-3 || high < flows/2-40 || high > flows/2+40 {
		t.Errorf("%d labels for %d flows, %d in the upper half", len(seen), len(ports), high)
	}
	c := listenUDP(t, a, "udp6", ":0")
	if err := c.SetFlowLabel(0x12345); err != nil || label(c) != 0x12345 {
		t.Errorf("SetFlowLabel: %v", err)
	}
	if err := c.SetFlowLabel(1 << 20); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a label of 21 bits: %v", err)
	}
	c.SetFlowLabel(0)
	if err := a.SetSysctl("net.ipv6.auto_flowlabels", "0"); err != nil || label(c) != 0 {
		t.Errorf("net.ipv6.auto_flowlabels=0: %v", err)
	}
}

// Raw and ping sockets tell how packets came, and send as they are told.
func TestRawControlMessage(t *testing.T) {
	a, b := newPair(t, nil)
	out, in := listenRaw(t, a, "ip6:89", ""), listenRaw(t, b, "ip6:89", "")
	to := netip.MustParseAddr(server6)
	if _, err := out.WriteMsg([]byte("hello"), &onlink.ControlMessage{HopLimit: 1, TrafficClass: 0xc0, FlowLabel: 5}, to); err != nil {
		t.Fatal(err)
	}
	var m onlink.ControlMessage
	want := onlink.ControlMessage{Src: clientAddrs[1].Addr(), Dst: to, Interface: 2, HopLimit: 1, TrafficClass: 0xc0, FlowLabel: 5, Len: 5}
	n, from, err := in.ReadMsg(make([]byte, 10), &m)
	if want.Arrived = m.Arrived; err != nil || n != 5 || from != want.Src || m != want {
		t.Errorf("%+v, %v", m, err)
	}
	p, err := a.ListenPing("ping6", "")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := p.WriteMsg(echo(wire.ICMPv6EchoRequest, 0, 1, ""), nil, to); err != nil {
		t.Fatal(err)
	}
	if _, from, err := p.ReadMsg(make([]byte, 10), &m); err != nil || from != to || m.HopLimit != 64 || m.Dst != clientAddrs[1].Addr() {
		t.Errorf("%+v, %v", m, err)
	}
}

// A connection's flow label is made for it, or is what its user says (RFC 6437, 2); a label has 20 bits.
func TestConnectionFlowLabel(t *testing.T) {
	a, b := newPair(t, nil)
	frames := listenFrames(t, b, b.Interfaces()[1], onlink.FrameConfig{EtherType: wire.EtherTypeIPv6})
	label := func() uint32 {
		t.Helper()
		buf := make([]byte, 2000)
		for {
			n, info, err := frames.ReadFrame(buf)
			if err != nil {
				t.Fatal(err)
			}
			h, err := wire.CheckIPv6(buf[wire.EthernetLen:n])
			if err == nil && !info.Outgoing && h.NextHeader() == wire.ProtoTCP && len(h.Payload()) > 60 {
				return h.FlowLabel()
			}
		}
	}
	c, s := connect(t, a, b, server6)
	write := func(c *onlink.TCPConn) {
		t.Helper()
		if _, err := c.Write(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
	}
	write(c)
	made := label()
	if write(c); made == 0 || label() != made {
		t.Errorf("label %x is not that of the connection", made)
	}
	if err := c.SetFlowLabel(0x54321); err != nil {
		t.Fatal(err)
	}
	if write(c); label() != 0x54321 {
		t.Error("SetFlowLabel changes nothing")
	}
	c.SetFlowLabel(0)
	if write(c); label() != made {
		t.Error("SetFlowLabel(0) does not bring back what was made")
	}
	if err := c.SetFlowLabel(1 << 20); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a label of 21 bits: %v", err)
	}
	d := onlink.Dialer{Stack: a, TCP: onlink.TCPOptions{FlowLabel: 1 << 20}}
	if _, err := d.DialContext(t.Context(), "tcp", "[2001:db8::2]:1"); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a label of 21 bits: %v", err)
	}
	c.Close()
	s.Close()
}
