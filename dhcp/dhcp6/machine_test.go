package dhcp6

import (
	"testing"
	"time"
)

// The life of leases (RFC 8415, figure 9): four messages to begin, two to renew, two to end.
func TestLife(t *testing.T) {
	b := newBench(t, MachineConfig{NoRapidCommit: true}, wantNA, wantPD)
	b.want(Discovering)
	solicit := b.next(Solicit)
	if s := solicit.IAs; len(s) != 2 || s[1].Leases[0].Prefix.String() != "::/56" || len(s[0].Leases) != 0 {
		t.Errorf("solicited %v", s)
	}
	offer := answer(solicit, Advertise, na("2001:db8::5"), pd("2001:db8:500::/56"))
	b.receive(offer)
	b.silent() // other servers may advertise, too
	request := b.next(Request)
	if !request.ServerID.Equal(serverA) || request.TransactionID == solicit.TransactionID || len(request.IAs) != 2 {
		t.Errorf("requested %v", request)
	}
	reply := answer(request, Reply, na("2001:db8::5"), pd("2001:db8:500::/56"))
	reply.DNS, reply.Search = []netipAddr{addr("2001:db8::53")}, []string{"example.org"}
	b.receive(reply)
	b.want(Bound)
	if s := b.told(); s != "added address 2001:db8::5; added prefix 2001:db8:500::/56; informed; " {
		t.Error(s)
	}
	bound := b.now
	renew := b.next(Renew)
	if d := b.now.Sub(bound); d != 100*time.Second {
		t.Errorf("Renew after %v", d)
	}
	if !renew.ServerID.Equal(serverA) || renew.IAs[0].String() != "IA_NA 00000001 2001:db8::5" {
		t.Errorf("%v", renew)
	}
	b.receive(answer(renew, Reply, na("2001:db8::5"), pd("2001:db8:500::/56")))
	b.want(Bound)
	if s := b.told(); s != "changed address 2001:db8::5; changed prefix 2001:db8:500::/56; informed; " {
		t.Error(s)
	}
	b.m.Release(b.now)
	b.drain()
	if s := b.told(); s != "removed address 2001:db8::5; removed prefix 2001:db8:500::/56; " {
		t.Error(s)
	}
	release := b.next(Release)
	if len(release.IAs) != 2 || !b.m.Busy() {
		t.Errorf("%v", release)
	}
	b.receive(answer(release, Reply))
	b.want(Stopped)
	if b.m.Busy() || b.told() != "finished Release; " {
		t.Error("the Release goes on")
	}
}
