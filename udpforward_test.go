package onlink_test

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
)

// A router gets super-packets of UDP by a link that carries them, or joins them itself since a program of its own asked for its
// port, and sends the datagrams on by one that does not, and takes less: each by itself, fragmented if it may be and has to be, or
// with a word to the sender.
func TestSegmentsForwarded(t *testing.T) {
	for name, can := range offloads {
		t.Run(name, func(t *testing.T) {
			a, near := mem.Pair(mem.Config{Offload: can})
			far, b := mem.Pair(mem.Config{MTU: 1400})
			client, router, server := newStack(t, onlink.Config{}), newStack(t, onlink.Config{Forwarding: true}), newStack(t, onlink.Config{})
			add := func(s *onlink.Stack, name string, l link.Link, addrs []string, gateways ...string) {
				t.Helper()
				cfg := onlink.InterfaceConfig{DisableDAD: true}
				for _, a := range addrs {
					cfg.Addresses = append(cfg.Addresses, netip.MustParsePrefix(a))
				}
				for _, g := range gateways {
					cfg.Gateways = append(cfg.Gateways, netip.MustParseAddr(g))
				}
				if _, err := s.AddLink(name, l, cfg); err != nil {
					t.Fatal(err)
				}
			}
			add(client, "eth0", a, []string{"192.0.2.1/24", "2001:db8:1::1/64"}, "192.0.2.2", "2001:db8:1::2")
			add(router, "eth0", near, []string{"192.0.2.2/24", "2001:db8:1::2/64"})
			add(router, "eth1", far, []string{"198.51.100.2/24", "2001:db8:2::2/64"})
			add(server, "eth0", b, []string{"198.51.100.1/24", "2001:db8:2::1/64"}, "198.51.100.2", "2001:db8:2::2")
			listenUDP(t, router, "udp", ":7000").SetCoalesce(true)
			in := listenUDP(t, server, "udp", ":7000")
			for _, host := range []string{"198.51.100.1", "2001:db8:2::1"} {
				in.SetReadDeadline(time.Now().Add(10 * time.Second))
				out := listenUDP(t, client, "udp", ":0")
				to := netip.AddrPortFrom(netip.MustParseAddr(host), 7000)
				send := func(n, size int) error {
					t.Helper()
					_, err := out.WriteMsg(numbered(n), &onlink.ControlMessage{SegmentSize: size}, to)
					return err
				}
				for _, size := range []int{20, 1000, 1340} {
					if err := send(10*size+7, size); err != nil {
						t.Fatal(err)
					}
					wantDatagrams(t, in, numbered(10*size+7), size)
				}
				if to.Addr().Is4() {
					if err := out.SetMTUDiscovery(onlink.DiscoverNot); err != nil {
						t.Fatal(err)
					}
					if err := send(14000, 1400); err != nil {
						t.Fatal(err)
					}
					wantDatagrams(t, in, numbered(14000), 1400)
					out.SetMTUDiscovery(onlink.DiscoverWant)
				}
				// The router tells of the path's MTU; from then on the sender refuses by itself.
				for wait := time.Now().Add(10 * time.Second); ; {
					err := send(14000, 1400)
					if errors.Is(err, syscall.EMSGSIZE) {
						break
					}
					if err != nil || time.Now().After(wait) {
						t.Fatalf("%s: the path's MTU was not learned: %v", host, err)
					}
					time.Sleep(time.Millisecond)
				}
				if n, err := out.PathMTUTo(to); n != 1400 {
					t.Errorf("%s: the path's MTU is %d, %v", host, n, err)
				}
			}
		})
	}
}
