package tcp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/wire"
)

// offered gives c n octets at RCV.NXT, lets the delayed ACK come, and returns the window then told.
func (r *rig) offered(n int) int {
	r.t.Helper()
	r.c.Arrive(r.now, segment(r.c.rcv.nxt, r.c.snd.una, ack, n))
	var seg Segment
	w := -1
	for w < 0 {
		for r.c.Next(r.now, &seg) {
			w = int(seg.Window) << r.c.rcv.shift
		}
		if w < 0 {
			r.now = r.c.Deadline()
			r.c.Timeout(r.now)
		}
	}
	r.now = r.now.Add(ms)
	return w
}

// The windows are those that Linux 6.18 tells a peer of that many segments of a size, with nothing read, over a TUN
// device: measured. RFC 9293, 3.8.6: "A TCP receiver SHOULD NOT shrink the window, i.e., move the right window edge to
// the left (SHLD-14)."
func TestWindowsAreLinuxs(t *testing.T) {
	scaled := []int{67584, 70656, 73728, 76800, 75776, 74752, 73728, 72704, 71680, 70656, 69632, 68608, 67584, 66560, 65536, 64512,
		63488, 62464, 61440, 60416, 59392, 58368, 57344, 56320, 55296, 54272, 53248, 52224, 51200, 50176, 49152, 48128, 47104, 46080,
		45056, 44032, 43008, 41984, 40960, 39936, 38912, 37888, 36864, 35840, 34816, 33792, 32768, 31744, 30720, 29696, 28672, 27648,
		26624, 25600, 24576, 23552, 22528, 21504, 20480, 19456}
	plain := []int{65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 64240, 62780, 61320, 59860, 58400,
		56940, 55480, 54020, 52560, 51100, 49640, 48180}
	for _, row := range []struct {
		size  int
		scale bool
		want  []int
		read  int // the window told when all is read
	}{
		{1460, true, scaled, 76800},
		{1460, false, plain, 0},
		{1000, true, []int{63488, 63488, 63488, 63488, 63488, 63488}, 0},
		{536, true, []int{64512, 64512, 64512, 64512, 64512, 64512}, 0},
		{100, true, []int{64512, 64512, 64512, 64512, 64512, 64512}, 0},
		{1, true, []int{64512, 64512, 64512, 64512, 64512, 64512}, 0},
	} {
		t.Run(fmt.Sprintf("%d octets, scaled %v", row.size, row.scale), func(t *testing.T) {
			r := newRig(t, Config{NoTimestamps: true, RMem: [3]int{4096, 131072, 33554432}})
			r.syn.MSS, r.syn.HasWindowScale = 1460, row.scale
			r.to(SynReceived)
			r.arrive(5001, 1001, ack, 0)
			edge := Seq(0)
			for i, want := range row.want {
				if got := r.offered(row.size); got != want {
					t.Fatalf("segment %d: window %d, want %d", i+1, got, want)
				}
				if r.c.rcv.adv.Less(edge) && i > 0 {
					t.Fatal("the window has shrunk")
				}
				edge = r.c.rcv.adv
			}
			if row.read > 0 {
				r.c.Receive(r.now, make([]byte, 1<<20))
				var seg Segment
				if !r.c.Next(r.now, &seg) || int(seg.Window)<<r.c.rcv.shift != row.read {
					t.Errorf("told %d, want %d", int(seg.Window)<<r.c.rcv.shift, row.read)
				}
			}
		})
	}
}

// The first window and its scale: RFC 7323, 2.
func TestFirstWindow(t *testing.T) {
	for _, row := range []struct {
		cfg    Config
		mss    int
		stamps bool
		wnd    uint16
		shift  uint8
	}{
		{Config{}, 1460, false, 64240, 7},
		{Config{}, 1460, true, 65160, 7},
		{Config{}, 8960, false, 62720, 7},
		{Config{RMem: [3]int{4096, 540000, 15728640}}, 1460, false, 65535, 8},
		{Config{RMem: [3]int{4096, 131072, 33554432}}, 1460, false, 64240, 10},
		{Config{ReceiveBuffer: 10000}, 1460, false, 8760, 0},
		{Config{ReceiveBuffer: 100}, 1460, false, 1152, 0}, // SOCK_MIN_RCVBUF
		{Config{ReceiveBuffer: 4 << 20}, 1460, false, 65535, 7},
		{Config{WindowClamp: 20000}, 1460, false, 18980, 0},
		{Config{SignedWindows: true}, 1460, false, 32767, 7},
	} {
		if wnd, shift := firstOffer(row.cfg.Complete(), row.mss, true, row.stamps); wnd != row.wnd || shift != row.shift {
			t.Errorf("%+v: %d, %d, want %d, %d", row.cfg.RMem, wnd, shift, row.wnd, row.shift)
		}
	}
}

