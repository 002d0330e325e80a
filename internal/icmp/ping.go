package icmp

import (
	"context"
	"net"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/wire"
)

// MaxPayload is the longest echo payload that IPv4 can carry.
const MaxPayload = 65535 - wire.IPv4MinLen - wire.ICMPLen

// Request is what to send.
type Request struct {
	Dst       wire.Addr
	Scope     uint32 // interface index of a link-local Dst
	Interface int32  // it must leave by; 0: any
	ID        uint16 // 0: one is chosen
	Seq       uint16
	Payload   []byte
	HopLimit  uint8         // 0: the default
	Timeout   time.Duration // 0: as long as ctx lasts
}

// Reply is what came back.
type Reply struct {
	From     wire.Addr
	RTT      time.Duration
	HopLimit uint8
	Len      int // octets of payload
}

// Error is an ICMP error that came back instead of a reply. It unwraps to the errno a socket would see.
type Error = ip.Report

// Echo sends r and waits for its answer. Errors: *Error for an ICMP error, os.ErrDeadlineExceeded after
// r.Timeout, ctx.Err(), net.ErrClosed, EMSGSIZE, EEXIST if the same ID and Seq are under way, and those of ip.Route.
func (c *Layer) Echo(ctx context.Context, r Request) (Reply, error) {
	switch {
	case len(r.Payload) > MaxPayload:
		return Reply{}, syscall.EMSGSIZE
	case r.Dst.IsUnspecified():
		return Reply{}, syscall.EINVAL // RFC 4291, 2.5.2: it "must not be used as the destination address"
	}
	if err := ctx.Err(); err != nil {
		return Reply{}, err
	}
	s, err := c.openOne(&r)
	if err != nil {
		return Reply{}, err
	}
	defer s.Close() // fails only if the layer closed it
	began := c.host.Runtime.Now()
	if r.Timeout > 0 {
		s.SetReadDeadline(began.Add(r.Timeout)) // of a closed one: it tells by itself
	}
	defer c.host.Runtime.AfterDone(ctx, func() { s.Fail(ctx.Err()) })()
	o := s.Options(flow.Endpoint{})
	o.HopLimit = r.HopLimit
	if err := s.SendMessage(r.message(), flow.Endpoint{}, &o); err != nil {
		return Reply{}, err
	}
	var d dgram.Datagram
	if _, err := s.ReceiveMessage(nil, &d); err != nil {
		// A reply that is there means more than an error beside it.
		if _, none := s.TryReceive(nil, false, &d); none != nil {
			return Reply{}, err
		}
	}
	return Reply{From: d.From.Addr, RTT: d.Arrived.Sub(began), HopLimit: d.HopLimit, Len: d.Len - wire.ICMPLen}, nil
}

// openOne opens the socket of one request.
func (c *Layer) openOne(r *Request) (*Socket, error) {
	cfg := dgram.Config{Remote: flow.Endpoint{Addr: r.Dst, Scope: r.Scope}}
	cfg.Local.Port, cfg.Device, cfg.Family = r.ID, r.Interface, flow.Only6
	if r.Dst.Is4() {
		cfg.Family = flow.Only4
	}
	s, err := c.open(&Socket{layer: c, one: true, seq: r.Seq}, &cfg)
	switch err {
	case syscall.EADDRINUSE:
		return nil, syscall.EEXIST
	case syscall.ESHUTDOWN:
		return nil, net.ErrClosed
	}
	return s, err
}

// message returns the request but for what the socket fills in.
func (r *Request) message() []byte {
	b := make([]byte, wire.ICMPLen+len(r.Payload))
	typ := uint8(wire.ICMPv6EchoRequest)
	if r.Dst.Is4() {
		typ = wire.ICMPv4EchoRequest
	}
	wire.PutICMP(b, typ, 0, uint32(r.Seq))
	copy(b[wire.ICMPLen:], r.Payload)
	return b
}
