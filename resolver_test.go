package onlink_test

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/mem"
)

// serveDNS answers queries for A and AAAA of www.example. with the addresses given, and all others with "no such
// name", until pc is closed.
func serveDNS(t *testing.T, pc net.PacketConn, addr4, addr6 string) {
	b := make([]byte, 1500)
	for {
		n, from, err := pc.ReadFrom(b)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(b[:n]); err != nil || len(m.Questions) != 1 {
			t.Errorf("a bad query: %v", err)
			continue
		}
		q := m.Questions[0]
		m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
		h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}
		switch {
		case q.Name.String() != "www.example.":
			m.RCode = dnsmessage.RCodeNameError
		case q.Type == dnsmessage.TypeA:
			m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AResource{A: netip.MustParseAddr(addr4).As4()}}}
		case q.Type == dnsmessage.TypeAAAA:
			m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(addr6).As16()}}}
		}
		answer, err := m.Pack()
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := pc.WriteTo(answer, from); err != nil {
			if !errors.Is(err, net.ErrClosed) { // the test may be over before the last answer
				t.Error(err)
			}
			return
		}
	}
}

func TestResolver(t *testing.T) {
	for _, ns := range hosts {
		t.Run(family(ns), func(t *testing.T) {
			a, b := mem.Pair(mem.Config{})
			server := newStack(t, onlink.Config{})
			addLink(t, server, b, serverAddrs)
			client := newStack(t, onlink.Config{DNS: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr(ns), 53)}})
			addLink(t, client, a, clientAddrs)
			pc, err := server.ListenPacket(t.Context(), "udp", ":53")
			if err != nil {
				t.Fatal(err)
			}
			go serveDNS(t, pc, server4, server6)
			ln, err := server.Listen(t.Context(), "tcp", ":80")
			if err != nil {
				t.Fatal(err)
			}

			found, err := client.Resolver().LookupNetIP(t.Context(), "ip", "www.example.")
			if err != nil || len(found) != 2 {
				t.Fatalf("found %v, %v", found, err)
			}
			for network, want := range map[string]string{"tcp4": server4, "tcp6": server6} {
				c, err := client.DialContext(t.Context(), network, "www.example.:80")
				if err != nil {
					t.Fatal(err)
				}
				if got := c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().String(); got != want {
					t.Errorf("%s connected to %s", network, got)
				}
				c.Close()
			}
			ln.Close()
			_, err = client.DialContext(t.Context(), "tcp", "nobody.example.:80")
			if e, ok := errors.AsType[*net.DNSError](err); !ok || !e.IsNotFound {
				t.Errorf("unknown name: %v", err)
			}
		})
	}
}

func TestNoNameServer(t *testing.T) {
	client, _ := newPair(t, nil)
	_, err := client.DialContext(t.Context(), "tcp", "www.example.:80")
	if !errors.Is(err, onlink.ErrNoNameServer) {
		// The resolver puts errors of Dial into words.
		if e, ok := errors.AsType[*net.DNSError](err); !ok || e.Err != onlink.ErrNoNameServer.Error() {
			t.Errorf("%v", err)
		}
	}
}

func TestParseNameServer(t *testing.T) {
	for text, want := range map[string]string{"192.0.2.53": "192.0.2.53:53", "2001:db8::53": "[2001:db8::53]:53",
		"[2001:db8::53]:5353": "[2001:db8::53]:5353", "192.0.2.53:1": "192.0.2.53:1"} {
		if got, err := onlink.ParseNameServer(text); err != nil || got.String() != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "dns.example", "192.0.2.53:x"} {
		if got, err := onlink.ParseNameServer(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
