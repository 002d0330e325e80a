package dns

import (
	"context"
	"errors"
	"net"
	"slices"

	"golang.org/x/net/dns/dnsmessage"
)

// Lookup looks up what there is of one type under a name, aliases followed: at least one record. Errors are *net.DNSError, as all
// lookups have them.
func (r *Resolver) Lookup(ctx context.Context, name string, typ dnsmessage.Type) (Answer, error) {
	a, err := r.lookup(ctx, name, typ)
	return a, dnsError(err, name)
}

func (r *Resolver) lookup(ctx context.Context, name string, typ dnsmessage.Type) (Answer, error) {
	var worst verdict
	for _, name := range r.candidates(name) {
		if unasked(name) {
			worst.add(errNotFound)
			continue
		}
		var found Answer
		err := r.ask(ctx, []question{newQuestion(name, typ)}, func(_ int, a Answer, err error) bool {
			if err == nil && len(a.Records) == 0 {
				err = &failure{a.Server, errNotFound}
			}
			found = a
			worst.add(err)
			return false
		})
		if err != nil || len(found.Records) > 0 {
			found.Records = slices.Clone(found.Records) // the cache has them too
			return found, err
		}
	}
	return Answer{}, worst.orNotFound()
}

// verdict is the error of a lookup under several names: that a name may exist after all comes before that others do not.
type verdict struct{ err error }

func (v *verdict) add(err error) {
	if err != nil && (v.err == nil || errors.Is(v.err, errNotFound)) {
		v.err = err
	}
}

func (v *verdict) orNotFound() error {
	if v.err == nil {
		return errNotFound
	}
	return v.err
}

// LookupTXT looks texts up; the parts of each are joined.
func (r *Resolver) LookupTXT(ctx context.Context, name string) (texts []string, err error) {
	a, err := r.Lookup(ctx, name, dnsmessage.TypeTXT)
	for i := range a.Records {
		if b, ok := a.Records[i].Body.(*dnsmessage.TXTResource); ok {
			text := ""
			for _, part := range b.TXT {
				text += part
			}
			texts = append(texts, text)
		}
	}
	return texts, err
}

// LookupNS looks the name servers of a domain up.
func (r *Resolver) LookupNS(ctx context.Context, name string) (all []*net.NS, err error) {
	a, err := r.Lookup(ctx, name, dnsmessage.TypeNS)
	if err != nil {
		return nil, err
	}
	for i := range a.Records {
		if b, ok := a.Records[i].Body.(*dnsmessage.NSResource); ok {
			all = append(all, &net.NS{Host: b.NS.String()})
		}
	}
	return valid(all, name, func(n *net.NS) string { return n.Host })
}

// LookupMX looks the mail exchangers of a domain up, the most preferred first, those of one preference in random order.
func (r *Resolver) LookupMX(ctx context.Context, name string) (all []*net.MX, err error) {
	a, err := r.Lookup(ctx, name, dnsmessage.TypeMX)
	if err != nil {
		return nil, err
	}
	for i := range a.Records {
		if b, ok := a.Records[i].Body.(*dnsmessage.MXResource); ok {
			all = append(all, &net.MX{Host: b.MX.String(), Pref: b.Pref})
		}
	}
	r.shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	slices.SortStableFunc(all, func(a, b *net.MX) int { return int(a.Pref) - int(b.Pref) })
	return valid(all, name, func(m *net.MX) string { return m.Host })
}

// LookupSRV looks servers of "_service._proto.name" up, or of name if service and proto are empty, in the order in which they are
// to be tried (RFC 2782). It returns the name they are under too.
func (r *Resolver) LookupSRV(ctx context.Context, service, proto, name string) (cname string, all []*net.SRV, err error) {
	target := name
	if service != "" || proto != "" {
		target = "_" + service + "._" + proto + "." + name
	}
	a, err := r.Lookup(ctx, target, dnsmessage.TypeSRV)
	if err != nil {
		return "", nil, err
	}
	for i := range a.Records {
		if b, ok := a.Records[i].Body.(*dnsmessage.SRVResource); ok {
			all = append(all, &net.SRV{Target: b.Target.String(), Port: b.Port, Priority: b.Priority, Weight: b.Weight})
		}
	}
	slices.SortStableFunc(all, func(a, b *net.SRV) int { return int(a.Priority) - int(b.Priority) })
	for i := 0; i < len(all); {
		end := i + 1
		for end < len(all) && all[end].Priority == all[i].Priority {
			end++
		}
		r.weigh(all[i:end])
		i = end
	}
	all, err = valid(all, name, func(s *net.SRV) string { return s.Target })
	return a.Name, all, err
}

// weigh puts servers of one priority in order, each to come next as likely as its weight is among those left. RFC 2782 has those
// of weight 0 come with "a very small probability" while others are left.
func (r *Resolver) weigh(all []*net.SRV) {
	r.shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for ; len(all) > 1; all = all[1:] {
		sum := 0
		for _, s := range all {
			sum += int(s.Weight)
		}
		if sum == 0 {
			return
		}
		k := r.random(sum)
		for i, s := range all {
			if k -= int(s.Weight); k < 0 {
				all[0], all[i] = all[i], all[0]
				break
			}
		}
	}
}

// shuffle puts n things in random order.
func (r *Resolver) shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, r.random(i+1))
	}
}

// valid returns those of all whose names hosts may have. Errors: that there were others.
func valid[T any](all []T, name string, of func(T) string) ([]T, error) {
	n := len(all)
	all = slices.DeleteFunc(all, func(t T) bool { return !IsHostName(of(t)) })
	if len(all) < n {
		return all, dnsError(errBadNames, name)
	}
	return all, nil
}
