package tcpauth

import (
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

var (
	addrA = netip.MustParseAddr("10.0.0.1")
	addrB = netip.MustParseAddr("10.0.0.2")
)

// ends are the two ends of a connection.
type ends struct {
	t    *testing.T
	a, b *Conn
}

func newEnds(t *testing.T, ofA, ofB []Key) *ends {
	t.Helper()
	conn := func(keys []Key, local, remote netip.Addr, lport, rport uint16, iss uint32) *Conn {
		ks, err := NewKeys(keys)
		if err != nil {
			t.Fatal(err)
		}
		return NewConn(ks, wire.AddrFrom(local), wire.AddrFrom(remote), lport, rport, iss)
	}
	return &ends{t, conn(ofA, addrA, addrB, 1000, 179, 0xffffff00), conn(ofB, addrB, addrA, 179, 1000, 77)}
}

// segment makes a segment of from, signed by it.
func segment(from *Conn, seq uint32, flags wire.TCPFlags, data string) []byte {
	h := wire.TCPHeader{SrcPort: from.localPort, DstPort: from.remotePort, Seq: seq, Flags: flags,
		Options: wire.TCPOptions{HasTimestamps: true, TSVal: 5}}
	n := h.Len()
	b := make([]byte, n+from.OptionLen()+len(data))
	h.Put(b[:n])
	b[12] = byte((n+from.OptionLen())/4) << 4
	copy(b[n+from.OptionLen():], data)
	if from.OptionLen() > 0 {
		from.Sign(b, n)
	}
	return b
}

func (e *ends) want(what string, to *Conn, b []byte, want Verdict) {
	e.t.Helper()
	if v := to.Check(b); v != want {
		e.t.Errorf("%s: verdict %d, want %d", what, v, want)
	}
}

// handshake exchanges SYN, SYN,ACK and ACK.
func (e *ends) handshake() {
	e.t.Helper()
	e.want("SYN", e.b, segment(e.a, e.a.iss, wire.SYN, ""), Good)
	e.want("SYN,ACK", e.a, segment(e.b, e.b.iss, wire.SYN|wire.ACK, ""), Good)
	e.want("ACK", e.b, segment(e.a, e.a.iss+1, wire.ACK, ""), Good)
}

func ao(id uint8, secret string) Key {
	return Key{Peer: netip.MustParsePrefix("10.0.0.0/24"), Algorithm: HMACSHA1, SendID: id, RecvID: id, Secret: []byte(secret)}
}

func TestSession(t *testing.T) {
	for name, k := range map[string]Key{
		"SHA1":   ao(1, "secret"),
		"AES128": {Peer: ao(1, "").Peer, Algorithm: AESCMAC, SendID: 3, RecvID: 3, Secret: []byte("sixteen octets!!")},
		"MD5":    {Peer: ao(1, "").Peer, Algorithm: MD5, Secret: []byte("secret")},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnds(t, []Key{k}, []Key{k})
			e.handshake()
			first := segment(e.a, e.a.iss+1, wire.ACK, "hello")
			e.want("data", e.b, first, Good)
			first[len(first)-1] ^= 1
			e.want("changed data", e.b, first, Bad)
			first[len(first)-1] ^= 1
			bare := newEnds(t, nil, nil)
			if bare.a != nil || bare.a.OptionLen() != 0 {
				t.Fatal("without keys there is a Conn")
			}
			e.want("without option", e.b, segment(&Conn{localPort: 1000, remotePort: 179}, e.a.iss+1, wire.ACK, "hello"), Missing)
			// A segment of another connection, signed with the same key.
			other := newEnds(t, []Key{k}, []Key{k})
			other.a.iss += 9
			other.handshake()
			if want := Bad; k.Algorithm != MD5 { // MD5 knows no connection: RFC 5925's reason to be
				e.want("replay from another connection", e.b, segment(other.a, e.a.iss+1, wire.ACK, "hello"), want)
			}
			// RFC 5925, 6.2: the sequence number rolls over: 0xffffff00 is followed by what begins at 0.
			for i := range uint32(20) {
				e.want("over the end of the sequence space", e.b, segment(e.a, e.a.iss+1+i<<28, wire.ACK, "x"), Good)
			}
			if k.Algorithm != MD5 {
				e.want("a segment from before the sequence numbers wrapped", e.b, first, Bad)
				if e.b.rcv.highest>>32 != 2 {
					t.Errorf("the extension is %d, want 2", e.b.rcv.highest>>32)
				}
			}
		})
	}
}

