package nd

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// The defaults of Duplicate Address Detection.
const (
	// DupAddrDetectTransmits is "the number of consecutive Neighbor Solicitation messages sent while performing
	// Duplicate Address Detection on a tentative address … Default: 1" (RFC 4862, 5.1).
	DupAddrDetectTransmits = 1
	// MaxRtrSolicitationDelay bounds the random delay before the first solicitation (RFC 4861, 10:
	// MAX_RTR_SOLICITATION_DELAY).
	MaxRtrSolicitationDelay = time.Second
	// RetransTimer is the time between solicitations (RFC 4861, 10: RETRANS_TIMER).
	RetransTimer = time.Second
	// MaxMulticastSolicit is how many solicitations follow a looped back one (RFC 4861, 10: MAX_MULTICAST_SOLICIT).
	MaxMulticastSolicit = 3
)

// DADState is what is known of an address of our own.
type DADState uint8

// The states.
const (
	// DADIdle: not started.
	DADIdle DADState = iota
	// DADTentative: "An address on which the Duplicate Address Detection procedure is applied is said to be
	// tentative until the procedure has completed successfully."
	DADTentative
	// DADReady: unique, as far as can be told.
	DADReady
	// DADDuplicate: another node has the address, or wants it too.
	DADDuplicate
)

// String returns the state in words.
func (s DADState) String() string { return [...]string{"idle", "tentative", "ready", "duplicate"}[s] }

// DADConfig is what a DAD needs to know.
type DADConfig struct {
	// Target is the IPv6 unicast address to verify.
	Target wire.Addr
	// Transmits is how many solicitations are sent. RFC 4862, 5.4: "An interface whose DupAddrDetectTransmits
	// variable is set to zero does not perform Duplicate Address Detection": the address is ready at once.
	Transmits int
	// RetransTimer is the time between solicitations, and from the last one to the end; 0: one second.
	RetransTimer time.Duration
	// Rand returns unpredictable bits for nonces. It must be set if Transmits is not zero.
	Rand func() uint64
}

// DAD verifies that one address is not in use on the link. The order of calls is
//
//	Start, Solicited, Advertised, Timeout   an event
//	Next                                    until it returns false: what to send
//	State, Deadline                         how it went so far; when to call Timeout next
//
// Before Start, the interface must receive what is sent to the all-nodes group and to the target's solicited-node
// group (RFC 4862, 5.4.2).
type DAD struct {
	cfg      DADConfig
	state    DADState
	conflict wire.MAC

	deadline clock.Instant
	remain   int  // solicitations still to be sent
	send     bool // one of them is due
	looped   bool // one of ours came back since the last round began

	nonces [remembered]wire.Nonce // of the latest solicitations
	sent   int
}

// remembered is how many of our own nonces we know again: a solicitation that comes back later than that many
// others were sent is taken for somebody else's.
const remembered = 16

// Message is a Neighbor Solicitation from Src to Dst, and the Ethernet destination.
type Message struct {
	Src, Dst wire.Addr
	LinkDst  wire.MAC
	Body     wire.NeighborSolicitation
}

// NewDAD returns a DAD that is idle.
func NewDAD(cfg DADConfig) *DAD {
	if cfg.RetransTimer <= 0 {
		cfg.RetransTimer = RetransTimer
	}
	return &DAD{cfg: cfg, deadline: clock.Never}
}

// Target returns the address being verified.
func (d *DAD) Target() wire.Addr { return d.cfg.Target }

// State returns how far it is.
func (d *DAD) State() DADState { return d.state }

// Conflict returns the link-layer address of the node that has the address, when State is DADDuplicate.
func (d *DAD) Conflict() wire.MAC { return d.conflict }

// Start makes the address tentative, also one verified before, and sends the first solicitation after delay.
//
// RFC 4862, 5.4.2: "If the Neighbor Solicitation is going to be the first message sent from an interface after
// interface (re)initialization, the node SHOULD delay joining the solicited-node multicast address by a random delay
// between 0 and MAX_RTR_SOLICITATION_DELAY".
func (d *DAD) Start(now clock.Instant, delay time.Duration) {
	d.conflict, d.send, d.looped = wire.MAC{}, false, false
	d.remain = d.cfg.Transmits
	if d.remain <= 0 {
		d.end(DADReady)
		return
	}
	d.state = DADTentative
	d.deadline = now.Add(delay)
	if delay <= 0 {
		d.Timeout(now)
	}
}

// Stop ends the procedure without an outcome, for when the link went down or the address away.
func (d *DAD) Stop() { d.end(DADIdle) }

