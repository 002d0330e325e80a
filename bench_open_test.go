package onlink_test

import (
	"net"
	"sync"
	"testing"
)

// BenchmarkTCPOpen opens connections over which nothing goes, by several clients at once, each towards a port of its own. They stay
// until a client has used up most of its ports; then two new stacks take over.
func BenchmarkTCPOpen(b *testing.B) {
	const clients, most = 8, 20_000 // at a port
	b.ReportAllocs()
	for left := b.N; left > 0; left -= clients * most {
		openIdle(b, clients, min(left, clients*most))
	}
}

// openIdle opens so many connections between two new stacks.
func openIdle(b *testing.B, clients, connections int) {
	b.StopTimer()
	client, server := newPair(b, nil)
	ends := make([][]net.Conn, clients)
	b.StartTimer()
	var all sync.WaitGroup
	for i := range ends {
		all.Go(func() {
			ln, err := server.Listen(b.Context(), "tcp", ":0")
			if err != nil {
				b.Error(err)
				return
			}
			defer ln.Close()
			_, port, _ := net.SplitHostPort(ln.Addr().String())
			addr := net.JoinHostPort(server4, port)
			for range (connections + clients - 1 - i) / clients {
				c, err := client.DialContext(b.Context(), "tcp", addr)
				if err != nil {
					b.Error(err)
					return
				}
				s, err := ln.Accept()
				if err != nil {
					b.Error(err)
					return
				}
				ends[i] = append(ends[i], c, s)
			}
		})
	}
	all.Wait()
	b.StopTimer()
	closeNow(client, server)
	b.StartTimer()
}
