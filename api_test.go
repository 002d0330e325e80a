package onlink_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/mib"
)

// hosts are the addresses of the server by family.
var hosts = []string{server4, server6}

func eachFamily(t *testing.T, f func(t *testing.T, host string)) {
	for _, host := range hosts {
		t.Run(family(host), func(t *testing.T) { f(t, host) })
	}
}

// wantErr fails the test unless err is a *net.OpError that unwraps to want.
func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want %v", err, want)
	}
	if _, ok := errors.AsType[*net.OpError](err); !ok && want != io.EOF {
		t.Errorf("error %v is a %T, want a *net.OpError", err, err)
	}
}

func TestHalfClose(t *testing.T) {
	eachFamily(t, func(t *testing.T, host string) {
		client, server := newPair(t, nil)
		c, s := connect(t, client, server, host)
		if _, err := c.Write([]byte("question")); err != nil {
			t.Fatal(err)
		}
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		_, err := c.Write([]byte("more"))
		wantErr(t, err, syscall.EPIPE)
		if b, err := io.ReadAll(s); string(b) != "question" || err != nil {
			t.Fatalf("server read %q, %v", b, err)
		}
		if _, err := s.Write([]byte("answer")); err != nil {
			t.Fatal(err)
		}
		s.Close()
		if b, err := io.ReadAll(c); string(b) != "answer" || err != nil {
			t.Fatalf("client read %q, %v", b, err)
		}
	})
}

func TestCloseRead(t *testing.T) {
	client, server := newPair(t, nil)
	c, s := connect(t, client, server, server4)
	if err := c.CloseRead(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("Read after CloseRead: %d, %v", n, err)
	}
	if _, err := c.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	b := make([]byte, 1)
	if _, err := io.ReadFull(s, b); err != nil {
		t.Error(err)
	}
}

func TestDialErrors(t *testing.T) {
	eachFamily(t, func(t *testing.T, host string) {
		client, _ := newPair(t, nil)
		_, err := client.DialContext(t.Context(), "tcp", net.JoinHostPort(host, "1"))
		wantErr(t, err, syscall.ECONNREFUSED)
	})
	client, _ := newPair(t, nil)
	for _, test := range []struct {
		network, address string
		want             error
	}{
		{"tcp", "203.0.113.1:80", syscall.ENETUNREACH},
		{"tcp", "[2001:db8:ffff::1]:80", syscall.ENETUNREACH},
		{"udp", "203.0.113.1:80", syscall.ENETUNREACH},
		{"tcp", "224.0.0.1:80", syscall.ENETUNREACH},
	} {
		_, err := client.DialContext(t.Context(), test.network, test.address)
		wantErr(t, err, test.want)
	}
	for _, test := range []struct{ network, address string }{
		{"tcp", "192.0.2.2"}, {"tcp", "192.0.2.2:http-nobody-knows"}, {"tcp4", "[2001:db8::2]:80"}, {"tcp6", "192.0.2.2:80"},
		{"sctp", "192.0.2.2:80"}, {"tcp", "[fe80::1%nowhere]:80"}, {"tcp", "a.host.example:80"},
	} {
		_, err := client.DialContext(t.Context(), test.network, test.address)
		if _, ok := errors.AsType[*net.OpError](err); !ok {
			t.Errorf("%s %s: %v", test.network, test.address, err)
		}
	}
}

// A neighbor that does not answer makes the host unreachable, which the caller is told (RFC 4861, 7.2.2).
func TestDialUnreachableNeighbor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newPair(t, nil)
		for _, address := range []string{"192.0.2.77:80", "[2001:db8::77]:80"} {
			_, err := client.DialContext(t.Context(), "tcp", address)
			wantErr(t, err, syscall.EHOSTUNREACH)
			c, err := client.DialContext(t.Context(), "udp", address)
			if err != nil {
				t.Fatal(err)
			}
			c.Write([]byte("x"))
			_, err = c.Read(make([]byte, 1))
			wantErr(t, err, syscall.EHOSTUNREACH)
		}
		closeNow(client)
	})
}

