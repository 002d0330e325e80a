package onlink_test

import (
	"io"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/mem"
)

// BenchmarkTCPMouse sends one octet there and back while other connections of the same shard send as much as they can, and tells
// which times half and 99 of 100 of the round trips are below.
func BenchmarkTCPMouse(b *testing.B) {
	eachCable(b, func(b *testing.B, cable mem.Config) {
		for _, elephants := range []int{0, 1, 8} {
			b.Run(strconv.Itoa(elephants), func(b *testing.B) { mouse(b, cable, elephants) })
		}
	})
}

func mouse(b *testing.B, cable mem.Config, elephants int) {
	ca, cb := mem.Pair(cable)
	client, server := newStack(b, onlink.Config{Shards: 1}), newStack(b, onlink.Config{Shards: 1})
	addLink(b, client, ca, clientAddrs)
	addLink(b, server, cb, serverAddrs)
	c, s := connect(b, client, server, server4)
	go io.Copy(s, s)
	for range elephants {
		to, from := connect(b, client, server, server4)
		go io.Copy(discard{}, from)
		go func() {
			chunk := make([]byte, 64<<10)
			for {
				if _, err := to.Write(chunk); err != nil {
					return // the stack is closed
				}
			}
		}()
	}
	octet := make([]byte, 1)
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		if _, err := c.Write(octet); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, octet); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-µs")
}
