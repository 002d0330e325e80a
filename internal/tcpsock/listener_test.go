package tcpsock

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/wire"
)

// However a handshake ends, the listener's count of those under way ends at zero, and nothing of it is left.
func TestEmbryos(t *testing.T) {
	for _, shards := range []int{1, 4} {
		for name, end := range map[string]struct {
			f              func(r *rig, l *Listener, answer wire.TCPHeader)
			queued, remain int // connections to be accepted, and in the table
		}{
			"completed": {func(r *rig, l *Listener, answer wire.TCPHeader) { r.ack(peer4, answer) }, 1, 1},
			// RFC 9293, 3.10.7.4, of SYN-RECEIVED: "If this connection was initiated with a passive OPEN … then return this
			// connection to LISTEN state".
			"reset": {func(r *rig, l *Listener, answer wire.TCPHeader) {
				r.send(peer4, wire.TCPHeader{SrcPort: answer.DstPort, DstPort: answer.SrcPort, Seq: 1001, Flags: wire.RST})
			}, 0, 0},
			"timed out": {func(r *rig, l *Listener, answer wire.TCPHeader) { r.pass(10 * time.Minute) }, 0, 0},
			"refused by a wrong ACK, then timed out": {func(r *rig, l *Listener, answer wire.TCPHeader) {
				answer.Seq += 7
				r.ack(peer4, answer)
				r.pass(10 * time.Minute)
			}, 0, 0},
			"listener closed, then completed": {func(r *rig, l *Listener, answer wire.TCPHeader) {
				l.Close()
				r.ack(peer4, answer)
			}, 0, 0},
			"listener closed, then timed out": {func(r *rig, l *Listener, answer wire.TCPHeader) {
				l.Close()
				r.pass(10 * time.Minute)
			}, 0, 0},
			"stack closed": {func(r *rig, l *Listener, answer wire.TCPHeader) {
				r.sim.Start("close", func() { r.tcp.Close(done(), r.shards) })
				r.pass(0)
			}, 0, 0},
			"completed, then listener closed": {func(r *rig, l *Listener, answer wire.TCPHeader) {
				r.ack(peer4, answer)
				l.Close()
			}, 0, 0},
			"completed, then reset": {func(r *rig, l *Listener, answer wire.TCPHeader) {
				r.ack(peer4, answer)
				r.send(peer4, wire.TCPHeader{SrcPort: answer.DstPort, DstPort: answer.SrcPort, Seq: 1001, Ack: answer.Seq + 1, Flags: wire.RST | wire.ACK})
			}, 1, 0}, // Accept returns it, and Read the error, as with Linux
		} {
			t.Run(fmt.Sprintf("%s, %d shards", name, shards), func(t *testing.T) {
				r := newRig(t, shards)
				l := r.listen(80, 10)
				answer := r.syn(peer4, 5000, 80)
				if answer.Flags != wire.SYN|wire.ACK || answer.Ack != 1001 {
					t.Fatalf("answer to the SYN: %+v", answer)
				}
				r.want("after the SYN", l, 1, 0)
				r.syn(peer4, 5000, 80)
				r.want("after the SYN again", l, 1, 0)
				end.f(r, l, answer)
				if name != "stack closed" {
					r.want("in the end", l, 0, end.queued)
				}
				for i := range r.tcp.tables {
					if n := len(places[*embryo](&r.tcp.tables[i].demux)); n != 0 {
						t.Errorf("%d handshakes in a table", n)
					}
				}
				if n := r.conns(); n != end.remain {
					t.Errorf("%d connections in the tables, want %d", n, end.remain)
				}
			})
		}
	}
}

// Connections that nobody accepted are reset with their listener; those accepted live on.
func TestListenerClose(t *testing.T) {
	r := newRig(t, 1)
	l := r.listen(80, 10)
	for port := range uint16(3) {
		r.ack(peer4, r.syn(peer4, 5000+port, 80))
	}
	c, err := r.accept(l)
	if err != nil {
		t.Fatal(err)
	}
	var waiting error
	second := r.listen(81, 1)
	r.sim.Start("accept", func() { _, waiting = second.Accept() })
	r.pass(time.Second)
	r.got = nil
	for _, l := range []*Listener{l, second} {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err != net.ErrClosed {
			t.Errorf("the second Close: %v", err)
		}
		if err := l.SetDeadline(0); err != net.ErrClosed {
			t.Errorf("SetDeadline: %v", err)
		}
	}
	r.pass(0)
	if waiting != net.ErrClosed {
		t.Errorf("a waiting Accept: %v", waiting)
	}
	if len(r.got) != 2 || r.got[0].Flags&wire.RST == 0 || r.got[0].DstPort != 5001 || r.got[1].DstPort != 5002 {
		t.Errorf("sent %+v, want two RSTs", r.got)
	}
	if c.state() != tcp.Established || r.conns() != 1 {
		t.Errorf("the accepted one is in %v, of %d", c.state(), r.conns())
	}
	if a := r.syn(peer4, 7000, 80); a.Flags&wire.RST == 0 {
		t.Errorf("a SYN after Close: %+v", a)
	}
	if len(r.tcp.listen.All()) != 0 || r.tcp.listen.On(80) != nil {
		t.Error("a listener is left")
	}
}

