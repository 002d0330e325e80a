package socket_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/socket"
	"github.com/onlink-go/onlink/wire"
)

const (
	allFrames = 0x0300 // htons(ETH_P_ALL)
	oddFrames = 0x9999 // of no protocol
)

// packetPair returns the sockets of two hosts on one link, and their interfaces.
func packetPair(t *testing.T) (a, b *socket.Table, ai, bi *onlink.Interface) {
	t.Helper()
	x, y := mem.Pair(mem.Config{Addr: []wire.MAC{{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}}})
	host := func(l link.Link, addr string) (*socket.Table, *onlink.Interface) {
		s, err := onlink.New(onlink.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close(t.Context()) })
		i, err := s.AddLink("eth0", l, onlink.InterfaceConfig{Addresses: []netip.Prefix{netip.MustParsePrefix(addr)}, DisableDAD: true})
		if err != nil {
			t.Fatal(err)
		}
		return s.Sockets(), i
	}
	a, ai = host(x, "192.0.2.1/24")
	b, bi = host(y, "192.0.2.2/24")
	return a, b, ai, bi
}

func frame(dst wire.MAC, etherType uint16, payload string) []byte {
	b := make([]byte, wire.EthernetLen, 60)
	wire.PutEthernet(b, dst, wire.MAC{2, 0, 0, 0, 0, 1}, etherType)
	return append(b, payload...)
}

