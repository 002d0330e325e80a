package dhcp4

import "fmt"

// State is where a client stands (RFC 2131, figure 5).
type State uint8

// The states. In Init and InitReboot the client waits before it begins. The RFC has no name for the first and the last two: a
// client that was not started or is held up by its link, and one that asks for information alone (DHCPINFORM) and has it.
const (
	Halted State = iota
	Init
	Selecting
	Requesting
	InitReboot
	Rebooting
	Bound
	Renewing
	Rebinding
	Informing
	Informed
)

// String returns the name the RFC has for the state.
func (s State) String() string {
	return [...]string{"HALTED", "INIT", "SELECTING", "REQUESTING", "INIT-REBOOT", "REBOOTING", "BOUND", "RENEWING",
		"REBINDING", "INFORMING", "INFORMED"}[s]
}

// MarshalText returns the String.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// EventKind says what happened.
type EventKind uint8

// The kinds.
const (
	Acquired EventKind = iota // an address that was not in use: who uses it sees to it that nobody else has it
	Renewed                   // the lease in use has other times, and perhaps other parameters
	Lost                      // the address must not be used any more
	Failed                    // servers do not answer, or refuse: the client goes on trying
	Learned                   // information without a lease
)

// String returns the kind in a word.
func (k EventKind) String() string {
	return [...]string{"acquired", "renewed", "lost", "failed", "learned"}[k]
}

// MarshalText returns the String.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Event is something that happened to a client.
type Event struct {
	Kind   EventKind
	Lease  *Lease // but with Failed; not to be changed
	Reason string // with Lost and Failed: why
}

// String writes the event as "acquired 192.0.2.7/24 of 192.0.2.1 for 1h0m0s".
func (e Event) String() string {
	s := e.Kind.String()
	if e.Lease != nil && e.Lease.Address.IsValid() {
		s += fmt.Sprintf(" %v", e.Lease.Address)
	}
	switch e.Kind {
	case Acquired, Renewed:
		return s + fmt.Sprintf(" of %v for %s", e.Lease.Server, e.Lease.duration())
	case Learned:
		return s + fmt.Sprintf(" of %v", e.Lease.Server)
	}
	return s + ": " + e.Reason
}

func (l *Lease) duration() string {
	if l.Duration == Forever {
		return "ever"
	}
	return l.Duration.String()
}

// Verdict is what became of a message that arrived.
type Verdict uint8

// The verdicts. All but the first mean that the message changed nothing.
const (
	Accepted     Verdict = iota
	Malformed            // not a DHCP message, or without what its type must have
	NotReply             // a request, of another client
	NotAsked             // a reply to another transaction
	NotOurs              // for another hardware address or client identifier
	WrongServer          // of a server that was not chosen
	WrongAddress         // about another address than the one asked for
	Unexpected           // of a type that the state has no use for
	verdicts
)

// String returns the verdict in words.
func (v Verdict) String() string {
	return [...]string{"accepted", "malformed", "not a reply", "not asked for", "not ours", "wrong server", "wrong address",
		"unexpected"}[v]
}
