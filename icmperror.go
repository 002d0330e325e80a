package onlink

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"

	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/wire"
)

// ICMPError is an ICMP error message that came back. It unwraps to the errno a socket would return for it.
type ICMPError struct {
	From       netip.Addr // who reported it; invalid: this host itself, and Type and Code mean nothing
	Type, Code uint8      // of the message, in the family of From
	Errno      syscall.Errno
	Dst        netip.AddrPort // where the packet was going that it is about; the port is 0 where there is none
	MTU        int            // of the path, in octets, if the packet was too big; otherwise 0
	Pointer    uint32         // of a Parameter Problem: the octet of the packet that is wrong
	Objects    []ICMPObject   // extensions, as far as they are well-formed (RFC 4884)
	HopLimit   uint8          // that the message came with: a hint how far From is
	Quote      []byte         // the packet it is about, from the header behind that of IP on, as far as the message has it
	text       string
}

// Error returns the message in words and who sent it, as "time exceeded: in transit, says 192.0.2.1".
func (e *ICMPError) Error() string { return e.text }

// Unwrap returns the errno.
func (e *ICMPError) Unwrap() error { return e.Errno }

// ICMPObject is an extension of an ICMP error (RFC 4884, 8), as it came.
type ICMPObject struct {
	Class, Type uint8
	Data        []byte // behind the object's header
}

// String returns the object in words: a label stack (RFC 4950) as "MPLS label 16 class 5 TTL 1, label 17 class 0 TTL 1 bottom", an
// interface (RFC 5837) as "arrived by eth0, index 3, address 192.0.2.1, MTU 1500", others as "class 200 type 7: 0102".
func (o ICMPObject) String() string {
	w := wire.ICMPObject(o)
	if labels := w.MPLSLabels(); labels != nil {
		return "MPLS " + labelStack(labels)
	}
	if i, ok := w.Interface(); ok {
		return interfaceInfo(&i)
	}
	return fmt.Sprintf("class %d type %d: %x", o.Class, o.Type, o.Data)
}

func labelStack(labels []wire.MPLSLabel) string {
	var b strings.Builder
	for i, l := range labels {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "label %d class %d TTL %d", l.Label, l.Class, l.TTL)
		if l.Last {
			b.WriteString(" bottom")
		}
	}
	return b.String()
}

// roles are the words for the roles of interfaces.
var roles = [...]string{wire.RoleArrived: "arrived by", wire.RoleSubArrived: "arrived by a part", wire.RoleOutgoing: "to leave by",
	wire.RoleNextHop: "to go to"}

func interfaceInfo(i *wire.InterfaceInfo) string {
	name := "an interface"
	if i.Role == wire.RoleNextHop {
		name = "the next hop"
	}
	if len(i.Name) > 0 {
		name = strings.ToValidUTF8(string(i.Name), "?")
	}
	s := roles[i.Role] + " " + name
	if i.Index != 0 {
		s += fmt.Sprintf(", index %d", i.Index)
	}
	if i.Addr != (wire.Addr{}) {
		s += ", address " + i.Addr.String()
	}
	if i.MTU != 0 {
		s += fmt.Sprintf(", MTU %d", i.MTU)
	}
	return s
}

// icmpError makes the public error of r.
func (s *Stack) icmpError(r *ip.Report) *ICMPError {
	e := &ICMPError{Type: r.Type, Code: r.Code, Errno: r.Errno, MTU: r.MTU, Pointer: r.Pointer, HopLimit: r.HopLimit, Quote: r.Quote, text: r.Error(),
		Dst: netip.AddrPortFrom(s.netipAddr(r.Dst, r.Scope), r.Port)}
	if !r.Local {
		e.From = s.netipAddr(r.From, 0)
	}
	for _, o := range r.Objects {
		e.Objects = append(e.Objects, ICMPObject(o))
	}
	return e
}

// reported makes the public error of one that may be a report: of what this host found itself, that is the errno.
func (s *Stack) reported(err error) error {
	r, ok := errors.AsType[*ip.Report](err)
	switch {
	case !ok:
		return err
	case r.Local:
		return r.Errno
	}
	return s.icmpError(r)
}

// SetReceiveErrors has reads return every error that is reported about what the socket sends, as [*ICMPError] in their
// *net.OpError, each once: those about the datagrams of a socket that is not connected, those that may pass, and those about the
// path MTU. It is Linux's IP_RECVERR and IPV6_RECVERR. Reads go on after it; up to 64 errors wait for one.
func (c *datagramConn) SetReceiveErrors(on bool) error {
	c.sock.SetReporting(on)
	c.asked.Store(on)
	return nil
}

// reported makes the public error of what the socket was told: a socket that asked learns the destination from what this host found
// itself, too.
func (c *datagramConn) reported(err error) error {
	if r, ok := errors.AsType[*ip.Report](err); ok && c.asked.Load() {
		return c.stack.icmpError(r)
	}
	return c.stack.reported(err)
}
