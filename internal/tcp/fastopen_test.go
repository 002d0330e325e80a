package tcp

import (
	"testing"
	"time"

	"github.com/onlink-go/onlink/wire"
)

var testCookie = wire.FastOpenOption{Present: true, Len: 4, Cookie: [16]byte{1, 2, 3, 4}}

// fastClient returns a TCB in SYN-SENT that was opened with f and 3000 octets to send, and its SYN.
func fastClient(f FastOpen) (*TCB, Segment) {
	c := new(TCB)
	c.Connect(hour, Open{MSS: 1460, ISS: 1000, FastOpen: &f})
	c.Send(hour, make([]byte, 3000))
	var syn Segment
	c.Next(hour, &syn)
	return c, syn
}

// RFC 7413, 4.2.2: "Include any data up to the cached server MSS …. Advance to SYN-SENT state and update SND.NXT to include
// the data accordingly." What the SYN,ACK does not acknowledge is sent again behind it.
func TestFastOpenActive(t *testing.T) {
	for _, row := range []struct {
		name  string
		f     FastOpen
		in    int // octets in the SYN
		acked Seq // of them
		next  Seq // the first octet sent after the handshake
		fail  uint8
	}{
		{"all acknowledged", FastOpen{Option: testCookie, Data: true}, 1420, 1420, 2421, 0},
		{"of a known MSS", FastOpen{Option: testCookie, Data: true, MSS: 1000}, 960, 960, 1961, 0},
		{"some acknowledged", FastOpen{Option: testCookie, Data: true}, 1420, 100, 1101, fastNotAcked},
		{"none acknowledged", FastOpen{Option: testCookie, Data: true}, 1420, 0, 1001, fastNotAcked},
		{"without a cookie", FastOpen{Data: true}, 1420, 1420, 2421, 0},
		{"the request for a cookie", FastOpen{Option: wire.FastOpenOption{Present: true}}, 0, 0, 1001, fastNoCookie},
	} {
		c, syn := fastClient(row.f)
		if syn.Flags != wire.SYN || syn.Len != row.in || syn.Options.FastOpen != row.f.Option {
			t.Errorf("%s: the SYN has %d octets and %+v", row.name, syn.Len, syn.Options.FastOpen)
		}
		if c.FastOpened() != nil || !c.UsesFastOpen() {
			t.Errorf("%s: a result before the SYN,ACK", row.name)
		}
		answer := segment(5000, 1001+row.acked, wire.SYN|wire.ACK, 0)
		answer.Options = wire.TCPOptions{MSS: 1400, FastOpen: testCookie}
		c.Arrive(hour, answer)
		var out Segment
		if !c.Next(hour, &out) || out.Seq != row.next || out.Len == 0 {
			t.Errorf("%s: then %s", row.name, brief(&out))
		}
		i := c.Info(hour)
		if i.FastOpenFail != row.fail || i.SYNData != (row.in > 0 && Seq(row.in) == row.acked) || i.BytesAcked != uint64(row.acked)+1 {
			t.Errorf("%s: %+v", row.name, i)
		}
		if r := c.FastOpened(); r == nil || r.MSS != 1400 || r.Option != testCookie || r.Sent != row.in || r.Again {
			t.Errorf("%s: result %+v", row.name, r)
		}
		if c.FastOpened() != nil {
			t.Errorf("%s: the result comes twice", row.name)
		}
	}
}

// "when the SYN timer fires, the client SHOULD retransmit a SYN packet without data and Fast Open options".
func TestFastOpenSYNAgain(t *testing.T) {
	c, _ := fastClient(FastOpen{Option: testCookie, Data: true})
	now := c.Deadline()
	c.Timeout(now)
	var syn Segment
	if !c.Next(now, &syn) || syn.Len != 0 || syn.Options.FastOpen.Present || c.Retries() != 1 {
		t.Errorf("sent %+v", syn)
	}
	// What the first one brought may be acknowledged all the same.
	c.Arrive(now, segment(5000, 2421, wire.SYN|wire.ACK, 0))
	if r := c.FastOpened(); r == nil || !r.Again || !r.Acked {
		t.Errorf("result %+v", r)
	}
	c, _ = fastClient(FastOpen{Option: testCookie, Data: true})
	c.Timeout(now)
	c.Next(now, &syn)
	c.Arrive(now, segment(5000, 1001, wire.SYN|wire.ACK, 0))
	if i := c.Info(now); i.FastOpenFail != fastAgain {
		t.Errorf("failed for %d", i.FastOpenFail)
	}
}

