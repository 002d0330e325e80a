package udp

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

func TestInput(t *testing.T) {
	r := newRig(t)
	s := r.open(Config{Config: dgram.Config{Bound: to(wire.Addr{}, 7)}})
	for _, row := range []struct {
		name   string
		damage func(b []byte)
		four   bool
		want   ip.Disposition
		reason mib.Reason
	}{
		{"whole", func(b []byte) {}, true, ip.Delivered, 0},
		{"whole, IPv6", func(b []byte) {}, false, ip.Delivered, 0},
		// RFC 768: "An all zero transmitted checksum value means that the transmitter generated no checksum".
		{"no checksum", func(b []byte) { b[6], b[7] = 0, 0 }, true, ip.Delivered, 0},
		// RFC 8200, 8.1: "IPv6 receivers must discard UDP packets containing a zero checksum".
		{"no checksum, IPv6", func(b []byte) { b[6], b[7] = 0, 0 }, false, ip.Malformed, mib.UdpChecksum},
		{"wrong checksum", func(b []byte) { b[7] ^= 1 }, true, ip.Malformed, mib.UdpChecksum},
		{"another payload", func(b []byte) { b[8] ^= 1 }, false, ip.Malformed, mib.UdpChecksum},
		{"longer than it is", func(b []byte) { b[5]++ }, true, ip.Malformed, mib.UdpMalformed},
		{"shorter than its header", func(b []byte) { b[5] = 7 }, true, ip.Malformed, mib.UdpMalformed},
		{"another port", func(b []byte) { b[3]++; b[6], b[7] = 0, 0 }, true, ip.NoPort, 0},
	} {
		src, dst := peer4, us4
		if !row.four {
			src, dst = peer6, us6
		}
		p := datagram(src, dst, 53, 7, row.name)
		row.damage(p.Bytes())
		before := r.sh.Counters.Dropped(row.reason)
		got := r.input(p)
		if got != row.want {
			t.Errorf("%s: disposition %d, want %d", row.name, got, row.want)
		}
		switch {
		case got == ip.NoPort:
			p.Free()
		case got == ip.Malformed && r.sh.Counters.Dropped(row.reason) != before+1:
			t.Errorf("%s: not counted as %v", row.name, row.reason)
		case got == ip.Delivered:
			if s := r.read(s); s != row.name {
				t.Errorf("%s: read %q", row.name, s)
			}
		}
	}
	if n := r.sh.Counters.Get(mib.UdpInDatagrams); n != 3 {
		t.Errorf("UdpInDatagrams is %d", n)
	}
	// What the length field does not cover is no payload.
	p := datagram(peer4, us4, 53, 7, "payload and more")
	p.Bytes()[5], p.Bytes()[6], p.Bytes()[7] = wire.UDPLen+7, 0, 0
	if r.input(p) != ip.Delivered {
		t.Error("a datagram with octets behind it was not delivered")
	}
	if s := r.read(s); s != "payload" {
		t.Errorf("read %q", s)
	}
}

// The receive buffer bounds what waits, by the memory it takes; what does not fit is dropped and counted.
func TestReceiveBuffer(t *testing.T) {
	r := newRig(t)
	s := r.open(Config{Config: dgram.Config{Bound: to(us4, 7)}})
	block := datagram(peer4, us4, 53, 7, "x").Cap()
	s.SetReceiveBuffer(3*block + block/2)
	for i := range 5 {
		r.input(datagram(peer4, us4, 53, 7, fmt.Sprint(i)))
	}
	if n := r.sh.Counters.Dropped(mib.UdpQueueFull); n != 2 {
		t.Errorf("%d dropped of 5 where 3 fit", n)
	}
	for i := range 3 {
		if got := r.read(s); got != fmt.Sprint(i) {
			t.Errorf("read %q, want %d", got, i)
		}
	}
	if n := s.Unread(); n != 0 {
		t.Errorf("%d octets left", n)
	}
	r.input(datagram(peer4, us4, 53, 7, "again"))
	if got := r.read(s); got != "again" {
		t.Errorf("read %q", got)
	}
}

