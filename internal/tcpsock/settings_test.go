package tcpsock

import (
	"net"
	"slices"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Connections with equal settings keep one copy of them, however they came to be equal.
func TestSharedSettings(t *testing.T) {
	r := newRig(t, 1)
	a, _ := r.accepted(7)
	b, _ := r.accepted(8)
	if !a.SharesConfig(b) || a.config() != &r.tcp.Settings().TCP {
		t.Error("two connections that changed nothing do not share the layer's settings")
	}
	change := func(c *tcp.Config) { c.KeepAliveIdle = 77 * time.Second }
	if a.Configure(change); a.SharesConfig(b) || a.Config().KeepAliveIdle != 77*time.Second {
		t.Error("one was not changed, or both")
	}
	if b.Configure(change); !a.SharesConfig(b) {
		t.Error("the same change makes different settings")
	}
	back := r.tcp.Settings().TCP.KeepAliveIdle
	if a.Configure(func(c *tcp.Config) { c.KeepAliveIdle = back }); a.config() != &r.tcp.Settings().TCP {
		t.Error("what is equal to the layer's is not the layer's")
	}
	for i := range 2 * maxInterned {
		a.Configure(func(c *tcp.Config) { c.KeepAliveIdle = time.Duration(1000+i) * time.Second })
	}
	if n := len(r.tcp.settings.interned); n == 0 || n > maxInterned {
		t.Errorf("%d settings are remembered", n)
	}
}

// A listener's connections have its settings, which follow the layer's in what was not changed.
func TestListenerSettings(t *testing.T) {
	r := newRig(t, 1)
	l, err := r.tcp.Listen(ListenConfig{Bound: flow.Bound{Local: flow.Endpoint{Port: 80}},
		Change: func(c *tcp.Config) { c.KeepAliveCount = 3 }})
	if err != nil {
		t.Fatal(err)
	}
	l.Configure(func(c *tcp.Config) { c.SendBuffer = 10000 })
	r.tcp.Configure(func(s *Settings) { s.TCP.KeepAliveIdle = 11 * time.Second })
	if c := l.Config(); c.KeepAliveCount != 3 || c.SendBuffer != 10000 || c.KeepAliveIdle != 11*time.Second {
		t.Errorf("%+v", c)
	}
	r.ack(peer4, r.syn(peer4, 5000, 80))
	c, err := l.TryAccept()
	if err != nil || c.Config() != l.Config() {
		t.Errorf("%v: %+v", err, c.Config())
	}
	// One that was opened with settings of its own follows nothing.
	own := r.tcp.Settings().TCP
	own.KeepAliveIdle = 5 * time.Second
	l2, err := r.tcp.Listen(ListenConfig{Bound: flow.Bound{Local: flow.Endpoint{Port: 81}}, TCP: own.Complete()})
	if err != nil {
		t.Fatal(err)
	}
	r.tcp.Configure(func(s *Settings) { s.TCP.KeepAliveIdle = 12 * time.Second })
	if c := l2.Config(); c.KeepAliveIdle != 5*time.Second {
		t.Errorf("%v", c.KeepAliveIdle)
	}
	l.Close()
	if err := l.Configure(func(*tcp.Config) {}); err != net.ErrClosed {
		t.Errorf("Configure of a closed listener: %v", err)
	}
}

// A dial's settings are the layer's, or its own, changed or not.
func TestDialSettings(t *testing.T) {
	r := newRig(t, 1)
	own := r.tcp.Settings().TCP
	own.KeepAliveCount = 4
	change := func(c *tcp.Config) { c.KeepAliveIdle = 9 * time.Second }
	layers := r.tcp.Settings().TCP
	for _, row := range []struct {
		tcp    *tcp.Config
		change func(*tcp.Config)
		count  int
		idle   time.Duration
	}{
		{nil, nil, layers.KeepAliveCount, layers.KeepAliveIdle},
		{own.Complete(), nil, 4, layers.KeepAliveIdle},
		{nil, change, layers.KeepAliveCount, 9 * time.Second},
		{own.Complete(), change, 4, 9 * time.Second},
	} {
		c, err := r.tcp.Open(OpenConfig{Remote: flow.Endpoint{Addr: peer4, Port: 80}, TCP: row.tcp, Change: row.change})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Config(); got.KeepAliveCount != row.count || got.KeepAliveIdle != row.idle {
			t.Errorf("%d, %v; want %d, %v", got.KeepAliveCount, got.KeepAliveIdle, row.count, row.idle)
		}
	}
}

// tcp_congestion_control and tcp_allowed_congestion_control.
func TestControls(t *testing.T) {
	r := newRig(t, 1)
	if s := r.tcp.Settings(); s.Control() != "cubic" || !slices.Contains(s.AllowedControls(), "reno") {
		t.Errorf("%s of %v", s.Control(), s.AllowedControls())
	}
	r.tcp.Configure(func(s *Settings) { s.Allowed = []string{"reno"} })
	if s := r.tcp.Settings(); !slices.Equal(s.AllowedControls(), []string{"reno"}) {
		t.Errorf("%v", s.AllowedControls())
	}
}

// tcp_mem: beyond the second limit memory is short until it is back at the first, and beyond the third there is none.
func TestMemory(t *testing.T) {
	limits := [3]int{100, 200, 300}
	m := memory{limits: func() *[3]int { return &limits }}
	for _, step := range []struct {
		charge      int
		pressed, no bool
	}{{200, false, false}, {1, true, false}, {-100, true, false}, {-1, false, false}, {200, true, false}, {1, true, true}, {-301, false, false}} {
		if m.Charge(step.charge); m.Pressed() != step.pressed || m.Exhausted() != step.no {
			t.Errorf("%d held: pressed %v, exhausted %v", m.held.Load(), m.Pressed(), m.Exhausted())
		}
	}
	r := newRig(t, 1)
	c, answer := r.accepted(7)
	c.TryWrite([][]byte{make([]byte, 10000)}, 0, false)
	if n := r.tcp.MemoryHeld(); n < 10000 {
		t.Errorf("%d octets held", n)
	}
	r.send(peer4, wire.TCPHeader{SrcPort: 7, DstPort: 7, Seq: 1001, Ack: answer.Seq + 1, Flags: wire.RST | wire.ACK})
	if n := r.tcp.MemoryHeld(); n != 0 {
		t.Errorf("%d octets held after the end", n)
	}
}

// Connections that began with data in the SYN are charged for their memory as all others.
func TestFastOpenMemory(t *testing.T) {
	r, l, cookie := fastServer(t, 2)
	r.fastSYN(5000, cookie, "hello")
	c, err := l.TryAccept()
	if err != nil {
		t.Fatal(err)
	}
	if n := r.tcp.MemoryHeld(); n == 0 {
		t.Error("what came in the SYN is not charged for")
	}
	if !c.Early() {
		t.Error("it may not be written to")
	}
	c.Abort()
	if n := r.tcp.MemoryHeld(); n != 0 {
		t.Errorf("%d octets held after the end", n)
	}
}

// tcp_fastopen_blackhole_timeout_sec: SYNs carry no data for a while after a connection that began so hears nothing; for twice
// as long the next time.
func TestFastOpenBlackhole(t *testing.T) {
	r := newRig(t, 1)
	r.set(func(l *Limits) {
		l.FastOpen |= FastOpenClientNoCookie
		l.FastOpenBlackhole = time.Minute
	})
	to := flow.Endpoint{Addr: peer4, Port: 80}
	ready := func() bool { return r.tcp.FastOpenReady(OpenConfig{Remote: to}) }
	for try, off := range []time.Duration{time.Minute, 2 * time.Minute} {
		if !ready() {
			t.Fatalf("try %d: not ready", try)
		}
		r.got = nil
		c, n, err := r.tcp.OpenFast(OpenConfig{Remote: to}, [][]byte{[]byte("hello")})
		if n != 5 || err != nil {
			t.Fatal(err)
		}
		r.pass(0)
		syn := r.got[0]
		r.send(peer4, wire.TCPHeader{SrcPort: 80, DstPort: syn.SrcPort, Seq: 7000, Ack: syn.Seq + 6, Flags: wire.SYN | wire.ACK})
		if _, err := c.Write([]byte("lost")); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			if r.pass(100 * time.Millisecond); !ready() {
				break
			}
		}
		if ready() || r.count(mib.TcpExtTCPFastOpenBlackhole) != uint64(try+1) {
			t.Errorf("try %d: ready, though nothing comes through", try)
		}
		c.Abort()
		r.pass(off - 2*time.Second)
		if ready() {
			t.Errorf("try %d: ready before %v are over", try, off)
		}
		r.pass(3 * time.Second)
	}
	if !ready() {
		t.Error("off for ever")
	}
}

