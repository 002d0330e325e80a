package neigh

// State is what is known of a neighbor (RFC 4861, 7.3.2).
type State uint8

// The states.
const (
	// None: nothing is known and nothing was sent.
	None State = iota
	// Incomplete: "Address resolution is being performed on the entry."
	Incomplete
	// Reachable: "Positive confirmation was received within the last ReachableTime milliseconds that the forward
	// path to the neighbor was functioning properly."
	Reachable
	// Stale: "More than ReachableTime milliseconds have elapsed since the last positive confirmation … While
	// stale, no action takes place until a packet is sent."
	Stale
	// Delay: as Stale, "and a packet was sent within the last DELAY_FIRST_PROBE_TIME seconds."
	Delay
	// Probe: "A reachability confirmation is actively sought by retransmitting Neighbor Solicitations every
	// RetransTimer milliseconds until a reachability confirmation is received."
	Probe
	// Permanent: the link-layer address was configured.
	Permanent
	// Failed: the neighbor did not answer.
	Failed

	numStates
)

var states = [numStates]string{"NONE", "INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "PERMANENT", "FAILED"}

// String returns the state's name in capitals, as the RFC writes it: "REACHABLE".
func (s State) String() string { return states[s] }

// usable reports whether packets go to the cached link-layer address without further ado.
func (s State) usable() bool { return s == Reachable || s == Delay || s == Probe || s == Permanent }

// known reports whether the link-layer address is known: the "!INCOMPLETE" of RFC 4861, appendix C.
func (s State) known() bool { return s.usable() || s == Stale }

// group says which list an entry in the state is in: who competes with whom for room.
type group uint8

const (
	idle    group = iota // NONE, FAILED
	waiting              // INCOMPLETE: every one of them holds at least one packet, unless it is probed
	stale                // STALE
	active               // REACHABLE, DELAY, PROBE
	fixed                // PERMANENT

	numGroups
)

var groups = [numStates]group{None: idle, Failed: idle, Incomplete: waiting, Stale: stale,
	Reachable: active, Delay: active, Probe: active, Permanent: fixed}