// A SYN whose data is taken: it can be read, and answered, before the ACK; a FIN is left for later.
func TestFastOpenPassive(t *testing.T) {
	syn := segment(5000, 0, wire.SYN|wire.FIN, 100)
	c := new(TCB)
	c.Accept(hour, Open{MSS: 1460, ISS: 1000, FastOpen: &FastOpen{Option: testCookie, Data: true}}, syn)
	var out Segment
	if !c.Next(hour, &out) || brief(&out) != "<SEQ=1000><ACK=5101><CTL=SYN,ACK>" || out.Options.FastOpen != testCookie {
		t.Errorf("answered %s, %+v", brief(&out), out.Options)
	}
	if c.State() != SynReceived || !c.Early() || c.Info(hour).Unread != 100 {
		t.Errorf("in %v with %d octets", c.State(), c.Info(hour).Unread)
	}
	c.Send(hour, make([]byte, 50))
	if !c.Next(hour, &out) || brief(&out) != "<SEQ=1001><ACK=5101><CTL=PSH,ACK><LEN=50>" {
		t.Errorf("then %s", brief(&out))
	}
	c.Close(hour)
	if !c.Next(hour, &out) || brief(&out) != "<SEQ=1051><ACK=5101><CTL=FIN,ACK>" {
		t.Errorf("closing sent %s", brief(&out))
	}
	now := hour.Add(time.Second)
	c.Timeout(now)
	if !c.Next(now, &out) || brief(&out) != "<SEQ=1000><ACK=5101><CTL=SYN,ACK>" || out.Options.FastOpen.Present || c.Next(now, &out) {
		t.Errorf("after a second %s", brief(&out))
	}
	c.Arrive(now, segment(5101, 1001, wire.ACK, 0))
	if c.State() != FinWait1 || c.Deadline() > now.Add(4*time.Second) || c.Early() {
		t.Errorf("in %v, next at %v", c.State(), c.Deadline())
	}
	c.Arrive(now, segment(5101, 1052, wire.ACK, 0))
	if c.State() != FinWait2 {
		t.Errorf("in %v", c.State())
	}
	// Without data and with a valid cookie it may answer at once, too.
	c = new(TCB)
	c.Accept(hour, Open{MSS: 1460, ISS: 1000, FastOpen: &FastOpen{Data: true}}, segment(5000, 0, wire.SYN, 0))
	c.Next(hour, &out)
	c.Send(hour, make([]byte, 50))
	if !c.Next(hour, &out) || out.Len != 50 || c.Info(hour).SYNData {
		t.Errorf("sent %s", brief(&out))
	}
}

// What one connection has learned, the next begins with.
func TestLearned(t *testing.T) {
	if _, ok := new(TCB).Learned(); ok {
		t.Error("a closed TCB has learned something")
	}
	var m Learned
	for _, row := range []struct{ rtt, rttvar, wantRTT, wantVar time.Duration }{
		{80, 40, 80, 40}, {160, 80, 160, 80}, {80, 40, 150, 70}, {400, 20, 400, 58},
	} {
		m.Merge(Learned{RTT: row.rtt, RTTVar: row.rttvar, SSThresh: int(row.rtt), Reordering: 5})
		if m.RTT != row.wantRTT || m.RTTVar.Round(2) != row.wantVar || m.SSThresh != int(row.rtt) || m.Reordering != 5 {
			t.Errorf("after %v: %+v", row.rtt, m)
		}
	}
	r := newRig(t, Config{}).to(Established)
	before := r.c.Info(r.now).RTO
	r.c.UseLearned(&Learned{RTT: time.Second, SSThresh: 20, Reordering: 7})
	if i := r.c.Info(r.now); i.RTO != 3*time.Second || before >= i.RTO || i.SlowStartThresholdSegments != 20 || r.c.recovery.reordering != 7 {
		t.Errorf("%+v", i)
	}
	got, ok := r.c.Learned()
	if !ok || got.SSThresh != 20 || got.Reordering != 7 {
		t.Errorf("%+v", got)
	}
}
