//go:build !race

package onlink_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink"
)

// Nor do batches allocate, nor writes of many datagrams, however they are read and whatever the cable takes.
func TestBatchesAllocateNothing(t *testing.T) {
	overCables(t, func(t *testing.T, a, b *onlink.Stack, to netip.AddrPort) {
		out, in := listenUDP(t, a, "udp", ":0"), listenUDP(t, b, "udp", ":7000")
		write := room(8)
		for i := range write {
			write[i].Buffers, write[i].OOB, write[i].Addr = [][]byte{make([]byte, 10), make([]byte, 990)}, nil, net.UDPAddrFromAddrPort(to)
		}
		read := room(8)
		data, buf := make([]byte, 8*1000), make([]byte, 66000)
		segments := onlink.ControlMessage{SegmentSize: 1000}
		var m onlink.ControlMessage
		// readAll reads n octets, or fails.
		readAll := func(n int) error {
			for n > 0 {
				got, _, err := in.ReadMsg(buf, &m)
				if err != nil {
					return err
				}
				n -= got
			}
			return nil
		}
		for way, exchange := range map[string]func() error{
			"batches": func() error {
				if _, err := out.WriteBatch(write, 0); err != nil {
					return err
				}
				for n := 0; n < len(write); {
					got, err := in.ReadBatch(read, 0)
					if err != nil {
						return err
					}
					n += got
				}
				return nil
			},
			"segments": func() error {
				if _, err := out.WriteMsg(data, &segments, to); err != nil {
					return err
				}
				return readAll(len(data))
			},
			"segments, joined": func() error {
				in.SetCoalesce(true)
				defer in.SetCoalesce(false)
				if _, err := out.WriteMsg(data, &segments, to); err != nil {
					return err
				}
				return readAll(len(data))
			},
		} {
			run := func() {
				if err := exchange(); err != nil {
					t.Fatal(way, err)
				}
			}
			for range 100 {
				run()
			}
			if n := testing.AllocsPerRun(500, run); n != 0 {
				t.Errorf("%s: %v allocations", way, n)
			}
		}
	})
}

// Nor does a socket that sends to many in turn.
func TestManyPeersAllocateNothing(t *testing.T) {
	a, b := newPair(t, nil)
	out, in := listenUDP(t, a, "udp", ":0"), listenUDP(t, b, "udp", ":7000")
	buf := make([]byte, 100)
	round := func() {
		for _, host := range []string{server4, server6} {
			if _, err := out.WriteToUDPAddrPort(buf, netip.AddrPortFrom(netip.MustParseAddr(host), 7000)); err != nil {
				t.Fatal(err)
			}
			if _, _, err := in.ReadFromUDPAddrPort(buf); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 100 {
		round()
	}
	if n := testing.AllocsPerRun(500, round); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
