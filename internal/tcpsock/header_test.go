package tcpsock

import (
	"testing"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// RFC 5082, 3: what comes from farther than the peer can be is dropped: SYNs at a listener, and segments of a connection.
func TestMinHopLimit(t *testing.T) {
	r := newRig(t, 1)
	l := r.listen(80, 5)
	l.SetHeaders(Headers{V4: Header{MinHopLimit: 65}})
	if a := r.syn(peer4, 5000, 80); a.Flags != 0 {
		t.Errorf("a SYN from too far was answered: %+v", a)
	}
	l.SetHeaders(Headers{V4: Header{MinHopLimit: 64}})
	r.ack(peer4, r.syn(peer4, 5000, 80))
	c, err := r.accept(l)
	if err != nil {
		t.Fatal(err)
	}
	c.SetHeader(Header{MinHopLimit: 65})
	r.send(peer4, wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 1001, Flags: wire.RST})
	if c.state() != tcp.Established {
		t.Error("a RST from too far was taken")
	}
	if n := r.shards[0].Counters.Get(mib.TcpExtTCPMinTTLDrop); n != 2 {
		t.Errorf("%d counted", n)
	}
	c.SetHeader(Header{})
	r.send(peer4, wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 1001, Flags: wire.RST})
	if c.state() != tcp.Closed {
		t.Error("a RST was not taken")
	}
}

// RFC 6437, 3: "a flow label … of a flow", the same for all its packets and not easily guessed; of IPv6 only.
func TestFlowLabel(t *testing.T) {
	r := newRig(t, 1)
	label := func(port uint16, h Header) uint32 {
		return r.tcp.params(&flow.Key{Local: us6, Remote: wire.Addr{Hi: us6.Hi, Lo: 2}, Ports: flow.Ports(port, 80)}, &h).FlowLabel
	}
	a, b := label(1, Header{}), label(2, Header{})
	if a == 0 || a>>20 != 0 || a == b || a != label(1, Header{}) {
		t.Errorf("labels %x and %x", a, b)
	}
	if label(1, Header{FlowLabel: ip.NoLabel}) != 0 {
		t.Error("a label that was not wanted")
	}
	if r.tcp.params(&flow.Key{Local: us4, Remote: peer4}, &Header{}).FlowLabel != 0 {
		t.Error("a label with IPv4")
	}
	r.tcp.ip.Configure(func(s *ip.Settings) { s.FlowLabels = ip.LabelsOff })
	if label(1, Header{}) != 0 {
		t.Error("a label though the settings say none")
	}
}

// A path MTU counts unless the user wants the link's.
func TestOwnMTU(t *testing.T) {
	path := &ip.Path{MTU: 1000, If: &netif.Interface{MTU: 1500}}
	for _, c := range []struct {
		h    Header
		want int
	}{{Header{}, 1000}, {Header{OwnMTU: true}, 1500}} {
		if got := c.h.mtu(path); got != c.want {
			t.Errorf("%+v: %d", c.h, got)
		}
	}
}

// tcp_timestamps=2: timestamps without an offset by connection.
func TestTimestampOffset(t *testing.T) {
	r := newRig(t, 1)
	k := &flow.Key{Local: us4, Remote: peer4}
	if _, o := r.tcp.isn(0, k); o == 0 {
		t.Error("no offset")
	}
	r.tcp.Configure(func(s *Settings) { s.TCP.NoTimestampOffset = true })
	if _, o := r.tcp.isn(0, k); o != 0 {
		t.Errorf("an offset of %d", o)
	}
}
