package tcpsock

import (
	"os"
	"testing"
	"time"
	"unsafe"

	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// set changes the limits of r's TCP.
func (r *rig) set(f func(*Limits)) { r.tcp.Configure(func(s *Settings) { f(&s.Limits) }) }

// count returns what r has counted.
func (r *rig) count(c mib.Counter) (n uint64) {
	for _, sh := range r.shards {
		n += sh.Counters.Get(c)
	}
	return n
}

// What a SYN may cost: RFC 4987, 3.5.
func TestEmbryoIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(embryo{}); n > 160 {
		t.Errorf("an embryo takes %d octets, want at most 160", n)
	}
	if n := unsafe.Sizeof(remnant{}); n > 208 {
		t.Errorf("a remnant takes %d octets, want at most 208", n)
	}
}

// A connection without data takes a block of 2 KiB, of which the garbage collector has 8 octets.
func TestConnIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(Conn{}); n > 2040 {
		t.Errorf("a connection takes %d octets, want at most 2040", n)
	}
}

// Without SYN cookies a SYN that finds more handshakes under way than the backlog is dropped without a word, and answered
// once there is room.
func TestHandshakesFull(t *testing.T) {
	r := newRig(t, 1)
	r.set(func(l *Limits) { l.SYNCookies = 0 })
	l := r.listen(80, 3)
	var answers []wire.TCPHeader
	for port := range uint16(6) {
		if a := r.syn(peer4, 5000+port, 80); a.Flags != 0 {
			answers = append(answers, a)
		}
	}
	r.want("after six SYNs", l, 4, 0)
	if n := r.shards[0].Counters.Dropped(mib.TcpHandshakesFull); n != 2 || len(answers) != 4 {
		t.Errorf("%d SYNs dropped, %d answered", n, len(answers))
	}
	r.ack(peer4, answers[0])
	if a := r.syn(peer4, 5005, 80); a.Flags != wire.SYN|wire.ACK {
		t.Errorf("with room again: %+v", a)
	}
	r.want("after an ACK and a SYN", l, 4, 1)
	l.Close()
	r.got = nil
	r.ack(peer4, answers[2])
	if len(r.got) != 1 || r.got[0].Flags&wire.RST == 0 {
		t.Errorf("the last ACK after Close is answered by %+v, want a RST", r.got)
	}
}

// Where the queue of Accept is full the ACK is not taken, and the SYN,ACK goes on being sent; once there is room the
// next ACK makes the connection. Linux admits one more than the backlog. With tcp_abort_on_overflow the peer is reset.
func TestAcceptQueueFull(t *testing.T) {
	r := newRig(t, 1)
	l := r.listen(80, 3)
	var answers []wire.TCPHeader
	for port := range uint16(5) {
		a := r.syn(peer4, 5000+port, 80)
		if answers = append(answers, a); port < 2 {
			r.ack(peer4, a)
		}
	}
	for _, a := range answers[2:] {
		r.ack(peer4, a)
	}
	r.want("after five ACKs", l, 1, 4)
	if a := r.syn(peer4, 5005, 80); a.Flags != 0 {
		t.Errorf("a SYN with the queue full was answered: %+v", a)
	}
	if n := r.count(mib.TcpExtListenOverflows); n != 2 {
		t.Errorf("counted %d overflows, want those of an ACK and a SYN", n)
	}
	r.got = nil
	r.pass(1500 * time.Millisecond)
	if len(r.got) != 1 || r.got[0].Flags != wire.SYN|wire.ACK || r.got[0].DstPort != 5004 {
		t.Errorf("after a second %+v, want the SYN,ACK again", r.got)
	}
	for i := range uint16(4) {
		if c, err := r.accept(l); err != nil || c.Remote().Port != 5000+i || c.state() != tcp.Established {
			t.Errorf("accepted %v, %v", c, err)
		}
	}
	r.ack(peer4, answers[4])
	r.want("after the ACK again", l, 0, 1)
	if c, err := r.accept(l); err != nil || c.Remote().Port != 5004 {
		t.Errorf("accepted %v, %v", c, err)
	}
	if _, err := r.accept(l); err != os.ErrDeadlineExceeded {
		t.Errorf("Accept with nobody there: %v", err)
	}
	for i := range answers {
		if answers[i] = r.syn(peer4, 6000+uint16(i), 80); i < 2 {
			r.ack(peer4, answers[i])
		}
	}
	r.set(func(l *Limits) { l.AbortOnOverflow = true })
	r.got = nil
	for _, a := range answers[2:] {
		r.ack(peer4, a)
	}
	r.want("with tcp_abort_on_overflow", l, 0, 4)
	if len(r.got) != 1 || r.got[0].Flags != wire.RST || r.got[0].Seq != answers[4].Seq+1 || r.got[0].DstPort != 6004 {
		t.Errorf("answered %+v, want one RST", r.got)
	}
}

