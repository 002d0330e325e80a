package dns_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/dns"
)

// liar is a connection to a server that answers every query with the same octets, behind the query's header and question if they are
// to match.
type liar struct {
	net.Conn // nil: nothing else is called
	says     []byte
	network  string
	answer   []byte
}

func (l *liar) Write(b []byte) (int, error) {
	n := len(b)
	if l.network == "tcp" {
		b = b[2:]
	}
	query := b[:min(len(b), len(b)-11)] // without the OPT record
	if binary.BigEndian.Uint16(b[10:]) == 0 {
		query = b
	}
	answer := append([]byte(nil), query...)
	if len(l.says) >= 8 {
		answer[2], answer[3] = l.says[0]|0x80, l.says[1]
		copy(answer[6:12], l.says[2:8])
		answer = append(answer, l.says[8:]...)
	}
	if l.network == "tcp" {
		answer[2] &^= 2 // not truncated
		answer = append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)
	}
	l.answer = answer
	return n, nil
}

func (l *liar) Read(b []byte) (int, error) {
	if len(l.answer) == 0 {
		return 0, io.EOF
	}
	n := copy(b, l.answer)
	l.answer = l.answer[n:]
	return n, nil
}

func (l *liar) Close() error                { return nil }
func (l *liar) SetDeadline(time.Time) error { return nil }

// Whatever a server says, a lookup ends, and what it returns is of the kind asked for.
func FuzzResponse(f *testing.F) {
	z, err := dns.ParseZone(`
www.example 60 A     192.0.2.1
www.example 60 AAAA  2001:db8::1
www.example 60 TXT   "x"
www.example 60 MX    1 a.example
www.example 60 SRV   1 2 3 a.example
www.example 60 CNAME a.example
example     60 SOA   a.example b.example 1 2 3 4 5`)
	if err != nil {
		f.Fatal(err)
	}
	for _, typ := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA, dnsmessage.TypeTXT, dnsmessage.TypeMX, dnsmessage.TypeSRV, dnsmessage.TypeNS} {
		m := z.Answer(&dnsmessage.Message{Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("www.example."), Type: typ, Class: dnsmessage.ClassINET}}})
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append(append([]byte(nil), b[2:4]...), append(b[6:12:12], b[12+len("\x03www\x07example\x00")+4:]...)...))
	}
	f.Fuzz(func(t *testing.T, says []byte) {
		rt := clock.NewReal()
		r := dns.New(dns.Config{Runtime: rt, Servers: func() []netip.AddrPort { return []netip.AddrPort{first} },
			Dial: func(_ context.Context, network, _ string) (net.Conn, error) {
				return &liar{says: says, network: network}, nil
			}})
		defer rt.Drain()
		defer r.Close()
		ctx := context.Background()
		for _, network := range []string{"ip4", "ip6"} {
			found, err := r.LookupNetIP(ctx, network, "www.example.")
			if (err == nil) != (len(found) > 0) {
				t.Errorf("%v, %v", found, err)
			}
			for _, a := range found {
				if network == "ip4" && !a.Is4() || !a.IsValid() {
					t.Errorf("%s: %v", network, a)
				}
			}
		}
		for _, typ := range []dnsmessage.Type{dnsmessage.TypeTXT, dnsmessage.TypeMX, dnsmessage.TypeSRV, dnsmessage.TypeNS, dnsmessage.TypePTR, 4711} {
			a, err := r.Lookup(ctx, "www.example.", typ)
			if (err == nil) != (len(a.Records) > 0) {
				t.Errorf("%v, %v", a, err)
			}
			for _, rr := range a.Records {
				if rr.Header.Type != typ || rr.Header.Class != dnsmessage.ClassINET {
					t.Errorf("asked for %v, got %v", typ, rr.Header)
				}
				dns.DataText(rr.Body)
			}
		}
		hosts, _ := r.LookupMX(ctx, "www.example.")
		for _, h := range hosts {
			if !dns.IsHostName(h.Host) {
				t.Errorf("%q is no host", h.Host)
			}
		}
	})
}

// A server takes any query.
func FuzzServer(f *testing.F) {
	z, err := dns.ParseZone(small)
	if err != nil {
		f.Fatal(err)
	}
	for _, edns := range []bool{false, true} {
		q := dnsmessage.Message{Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("www.example."), Type: 1, Class: 1}}}
		if edns {
			opt := dnsmessage.Resource{Body: &dnsmessage.OPTResource{}}
			opt.Header.SetEDNS0(1232, 0, true)
			q.Additionals = append(q.Additionals, opt)
		}
		b, err := q.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, query []byte) {
		s := &dns.Server{Runtime: clock.NewReal(), Answer: z.Answer}
		pc := &packets{in: query}
		s.ServePacket(pc)
		for _, b := range pc.out {
			var m dnsmessage.Message
			if err := m.Unpack(b); err != nil || !m.Response || len(b) > 1232 {
				t.Errorf("%d octets, %v, %v", len(b), m.Header, err)
			}
		}
	})
}

// packets is a socket to which one datagram comes.
type packets struct {
	net.PacketConn // nil: nothing else is called
	in             []byte
	out            [][]byte
}

func (p *packets) ReadFrom(b []byte) (int, net.Addr, error) {
	if p.in == nil {
		return 0, nil, net.ErrClosed
	}
	n := copy(b, p.in)
	p.in = nil
	return n, &net.UDPAddr{}, nil
}

func (p *packets) WriteTo(b []byte, _ net.Addr) (int, error) {
	p.out = append(p.out, append([]byte(nil), b...))
	return len(b), nil
}
