package tcpsock

import (
	"encoding/hex"
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// The first vectors of the paper's appendix: key 00…0f, messages of 0, 8 and 16 octets counted from 00.
func TestSipHash(t *testing.T) {
	var key [16]byte
	var message [16]byte
	for i := range key {
		key[i], message[i] = byte(i), byte(i)
	}
	for n, want := range map[int]uint64{0: 0x726fdb47dd0e0e31, 8: 0x93f5f5799a932462, 16: 0x3f2acc7f57c29bdb} {
		if got := sipHash(&key, message[:n]); got != want {
			t.Errorf("%d octets: %#x, want %#x", n, got, want)
		}
	}
}

// fastServer returns a rig that listens on port 80 with Fast Open, and the cookie of peer4.
func fastServer(t *testing.T, queue int) (*rig, *Listener, wire.FastOpenOption) {
	t.Helper()
	r := newRig(t, 1)
	r.set(func(l *Limits) { l.FastOpen = FastOpenServer })
	l := r.listen(80, 10)
	if err := l.Configure(func(c *tcp.Config) { c.FastOpenQueue = queue }); err != nil {
		t.Fatal(err)
	}
	// RFC 7413, 4.2.1: "The client sends a SYN packet with a Fast Open option with a Length field of 0".
	r.send(peer4, wire.TCPHeader{SrcPort: 4000, DstPort: 80, Seq: 1000, Flags: wire.SYN,
		Options: wire.TCPOptions{MSS: 1460, FastOpen: wire.FastOpenOption{Present: true}}})
	cookie := r.options.FastOpen
	if !cookie.Present || cookie.Len != 8 || r.count(mib.TcpExtTCPFastOpenCookieReqd) != 1 {
		t.Fatalf("answered %+v with %+v", r.got, cookie)
	}
	r.send(peer4, wire.TCPHeader{SrcPort: 4000, DstPort: 80, Seq: 1001, Flags: wire.RST})
	return r, l, cookie
}

func (r *rig) fastSYN(port uint16, cookie wire.FastOpenOption, data string) {
	r.got = nil
	r.sendData(peer4, wire.TCPHeader{SrcPort: port, DstPort: 80, Seq: 1000, Flags: wire.SYN,
		Options: wire.TCPOptions{MSS: 1460, FastOpen: cookie}}, data)
}

// A SYN with a valid cookie makes a connection whose data can be read, and answered, before its ACK has come.
func TestFastOpenServer(t *testing.T) {
	r, l, cookie := fastServer(t, 2)
	r.fastSYN(5000, cookie, "hello")
	if len(r.got) != 1 || r.got[0].Flags != wire.SYN|wire.ACK || r.got[0].Ack != 1006 || r.options.FastOpen.Present {
		t.Fatalf("answered %+v, options %+v", r.got, r.options)
	}
	iss := r.got[0].Seq
	c, err := r.accept(l)
	if err != nil {
		t.Fatal(err)
	}
	var b [10]byte
	if n, err := c.TryRead([][]byte{b[:]}); n != 5 || err != nil || string(b[:n]) != "hello" {
		t.Errorf("read %d, %v", n, err)
	}
	r.got = nil
	r.sim.Start("write", func() { c.Write([]byte("world")) })
	r.pass(0)
	if len(r.got) != 1 || r.got[0].Seq != iss+1 || r.data != "world" || r.got[0].Ack != 1006 {
		t.Errorf("before the ACK sent %+v %q", r.got, r.data)
	}
	// "If the SYN-ACK timer fires, the server SHOULD retransmit a SYN-ACK segment with neither data nor Fast Open options".
	r.got = nil
	r.pass(1200 * time.Millisecond)
	if len(r.got) != 1 || r.got[0].Flags != wire.SYN|wire.ACK || r.data != "" || r.got[0].Ack != 1006 {
		t.Errorf("after a second %+v %q", r.got, r.data)
	}
	if l.fast.n != 1 {
		t.Errorf("%d pending", l.fast.n)
	}
	r.send(peer4, wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 1006, Ack: iss + 6, Flags: wire.ACK})
	if i := c.Info(); i.State != tcp.Established || l.fast.n != 0 || !i.SYNData || i.Unacked != 0 {
		t.Errorf("in %v, %d pending, %d unacked", i.State, l.fast.n, i.Unacked)
	}
	if r.count(mib.TcpExtTCPFastOpenPassive) != 1 {
		t.Error("not counted")
	}
}