// closeNow closes stacks within a synctest bubble, whose goroutines must end in it.
func closeNow(stacks ...*onlink.Stack) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, s := range stacks {
		s.Close(ctx)
	}
}

func TestDialCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := mem.Pair(mem.Config{}) // nobody at the other end
		s := newStack(t, onlink.Config{})
		addLink(t, s, a, clientAddrs)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(time.Second / 2)
			cancel()
		}()
		_, err := s.DialContext(ctx, "tcp", "192.0.2.2:80")
		wantErr(t, err, context.Canceled)
		ctx, cancel = context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		_, err = s.DialContext(ctx, "tcp", "[2001:db8::2]:80")
		wantErr(t, err, context.DeadlineExceeded)
		if e, ok := errors.AsType[net.Error](err); !ok || !e.Timeout() {
			t.Errorf("%v is no time-out", err)
		}
		closeNow(s)
	})
}

func TestListenErrors(t *testing.T) {
	_, server := newPair(t, nil)
	ln, err := server.Listen(t.Context(), "tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{":80", "192.0.2.2:80", "[2001:db8::2]:80"} {
		_, err := server.Listen(t.Context(), "tcp", address)
		wantErr(t, err, syscall.EADDRINUSE)
	}
	_, err = server.Listen(t.Context(), "tcp", "192.0.2.99:81")
	wantErr(t, err, syscall.EADDRNOTAVAIL)
	ln.Close()
	_, err = ln.Accept()
	wantErr(t, err, net.ErrClosed)
	wantErr(t, ln.Close(), net.ErrClosed)
	again, err := server.Listen(t.Context(), "tcp", ":80")
	if err != nil {
		t.Fatalf("port is not free after Close: %v", err)
	}
	again.Close()
	v4, err := server.Listen(t.Context(), "tcp4", ":81")
	if err != nil {
		t.Fatal(err)
	}
	v6, err := server.Listen(t.Context(), "tcp6", ":81")
	if err != nil {
		t.Fatal(err)
	}
	if v4.Addr().String() != "0.0.0.0:81" || v6.Addr().String() != "[::]:81" {
		t.Errorf("addresses %v and %v", v4.Addr(), v6.Addr())
	}
}

// Each blocking call returns net.ErrClosed when the thing is closed under it.
func TestCloseDuringCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newPair(t, nil)
		c, _ := connect(t, client, server, server4)
		d, _ := connect(t, client, server, server6)
		ln, err := server.Listen(t.Context(), "tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		pc, err := server.ListenPacket(t.Context(), "udp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			name  string
			call  func() error
			close func() error
		}{
			{"Read", func() error { _, err := c.Read(make([]byte, 1)); return err }, c.Close},
			{"Write", func() error { return writeForever(d) }, d.Close},
			{"Accept", func() error { _, err := ln.Accept(); return err }, ln.Close},
			{"ReadFrom", func() error { _, _, err := pc.ReadFrom(make([]byte, 1)); return err }, pc.Close},
		} {
			result := make(chan error)
			go func() { result <- test.call() }()
			synctest.Wait() // now it blocks
			if err := test.close(); err != nil {
				t.Errorf("%s: Close: %v", test.name, err)
			}
			wantErr(t, <-result, net.ErrClosed)
		}
		closeNow(client, server)
	})
}

