package dhcp4

import (
	"net/netip"

	"golang.org/x/net/bpf"

	"github.com/onlink-go/onlink/wire"
)

// The UDP ports (RFC 2131, 4.1).
const (
	ServerPort = 67
	ClientPort = 68
)

// Before a client has its address, the stack can neither send for it nor hear for it: messages go in frames of the client's
// own making. What follows is just enough of Ethernet, IPv4 and UDP for that.

// Where what the filter looks at is in a frame with an IPv4 header of 20 octets.
const (
	frameIP        = wire.EthernetLen
	frameFragment  = frameIP + 6
	frameProtocol  = frameIP + 9
	frameDstPort   = frameIP + 2 // behind the IPv4 header, whose length the X register has
	fragmentOffset = 0x1fff
)

// portFilter returns a program that chooses IPv4 packets to a UDP port.
func portFilter(port uint32) []bpf.RawInstruction {
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: frameProtocol, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: wire.ProtoUDP, SkipTrue: 6},
		bpf.LoadAbsolute{Off: frameFragment, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: fragmentOffset, SkipTrue: 4},
		bpf.LoadMemShift{Off: frameIP},
		bpf.LoadIndirect{Off: frameDstPort, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: port, SkipTrue: 1},
		bpf.RetConstant{Val: 1 << 16},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		panic(err) // the program is a constant
	}
	return program
}

// datagram is a UDP datagram in a frame.
type datagram struct {
	srcMAC, dstMAC   wire.MAC
	src, dst         netip.Addr // the zero Addr: 0.0.0.0
	srcPort, dstPort uint16
	payload          []byte
}

// ttl is that of the packets. Linux's clients send with its default.
const ttl = 64

// append appends the frame to b.
func (d *datagram) append(b []byte) []byte {
	begin := len(b)
	length := wire.IPv4MinLen + wire.UDPLen + len(d.payload)
	b = append(b, make([]byte, wire.EthernetLen+length)...)
	frame := b[begin:]
	wire.PutEthernet(frame, d.dstMAC, d.srcMAC, wire.EtherTypeIPv4)
	ip := frame[wire.EthernetLen:]
	src, dst := wireAddr(d.src), wireAddr(d.dst)
	h := wire.IPv4Header{TotalLen: length, TTL: ttl, Protocol: wire.ProtoUDP, Src: src, Dst: dst}
	h.Put(ip)
	udp := ip[wire.IPv4MinLen:]
	wire.PutUDP(udp, d.srcPort, d.dstPort, len(udp))
	copy(udp[wire.UDPLen:], d.payload)
	wire.FinishChecksum(udp, wire.UDPChecksumOffset, wire.ProtoUDP, src, dst)
	return b
}

// parse reads a frame; ok is false for what is not a whole datagram without errors. The payload is part of b.
func (d *datagram) parse(b []byte) (ok bool) {
	e, err := wire.CheckEthernet(b)
	if err != nil || e.EtherType() != wire.EtherTypeIPv4 {
		return false
	}
	ip, err := wire.CheckIPv4(e.Payload())
	if err != nil || !ip.ChecksumOK() || ip.IsFragment() || ip.Protocol() != wire.ProtoUDP {
		return false
	}
	udp, err := wire.CheckUDP(ip.Payload())
	if err != nil || !wire.TransportChecksumOK(udp, wire.ProtoUDP, ip.Src(), ip.Dst()) {
		return false
	}
	*d = datagram{e.Src(), e.Dst(), ip.Src().Netip(), ip.Dst().Netip(), udp.SrcPort(), udp.DstPort(), udp.Payload()}
	return true
}

func wireAddr(a netip.Addr) wire.Addr {
	if !a.IsValid() {
		return wire.Unspecified4
	}
	v := a.As4()
	return wire.AddrFrom4(v[:])
}
