package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink/clock"
)

// serverState is how a server has behaved, as far as it matters.
type serverState struct {
	silentUntil clock.Instant // it did not answer: it is asked last
	plainUntil  clock.Instant // it does not know EDNS(0)
}

const (
	silence = time.Minute // how long a server that did not answer is asked last
	// plainness is how long a server is taken for one without EDNS(0). RFC 6891, 6.2.2: "It MAY cache this knowledge for a brief
	// time in order to avoid fallback delays in the future."
	plainness = 15 * time.Minute
)

// state returns how a server has behaved. r locked.
func (r *Resolver) state(server netip.AddrPort) *serverState {
	s := r.servers[server]
	if s == nil {
		s = new(serverState)
		r.servers[server] = s
	}
	return s
}

// renew looks whether other servers are to be asked than before: what was known is forgotten then, since it may not hold where
// these are. r locked.
func (r *Resolver) renew(servers []netip.AddrPort) {
	if !slices.Equal(servers, r.asked) {
		r.asked = slices.Clone(servers)
		r.flush()
	}
}

// order returns the servers in the order in which they are to be asked now: those that have not answered lately come last.
func (r *Resolver) order() (all []netip.AddrPort) {
	all = slices.Clone(r.cfg.Servers())
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.cfg.Runtime.Now()
	r.renew(all)
	if r.cfg.Rotate && len(all) > 0 {
		k := r.turn % len(all)
		r.turn++
		all = slices.Concat(all[k:], all[:k])
	}
	silent := func(a netip.AddrPort) bool { s := r.servers[a]; return s != nil && now < s.silentUntil }
	slices.SortStableFunc(all, func(a, b netip.AddrPort) int {
		switch {
		case silent(a) == silent(b):
			return 0
		case silent(b):
			return -1
		}
		return 1
	})
	return all
}

// failure is why a server had no answer.
type failure struct {
	server netip.AddrPort
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// query asks the servers until one has an answer.
//
// RFC 1035, 4.2.1: "The client should try other servers and server addresses before repeating a query to a specific address of a
// server."
func (r *Resolver) query(ctx context.Context, q question) (Answer, error) {
	servers := r.order()
	if len(servers) == 0 {
		return Answer{}, ErrNoServer
	}
	var last error
	silent := make([]bool, len(servers))
	for range r.cfg.Attempts {
		for i, server := range servers {
			a, err := r.queryOne(ctx, server, q, !silent[i])
			if err == nil {
				a.Server = server
				return a, nil
			}
			if ctx.Err() != nil {
				return Answer{}, ctx.Err()
			}
			last = &failure{server, err}
			silent[i] = isTimeout(err)
		}
	}
	return Answer{}, last
}

// queryOne asks one server. After one with EDNS(0) that nobody answered, a query goes without: what is between may let only those
// pass (RFC 6891, 6.2.6).
func (r *Resolver) queryOne(ctx context.Context, server netip.AddrPort, q question, edns bool) (Answer, error) {
	r.mu.Lock()
	edns = edns && r.cfg.Runtime.Now() >= r.state(server).plainUntil
	r.mu.Unlock()
	resp, err := r.exchange(ctx, server, q, edns)
	if err == nil && edns && refusesEDNS(&resp) {
		if resp, err = r.exchange(ctx, server, q, false); err == nil {
			r.note(server, func(s *serverState, now clock.Instant) { s.plainUntil = now.Add(plainness) })
		}
	}
	if isTimeout(err) && ctx.Err() == nil {
		r.note(server, func(s *serverState, now clock.Instant) { s.silentUntil = now.Add(silence) })
	}
	if err != nil {
		return Answer{}, err
	}
	r.note(server, func(s *serverState, _ clock.Instant) { s.silentUntil = 0 })
	if err := resp.check(); err != nil {
		return Answer{}, err
	}
	return resp.answer(r.cfg.Runtime.Now(), q)
}

func (r *Resolver) note(server netip.AddrPort, f func(s *serverState, now clock.Instant)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.state(server), r.cfg.Runtime.Now())
}

// refusesEDNS reports whether a server shows that it does not know EDNS(0), or not this version.
//
// RFC 6891, 7: "Responders that choose not to implement the protocol extensions defined in this document MUST respond with a
// return code (RCODE) of FORMERR to messages containing an OPT record in the additional section and MUST NOT include an OPT record
// in the response." Some say that they do not implement the query, or are at a loss.
func refusesEDNS(r *response) bool {
	switch r.RCode {
	case rcodeBadVersion:
		return true
	case dnsmessage.RCodeFormatError, dnsmessage.RCodeNotImplemented:
		return !r.edns
	}
	return false
}

// exchange asks a server over UDP and, if the answer does not fit, over TCP.
//
// RFC 1123, 6.1.3.2: "a DNS resolver or server that is sending a non-zone-transfer query MUST send a UDP query first. If the
// Answer section of the response is truncated and if the requester supports TCP, it SHOULD try the query again using TCP."
func (r *Resolver) exchange(ctx context.Context, server netip.AddrPort, q question, edns bool) (resp response, err error) {
	for _, network := range [...]string{"udp", "tcp"} {
		var id [2]byte
		r.cfg.Runtime.Entropy(id[:])
		query, err := newQuery(binary.BigEndian.Uint16(id[:]), q, edns)
		if err != nil {
			return resp, errors.Join(errBadQuery, err)
		}
		b, err := r.client.Exchange(ctx, network, server, query)
		if err != nil {
			return resp, err
		}
		// "Truncated responses MUST NOT be saved (cached) and later used": such a one need not be whole either.
		if network == "udp" && binary.BigEndian.Uint16(b[flagsAt:])&truncated != 0 {
			continue
		}
		if resp, err = parseResponse(b); err != nil {
			return resp, errors.Join(errBadResponse, err)
		}
		break
	}
	return resp, nil
}

// check returns nil if the response is an answer: that there is something, or nothing.
func (r *response) check() error {
	switch {
	case r.RCode == dnsmessage.RCodeNameError:
		return nil
	case r.RCode == dnsmessage.RCodeServerFailure:
		return errServerFailure
	case r.RCode != dnsmessage.RCodeSuccess:
		return errMisbehaving
	// A server that neither knows the answer nor asks others for it.
	case !r.Authoritative && !r.RecursionAvailable && len(r.answers) == 0 && !r.negative():
		return errLame
	}
	return nil
}