// RFC 9293, 3.8.6.2.2: the window opens by a segment at least, or half of the buffer, and the peer hears of it when it has
// doubled.
func TestReceiverSillyWindow(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true, NoWindowScale: true, ReceiveBuffer: 10000})
	r.syn.MSS = 1460
	r.to(SynReceived)
	r.arrive(5001, 1001, ack, 0)
	last := 0
	for range 20 {
		edge := r.c.rcv.adv
		if last = r.offered(1000); last == 0 {
			break
		}
		if n := r.c.rcv.adv.Sub(edge); n != 0 && n < 1000 {
			t.Fatalf("the edge moves by %d", n)
		}
	}
	if last != 0 {
		t.Fatal("the window does not close")
	}
	// RFC 9293, 3.8.6.1: "When the receiving TCP peer has a zero window and a segment arrives, it must still send an
	// acknowledgment showing its next expected sequence number and current window (zero)."
	nxt := r.c.rcv.nxt
	if w := r.offered(1); w != 0 || r.c.rcv.nxt != nxt {
		t.Fatalf("window %d, and %d octets taken", w, r.c.rcv.nxt.Sub(nxt))
	}
	told := []int{}
	for r.c.rcv.in.size > 0 {
		r.c.Receive(r.now, make([]byte, 100))
		var seg Segment
		for r.c.Next(r.now, &seg) {
			told = append(told, int(seg.Window))
		}
	}
	for i, w := range told {
		if w < 1000 || i > 0 && w < 2*told[i-1] {
			t.Errorf("told %v", told)
		}
	}
	if len(told) < 2 {
		t.Errorf("told %v", told)
	}
}

// The receive buffer grows with what is read in a round trip, and one that the user has set does not.
func TestReceiveBufferGrows(t *testing.T) {
	for _, row := range []struct {
		cfg    Config
		growth bool
	}{{Config{}, true}, {Config{NoReceiveTuning: true}, false}, {Config{ReceiveBuffer: 65536}, false}} {
		for _, stamps := range []bool{true, false} {
			p := newPair(t, 1)
			p.cfg[1].Config, p.cfg[0].NoTimestamps = row.cfg, !stamps
			p.connect()
			p.transfer(0, pattern(4<<20), time.Minute)
			if n := p.ends[1].rcv.space.size; n > 131072 != row.growth || n > 6291456 {
				t.Errorf("%+v, timestamps %v: %d", row.cfg.ReceiveBuffer, stamps, n)
			}
		}
	}
}

// account is a Memory for tests.
type account struct {
	held, pressure, limit int
	texts                 int // that have not been given back
	sharers               int
}

// Text implements Memory.
func (a *account) Text(n int) ([]byte, Owner) {
	a.texts++
	return make([]byte, n), a
}

// Free implements Owner.
func (a *account) Free() { a.texts-- }

func (a *account) Sharers(n int) int {
	a.sharers += n
	return a.sharers
}

func (a *account) Charge(n int)    { a.held += n }
func (a *account) Pressed() bool   { return a.held > a.pressure }
func (a *account) Exhausted() bool { return a.held > a.limit }

// A bound on all memory makes windows small, and everything arrives nevertheless; in the end nothing is held.
func TestMemoryBound(t *testing.T) {
	acct := &account{pressure: 256 << 10, limit: 512 << 10}
	pairs := make([]*pair, 8)
	data := pattern(2 << 20)
	rest := make([][]byte, len(pairs))
	got := make([]int, len(pairs))
	for i := range pairs {
		p := newPair(t, uint64(i))
		for j := range p.cfg {
			p.cfg[j].Memory = acct
		}
		pairs[i], rest[i] = p.connect(), data
	}
	most, done := 0, 0
	for round := 0; done < len(pairs); round++ {
		if round > 100000 {
			t.Fatalf("stuck: %v, %d octets held", got, acct.held)
		}
		done = 0
		for i, p := range pairs {
			if len(rest[i]) > 0 {
				rest[i] = rest[i][p.send(0, rest[i]):]
			}
			p.runFor(20 * time.Millisecond)
			most = max(most, acct.held)
			if round%7 == i%7 { // a slow reader
				b, _ := p.read(1)
				if string(b) != string(data[got[i]:got[i]+len(b)]) {
					t.Fatal("wrong octets")
				}
				got[i] += len(b)
			}
			if got[i] == len(data) {
				done++
			}
		}
	}
	// What was promised before is taken: the first windows, and a chunk of each sender.
	if bound := acct.limit + len(pairs)*(65536+largestBurst+2*blockSize); most > bound {
		t.Errorf("%d octets held, want at most %d", most, bound)
	}
	for _, p := range pairs {
		p.runFor(time.Second)
		for i := range p.ends {
			p.ends[i].Abort(p.now)
			p.pump(i)
		}
	}
	if acct.held != 0 || acct.texts != 0 {
		t.Errorf("%d octets are held in the end, and %d texts", acct.held, acct.texts)
	}
}

