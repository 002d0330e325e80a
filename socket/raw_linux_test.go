package socket_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/internal/netns"
	"github.com/onlink-go/onlink/internal/packetdrill/kernel"
	"github.com/onlink-go/onlink/socket"
	"github.com/onlink-go/onlink/wire"
)

// TestRawAsKernel is TestAsKernel of raw and ping sockets, whose kernel is in a network namespace of its own: nobody else
// speaks there, and all groups may ping.
func TestRawAsKernel(t *testing.T) {
	ns, err := netns.New()
	if err != nil {
		t.Skip("no network namespace can be made: ", err)
	}
	defer ns.Close()
	var setup error
	if err := ns.Do(func() { setup = openLoopback() }); err != nil || setup != nil {
		t.Skip("the namespace cannot be set up: ", err, setup)
	}
	for _, sc := range rawScenarios {
		t.Run(sc.name, func(t *testing.T) {
			differ := ""
			for range 3 {
				st, err := onlink.New(onlink.Config{})
				if err != nil {
					t.Fatal(err)
				}
				var theirs string
				if err := ns.Do(func() { theirs = play(new(kernel.System), sc.f) }); err != nil {
					t.Fatal(err)
				}
				differ = compare(play(st.Sockets(), sc.f), theirs)
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				st.Close(ctx)
				if differ == "" {
					return
				}
			}
			t.Error(differ)
		})
	}
}

// openLoopback makes the loopback interface of a new namespace go up, and lets everybody ping.
func openLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr); err != nil {
		return err
	}
	return os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte("0 2147483647"), 0)
}

func (p *probe) open(domain, typ, proto int) int {
	fd, err := p.Socket(domain, typ, proto)
	p.answer(fmt.Sprint("socket ", domain, typ, proto), err)
	if err == nil {
		p.fds = append(p.fds, fd)
	}
	return fd
}

func addrPort(s string, port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(s), uint16(port))
}

// ends notes the names of a socket.
func (p *probe) ends(fd int) {
	a, err := p.Getsockname(fd)
	p.answer("name", err, a)
	a, err = p.Getpeername(fd)
	p.answer("peer", err, a)
}

// write sends b to an address; the empty one: to where the socket is connected.
func (p *probe) write(fd int, to string, port int, b []byte) {
	m := socket.Msg{Buf: [][]byte{b}}
	if to != "" {
		m.Name = addrPort(to, port)
	}
	n, err := p.Sendmsg(fd, &m, socket.MSG_NOSIGNAL)
	p.answer(fmt.Sprint("send ", len(b), " to ", to), err, n)
	p.settle()
}

// takes notes what waits for a socket: its octets, but for what nobody can know of an internet header.
func (p *probe) takes(fd, size, flags int) {
	b := make([]byte, size)
	m := socket.Msg{Buf: [][]byte{b}, Control: make([]byte, 256)}
	n, err := p.Recvmsg(fd, &m, flags|socket.MSG_DONTWAIT)
	b = b[:max(min(n, size), 0)]
	if h, err := wire.CheckIPv4Quoted(b); err == nil {
		p.note("identified: %v, checksum right: %v", h.DontFragment() || h.ID() != 0, h.ChecksumOK())
		clear(b[10:12])
	}
	if len(b) > 6 && b[0]>>4 == 4 {
		clear(b[4:6])
	}
	p.answer("recv", err, n, fmt.Sprintf("% x", b), fmt.Sprintf("%#x % x", m.Flags&^socket.MSG_CMSG_CLOEXEC, m.Control), m.Name)
}

// control returns a control message.
func control(level, typ int, data []byte) []byte {
	b := make([]byte, 16+(len(data)+7)&^7)
	binary.LittleEndian.PutUint64(b, uint64(16+len(data)))
	binary.LittleEndian.PutUint32(b[8:], uint32(level))
	binary.LittleEndian.PutUint32(b[12:], uint32(typ))
	copy(b[16:], data)
	return b
}

// request returns an echo message that says it is of the given identifier.
func request(typ uint8, id, seq uint16, text string) []byte {
	b := make([]byte, wire.ICMPLen+len(text))
	wire.PutICMP(b, typ, 0, uint32(id)<<16|uint32(seq))
	copy(b[wire.ICMPLen:], text)
	wire.FinishICMPv4(b)
	return b
}

