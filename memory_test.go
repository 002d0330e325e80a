//go:build !race

package onlink_test

import (
	"net"
	"runtime"
	"testing"

	"github.com/onlink-go/onlink"
)

// connectionOctets bounds the memory of an idle connection that is ESTABLISHED and has not carried data yet: both its
// ends, with all that the stacks keep for it, and what the user holds. It is a little above what is measured.
const connectionOctets = 1600

// TestConnectionMemory opens many connections between two stacks, and measures what each of them costs while nothing happens:
// the first ones as much as the last ones.
func TestConnectionMemory(t *testing.T) {
	const listeners = 4
	client, server := newPair(t, nil)
	var lns []net.Listener
	for range listeners {
		ln, err := server.Listen(t.Context(), "tcp", net.JoinHostPort(server4, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		lns = append(lns, ln)
	}
	steps := []int{500, 4500, 10_000} // connections, at which memory is looked at; the first some stay awake
	ends := make([]net.Conn, 0, 2*steps[2])
	var before runtime.MemStats
	var cost []int
	for i, n := range steps {
		for j := len(ends) / 2; j < n; j++ {
			ln := lns[j%listeners]
			c, err := client.DialContext(t.Context(), "tcp", ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			s, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, c, s)
		}
		after := heap()
		if i > 0 {
			opened := n - steps[i-1]
			octets := int(after.HeapAlloc-before.HeapAlloc) / opened
			objects := float64(after.HeapObjects-before.HeapObjects) / float64(opened)
			t.Logf("from %d to %d connections, an idle one takes %d octets in %.1f objects, both ends together", steps[i-1], n, octets, objects)
			if octets > connectionOctets {
				t.Errorf("more than %d octets", connectionOctets)
			}
			cost = append(cost, octets)
		}
		before = after
	}
	if a, b := cost[0], cost[1]; max(a, b) > min(a, b)*5/4 {
		t.Errorf("no straight line: %v octets a connection", cost)
	}
	for _, c := range ends {
		if err := c.(*onlink.TCPConn).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
}

// heap returns the figures of the heap when all garbage is gone.
func heap() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC() // frees what sync.Pool has held over the first
	runtime.ReadMemStats(&m)
	return m
}
