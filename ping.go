package onlink

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/internal/icmp"
	"github.com/onlink-go/onlink/wire"
)

// PingConfig is how to ping. The zero value sends 56 octets with the default hop limit and waits as long as the
// context lasts.
type PingConfig struct {
	ID, Seq  uint16        // in the echo header; ID 0: one is chosen
	Size     int           // octets of payload; 0: 56
	HopLimit uint8         // TTL or hop limit; 0: the default
	Timeout  time.Duration // 0: none but the context's

	// Interface is the one that the request leaves by and the reply comes by, in its VRF; empty: as the routes say.
	Interface string
}

// PingReply is the answer to a ping.
type PingReply struct {
	From     netip.Addr
	RTT      time.Duration
	HopLimit uint8 // of the reply as it came in
	Size     int   // octets of payload
}

// Ping sends one echo request to dst and waits for its reply (RFC 792; RFC 4443, 4.1). Errors are *net.OpError
// around the *ICMPError that came back, EHOSTUNREACH if the neighbor does not answer, [os.ErrDeadlineExceeded] after
// cfg.Timeout, or the context's error.
func (s *Stack) Ping(ctx context.Context, dst netip.Addr, cfg PingConfig) (PingReply, error) {
	fail := func(err error) (PingReply, error) {
		return PingReply{}, opError("ping", "ip", nil, &net.IPAddr{IP: dst.AsSlice(), Zone: dst.Zone()}, err)
	}
	e, err := s.endpoint(netip.AddrPortFrom(dst.Unmap(), 0))
	if err != nil {
		return fail(err)
	}
	var device int32
	if cfg.Interface != "" {
		if device, err = s.zone(cfg.Interface); err != nil {
			return fail(err)
		}
	}
	if cfg.Size == 0 {
		cfg.Size = 56
	}
	if cfg.Size < 0 || cfg.Size > icmp.MaxPayload {
		return fail(&net.AddrError{Err: "payload must be of 0 to 65507 octets", Addr: dst.String()})
	}
	payload := make([]byte, cfg.Size)
	for i := range payload {
		payload[i] = byte(i)
	}
	var r icmp.Reply
	err = s.settled(ctx, wire.Addr{}, e, device, func() (err error) {
		r, err = s.icmp().Echo(ctx, icmp.Request{Dst: e.Addr, Scope: e.Scope, Interface: device, ID: cfg.ID, Seq: cfg.Seq,
			Payload: payload, HopLimit: cfg.HopLimit, Timeout: cfg.Timeout})
		return err
	})
	err = s.reported(err)
	if err != nil {
		return fail(err)
	}
	return PingReply{From: s.netipAddr(r.From, e.Scope), RTT: r.RTT, HopLimit: r.HopLimit, Size: r.Len}, nil
}
