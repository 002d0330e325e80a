package onlink_test

import (
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/mem"
)

// BenchmarkTCPGrowth sends over 1 to 10,000 connections at once between two hosts, and counts what all of them bring.
func BenchmarkTCPGrowth(b *testing.B) {
	eachCable(b, func(b *testing.B, cable mem.Config) {
		for _, n := range []int{1, 8, 100, 1000, 10_000} {
			b.Run(strconv.Itoa(n), func(b *testing.B) { bulks(b, cable, n) })
		}
	})
}

// ends are the two ends of a connection.
type ends struct{ c, s *onlink.TCPConn }

// bulks is bulk over many connections, which share what there is to send.
func bulks(b *testing.B, cable mem.Config, connections int) {
	client, server := newPairOn(b, cable, nil)
	all := make([]ends, connections)
	for i := range all {
		all[i].c, all[i].s = connect(b, client, server, server4)
	}
	chunk := make([]byte, 64<<10)
	warm(b, all)
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
func warm(b *testing.B, all []ends) {
	const octets = 512 << 10
	var work sync.WaitGroup
	for _, e := range all {
		work.Go(func() {
			if _, err := e.c.Write(make([]byte, octets)); err != nil {
				b.Error(err)
			}
		})
		work.Go(func() {
			if _, err := io.CopyN(discard{}, e.s, octets); err != nil {
				b.Error(err)
			}
		})
	}
	work.Wait()
}