// What Linux accepts of writes while the window is closed: whole chunks, as long as memory is left when one begins.
func TestSendBuffer(t *testing.T) {
	for _, row := range []struct{ set, write, want int }{
		{0, 1 << 20, 128480}, {0, 1000, 128480}, {0, 1, 128480}, {20000, 1 << 20, 64240}, {20000, 100, 64240}, {1, 1 << 20, 64240},
	} {
		r := newRig(t, Config{NoTimestamps: true, SendBuffer: row.set})
		r.syn.MSS, r.syn.HasWindowScale, r.syn.WindowScale = 1460, true, 7
		r.to(Established)
		closed := segment(5001, 1001, ack, 0)
		r.arriveSegment(closed)
		closed.Window = 0
		r.arriveSegment(closed)
		total := 0
		for {
			n, err := r.c.Send(r.now, make([]byte, row.write))
			if err != nil {
				t.Fatal(err)
			}
			if r.drain(); n == 0 {
				break
			}
			total += n
		}
		if total != row.want || r.c.Writable() {
			t.Errorf("%+v: accepted %d", row, total)
		}
	}
}

// The send buffer grows with the congestion window, when the user has waited for room.
func TestSendBufferGrows(t *testing.T) {
	p := newPair(t, 1)
	p.connect()
	before := p.ends[0].snd.space.size
	p.transfer(0, pattern(4<<20), time.Minute)
	if n := p.ends[0].snd.space.size; before != 87040 || n <= before || n > 4194304 {
		t.Errorf("from %d to %d", before, n)
	}
}

// sends returns the numbers and lengths of what is sent, a P before those with PSH.
func (r *rig) sends() string {
	var s []string
	var seg Segment
	for r.c.Next(r.now, &seg) {
		p := ""
		if seg.Flags&wire.PSH != 0 {
			p = "P"
		}
		s = append(s, fmt.Sprintf("%s%d+%d", p, seg.Seq-1001, seg.Len))
	}
	return strings.Join(s, " ")
}

// RFC 9293, 3.9.1.2: "the PSH bit will be set in the last TCP segment created from the buffer", and "The transmitter SHOULD
// collapse successive bits when it packetizes data" (SHLD-27). Bursts of several end with PSH too, as Linux's do.
func TestPush(t *testing.T) {
	begin := func(cfg Config) *rig {
		cfg.NoTimestamps = true
		r := newRig(t, cfg)
		r.syn.MSS, r.syn.HasWindowScale, r.syn.WindowScale = 1000, true, 7
		r.to(SynReceived)
		r.now = r.now.Add(100 * ms)
		r.arrive(5001, 1001, ack, 0)
		return r
	}
	send := func(r *rig, n int, more bool) string {
		r.c.SendMore(r.now, make([]byte, n), more)
		return r.sends()
	}
	r := begin(Config{})
	r.want(send(r, 200000, false), "0+1000 P1000+1000 2000+1000 P3000+1000 4000+1000 P5000+1000 6000+1000 P7000+1000 8000+1000 P9000+1000")
	r = begin(Config{})
	for i := range 5 {
		r.want(send(r, 1000, false), fmt.Sprintf("P%d+1000", 1000*i))
	}
	// Minshall's amendment to Nagle's algorithm (RFC 9293, A.3): one small segment at a time.
	r = begin(Config{})
	r.want(send(r, 2500, false), "0+1000 P1000+1000 P2000+500")
	r.want(send(r, 2500, false), "2500+1000 P3500+1000")
	r.arrive(5001, 1001+2500, ack, 0)
	r = begin(Config{})
	r.want(send(r, 100, false)+send(r, 100, false)+send(r, 100, false), "P0+100")
	r.c.Arrive(r.now, segment(5001, 1101, ack, 0))
	r.want(r.sends(), "P100+200")
	r = begin(Config{NoDelay: true})
	r.want(send(r, 100, false)+" "+send(r, 100, false)+" "+send(r, 2000, false), "P0+100 P100+100 200+1000 P1200+1000")
	// MSG_MORE, for no longer than the override timeout.
	r = begin(Config{})
	r.want(send(r, 100, true), "")
	rto := r.c.Info(r.now).RTO
	r.want(r.pass(rto-1), "")
	r.want(r.pass(ms), "1ns <SEQ=1001><ACK=5001><CTL=PSH,ACK><LEN=100>")
	r = begin(Config{})
	r.want(send(r, 1100, true), "0+1000")
	r.want(send(r, 100, false), "P1000+200")
	// A cork.
	r = begin(Config{Cork: true, NoDelay: true})
	r.want(send(r, 1100, false), "0+1000")
	change(r.c, r.now, func(cfg *Config) { cfg.Cork = false })
	r.want(r.sends(), "P1000+100")
	// Close sends what is held back.
	r = begin(Config{Cork: true})
	r.want(send(r, 100, false), "")
	r.c.Close(r.now)
	r.want(r.drain(), "<SEQ=1001><ACK=5001><CTL=FIN,PSH,ACK><LEN=100>")
}

