package main

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/dns"
)

// digCmd is `onlink dig`, which asks and prints in the manner of dig(1).
type digCmd struct {
	targetFlags `embed:""`
	Reverse     string   `help:"Look up the names of ADDR." short:"x" placeholder:"ADDR"`
	Type        string   `help:"Type to ask for; A by default." short:"t" placeholder:"TYPE"`
	Port        uint16   `help:"Port of the server." short:"p" default:"53"`
	IPv4        bool     `help:"Ask servers over IPv4 only." short:"4" name:"ipv4"`
	IPv6        bool     `help:"Ask servers over IPv6 only." short:"6" name:"ipv6"`
	JSON        bool     `help:"Print the response as JSON." name:"json"`
	Words       []string `arg:"" optional:"" placeholder:"[@SERVER] NAME [TYPE] [+OPTION]" help:"The server, by default those that the host has; the name; the type; options of dig: +[no]tcp +[no]short +[no]recurse +[no]edns +[no]dnssec +[no]adflag +[no]cdflag +[no]ignore +[no]search +bufsize=N +time=SECONDS +tries=N, and of what is printed: +[no]all +[no]cmd +[no]comments +[no]question +[no]answer +[no]authority +[no]additional +[no]stats"`
}

// digQuery is what the words of a command ask for.
type digQuery struct {
	words   []string // as they are repeated
	server  string   // as given; empty: those of the host
	name    string   // empty: the root
	typ     dnsmessage.Type
	options digOptions
}

// digOptions are the words that begin with "+".
type digOptions struct {
	tcp, short, norecurse, noedns, dnssec, noad, cd, ignore, search             bool
	nocmd, nocomments, noquestion, noanswer, noauthority, noadditional, nostats bool
	bufsize                                                                     int
	time                                                                        time.Duration // of each try
	tries                                                                       int
}

// flags are the options that are or are not: which field, and what it is with the option.
func (o *digOptions) flags() map[string]struct {
	field *bool
	on    bool
} {
	type f = struct {
		field *bool
		on    bool
	}
	return map[string]f{
		"tcp": {&o.tcp, true}, "vc": {&o.tcp, true}, "short": {&o.short, true}, "recurse": {&o.norecurse, false},
		"rdflag": {&o.norecurse, false}, "edns": {&o.noedns, false}, "dnssec": {&o.dnssec, true}, "do": {&o.dnssec, true},
		"adflag": {&o.noad, false}, "cdflag": {&o.cd, true}, "ignore": {&o.ignore, true}, "search": {&o.search, true},
		"cmd": {&o.nocmd, false}, "comments": {&o.nocomments, false}, "question": {&o.noquestion, false},
		"answer": {&o.noanswer, false}, "authority": {&o.noauthority, false}, "additional": {&o.noadditional, false},
		"stats": {&o.nostats, false},
	}
}

// Run has the command work on the host that the flags say.
func (c *digCmd) Run(ctx context.Context) error {
	if _, err := c.query(); err != nil {
		return err
	}
	return c.target(ctx, c)
}