// What a SYN says survives in the cookie: the connection has it, and nothing was remembered.
func TestSYNCookies(t *testing.T) {
	for _, row := range []struct {
		name    string
		options wire.TCPOptions
		mss     int
	}{
		{"everything", wire.TCPOptions{MSS: 1460, HasTimestamps: true, TSVal: 77, SACKPermitted: true, HasWindowScale: true, WindowScale: 9}, 1448},
		{"an MSS between", wire.TCPOptions{MSS: 1439, HasTimestamps: true, TSVal: 77, HasWindowScale: true}, 1288},
		{"SACK", wire.TCPOptions{MSS: 1300, HasTimestamps: true, TSVal: 77, SACKPermitted: true}, 1288},
		{"no timestamps", wire.TCPOptions{MSS: 9000, SACKPermitted: true, HasWindowScale: true, WindowScale: 9}, 1460},
		{"nothing", wire.TCPOptions{}, 536},
		{"a tiny MSS", wire.TCPOptions{MSS: 100}, 536},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, 2)
			r.set(func(l *Limits) { l.SYNCookies = 2 })
			l := r.listen(80, 10)
			r.pass(90 * time.Second)
			r.got = nil
			r.send(peer4, wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 1000, Flags: wire.SYN, Options: row.options})
			r.want("after the SYN", l, 0, 0)
			if len(r.got) != 1 || r.got[0].Flags != wire.SYN|wire.ACK || r.got[0].Ack != 1001 {
				t.Fatalf("answered %+v", r.got)
			}
			if n := r.count(mib.TcpExtSyncookiesSent); n != 1 {
				t.Errorf("%d cookies counted", n)
			}
			said := r.options
			if row.options.HasTimestamps == false && (said.SACKPermitted || said.HasWindowScale || said.HasTimestamps) {
				t.Errorf("agreed to %+v without room to note it", said)
			}
			r.pass(30 * time.Second)
			ack := wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 1001, Ack: r.got[0].Seq + 1, Flags: wire.ACK}
			if said.HasTimestamps {
				ack.Options = wire.TCPOptions{HasTimestamps: true, TSVal: 78, TSEcr: said.TSVal}
			}
			bad := ack
			bad.Ack ^= 1 << 20
			r.got = nil
			r.send(peer4, bad)
			if len(r.got) != 1 || r.got[0].Flags != wire.RST || r.count(mib.TcpExtSyncookiesFailed) != 1 {
				t.Errorf("a forged ACK is answered by %+v", r.got)
			}
			r.send(peer4, ack)
			r.want("after the ACK", l, 0, 1)
			c, err := r.accept(l)
			if err != nil || r.count(mib.TcpExtSyncookiesRecv) != 1 {
				t.Fatal(err)
			}
			i := c.Info()
			o := &row.options
			if i.MSS != row.mss || i.Timestamps != o.HasTimestamps || i.SACK != (o.SACKPermitted && o.HasTimestamps) ||
				i.WindowScale != (o.HasWindowScale && o.HasTimestamps) || i.WindowScale && i.SendScale != o.WindowScale {
				t.Errorf("the connection has MSS %d, timestamps %v, SACK %v, scale %v %d", i.MSS, i.Timestamps, i.SACK, i.WindowScale, i.SendScale)
			}
		})
	}
}

// A cookie is good for two minutes at most, and for nobody else.
func TestSYNCookieAge(t *testing.T) {
	r := newRig(t, 1)
	r.set(func(l *Limits) { l.SYNCookies = 2 })
	l := r.listen(80, 10)
	a := r.syn(peer4, 5000, 80)
	stolen := a
	stolen.DstPort++
	r.ack(peer4, stolen)
	r.ack(far4, a)
	r.pass(3 * time.Minute)
	r.syn(peer4, 7000, 80) // the queue overflows as before
	r.ack(peer4, a)
	r.want("after bad ACKs", l, 0, 0)
	if n := r.count(mib.TcpExtSyncookiesFailed); n != 3 {
		t.Errorf("%d cookies failed, want 3", n)
	}
	r.set(func(l *Limits) { l.SYNCookies = 0 })
	r.ack(peer4, r.syn(peer4, 5000, 80))
	r.want("without cookies", l, 0, 1)
}

// TCP_DEFER_ACCEPT: the connection is made by data, or at the end of the time by an ACK.
func TestDeferAccept(t *testing.T) {
	r := newRig(t, 1)
	l := r.listen(80, 10)
	if err := l.Configure(func(c *tcp.Config) { c.DeferAccept = 3 * time.Second }); err != nil {
		t.Fatal(err)
	}
	a := r.syn(peer4, 5000, 80)
	r.ack(peer4, a)
	r.want("after the ACK", l, 1, 0)
	r.got = nil
	r.pass(2 * time.Second)
	if len(r.got) != 0 {
		t.Errorf("sent %+v while it waits for data", r.got)
	}
	r.pass(2 * time.Second) // at 3 s the SYN,ACK is sent again: its ACK is taken
	if len(r.got) != 1 || r.got[0].Flags != wire.SYN|wire.ACK {
		t.Errorf("at the end of the time %+v", r.got)
	}
	r.ack(peer4, a)
	r.want("after the last ACK", l, 0, 1)
	a = r.syn(peer4, 5001, 80)
	r.ack(peer4, a)
	r.send(peer4, wire.TCPHeader{SrcPort: 5001, DstPort: 80, Seq: 1001, Ack: a.Seq + 1, Flags: wire.ACK | wire.FIN})
	r.want("after a FIN", l, 0, 2)
}

