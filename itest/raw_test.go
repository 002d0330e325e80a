package itest

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/internal/packetdrill/kernel"
	"github.com/onlink-go/onlink/socket"
	"github.com/onlink-go/onlink/wire"
)

// echoRequest returns an ICMP echo request of either family.
func echoRequest(v family, id, seq uint16, text string) []byte {
	b := make([]byte, wire.ICMPLen+len(text))
	typ := uint8(wire.ICMPv6EchoRequest)
	if v.digit == "4" {
		typ = wire.ICMPv4EchoRequest
	}
	wire.PutICMP(b, typ, 0, uint32(id)<<16|uint32(seq))
	copy(b[wire.ICMPLen:], text)
	wire.FinishICMPv4(b)
	return b
}

// icmpNetwork is the network of raw sockets of the family's ICMP.
func icmpNetwork(v family) string {
	if v.digit == "4" {
		return "ip4:icmp"
	}
	return "ip6:ipv6-icmp"
}

func (r *rig) listenRaw(network string) *onlink.IPConn {
	r.t.Helper()
	c, err := r.ListenPacket(r.t.Context(), network, "")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c.(*onlink.IPConn)
}

// A raw socket hears what ping(8) sends, which is answered all the same; the kernel answers what raw and ping sockets send.
func TestRawSocketsAndKernel(t *testing.T) {
	t.Parallel()
	need(t, "ping")
	r := newRig(t, setup{})
	r.eachFamily(t, func(t *testing.T, r *rig, v family) {
		raw := r.listenRaw(icmpNetwork(v))
		request, reply := uint8(wire.ICMPv6EchoRequest), uint8(wire.ICMPv6EchoReply)
		if v.digit == "4" {
			request, reply = wire.ICMPv4EchoRequest, wire.ICMPv4EchoReply
		}
		raw.SetICMPFilter(request)
		r.ping(v.stack, 8000) // in fragments
		buf := make([]byte, 10000)
		n, from, err := raw.ReadFrom(buf)
		if err != nil || n != wire.ICMPLen+8000 || buf[0] != request || from.String() != v.kernel {
			t.Errorf("heard %d octets, %x, from %v, %v", n, buf[:min(n, 8)], from, err)
		}
		raw.SetICMPFilter(reply)
		if _, err := raw.WriteTo(echoRequest(v, 77, 1, "raw"), &net.IPAddr{IP: net.ParseIP(v.kernel)}); err != nil {
			t.Fatal(err)
		}
		if n, from, err := raw.ReadFrom(buf); err != nil || wire.ICMP(buf[:n]).ID() != 77 || string(buf[wire.ICMPLen:n]) != "raw" || from.String() != v.kernel {
			t.Errorf("a raw socket reads %x from %v, %v", buf[:max(n, 0)], from, err)
		}
		ping, err := r.ListenPing("ping"+v.digit, "")
		if err != nil {
			t.Fatal(err)
		}
		defer ping.Close()
		ping.SetDeadline(time.Now().Add(patience))
		if _, err := ping.WriteToAddr(echoRequest(v, 0, 2, "ping"), netip.MustParseAddr(v.kernel)); err != nil {
			t.Fatal(err)
		}
		if n, from, err := ping.ReadFromAddr(buf); err != nil || wire.ICMP(buf[:n]).ID() != ping.ID() || string(buf[wire.ICMPLen:n]) != "ping" || from.String() != v.kernel {
			t.Errorf("a ping socket reads %x from %v, %v", buf[:max(n, 0)], from, err)
		}
	})
}

