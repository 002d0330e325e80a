package sim_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
)

// sockets are those a call of TestCloseEndsEveryCall may use.
type sockets struct {
	*sim.Node
	tcp      *onlink.TCPConn
	udp      *onlink.UDPConn
	listener *onlink.TCPListener
}

// addTentative waits until half a second before the stack is closed, and adds an address.
func (s *sockets) addTentative() {
	s.Sleep(4500 * time.Millisecond)
	s.Interface("eth0").AddAddress(netip.MustParsePrefix("2001:db8:7::1/64"))
}

// Closing a stack ends every call that waits on it.
func TestCloseEndsEveryCall(t *testing.T) {
	for name, row := range map[string]struct {
		call func(s *sockets) error
		want error // nil: any
	}{
		"Read":     {func(s *sockets) error { _, err := s.tcp.Read(make([]byte, 1)); return err }, net.ErrClosed},
		"Write":    {func(s *sockets) error { _, err := s.tcp.Write(make([]byte, 64<<20)); return err }, net.ErrClosed},
		"UDP Read": {func(s *sockets) error { _, err := s.udp.Read(make([]byte, 1)); return err }, net.ErrClosed},
		"Accept":   {func(s *sockets) error { _, err := s.listener.Accept(); return err }, net.ErrClosed},
		"Dial": {func(s *sockets) error {
			_, err := s.DialContext(context.Background(), "tcp", "192.0.2.2:81") // whose SYNs are lost
			return err
		}, net.ErrClosed},
		"Ping": {func(s *sockets) error {
			_, err := s.Ping(context.Background(), netip.MustParseAddr("192.0.2.2"), onlink.PingConfig{})
			return err
		}, net.ErrClosed},
		"Dial during duplicate address detection": {func(s *sockets) error {
			s.addTentative()
			d := onlink.Dialer{Stack: s.Stack, LocalAddr: "[2001:db8:7::1]:0"}
			_, err := d.DialContext(context.Background(), "tcp", "[2001:db8:7::2]:80")
			return err
		}, nil},
		"WaitReady": {func(s *sockets) error {
			s.addTentative()
			return s.Interface("eth0").WaitReady(context.Background())
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			n := sim.New(1)
			defer n.Stop()
			a, b := n.Host("a"), n.Host("b")
			cable := n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"), sim.Line{Delay: time.Millisecond})
			serve(t, b, func(c *onlink.TCPConn) { b.Sleep(time.Hour) })
			returned := false
			a.Go("client", func() {
				s := &sockets{a, dial(t, a, "192.0.2.2:80"), dialUDP(t, a, "192.0.2.2:9"), listen(t, a, ":80")}
				ping(a, "192.0.2.2", onlink.PingConfig{}) // has UDP's neighbor resolved
				cable.Filter(func(*sim.Node, []byte) bool { return false })
				began := a.Now()
				a.Go("close", func() {
					a.Sleep(5 * time.Second)
					ctx, cancel := a.WithTimeout(context.Background(), 0)
					defer cancel()
					a.Close(ctx)
				})
				err := row.call(s)
				if err == nil || row.want != nil && !errors.Is(err, row.want) {
					t.Errorf("error is %v, want %v", err, row.want)
				}
				if took := a.Now().Sub(began); took != 5*time.Second {
					t.Errorf("returned after %v", took)
				}
				if err := row.call(s); err == nil {
					t.Error("again: no error")
				}
				returned = true
			})
			n.RunFor(time.Minute)
			if !returned {
				t.Error("it still waits")
			}
		})
	}
}