// A wrong cookie, none, or too many pending: the SYN is answered as any other, and its data is not taken.
func TestFastOpenServerRefuses(t *testing.T) {
	r, l, cookie := fastServer(t, 1)
	plain := func(name string, port uint16, o wire.FastOpenOption, want wire.FastOpenOption) {
		t.Helper()
		r.fastSYN(port, o, "hello")
		if len(r.got) != 1 || r.got[0].Ack != 1001 || r.options.FastOpen != want {
			t.Errorf("%s: answered %+v, option %+v", name, r.got, r.options.FastOpen)
		}
	}
	wrong := cookie
	wrong.Cookie[0]++
	plain("a wrong cookie", 5000, wrong, cookie)
	plain("no cookie", 5001, wire.FastOpenOption{}, wire.FastOpenOption{})
	short := wire.FastOpenOption{Present: true, Len: 4}
	plain("a short cookie", 5002, short, cookie)
	r.fastSYN(5003, cookie, "hello")
	if r.got[0].Ack != 1006 {
		t.Errorf("a good cookie: %+v", r.got)
	}
	plain("one too many", 5004, cookie, wire.FastOpenOption{})
	if r.count(mib.TcpExtTCPFastOpenListenOverflow) != 1 || r.count(mib.TcpExtTCPFastOpenPassiveFail) != 2 {
		t.Error("not counted")
	}
	// RFC 7413, 5.1: one that is reset goes on being counted.
	r.send(peer4, wire.TCPHeader{SrcPort: 5003, DstPort: 80, Seq: 1006, Flags: wire.RST})
	plain("after a RST", 5005, cookie, wire.FastOpenOption{})
	r.pass(61 * time.Second)
	r.fastSYN(5006, cookie, "hello")
	if r.got[0].Ack != 1006 {
		t.Errorf("a minute later: %+v", r.got)
	}
	// Without need for cookies, and with the key before the last.
	r.set(func(l *Limits) { l.FastOpen |= FastOpenServerNoCookie })
	l.Configure(func(c *tcp.Config) { c.FastOpenQueue = 10 })
	r.fastSYN(5007, wire.FastOpenOption{}, "hello")
	if r.got[0].Ack != 1006 {
		t.Errorf("without cookie: %+v", r.got)
	}
	old, fresh := FastOpenKey{1}, FastOpenKey{2}
	r.set(func(l *Limits) {
		l.FastOpen, l.FastOpenKeys = FastOpenServer|FastOpenListeners, []FastOpenKey{fresh, old}
	})
	l.Configure(func(c *tcp.Config) { c.FastOpenQueue = 0 })
	r.fastSYN(5008, fastOpenCookie(&old, peer4, us4), "hello")
	if r.got[0].Ack != 1006 || r.options.FastOpen != fastOpenCookie(&fresh, peer4, us4) {
		t.Errorf("with the old key: %+v, option %+v", r.got, r.options.FastOpen)
	}
}

// The client asks for a cookie, keeps it, and sends data in the next SYN; what is not acknowledged comes after it.
func TestFastOpenClient(t *testing.T) {
	r := newRig(t, 1)
	cookie := wire.FastOpenOption{Present: true, Len: 8, Cookie: [16]byte{1, 2, 3, 4, 5, 6, 7, 8}}
	dial := func() (*Conn, int) {
		t.Helper()
		r.got = nil
		c, n, err := r.tcp.OpenFast(OpenConfig{Remote: flow.Endpoint{Addr: peer4, Port: 80}}, [][]byte{[]byte("hel"), []byte("lo")})
		if err != nil {
			t.Fatal(err)
		}
		r.pass(0)
		if len(r.got) != 1 || r.got[0].Flags != wire.SYN {
			t.Fatalf("sent %+v", r.got)
		}
		return c, n
	}
	answer := func(ackno uint32, o wire.TCPOptions) {
		syn := r.got[len(r.got)-1]
		r.got = nil
		r.send(peer4, wire.TCPHeader{SrcPort: 80, DstPort: syn.SrcPort, Seq: 7000, Ack: syn.Seq + ackno, Flags: wire.SYN | wire.ACK, Options: o})
	}
	c, n := dial()
	if n != 0 || r.options.FastOpen != (wire.FastOpenOption{Present: true}) || r.data != "" {
		t.Errorf("the first SYN has %+v, %q", r.options.FastOpen, r.data)
	}
	answer(1, wire.TCPOptions{MSS: 1400, FastOpen: cookie})
	if i := c.Info(); i.State != tcp.Established || i.FastOpenFail != 1 {
		t.Errorf("%+v", i)
	}
	hosts := r.tcp.Hosts()
	if len(hosts) != 1 || hosts[0].Cookie != cookie || hosts[0].MSS != 1400 || hosts[0].Remote.Addr != peer4 {
		t.Errorf("remembered %+v", hosts)
	}
	if !r.tcp.FastOpenReady(OpenConfig{Remote: flow.Endpoint{Addr: peer4, Port: 80}}) {
		t.Error("not ready")
	}
	// All data acknowledged.
	c, n = dial()
	if n != 5 || r.options.FastOpen != cookie || r.data != "hello" {
		t.Errorf("the second SYN has %+v, %q, %d taken", r.options.FastOpen, r.data, n)
	}
	answer(6, wire.TCPOptions{MSS: 1400})
	if i := c.Info(); i.State != tcp.Established || !i.SYNData || i.FastOpenFail != 0 || i.Unacked != 0 || i.BytesAcked != 6 {
		t.Errorf("%+v", i)
	}
	// Some of it.
	c, _ = dial()
	answer(3, wire.TCPOptions{MSS: 1400})
	if i := c.Info(); r.data != "llo" || i.SYNData || i.FastOpenFail != 2 || i.Unacked != 3 {
		t.Errorf("after a partial acknowledgment sent %q, %+v", r.data, i)
	}
	c.Abort()
	// "when the SYN timer fires, the client SHOULD retransmit a SYN packet without data and Fast Open options".
	for try := range 2 {
		c, _ = dial()
		r.got = nil
		r.pass(1100 * time.Millisecond)
		if len(r.got) != 1 || r.got[0].Flags != wire.SYN || r.data != "" || r.options.FastOpen.Present {
			t.Errorf("try %d: after a second %+v %q %+v", try, r.got, r.data, r.options.FastOpen)
		}
		answer(1, wire.TCPOptions{MSS: 1400})
		if i := c.Info(); r.data != "hello" || i.FastOpenFail != 3 {
			t.Errorf("try %d: after the SYN,ACK %q, %+v", try, r.data, i)
		}
		c.Abort()
	}
	// SYNs with data were lost twice: no more of them for a while.
	dial()
	if r.data != "" || r.options.FastOpen.Present {
		t.Errorf("after losses the SYN has %q, %+v", r.data, r.options.FastOpen)
	}
	r.tcp.FlushHosts()
	if len(r.tcp.Hosts()) != 0 {
		t.Error("flushed, and not gone")
	}
	r.set(func(l *Limits) { l.FastOpen |= FastOpenClientNoCookie })
	if dial(); r.data != "hello" || r.options.FastOpen.Present {
		t.Errorf("without cookie the SYN has %q, %+v", r.data, r.options.FastOpen)
	}
}

