package sim_test

import (
	"context"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// tcpStates returns where the states that the connections of node go through are noted.
func tcpStates(node *sim.Node) *[]string {
	states := new([]string)
	node.Tracer().Add(sinkFunc(func(e *trace.Event) {
		if e.Kind == trace.TCPStateChanged {
			*states = append(*states, e.To)
		}
	}))
	return states
}

func has(states *[]string, state string) bool {
	for _, s := range *states {
		if s == state {
			return true
		}
	}
	return false
}

// RFC 9293, 3.5, figure 7: two SYNs that cross make one connection.
func TestSimultaneousOpen(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b := lan(n, sim.Line{Delay: 50 * time.Millisecond})
	n.RunFor(5 * time.Second)
	states := tcpStates(a)
	ends := []struct {
		node      *sim.Node
		from, to  string
		say, hear string
	}{
		{a, "192.0.2.1:1000", "192.0.2.2:2000", "from a", "from b"},
		{b, "192.0.2.2:2000", "192.0.2.1:1000", "from b", "from a"},
	}
	// Neighbors know each other, so that the SYNs do cross.
	a.Go("ping", func() { ping(a, "192.0.2.2", onlink.PingConfig{}) })
	run(t, n)
	for _, e := range ends {
		e.node.Go("dial", func() {
			d := onlink.Dialer{Stack: e.node.Stack, LocalAddr: e.from}
			c, err := d.DialContext(t.Context(), "tcp", e.to)
			if err != nil {
				t.Error(err)
				return
			}
			if c.LocalAddr().String() != e.from || c.RemoteAddr().String() != e.to {
				t.Errorf("a connection from %v to %v", c.LocalAddr(), c.RemoteAddr())
			}
			c.Write([]byte(e.say))
			c.(*onlink.TCPConn).CloseWrite()
			if got, err := io.ReadAll(c); string(got) != e.hear || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
			c.Close()
		})
	}
	run(t, n)
	if !has(states, "SYN-RECEIVED") {
		t.Errorf("no simultaneous open: %v", *states)
	}
	// RFC 9293, figure 13: and as the FINs crossed too, both went through CLOSING.
	if !has(states, "CLOSING") {
		t.Errorf("no simultaneous close: %v", *states)
	}
}

// RFC 9293, 3.6, case 2 and 3: each end closes its half when it likes; the other goes on.
func TestHalfCloseEitherWay(t *testing.T) {
	for _, clientFirst := range []bool{true, false} {
		eachFamily(t, func(t *testing.T, n *sim.Network, address string) {
			a, b := lan(n, sim.Line{Delay: 20 * time.Millisecond})
			first := func(c *onlink.TCPConn) {
				if err := c.CloseWrite(); err != nil {
					t.Error(err)
				}
				_, err := c.Write([]byte("x"))
				wantErr(t, "Write after CloseWrite", err, syscall.EPIPE)
				if k := discard(t, c); k != 300_000 {
					t.Errorf("%d octets after the half-close", k)
				}
			}
			second := func(c *onlink.TCPConn) {
				if k, err := c.Read(make([]byte, 1)); k != 0 || err != io.EOF {
					t.Errorf("Read: %d, %v", k, err)
				}
				for range 30 {
					if _, err := c.Write(make([]byte, 10_000)); err != nil {
						t.Error(err)
					}
					c.Read(make([]byte, 1)) // still io.EOF
				}
				c.Close()
			}
			if !clientFirst {
				first, second = second, first
			}
			serve(t, b, second)
			a.Go("client", func() { first(dial(t, a, address)) })
			run(t, n)
		})
	}
}

// Nobody listens, or too many have come already: one more than the backlog is admitted, as by Linux.
func TestRefusedAndOverflow(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a := n.Host("a")
	b := n.Node("b", onlink.Config{TCP: onlink.TCPConfig{Backlog: 2}})
	n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"), sim.Line{Delay: 10 * time.Millisecond})
	ln := listen(t, b, ":80")
	a.Go("client", func() {
		_, err := a.DialContext(t.Context(), "tcp", "192.0.2.2:81")
		wantErr(t, "closed port", err, syscall.ECONNREFUSED)
		for range 3 {
			dial(t, a, "192.0.2.2:80")
		}
		// The fourth SYN is dropped, and answered when there is room.
		began := a.Now()
		a.Go("accept", func() {
			a.Sleep(10 * time.Second)
			b.Go("accept", func() { accept(t, ln) })
		})
		c := dial(t, a, "192.0.2.2:80")
		if took := a.Now().Sub(began); took < 10*time.Second || took > 20*time.Second {
			t.Errorf("the fourth took %v", took)
		}
		ctx, cancel := a.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err = a.DialContext(ctx, "tcp", "192.0.2.2:80")
		wantErr(t, "full", err, context.DeadlineExceeded)
		// Those not accepted are reset with their listener.
		ln.Close()
		_, err = c.Read(make([]byte, 1))
		wantErr(t, "Read", err, syscall.ECONNRESET)
		_, err = a.DialContext(t.Context(), "tcp", "192.0.2.2:80")
		wantErr(t, "closed listener", err, syscall.ECONNREFUSED)
	})
	run(t, n)
	if drops := b.Snapshot().Counters.Dropped(mib.TcpBacklogFull); drops < 4 {
		t.Errorf("%d drops for a full backlog", drops)
	}
}

// RFC 9293, 3.6.1, MAY-2: a new SYN reopens a connection directly from TIME-WAIT.
func TestTimeWaitReuse(t *testing.T) {
	eachFamily(t, func(t *testing.T, n *sim.Network, address string) {
		a, b := lan(n, sim.Line{Delay: 10 * time.Millisecond})
		ln := listen(t, b, ":80")
		states := tcpStates(b)
		const rounds = 5
		b.Go("server", func() {
			for range rounds {
				c := accept(t, ln)
				c.Write([]byte("welcome"))
				c.Close() // the server closes first: TIME-WAIT is its
			}
			ln.Close()
		})
		host, _, _ := net.SplitHostPort(address)
		from := map[string]string{"192.0.2.2": "192.0.2.1:5000", "2001:db8::2": "[2001:db8::1]:5000"}[host]
		a.Go("client", func() {
			for i := range rounds {
				d := onlink.Dialer{Stack: a.Stack, LocalAddr: from}
				began := a.Now()
				c, err := d.DialContext(t.Context(), "tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := io.ReadAll(c); string(got) != "welcome" || err != nil {
					t.Errorf("read %q, %v", got, err)
				}
				c.Close()
				a.Sleep(100 * time.Millisecond)
				if took := a.Now().Sub(began); i > 0 && took > 300*time.Millisecond {
					t.Errorf("round %d took %v", i, took)
				}
			}
		})
		run(t, n)
		if !has(states, "TIME-WAIT") {
			t.Error(*states)
		}
	})
}

// Deadlines and contexts are in virtual time, to the nanosecond.
func TestDeadlinesInVirtualTime(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b := n.Host("a"), n.Host("b")
	cable := n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"), sim.Line{Delay: 10 * time.Millisecond})
	serve(t, b, func(c *onlink.TCPConn) { b.Sleep(time.Hour) })
	a.Go("client", func() {
		c := dial(t, a, "192.0.2.2:80")
		after := func(what string, want time.Duration, wrong error, f func() error) {
			t.Helper()
			began := a.Now()
			wantErr(t, what, f(), wrong)
			if took := a.Now().Sub(began); took != want {
				t.Errorf("%s took %v, want %v", what, took, want)
			}
		}
		c.SetReadDeadline(a.Wall().Add(1234567 * time.Nanosecond))
		after("Read", 1234567, os.ErrDeadlineExceeded, func() error { _, err := c.Read(make([]byte, 1)); return err })
		c.SetWriteDeadline(a.Wall().Add(time.Minute))
		after("Write", time.Minute, os.ErrDeadlineExceeded, func() error { _, err := c.Write(make([]byte, 64<<20)); return err })
		c.SetDeadline(a.Wall().Add(-time.Second))
		after("Read", 0, os.ErrDeadlineExceeded, func() error { _, err := c.Read(make([]byte, 1)); return err })
		after("Write", 0, os.ErrDeadlineExceeded, func() error { _, err := c.Write(make([]byte, 1)); return err })
		c.SetReadDeadline(time.Time{})
		a.Go("close", func() {
			a.Sleep(time.Second)
			c.Close()
		})
		after("Read", time.Second, net.ErrClosed, func() error { _, err := c.Read(make([]byte, 1)); return err })

		cable.Filter(func(*sim.Node, []byte) bool { return false })
		ctx, cancel := a.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		after("Dial", 2500*time.Millisecond, context.DeadlineExceeded, func() error {
			_, err := a.DialContext(ctx, "tcp", "192.0.2.2:80")
			return err
		})
		ctx, cancel2 := a.WithCancel(t.Context())
		defer cancel2()
		a.Go("cancel", func() {
			a.Sleep(700 * time.Millisecond)
			cancel2()
		})
		after("Dial", 700*time.Millisecond, context.Canceled, func() error {
			_, err := a.DialContext(ctx, "tcp", "192.0.2.2:80")
			return err
		})
		after("Dial", 0, context.Canceled, func() error {
			_, err := a.DialContext(ctx, "tcp", "192.0.2.2:80")
			return err
		})
	})
	run(t, n)
}

// RFC 1122, 4.2.3.5 (MUST-22 of RFC 9293): a SYN is retransmitted for "at least 3 minutes".
func TestDialGivesUpAfterMinutes(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b := n.Host("a"), n.Host("b")
	cable := n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"), sim.Line{})
	syns := 0
	cable.Filter(func(from *sim.Node, frame []byte) bool {
		h, _ := wire.CheckEthernet(frame)
		if h.EtherType() != wire.EtherTypeIPv4 {
			return true
		}
		syns++
		return false
	})
	a.Go("client", func() {
		_, err := a.DialContext(t.Context(), "tcp", "192.0.2.2:80")
		wantErr(t, "Dial", err, syscall.ETIMEDOUT)
	})
	run(t, n)
	if took := n.Now().Duration(); took < 3*time.Minute || took > 10*time.Minute || syns < 5 || syns > 12 {
		t.Errorf("%d SYNs in %v", syns, took)
	}
}

// An idle connection costs nothing, for a week, and is there when it is needed.
func TestIdleConnectionForAWeek(t *testing.T) {
	eachFamily(t, func(t *testing.T, n *sim.Network, address string) {
		a, b := lan(n, sim.Line{Delay: time.Millisecond})
		serve(t, b, func(c *onlink.TCPConn) {
			io.Copy(c, c)
			c.Close()
		})
		n.RunFor(20 * time.Second) // addresses have been announced, and routers asked for
		a.Go("client", func() {
			c := dial(t, a, address)
			for range 2 {
				c.Write([]byte("hello"))
				if _, err := io.ReadFull(c, make([]byte, 5)); err != nil {
					t.Error(err)
				}
				a.Sleep(time.Second)
				before := n.Frames()
				a.Sleep(7 * 24 * time.Hour)
				if n.Frames() != before {
					t.Errorf("%d frames in an idle week", n.Frames()-before)
				}
			}
			c.Close()
		})
		run(t, n)
	})
}

// Dial waits for the end of duplicate address detection also where the caller chose the address, and takes only addresses
// that are ours.
func TestDialFromChosenAddress(t *testing.T) {
	for _, network := range []string{"tcp", "udp"} {
		n := sim.New(1)
		a, b := lan(n, sim.Line{})
		serve(t, b, func(c *onlink.TCPConn) { c.Close() })
		a.Go("client", func() {
			d := onlink.Dialer{Stack: a.Stack, LocalAddr: "[2001:db8::1]:5000"}
			c, err := d.DialContext(t.Context(), network, "[2001:db8::2]:80")
			if err != nil {
				t.Errorf("%s: %v", network, err)
				return
			}
			if got := c.LocalAddr().String(); got != d.LocalAddr {
				t.Errorf("%s from %s", network, got)
			}
			c.Close()
			for _, from := range []string{"[2001:db8::3]:0", "192.0.2.3:0"} {
				d := onlink.Dialer{Stack: a.Stack, LocalAddr: from}
				to := "192.0.2.2:80"
				if from[0] == '[' {
					to = "[2001:db8::2]:80"
				}
				_, err := d.DialContext(t.Context(), network, to)
				wantErr(t, network+" from "+from, err, syscall.EADDRNOTAVAIL)
			}
			// A link-local end tells its link.
			a.Sleep(5 * time.Second) // until it is ready too
			addrs := a.Interface("eth0").Addresses()
			peer := b.Interface("eth0").Addresses()
			u := dialUDP(t, a, "["+peer[0].Addr().String()+"%eth0]:9")
			if want := "[" + addrs[0].Addr().String() + "%eth0]"; !strings.HasPrefix(u.LocalAddr().String(), want) {
				t.Errorf("local address %v, want %s", u.LocalAddr(), want)
			}
			u.Close()
		})
		n.RunFor(time.Minute)
		n.Stop()
	}
}

// A peer that has forgotten the connection answers with a RST: RFC 9293, 3.5.1, figure 10.
func TestPeerForgetsConnection(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b := n.Host("a"), n.Host("b")
	cable := n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"), sim.Line{Delay: 10 * time.Millisecond})
	var server error
	serve(t, b, func(c *onlink.TCPConn) {
		_, server = c.Read(make([]byte, 1))
		c.Close()
	})
	a.Go("client", func() {
		d := onlink.Dialer{Stack: a.Stack, LocalAddr: "192.0.2.1:5000"}
		c, err := d.DialContext(t.Context(), "tcp", "192.0.2.2:80")
		if err != nil {
			t.Fatal(err)
		}
		// a forgets, and b does not hear of it.
		cable.Filter(func(*sim.Node, []byte) bool { return false })
		c.(*onlink.TCPConn).SetLinger(0)
		c.Close()
		a.Sleep(time.Second)
		cable.Filter(nil)
		// RFC 9293, 3.5.1, figure 9, with the challenge of RFC 5961, 4: the SYN of a new connection with the same ends is
		// answered by an ACK, that by a RST, which ends the old one; the SYN comes again, and finds the port closed.
		_, err = d.DialContext(t.Context(), "tcp", "192.0.2.2:80")
		wantErr(t, "Dial", err, syscall.ECONNREFUSED)
	})
	run(t, n)
	wantErr(t, "the server's Read", server, syscall.ECONNRESET)
	if took := n.Now().Duration(); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}
