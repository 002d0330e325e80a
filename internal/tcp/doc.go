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
// Beside RFC 9293 it is: window scale, timestamps and PAWS (RFC 7323); selective acknowledgments and reports of duplicates
// (RFC 2018, 2883); loss detection by time, with tail loss probes (RFC 8985), or by counting (RFC 6675), and without SACK
// NewReno (RFC 6582); proportional rate reduction (RFC 9937); spurious recoveries and timeouts taken back (RFC 3522, 3708,
// 5682); congestion control by CUBIC (RFC 9438), Reno (RFC 5681) or what the user brings, with an initial window of ten
// segments (RFC 6928), validated by use (RFC 2861, 7661), and Limited Transmit (RFC 3042); explicit congestion notification
// (RFC 3168, 8511), which counts where both ends know RFC 9768; the retransmission timer (RFC 6298); robustness against blind attacks (RFC 5961, 5927); reuse of
// TIME-WAIT (RFC 6191). Where the RFCs leave a choice it is Linux's.
//
// Data is held as octets, not as packets: a pipe of pooled blocks until it is acknowledged, another one, written at
// offset, until it is received. What is in flight is known to the scoreboard, a ring of records in sequence order.
// An idle connection holds neither blocks nor a ring, and an established one moves data without allocating.
//
// Left out: there is no LISTEN state, since a
// listener is a table lookup and belongs to the caller, who gives the SYN to Accept.
package tcp