// What a connection learns of a path serves the next one; the cache is bounded and forgets.
func TestHostCache(t *testing.T) {
	r := newRig(t, 1)
	var c hostCache
	for n := range uint64(maxHosts + 10) {
		c.update(0, &flow.Key{Remote: wire.Addr{Lo: n}}, func(h *HostState) { h.RTT = time.Duration(n + 1) })
	}
	if len(c.m) != maxHosts {
		t.Errorf("%d entries", len(c.m))
	}
	if m := c.metrics(0, &flow.Key{Remote: wire.Addr{Lo: 5}}); m.RTT != 0 {
		t.Errorf("the oldest is there: %v", m)
	}
	if m := c.metrics(0, &flow.Key{Remote: wire.Addr{Lo: 50}}); m.RTT != 51 {
		t.Errorf("%v", m)
	}
	late := r.sim.Now().Add(2 * time.Hour)
	if m := c.metrics(late, &flow.Key{Remote: wire.Addr{Lo: 50}}); m.RTT != 0 {
		t.Errorf("after two hours %v", m)
	}
	l := r.listen(80, 10)
	a := r.syn(peer4, 5000, 80)
	r.pass(300 * time.Millisecond)
	r.ack(peer4, a)
	conn, err := r.accept(l)
	if err != nil {
		t.Fatal(err)
	}
	r.sim.Start("close", func() { conn.Close() })
	r.pass(0)
	r.send(peer4, wire.TCPHeader{SrcPort: 5000, DstPort: 80, Seq: 1001, Ack: a.Seq + 2, Flags: wire.ACK | wire.FIN})
	if hosts := r.tcp.Hosts(); len(hosts) != 1 || hosts[0].RTT < 200*time.Millisecond {
		t.Errorf("learned %+v", hosts)
	}
	r.ack(peer4, r.syn(peer4, 5001, 80))
	if conn, err = r.accept(l); err != nil {
		t.Fatal(err)
	}
	if i := conn.Info(); i.RTO < 600*time.Millisecond {
		t.Errorf("the next connection begins with an RTO of %v", i.RTO)
	}
}

// Cookies are those that Linux 6.18 makes with tcp_fastopen_key=01020304-05060708-090a0b0c-0d0e0f10.
func TestFastOpenCookieIsLinuxs(t *testing.T) {
	key := FastOpenKey{4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9, 16, 15, 14, 13}
	for _, row := range []struct{ client, server, want string }{
		{"192.0.2.1", "192.168.0.2", "35d9a1393e25381e"},
		{"2001:db8::1", "fd3d:fa7b:d17d::2", "42abfcbb76f13d35"},
	} {
		c := fastOpenCookie(&key, wire.AddrFrom(netip.MustParseAddr(row.client)), wire.AddrFrom(netip.MustParseAddr(row.server)))
		if got := hex.EncodeToString(c.Cookie[:c.Len]); got != row.want {
			t.Errorf("of %s at %s: %s, want %s", row.client, row.server, got, row.want)
		}
	}
}
