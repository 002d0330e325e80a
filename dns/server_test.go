package dns_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/dns"
)

// What the server makes of queries, over UDP and TCP.
func TestServer(t *testing.T) {
	z, err := dns.ParseZone("www.example 60 A 192.0.2.1\nlong.example 60 TXT \"" + strings.Repeat("x", 250) + "\" \"" + strings.Repeat("y", 250) + "\"\n" +
		strings.Repeat("big.example 60 TXT \""+strings.Repeat("x", 250)+"\"\n", 10))
	if err != nil {
		t.Fatal(err)
	}
	address := serveKernel(t, z.Answer)
	question := func(name string) []dnsmessage.Question {
		return []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: dnsmessage.TypeALL, Class: dnsmessage.ClassINET}}
	}
	opt := func(size int, version uint32) []dnsmessage.Resource {
		r := dnsmessage.Resource{Body: &dnsmessage.OPTResource{}}
		r.Header.SetEDNS0(size, 0, false)
		r.Header.TTL |= version << 16
		return []dnsmessage.Resource{r}
	}
	for _, c := range []struct {
		name, network string
		query         dnsmessage.Message
		want          string // status, truncated, answers, EDNS payload
	}{
		{"plain", "udp", dnsmessage.Message{Questions: question("www.example.")}, "NOERROR false 1 0"},
		{"with EDNS(0)", "udp", dnsmessage.Message{Questions: question("www.example."), Additionals: opt(4096, 0)}, "NOERROR false 1 1232"},
		// RFC 1035, 4.2.1: "Messages carried by UDP are restricted to 512 bytes"; "Longer messages are truncated".
		{"over 512", "udp", dnsmessage.Message{Questions: question("long.example.")}, "NOERROR true 0 0"},
		{"over 512, EDNS(0)", "udp", dnsmessage.Message{Questions: question("long.example."), Additionals: opt(600, 0)}, "NOERROR false 1 1232"},
		// RFC 6891, 6.2.3: "Values lower than 512 MUST be treated as equal to 512."
		{"a small payload", "udp", dnsmessage.Message{Questions: question("www.example."), Additionals: opt(1, 0)}, "NOERROR false 1 1232"},
		{"over all", "udp", dnsmessage.Message{Questions: question("big.example."), Additionals: opt(4096, 0)}, "NOERROR true 0 1232"},
		{"over all, TCP", "tcp", dnsmessage.Message{Questions: question("big.example."), Additionals: opt(4096, 0)}, "NOERROR false 10 1232"},
		{"over 512, TCP", "tcp", dnsmessage.Message{Questions: question("long.example.")}, "NOERROR false 1 0"},
		// RFC 6891, 6.1.3: "If a responder does not implement the VERSION level of the request, then it MUST respond with
		// RCODE=BADVERS."
		{"another version", "udp", dnsmessage.Message{Questions: question("www.example."), Additionals: opt(1232, 1)}, "BADVERS false 0 1232"},
		{"an operation", "udp", dnsmessage.Message{Header: dnsmessage.Header{OpCode: 4}, Questions: question("www.example.")}, "NOTIMP false 0 0"},
		{"no question", "udp", dnsmessage.Message{}, "FORMERR false 0 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.query.ID = 4711
			b, err := c.query.Pack()
			if err != nil {
				t.Fatal(err)
			}
			client := dns.Client{Runtime: clock.NewReal(), Dial: new(net.Dialer).DialContext}
			b, err = client.Exchange(t.Context(), c.network, address, b)
			if err != nil {
				t.Fatal(err)
			}
			var m dnsmessage.Message
			if err := m.Unpack(b); err != nil {
				t.Fatal(err)
			}
			payload := 0
			for _, r := range m.Additionals {
				m.RCode, payload = r.Header.ExtendedRCode(m.RCode), int(r.Header.Class)
			}
			if got := fmt.Sprint(dns.StatusName(m.RCode), " ", m.Truncated, " ", len(m.Answers), " ", payload); got != c.want || m.ID != 4711 {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// Several queries on one connection; what is no query is answered, or not, and harms nobody.
func TestServerStream(t *testing.T) {
	z, err := dns.ParseZone(small)
	if err != nil {
		t.Fatal(err)
	}
	address := serveKernel(t, z.Answer)
	send := func(c net.Conn, b []byte) (dnsmessage.Header, error) {
		t.Helper()
		c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
		var length [2]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return dnsmessage.Header{}, err
		}
		answer := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(c, answer); err != nil {
			return dnsmessage.Header{}, err
		}
		var m dnsmessage.Message
		return m.Header, m.Unpack(answer)
	}
	q := dnsmessage.Message{Header: dnsmessage.Header{ID: 7}, Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("www.example."), Type: 1, Class: 1}}}
	query, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 3 {
		if h, err := send(c, query); err != nil || h.ID != 7 || h.RCode != dnsmessage.RCodeSuccess || !h.Authoritative {
			t.Errorf("%v, %v", h, err)
		}
	}
	if h, err := send(c, query[:14]); err != nil || h.ID != 7 || h.RCode != dnsmessage.RCodeFormatError {
		t.Errorf("half a query: %v, %v", h, err)
	}
	query[2] |= 0x80
	if h, err := send(c, query); err != io.EOF {
		t.Errorf("a response: %v, %v", h, err)
	}
}
