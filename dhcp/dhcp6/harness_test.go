package dhcp6

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// clientID and the servers' DUIDs in tests.
var (
	clientID = DUID{0, 3, 0, 1, 2, 0, 0, 0, 0, 1}
	serverA  = DUID{0, 3, 0, 1, 2, 0, 0, 0, 0, 0xa}
	serverB  = DUID{0, 3, 0, 1, 2, 0, 0, 0, 0, 0xb}
)

// bench is a machine with its time, and what it did.
type bench struct {
	*testing.T
	m      *Machine
	now    clock.Instant
	sent   []Outgoing
	at     []clock.Instant // when each was
	events []Event
}

// newBench makes a machine that is started with wants, unless there are none.
func newBench(t *testing.T, cfg MachineConfig, wants ...Want) *bench {
	r := rand.NewChaCha8([32]byte{1})
	cfg.ClientID, cfg.Entropy = clientID, func(b []byte) { r.Read(b) }
	b := &bench{T: t, m: NewMachine(cfg), now: 100e9}
	if len(wants) > 0 {
		b.m.Start(b.now, wants)
		b.drain()
	}
	return b
}

var (
	wantNA = Want{Kind: Addresses, ID: 1}
	wantPD = Want{Kind: Prefixes, ID: 1, Hints: []netip.Prefix{netip.MustParsePrefix("::/56")}}
)

func (b *bench) drain() {
	var e Event
	for b.m.NextEvent(&e) {
		b.events = append(b.events, e)
	}
	var o Outgoing
	for b.m.NextMessage(&o) {
		// What is sent can be read, and says the same.
		raw := o.Message.Append(nil)
		again, err := ParseMessage(raw)
		if err != nil || string(again.Append(nil)) != string(raw) {
			b.Fatalf("%v: %v", o.Message, err)
		}
		b.sent, b.at = append(b.sent, o), append(b.at, b.now)
	}
}

// run lets time pass until the instant d from now.
func (b *bench) run(d time.Duration) {
	b.Helper()
	until := b.now.Add(d)
	for n := 0; b.m.Deadline() <= until; n++ {
		if n > 100000 {
			b.Fatal("it does not come to an end")
		}
		b.now = max(b.now, b.m.Deadline())
		b.m.Timeout(b.now)
		b.drain()
	}
	b.now = until
}

// next lets time pass until the next message, which must be of the given type. An Information-request is no matter where a Solicit is
// asked for.
func (b *bench) next(want MessageType) *Message {
	b.Helper()
	if want == Solicit && len(b.sent) > 0 && b.sent[0].Message.Type == InformationRequest {
		b.sent, b.at = b.sent[1:], b.at[1:]
	}
	for n := 0; len(b.sent) == 0; n++ {
		at := b.m.Deadline()
		if at == clock.Never || n > 1000 {
			b.Fatalf("no %v: nothing is ahead in state %v", want, b.m.State())
		}
		b.now = max(b.now, at)
		b.m.Timeout(b.now)
		b.drain()
	}
	o := b.sent[0]
	b.sent, b.at = b.sent[1:], b.at[1:]
	if want == Solicit && o.Message.Type == InformationRequest {
		return b.next(want)
	}
	if o.Message.Type != want {
		b.Fatalf("sent %v, want %v", o.Message, want)
	}
	return o.Message
}

// silent checks that nothing was sent.
func (b *bench) silent() {
	b.Helper()
	if len(b.sent) > 0 {
		b.Fatalf("sent %v", b.sent[0].Message)
	}
}

// receive gives the machine a message, over the wire's format.
func (b *bench) receive(msg *Message) {
	b.Helper()
	b.receiveRaw(msg.Append(nil), true)
}

func (b *bench) receiveRaw(raw []byte, unicast bool) {
	b.Helper()
	again, err := ParseMessage(raw)
	if err != nil {
		b.Fatal(err)
	}
	b.m.Receive(b.now, again, raw, unicast)
	b.drain()
}

// answer returns an answer of server A to a message.
func answer(to *Message, kind MessageType, ias ...IA) *Message {
	return &Message{Type: kind, TransactionID: to.TransactionID, ClientID: clientID, ServerID: serverA, IAs: ias}
}

// na and pd are associations with leases of 200 s preferred and 300 s valid, T1 100 s and T2 160 s.
func na(addrs ...string) IA {
	a := IA{Kind: Addresses, ID: 1, T1: 100, T2: 160}
	for _, s := range addrs {
		a.Leases = append(a.Leases, IALease{Prefix: netip.PrefixFrom(netip.MustParseAddr(s), 128), Preferred: 200, Valid: 300})
	}
	return a
}

func pd(prefixes ...string) IA {
	a := IA{Kind: Prefixes, ID: 1, T1: 100, T2: 160}
	for _, s := range prefixes {
		a.Leases = append(a.Leases, IALease{Prefix: netip.MustParsePrefix(s), Preferred: 200, Valid: 300})
	}
	return a
}

// bind leads the machine to Bound with the associations given.
func (b *bench) bind(ias ...IA) {
	b.Helper()
	b.receive(answer(b.next(Solicit), Advertise, ias...))
	b.receive(answer(b.next(Request), Reply, ias...))
	b.want(Bound)
	b.events = nil
}

// want checks the state.
func (b *bench) want(s State) {
	b.Helper()
	if b.m.State() != s {
		b.Fatalf("the state is %v, want %v", b.m.State(), s)
	}
}

// leases returns what there is, as text.
func (b *bench) leases() (s string) {
	for _, l := range b.m.Leases() {
		s += l.String() + "; "
	}
	return s
}

// told returns the events since the last call, as text.
func (b *bench) told() (s string) {
	names := [...]string{"added", "changed", "removed", "informed", "refused", "unanswered", "discarded", "reconfigured", "finished", "failed"}
	for _, e := range b.events {
		s += names[e.Kind]
		switch e.Kind {
		case LeaseAdded, LeaseChanged, LeaseRemoved:
			s += " " + e.Lease.String()
		case Refused:
			s += " " + e.Status.String()
		case Unanswered, Reconfigured, Finished:
			s += " " + e.Message.String()
		case Discarded:
			s += fmt.Sprintf(" %v: %s", e.Message, e.Reason)
		}
		s += "; "
	}
	b.events = nil
	return s
}

type netipAddr = netip.Addr

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }
