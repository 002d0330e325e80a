package dhcp4

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// Deadline returns when Timeout has something to do.
func (m *Machine) Deadline() clock.Instant {
	at := min(m.retry, m.choose)
	if m.held {
		at = min(at, m.end)
		switch m.state {
		case Bound:
			at = min(at, m.t1)
		case Renewing:
			at = min(at, m.t2)
		}
	}
	return at
}

// Timeout does what is due.
func (m *Machine) Timeout(now clock.Instant) {
	switch {
	case now < m.Deadline():
	case m.held && m.end <= now:
		m.expire(now)
	case (m.state == Bound || m.state == Renewing) && m.t2 <= now:
		m.renew(now, Rebinding)
	case m.state == Bound:
		m.renew(now, Renewing)
	case m.choose <= now:
		m.request(now, m.best())
	default:
		m.retransmit(now)
	}
}

// expire follows the end of a lease.
//
// RFC 2131, 4.4.5: "If the lease expires before the client receives a DHCPACK, the client moves to INIT state, MUST immediately stop
// any other network processing and requests network initialization parameters as if the client were uninitialized."
func (m *Machine) expire(now clock.Instant) {
	m.lose("the lease has ended")
	switch m.state {
	case Bound, Renewing, Rebinding, InitReboot, Rebooting:
		m.pause(now, Init, 0)
	}
}

// retransmit sends the message of the state anew, or gives the state up.
func (m *Machine) retransmit(now clock.Instant) {
	switch m.state {
	case Init:
		m.begin(now, Selecting)
		m.sendDiscover(now)
	case Selecting:
		if m.tries == maxRequests {
			m.tell(Event{Kind: Failed, Reason: "no server offers anything"})
		}
		m.sendDiscover(now)
	case InitReboot:
		m.begin(now, Rebooting)
		m.sendRequest(now)
	case Requesting, Rebooting:
		if m.tries < maxRequests {
			m.sendRequest(now)
			return
		}
		m.giveUp(now)
	case Renewing, Rebinding:
		m.renew(now, m.state)
	case Informing:
		if m.tries == maxRequests {
			m.tell(Event{Kind: Failed, Reason: "no server answers"})
		}
		m.sendInform(now)
	}
}

// maxRequests is how often a request is sent.
//
// RFC 2131, 3.1: "a client retransmitting as described in section 4.1 might retransmit the DHCPREQUEST message four times, for a
// total delay of 60 seconds, before restarting the initialization procedure."
const maxRequests = 4

// giveUp follows a request that nobody answered.
//
// RFC 2131, 3.1: "If the client receives neither a DHCPACK or a DHCPNAK message after employing the retransmission algorithm, the
// client reverts to INIT state and restarts the initialization process. The client SHOULD notify the user that the
// initialization process has failed and is restarting."
//
// RFC 2131, 3.2, of INIT-REBOOT: "the client MAY choose to use the previously allocated network address and configuration
// parameters for the remainder of the unexpired lease." That is done where they were in use before the link went away; what a
// caller has kept from an earlier time may be of another network.
func (m *Machine) giveUp(now clock.Instant) {
	if m.state == Rebooting && m.inUse {
		m.tell(Event{Kind: Failed, Reason: "no server confirms the lease, which goes on"})
		m.rest(Bound)
		return
	}
	m.held = false
	m.tell(Event{Kind: Failed, Reason: "no server answers the request"})
	m.pause(now, Init, 0)
}

// backOff sets when the next message of an exchange is sent.
//
// RFC 2131, 4.1: "the delay before the first retransmission SHOULD be 4 seconds randomized by the value of a uniform random
// number chosen from the range -1 to +1." "The delay before the next retransmission SHOULD be 8 seconds randomized by the
// value of a uniform number chosen from the range -1 to +1. The retransmission delay SHOULD be doubled with subsequent
// retransmissions up to a maximum of 64 seconds."
func (m *Machine) backOff(now clock.Instant) {
	d := min(4*time.Second<<min(m.tries, 8), 64*time.Second)
	m.tries++
	m.retry = now.Add(d + m.random(-time.Second, time.Second))
}

// renew asks for more time, in Renewing or Rebinding.
//
// RFC 2131, 4.4.5: "In both RENEWING and REBINDING states, if the client receives no response to its DHCPREQUEST message, the
// client SHOULD wait one-half of the remaining time until T2 (in RENEWING state) and one-half of the remaining lease time (in
// REBINDING state), down to a minimum of 60 seconds, before retransmitting the DHCPREQUEST message."
func (m *Machine) renew(now clock.Instant, s State) {
	// Each request has an identifier of its own, so that it is known which one the times of an answer count from.
	m.begin(now, s)
	m.sendRequest(now)
	until := m.t2
	if s == Rebinding {
		until = m.end
	}
	m.retry = now.Add(max(until.Sub(now)/2, minRenewWait))
}

const minRenewWait = 60 * time.Second
