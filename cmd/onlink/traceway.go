package main

import (
	"encoding/binary"
	"net"
	"net/netip"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/wire"
)

// The ways to probe.

// leastProbe returns how many octets a probe has behind the internet header at least.
func leastProbe(c *tracerouteCmd) int {
	if c.TCP {
		return tcpProbeLen
	}
	return wire.UDPLen + 2 // as long as the headers of UDP and ICMP are the number of the probe
}

func (t *tracer) port(usual int) uint16 {
	if t.cmd.Port >= 0 {
		return uint16(t.cmd.Port)
	}
	return uint16(usual)
}

// udpWay probes with UDP: a number in the payload, which the checksum differs by.
type udpWay struct {
	*onlink.UDPConn
	t       *tracer
	local   uint16
	port    uint16
	payload []byte
}

func newUDPWay(t *tracer, network string) (way, error) {
	pc, err := t.stack.ListenPacket(t.ctx, network, net.JoinHostPort(t.src.String(), "0"))
	if err != nil {
		return nil, err
	}
	c := pc.(*onlink.UDPConn)
	w := &udpWay{c, t, c.LocalAddr().(*net.UDPAddr).AddrPort().Port(), t.port(33434), make([]byte, t.size-wire.UDPLen)}
	for i := range w.payload {
		w.payload[i] = byte('@' + i%32)
	}
	return w, t.set(c)
}

// to returns the port that probe n goes to.
func (w *udpWay) to(n int) uint16 {
	if w.t.cmd.Paris {
		return w.port
	}
	return w.port + uint16(n)
}

func (w *udpWay) send(n int, m *onlink.ControlMessage) error {
	binary.BigEndian.PutUint16(w.payload, uint16(n))
	_, err := w.WriteMsg(w.payload, m, netip.AddrPortFrom(w.t.dst, w.to(n)))
	return err
}

func (w *udpWay) receive(b []byte) (int, bool, error) {
	n, from, err := w.ReadMsg(b, nil)
	if err != nil || from.Addr().WithZone("") != w.t.dst.WithZone("") {
		return 0, false, err
	}
	if !w.t.cmd.Paris {
		return int(from.Port() - w.port), true, nil
	}
	// Who answers need not repeat what we sent: if not, it was the first that is under way.
	if from.Port() == w.port && n == len(w.payload) {
		return int(binary.BigEndian.Uint16(b)), true, nil
	}
	return w.t.oldest(), from.Port() == w.port, nil
}

func (w *udpWay) quoted(q []byte) (int, bool) {
	if len(q) < wire.UDPLen || binary.BigEndian.Uint16(q) != w.local || int(binary.BigEndian.Uint16(q[4:])) != w.t.size {
		return 0, false
	}
	port := binary.BigEndian.Uint16(q[2:])
	if !w.t.cmd.Paris {
		return int(port - w.port), true
	}
	if port != w.port {
		return 0, false
	}
	if len(q) >= wire.UDPLen+2 {
		return int(binary.BigEndian.Uint16(q[wire.UDPLen:])), true
	}
	// RFC 792: "Internet Header + 64 bits of Original Data Datagram" is all that must be there.
	return w.byChecksum(binary.BigEndian.Uint16(q[6:]))
}

// byChecksum returns the probe with the given checksum.
func (w *udpWay) byChecksum(sum uint16) (int, bool) {
	b := make([]byte, w.t.size)
	binary.BigEndian.PutUint16(b, w.local)
	binary.BigEndian.PutUint16(b[2:], w.port)
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
	copy(b[wire.UDPLen:], w.payload)
	for n := range w.t.probes {
		b[6], b[7] = 0, 0
		binary.BigEndian.PutUint16(b[wire.UDPLen:], uint16(n))
		wire.FinishChecksum(b, 6, wire.ProtoUDP, wire.AddrFrom(w.t.src.WithZone("")), wire.AddrFrom(w.t.dst.WithZone("")))
		if is := binary.BigEndian.Uint16(b[6:]); is == sum || is == 0 && sum == 0xffff {
			return n, true
		}
	}
	return 0, false
}

// oldest returns the first probe that is under way; -1: none is.
func (t *tracer) oldest() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.probes {
		if p := &t.probes[i]; p.sent != 0 && !p.done {
			return i
		}
	}
	return -1
}

// icmpWay probes with echo requests.
type icmpWay struct {
	*onlink.PingConn
	t       *tracer
	first   uint16 // sequence number
	message []byte
}