// RFC 5925, 6.1 and 7.5: one end asks for another key, and the other takes it up with its next segment.
func TestRollover(t *testing.T) {
	keys := []Key{ao(1, "old"), ao(2, "new")}
	e := newEnds(t, keys, keys)
	e.handshake()
	if s := e.b.Status(); s.Current != 1 || s.PeerCurrent != 1 || !s.Heard || s.Algorithm != HMACSHA1 {
		t.Errorf("after the handshake: %+v", s)
	}
	if e.a.Choose(1, 9) || e.a.Choose(9, 1) {
		t.Error("a key that is not there was chosen")
	}
	if !e.a.Choose(1, 2) {
		t.Fatal("key 2 is not there")
	}
	e.want("a segment that asks for key 2", e.b, segment(e.a, e.a.iss+1, wire.ACK, "x"), Good)
	if s := e.b.Status(); s.Current != 2 || s.PeerNext != 2 {
		t.Errorf("who was asked: %+v", s)
	}
	e.want("its answer", e.a, segment(e.b, e.b.iss+1, wire.ACK, "y"), Good)
	if s := e.a.Status(); s.PeerCurrent != 2 {
		t.Errorf("who asked: %+v", s)
	}
	// "A TCP-AO implementation MUST allow the set of MKTs for ongoing TCP connections … to be modified."
	ks, err := NewKeys([]Key{ao(2, "new"), ao(3, "newest")})
	if err != nil {
		t.Fatal(err)
	}
	if !e.b.SetKeys(ks) {
		t.Error("the new keys were refused")
	}
	e.want("after the old key was removed, one with it", e.b, segment(e.a, e.a.iss+2, wire.ACK, "x"), Unexpected)
	e.a.SetKeys(ks)
	e.want("and one with a new key", e.b, segment(e.a, e.a.iss+2, wire.ACK, "x"), Good)
	md5, err := NewKeys([]Key{{Peer: ao(1, "").Peer, Algorithm: MD5, Secret: []byte("k")}})
	if err != nil {
		t.Fatal(err)
	}
	if e.a.SetKeys(nil) || e.a.SetKeys(md5) {
		t.Error("no keys, or such that take other room, were accepted")
	}
	e.want("with the keys kept", e.b, segment(e.a, e.a.iss+3, wire.ACK, "x"), Good)
}

func TestVerdicts(t *testing.T) {
	md := Key{Peer: ao(1, "").Peer, Algorithm: MD5, Secret: []byte("k")}
	e := newEnds(t, []Key{ao(1, "k")}, []Key{md})
	e.want("TCP-AO where MD5 is asked for", e.b, segment(e.a, 1, wire.ACK, ""), Unexpected)
	e.want("MD5 where TCP-AO is asked for", e.a, segment(e.b, 1, wire.ACK, ""), Unexpected)
	e = newEnds(t, []Key{ao(1, "k")}, []Key{ao(2, "k")})
	e.want("a KeyID there is no key for", e.b, segment(e.a, 1, wire.ACK, ""), Unexpected)
	e = newEnds(t, []Key{ao(1, "k")}, []Key{ao(1, "other")})
	e.want("another secret", e.b, segment(e.a, e.a.iss, wire.SYN, ""), Bad)
	if e.b.hasIRS {
		t.Error("the sequence number of a forged SYN was believed")
	}

	header := func(options ...byte) []byte {
		b := make([]byte, 20+len(options))
		b[12] = byte(len(b)/4) << 4
		copy(b[20:], options)
		return b
	}
	ao := append([]byte{kindAO, 16}, make([]byte, 14)...)
	e.want("two options", e.b, header(append(ao, ao...)...), Contradicts)
	e.want("one too short", e.b, header(kindAO, 3, 0, 0), Contradicts)
	e.want("one too long", e.b, header(kindAO, 17, 0, 0), Contradicts)
	e.want("one of another length", e.b, header(kindAO, 8, 1, 1, 0, 0, 0, 0), Bad)
	e.want("none behind the end", e.b, header(nop, 0, kindAO, 4), Missing)
	e.want("none behind a broken option", e.b, header(nop, 5, 0, 0), Missing)
}