// RFC 9293, 3.8.6.2.1: with windows smaller than two segments, segments are half of the largest window.
func TestSegmentsFitTheWindow(t *testing.T) {
	for _, row := range []struct {
		window uint16
		want   string
	}{
		{500, "P0+500"}, {800, "0+400 P400+400"}, {2500, "0+1000 P1000+1000"}, {5500, "0+1000 P1000+1000 2000+1000 P3000+1000 4000+1000"},
	} {
		r := newRig(t, Config{NoTimestamps: true})
		r.syn.MSS = 1000
		r.window = row.window
		r.to(Established)
		r.c.Send(r.now, make([]byte, 10000))
		if got := strings.ReplaceAll(r.sends(), "P", ""); got != strings.ReplaceAll(row.want, "P", "") {
			t.Errorf("window %d: %s", row.window, got)
		}
	}
}

// How long ACKs wait: RFC 9293, 3.8.6.3, and Linux's policy.
func TestInteractiveACKs(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true})
	r.syn.MSS = 1460
	r.to(Established)
	r.c.rcv.quick = 3
	read := func() string {
		r.c.Receive(r.now, make([]byte, 1<<20))
		return r.drain()
	}
	seq := Seq(5001)
	take := func(flags wire.TCPFlags, n int) string {
		seq += Seq(n)
		return r.arrive(seq-Seq(n), r.c.snd.nxt, flags|ack, n)
	}
	r.want(take(psh, 100), "<SEQ=1001><ACK=5101><CTL=ACK>") // quick
	read()
	r.c.Send(r.now, []byte("an answer"))
	r.want(r.drain(), "<SEQ=1001><ACK=5101><CTL=PSH,ACK><LEN=9>")
	// The connection is interactive: the next ACK waits for the answer, though the user reads.
	r.now = r.now.Add(10 * ms)
	r.want(take(psh, 100)+read(), "")
	r.c.Send(r.now, []byte("an answer"))
	r.want(r.drain(), "<SEQ=1010><ACK=5201><CTL=PSH,ACK><LEN=9>")
	r.now = r.now.Add(10 * ms)
	r.want(take(psh, 100)+read(), "")
	r.want(r.pass(100*ms), "40ms <SEQ=1019><ACK=5301><CTL=ACK>")
	// No answer came: it is not interactive any more, and reading all of a pushed segment brings the ACK.
	r.c.rcv.quick = 0
	r.want(take(psh, 100), "")
	r.now = r.now.Add(5 * ms)
	r.want(read(), "<SEQ=1019><ACK=5401><CTL=ACK>")
	// TCP_QUICKACK.
	r.c.SetQuickACK(r.now, 0)
	if r.c.QuickACK() {
		t.Error("quick")
	}
	r.want(take(psh, 100)+read(), "")
	r.c.SetQuickACK(r.now, 1)
	r.want(r.drain(), "<SEQ=1019><ACK=5501><CTL=ACK>")
	if !r.c.QuickACK() {
		t.Error("not quick")
	}
	// A FIN is acknowledged at once where nothing came before; else with the user's answer, or soon.
	r.c.rcv.quick = 0
	r.want(take(fin, 0), "")
	r.want(r.pass(100*ms), "40ms <SEQ=1019><ACK=5502><CTL=ACK>")
}

