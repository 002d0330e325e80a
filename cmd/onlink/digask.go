package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink/dns"
)

// digResponse is a response and how it came.
type digResponse struct {
	dnsmessage.Message
	server  netip.AddrPort
	network string // "udp" or "tcp"
	took    time.Duration
	at      time.Time // when it came
	size    int       // octets
}

// exitNoReply is dig's exit code when no server replied.
const exitNoReply = exitStatus(9)

func (c *digCmd) run(s *session) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	servers, err := c.servers(s, q)
	if err != nil {
		return err
	}
	d := &digger{session: s, q: q, servers: servers, quiet: c.JSON}
	for _, name := range q.names(s) {
		r, err := d.ask(name)
		if err != nil {
			return err
		}
		if r == nil {
			return d.unanswered()
		}
		d.response = r
		if r.RCode != dnsmessage.RCodeNameError {
			break
		}
	}
	switch {
	case c.JSON:
		err = d.printJSON()
	case q.options.short:
		d.printShort()
	default:
		d.print()
	}
	if err != nil {
		return err
	}
	_, err = s.out.Write(d.text.Bytes())
	return err
}

// digger asks and prints.
type digger struct {
	*session
	q        *digQuery
	servers  []netip.AddrPort
	quiet    bool // about what goes wrong on the way
	response *digResponse
	text     bytes.Buffer
}

// names returns the names to ask for: the one that was given, and with +search those that the search list makes of it.
func (q *digQuery) names(s *session) []string {
	whole := strings.TrimSuffix(q.name, ".") + "."
	if !q.options.search || strings.HasSuffix(q.name, ".") {
		return []string{whole}
	}
	var all []string
	for _, d := range s.stack.SearchDomains() {
		if name := whole + d.Domain + "."; dns.IsName(name) {
			all = append(all, name)
		}
	}
	if strings.Contains(q.name, ".") {
		return append([]string{whole}, all...)
	}
	return append(all, whole)
}

// ask asks the servers for a name until one replies; nil: none did.
func (d *digger) ask(name string) (*digResponse, error) {
	network := "udp"
	if d.q.options.tcp {
		network = "tcp"
	}
	for range d.q.options.tries {
		for i, server := range d.servers {
			r, err := d.askOne(name, network, server)
			if err == nil && r.Truncated && network == "udp" && !d.q.options.ignore {
				d.say(";; Truncated, retrying in TCP mode.\n")
				network = "tcp"
				r, err = d.askOne(name, network, server)
			}
			if err == nil {
				return r, nil
			}
			if err := d.ctx.Err(); err != nil {
				return nil, err
			}
			d.complain(name, network, server, err)
			if network == "tcp" && i == len(d.servers)-1 {
				d.giveUp()
			}
		}
	}
	return nil, nil
}

// askOne asks one server.
func (d *digger) askOne(name, network string, server netip.AddrPort) (*digResponse, error) {
	o := &d.q.options
	query, err := d.query(name)
	if err != nil {
		return nil, err
	}
	rt := d.stack.Runtime()
	client := dns.Client{Runtime: rt, Dial: d.stack.DialContext, Timeout: o.time}
	began := rt.Now()
	b, err := client.Exchange(d.ctx, network, server, query)
	if err != nil {
		return nil, err
	}
	r := &digResponse{server: server, network: network, took: rt.Now().Sub(began), at: rt.Wall(), size: len(b)}
	if err := r.Unpack(b); err != nil {
		return nil, fmt.Errorf("the response is malformed: %w", err)
	}
	return r, nil
}

// query returns the octets of the query.
func (d *digger) query(name string) ([]byte, error) {
	o := &d.q.options
	var id [2]byte
	d.stack.Runtime().Entropy(id[:])
	n, err := dnsmessage.NewName(name)
	if err != nil {
		return nil, err
	}
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: binary.BigEndian.Uint16(id[:]), RecursionDesired: !o.norecurse,
		AuthenticData: !o.noad, CheckingDisabled: o.cd},
		Questions: []dnsmessage.Question{{Name: n, Type: d.q.typ, Class: dnsmessage.ClassINET}}}
	if !o.noedns || o.dnssec {
		opt := dnsmessage.Resource{Body: &dnsmessage.OPTResource{}}
		if err := opt.Header.SetEDNS0(o.bufsize, dnsmessage.RCodeSuccess, o.dnssec); err != nil {
			return nil, err
		}
		m.Additionals = []dnsmessage.Resource{opt}
	}
	return m.Pack()
}

// say tells what happens on the way.
func (d *digger) say(format string, args ...any) {
	if !d.quiet && !d.q.options.nocomments && !d.q.options.short {
		fmt.Fprintf(&d.text, format, args...)
	}
}

// complain tells that a server did not reply.
func (d *digger) complain(name, network string, server netip.AddrPort, err error) {
	if d.quiet {
		return
	}
	why := err.Error()
	var errno syscall.Errno
	switch e, ok := errors.AsType[net.Error](err); {
	case errors.Is(err, os.ErrDeadlineExceeded), ok && e.Timeout():
		why = "timed out"
	case errors.As(err, &errno):
		why = errno.Error()
	}
	if network == "tcp" {
		if !strings.HasSuffix(d.q.name, ".") {
			name = strings.TrimSuffix(name, ".") // as it was given
		}
		fmt.Fprintf(&d.text, ";; Connection to %s(%v) for %s failed: %s.\n", digServer(server), server.Addr(), name, why)
		return
	}
	fmt.Fprintf(&d.text, ";; communications error to %s: %s\n", digServer(server), why)
}

// giveUp tells that no server could be reached.
func (d *digger) giveUp() {
	if !d.quiet {
		d.text.WriteString(noServers)
	}
}

const noServers = ";; no servers could be reached\n"

// unanswered ends the command without a reply. What dig says at each try over TCP, it says once of UDP, below its banner.
func (d *digger) unanswered() error {
	if d.quiet {
		if _, err := io.WriteString(d.err, noServers); err != nil {
			return err
		}
		return exitNoReply
	}
	if !d.q.options.tcp {
		d.printCommand()
		d.giveUp()
	}
	if _, err := d.out.Write(d.text.Bytes()); err != nil {
		return err
	}
	return exitNoReply
}