func writeForever(c net.Conn) error {
	b := make([]byte, 64<<10)
	for {
		if _, err := c.Write(b); err != nil {
			return err
		}
	}
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newPair(t, nil)
		c, s := connect(t, client, server, server6)
		ln, err := server.Listen(t.Context(), "tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		pc, err := server.ListenPacket(t.Context(), "udp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			name string
			set  func(time.Time) error
			call func() error
		}{
			{"Read", c.SetReadDeadline, func() error { _, err := c.Read(make([]byte, 1)); return err }},
			{"Write", s.SetWriteDeadline, func() error { return writeForever(s) }},
			{"Accept", ln.(*onlink.TCPListener).SetDeadline, func() error { _, err := ln.Accept(); return err }},
			{"ReadFrom", pc.SetReadDeadline, func() error { _, _, err := pc.ReadFrom(make([]byte, 1)); return err }},
		} {
			began := time.Now()
			if err := test.set(began.Add(3 * time.Second)); err != nil {
				t.Error(err)
			}
			wantErr(t, test.call(), os.ErrDeadlineExceeded)
			if took := time.Since(began); took != 3*time.Second {
				t.Errorf("%s returned after %v", test.name, took)
			}
			wantErr(t, test.call(), os.ErrDeadlineExceeded) // it stays past
			// Moving a deadline wakes the call that waits under the old one.
			if err := test.set(time.Now().Add(time.Hour)); err != nil {
				t.Error(err)
			}
			go func() {
				time.Sleep(time.Second)
				test.set(time.Unix(1, 0))
			}()
			began = time.Now()
			wantErr(t, test.call(), os.ErrDeadlineExceeded)
			if took := time.Since(began); took != time.Second {
				t.Errorf("%s returned %v after its deadline was moved", test.name, took)
			}
		}
		closeNow(client, server)
	})
}

func TestReset(t *testing.T) {
	client, server := newPair(t, nil)
	c, s := connect(t, client, server, server4)
	if err := s.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	s.Close()
	_, err := c.Read(make([]byte, 1))
	wantErr(t, err, syscall.ECONNRESET)
	_, err = c.Write([]byte("x"))
	wantErr(t, err, syscall.ECONNRESET)
}

func TestManyConnections(t *testing.T) {
	client, server := newPair(t, nil)
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
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			c, err := client.DialContext(t.Context(), "tcp", net.JoinHostPort(hosts[i%2], "80"))
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			want := bytes.Repeat([]byte(fmt.Sprintf("connection %d ", i)), 500)
			go func() {
				c.Write(want)
				c.(*onlink.TCPConn).CloseWrite()
			}()
			if got, err := io.ReadAll(c); !bytes.Equal(got, want) || err != nil {
				t.Errorf("connection %d: %d of %d octets, %v", i, len(got), len(want), err)
			}
		})
	}
	wg.Wait()
	ln.Close()
}

func TestUDP(t *testing.T) {
	eachFamily(t, func(t *testing.T, host string) {
		client, server := newPair(t, nil)
		pc, err := server.ListenPacket(t.Context(), "udp", net.JoinHostPort(host, "7"))
		if err != nil {
			t.Fatal(err)
		}
		c, err := client.DialContext(t.Context(), "udp", net.JoinHostPort(host, "7"))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := c.(net.PacketConn); !ok {
			t.Error("a dialed UDP conn is no net.PacketConn")
		}
		b := make([]byte, 70000)
		for _, size := range []int{0, 1, 1472, 1473, 8000, 65507} {
			want := bytes.Repeat([]byte{byte(size)}, size)
			if _, err := c.Write(want); err != nil {
				t.Fatal(err)
			}
			n, from, err := pc.ReadFrom(b)
			if err != nil || !bytes.Equal(b[:n], want) || from.String() != c.LocalAddr().String() {
				t.Fatalf("size %d: got %d octets from %v, %v", size, n, from, err)
			}
			if _, err := pc.WriteTo(b[:n], from); err != nil {
				t.Fatal(err)
			}
			if n, err = c.Read(b); err != nil || !bytes.Equal(b[:n], want) {
				t.Fatalf("size %d: answer of %d octets, %v", size, n, err)
			}
		}
		_, err = c.Write(make([]byte, 65536))
		wantErr(t, err, syscall.EMSGSIZE)
		_, err = c.(net.PacketConn).WriteTo([]byte("x"), pc.LocalAddr())
		wantErr(t, err, syscall.EISCONN)
		_, err = pc.(net.Conn).Write([]byte("x"))
		wantErr(t, err, syscall.EDESTADDRREQ)
	})
}

