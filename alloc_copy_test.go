//go:build !race

package onlink_test

import (
	"io"
	"net"
	"testing"
)

// While io.Copy copies from one connection to another, nothing is allocated, nor when several slices are written.
func TestCopyAllocatesNothing(t *testing.T) {
	client, server := newPair(t, nil)
	in, proxyIn := connect(t, client, server, server4)
	proxyOut, out := connect(t, client, server, server4)
	go io.Copy(proxyOut, proxyIn)
	b := make([]byte, 100_000)
	v := net.Buffers{b[:100], b[100:20_000], b[20_000:]}
	exchange := func() {
		if _, err := in.WriteBuffers(v); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, b); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		exchange()
	}
	if n := testing.AllocsPerRun(1000, exchange); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
