package onlink_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink"
)

// A socket says what becomes of datagrams that are larger than the path takes, and reads how large that is.
func TestUDPPathMTU(t *testing.T) {
	client, server := newPair(t, nil)
	peer, err := server.ListenPacket(context.Background(), "udp", net.JoinHostPort(server4, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	conn, err := client.DialContext(context.Background(), "udp", peer.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	u := conn.(*onlink.UDPConn)
	mtu, err := u.PathMTU()
	if err != nil || mtu < 1280 {
		t.Fatal(mtu, err)
	}
	if err := u.SetDontFragment(true); err != nil {
		t.Fatal(err)
	}
	const headers = 20 + 8
	_, err = u.Write(make([]byte, mtu-headers+1))
	if e, ok := errors.AsType[*onlink.PathMTUError](err); !ok || e.MTU != mtu || !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("%v", err)
	}
	if _, err = u.Write(make([]byte, mtu-headers)); err != nil {
		t.Error(err)
	}
	if err := u.SetDontFragment(false); err != nil {
		t.Fatal(err)
	}
	if _, err = u.Write(make([]byte, 2*mtu)); err != nil {
		t.Error(err)
	}
	b := make([]byte, 3*mtu)
	for _, want := range []int{mtu - headers, 2 * mtu} {
		if n, _, err := peer.ReadFrom(b); n != want || err != nil {
			t.Errorf("%d octets of %d, %v", n, want, err)
		}
	}
	if err := u.SetMTUDiscovery(99); !errors.Is(err, syscall.EINVAL) {
		t.Error(err)
	}
	if _, err := peer.(*onlink.UDPConn).PathMTU(); !errors.Is(err, syscall.ENOTCONN) {
		t.Error(err)
	}
}