func (d *DAD) end(s DADState) {
	d.state, d.send, d.deadline = s, false, clock.Never
}

// Deadline returns when Timeout has something to do, or clock.Never.
func (d *DAD) Deadline() clock.Instant { return d.deadline }

// Timeout does what is due.
func (d *DAD) Timeout(now clock.Instant) {
	if now < d.deadline {
		return
	}
	if d.remain == 0 {
		if !d.looped {
			// RFC 4862, 5.4: "An address is considered unique if none of the tests indicate the presence of a
			// duplicate address within RetransTimer milliseconds after having sent DupAddrDetectTransmits Neighbor
			// Solicitations."
			d.end(DADReady)
			return
		}
		// RFC 7527, 4.1: "If any probe is looped back within RetransTimer milliseconds after having sent
		// DupAddrDetectTransmits NS(DAD) messages, the interface continues with another MAX_MULTICAST_SOLICIT
		// number of NS(DAD) messages transmitted RetransTimer milliseconds apart."
		d.remain, d.looped = MaxMulticastSolicit, false
	}
	d.remain--
	d.send = true
	d.deadline = now.Add(d.cfg.RetransTimer)
}

// Next sets m to the solicitation to be sent, or returns false if there is none.
//
// RFC 4862, 5.4.2: "The solicitation's Target Address is set to the address being checked, the IP source is set to
// the unspecified address, and the IP destination is set to the solicited-node multicast address of the target
// address."
func (d *DAD) Next(m *Message) bool {
	if !d.send {
		return false
	}
	d.send = false
	// RFC 7527, 4.1: "the sender MUST generate a random nonce associated with the interface address, MUST store the
	// nonce internally, and MUST include the nonce in the Nonce option included in the NS(DAD)." And "each Enhanced
	// DAD probe uses a different nonce."
	nonce := d.nonce()
	d.nonces[d.sent%remembered] = nonce
	d.sent++
	dst := d.cfg.Target.SolicitedNode()
	*m = Message{Dst: dst, LinkDst: dst.MulticastMAC(),
		Body: wire.NeighborSolicitation{Target: d.cfg.Target, Nonce: nonce, HasNonce: true}}
	return true
}

// nonce draws a nonce that is not zero: zero is what package wire reads for those of other lengths.
func (d *DAD) nonce() (n wire.Nonce) {
	for n == (wire.Nonce{}) {
		r := d.cfg.Rand()
		n = wire.Nonce{byte(r >> 40), byte(r >> 32), byte(r >> 24), byte(r >> 16), byte(r >> 8), byte(r)}
	}
	return n
}

// Solicited tells that m, a valid Neighbor Solicitation for Target, arrived from src in a frame from the Ethernet
// address link. It reports whether m was one of our own that the link looped back.
func (d *DAD) Solicited(src wire.Addr, link wire.MAC, m *wire.NeighborSolicitation) (looped bool) {
	// RFC 4862, 5.4.3: "If the target address is tentative, and the source address is a unicast address, the
	// solicitation's sender is performing address resolution on the target; the solicitation should be silently
	// ignored."
	if d.state != DADTentative || m.Target != d.cfg.Target || !src.IsUnspecified() {
		return false
	}
	// RFC 7527, 4.2: "the receiver compares the nonce included in the message, with any stored nonce on the
	// receiving interface. If a match is found, the node … MUST drop the received message."
	if m.HasNonce && d.ours(m.Nonce) {
		d.looped = true
		return true
	}
	// RFC 4862, 5.4.3: "If the solicitation is from another node, the tentative address is a duplicate and should
	// not be used (by either node)."
	d.duplicate(link)
	return false
}

func (d *DAD) ours(n wire.Nonce) bool {
	for _, o := range d.nonces[:min(d.sent, remembered)] {
		if n == o {
			return true
		}
	}
	return false
}

// Advertised tells that m, a valid Neighbor Advertisement for Target, arrived in a frame from the Ethernet address
// link.
//
// RFC 4862, 5.4.4: "If the target address is tentative, the tentative address is not unique."
func (d *DAD) Advertised(link wire.MAC, m *wire.NeighborAdvertisement) {
	if d.state != DADTentative || m.Target != d.cfg.Target {
		return
	}
	if m.TargetLink != (wire.MAC{}) {
		link = m.TargetLink
	}
	d.duplicate(link)
}

func (d *DAD) duplicate(link wire.MAC) {
	d.conflict = link
	d.end(DADDuplicate)
}