// Of listeners on one port the one bound to the address is asked before the wildcard.
func TestListenerMatch(t *testing.T) {
	r := newRig(t, 1)
	bind := func(a wire.Addr, f flow.Family) (*Listener, error) {
		return r.tcp.Listen(ListenConfig{Bound: flow.Bound{Local: flow.Endpoint{Addr: a, Port: 80}, Family: f}, Backlog: 1})
	}
	must := func(l *Listener, err error) *Listener {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	addr4 := must(bind(us4, flow.Dual))
	any6 := must(bind(wire.Addr{}, flow.Only6))
	for name, f := range map[string]func() (*Listener, error){
		"the address again": func() (*Listener, error) { return bind(us4, flow.Only4) },
		"IPv4 wildcard":     func() (*Listener, error) { return bind(wire.Unspecified4, flow.Only4) },
		"dual wildcard":     func() (*Listener, error) { return bind(wire.Addr{}, flow.Dual) },
		"IPv6 address":      func() (*Listener, error) { return bind(us6, flow.Dual) },
	} {
		if l, err := f(); err != syscall.EADDRINUSE {
			t.Errorf("%s: %v, %v", name, l, err)
		}
	}
	if _, err := bind(far4, flow.Dual); err != syscall.EADDRNOTAVAIL {
		t.Errorf("another's address: %v", err)
	}
	find := func(local wire.Addr, port uint16) *Listener {
		return r.tcp.listen.find(&flow.Key{Local: local, Remote: peer4, Ports: flow.Ports(port, 5000)}, 0, false)
	}
	if find(us4, 80) != addr4 || find(us6, 80) != any6 || find(far4, 80) != nil || find(us4, 81) != nil {
		t.Error("the wrong listener was found")
	}
	// Port 0 is an ephemeral one that nobody listens on.
	a, b := r.listen(0, 1), r.listen(0, 1)
	if a.Local().Port == b.Local().Port || a.Local().Port < flow.FirstEphemeral {
		t.Errorf("ports %d and %d", a.Local().Port, b.Local().Port)
	}
}

// A connection takes a local port that is free towards its remote end, and none that somebody listens on.
func TestLocalPorts(t *testing.T) {
	r := newRig(t, 1)
	remote := flow.Endpoint{Addr: peer4, Port: 80}
	dial := func(port uint16, to flow.Endpoint) (err error) {
		ctx, cancel := r.sim.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r.sim.Start("dial", func() { _, err = r.tcp.Dial(ctx, OpenConfig{Local: flow.Endpoint{Port: port}, Remote: to}) })
		r.pass(2 * time.Second)
		return err
	}
	// All ports but one are in use towards remote, that one by a listener.
	const listening = 40000
	l := r.listen(listening, 1)
	tab := &r.tcp.tables[0]
	for p := flow.FirstEphemeral; p <= flow.LastEphemeral; p++ {
		if p != listening {
			c := &Conn{place: place{key: flow.Key{Local: us4, Remote: peer4, Ports: flow.Ports(uint16(p), 80), Proto: wire.ProtoTCP}}}
			c.node.Owner = c
			tab.demux.put(&c.place)
		}
	}
	if err := dial(0, remote); err != syscall.EADDRNOTAVAIL {
		t.Errorf("with no port free: %v", err)
	}
	if err := dial(33333, remote); err != syscall.EADDRINUSE {
		t.Errorf("from a port in use: %v", err)
	}
	r.got = nil
	if err := dial(0, flow.Endpoint{Addr: far4, Port: 80}); err != context.DeadlineExceeded || len(r.got) == 0 {
		t.Errorf("to another host: %v", err)
	}
	l.Close()
	r.got = nil
	dial(0, remote)
	if len(r.got) == 0 || r.got[0].SrcPort != listening {
		t.Errorf("with one port free: %+v", r.got)
	}
	for _, row := range []struct {
		name string
		to   wire.Addr
		want error
	}{
		{"a group", wire.Addr4(224, 0, 0, 1), syscall.ENETUNREACH},
		{"everybody", wire.Broadcast4, syscall.ENETUNREACH},
		{"nobody", wire.Unspecified4, syscall.EINVAL},
		{"without route", wire.Addr4(10, 0, 0, 1), syscall.ENETUNREACH},
	} {
		if err := dial(0, flow.Endpoint{Addr: row.to, Port: 80}); err != row.want {
			t.Errorf("Dial to %s: %v, want %v", row.name, err, row.want)
		}
	}
}

// Of several that wait in Accept each gets a connection, in the order they came.
func TestAcceptors(t *testing.T) {
	r := newRig(t, 1)
	l := r.listen(80, 10)
	var got []int
	for i := range 3 {
		r.sim.Start("accept", func() {
			if c, err := l.Accept(); c != nil && err == nil {
				got = append(got, i)
			}
		})
	}
	r.pass(0)
	for i := range 2 {
		port := uint16(5000 + i)
		r.ack(peer4, r.syn(peer4, port, 80))
		r.pass(0)
		if len(got) != i+1 || got[i] != i || len(r.sim.Waiting()) != 2-i {
			t.Fatalf("connection %d: %v have accepted, %d wait", i, got, len(r.sim.Waiting()))
		}
	}
	l.Close()
	r.pass(0)
	if n := len(r.sim.Waiting()); n != 0 {
		t.Errorf("%d wait on at a closed listener", n)
	}
}
