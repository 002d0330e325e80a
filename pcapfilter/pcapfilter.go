// Package pcapfilter compiles the filter language of tcpdump and Wireshark's capture filters (pcap-filter(7)) to classic
// BPF, which [golang.org/x/net/bpf] and kernels run:
//
//	program, err := pcapfilter.Compile("tcp port 80 and not host 192.0.2.1", link.Ethernet, pcapfilter.Options{})
//	conn.SetFilter(program)
//
// An expression joins primitives by and, or and not (&&, ||, !), which are read from left to right: and binds no
// closer than or. A primitive is an address, a port or a number behind the words that say what it is:
//
//	host 192.0.2.1        src net 2001:db8::/32     dst port https     tcp portrange 6000-6010
//	ether host 02:…       ip proto 89               ether proto 0x88cc ip broadcast
//	vlan 7                less 64                   icmp6              ip multicast
//
// and one without such words has those of the one before it: port 80 or 443. A comparison reads octets of a
// protocol's header, and calculates: tcp[tcpflags] & (tcp-syn|tcp-fin) != 0, ip[2:2] > 576, ether[0] & 1 = 0, len < 100.
//
// A program selects what tcpdump selects. As there, tcp[…], udp[…] and the like look into IPv4 packets only, no extension
// header is skipped in front of a port but the first fragment's is tried for its protocol, and a load beyond the
// end of a frame ends the program: the frame is not selected, whatever stands behind it.
//
// Left out: names of hosts and networks, which would be looked up, and gateway, which needs them; inbound and outbound, unless
// Options say the direction; protochain, which needs a loop; MPLS, PPPoE, Geneve, ATM, 802.11, ISO and AppleTalk; and
// what only OpenBSD's pf knows.
package pcapfilter

import (
	"fmt"
	"strconv"

	"golang.org/x/net/bpf"

	"github.com/onlink-go/onlink/link"
)

// DefaultSnapLen is what a program returns for a frame that it selects, unless Options say otherwise: as tcpdump, more
// than any frame has.
const DefaultSnapLen = 262144

// Options are what a program depends on beside the expression. The zero value is usable.
type Options struct {
	SnapLen   uint32    // octets to keep of a selected frame; 0: DefaultSnapLen
	Netmask   [4]byte   // of the link's IPv4 network, for ip broadcast; zero: only 0.0.0.0 and 255.255.255.255 are broadcast
	Direction Direction // which way the frames go that the program is for
}

// Direction is which way a frame goes. Classic BPF cannot see it, so that a program with inbound or outbound is for one.
type Direction uint8

// The directions.
const (
	Unknown Direction = iota // inbound and outbound are refused
	Inbound
	Outbound
)

// Error is what is wrong with an expression.
type Error struct {
	Expr   string
	Offset int    // in Expr, in octets, of what is wrong
	Word   string // what stands there; empty at the end
	Reason string
}

// Error returns the reason with the word and its place, counted from 1.
func (e *Error) Error() string {
	switch {
	case e.Word == "":
		return fmt.Sprintf("filter %s: at its end: %s", quote(e.Expr), e.Reason)
	case e.Word == e.Expr:
		return fmt.Sprintf("filter %s: %s", quote(e.Expr), e.Reason)
	}
	return fmt.Sprintf("filter %s: %s at %d: %s", quote(e.Expr), quote(e.Word), e.Offset+1, e.Reason)
}

// quote is s in quotes; of a long one the beginning.
func quote(s string) string {
	const most = 100
	if len(s) > most {
		return strconv.Quote(s[:most]) + "…"
	}
	return strconv.Quote(s)
}

// maxInstructions is what kernels take (BPF_MAXINSNS).
const maxInstructions = 4096

// Compile returns the program for expr on frames of the given medium: with an Ethernet header, or from the IP header on. The
// empty expression selects all. Errors are *Error.
func Compile(expr string, medium link.Medium, opt Options) ([]bpf.RawInstruction, error) {
	if opt.SnapLen == 0 {
		opt.SnapLen = DefaultSnapLen
	}
	p := parser{expr: expr, opt: opt, frame: newFrame(medium)}
	tree, err := p.parse()
	if err != nil {
		return nil, err
	}
	program := generate(tree, opt.SnapLen)
	if program == nil || len(program) > maxInstructions {
		return nil, &Error{expr, 0, expr, fmt.Sprintf("makes a program of more than %d instructions", maxInstructions)}
	}
	raw, err := bpf.Assemble(program)
	if err != nil {
		return nil, &Error{expr, 0, expr, err.Error()}
	}
	return raw, nil
}