// ACKs of holes that follow each other closely are joined after the third.
func TestJoinedSACKs(t *testing.T) {
	r := receiver(t, Config{})
	r.c.rcv.rate.rtt = 8 * 100 * ms
	r.arrive(6001, 1001, ack, 1000)
	for i := range Seq(2) {
		if out := r.arrive(7001+1000*i, 1001, ack, 1000); out == "" {
			t.Fatal("no ACK at once")
		}
	}
	r.want(r.arrive(9001, 1001, ack, 1000)+r.arrive(10001, 1001, ack, 1000), "")
	r.want(r.pass(10*ms), "1ms <SEQ=1001><ACK=5001><CTL=ACK><SACK 6001-11001>")
	change(r.c, r.now, func(cfg *Config) { cfg.CompSACKCount = 0 })
	r.want(r.arrive(11001, 1001, ack, 1000), "<SEQ=1001><ACK=5001><CTL=ACK><SACK 6001-12001>")
}

// RFC 2883, 4: what a D-SACK reports, and when.
func TestDuplicatesAreReported(t *testing.T) {
	r := receiver(t, Config{})
	const head = "<SEQ=1001><ACK=%d><CTL=ACK>%s"
	for _, row := range []struct {
		from, to Seq
		ack      Seq
		sacks    string
	}{
		// 4.1: a full duplicate segment.
		{0, 1000, 1000, ""}, {0, 1000, 1000, "<SACK 5001-6001>"}, {500, 1000, 1000, "<SACK 5501-6001>"},
		// 4.2: a partial one.
		{500, 1500, 1500, "<SACK 5501-6001>"},
		{2500, 3500, 1500, "<SACK 7501-8501>"},
		// 4.2.2, 4.2.3: the second block is the larger one that the duplicate is in.
		{2500, 3500, 1500, "<SACK 7501-8501><SACK 7501-8501>"},
		{2750, 3250, 1500, "<SACK 7751-8251><SACK 7501-8501>"},
		{3000, 4000, 1500, "<SACK 8001-8501><SACK 7501-9001>"},
		{5500, 6500, 1500, "<SACK 10501-11501><SACK 7501-9001>"},
		// 4.2: "If the data packet being acknowledged contains multiple partial duplicate sub-segments, then only the first
		// such duplicate sub-segment is reported in the SACK option."
		{3500, 7000, 1500, "<SACK 8501-9001><SACK 7501-12001>"},
		{1500, 3500, 7000, "<SACK 7501-8501>"},
	} {
		r.c.rcv.quick = 2
		r.c.rcv.dups = 0
		r.want(r.arrive(5001+row.from, 1001, ack, int(row.to-row.from)), fmt.Sprintf(head, 5001+row.ack, row.sacks))
	}
	r = receiver(t, Config{NoDSACK: true})
	r.arrive(5001, 1001, ack, 100)
	r.want(r.arrive(5001, 1001, ack, 100), fmt.Sprintf(head, 5101, ""))
}

// RFC 2018, 3: "If sent at all, SACK options SHOULD be included in all ACKs which do not ACK the highest sequence number in the
// data receiver's queue": in data segments too, which are the shorter for it.
func TestSACKWithData(t *testing.T) {
	r := receiver(t, Config{})
	r.arrive(6001, 1001, ack, 1000)
	r.arrive(8001, 1001, ack, 1000)
	r.c.Send(r.now, make([]byte, 2000))
	r.want(r.drain(), "<SEQ=1001><ACK=5001><CTL=ACK><LEN=1440><SACK 8001-9001><SACK 6001-7001> "+
		"<SEQ=2441><ACK=5001><CTL=PSH,ACK><LEN=560><SACK 8001-9001><SACK 6001-7001>")
}

// A keep-alive probe of the peer does not put our probe of its window off for ever.
func TestProbesBesideKeepAlive(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true}).to(Established)
	closed := segment(5001, 1001, ack, 0)
	closed.Window = 0
	r.arriveSegment(closed)
	r.c.Send(r.now, make([]byte, 100))
	r.drain()
	probes := 0
	for range 100 {
		r.now = r.now.Add(15 * time.Second)
		for r.c.Deadline() <= r.now {
			r.c.Timeout(r.now)
			probes += strings.Count(r.drain(), "<SEQ=1000>")
		}
		r.c.Arrive(r.now, segment(5000, 1001, ack, 0)) // its answer to our probe was lost
		r.drain()
	}
	if probes < 10 {
		t.Errorf("%d probes in 25 minutes", probes)
	}
}
