package onlink_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
)

// steady is a congestion control that has the same few segments in flight whatever happens.
type steady struct {
	onlink.NoCongestionControl
	window int
}

func (c *steady) Name() string                          { return "steady" }
func (c *steady) Init(s *onlink.CongestionSender)       { s.Window = c.window }
func (c *steady) Grow(*onlink.CongestionSender, int)    {}
func (c *steady) Reduce(s *onlink.CongestionSender) int { return c.window }

// A congestion control of one's own, for all connections of a host. It has ten segments in flight, so that with a round-trip
// time of 100 ms a hundred of them arrive in a second.
func ExampleCongestionControl() {
	n := sim.New(1)
	defer n.Stop()
	a := n.Node("a", onlink.Config{TCP: onlink.TCPConfig{
		CongestionControl: "steady",
		Algorithms: []onlink.CongestionAlgorithm{{
			Name: "steady", New: func() onlink.CongestionControl { return &steady{window: 10} },
		}},
	}})
	b := n.Host("b")
	n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"), sim.Line{Delay: 50 * time.Millisecond})
	b.Go("server", func() {
		ln, _ := b.Listen(context.Background(), "tcp", ":80")
		c, _ := ln.Accept()
		began := b.Now()
		got, _ := io.Copy(io.Discard, c)
		fmt.Println(got, "octets in", b.Now().Sub(began).Round(time.Second))
		c.Close()
		ln.Close()
	})
	a.Go("client", func() {
		c, err := a.DialContext(context.Background(), "tcp", "192.0.2.2:80")
		if err != nil {
			panic(err)
		}
		c.Write(make([]byte, 1000*1448))
		info := c.(*onlink.TCPConn).Info()
		fmt.Println(info.Control, info.CongestionWindowSegments)
		c.Close()
	})
	n.Run()
	// Output:
	// steady 10
	// 1448000 octets in 10s
}

// Algorithms are checked, and are chosen by name like the others.
func TestAlgorithms(t *testing.T) {
	made := func() onlink.CongestionControl { return &steady{window: 3} }
	for _, a := range []onlink.CongestionAlgorithm{{Name: "x"}, {New: made}, {Name: strings.Repeat("x", 16), New: made}, {Name: "a b", New: made}} {
		if _, err := onlink.New(onlink.Config{TCP: onlink.TCPConfig{Algorithms: []onlink.CongestionAlgorithm{a}}}); err == nil {
			t.Errorf("%q was accepted", a.Name)
		}
	}
	if _, err := onlink.New(onlink.Config{TCP: onlink.TCPConfig{CongestionControl: "steady"}}); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("without it: %v", err)
	}
	s, err := onlink.New(onlink.Config{TCP: onlink.TCPConfig{Algorithms: []onlink.CongestionAlgorithm{{Name: "steady", New: made}, onlink.BBR()}}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	for _, name := range []string{"steady", "bbr", "reno", "cubic"} {
		if err := s.SetSysctl("net.ipv4.tcp_congestion_control", name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.SetSysctl("net.ipv4.tcp_congestion_control", "vegas"); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("an unknown one: %v", err)
	}
	d := onlink.Dialer{Stack: s, TCP: onlink.TCPOptions{CongestionControl: "vegas"}}
	if _, err := d.DialContext(context.Background(), "tcp", "127.0.0.1:9"); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("dialing with an unknown one: %v", err)
	}
	d.TCP.CongestionControl = "steady"
	if _, err := d.DialContext(context.Background(), "tcp", "127.0.0.1:9"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialing with it: %v", err)
	}
}
