package tcp

import (
	"fmt"
	"syscall"
	"testing"
)

// RFC 1191, 6.4: what was too large is cut and sent again, and the congestion window is left alone.
func TestSmallerPathMTU(t *testing.T) {
	r := sender(t, true, 5000)
	r.want(short(r.drain()), "1 2 3 4 5")
	r.want(r.acks(1001, 3001, 4001), "")
	r.c.SetPathMTU(r.now, 600)
	out := r.drain()
	var want string
	for _, p := range [][2]int{{1001, 600}, {1601, 400}, {2001, 600}, {2601, 400}, {4001, 600}, {4601, 400}, {5001, 600}, {5601, 400}} {
		psh := ""
		if p[0] == 5601 { // where the write ends
			psh = "PSH,"
		}
		if want != "" {
			want += " "
		}
		want += fmt.Sprintf("<SEQ=%d><ACK=5001><CTL=%sACK><LEN=%d>", p[0], psh, p[1])
	}
	r.want(out, want)
	i := r.c.Info(r.now)
	// The window stays at ten segments; and no congestion is at fault (RFC 1191, 6.4).
	if i.CongestionWindowSegments != 10 || i.SlowStartThreshold != unlimited || i.MSS != 600 || i.Retransmits != 8 {
		t.Errorf("%+v", i)
	}
	r.want(r.acks(6001), "")
	// It grows again, as far as the peer's MSS.
	r.c.SetPathMTU(r.now, 9000)
	if i := r.c.Info(r.now); i.MSS != 1000 {
		t.Errorf("MSS %d", i.MSS)
	}
	// And it does not shrink to nothing.
	r.c.SetPathMTU(r.now, 0)
	if i := r.c.Info(r.now); i.MSS != minMSS {
		t.Errorf("MSS %d", i.MSS)
	}
}

// In fast recovery, with a FIN in flight, and without SACK.
func TestSmallerPathMTUInRecovery(t *testing.T) {
	for _, sack := range []bool{true, false} {
		r := sender(t, sack, 8500)
		r.c.Close(r.now)
		r.drain()
		for i := range uint32(4) {
			r.acks(1001, 2001, 3001+1000*i)
		}
		if i := r.c.Info(r.now); i.Recovery != "recovery" {
			t.Fatalf("%+v", i)
		}
		r.c.SetPathMTU(r.now, 300)
		r.drain()
		for range 100 {
			if r.c.State() != FinWait1 {
				break
			}
			// The peer gets everything that is in flight, in pieces.
			r.acks(r.c.board.record(r.c.board.head).end)
		}
		r.wantState(FinWait2)
	}
}

// A peer may announce any MSS: RFC 9293, 3.7.1.
func TestPeerMSS(t *testing.T) {
	for mss, want := range map[uint16]int{0: 536, 1: 48, 1000: 1000, 1460: 1460, 65535: 1460} {
		r := newRig(t, Config{})
		r.syn.MSS = mss
		r.to(SynReceived)
		if got := r.c.Info(r.now).MSS; got != want {
			t.Errorf("MSS option %d: %d, want %d", mss, got, want)
		}
	}
}

// RFC 5927, 4.1, 5.2; RFC 5461.
func TestFailed(t *testing.T) {
	for _, tc := range []struct {
		s    State
		seq  Seq
		want error // nil: it lives
	}{
		{SynSent, 1000, syscall.ECONNREFUSED},
		{SynSent, 999, nil},
		{SynSent, 1001, nil},
		{SynReceived, 1000, syscall.ECONNREFUSED},
		{Established, 1001, nil},
		{Established, 1011, nil},
	} {
		r := newRig(t, Config{}).to(tc.s)
		if tc.s == Established {
			r.c.Send(r.now, make([]byte, 10))
			r.drain()
		}
		r.c.Failed(r.now, syscall.ECONNREFUSED, tc.seq)
		r.wantErr(tc.want)
		if (r.c.State() == Closed) != (tc.want != nil) {
			t.Errorf("%+v: %v", tc, r.c.State())
		}
	}
	// Progress makes a soft error forgotten.
	r := newRig(t, Config{UserTimeout: 1e9}).to(Established)
	r.c.Send(r.now, make([]byte, 10))
	r.drain()
	r.c.Failed(r.now, syscall.EHOSTUNREACH, 1001)
	r.c.Progress()
	r.arrive(5001, 1011, ack, 0)
	if !r.c.Progress() || r.c.Progress() {
		t.Error("Progress")
	}
	r.c.Send(r.now, make([]byte, 10))
	r.drain()
	r.pass(2e9)
	r.wantErr(syscall.ETIMEDOUT)
}

// With IP_RECVERR a connection says at once, and once, what an ICMP error says; it lives on.
func TestReceiveErrors(t *testing.T) {
	r := newRig(t, Config{ReceiveErrors: true}).to(Established)
	tell := func() {
		t.Helper()
		r.c.Send(r.now, make([]byte, 10))
		r.drain()
		r.c.Failed(r.now, syscall.ENETUNREACH, r.c.snd.una.Add(-1)) // not ours
		if r.c.Readable() {
			t.Fatal("told of what is not in flight")
		}
		r.c.Failed(r.now, syscall.ENETUNREACH, r.c.snd.una)
		if !r.c.Readable() || !r.c.Writable() {
			t.Fatal("not told")
		}
	}
	tell()
	if n, err := r.c.Receive(r.now, make([]byte, 1)); n != 0 || err != syscall.ENETUNREACH {
		t.Error(n, err)
	}
	if n, err := r.c.Receive(r.now, make([]byte, 1)); n != 0 || err != nil {
		t.Error(n, err)
	}
	tell()
	if n, err := r.c.Send(r.now, make([]byte, 1)); n != 0 || err != syscall.ENETUNREACH {
		t.Error(n, err)
	}
	tell()
	if e := r.c.TakePending(); e != syscall.ENETUNREACH || r.c.TakePending() != 0 {
		t.Error(e)
	}
	r.wantState(Established)
}