// What is no segment, or not for one host, is dropped and counted.
func TestBadSegments(t *testing.T) {
	r := newRig(t, 1)
	l := r.listen(80, 5)
	raw := func(dst wire.Addr, spoil func(b []byte)) {
		h := wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 1000, Flags: wire.SYN}
		p := packet.New(wire.IPv4MinLen + h.Len())
		ip4 := wire.IPv4Header{TotalLen: p.Len(), TTL: 64, Protocol: wire.ProtoTCP, Src: peer4, Dst: dst}
		ip4.Put(p.Bytes())
		b := p.Bytes()[wire.IPv4MinLen:]
		h.Put(b)
		wire.FinishChecksum(b, 16, wire.ProtoTCP, peer4, dst)
		spoil(b)
		r.got = nil
		r.put(p)
	}
	for _, row := range []struct {
		name  string
		dst   wire.Addr
		spoil func(b []byte)
		why   mib.Reason
	}{
		{"a wrong checksum", us4, func(b []byte) { b[16]++ }, mib.TcpChecksum},
		{"a Data Offset of 4", us4, func(b []byte) { b[12] = 4 << 4 }, mib.TcpMalformed},
		// RFC 9293, 3.9.2.3: "A TCP implementation MUST silently discard an incoming SYN segment that is addressed to a
		// broadcast or multicast address (MUST-57)."
		{"a SYN to everybody", wire.Broadcast4, func([]byte) {}, mib.TcpMalformed},
		{"a SYN to the network", wire.Addr4(192, 0, 2, 255), func([]byte) {}, mib.TcpMalformed},
	} {
		before := r.shards[0].Counters.Dropped(row.why)
		raw(row.dst, row.spoil)
		if n := r.shards[0].Counters.Dropped(row.why) - before; n != 1 || len(r.got) != 0 {
			t.Errorf("%s: %d dropped, answered by %+v", row.name, n, r.got)
		}
	}
	r.want("after all", l, 0, 0)
	// A segment that opens nothing: neither SYN nor ACK is dropped in silence, an ACK is refused.
	for flags, want := range map[wire.TCPFlags]int{wire.FIN: 0, wire.ACK: 1, wire.RST | wire.ACK: 0} {
		r.got = nil
		r.send(peer4, wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 1, Ack: 1, Flags: flags})
		if len(r.got) != want {
			t.Errorf("flags %v are answered by %+v", flags, r.got)
		}
	}
}

