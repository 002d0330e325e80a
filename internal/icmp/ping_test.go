package icmp

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

var (
	us4, peer4, far4 = wire.Addr4(192, 0, 2, 1), wire.Addr4(192, 0, 2, 2), wire.Addr4(198, 51, 100, 1)
	us6, peer6       = wire.Addr{Hi: 0x20010db8 << 32, Lo: 1}, wire.Addr{Hi: 0x20010db8 << 32, Lo: 2}
)

// rig is a host in virtual time whose link leads nowhere: the test answers.
type rig struct {
	testing.TB
	sim *clock.Sim
	c   *Layer
	sh  *shard.Shard
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{TB: t, sim: clock.NewSim(1)}
	t.Cleanup(r.sim.Stop)
	rt := r.sim.Runtime(1)
	l := ip.New(ip.Config{Runtime: rt})
	r.sh = shard.New(rt, 0, l.Transmitter(0))
	l.SetShards([]*shard.Shard{r.sh})
	r.c = New(rt, l)
	a, _ := mem.Pair(mem.Config{Runtime: rt})
	quiet := netif.NewIPv6()
	quiet.Solicitations = 0
	i, err := l.AddInterface("eth0", a, netif.Config{DupAddrDetectTransmits: -1, IPv6: &quiet})
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{"192.0.2.1/24", "2001:db8::1/64"} {
		if err := l.AddAddress(i.Index, netip.MustParsePrefix(addr), netif.AddressOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// reply hands in an echo reply.
func (r *rig) reply(from wire.Addr, id, seq uint16, size int) {
	p := packet.New(wire.ICMPLen + size)
	wire.PutICMP(p.Bytes(), wire.ICMPv4EchoReply, 0, uint32(id)<<16|uint32(seq))
	p.Src, p.Dst, p.HopLimit, p.In, p.Arrived = from, us4, 61, 2, r.sim.Now()
	if !from.Is4() {
		p.Dst = us6
	}
	if r.input(from, p) == ip.NoPort {
		p.Free()
	}
}

func (r *rig) input(from wire.Addr, p *packet.Buffer) ip.Disposition {
	r.sh.Lock()
	defer r.sh.Unlock()
	return r.transport(from).Input(r.sh, r.sim.Now(), p)
}

func (r *rig) transport(a wire.Addr) transport {
	if a.Is4() {
		return transport{r.c, wire.ProtoICMP}
	}
	return transport{r.c, wire.ProtoICMPv6}
}

// fail hands in an ICMP error about an echo request to dst.
func (r *rig) fail(e ip.Error, id, seq uint16) {
	e.Quote = make([]byte, wire.ICMPLen)
	wire.PutICMP(e.Quote, wire.ICMPv4EchoRequest, 0, uint32(id)<<16|uint32(seq))
	r.sh.Lock()
	defer r.sh.Unlock()
	r.transport(e.Src).Error(r.sh, r.sim.Now(), &e)
}

// echo sends a request; answer is an event a second later, in which the test may answer.
func (r *rig) echo(req Request, answer func()) (reply Reply, err error) {
	r.Helper()
	done := false
	r.sim.Start("echo", func() {
		reply, err = r.c.Echo(context.Background(), req)
		done = true
	})
	r.sim.Start("answer", func() {
		r.sim.Sleep(time.Second)
		answer()
	})
	r.sim.Run(r.sim.Now().Add(time.Minute))
	if !done {
		r.Fatal("no end of it")
	}
	if n := len(r.c.Sockets()); n != 0 {
		r.Errorf("%d sockets open after the end", n)
	}
	return reply, err
}

func TestEcho(t *testing.T) {
	for _, peer := range []wire.Addr{peer4, peer6} {
		r := newRig(t)
		got, err := r.echo(Request{Dst: peer, ID: 1, Seq: 2, Payload: make([]byte, 10)}, func() { r.reply(peer, 1, 2, 10) })
		if want := (Reply{From: peer, RTT: time.Second, HopLimit: 61, Len: 10}); got != want || err != nil {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		got, err = r.echo(Request{Dst: peer, ID: 1, Seq: 2, Timeout: 1500 * time.Millisecond}, func() {})
		if err != os.ErrDeadlineExceeded {
			t.Errorf("no answer: %+v, %v", got, err)
		}
	}
}

// Only the answer to a request ends it: with its identifier, its sequence number, its family, from whom it was sent to.
func TestOtherReplies(t *testing.T) {
	r := newRig(t)
	req := Request{Dst: peer4, ID: 1, Seq: 2, Timeout: 2500 * time.Millisecond}
	_, err := r.echo(req, func() {
		r.reply(peer4, 2, 2, 0)
		r.reply(peer4, 1, 3, 0)
		r.reply(peer6, 1, 2, 0)
		r.reply(far4, 1, 2, 0)
		if p := packet.New(wire.ICMPLen - 1); r.input(peer4, p) != ip.Malformed {
			t.Error("a reply that is too short was taken")
		}
		r.fail(ip.Error{Errno: syscall.EHOSTUNREACH, Src: us4, Dst: peer4}, 1, 9)
		r.fail(ip.Error{Errno: syscall.EHOSTUNREACH, Src: us6, Dst: peer6}, 1, 2)
		r.fail(ip.Error{Errno: syscall.EMSGSIZE, Src: us4, Dst: peer4}, 1, 2) // the path's MTU is known now
	})
	if err != os.ErrDeadlineExceeded {
		t.Error(err)
	}
	if n := r.sh.Counters.Dropped(mib.IcmpMalformed); n != 1 {
		t.Errorf("%d counted as malformed", n)
	}
	r.reply(peer4, 1, 2, 0) // too late
	// Who asks a group is answered by any of its members.
	req.Dst, req.Scope = wire.Addr4(224, 0, 0, 1), 2
	got, err := r.echo(req, func() { r.reply(far4, 1, 2, 0) })
	if err != nil || got.From != far4 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestEchoErrors(t *testing.T) {
	r := newRig(t)
	_, err := r.echo(Request{Dst: peer4, ID: 1, Seq: 2}, func() {
		r.fail(ip.Error{Errno: syscall.EHOSTUNREACH, From: far4, Type: 11, Code: 0, Src: us4, Dst: peer4}, 1, 2)
	})
	e, ok := errors.AsType[*Error](err)
	if !ok || e.From != far4 || e.Type != 11 || !errors.Is(err, syscall.EHOSTUNREACH) {
		t.Errorf("%+v", err)
	}
	// The first answer counts.
	got, err := r.echo(Request{Dst: peer4, ID: 1, Seq: 2}, func() {
		r.reply(peer4, 1, 2, 5)
		r.fail(ip.Error{Errno: syscall.EHOSTUNREACH, From: far4, Src: us4, Dst: peer4}, 1, 2)
		r.reply(peer4, 1, 2, 6)
	})
	if err != nil || got.Len != 5 {
		t.Errorf("%+v, %v", got, err)
	}
	// One request of the same name at a time.
	_, err = r.echo(Request{Dst: peer4, ID: 1, Seq: 2}, func() {
		if _, err := r.c.Echo(t.Context(), Request{Dst: peer4, ID: 1, Seq: 2}); err != syscall.EEXIST {
			t.Errorf("the same again: %v", err)
		}
		r.reply(peer4, 1, 2, 0)
	})
	if err != nil {
		t.Error(err)
	}
	for _, row := range []struct {
		name string
		req  Request
		want error
	}{
		{"too long", Request{Dst: peer4, Payload: make([]byte, MaxPayload+1)}, syscall.EMSGSIZE},
		{"no route", Request{Dst: far4}, syscall.ENETUNREACH},
		{"no address", Request{}, syscall.EINVAL},
	} {
		if _, err := r.c.Echo(t.Context(), row.req); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}

func TestEchoContext(t *testing.T) {
	r := newRig(t)
	ctx, cancel := r.sim.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	r.sim.Start("echo", func() {
		if _, err := r.c.Echo(ctx, Request{Dst: peer4, ID: 1}); err != context.DeadlineExceeded || r.sim.Now() != 1500e6 {
			t.Errorf("at %v: %v", r.sim.Now(), err)
		}
		if _, err := r.c.Echo(ctx, Request{Dst: peer4, ID: 1}); err != context.DeadlineExceeded {
			t.Errorf("a context that is done: %v", err)
		}
	})
	r.sim.Run(r.sim.Now().Add(time.Minute))
	if len(r.c.Sockets()) != 0 {
		t.Error("a socket is open")
	}
}

// An identifier is one socket's: replies go to whom it belongs, and to nobody if it is nobody's. Only echo requests leave.
func TestSocket(t *testing.T) {
	r := newRig(t)
	open := func(id uint16, share bool) (*Socket, error) {
		var cfg Config
		cfg.Local.Port, cfg.Share = id, share
		return r.c.Open(cfg)
	}
	a, err := open(7, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(7, true); err != syscall.EADDRINUSE {
		t.Errorf("the identifier of another: %v", err)
	}
	b, err := open(0, false)
	if err != nil || b.ID() == 0 || b.ID() == 7 {
		t.Fatalf("a free identifier: %d, %v", b.ID(), err)
	}
	r.reply(peer4, 7, 1, 3)
	r.reply(far4, b.ID(), 2, 4)
	r.reply(far4, b.ID()+1, 2, 5)
	for s, want := range map[*Socket]int{a: wire.ICMPLen + 3, b: wire.ICMPLen + 4} {
		if n, first := s.Queued(); n != 1 || first != want {
			t.Errorf("socket %d has %d messages, the first of %d octets", s.ID(), n, first)
		}
	}
	to := flow.Endpoint{Addr: peer4}
	request := func(typ, code uint8) []byte {
		m := make([]byte, wire.ICMPLen)
		wire.PutICMP(m, typ, code, 0)
		return m
	}
	for _, row := range []struct {
		name string
		m    []byte
		to   flow.Endpoint
		want error
	}{
		{"a request", request(wire.ICMPv4EchoRequest, 0), to, nil},
		{"a request, IPv6", request(wire.ICMPv6EchoRequest, 0), flow.Endpoint{Addr: peer6}, nil},
		{"of the other family", request(wire.ICMPv6EchoRequest, 0), to, syscall.EINVAL},
		{"a reply", request(wire.ICMPv4EchoReply, 0), to, syscall.EINVAL},
		{"a code", request(wire.ICMPv4EchoRequest, 1), to, syscall.EINVAL},
		{"short", request(wire.ICMPv4EchoRequest, 0)[:7], to, syscall.EINVAL},
		{"to nobody", request(wire.ICMPv4EchoRequest, 0), flow.Endpoint{}, syscall.EDESTADDRREQ},
	} {
		if err := a.Send(row.m, row.to); err != row.want {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
	if n := r.sh.Counters.Get(mib.IcmpOutEchos); n != 1 {
		t.Errorf("%d requests counted", n)
	}
	a.SetReceiveBuffer(1)
	r.reply(peer4, 7, 1, 3)
	if n := r.sh.Counters.Dropped(mib.PingQueueFull); n != 1 {
		t.Errorf("%d counted as too many", n)
	}
}
