package onlink_test

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/wire"
)

// A ping socket sends echo requests with its identifier, whatever they say, and reads the replies to them as whole ICMP messages; those to
// others' requests it does not.
func TestPingConn(t *testing.T) {
	a, _ := newPair(t, nil)
	for _, c := range []struct {
		network, to    string
		request, reply uint8
	}{
		{"ping4", server4, wire.ICMPv4EchoRequest, wire.ICMPv4EchoReply},
		{"ping6", server6, wire.ICMPv6EchoRequest, wire.ICMPv6EchoReply},
	} {
		conn, err := a.ListenPing(c.network, "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		other, err := a.Dial(c.network, c.to)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		if got := conn.LocalAddr().(*net.UDPAddr).Port; got != int(conn.ID()) || got == 0 {
			t.Errorf("%s: local port %d, identifier %d", c.network, got, conn.ID())
		}
		for seq, to := range []net.Addr{&net.UDPAddr{IP: net.ParseIP(c.to)}, &net.IPAddr{IP: net.ParseIP(c.to)}} {
			if _, err := conn.WriteTo(echo(c.request, 0xdead, uint16(seq), "payload"), to); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 100)
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				t.Fatal(err)
			}
			m := wire.ICMP(buf[:n])
			if m.Type() != c.reply || m.ID() != conn.ID() || int(m.Seq()) != seq || string(m.Body()) != "payload" || from.(*net.UDPAddr).IP.String() != c.to {
				t.Errorf("%s: %x from %v", c.network, buf[:n], from)
			}
		}
		other.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if _, err := other.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: another socket reads %v", c.network, err)
		}
		if _, err := other.Write(echo(c.reply, 0, 0, "")); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%s: a reply leaves: %v", c.network, err)
		}
	}
	if _, err := a.ListenPing("udp4", ""); err == nil {
		t.Error("udp4 is a network of ping sockets")
	}
}
