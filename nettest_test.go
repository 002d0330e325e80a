package onlink_test

import (
	"net"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/impair"
)

// TestConn runs package net's own conformance tests on TCP connections: both families, over a clean link and over
// one that loses, reorders, duplicates and corrupts.
func TestConn(t *testing.T) {
	bad := impair.Path{Delay: 100 * time.Microsecond, Loss: 0.02, Reorder: 0.02, Duplicate: 0.01, Corrupt: 0.005}
	lossy := func(rt clock.Runtime, l link.Link) link.Link {
		return impair.New(rt, l, impair.Config{Egress: bad, Ingress: bad})
	}
	for _, test := range []struct {
		name string
		host string
		wrap func(clock.Runtime, link.Link) link.Link
	}{
		{"v4", server4, nil},
		{"v6", server6, nil},
		{"v4 lossy", server4, lossy},
		{"v6 lossy", server6, lossy},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // they wait, most of the time
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				client, server := newPair(t, test.wrap)
				c, s := connect(t, client, server, test.host)
				return c, s, func() { c.Close(); s.Close() }, nil
			})
		})
	}
}