func TestUDPRefused(t *testing.T) {
	eachFamily(t, func(t *testing.T, host string) {
		client, _ := newPair(t, nil)
		c, err := client.DialContext(t.Context(), "udp", net.JoinHostPort(host, "7"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		_, err = c.Read(make([]byte, 1))
		wantErr(t, err, syscall.ECONNREFUSED)
	})
}

func TestPing(t *testing.T) {
	eachFamily(t, func(t *testing.T, host string) {
		client, server := newPair(t, nil)
		for _, size := range []int{0, 56, 8000, 65507} {
			r, err := client.Ping(t.Context(), netip.MustParseAddr(host), onlink.PingConfig{Size: size})
			if size == 0 {
				size = 56
			}
			if err != nil || r.From.String() != host || r.HopLimit != 64 || r.Size != size {
				t.Errorf("%d octets: %+v, %v", size, r, err)
			}
		}
		// RFC 4293: datagrams "successfully delivered to IP user-protocols (including ICMP)".
		c := &server.Snapshot().Counters
		delivered, echos := c.Get(mib.IpInDelivers), c.Get(mib.IcmpInEchos)
		if host == server6 {
			delivered, echos = c.Get(mib.Ip6InDelivers), c.Get(mib.Icmp6InEchos)
		}
		if echos != 4 || delivered < echos {
			t.Errorf("%d requests among %d delivered datagrams", echos, delivered)
		}
	})
}

// What is sent to an address of one's own arrives, whichever address it is.
func TestLoopback(t *testing.T) {
	s, _ := newPair(t, nil)
	ln, err := s.Listen(t.Context(), "tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"127.0.0.1:80", "[::1]:80", ":80", "0.0.0.0:80", "[::]:80", "192.0.2.1:80", "[2001:db8::1]:80"} {
		c, err := s.DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		a, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("hello"))
		c.Close()
		if b, err := io.ReadAll(a); string(b) != "hello" || err != nil {
			t.Errorf("%s: read %q, %v", address, b, err)
		}
		a.Close()
	}
}

// Duplicate address detection takes a second; Dial waits for it by itself.
func TestDialWaitsForDAD(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := mem.Pair(mem.Config{})
		client, server := newStack(t, onlink.Config{}), newStack(t, onlink.Config{})
		for _, h := range []struct {
			s     *onlink.Stack
			l     *mem.Port
			addrs []netip.Prefix
		}{{client, a, clientAddrs}, {server, b, serverAddrs}} {
			i, err := h.s.AddLink("eth0", h.l, onlink.InterfaceConfig{Addresses: h.addrs})
			if err != nil {
				t.Fatal(err)
			}
			if h.s == server {
				if err := i.WaitReady(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, err := server.Listen(t.Context(), "tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		c, err := client.DialContext(t.Context(), "tcp", "[2001:db8::2]:80")
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		closeNow(client, server)
	})
}

func TestDuplicateAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := mem.Pair(mem.Config{})
		first, second := newStack(t, onlink.Config{}), newStack(t, onlink.Config{})
		i, err := first.AddLink("eth0", a, onlink.InterfaceConfig{Addresses: serverAddrs})
		if err != nil {
			t.Fatal(err)
		}
		if err := i.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		j, err := second.AddLink("eth0", b, onlink.InterfaceConfig{Addresses: serverAddrs})
		if err != nil {
			t.Fatal(err)
		}
		if err := j.WaitReady(t.Context()); err == nil {
			t.Error("a duplicate address became ready")
		} else {
			t.Log(err)
		}
		closeNow(first, second)
	})
}

// Close waits until the peer has what was written.
func TestStackCloseIsOrderly(t *testing.T) {
	client, server := newPair(t, nil)
	c, s := connect(t, client, server, server4)
	want := bytes.Repeat([]byte("all of it "), 10000)
	if _, err := c.Write(want); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- client.Close(t.Context()) }()
	if got, err := io.ReadAll(s); !bytes.Equal(got, want) || err != nil {
		t.Errorf("read %d of %d octets, %v", len(got), len(want), err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	_, err := client.DialContext(t.Context(), "tcp", "192.0.2.2:80")
	if err == nil {
		t.Error("Dial on a closed stack succeeded")
	}
}