// Packet sockets say whence a frame is and to whom, and take where one is to go.
func TestPacketSockets(t *testing.T) {
	a, b, ai, bi := packetPair(t)
	must := func(fd int, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	sender := must(a.Socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
	cooked := must(a.Socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0))
	raw := must(b.Socket(socket.AF_PACKET, socket.SOCK_RAW|socket.SOCK_NONBLOCK, oddFrames))
	dgram := must(b.Socket(socket.AF_PACKET, socket.SOCK_DGRAM|socket.SOCK_NONBLOCK, allFrames))
	deaf := must(b.Socket(socket.AF_PACKET, socket.SOCK_RAW|socket.SOCK_NONBLOCK, 0))
	send := func(fd int, m *socket.Msg, want error) {
		t.Helper()
		if n, err := a.Sendmsg(fd, m, 0); err != want || err == nil && n != len(m.Buf[0]) {
			t.Errorf("sent %d, %v, want %v", n, err, want)
		}
	}
	other := wire.MAC{2, 0, 0, 0, 0, 9}
	buf := func(b []byte) [][]byte { return [][]byte{b} }
	send(sender, &socket.Msg{Buf: buf(frame(other, 0x9999, "x"))}, syscall.ENXIO)
	if err := a.BindLink(sender, socket.LinkAddr{Ifindex: 77}); err != syscall.ENODEV {
		t.Error(err)
	}
	if err := a.BindLink(sender, socket.LinkAddr{Ifindex: ai.Index()}); err != nil {
		t.Fatal(err)
	}
	if err := b.BindLink(dgram, socket.LinkAddr{Ifindex: bi.Index()}); err != nil {
		t.Fatal(err)
	}
	if l, err := b.LinkName(dgram); err != nil || l != (socket.LinkAddr{Protocol: socket.ETH_P_ALL, Ifindex: bi.Index(), Hatype: socket.ARPHRD_ETHER,
		Addr: wire.MAC{2, 0, 0, 0, 0, 2}}) {
		t.Errorf("%+v, %v", l, err)
	}
	send(sender, &socket.Msg{Buf: buf(frame(other, 0x9999, "other"))}, nil)
	send(sender, &socket.Msg{Buf: buf(frame(wire.MAC{2, 0, 0, 0, 0, 2}, 0x9999, "host"))}, nil)
	send(cooked, &socket.Msg{Buf: buf([]byte("all")), Link: socket.LinkAddr{Ifindex: ai.Index(), Protocol: 0x9999, Addr: wire.BroadcastMAC}}, nil)
	send(cooked, &socket.Msg{Buf: buf([]byte("group")), Link: socket.LinkAddr{Ifindex: ai.Index(), Protocol: 0x9999, Addr: wire.MAC{1}}}, nil)
	send(sender, &socket.Msg{Buf: buf(make([]byte, 1515))}, syscall.EMSGSIZE)

	for _, fd := range []int{raw, dgram} {
		header := map[int]int{raw: wire.EthernetLen, dgram: 0}[fd]
		for _, want := range []struct {
			payload string
			pkttype uint8
		}{{"other", socket.PACKET_OTHERHOST}, {"host", socket.PACKET_HOST}, {"all", socket.PACKET_BROADCAST}, {"group", socket.PACKET_MULTICAST}} {
			m := socket.Msg{Buf: [][]byte{make([]byte, 3), make([]byte, 100)}}
			if n, err := b.Recvmsg(fd, &socket.Msg{Buf: buf(make([]byte, 2))}, socket.MSG_PEEK|socket.MSG_TRUNC); n != header+len(want.payload) || err != nil {
				t.Errorf("peeked %d, %v", n, err)
			}
			n, err := b.Recvmsg(fd, &m, 0)
			got := append(m.Buf[0], m.Buf[1]...)
			if err != nil || string(got[header:max(n, header)]) != want.payload || m.Flags != 0 {
				t.Fatalf("%q, %v, %+v", got[:max(n, 0)], err, m)
			}
			if m.Link != (socket.LinkAddr{Protocol: 0x9999, Ifindex: bi.Index(), Hatype: socket.ARPHRD_ETHER, Pkttype: want.pkttype, Addr: wire.MAC{2, 0, 0, 0, 0, 1}}) {
				t.Errorf("%s: %+v", want.payload, m.Link)
			}
		}
		if n, err := b.Recvmsg(fd, &socket.Msg{}, 0); err != syscall.EAGAIN {
			t.Error(n, err)
		}
	}
	if n, err := b.Recvmsg(deaf, &socket.Msg{}, 0); err != syscall.EAGAIN {
		t.Error(n, err)
	}
	stats := make([]byte, 8)
	for _, want := range []uint32{4, 0} {
		if _, err := b.Getsockopt(raw, socket.SOL_PACKET, socket.PACKET_STATISTICS, stats); err != nil || binary.LittleEndian.Uint32(stats) != want ||
			binary.LittleEndian.Uint32(stats[4:]) != 0 {
			t.Errorf("%v, %v", stats, err)
		}
	}
	for _, row := range []struct {
		what string
		err  error
		want error
	}{
		{"bind", b.Bind(raw, netip.AddrPort{}), syscall.EINVAL},
		{"listen", b.Listen(raw, 1), syscall.EOPNOTSUPP},
		{"connect", b.Connect(raw, netip.AddrPort{}), syscall.EOPNOTSUPP},
		{"error queue", recvFlags(b, raw, socket.MSG_ERRQUEUE), syscall.EAGAIN},
		{"MSG_OOB", recvFlags(b, raw, socket.MSG_OOB), syscall.EINVAL},
		{"receive buffer", wantInt(b, raw, socket.SOL_SOCKET, socket.SO_RCVBUF, 212992), nil},
		{"domain", wantInt(b, raw, socket.SOL_SOCKET, socket.SO_DOMAIN, socket.AF_PACKET), nil},
		{"type", wantInt(b, dgram, socket.SOL_SOCKET, socket.SO_TYPE, socket.SOCK_DGRAM), nil},
		{"shutdown", b.Shutdown(raw, socket.SHUT_RDWR), syscall.EOPNOTSUPP},
		{"promiscuous", b.Setsockopt(raw, socket.SOL_PACKET, socket.PACKET_ADD_MEMBERSHIP, append([]byte{byte(bi.Index()), 0, 0, 0, 1, 0}, make([]byte, 10)...)), nil},
		{"promiscuous on none", b.Setsockopt(raw, socket.SOL_PACKET, socket.PACKET_ADD_MEMBERSHIP, append([]byte{77}, make([]byte, 15)...)), syscall.ENODEV},
		{"ignore outgoing", b.Setsockopt(raw, socket.SOL_PACKET, socket.PACKET_IGNORE_OUTGOING, []byte{2, 0, 0, 0}), syscall.EINVAL},
		{"close", b.Close(raw), nil},
		{"after close", b.BindLink(raw, socket.LinkAddr{}), syscall.EBADF},
	} {
		if row.err != row.want {
			t.Errorf("%s: %v, want %v", row.what, row.err, row.want)
		}
	}
	if _, err := b.Socket(socket.AF_PACKET, socket.SOCK_STREAM, 0); err != syscall.ESOCKTNOSUPPORT {
		t.Error(err)
	}
	udp := must(b.Socket(socket.AF_INET, socket.SOCK_DGRAM, 0))
	if err := b.BindLink(udp, socket.LinkAddr{}); err != syscall.EINVAL {
		t.Error(err)
	}
}

// A filter looks at what the socket reads; who waits is woken by what passes it.
func TestPacketFilter(t *testing.T) {
	a, b, ai, _ := packetPair(t)
	sender, _ := a.Socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
	a.BindLink(sender, socket.LinkAddr{Ifindex: ai.Index()})
	fd, err := b.Socket(socket.AF_PACKET, socket.SOCK_DGRAM, oddFrames)
	if err != nil {
		t.Fatal(err)
	}
	// ldb [0]; jeq #'y', 0, 1; ret #2; ret #0
	var program []byte
	for _, i := range []struct {
		op     uint16
		jt, jf uint8
		k      uint32
	}{{0x30, 0, 0, 0}, {0x15, 0, 1, 'y'}, {0x06, 0, 0, 2}, {0x06, 0, 0, 0}} {
		program = append(binary.LittleEndian.AppendUint16(program, i.op), i.jt, i.jf)[:len(program)+4]
		program = binary.LittleEndian.AppendUint32(program, i.k)
	}
	for _, row := range []struct {
		value []byte
		want  error
	}{{program[:7], syscall.EINVAL}, {program[:8], syscall.EINVAL}, {nil, syscall.EINVAL}, {program, nil}} {
		if err := b.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_ATTACH_FILTER, row.value); err != row.want {
			t.Errorf("%x: %v, want %v", row.value, err, row.want)
		}
	}
	poll := func(want int16) {
		t.Helper()
		fds := []socket.PollFD{{FD: fd, Events: socket.POLLIN}}
		if n, err := b.Poll(fds, 0); err != nil || fds[0].Revents != want {
			t.Errorf("%d, %v, %+v", n, err, fds)
		}
	}
	poll(0)
	time.AfterFunc(time.Millisecond, func() {
		for _, payload := range []string{"no", "yes", "you"} {
			a.Sendmsg(sender, &socket.Msg{Buf: [][]byte{frame(wire.BroadcastMAC, 0x9999, payload)}}, 0)
		}
	})
	for _, want := range []string{"ye", "yo"} {
		m := socket.Msg{Buf: [][]byte{make([]byte, 100)}}
		if n, err := b.Recvmsg(fd, &m, socket.MSG_TRUNC); err != nil || n != 3 || string(m.Buf[0][:2]) != want || m.Buf[0][2] != 0 {
			t.Errorf("%d, %q, %v", n, m.Buf[0][:4], err)
		}
	}
	poll(0)
	for _, want := range []error{nil, syscall.ENOENT} {
		if err := b.Setsockopt(fd, socket.SOL_SOCKET, socket.SO_DETACH_FILTER, make([]byte, 4)); err != want {
			t.Errorf("%v, want %v", err, want)
		}
	}
	a.Sendmsg(sender, &socket.Msg{Buf: [][]byte{frame(wire.BroadcastMAC, 0x9999, "no")}}, 0)
	m := socket.Msg{Buf: [][]byte{make([]byte, 1)}}
	if n, err := b.Recvmsg(fd, &m, 0); n != 1 || err != nil || m.Flags != socket.MSG_TRUNC || m.Buf[0][0] != 'n' {
		t.Errorf("%d, %v, %+v", n, err, m)
	}
}

func recvFlags(t *socket.Table, fd, flags int) error {
	_, err := t.Recvmsg(fd, &socket.Msg{}, flags)
	return err
}

func wantInt(t *socket.Table, fd, level, name, want int) error {
	b := make([]byte, 4)
	if _, err := t.Getsockopt(fd, level, name, b); err != nil {
		return err
	}
	if got := int(binary.LittleEndian.Uint32(b)); got != want {
		return fmt.Errorf("%d, want %d", got, want)
	}
	return nil
}