// A datagram whose header a program made arrives at a raw socket of the kernel as it was made, but for what the stack fills in; and the
// other way round.
func TestRawBetweenStackAndKernel(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	theirs := new(kernel.System)
	fd := -1
	var err error
	r.do(func() { fd, err = theirs.Socket(socket.AF_INET, socket.SOCK_RAW, 253) })
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close(fd)
	ours := r.listenRaw("ip4:253")
	ours.SetHeaderIncluded(true)
	h := wire.IPv4Header{TrafficClass: 0x48, TTL: 9, ID: 77, DontFragment: true, Protocol: 253, Dst: wire.AddrFrom(netip.MustParseAddr(v4.kernel)), Options: []byte{1, 1, 1, 0}}
	b := make([]byte, h.Len()+5)
	h.Put(b)
	copy(b[h.Len():], "hello")
	if _, err := ours.WriteToAddr(b, netip.MustParseAddr(v4.kernel)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	m := socket.Msg{Buf: [][]byte{buf}}
	n, err := theirs.Recvmsg(fd, &m, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.CheckIPv4(buf[:n])
	if err != nil || got.ID() != 77 || got.TTL() != 9 || got.TrafficClass() != 0x48 || got.Src().String() != v4.stack || !got.DontFragment() ||
		string(got.Payload()) != "hello" || got.HeaderLen() != 24 {
		t.Errorf("the kernel reads %x, %v", buf[:n], err)
	}
	if _, err := theirs.Sendmsg(fd, &socket.Msg{Buf: [][]byte{[]byte("and back")}, Name: netip.AddrPortFrom(netip.MustParseAddr(v4.stack), 0)}, 0); err != nil {
		t.Fatal(err)
	}
	if n, from, err := ours.ReadFromAddr(buf); err != nil || string(buf[:n]) != "and back" || from.String() != v4.kernel {
		t.Errorf("the stack reads %q from %v, %v", buf[:max(n, 0)], from, err)
	}
}

// Routers on the way, and that nobody is there, are told to ping sockets that ask for it: what traceroute goes by.
func TestPingSocketHearsRouters(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	r.do(func() {
		for _, f := range []string{"ipv4/ip_forward", "ipv6/conf/all/forwarding"} {
			if err := os.WriteFile("/proc/sys/net/"+f, []byte("1"), 0); err != nil {
				t.Skip("the kernel will not be a router: ", err)
			}
		}
	})
	r.ip("link add beyond type veth peer name end")
	r.ip("link set end up")
	r.ip("link set beyond up")
	r.ip("route add 198.51.100.0/24 dev beyond")
	r.ip("-6 route add 2001:db8:9::/64 dev beyond")
	for _, c := range []struct {
		family
		to  string
		typ uint8
	}{{v4, "198.51.100.9", wire.ICMPv4TimeExceeded}, {v6, "2001:db8:9::9", wire.ICMPv6TimeExceeded}} {
		p, err := r.ListenPing("ping"+c.digit, "")
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		p.SetDeadline(time.Now().Add(patience))
		p.SetReceiveErrors(true)
		if _, err := p.WriteMsg(echoRequest(c.family, 0, 1, "hop"), &onlink.ControlMessage{HopLimit: 1}, netip.MustParseAddr(c.to)); err != nil {
			t.Fatal(err)
		}
		_, _, err = p.ReadFromAddr(make([]byte, 100))
		e, ok := errors.AsType[*onlink.ICMPError](err)
		if !ok || e.Type != c.typ || e.From.String() != c.kernel || e.Dst.Addr().String() != c.to ||
			len(e.Quote) < wire.ICMPLen || wire.ICMP(e.Quote).ID() != p.ID() || wire.ICMP(e.Quote).Seq() != 1 || !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Errorf("%s: %v", c.to, err)
		}
	}
}

// traceroute and mtr find the stack, which is one hop away, with all they can ask.
func TestTracedByKernel(t *testing.T) {
	t.Parallel()
	need(t, "traceroute")
	need(t, "mtr")
	r := newRig(t, setup{})
	r.eachFamily(t, func(t *testing.T, r *rig, v family) {
		for _, method := range []string{"", "-I", "-T", "-U", "-P 253"} {
			args := strings.Fields("-n -q 1 -w 5 " + method + " " + v.stack)
			if out := r.run("traceroute", args...); !regexp.MustCompile(`(?m)^ 1  ` + regexp.QuoteMeta(v.stack) + `  [0-9.]+ ms`).MatchString(out) {
				t.Errorf("traceroute %v:\n%s", args, out)
			}
		}
		for _, method := range []string{"", "-u", "-T"} {
			args := strings.Fields("-n -r -c 1 " + method + " " + v.stack)
			if out := r.run("mtr", args...); !regexp.MustCompile(` 1\.\|-- ` + regexp.QuoteMeta(v.stack) + ` +0\.0%`).MatchString(out) {
				t.Errorf("mtr %v:\n%s", args, out)
			}
		}
	})
}

// nmap finds that a protocol is heard for which there is a raw socket.
func TestRawProtocolScan(t *testing.T) {
	t.Parallel()
	need(t, "nmap")
	r := newRig(t, setup{})
	r.listenRaw("ip4:ospf")
	if err := r.SetSysctl("net.ipv4.icmp_msgs_per_sec", "0"); err != nil {
		t.Fatal(err)
	}
	out := r.run("nmap", "-n", "-Pn", "-sO", "-p", "89,132", "--max-retries", "2", "-e", r.name, v4.stack)
	if !hasLine(out, "89 ", "open|filtered") || !hasLine(out, "132 ", "closed") {
		t.Errorf("nmap:\n%s", out)
	}
}