// A connection in TIME-WAIT is a remnant; it answers a FIN that comes again, gives way to a new SYN (RFC 9293, 3.6.1), and
// goes after two MSL.
func TestTimeWait(t *testing.T) {
	r := newRig(t, 1)
	l := r.listen(80, 10)
	finish := func(port uint16) (fin wire.TCPHeader) {
		t.Helper()
		r.ack(peer4, r.syn(peer4, port, 80))
		c, err := r.accept(l)
		if err != nil {
			t.Fatal(err)
		}
		r.got = nil
		r.sim.Start("close", func() { c.Close() })
		r.pass(0)
		if len(r.got) != 1 || r.got[0].Flags != wire.FIN|wire.ACK {
			t.Fatalf("closing sent %+v", r.got)
		}
		return r.got[0]
	}
	fin := finish(5000)
	ack := wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 1001, Ack: fin.Seq + 1, Flags: wire.ACK}
	r.send(peer4, ack)
	if n := r.tcp.waiting.Load(); n != 1 || r.conns() != 0 {
		t.Errorf("in FIN-WAIT-2: %d remnants, %d connections", n, r.conns())
	}
	ack.Flags |= wire.FIN
	for range 2 {
		r.got = nil
		r.send(peer4, ack)
		if len(r.got) != 1 || r.got[0].Flags != wire.ACK || r.got[0].Ack != 1002 || r.got[0].Seq != fin.Seq+1 {
			t.Errorf("the FIN is answered by %+v", r.got)
		}
	}
	r.got = nil
	r.send(peer4, wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 900, Flags: wire.SYN})
	if len(r.got) != 1 || r.got[0].Flags != wire.ACK {
		t.Errorf("an old SYN is answered by %+v", r.got)
	}
	r.got = nil
	r.send(peer4, wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 2000, Flags: wire.SYN})
	if len(r.got) != 1 || r.got[0].Flags != wire.SYN|wire.ACK || r.got[0].Seq-fin.Seq != 1+65537 {
		t.Errorf("a new SYN is answered by %+v, want an initial sequence number above the last", r.got)
	}
	r.want("after the new SYN", l, 1, 0)

	r.set(func(l *Limits) { l.MaxTimeWait = 1 })
	for port := range uint16(2) {
		fin := finish(6000 + port)
		r.send(peer4, wire.TCPHeader{SrcPort: 6000 + port, DstPort: 80, Seq: 1001, Ack: fin.Seq + 1, Flags: wire.ACK | wire.FIN})
	}
	if n := r.count(mib.TcpExtTCPTimeWaitOverflow); n != 1 || r.tcp.waiting.Load() != 1 {
		t.Errorf("%d overflows, %d remnants", n, r.tcp.waiting.Load())
	}
	r.pass(61 * time.Second)
	if n := r.tcp.waiting.Load(); n != 0 || len(places[*remnant](&r.tcp.tables[0].demux)) != 0 || r.count(mib.TcpExtTW) != 1 {
		t.Errorf("after two MSL %d remnants", n)
	}
}

// tcp_max_orphans: what nobody holds any more and cannot end is bounded.
func TestOrphans(t *testing.T) {
	r := newRig(t, 1)
	r.set(func(l *Limits) { l.MaxOrphans = 2 })
	l := r.listen(80, 10)
	var all []*Conn
	for port := range uint16(3) {
		r.ack(peer4, r.syn(peer4, 5000+port, 80))
		c, err := r.accept(l)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	r.got = nil
	r.sim.Start("close", func() {
		for _, c := range all {
			c.Close()
		}
	})
	r.pass(0)
	if len(r.got) != 3 || r.got[0].Flags&wire.FIN == 0 || r.got[1].Flags&wire.FIN == 0 || r.got[2].Flags&wire.RST == 0 {
		t.Errorf("closing sent %+v, want two FINs and a RST", r.got)
	}
	if r.count(mib.TcpExtTCPAbortOnMemory) != 1 || r.tcp.orphans.Load() != 2 {
		t.Errorf("%d orphans", r.tcp.orphans.Load())
	}
	r.pass(time.Hour)
	if r.tcp.orphans.Load() != 0 || r.conns() != 0 {
		t.Errorf("in the end %d orphans, %d connections", r.tcp.orphans.Load(), r.conns())
	}
}