// RFC 1122, 4.1.3.3: "UDP MUST pass to the application layer all ICMP error messages that it receives from the IP
// layer": to the connected socket that sent the datagram, once.
func TestErrorsReachConnectedSockets(t *testing.T) {
	r := newRig(t)
	connected := r.open(Config{Config: dgram.Config{Bound: to(us4, 7), Remote: flow.Endpoint{Addr: peer4, Port: 53}}})
	wild := r.open(Config{Config: dgram.Config{Bound: to(us4, 8)}})
	quote := func(sport, dport uint16) []byte {
		b := make([]byte, wire.UDPLen)
		wire.PutUDP(b, sport, dport, len(b))
		return b
	}
	tell := func(e *ip.Error) {
		r.sh.Lock()
		defer r.sh.Unlock()
		r.udp.Error(r.sh, r.sim.Now(), e)
	}
	refused := func(quote []byte, dst wire.Addr) *ip.Error {
		return &ip.Error{Errno: syscall.ECONNREFUSED, Type: wire.ICMPv4DestUnreachable, Code: wire.ICMPv4PortUnreachable, From: far,
			Src: us4, Dst: dst, Proto: wire.ProtoUDP, Quote: quote}
	}
	for _, row := range []struct {
		name string
		e    *ip.Error
	}{
		{"about another's datagram", refused(quote(7, 54), peer4)},
		{"about one to somebody else", refused(quote(7, 53), far)},
		{"about an unconnected socket's", refused(quote(8, 53), peer4)},
		{"about a port without socket", refused(quote(9, 53), peer4)},
		{"with too little quoted", refused(quote(7, 53)[:3], peer4)},
		{"about the path's MTU", &ip.Error{Errno: syscall.EMSGSIZE, Src: us4, Dst: peer4, Quote: quote(7, 53)}},
	} {
		tell(row.e)
		if connected.Pending() != nil || wild.Pending() != nil {
			t.Errorf("an error %s reached a socket: %v %v", row.name, connected.Pending(), wild.Pending())
		}
	}
	tell(refused(quote(7, 53), peer4))
	if got := r.read(connected); got != "destination unreachable: port, says "+far.String() {
		t.Errorf("read %q", got)
	}
	tell(refused(quote(7, 53), peer4))
	if err := connected.Send([]byte("x"), flow.Endpoint{}); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("Send: %v", err)
	}
	if err := connected.Send([]byte("x"), flow.Endpoint{}); err != nil {
		t.Errorf("Send again: %v", err)
	}
	// One that comes while a read waits ends the wait.
	r.sim.Start("tell", func() {
		r.sim.Sleep(time.Second)
		tell(refused(quote(7, 53), peer4))
	})
	if got := r.read(connected); got != "destination unreachable: port, says "+far.String() {
		t.Errorf("a waiting read: %q", got)
	}
}

