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
const connectionOctets = 5300

// TestConnectionMemory opens many connections between two stacks, and measures what one costs while nothing happens.
func TestConnectionMemory(t *testing.T) {
	const connections, listeners = 10_000, 4
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
	ends := make([]net.Conn, 0, 2*connections)
	open := func(i int) {
		ln := lns[i%listeners]
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
	for i := range listeners {
		open(i) // resolves the neighbour, makes what a stack makes once
	}
	before := heap()
	for i := listeners; i < connections; i++ {
		open(i)
	}
	after := heap()
	runtime.KeepAlive(ends)
	n := connections - listeners
	octets := int(after.HeapAlloc-before.HeapAlloc) / n
	objects := float64(after.HeapObjects-before.HeapObjects) / float64(n)
	t.Logf("an idle connection takes %d octets in %.1f objects, both ends together", octets, objects)
	if octets > connectionOctets {
		t.Errorf("more than %d octets", connectionOctets)
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
