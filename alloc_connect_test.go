//go:build !race

package onlink_test

import (
	"io"
	"net"
	"testing"
)

// A connection is, at each end, what the user holds and what the shard knows of it; its memory for moving data is used again, and
// so is that of its handshake and of TIME-WAIT.
func TestConnectAllocatesLittle(t *testing.T) {
	eachFamily(t, func(t *testing.T, host string) {
		const most = 10 // four, two for the figures of each end, one for a remnant, and what maps take as long as there are more and more of these
		client, server := newPair(t, nil)
		ln, err := server.Listen(t.Context(), "tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		addr, octet := ln.Addr().String(), make([]byte, 1)
		connect := func() {
			c, err := client.DialContext(t.Context(), "tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			s, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Write(octet); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(s, octet); err != nil {
				t.Fatal(err)
			}
			s.Close()
			if _, err := c.Read(octet); err != io.EOF {
				t.Fatal(err)
			}
			c.Close()
		}
		for range 100 {
			connect()
		}
		if n := testing.AllocsPerRun(1000, connect); n > most {
			t.Errorf("%v allocations for a connection, more than %d", n, most)
		}
	})
}