// query reads the words.
func (c *digCmd) query() (*digQuery, error) {
	q := &digQuery{typ: dnsmessage.TypeA, options: digOptions{bufsize: dns.Payload, time: 5 * time.Second, tries: 3}}
	typed, named := false, false
	for _, w := range c.Words {
		switch {
		case strings.HasPrefix(w, "@"):
			q.server = w[1:]
		case strings.HasPrefix(w, "+"):
			if err := q.options.read(w[1:]); err != nil {
				return nil, err
			}
		case !typed && isType(w):
			q.typ, _ = dns.ParseType(w)
			typed = true
		case strings.EqualFold(w, "IN"):
		case named:
			return nil, usagef("dig: %q: one name is looked up at a time, and %q is it", w, q.name)
		case !dns.IsName(w):
			return nil, usagef("dig: %q is not a domain name", w)
		default:
			q.name, named = w, true
		}
	}
	if c.Type != "" {
		t, ok := dns.ParseType(c.Type)
		if !ok {
			return nil, usagef("dig: %q is not a type", c.Type)
		}
		q.typ, typed = t, true
	}
	switch {
	case c.Reverse != "" && named:
		return nil, usagef("dig: -x %s and the name %q: one of them is looked up", c.Reverse, q.name)
	case c.Reverse != "":
		a, err := netip.ParseAddr(c.Reverse)
		if err != nil {
			return nil, usagef("dig: -x %q is not an address", c.Reverse)
		}
		q.name = dns.ReverseName(a)
		if !typed {
			q.typ = dnsmessage.TypePTR
		}
	case !named:
		q.name = "."
		if !typed {
			q.typ = dnsmessage.TypeNS
		}
	}
	q.words = c.Words
	if c.Reverse != "" {
		q.words = append([]string{"-x", c.Reverse}, q.words...)
	}
	switch {
	case q.typ == dnsmessage.TypeAXFR || q.typ == 251:
		return nil, usagef("dig: %s: zones are not transferred", dns.TypeName(q.typ))
	case c.IPv4 && c.IPv6:
		return nil, usagef("dig: -4 and -6: no server can be asked")
	case c.Port == 0:
		return nil, usagef("dig: -p 0: no server listens there")
	}
	return q, nil
}

func isType(w string) bool {
	_, ok := dns.ParseType(w)
	return ok
}

// read reads an option, without the "+".
func (o *digOptions) read(text string) error {
	name, value, valued := strings.Cut(text, "=")
	if valued {
		return o.readValue(text, name, value)
	}
	off := false
	f, ok := o.flags()[name]
	if !ok {
		name, off = strings.CutPrefix(name, "no")
		f, ok = o.flags()[name]
	}
	switch {
	case name == "all":
		o.nocmd, o.nocomments, o.noquestion, o.noanswer, o.noauthority, o.noadditional, o.nostats = off, off, off, off, off, off, off
	case !ok:
		return usagef("dig: +%s is not an option that is known here", text)
	default:
		*f.field = f.on != off
	}
	return nil
}

func (o *digOptions) readValue(text, name, value string) error {
	n, err := strconv.ParseUint(value, 10, 16)
	switch {
	case err != nil:
	case name == "bufsize":
		o.bufsize = int(n)
		return nil
	case name == "time" && n > 0:
		o.time = time.Duration(n) * time.Second
		return nil
	case name == "tries" && n > 0:
		o.tries = int(n)
		return nil
	case name == "retry":
		o.tries = int(n) + 1
		return nil
	case name == "edns" && n == 0:
		o.noedns = false
		return nil
	}
	return usagef("dig: +%s is not an option that is known here", text)
}

// servers returns whom to ask.
func (c *digCmd) servers(s *session, q *digQuery) (all []netip.AddrPort, err error) {
	ask := func(a netip.AddrPort) {
		if is4 := a.Addr().Is4(); is4 && !c.IPv6 || !is4 && !c.IPv4 {
			all = append(all, a)
		}
	}
	switch a, err := netip.ParseAddr(q.server); {
	case q.server == "":
		for _, n := range s.stack.NameServers() {
			server := n.Addr
			if c.Port != 53 {
				server = netip.AddrPortFrom(server.Addr(), c.Port)
			}
			ask(server)
		}
		if len(all) == 0 {
			return nil, onlink.ErrNoNameServer
		}
	case err == nil:
		ask(netip.AddrPortFrom(a.Unmap(), c.Port))
	default:
		found, err := s.stack.LookupNetIP(s.ctx, "ip", q.server)
		if err != nil {
			return nil, fmt.Errorf("dig: the server's address: %w", err)
		}
		for _, a := range found {
			ask(netip.AddrPortFrom(a, c.Port))
		}
	}
	if len(all) == 0 {
		return nil, usagef("dig: %s has no address of the family asked for", q.server)
	}
	return all, nil
}