func TestSendErrors(t *testing.T) {
	r := newRig(t)
	wild := r.open(Config{})
	only4 := r.open(Config{Config: dgram.Config{Bound: flow.Bound{Local: flow.Endpoint{Addr: wire.Unspecified4}, Family: flow.Only4}}})
	connected := r.open(Config{Config: dgram.Config{Remote: flow.Endpoint{Addr: peer6, Port: 53}}})
	late := r.open(Config{})
	late.SetWriteDeadline(r.sim.Now())
	closed := r.open(Config{})
	closed.Close()
	for _, row := range []struct {
		name string
		s    *Socket
		size int
		to   flow.Endpoint
		want error
	}{
		{"IPv4", wild, 1, flow.Endpoint{Addr: peer4, Port: 53}, nil},
		{"the longest, IPv4", wild, MaxPayload4, flow.Endpoint{Addr: peer4, Port: 53}, nil},
		{"too long for IPv4", wild, MaxPayload4 + 1, flow.Endpoint{Addr: peer4, Port: 53}, syscall.EMSGSIZE},
		{"too long for IPv6", wild, MaxPayload6 + 1, flow.Endpoint{Addr: peer6, Port: 53}, syscall.EMSGSIZE},
		{"to nobody", wild, 1, flow.Endpoint{}, syscall.EDESTADDRREQ},
		{"of a connected one to somebody", connected, 1, flow.Endpoint{Addr: peer4, Port: 53}, syscall.EISCONN},
		{"of the other family", only4, 1, flow.Endpoint{Addr: peer6, Port: 53}, syscall.EAFNOSUPPORT},
		{"without route", wild, 1, flow.Endpoint{Addr: wire.Addr4(10, 0, 0, 1), Port: 53}, syscall.ENETUNREACH},
		{"after the deadline", late, 1, flow.Endpoint{Addr: peer4, Port: 53}, os.ErrDeadlineExceeded},
		{"after Close", closed, 1, flow.Endpoint{Addr: peer4, Port: 53}, net.ErrClosed},
	} {
		if err := row.s.Send(make([]byte, row.size), row.to); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	r := newRig(t)
	r.open(Config{Config: dgram.Config{Bound: to(us4, 7)}})
	for _, row := range []struct {
		name string
		cfg  Config
		want error
	}{
		{"a port in use", Config{Config: dgram.Config{Bound: to(us4, 7)}}, syscall.EADDRINUSE},
		{"an address of somebody else", Config{Config: dgram.Config{Bound: to(peer4, 8)}}, syscall.EADDRNOTAVAIL},
		{"connected from an address of somebody else", Config{Config: dgram.Config{Bound: to(far, 8), Remote: flow.Endpoint{Addr: peer4, Port: 53}}}, syscall.EADDRNOTAVAIL},
		{"connected to nowhere", Config{Config: dgram.Config{Remote: flow.Endpoint{Addr: wire.Addr4(10, 0, 0, 1), Port: 53}}}, syscall.ENETUNREACH},
		{"link-local without a link", Config{Config: dgram.Config{Remote: flow.Endpoint{Addr: linkPeer6, Port: 53}}}, syscall.EINVAL},
		{"the other family", Config{Config: dgram.Config{Bound: to(us4, 8), Remote: flow.Endpoint{Addr: peer6, Port: 53}}}, syscall.EAFNOSUPPORT},
	} {
		if s, err := r.udp.Open(row.cfg); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, %v, want %v", row.name, s, err, row.want)
		}
	}
	s := r.open(Config{Config: dgram.Config{Remote: flow.Endpoint{Addr: linkPeer6, Port: 53, Scope: 2}}})
	if l := s.Local(); !l.Addr.IsLinkLocal() || l.Scope != 2 || l.Port < flow.FirstEphemeral {
		t.Errorf("connected to a link-local address: local end %+v", l)
	}
}

// Close ends what waits, frees what is queued, and frees the port; afterwards Open fails.
func TestClose(t *testing.T) {
	r := newRig(t)
	s := r.open(Config{Config: dgram.Config{Bound: to(us4, 7)}})
	r.input(datagram(peer4, us4, 53, 7, "unread"))
	other := r.open(Config{Config: dgram.Config{Bound: to(us4, 8)}})
	r.sim.Start("close", func() {
		r.sim.Sleep(time.Second)
		r.udp.Close()
	})
	if got := r.read(other); !strings.Contains(got, net.ErrClosed.Error()) {
		t.Errorf("a waiting read: %q", got)
	}
	for _, err := range []error{s.Close(), s.SetReadDeadline(0), s.SetWriteDeadline(0)} {
		if err != net.ErrClosed {
			t.Errorf("after Close: %v", err)
		}
	}
	if len(r.udp.table.All()) != 0 || r.udp.table.On(7) != nil || s.Unread() != 0 {
		t.Error("something is left after Close")
	}
	if p := datagram(peer4, us4, 53, 7, "late"); r.input(p) != ip.NoPort {
		t.Error("a datagram was delivered after Close")
	}
	if s.Take(&r.sh.Counters, 0, datagram(peer4, us4, 53, 7, "later")) || r.sh.Counters.Dropped(mib.SocketClosed) != 1 {
		t.Error("a datagram on its way to a closed socket was taken, or not counted")
	}
	if _, err := r.udp.Open(Config{}); err != syscall.ESHUTDOWN {
		t.Errorf("Open after Close: %v", err)
	}
}

// The read deadline is to the nanosecond, and moving it moves the read that waits.
func TestReadDeadline(t *testing.T) {
	r := newRig(t)
	s := r.open(Config{Config: dgram.Config{Bound: to(us4, 7)}})
	s.SetReadDeadline(r.sim.Now().Add(time.Hour))
	r.sim.Start("move", func() {
		r.sim.Sleep(time.Second)
		s.SetReadDeadline(r.sim.Now().Add(time.Second))
	})
	began := r.sim.Now()
	var took time.Duration
	r.sim.Start("read", func() {
		_, _, _, err := s.Receive(nil)
		if err != os.ErrDeadlineExceeded {
			t.Error(err)
		}
		took = r.sim.Now().Sub(began)
	})
	r.sim.Run(began.Add(time.Minute))
	if took != 2*time.Second {
		t.Errorf("took %v", took)
	}
}
