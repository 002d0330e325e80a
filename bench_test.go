package onlink_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
)

// Benchmarks of two stacks on one in-memory Ethernet of MTU 1500, checksums computed and verified: `make bench`.

// BenchmarkTCPBulk sends in one direction over one connection.
func BenchmarkTCPBulk(b *testing.B) {
	for _, host := range []string{server4, server6} {
		b.Run(family(host), func(b *testing.B) { bulk(b, mem.Config{}, host) })
	}
}

// superCable carries super-packets, and takes checksums on trust.
var superCable = mem.Config{Offload: link.Checksums | link.TCP4 | link.TCP6}

// eachCable runs f on a cable of MTU 1500 and on superCable.
func eachCable(b *testing.B, f func(b *testing.B, cable mem.Config)) {
	b.Run("1500", func(b *testing.B) { f(b, mem.Config{}) })
	b.Run("super", func(b *testing.B) { f(b, superCable) })
}

// BenchmarkTCPBulkSuper is BenchmarkTCPBulk on superCable.
func BenchmarkTCPBulkSuper(b *testing.B) {
	for _, host := range []string{server4, server6} {
		b.Run(family(host), func(b *testing.B) { bulk(b, superCable, host) })
	}
}

// BenchmarkTCPBulkWide has packets of 64 KiB carry what is written and read in as much, over one connection and over eight.
func BenchmarkTCPBulkWide(b *testing.B) {
	for _, conns := range []int{1, 8} {
		for _, queues := range []int{1, 2} {
			b.Run(fmt.Sprintf("connections=%d/queues=%d", conns, queues), func(b *testing.B) {
				cable := superCable
				cable.MTU, cable.Queues = 65535, queues
				client, server := newPairOn(b, cable, nil)
				chunk := make([]byte, 64<<10)
				b.SetBytes(int64(len(chunk)))
				b.ReportAllocs()
				var work sync.WaitGroup
				for range conns {
					c, s := connect(b, client, server, server4)
					work.Go(func() {
						for range (b.N + conns - 1) / conns {
							if _, err := c.Write(chunk); err != nil {
								b.Error(err)
								break
							}
						}
						c.Close()
					})
					work.Go(func() {
						if _, err := (discard{}).ReadFrom(s); err != nil {
							b.Error(err)
						}
					})
				}
				work.Wait()
			})
		}
	}
}

func bulk(b *testing.B, cable mem.Config, host string) {
	client, server := newPairOn(b, cable, nil)
	c, s := connect(b, client, server, host)
	flood(b, c, s)
}

// flood sends on c what comes out of s, and measures that.
func flood(b *testing.B, c, s *onlink.TCPConn) {
	chunk := make([]byte, 64<<10)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		for range b.N {
			if _, err := c.Write(chunk); err != nil {
				b.Error(err)
				break
			}
		}
		c.Close()
	}()
	n, err := io.Copy(discard{}, s)
	if err != nil || n != int64(b.N)*int64(len(chunk)) {
		b.Fatalf("received %d octets, %v", n, err)
	}
}

// discard is io.Discard without its small buffer.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func (discard) ReadFrom(r io.Reader) (n int64, err error) {
	b := make([]byte, 64<<10)
	for {
		m, err := r.Read(b)
		n += int64(m)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// BenchmarkTCPRoundTrip sends one octet there and back.
func BenchmarkTCPRoundTrip(b *testing.B) {
	client, server := newPair(b, nil)
	c, s := connect(b, client, server, server4)
	go func() {
		io.Copy(s, s)
		s.Close()
	}()
	octet := make([]byte, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(octet); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, octet); err != nil {
			b.Fatal(err)
		}
	}
	c.Close()
}

// BenchmarkTCPConnect opens a connection, sends one octet, and closes: one client, and eight at once. As servers are written, each
// connection has a goroutine of its own there.
func BenchmarkTCPConnect(b *testing.B) {
	for _, clients := range []int{1, 8} {
		b.Run(strconv.Itoa(clients), func(b *testing.B) { benchmarkConnect(b, clients) })
	}
}

func benchmarkConnect(b *testing.B, clients int) {
	client, server := newPair(b, nil)
	ln, err := server.Listen(b.Context(), "tcp", ":80")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				c.Read(make([]byte, 1))
				c.Close()
			}()
		}
	}()
	var left atomic.Int64
	left.Store(int64(b.N))
	addr := net.JoinHostPort(server4, "80")
	var all sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range clients {
		all.Go(func() {
			octet := make([]byte, 1)
			for left.Add(-1) >= 0 {
				c, err := client.DialContext(b.Context(), "tcp", addr)
				if err != nil {
					b.Error(err)
					return
				}
				if _, err := c.Write(octet); err != nil {
					b.Error(err)
				}
				if _, err := c.Read(octet); err != io.EOF {
					b.Error(err)
				}
				c.Close()
			}
		})
	}
	all.Wait()
}

// BenchmarkUDP sends datagrams of 64 and of 1400 octets and counts those received.
func BenchmarkUDP(b *testing.B) {
	for _, size := range []int{64, 1400} {
		b.Run(map[int]string{64: "64B", 1400: "1400B"}[size], func(b *testing.B) {
			client, server := newPair(b, nil)
			c, s, to := udpPair(b, client, server)
			payload := make([]byte, size)
			received := make(chan int)
			go func() {
				buf := make([]byte, 2048)
				n := 0
				for {
					if _, _, err := s.ReadFromUDPAddrPort(buf); err != nil {
						received <- n
						return
					}
					n++
				}
			}()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.WriteToUDPAddrPort(payload, to); err != nil {
					b.Fatal(err)
				}
			}
			s.Close()
			n := <-received
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "received/s")
		})
	}
}

// udpPair returns a socket on each stack, and the address of the server's.
func udpPair(t testing.TB, client, server *onlink.Stack) (c, s *onlink.UDPConn, to netip.AddrPort) {
	t.Helper()
	pc, err := server.ListenPacket(t.Context(), "udp", net.JoinHostPort(server4, "9"))
	if err != nil {
		t.Fatal(err)
	}
	from, err := client.ListenPacket(t.Context(), "udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	return from.(*onlink.UDPConn), pc.(*onlink.UDPConn), netip.MustParseAddrPort(net.JoinHostPort(server4, "9"))
}

func family(host string) string {
	if netip.MustParseAddr(host).Is4() {
		return "v4"
	}
	return "v6"
}
