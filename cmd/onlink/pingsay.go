package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/wire"
)

// What ping prints at the beginning, at the end, and of errors.

func (p *pinger) header() {
	if p.cmd.Pattern != "" {
		fill, _ := p.cmd.pattern() // it was checked
		p.print("PATTERN: 0x%x\n", fill)
	}
	from := ""
	if p.cmd.From != "" {
		from = fmt.Sprintf("from %v %s: ", p.src, p.by)
	}
	if p.dst.Is4() {
		p.print("PING %s (%v) %s%d(%d) bytes of data.\n", p.cmd.Host, p.dst, from, p.cmd.Size, p.cmd.Size+wire.ICMPLen+wire.IPv4MinLen)
		return
	}
	p.print("PING %s(%s) %s%d data bytes\n", p.cmd.Host, p.names.with(p.dst), from, p.cmd.Size)
}

func (p *pinger) statistics() {
	var b strings.Builder
	fmt.Fprintf(&b, "\n--- %s ping statistics ---\n%d packets transmitted, %d received", p.cmd.Host, p.transmitted, p.received)
	if p.repeated > 0 {
		fmt.Fprintf(&b, ", +%d duplicates", p.repeated)
	}
	if p.errors > 0 {
		fmt.Fprintf(&b, ", +%d errors", p.errors)
	}
	if p.transmitted > 0 {
		fmt.Fprintf(&b, ", %.6g%% packet loss", float64(p.transmitted-p.received)*100/float64(p.transmitted))
		fmt.Fprintf(&b, ", time %dms", p.last.Sub(p.began).Milliseconds())
	}
	b.WriteByte('\n')
	var last []string
	if p.received > 0 && p.timed() {
		last = append(last, "rtt min/avg/max/mdev = "+p.rtt.String()+" ms")
	}
	if p.pipe > 1 {
		last = append(last, fmt.Sprintf("pipe %d", p.pipe))
	}
	p.print("%s%s\n", b.String(), strings.Join(last, ", "))
}

// rtts is what is kept of the times that replies took.
type rtts struct {
	n                 int64
	shortest, longest time.Duration
	sum, squares      float64 // microseconds, and their squares
}

func newRTTs() rtts { return rtts{shortest: math.MaxInt64} }

func (r *rtts) add(d time.Duration) {
	r.n++
	r.shortest, r.longest = min(r.shortest, d), max(r.longest, d)
	us := float64(d.Microseconds())
	r.sum += us
	r.squares += us * us
}

// String returns the least, the mean, the most and the standard deviation, in milliseconds.
func (r *rtts) String() string {
	mean := math.Floor(r.sum / float64(r.n))
	deviation := math.Sqrt(max(0, math.Floor(r.squares/float64(r.n))-mean*mean))
	var all []string
	for _, us := range [...]int64{r.shortest.Microseconds(), int64(mean), r.longest.Microseconds(), int64(deviation)} {
		all = append(all, fmt.Sprintf("%d.%03d", us/1000, us%1000))
	}
	return strings.Join(all, "/")
}

// unreachable is what ping says where there is no neighbor.
func unreachable(four bool) string {
	if four {
		return "Destination Host Unreachable"
	}
	return "Destination unreachable: Address unreachable"
}

// pingUnreachable4 are ping's words for the codes of Destination Unreachable (RFC 792; RFC 1122, 3.2.2.1; RFC 1812, 5.2.7.1).
var pingUnreachable4 = [...]string{"Destination Net Unreachable", "Destination Host Unreachable", "Destination Protocol Unreachable",
	"Destination Port Unreachable", "", "Source Route Failed", "Destination Net Unknown", "Destination Host Unknown", "Source Host Isolated",
	"Destination Net Prohibited", "Destination Host Prohibited", "Destination Net Unreachable for Type of Service",
	"Destination Host Unreachable for Type of Service", "Packet filtered", "Precedence Violation", "Precedence Cutoff"}

// pingUnreachable6 are those for the codes of ICMPv6 (RFC 4443, 3.1).
var pingUnreachable6 = [...]string{"No route", "Administratively prohibited", "Beyond scope of source address", "Address unreachable", "Port unreachable"}

// icmpWords returns ping's words for an ICMP error.
func icmpWords(e *onlink.ICMPError) string {
	if e.From.Is4() {
		return icmpWords4(e)
	}
	switch e.Type {
	case wire.ICMPv6DestUnreachable:
		if int(e.Code) < len(pingUnreachable6) {
			return "Destination unreachable: " + pingUnreachable6[e.Code]
		}
		return fmt.Sprintf("Destination unreachable: Unknown code %d", e.Code)
	case wire.ICMPv6PacketTooBig:
		return fmt.Sprintf("Packet too big: mtu=%d", e.MTU)
	case wire.ICMPv6TimeExceeded:
		return "Time exceeded: " + pick(e.Code, "Hop limit", "Defragmentation failure")
	case wire.ICMPv6ParamProblem:
		return fmt.Sprintf("Parameter problem: %s at %d", pick(e.Code, "Wrong header field", "Unknown header", "Unknown option"), e.Pointer)
	}
	return fmt.Sprintf("unknown icmp type: %d", e.Type)
}

func icmpWords4(e *onlink.ICMPError) string {
	switch e.Type {
	case wire.ICMPv4DestUnreachable:
		switch {
		case e.Code == wire.ICMPv4FragmentationNeeded:
			return fmt.Sprintf("Frag needed and DF set (mtu = %d)", e.MTU)
		case int(e.Code) < len(pingUnreachable4):
			return pingUnreachable4[e.Code]
		}
		return fmt.Sprintf("Dest Unreachable, Bad Code: %d", e.Code)
	case wire.ICMPv4TimeExceeded:
		return pick(e.Code, "Time to live exceeded", "Frag reassembly time exceeded")
	case wire.ICMPv4ParamProblem:
		return fmt.Sprintf("Parameter problem: pointer = %d", e.Pointer)
	}
	return fmt.Sprintf("Bad ICMP type: %d", e.Type)
}

// pick returns the word for a code.
func pick(code uint8, words ...string) string {
	if int(code) < len(words) {
		return words[code]
	}
	return fmt.Sprintf("code %d", code)
}
