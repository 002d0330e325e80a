package dhcp4

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// rig is a machine, the time it lives in, and what it did.
type rig struct {
	t *testing.T
	*Machine
	now  clock.Instant
	sent []sending // since the last look
	last *Message  // sent
	news []string  // likewise
}

// sending is a message with its instant.
type sending struct {
	Outgoing
	at time.Duration
}

var (
	testMAC  = wire.MAC{2, 0, 0, 0, 0, 7}
	server1  = netip.MustParseAddr("192.0.2.1")
	server2  = netip.MustParseAddr("192.0.2.2")
	address1 = netip.MustParseAddr("192.0.2.7")
)

func newRig(t *testing.T, cfg MachineConfig) *rig {
	t.Helper()
	cfg.HardwareAddr = testMAC
	random := rand.NewChaCha8([32]byte{1})
	cfg.Entropy = func(b []byte) { random.Read(b) }
	m, err := NewMachine(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{t: t, Machine: m}
}

// collect takes what the machine has to say.
func (r *rig) collect() {
	for {
		o, ok := r.Next()
		if !ok {
			break
		}
		r.sent = append(r.sent, sending{o, r.now.Duration()})
		r.last = o.Message
		if again, err := Parse(o.Message.Append(nil)); err != nil || again.Type() != o.Message.Type() {
			r.t.Errorf("what was sent cannot be read: %v", err)
		}
	}
	for {
		e, ok := r.NextEvent()
		if !ok {
			return
		}
		r.news = append(r.news, e.String())
	}
}

// run lets time pass.
func (r *rig) run(d time.Duration) {
	end := r.now.Add(d)
	for r.Deadline() <= end {
		r.now = max(r.now, r.Deadline())
		r.Timeout(r.now)
		r.collect()
	}
	r.now = end
}

// step lets time pass until the machine's next deadline.
func (r *rig) step() { r.run(r.Deadline().Sub(r.now)) }

// gets has a message arrive, and wants that verdict.
func (r *rig) gets(m *Message, want Verdict) {
	r.t.Helper()
	r.receives(m.Append(nil), want)
}

func (r *rig) receives(b []byte, want Verdict) {
	r.t.Helper()
	state := r.State()
	if got := r.Arrive(r.now, b); got != want {
		r.t.Errorf("in %v: the message is %v, want %v", state, got, want)
	}
	r.collect()
}

// reply returns what a server answers to the last message sent; with Offer and ACK, address1 for an hour.
func (r *rig) reply(t Type, from netip.Addr) *Message {
	a := answer(r.last, t, from)
	a.XID = r.xid
	if t != NAK {
		grant(a, "192.0.2.7/24", time.Hour)
	}
	return a
}

// tookSent returns the types of what was sent, with how often, as "DHCPDISCOVER DHCPREQUEST", and forgets it.
func (r *rig) tookSent() string {
	var all []string
	for _, o := range r.sent {
		all = append(all, o.Message.Type().String())
	}
	r.sent = nil
	return strings.Join(all, " ")
}

// tookNews returns the news, and forgets them.
func (r *rig) tookNews() string {
	s := strings.Join(r.news, "; ")
	r.news = nil
	return s
}

func (r *rig) want(what string, got, want any) {
	r.t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		r.t.Errorf("in %v: %s is %v, want %v", r.State(), what, got, want)
	}
}

// to brings a new machine into a state, in which an hour's lease of address1 from server1 is wanted or held; what led there is
// forgotten.
func (r *rig) to(s State) *rig {
	r.t.Helper()
	before := &Lease{Address: netip.MustParsePrefix("192.0.2.7/24"), Server: server1, Duration: time.Hour, T1: 30 * time.Minute, T2: 50 * time.Minute}
	switch s {
	case Halted:
		r.Start(r.now, nil, 0)
		r.Halt()
	case Init:
		r.cfg.StartDelay = time.Second
		r.Start(r.now, nil, 0)
	case Selecting:
		r.Start(r.now, nil, 0)
	case Requesting:
		r.to(Selecting)
		r.collect()
		r.gets(r.reply(Offer, server1), Accepted)
	case InitReboot:
		r.cfg.StartDelay = time.Second
		r.Start(r.now, before, r.now.Add(time.Hour))
	case Rebooting:
		r.Start(r.now, before, r.now.Add(time.Hour))
	case Bound:
		r.to(Requesting)
		r.gets(r.reply(ACK, server1), Accepted)
	case Renewing:
		r.to(Bound)
		r.step()
	case Rebinding:
		r.to(Renewing)
		for r.State() == Renewing {
			r.step()
		}
	case Informing:
		r.Inform(r.now, address1)
	case Informed:
		r.to(Informing)
		r.collect()
		r.gets(answer(r.last, ACK, server1), Accepted)
	}
	r.collect()
	if r.State() != s {
		r.t.Fatalf("state %v, want %v", r.State(), s)
	}
	r.sent, r.news = nil, nil
	return r
}