func TestNewKeys(t *testing.T) {
	p := netip.MustParsePrefix
	for _, row := range []struct {
		want string
		keys []Key
	}{
		{"tcp key: invalid peer prefix", []Key{{Secret: []byte("x")}}},
		{"tcp key for ::/0: no secret", []Key{{Peer: p("::/0")}}},
		{"tcp key for ::/0: unknown algorithm 7", []Key{{Peer: p("::/0"), Algorithm: 7, Secret: []byte("x")}}},
		{"tcp key for ::/0: an MD5 secret of 81 octets, the most is 80", []Key{{Peer: p("::/0"), Secret: make([]byte, 81)}}},
		{"tcp key for ::ffff:1.2.3.4/128: an IPv4-mapped prefix must be given as IPv4", []Key{{Peer: netip.PrefixFrom(netip.MustParseAddr("::ffff:1.2.3.4"), 128), Secret: []byte("x")}}},
		{"tcp key: two keys for 10.0.0.0/24 with SendID 1", []Key{ao(1, "a"), ao(1, "b")}},
		{"tcp key: two keys for 10.0.0.0/24 with RecvID 1", []Key{ao(1, "a"), func() Key { k := ao(1, "b"); k.SendID = 2; return k }()}},
		{"tcp key: both MD5 and TCP-AO for 10.0.0.0/8", []Key{ao(1, "a"), {Peer: p("10.0.0.0/8"), Secret: []byte("x")}}},
		{"tcp key: two MD5 keys for 10.0.0.0/8", []Key{{Peer: p("10.0.0.0/8"), Secret: []byte("y")}, {Peer: p("10.1.0.0/8"), Secret: []byte("x")}}},
	} {
		if ks, err := NewKeys(row.keys); err == nil || err.Error() != row.want || ks != nil {
			t.Errorf("%v, want %s", err, row.want)
		}
	}
	// The longest prefix decides.
	ks, err := NewKeys([]Key{{Peer: p("10.0.0.0/8"), Secret: []byte("wide")}, {Peer: p("10.0.0.2/32"), Secret: []byte("narrow")}})
	if err != nil {
		t.Fatal(err)
	}
	if k := ks.find(wire.AddrFrom(addrB), func(*Key) bool { return true }); string(k.Secret) != "narrow" {
		t.Errorf("found %s", k.Secret)
	}
	if ks.For(wire.Addr4(11, 0, 0, 1)) || !ks.For(wire.Addr4(10, 9, 9, 9)) || len(ks.All()) != 2 || (*Keys)(nil).All() != nil {
		t.Error("For or All is wrong")
	}
	for a, want := range map[Algorithm]string{MD5: "MD5", HMACSHA1: "SHA1", AESCMAC: "AES128", 9: "Algorithm(9)"} {
		if a.String() != want {
			t.Error(a)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	for _, a := range []Algorithm{MD5, HMACSHA1, AESCMAC} {
		k := ao(1, "k")
		k.Algorithm = a
		e := newEnds(t, []Key{k}, []Key{k})
		e.handshake()
		b := segment(e.a, e.a.iss+1, wire.ACK, "data")
		if n := testing.AllocsPerRun(100, func() {
			e.a.Sign(b, len(b)-4-e.a.OptionLen())
			e.want("data", e.b, b, Good)
		}); n != 0 {
			t.Errorf("%v: %v allocations a segment", a, n)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte{nop, nop, kindMD5, 18}, uint8(0))
	f.Add([]byte{kindAO, 16, 1, 1}, uint8(1))
	f.Fuzz(func(t *testing.T, options []byte, algorithm uint8) {
		b := make([]byte, 20+min(len(options), 40)&^3)
		b[12] = byte(len(b)/4) << 4
		copy(b[20:], options)
		k := ao(1, "k")
		k.Algorithm = Algorithm(algorithm % 3)
		e := newEnds(t, []Key{k}, []Key{k})
		if e.b.Check(b) == Good {
			t.Errorf("%x was found authentic", b)
		}
	})
}
