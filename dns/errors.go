package dns

import (
	"context"
	"errors"
	"net"
)

// ErrNoServer is what lookups fail with when there is no server to ask, within a *net.DNSError.
var ErrNoServer = errors.New("onlink: no name server is configured")

// What goes wrong, in the words of package net where it has some.
var (
	errNotFound      = errors.New("no such host")
	errServerFailure = errors.New("server misbehaving") // for now: SERVFAIL
	errMisbehaving   = errors.New("server misbehaving")
	errLame          = errors.New("lame referral")
	errBadQuery      = errors.New("cannot marshal DNS message")
	errBadResponse   = errors.New("cannot unmarshal DNS message")
	errAliases       = errors.New("too many aliases")
	errBadNames      = errors.New("DNS response contained records which contain invalid names")
)

// isTimeout reports whether err is that time ran out.
func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// dnsError is err as net.Resolver would tell it of a lookup of name.
func dnsError(err error, name string) error {
	if err == nil {
		return nil
	}
	e := &net.DNSError{Err: err.Error(), Name: name, UnwrapErr: err}
	if f, ok := errors.AsType[*failure](err); ok {
		e.Server = f.server.String()
		e.UnwrapErr = f.err
	}
	_, network := errors.AsType[*net.OpError](err)
	switch {
	case errors.Is(err, context.Canceled):
		e.Err = "operation was canceled"
	case isTimeout(err): // os.ErrDeadlineExceeded or context.DeadlineExceeded, among others
		e.Err, e.IsTimeout, e.IsTemporary = "i/o timeout", true, true
	case errors.Is(err, errNotFound):
		e.IsNotFound = true
	case network, errors.Is(err, errServerFailure):
		e.IsTemporary = true
	}
	return e
}
