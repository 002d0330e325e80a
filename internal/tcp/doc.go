// Package tcp is the Transmission Control Protocol of RFC 9293 as a pure machine: it takes the time and parsed
// values, does no I/O, takes no lock, starts no goroutine and reads no clock.
//
// A [TCB] is one connection. It has the three kinds of events of RFC 9293, 3.10, and polls:
//
//   - user calls: Connect or Accept begin it; Send, Receive, Close, CloseRead, Release, Abort, and Reconfigure;
//   - Arrive: a segment has come; Failed and SetPathMTU: an ICMP error has;
//   - Timeout: the instant that Deadline returned has come;
//   - polls: Next fills in a segment to send, Payload copies its data; Deadline; Readable, Writable, State, Err,
//     Progress, Info.
//
// After any event the caller calls Next until it returns false, and then asks for the Deadline:
//
//	c.Arrive(now, &seg)
//	for c.Next(now, &out) {
//		c.Payload(&out, packet[headerLen:])
//	}
//	timer.Reset(c.Deadline())
//
// Beside RFC 9293 it is: window scale, timestamps and PAWS (RFC 7323); selective acknowledgments (RFC 2018) with
// their use in loss recovery (RFC 6675), NewReno without them (RFC 6582); congestion control (RFC 5681) with an
// initial window of ten segments (RFC 6928) and Limited Transmit (RFC 3042); the retransmission timer (RFC 6298);
// robustness against blind attacks (RFC 5961, 5927); reuse of TIME-WAIT (RFC 6191).
//
// Data is held as octets, not as packets: a pipe of pooled blocks until it is acknowledged, another one, written at
// offset, until it is received. What is in flight is known to the scoreboard, a ring of records in sequence order.
// An idle connection holds neither blocks nor a ring, and an established one moves data without allocating.
//
// Left out: there is no LISTEN state, since a
// listener is a table lookup and belongs to the caller, who gives the SYN to Accept.
package tcp