// header4 returns a datagram of protocol 253 with a header of the user's.
func header4(f func(h *wire.IPv4Header), text string) []byte {
	h := wire.IPv4Header{TTL: 5, Protocol: 253, Dst: wire.Addr4(127, 0, 0, 6)}
	f(&h)
	b := make([]byte, h.Len()+len(text))
	h.Put(b)
	copy(b[h.Len():], text)
	return b
}

const (
	in4, in6 = socket.AF_INET, socket.AF_INET6
	rawType  = socket.SOCK_RAW
	sol4     = socket.IPPROTO_IP
	sol6     = socket.IPPROTO_IPV6
	test     = 253 // a protocol for experimentation (RFC 3692)
)

var rawScenarios = []struct {
	name string
	f    func(p *probe)
}{
	{"which sockets there are", func(p *probe) {
		for _, domain := range []int{in4, in6} {
			for _, proto := range []int{0, 1, 6, 17, 58, 253, 255, 256} {
				for _, typ := range []int{rawType, udp} {
					if typ == rawType && proto == 256 {
						continue // Linux has 262, of Multipath TCP
					}
					fd := p.open(domain, typ, proto)
					if fd < 0 {
						continue
					}
					for _, name := range []int{socket.SO_TYPE, socket.SO_REUSEADDR, socket.SO_PROTOCOL, socket.SO_DOMAIN, socket.SO_ERROR} {
						p.get(fd, socket.SOL_SOCKET, name, 4)
					}
					p.ends(fd)
					p.poll(fd)
				}
			}
		}
	}},
	{"raw names", func(p *probe) {
		fd := p.open(in4, rawType, test)
		p.answer("bind", p.Bind(fd, addrPort("127.0.0.5", 99)))
		p.ends(fd)
		p.answer("bind again", p.Bind(fd, addrPort("127.0.0.7", 0)))
		p.answer("bind elsewhere", p.Bind(fd, addrPort("198.51.100.1", 0)))
		p.ends(fd)
		p.answer("connect", p.Connect(fd, addrPort("127.0.0.6", 0)))
		p.ends(fd)
		p.answer("bind connected", p.Bind(fd, addrPort("127.0.0.5", 0)))
		p.answer("connect again", p.Connect(fd, addrPort("127.0.0.8", 42)))
		p.ends(fd)
		fd = p.open(in6, rawType, test)
		p.answer("bind", p.Bind(fd, addrPort("::1", 0)))
		p.ends(fd)
		p.answer("bind elsewhere", p.Bind(fd, addrPort("2001:db8::1", 0)))
		p.answer("bind mapped", p.Bind(fd, addrPort("::ffff:127.0.0.1", 0)))
		p.answer("connect", p.Connect(fd, addrPort("::1", 0)))
		p.ends(fd)
		p.answer("listen", p.Listen(fd, 1))
		_, _, err := p.Accept(fd, 0)
		p.answer("accept", err)
		p.shutdown(fd, socket.SHUT_WR)
		p.write(fd, "", 0, []byte("hello"))
	}},
	{"raw options", func(p *probe) {
		for _, domain := range []int{in4, in6} {
			for _, proto := range []int{1, 58, test, 255} {
				fd := p.open(domain, rawType, proto)
				p.note("domain %d, protocol %d", domain, proto)
				for _, o := range [][2]int{{sol4, socket.IP_HDRINCL}, {sol6, socket.IPV6_HDRINCL}, {sol6, socket.IPV6_CHECKSUM},
					{socket.SOL_RAW, socket.IPV6_CHECKSUM}, {socket.SOL_RAW, socket.ICMP_FILTER}, {socket.SOL_ICMPV6, socket.ICMPV6_FILTER},
					{socket.SOL_RAW, 2}} {
					if domain == in4 && o[0] != sol4 && o[0] != socket.SOL_RAW {
						continue
					}
					if o == [2]int{socket.SOL_RAW, socket.IPV6_CHECKSUM} && proto == 58 {
						continue // Linux takes it away; RFC 3542, 3.1: "An attempt to set IPV6_CHECKSUM for an ICMPv6 socket will fail."
					}
					p.get(fd, o[0], o[1], 4)
					for _, v := range []int32{0, 1, -1, 2, 3, 6} {
						p.set(fd, o[0], o[1], v)
						p.get(fd, o[0], o[1], 4)
						p.get(fd, o[0], o[1], 40)
					}
					p.answer("short", p.Setsockopt(fd, o[0], o[1], []byte{1}))
				}
			}
		}
		fd := p.open(in4, udp, 0)
		p.set(fd, sol4, socket.IP_HDRINCL, 1)
	}},
	{"raw packets", func(p *probe) {
		a, b := p.open(in4, rawType, test), p.open(in4, rawType, test)
		p.answer("bind", p.Bind(a, addrPort("127.0.0.5", 0)))
		p.answer("bind", p.Bind(b, addrPort("127.0.0.6", 0)))
		for _, name := range []int{socket.IP_PKTINFO, socket.IP_RECVTTL, socket.IP_RECVTOS} {
			p.set(b, sol4, name, 1)
		}
		p.write(a, "", 0, []byte("to nobody"))
		p.write(a, "127.0.0.6", 0, []byte("hello"))
		p.poll(b)
		p.takes(b, 10, socket.MSG_PEEK|socket.MSG_TRUNC)
		p.takes(b, 100, 0)
		p.takes(a, 100, 0)
		p.set(a, sol4, socket.IP_TTL, 9)
		p.set(a, sol4, socket.IP_TOS, 0x48)
		p.write(a, "127.0.0.6", 77, nil)
		p.takes(b, 100, 0)
		p.answer("connect", p.Connect(b, addrPort("127.0.0.9", 0)))
		p.write(a, "127.0.0.6", 0, []byte("from another"))
		p.takes(b, 100, 0)
		p.takes(b, 100, socket.MSG_OOB)
		p.write(a, "127.0.0.6", 0, make([]byte, 65535))
		p.write(a, "127.0.0.6", 0, make([]byte, 65536))
		p.write(a, "::1", 0, nil)
	}},
	{"header included", func(p *probe) {
		a, b := p.open(in4, rawType, 255), p.open(in4, rawType, test)
		p.answer("bind", p.Bind(b, addrPort("127.0.0.6", 0)))
		none := func(*wire.IPv4Header) {}
		p.write(a, "127.0.0.6", 0, header4(none, "hello"))
		p.takes(b, 100, 0)
		p.write(a, "127.0.0.6", 0, header4(func(h *wire.IPv4Header) {
			h.ID, h.Src, h.TrafficClass, h.DontFragment = 7, wire.Addr4(127, 0, 0, 9), 0x48, true
			h.Options = []byte{1, 1, 1, 0}
		}, "hello"))
		p.takes(b, 100, 0)
		wrong := header4(none, "hello")
		binary.BigEndian.PutUint16(wrong[2:], 99) // the total length, and with it the checksum
		p.write(a, "127.0.0.6", 0, wrong)
		p.takes(b, 100, 0)
		p.write(a, "127.0.0.6", 0, wrong[:19])
		p.write(a, "127.0.0.6", 0, append([]byte{0x4f}, wrong[1:]...))
		p.write(a, "127.0.0.6", 0, header4(none, string(make([]byte, 65516))))
		p.set(b, sol4, socket.IP_HDRINCL, 1)
		p.write(b, "127.0.0.6", 0, header4(none, "to itself"))
		p.takes(b, 100, 0)
	}},
	{"raw UDP", func(p *probe) {
		fd, server := p.open(in4, rawType, 17), p.open(in4, udp, 0)
		p.set(fd, sol4, socket.IP_RECVERR, 1)
		p.answer("bind", p.Bind(fd, addrPort("127.0.0.5", 0)))
		p.answer("bind", p.Bind(server, addrPort("127.0.0.6", 700)))
		b := make([]byte, wire.UDPLen+5)
		wire.PutUDP(b, 5, 700, len(b))
		copy(b[wire.UDPLen:], "hello")
		p.write(fd, "127.0.0.6", 0, b)
		p.takes(server, 100, 0)
		b[6] = 1 // a checksum that is wrong
		p.write(fd, "127.0.0.6", 0, b)
		p.takes(server, 100, 0)
		wire.PutUDP(b, 5, 701, len(b)) // where nobody is
		p.write(fd, "127.0.0.6", 0, b)
		p.told(fd, 100)
		// What the kernel sends to itself has no checksum yet, so the way back would differ.
	}},
	{"raw ICMP", func(p *probe) {
		fd := p.open(in4, rawType, 1)
		p.answer("bind", p.Bind(fd, addrPort("127.0.0.5", 0)))
		p.write(fd, "127.0.0.5", 0, request(wire.ICMPv4EchoRequest, 7, 1, "hello"))
		for range 3 {
			p.takes(fd, 100, 0)
		}
		p.set(fd, socket.SOL_RAW, socket.ICMP_FILTER, ^(1 << wire.ICMPv4EchoReply))
		p.write(fd, "127.0.0.5", 0, request(wire.ICMPv4EchoRequest, 7, 2, "hello"))
		for range 2 {
			p.takes(fd, 100, 0)
		}
		fd = p.open(in6, rawType, 58)
		p.set(fd, socket.SOL_ICMPV6, socket.ICMPV6_FILTER, -1, -1, -1, -1, ^2, -1, -1, -1) // all but 129
		for _, name := range []int{socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS} {
			p.set(fd, sol6, name, 1)
		}
		p.write(fd, "::1", 0, request(wire.ICMPv6EchoRequest, 7, 1, "hello"))
		for range 2 {
			p.takes(fd, 100, 0)
		}
		p.write(fd, "::1", 58, request(wire.ICMPv6EchoRequest, 7, 2, "hello"))
		p.write(fd, "::1", 59, request(wire.ICMPv6EchoRequest, 7, 3, "hello"))
		p.write(fd, "::1", 0, []byte{1, 2, 3})
		p.takes(fd, 100, 0)
	}},
	{"raw IPv6", func(p *probe) {
		a, b := p.open(in6, rawType, test), p.open(in6, rawType, test)
		p.answer("connect", p.Connect(a, addrPort("::1", 0)))
		p.set(b, sol6, socket.IPV6_CHECKSUM, 2)
		p.write(a, "", 0, []byte("no checksum"))
		p.takes(b, 100, 0)
		p.takes(a, 100, 0)
		p.set(a, sol6, socket.IPV6_CHECKSUM, 2)
		p.write(a, "", 0, []byte("a checksum"))
		p.takes(b, 100, 0)
		p.takes(a, 100, 0)
		p.write(a, "", 0, []byte("abc"))
		p.write(a, "", 0, []byte("abcd"))
		p.takes(b, 100, 0)
		p.set(a, sol6, socket.IPV6_HDRINCL, 1)
		h := wire.IPv6Header{PayloadLen: 4, NextHeader: test, HopLimit: 3, Src: wire.Loopback6, Dst: wire.Loopback6}
		packet := make([]byte, wire.IPv6Len+4)
		h.Put(packet)
		p.write(a, "", 0, packet)
		p.write(a, "", 0, packet[:39])
	}},
	{"raw errors", func(p *probe) {
		for _, included := range []int32{0, 1} {
			for _, asked := range []int32{0, 1} {
				for _, connected := range []bool{false, true} {
					p.note("header included %d, asked %d, connected %v", included, asked, connected)
					fd := p.open(in4, rawType, test)
					p.set(fd, sol4, socket.IP_HDRINCL, included)
					p.set(fd, sol4, socket.IP_RECVERR, asked)
					p.answer("bind", p.Bind(fd, addrPort("127.0.0.5", 0)))
					if connected {
						p.answer("connect", p.Connect(fd, addrPort("127.0.0.6", 0)))
					}
					b := []byte("nobody wants it")
					if included != 0 {
						b = header4(func(h *wire.IPv4Header) { h.ID, h.Src = 7, wire.Addr4(127, 0, 0, 5) }, "nobody wants it")
					}
					p.write(fd, "127.0.0.6", 0, b)
					p.told(fd, 100)
					p.close(fd)
				}
			}
		}
	}},
	{"flow labels", func(p *probe) {
		in, out := p.open(in6, udp, 0), p.open(in6, udp, 0)
		p.answer("bind", p.Bind(in, addrPort("::1", 700)))
		p.answer("bind", p.Bind(out, addrPort("::1", 701)))
		for _, name := range []int{socket.IPV6_FLOWINFO, socket.IPV6_RECVTCLASS, socket.IPV6_AUTOFLOWLABEL} {
			p.get(in, sol6, name, 4)
			p.set(in, sol6, name, 1)
			p.get(in, sol6, name, 4)
		}
		p.answer("short", p.Setsockopt(in, sol6, socket.IPV6_FLOWINFO, []byte{1}))
		p.set(out, sol6, socket.IPV6_AUTOFLOWLABEL, 0)
		p.get(out, sol6, socket.IPV6_AUTOFLOWLABEL, 4)
		p.write(out, "::1", 700, []byte("no label, no class"))
		p.takes(in, 100, 0)
		for _, info := range []uint32{0x12345, 0x4812345, 0x4800000} {
			m := socket.Msg{Buf: [][]byte{[]byte("a label")}, Name: addrPort("::1", 700), Control: control(sol6, socket.IPV6_FLOWINFO, binary.BigEndian.AppendUint32(nil, info))}
			n, err := p.Sendmsg(out, &m, 0)
			p.answer("send", err, n)
			p.settle()
			p.takes(in, 100, 0)
		}
		m := socket.Msg{Buf: [][]byte{nil}, Name: addrPort("::1", 700), Control: control(sol6, socket.IPV6_FLOWINFO, []byte{1, 2})}
		_, err := p.Sendmsg(out, &m, 0)
		p.answer("send", err)
	}},
	{"sticky packet info", func(p *probe) {
		in, out := p.open(in6, udp, 0), p.open(in6, udp, 0)
		p.answer("bind", p.Bind(in, addrPort("::1", 700)))
		p.answer("short", p.Setsockopt(out, sol6, socket.IPV6_PKTINFO, make([]byte, 19)))
		p.answer("interface 1", p.Setsockopt(out, sol6, socket.IPV6_PKTINFO, append(make([]byte, 16), 1, 0, 0, 0)))
		p.answer("bind", p.Bind(out, addrPort("::1", 701)))
		p.write(out, "::1", 700, []byte("by loopback"))
		p.takes(in, 100, 0)
		p.answer("nothing", p.Setsockopt(out, sol6, socket.IPV6_PKTINFO, make([]byte, 20)))
		p.write(out, "::1", 700, []byte("by any"))
		p.takes(in, 100, 0)
	}},
	{"ping errors", func(p *probe) {
		fd := p.open(in4, udp, 1)
		p.set(fd, sol4, socket.IP_RECVERR, 1)
		p.answer("bind", p.Bind(fd, addrPort("127.0.0.1", 777)))
		p.write(fd, "198.51.100.1", 0, request(wire.ICMPv4EchoRequest, 1, 1, "no route"))
		p.set(fd, sol4, socket.IP_MTU_DISCOVER, socket.IP_PMTUDISC_DO)
		p.write(fd, "127.0.0.1", 0, request(wire.ICMPv4EchoRequest, 1, 1, string(make([]byte, 65508))))
		p.takes(fd, 100, 0)
		p.soError(fd)
	}},
	{"ping", func(p *probe) {
		for _, c := range []struct {
			domain, proto  int
			to             string
			request, reply uint8
		}{{in4, 1, "127.0.0.1", wire.ICMPv4EchoRequest, wire.ICMPv4EchoReply}, {in6, 58, "::1", wire.ICMPv6EchoRequest, wire.ICMPv6EchoReply}} {
			fd := p.open(c.domain, udp, c.proto)
			p.answer("bind", p.Bind(fd, addrPort(c.to, 777)))
			p.ends(fd)
			p.answer("bind again", p.Bind(fd, addrPort(c.to, 778)))
			other := p.open(c.domain, udp, c.proto)
			p.answer("bind the same", p.Bind(other, addrPort(c.to, 777)))
			p.set(other, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
			p.answer("bind the same", p.Bind(other, addrPort(c.to, 777)))
			for _, o := range [][2]int{{sol4, socket.IP_RECVTTL}, {sol4, socket.IP_PKTINFO}, {sol6, socket.IPV6_RECVHOPLIMIT}, {sol6, socket.IPV6_RECVPKTINFO}} {
				if o[0] == sol4 == (c.domain == in4) {
					p.set(fd, o[0], o[1], 1)
				}
			}
			p.write(fd, c.to, 0, request(c.request, 1, 9, "hello"))
			p.poll(fd)
			p.takes(fd, 100, 0)
			p.write(fd, c.to, 55, request(c.request, 1, 10, ""))
			p.takes(fd, 4, socket.MSG_OOB)
			p.takes(fd, 4, socket.MSG_TRUNC)
			p.write(fd, "", 0, request(c.request, 1, 9, "to nobody"))
			p.write(fd, c.to, 0, request(c.reply, 1, 9, "a reply"))
			p.write(fd, c.to, 0, request(c.request, 1, 9, "")[:7])
			p.write(fd, c.to, 0, make([]byte, 65536))
			p.write(fd, c.to, 0, request(c.request, 1, 11, "bad checksum")[:12])
			p.takes(fd, 100, 0)
			p.answer("connect", p.Connect(other, addrPort(c.to, 0)))
			p.write(other, "", 0, request(c.request, 1, 12, "connected"))
			p.takes(other, 100, 0)
			p.shutdown(other, socket.SHUT_RDWR)
			p.write(other, "", 0, request(c.request, 1, 12, "shut"))
			p.answer("ioctl", p.Ioctl(fd, socket.SIOCINQ, make([]byte, 4)))
		}
	}},
}
