//go:build !race

package onlink_test

import (
	"io"
	"testing"

	"github.com/onlink-go/onlink"
)

// Nothing is allocated for a packet: neither on its way out of one stack, nor on its way into the other, nor for the
// acknowledgment that comes back. On an in-memory link all that happens within Write.

func TestTCPAllocatesNothing(t *testing.T) {
	eachFamily(t, func(t *testing.T, host string) {
		client, server := newPair(t, nil)
		c, s := connect(t, client, server, host)
		b := make([]byte, 1400)
		exchange := func() {
			if _, err := c.Write(b); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(s, b); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Write(b[:1]); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(c, b[:1]); err != nil {
				t.Fatal(err)
			}
		}
		for range 100 {
			exchange()
		}
		if n := testing.AllocsPerRun(1000, exchange); n != 0 {
			t.Errorf("%v allocations for a segment each way", n)
		}
	})
}

func TestFramesAllocateNothing(t *testing.T) {
	client, server, ci, si := framePair(t)
	c := listenFrames(t, client, ci, onlink.FrameConfig{})
	s := listenFrames(t, server, si, onlink.FrameConfig{EtherType: 0x0800})
	frame, b := broadcast4("x"), make([]byte, 100)
	exchange := func() {
		if err := c.WriteFrame(frame); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.ReadFrame(b); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		exchange()
	}
	if n := testing.AllocsPerRun(1000, exchange); n != 0 {
		t.Errorf("%v allocations for a frame", n)
	}
}

func TestUDPAllocatesNothing(t *testing.T) {
	client, server := newPair(t, nil)
	c, s, to := udpPair(t, client, server)
	b := make([]byte, 1400)
	exchange := func() {
		if _, err := c.WriteToUDPAddrPort(b, to); err != nil {
			t.Fatal(err)
		}
		_, from, err := s.ReadFromUDPAddrPort(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.WriteToUDPAddrPort(b[:1], from); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.ReadFromUDPAddrPort(b); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		exchange()
	}
	if n := testing.AllocsPerRun(1000, exchange); n != 0 {
		t.Errorf("%v allocations for a datagram each way", n)
	}
}
