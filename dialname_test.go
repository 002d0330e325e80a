package onlink_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/mem"
)

// named is a pair of hosts of which the server answers for www.example. with the given addresses, and listens on its own.
func named(t *testing.T, addr4, addr6 string) (client, server *onlink.Stack) {
	t.Helper()
	a, b := mem.Pair(mem.Config{})
	server = newStack(t, onlink.Config{})
	addLink(t, server, b, serverAddrs)
	client = newStack(t, onlink.Config{DNS: []netip.AddrPort{netip.MustParseAddrPort(server4 + ":53")}})
	addLink(t, client, a, clientAddrs)
	pc, err := server.ListenPacket(t.Context(), "udp", ":53")
	if err != nil {
		t.Fatal(err)
	}
	go serveDNS(t, pc, addr4, addr6)
	ln, err := server.Listen(t.Context(), "tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	return client, server
}

// Nobody answers at the IPv6 address: IPv4 is tried beside it after 250 ms (RFC 8305, 5), and no goroutine is left.
func TestHappyEyeballs(t *testing.T) {
	for _, c := range []struct {
		name         string
		addr4, addr6 string
		delay        time.Duration
		want         string
		after        time.Duration
	}{
		{"both answer", server4, server6, 0, server6, 0},
		{"IPv6 is silent", server4, "2001:db8::99", 0, server4, 250 * time.Millisecond},
		{"another delay", server4, "2001:db8::99", time.Second, server4, time.Second},
		{"one after the other", server4, "2001:db8::99", -1, server4, 3 * time.Second}, // RFC 4861, 10: three solicitations
		{"IPv4 is silent", "192.0.2.99", server6, 0, server6, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, _ := named(t, c.addr4, c.addr6)
				d := onlink.Dialer{Stack: client, AttemptDelay: c.delay}
				began := time.Now()
				conn, err := d.DialContext(t.Context(), "tcp", "www.example.:80")
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if got := conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().String(); got != c.want {
					t.Errorf("connected to %s, want %s", got, c.want)
				}
				if took := time.Since(began).Truncate(10 * time.Millisecond); took != c.after {
					t.Errorf("connected after %v, want %v", took, c.after)
				}
			})
		})
	}
}

// The error is that of the attempt tried first; a context that ends first is the error itself.
func TestHappyEyeballsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := named(t, server4, server6)
		_, err := client.DialContext(t.Context(), "tcp", "www.example.:81")
		op, ok := errors.AsType[*net.OpError](err)
		if !ok || !errors.Is(err, syscall.ECONNREFUSED) || op.Addr.String() != net.JoinHostPort(server6, "81") {
			t.Errorf("nobody listens: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		client, _ := named(t, "192.0.2.99", "2001:db8::99")
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := client.DialContext(ctx, "tcp", "www.example.:80"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nobody answers: %v", err)
		}
	})
}

// RFC 6724, 10.3: "An administrator can change the policy table to prefer IPv4 addresses".
func TestPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := named(t, server4, server6)
		if !slices.Equal(client.Policy(), onlink.DefaultPolicy()) {
			t.Errorf("a stack begins with %v", client.Policy())
		}
		look := func() string {
			found, err := client.LookupNetIP(t.Context(), "ip", "www.example.")
			if err != nil || len(found) != 2 {
				t.Fatal(found, err)
			}
			return found[0].String()
		}
		if got := look(); got != server6 {
			t.Errorf("first is %s", got)
		}
		table := onlink.DefaultPolicy()
		for i := range table {
			if table[i].Prefix == netip.MustParsePrefix("::ffff:0:0/96") {
				table[i].Precedence = 100
			}
		}
		if err := client.SetPolicy(table); err != nil {
			t.Fatal(err)
		}
		if got := look(); got != server4 {
			t.Errorf("with IPv4 preferred, first is %s", got)
		}
		if err := client.SetPolicy(append(table, table[0])); err == nil || len(client.Policy()) != len(table) {
			t.Errorf("a prefix twice: %v", err)
		}
		// UDP asks nobody, so it goes to the first.
		c, err := client.DialContext(t.Context(), "udp", "www.example.:9")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := c.RemoteAddr().String(); got != server4+":9" {
			t.Errorf("udp goes to %s", got)
		}
	})
}

// Close ends the lookups under way.
func TestCloseWhileLookingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newPair(t, nil)
		if err := client.Interface("eth0").SetNameServers([]netip.AddrPort{netip.MustParseAddrPort(server4 + ":53")}, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := server.ListenPacket(t.Context(), "udp", ":53"); err != nil { // who does not answer
			t.Fatal(err)
		}
		began := time.Now()
		time.AfterFunc(time.Second, func() { client.Close(context.Background()) })
		_, err := client.DialContext(t.Context(), "tcp", "www.example:80")
		if !errors.Is(err, net.ErrClosed) || time.Since(began) != time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// Names are looked up in one bubble after another of one process, and beside them outside of any.
func TestBubbles(t *testing.T) {
	for range 3 {
		synctest.Test(t, func(t *testing.T) {
			client, _ := named(t, server4, server6)
			if found, err := client.LookupNetIP(t.Context(), "ip", "www.example."); err != nil || len(found) != 2 {
				t.Error(found, err)
			}
			if _, err := client.DNS().LookupTXT(t.Context(), "nobody.example"); err == nil {
				t.Error("nobody has a text")
			}
		})
		client, _ := named(t, server4, server6)
		if found, err := client.LookupNetIP(t.Context(), "ip", "www.example."); err != nil || len(found) != 2 {
			t.Error(found, err)
		}
	}
}
