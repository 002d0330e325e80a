package ip

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

// RFC 4884, 4: the length attribute ends the packet that an error quotes, and an extension structure follows. What it has is
// reported; a malformed one does not make the error less true.
func TestErrorExtensions(t *testing.T) {
	labels := []byte{0x20, 0, 0, 0, 0, 8, 1, 1, 0, 1, 0x01, 0xff}
	broken := []byte{0x20, 0, 0, 0, 0, 200, 1, 1, 0, 1, 0x01, 0xff}
	pad := func(b []byte) []byte { return append(bytes.Clone(b), make([]byte, 128-len(b))...) }
	quote4 := pad(ip4(us4, far4, 17, udp(us4, far4, "data")))
	quote6 := pad(ip6(us6, far6, 17, udp(us6, far6, "data")))
	for _, c := range []struct {
		name    string
		frame   []byte
		objects int
		tail    int
		pointer uint32
	}{
		{"4", in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(11, 0, 32<<16, cat(quote4, labels)))), 1, 108 + 12, 0},
		{"6", in6(ip6(peer6, us6, wire.ProtoICMPv6, icmp6(peer6, us6, 3, 0, 16<<24, cat(quote6, labels)))), 1, 88 + 12, 0},
		{"malformed", in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(11, 0, 32<<16, cat(quote4, broken)))), 0, 108 + 12, 0},
		{"no length", in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(11, 0, 0, cat(quote4, labels)))), 0, 108 + 12, 0},
		{"parameter problem", in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(12, 0, 9<<24|32<<16, cat(quote4, labels)))), 1, 108 + 12, 9},
		{"parameter problem 6", in6(ip6(peer6, us6, wire.ProtoICMPv6, icmp6(peer6, us6, 4, 0, 6, quote6))), 0, 88, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t, setup{})
			b.in(b.eth0, c.frame)
			if len(b.udp.errors) != 1 {
				t.Fatalf("%d errors", len(b.udp.errors))
			}
			e := &b.udp.errors[0]
			r := e.Report(53)
			if len(e.Quote) != wire.UDPLen+4 || len(e.Tail()) != c.tail || len(r.Objects) != c.objects || r.Pointer != c.pointer || r.Port != 53 {
				t.Errorf("%d octets quoted, %d with what follows, %+v", len(e.Quote), len(e.Tail()), r)
			}
			if c.objects > 0 && fmt.Sprint(r.Objects[0].MPLSLabels()) != "[{16 0 true 255}]" {
				t.Errorf("%v", r.Objects)
			}
		})
	}
}
