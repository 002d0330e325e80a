package tcpsock

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// The addresses of the tests: ours, and those of two peers.
var (
	us4, us6    = wire.Addr4(192, 0, 2, 1), wire.Addr{Hi: 0x20010db8 << 32, Lo: 1}
	peer4, far4 = wire.Addr4(192, 0, 2, 2), wire.Addr4(192, 0, 2, 3)
	peer6       = wire.Addr{Hi: us6.Hi, Lo: 2}
)

// rig is TCP on a host in virtual time, whose peers are the test: it sends segments, and sees those that come.
type rig struct {
	testing.TB
	sim    *clock.Sim
	tcp    *Layer
	shards []*shard.Shard
	ip     *ip.Layer
	wire   *mem.Port
	got    []wire.TCPHeader // segments that came, without options
	// options are those of the last segment that came.
	options wire.TCPOptions
	data    string       // its payload
	raw     func([]byte) // is shown the packets that come; nil: nobody
	crowded uint16       // connections that crowd has made
}

func newRig(t testing.TB, shards int) *rig {
	t.Helper()
	r := &rig{TB: t, sim: clock.NewSim(1)}
	t.Cleanup(r.sim.Stop)
	rt := r.sim.Runtime(1)
	r.ip = ip.New(ip.Config{Runtime: rt})
	for i := range shards {
		r.shards = append(r.shards, shard.New(rt, i, r.ip.Transmitter(i)))
	}
	r.ip.SetShards(r.shards)
	r.tcp = New(rt, r.ip, shards, Settings{}, nil)
	// A link without link-layer addresses: there are no neighbors to be found.
	a, b := mem.Pair(mem.Config{Runtime: rt, Medium: link.IP})
	r.wire = b
	if err := b.Attach(r); err != nil {
		t.Fatal(err)
	}
	i, err := r.ip.AddInterface("tun0", a, netif.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{"192.0.2.1/24", "2001:db8::1/64"} {
		if err := r.ip.AddAddress(i.Index, netip.MustParsePrefix(addr), netif.AddressOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// Deliver implements link.Receiver: it notes the segments.
func (r *rig) Deliver(_ int, b *packet.Batch) {
	for p := b.Pop(); p != nil; p = b.Pop() {
		if r.raw != nil {
			r.raw(p.Bytes())
		}
		var segment []byte
		if v4, err := wire.CheckIPv4(p.Bytes()); err == nil && v4.Protocol() == wire.ProtoTCP {
			segment = v4.Payload()
		} else if v6, err := wire.CheckIPv6(p.Bytes()); err == nil && v6.NextHeader() == wire.ProtoTCP {
			segment = v6.Payload()
		}
		if segment != nil {
			h, err := wire.CheckTCP(segment)
			if err != nil {
				r.Error(err)
			}
			if err := wire.ParseTCPOptions(h.Options(), &r.options); err != nil {
				r.Error(err)
			}
			r.data = string(h.Payload())
			r.got = append(r.got, wire.TCPHeader{SrcPort: h.SrcPort(), DstPort: h.DstPort(), Seq: h.Seq(), Ack: h.Ack(), Flags: h.Flags()})
		}
		p.Free()
	}
}

func (r *rig) Ready(int)         {}
func (r *rig) Changed(link.Info) {}

// send sends a segment from a peer.
func (r *rig) send(src wire.Addr, h wire.TCPHeader) {
	r.sendData(src, h, "")
}

// sendData sends a segment with data from a peer.
func (r *rig) sendData(src wire.Addr, h wire.TCPHeader, data string) {
	h.Window = 65535
	n, at, dst := h.Len(), wire.IPv4MinLen, us4
	if !src.Is4() {
		at, dst = wire.IPv6Len, us6
	}
	p := packet.New(at + n + len(data))
	copy(p.Bytes()[at+n:], data)
	if src.Is4() {
		ip4 := wire.IPv4Header{TotalLen: p.Len(), TTL: 64, Protocol: wire.ProtoTCP, Src: src, Dst: dst}
		ip4.Put(p.Bytes())
	} else {
		ip6 := wire.IPv6Header{PayloadLen: p.Len() - at, HopLimit: 64, NextHeader: wire.ProtoTCP, Src: src, Dst: dst}
		ip6.Put(p.Bytes())
	}
	h.Put(p.Bytes()[at:])
	wire.FinishChecksum(p.Bytes()[at:], 16, wire.ProtoTCP, src, dst)
	r.put(p)
}

// put has a packet come.
func (r *rig) put(p *packet.Buffer) {
	var b packet.Batch
	b.Push(p)
	r.wire.Send(0, &b)
	r.pass(0)
}

// pass lets time pass.
func (r *rig) pass(d time.Duration) { r.sim.Run(r.sim.Now().Add(d)) }

// syn opens a connection from a peer as far as our SYN,ACK, which it returns.
func (r *rig) syn(src wire.Addr, from, to uint16) wire.TCPHeader {
	r.Helper()
	r.got = nil
	r.send(src, wire.TCPHeader{SrcPort: from, DstPort: to, Seq: 1000, Flags: wire.SYN})
	if len(r.got) == 0 {
		return wire.TCPHeader{}
	}
	return r.got[0]
}

// ack completes the handshake that answer belongs to.
func (r *rig) ack(src wire.Addr, answer wire.TCPHeader) {
	r.send(src, wire.TCPHeader{SrcPort: answer.DstPort, DstPort: answer.SrcPort, Seq: 1001, Ack: answer.Seq + 1, Flags: wire.ACK})
}

// listen listens on a port of all addresses.
func (r *rig) listen(port uint16, backlog int) *Listener {
	r.Helper()
	l, err := r.tcp.Listen(ListenConfig{Bound: flow.Bound{Local: flow.Endpoint{Port: port}}, Backlog: backlog})
	if err != nil {
		r.Fatal(err)
	}
	return l
}

// want checks how many connections l has in their handshake and in its queue.
func (r *rig) want(what string, l *Listener, embryos, queued int) {
	r.Helper()
	if l.embryos != embryos || len(l.queue) != queued {
		r.Errorf("%s: %d in their handshake, %d to be accepted, want %d and %d", what, l.embryos, len(l.queue), embryos, queued)
	}
}

// conns returns how many connections there are.
func (r *rig) conns() (n int) {
	for i := range r.tcp.tables {
		n += len(places[*Conn](&r.tcp.tables[i].demux))
	}
	return n
}

// places returns all of a kind that are in d.
func places[T shard.Timed](d *demux) (all []T) {
	for _, s := range [][]*place{d.now.places, d.old.places} {
		for _, p := range s {
			if p == nil {
				continue
			}
			if o, ok := p.node.Owner.(T); ok {
				all = append(all, o)
			}
		}
	}
	return all
}

// accept accepts a connection that is there; nil if there is none.
func (r *rig) accept(l *Listener) (c *Conn, err error) {
	l.SetDeadline(r.sim.Now())
	if len(l.queue) > 0 {
		l.SetDeadline(clock.Never)
	}
	r.sim.Start("accept", func() { c, err = l.Accept() })
	r.pass(0)
	return c, err
}

// done is a context that is.
func done() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
