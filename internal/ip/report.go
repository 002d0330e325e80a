package ip

import (
	"bytes"
	"syscall"

	"github.com/onlink-go/onlink/wire"
)

// Report is what an Error tells whoever sent the packet. Unlike that it may be kept.
type Report struct {
	Errno      syscall.Errno
	Type, Code uint8
	Local      bool
	From       wire.Addr // who sent the message; unspecified with Local
	Dst        wire.Addr // where the packet was going
	Scope      uint32
	Port       uint16 // 0: the protocol has none
	MTU        int    // with EMSGSIZE
	Pointer    uint32 // of a Parameter Problem: the octet of the packet that is wrong
	Objects    []wire.ICMPObject
	HopLimit   uint8  // that the message came with; 0 with Local
	Quote      []byte // the packet from its transport header on; may be cut short anywhere
}

// Report returns what e tells of a packet to the given port of its destination.
func (e *Error) Report(port uint16) *Report {
	r := &Report{Errno: e.Errno, Type: e.Type, Code: e.Code, Local: e.Local, From: e.From, Dst: e.Dst, Scope: e.Scope, Port: port,
		MTU: e.MTU, Pointer: e.pointer(), HopLimit: e.HopLimit, Quote: bytes.Clone(e.Quote)}
	if e.Local {
		r.From = wire.Addr{}
	}
	objects := e.Objects
	for o, ok := objects.Next(); ok; o, ok = objects.Next() {
		o.Data = bytes.Clone(o.Data)
		r.Objects = append(r.Objects, o)
	}
	return r
}

// pointer returns the octet of the packet that a Parameter Problem is about: RFC 792; RFC 4443, 3.4.
func (e *Error) pointer() uint32 {
	switch {
	case e.Local:
	case e.Dst.Is4() && e.Type == wire.ICMPv4ParamProblem:
		return e.Message.Rest() >> 24
	case !e.Dst.Is4() && e.Type == wire.ICMPv6ParamProblem:
		return e.Message.Rest()
	}
	return 0
}

// Tail returns the message from Quote on, to its end: with the padding and the extension structure behind. With Local it is Quote.
func (e *Error) Tail() []byte {
	if e.Local {
		return e.Quote
	}
	return e.Message[e.quoteAt:]
}

// Error returns the message in words and who sent it, as "time exceeded: in transit, says 192.0.2.1".
func (r *Report) Error() string {
	if r.Local {
		return r.Errno.Error()
	}
	return ICMPText(r.From.Is4(), r.Type, r.Code) + ", says " + r.From.String()
}

// Unwrap returns the errno.
func (r *Report) Unwrap() error { return r.Errno }
