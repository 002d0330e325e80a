package dns_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/dns"
)

// The servers of a rig.
var (
	first  = netip.MustParseAddrPort("192.0.2.53:53")
	second = netip.MustParseAddrPort("[2001:db8::53]:53")
)

// rig is a resolver in a bubble of synctest, whose servers are functions.
type rig struct {
	*testing.T
	*dns.Resolver
	cfg dns.Config

	mu      sync.Mutex
	answer  map[netip.AddrPort]behavior
	queries []string // "192.0.2.53 udp edns A www.example.", as they came
	open    int      // connections
}

// behavior is what a server does with a query: it sends what is to be sent.
type behavior func(network string, q *dnsmessage.Message, send func(*dnsmessage.Message))

// silent does not answer.
func silent(string, *dnsmessage.Message, func(*dnsmessage.Message)) {}

// from answers from a zone.
func from(t testing.TB, records string) behavior {
	z, err := dns.ParseZone(records)
	if err != nil {
		t.Fatal(err)
	}
	return func(_ string, q *dnsmessage.Message, send func(*dnsmessage.Message)) { send(z.Answer(q)) }
}

// code answers with a response code, and with an OPT record if the query had one.
func code(c dnsmessage.RCode) behavior {
	return func(_ string, q *dnsmessage.Message, send func(*dnsmessage.Message)) {
		m := (&dns.Zone{}).Answer(q)
		m.RCode = c
		send(m)
	}
}

// bubble runs f with a rig.
func bubble(t *testing.T, options dns.Options, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rt := clock.NewReal()
		r := &rig{T: t, answer: map[netip.AddrPort]behavior{}}
		r.cfg = dns.Config{Options: options, Runtime: rt, Dial: r.dial, Servers: r.servers}
		r.Resolver = dns.New(r.cfg)
		f(r)
		r.Close()
		rt.Drain()
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.open != 0 {
			t.Errorf("%d connections are left open", r.open)
		}
	})
}

// servers returns the servers that have a behavior.
func (r *rig) servers() (all []netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range []netip.AddrPort{first, second} {
		if r.answer[a] != nil {
			all = append(all, a)
		}
	}
	return all
}

// serve gives a server its behavior.
func (r *rig) serve(server netip.AddrPort, b behavior) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer[server] = b
}

// asked returns the queries since the last call.
func (r *rig) asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.queries
	r.queries = nil
	return q
}

func (r *rig) wantQueries(want ...string) {
	r.Helper()
	if got := r.asked(); !slices.Equal(got, want) {
		r.Errorf("queries were %q, want %q", got, want)
	}
}

type counted struct {
	net.Conn
	once  sync.Once
	close func()
}

func (c *counted) Close() error {
	c.once.Do(c.close)
	return c.Conn.Close()
}

// dial connects to a server: a write is a datagram.
func (r *rig) dial(ctx context.Context, network, address string) (net.Conn, error) {
	server := netip.MustParseAddrPort(address)
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.answer[server]
	if b == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: io.ErrClosedPipe}
	}
	r.open++
	ours, theirs := net.Pipe()
	go r.work(server, network, theirs, b)
	return &counted{Conn: ours, close: func() {
		r.mu.Lock()
		r.open--
		r.mu.Unlock()
	}}, nil
}

func (r *rig) work(server netip.AddrPort, network string, c net.Conn, b behavior) {
	defer c.Close()
	buf := make([]byte, 65535)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		query := buf[:n]
		if network == "tcp" {
			query = query[2:]
		}
		var q dnsmessage.Message
		if err := q.Unpack(query); err != nil || len(q.Questions) != 1 {
			r.Errorf("a bad query: %v", err)
			return
		}
		edns := "plain"
		if len(q.Additionals) == 1 {
			edns = fmt.Sprint("edns", int(q.Additionals[0].Header.Class))
		}
		r.mu.Lock()
		r.queries = append(r.queries, fmt.Sprint(server.Addr(), " ", network, " ", edns, " ", dns.TypeName(q.Questions[0].Type), " ", q.Questions[0].Name))
		r.mu.Unlock()
		b(network, &q, func(m *dnsmessage.Message) {
			b, err := m.Pack()
			if err != nil {
				r.Error(err)
				return
			}
			if network == "tcp" {
				b = append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
			}
			c.Write(b)
		})
	}
}

// lookup looks a host's addresses up on network, "ip" if empty.
func (r *rig) lookup(network, host string) (string, error) {
	if network == "" {
		network = "ip"
	}
	found, err := r.LookupNetIP(context.Background(), network, host)
	var all []string
	for _, a := range found {
		all = append(all, a.String())
	}
	return strings.Join(all, " "), err
}

// want looks a host's IPv4 address up and fails the test if that is not the one.
func (r *rig) want(host, addr string) {
	r.Helper()
	if got, err := r.lookup("ip4", host); got != addr || err != nil {
		r.Errorf("%s is at %q, %v; want %q", host, got, err, addr)
	}
}

// wantTook fails the test if began is not so long ago.
func (r *rig) wantTook(began time.Time, want time.Duration) {
	r.Helper()
	if got := time.Since(began); got != want {
		r.Errorf("took %v, want %v", got, want)
	}
}