// SYN cookies of IPv6 have other sizes, and what a cookie makes needs room in the queue and timestamps that we agreed to.
func TestSYNCookies6(t *testing.T) {
	r := newRig(t, 1)
	r.set(func(l *Limits) { l.SYNCookies = 2 })
	l := r.listen(80, 1)
	open := func(port uint16, o wire.TCPOptions) wire.TCPHeader {
		r.got = nil
		r.send(peer6, wire.TCPHeader{SrcPort: port, DstPort: 80, Seq: 1000, Flags: wire.SYN, Options: o})
		if len(r.got) != 1 {
			t.Fatalf("answered %+v", r.got)
		}
		return wire.TCPHeader{SrcPort: port, DstPort: 80, Seq: 1001, Ack: r.got[0].Seq + 1, Flags: wire.ACK}
	}
	for port, want := range map[uint16]int{1: 1220, 1420: 1420, 1440: 1440, 9000: 1440} {
		r.send(peer6, open(port, wire.TCPOptions{MSS: port}))
		c, err := l.TryAccept()
		if err != nil {
			t.Fatal(err)
		}
		if i := c.Info(); i.MSS != want {
			t.Errorf("of MSS %d the cookie has kept %d", port, i.MSS)
		}
	}
	// A timestamp that says what we have not agreed to is not ours.
	l.Configure(func(c *tcp.Config) { c.NoSACK = true })
	ack := open(7000, wire.TCPOptions{MSS: 1440, HasTimestamps: true, TSVal: 5, SACKPermitted: true})
	ack.Options = wire.TCPOptions{HasTimestamps: true, TSVal: 6, TSEcr: r.options.TSVal}
	_, offset := r.tcp.isn(r.sim.Now(), &flow.Key{Local: us6, Remote: peer6, Ports: flow.Ports(80, 7000), Proto: wire.ProtoTCP})
	ack.Options.TSEcr = (r.options.TSVal - offset | cookieTSSACK) + offset
	r.send(peer6, ack)
	r.want("after a forged timestamp", l, 0, 0)
	// With the queue full the ACK is not taken: there is nothing that would send the SYN,ACK again.
	late := open(9500, wire.TCPOptions{MSS: 1440})
	for port := range uint16(2) {
		r.send(peer6, open(8000+port, wire.TCPOptions{MSS: 1440}))
	}
	overflows := r.count(mib.TcpExtListenOverflows)
	r.got = nil
	r.send(peer6, late)
	if r.count(mib.TcpExtListenOverflows) != overflows+1 || len(r.got) != 0 {
		t.Errorf("a cookie with the queue full is answered by %+v, %d overflows counted", r.got, r.count(mib.TcpExtListenOverflows)-overflows)
	}
	r.want("with the queue full", l, 0, 2)
}
