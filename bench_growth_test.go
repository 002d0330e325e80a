package onlink_test

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
)

// BenchmarkTCPGrowth sends over 1 to 10,000 connections at once between two hosts, and counts what all of them bring.
func BenchmarkTCPGrowth(b *testing.B) {
	for _, cable := range []struct {
		name string
		mem.Config
	}{{"1500", mem.Config{}}, {"super", mem.Config{Offload: link.Checksums | link.TCP4 | link.TCP6}}} {
		for _, n := range []int{1, 8, 100, 1000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", cable.name, n), func(b *testing.B) { bulks(b, cable.Config, n) })
		}
	}
}

// bulks is bulk over many connections, which share what there is to send.
func bulks(b *testing.B, cable mem.Config, connections int) {
	client, server := newPairOn(b, cable, nil)
	type ends struct{ c, s *onlink.TCPConn }
	all := make([]ends, connections)
	for i := range all {
		all[i].c, all[i].s = connect(b, client, server, server4)
	}
	chunk := make([]byte, 64<<10)
	warm(b, connections, func(i int) (c, s *onlink.TCPConn) { return all[i].c, all[i].s })
	var left, received atomic.Int64
	left.Store(int64(b.N))
	var work sync.WaitGroup
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	b.ResetTimer()
	for _, e := range all {
		work.Go(func() {
			defer e.c.Close()
			for left.Add(-1) >= 0 {
				if _, err := e.c.Write(chunk); err != nil {
					b.Error(err)
					return
				}
			}
		})
		work.Go(func() {
			defer e.s.Close()
			n, err := discard{}.ReadFrom(e.s)
			if err != nil {
				b.Error(err)
			}
			received.Add(n)
		})
	}
	work.Wait()
	if n := received.Load(); n != int64(b.N)*int64(len(chunk)) {
		b.Errorf("received %d octets of %d", n, b.N*len(chunk))
	}
}

// warm has every connection transfer so much that windows and buffers are what they will be.
func warm(b *testing.B, connections int, ends func(i int) (c, s *onlink.TCPConn)) {
	const octets = 512 << 10
	var work sync.WaitGroup
	for i := range connections {
		c, s := ends(i)
		work.Go(func() {
			if _, err := c.Write(make([]byte, octets)); err != nil {
				b.Error(err)
			}
		})
		work.Go(func() {
			if _, err := io.CopyN(discard{}, s, octets); err != nil {
				b.Error(err)
			}
		})
	}
	work.Wait()
}
