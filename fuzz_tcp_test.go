package onlink_test

import (
	"encoding/binary"
	"io"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

// forger makes segments that seem to belong to a connection, from what it sees of it on the wire.
type forger struct {
	four         bool
	eth          [wire.EthernetLen]byte // of a frame to the target
	src, dst     wire.Addr
	sport, dport uint16
	seq, ack     uint32 // what the peer would send next
	ts           wire.TCPOptions
}

// see takes note of a frame; to says whether it goes to the target.
func (f *forger) see(frame []byte, to bool) {
	b := frame[wire.EthernetLen:]
	var body []byte
	var src, dst wire.Addr
	if v4, err := wire.CheckIPv4(b); err == nil && v4.Protocol() == wire.ProtoTCP {
		body, src, dst = v4.Payload(), v4.Src(), v4.Dst()
	} else if v6, err := wire.CheckIPv6(b); err == nil && v6.NextHeader() == wire.ProtoTCP {
		body, src, dst = v6.Payload(), v6.Src(), v6.Dst()
	}
	h, err := wire.CheckTCP(body)
	if err != nil {
		return
	}
	if to {
		copy(f.eth[:], frame)
		f.four, f.src, f.dst, f.sport, f.dport = src.Is4(), src, dst, h.SrcPort(), h.DstPort()
		f.seq = h.Seq() + uint32(len(h.Payload()))
		if h.Flags()&wire.SYN != 0 {
			f.seq++
		}
		wire.ParseTCPOptions(h.Options(), &f.ts)
		return
	}
	f.ack = h.Seq() + uint32(len(h.Payload()))
	if h.Flags()&(wire.SYN|wire.FIN) != 0 {
		f.ack++
	}
}

// segmentLen is how many octets of input make a segment.
const segmentLen = 11

// segment makes a frame with a segment of in: what it says lies near to what the connection expects.
func (f *forger) segment(in []byte) []byte {
	near := func(b []byte, shift int) uint32 { return uint32(int32(int16(binary.BigEndian.Uint16(b))) << shift) }
	h := wire.TCPHeader{SrcPort: f.sport, DstPort: f.dport, Flags: wire.TCPFlags(in[0]),
		Seq: f.seq + near(in[1:], int(in[9]&7)), Ack: f.ack + near(in[3:], int(in[9]>>3&7)),
		Window: binary.BigEndian.Uint16(in[5:]), Urgent: uint16(in[7])}
	if in[9]&0x40 == 0 {
		h.Options.HasTimestamps, h.Options.TSVal, h.Options.TSEcr = true, f.ts.TSVal+near(in[7:], 0), f.ts.TSEcr
	}
	if in[9]&0x80 != 0 && h.Flags&wire.SYN == 0 {
		for i := range int(in[8] % 4) {
			from := h.Ack + uint32(in[8])<<4*uint32(i+1)
			h.Options.SACK[i] = wire.SACKBlock{Left: from, Right: from + uint32(in[7])<<4}
			h.Options.SACKCount++
		}
	}
	if h.Flags&wire.SYN != 0 {
		h.Options.MSS, h.Options.HasWindowScale, h.Options.WindowScale = uint16(in[7])<<3, in[8]&1 != 0, in[8]
	}
	payload := int(in[8]) * 5
	n := h.Len() + payload
	head := wire.IPv6Len
	if f.four {
		head = wire.IPv4MinLen
	}
	frame := make([]byte, wire.EthernetLen+head+n)
	copy(frame, f.eth[:])
	b := frame[wire.EthernetLen:]
	if f.four {
		ip := wire.IPv4Header{TotalLen: len(b), TTL: 64, Protocol: wire.ProtoTCP, Src: f.src, Dst: f.dst}
		ip.Put(b)
	} else {
		ip := wire.IPv6Header{PayloadLen: n, NextHeader: wire.ProtoTCP, HopLimit: 64, Src: f.src, Dst: f.dst}
		ip.Put(b)
	}
	h.Put(b[head:])
	wire.FinishChecksum(b[head:], 16, wire.ProtoTCP, f.src, f.dst)
	return frame
}

// FuzzStackTCP sends forged segments, with right addresses, ports and checksums, into a connection that both ends use:
// nothing panics or goes on for ever, and both ends learn of the end.
func FuzzStackTCP(f *testing.F) {
	for _, flags := range []wire.TCPFlags{0, wire.ACK, wire.SYN, wire.SYN | wire.ACK, wire.RST, wire.RST | wire.ACK, wire.FIN | wire.ACK,
		wire.PSH | wire.ACK | wire.URG} {
		exact := []byte{byte(flags), 0, 0, 0, 0, 255, 255, 0, 0, 0, 0}
		data := []byte{byte(flags), 0, 0, 0, 0, 255, 255, 9, 100, 0x80, 50}
		off := []byte{byte(flags), 0, 200, 255, 0, 0, 0, 1, 7, 0x8b, 200}
		for _, six := range []bool{false, true} {
			f.Add(exact, six)
			f.Add(append(append(exact, data...), off...), six)
		}
	}
	f.Fuzz(func(t *testing.T, input []byte, six bool) {
		n := sim.New(1)
		defer n.Stop()
		a, b := n.Host("a"), n.Host("b")
		quick := func(p sim.Port) sim.Port {
			p.Config.DisableDAD = true
			return p
		}
		cable := n.Wire(quick(a.Port("eth0", "192.0.2.1/24", "2001:db8::1/64")), quick(b.Port("eth0", "192.0.2.2/24", "2001:db8::2/64")),
			sim.Line{Delay: time.Millisecond})
		var forge forger
		cable.Filter(func(from *sim.Node, frame []byte) bool {
			forge.see(frame, from == a)
			return true
		})
		talk := func(node *sim.Node, c *onlink.TCPConn) {
			c.SetKeepAlive(true)
			node.Go("write", func() {
				for range 20 {
					if _, err := c.Write(make([]byte, 3000)); err != nil {
						return
					}
					node.Sleep(100 * time.Millisecond)
				}
				c.CloseWrite()
			})
			node.Go("read", func() {
				io.Copy(io.Discard, c)
				node.Sleep(3 * time.Second)
				c.Close()
			})
		}
		ln, err := b.Listen(t.Context(), "tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		b.Go("server", func() {
			if c, err := ln.Accept(); err == nil {
				talk(b, c.(*onlink.TCPConn))
			}
			ln.Close()
		})
		a.Go("client", func() {
			address := "192.0.2.2:80"
			if six {
				address = "[2001:db8::2]:80"
			}
			if c, err := a.DialContext(t.Context(), "tcp", address); err == nil {
				talk(a, c.(*onlink.TCPConn))
			}
		})
		n.RunFor(50 * time.Millisecond)
		for segments := 0; len(input) >= segmentLen && segments < 200; segments++ {
			cable.Inject(b, forge.segment(input))
			n.RunFor(time.Duration(input[10]) * time.Millisecond)
			input = input[segmentLen:]
		}
		steps := 0
		n.RunUntil(time.Hour, func() bool {
			steps++
			return steps > 50_000
		})
		if steps > 50_000 {
			t.Fatalf("%d steps at %v", steps, n.Now())
		}
		if err := n.Close(time.Second); err != nil {
			t.Errorf("not over after an hour: %v", err)
		}
	})
}