func newICMPWay(t *tracer, network string) (way, error) {
	c, err := t.stack.ListenPing(network, t.src.String())
	if err != nil {
		return nil, err
	}
	w := &icmpWay{c, t, t.port(1), make([]byte, t.size)}
	w.message[0] = wire.ICMPv6EchoRequest
	if t.dst.Is4() {
		w.message[0] = wire.ICMPv4EchoRequest
	}
	return w, t.set(c)
}

func (w *icmpWay) send(n int, m *onlink.ControlMessage) error {
	seq := w.first + uint16(n)
	binary.BigEndian.PutUint16(w.message[6:], seq)
	if w.t.cmd.Paris {
		binary.BigEndian.PutUint16(w.message[wire.ICMPLen:], ^seq) // the sum of both is the same for all
	}
	_, err := w.WriteMsg(w.message, m, w.t.dst)
	return err
}

func (w *icmpWay) receive(b []byte) (int, bool, error) {
	n, from, err := w.ReadMsg(b, nil)
	if err != nil || n < wire.ICMPLen || from.WithZone("") != w.t.dst.WithZone("") {
		return 0, false, err
	}
	return int(wire.ICMP(b).Seq() - w.first), true, nil
}

func (w *icmpWay) quoted(q []byte) (int, bool) {
	if len(q) < wire.ICMPLen || q[0] != w.message[0] || wire.ICMP(q).ID() != w.ID() {
		return 0, false
	}
	return int(wire.ICMP(q).Seq() - w.first), true
}

// tcpWay probes with SYNs made here: what answers them, the host's own TCP ends with a RST, since it knows of no connection.
type tcpWay struct {
	*onlink.IPConn
	t     *tracer
	local uint16
	port  uint16
	first uint32 // sequence number
}

// tcpProbeLen is the length of a SYN with the options that hosts send: MSS, SACK permitted, timestamps and window scale.
const tcpProbeLen = 40

func newTCPWay(t *tracer, network string) (way, error) {
	pc, err := t.stack.ListenPacket(t.ctx, network, t.src.String())
	if err != nil {
		return nil, err
	}
	var random [6]byte
	t.stack.Runtime().Entropy(random[:])
	c := pc.(*onlink.IPConn)
	// RFC 6335, 6: the dynamic ports are those from 49152 on.
	return &tcpWay{c, t, 49152 | binary.BigEndian.Uint16(random[:]), t.port(80), binary.BigEndian.Uint32(random[2:])}, t.set(c)
}

// from returns the port that probe n comes from.
func (w *tcpWay) from(n int) uint16 {
	if w.t.cmd.Paris {
		return w.local
	}
	return 49152 | (w.local + uint16(n))
}

func (w *tcpWay) send(n int, m *onlink.ControlMessage) error {
	b := make([]byte, w.t.size)
	binary.BigEndian.PutUint16(b, w.from(n))
	binary.BigEndian.PutUint16(b[2:], w.port)
	binary.BigEndian.PutUint32(b[4:], w.first+uint32(n))
	b[12], b[13] = tcpProbeLen/4<<4, 0x02 // SYN
	binary.BigEndian.PutUint16(b[14:], 5840)
	copy(b[20:], []byte{2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 2})
	src, dst := wire.AddrFrom(w.t.src.WithZone("")), wire.AddrFrom(w.t.dst.WithZone(""))
	wire.FinishChecksum(b, 16, wire.ProtoTCP, src, dst)
	_, err := w.WriteMsg(b, m, w.t.dst)
	return err
}

func (w *tcpWay) receive(b []byte) (int, bool, error) {
	n, from, err := w.ReadMsg(b, nil)
	if err != nil || from.WithZone("") != w.t.dst.WithZone("") {
		return 0, false, err
	}
	b = b[:n]
	if from.Is4() && len(b) > 0 {
		b = b[min(len(b), int(b[0]&0xf)*4):]
	}
	const syn, rst, ack = 0x02, 0x04, 0x10
	if len(b) < 20 || binary.BigEndian.Uint16(b) != w.port || b[13]&ack == 0 || b[13]&(syn|rst) == 0 {
		return 0, false, nil
	}
	// RFC 9293, 3.10.7: what answers a SYN acknowledges it.
	at := int(binary.BigEndian.Uint32(b[8:]) - 1 - w.first)
	return at, at >= 0 && at < len(w.t.probes) && binary.BigEndian.Uint16(b[2:]) == w.from(at), nil
}

func (w *tcpWay) quoted(q []byte) (int, bool) {
	if len(q) < 8 || binary.BigEndian.Uint16(q[2:]) != w.port {
		return 0, false
	}
	n := binary.BigEndian.Uint32(q[4:]) - w.first
	return int(n), n < uint32(len(w.t.probes)) && binary.BigEndian.Uint16(q) == w.from(int(n))
}
