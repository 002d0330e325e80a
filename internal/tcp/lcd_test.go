package tcp

import (
	"syscall"
	"testing"
)

// RFC 6069, 4.2: one ICMP message undoes one back-off; the timer is then what it was, or has expired; messages about other
// segments, before the first timeout and after an acceptable ACK, undo nothing.
func TestLCD(t *testing.T) {
	r := sender(t, true, 2000)
	r.drain()
	rto := r.c.rtt.rto
	unreachable := func() { r.c.Unreachable(r.now, syscall.EHOSTUNREACH, 1001) }
	if unreachable(); r.c.rtt.rto != rto || r.c.softErr != syscall.EHOSTUNREACH {
		t.Fatal("a back-off is undone before there was one")
	}
	if r.pass(rto + 2100*ms); r.c.Retries() != 3 || r.c.rtt.rto != 8*rto {
		t.Fatalf("%d timeouts, RTO %v of %v", r.c.Retries(), r.c.rtt.rto, rto)
	}
	deadline := r.c.Deadline()
	r.c.Unreachable(r.now, syscall.EHOSTUNREACH, 2001)
	if r.c.Deadline() != deadline {
		t.Error("a message about another segment counts")
	}
	// "(7) … RTO := min(RTO_BASE * 2^(BACKOFF_CNT), MAX_RTO)", counted from the retransmission.
	if unreachable(); r.c.rtt.rto != 4*rto || deadline.Sub(r.c.Deadline()) != 4*rto {
		t.Errorf("RTO %v, %v earlier; want %v", r.c.rtt.rto, deadline.Sub(r.c.Deadline()), 4*rto)
	}
	// "(8) If the retransmission timer expires due to the undoing in the previous step (7), then proceed to step (R)".
	r.now = r.c.board.first().at.Add(2*rto + ms)
	if unreachable(); r.c.Retries() != 4 || r.c.rtt.rto != 4*rto {
		t.Errorf("%d timeouts, RTO %v", r.c.Retries(), r.c.rtt.rto)
	}
	r.want(short(r.drain()), "1")
	// "(3b) … for the arrival of an acceptable ACK": it is over.
	r.acks(2001)
	rto = r.c.rtt.rto
	if r.c.Unreachable(r.now, syscall.EHOSTUNREACH, 2001); r.c.rtt.rto != rto {
		t.Error("an ACK does not end it")
	}
}
