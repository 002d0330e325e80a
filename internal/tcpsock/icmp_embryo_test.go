package tcpsock

import (
	"encoding/binary"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpauth"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// report gives TCP an error about the segment seq of k. It returns whether TCP vouches for it.
func (r *rig) report(k flow.Key, seq uint32, e ip.Error) (vouched bool) {
	e.Src, e.Dst, e.Proto = k.Local, k.Remote, wire.ProtoTCP
	if e.Quote == nil {
		e.Quote = make([]byte, 8)
		binary.BigEndian.PutUint32(e.Quote, k.Ports)
		binary.BigEndian.PutUint32(e.Quote[4:], seq)
	}
	sh := r.shards[0]
	sh.Lock()
	defer sh.Unlock()
	vouched = r.tcp.Vouches(sh, &e)
	r.tcp.Error(sh, r.sim.Now(), &e)
	return vouched
}

// from is the connection of a peer's port 5000 with our port 80.
func from(peer wire.Addr) flow.Key {
	k := flow.Key{Local: us4, Remote: peer, Ports: flow.Ports(80, 5000), Proto: wire.ProtoTCP}
	if !peer.Is4() {
		k.Local = us6
	}
	return k
}

// An ICMP error about a SYN,ACK ends the handshake as with Linux: of IPv4 where network or host cannot be reached, of IPv6
// where the port cannot; and only if it quotes the SYN,ACK (RFC 5927, 4.1).
func TestEmbryoErrors(t *testing.T) {
	for _, row := range []struct {
		name  string
		peer  wire.Addr
		e     ip.Error
		ahead uint32 // of the SYN,ACK's number
		ends  bool
	}{
		{"IPv4 host unreachable", peer4, ip.Error{Errno: syscall.EHOSTUNREACH}, 0, true},
		{"IPv4 network unreachable", peer4, ip.Error{Errno: syscall.ENETUNREACH}, 0, true},
		{"IPv4 parameter problem", peer4, ip.Error{Errno: syscall.EPROTO}, 0, true},
		{"IPv4 port unreachable", peer4, ip.Error{Errno: syscall.ECONNREFUSED}, 0, false},
		{"IPv4 too big", peer4, ip.Error{Errno: syscall.EMSGSIZE, MTU: 1000}, 0, false},
		{"our own neighbor resolution", peer4, ip.Error{Errno: syscall.EHOSTUNREACH, Local: true}, 0, false},
		{"another number", peer4, ip.Error{Errno: syscall.EHOSTUNREACH}, 1, false},
		{"quoted too short", peer4, ip.Error{Errno: syscall.EHOSTUNREACH, Quote: make([]byte, 7)}, 0, false},
		{"IPv6 port unreachable", peer6, ip.Error{Errno: syscall.ECONNREFUSED}, 0, true},
		{"IPv6 prohibited", peer6, ip.Error{Errno: syscall.EACCES}, 0, true},
		{"IPv6 parameter problem", peer6, ip.Error{Errno: syscall.EPROTO}, 0, true},
		{"IPv6 no route", peer6, ip.Error{Errno: syscall.ENETUNREACH}, 0, false},
		{"IPv6 address unreachable", peer6, ip.Error{Errno: syscall.EHOSTUNREACH}, 0, false},
	} {
		r := newRig(t, 1)
		l := r.listen(80, 5)
		answer := r.syn(row.peer, 5000, 80)
		r.want("after the SYN", l, 1, 0)
		vouched := r.report(from(row.peer), answer.Seq+row.ahead, row.e)
		if about := row.ahead == 0 && row.e.Quote == nil; vouched != about {
			t.Errorf("%s: vouched for: %v", row.name, vouched)
		}
		if row.ends {
			r.want(row.name, l, 0, 0)
			if r.count(mib.TcpAttemptFails) != 1 {
				t.Errorf("%s: not counted", row.name)
			}
			continue
		}
		r.ack(row.peer, answer)
		r.want(row.name, l, 0, 1)
	}
}

// What is about nothing there is counted.
func TestErrorAboutNothing(t *testing.T) {
	r := newRig(t, 1)
	r.listen(80, 5)
	answer := r.syn(peer4, 5000, 80)
	r.report(from(peer4), answer.Seq+100, ip.Error{Errno: syscall.EHOSTUNREACH})
	if n := r.count(mib.TcpExtOutOfWindowIcmps); n != 2 { // asked twice: whether it is vouched for, and what it does
		t.Errorf("%d counted", n)
	}
	r.report(from(far4), 1, ip.Error{Errno: syscall.EHOSTUNREACH}) // no connection at all
}

// RFC 5925, 7.8: "A TCP-AO implementation MUST default to ignore incoming ICMPv4 messages of Type 3 (destination unreachable),
// Codes 2-4 … intended for connections in synchronized states". MD5 does not ask for that.
func TestErrorsOfAuthenticated(t *testing.T) {
	for _, a := range []tcpauth.Algorithm{tcpauth.MD5, tcpauth.HMACSHA1} {
		r := newRig(t, 1)
		client, server := r.authenticated(t, key(a, "secret"), key(a, "secret"))
		if client == nil || server == nil {
			t.Fatalf("%v: no connection", a)
		}
		// Something is in flight: a segment that the internet layer never sees.
		r.shards[0].Lock()
		var seg tcp.Segment
		if _, err := client.tcb.Send(r.sim.Now(), []byte("lost")); err != nil || !client.tcb.Next(r.sim.Now(), &seg) {
			t.Fatal(err)
		}
		r.shards[0].Unlock()
		md5 := a == tcpauth.MD5
		if v := r.report(client.key, uint32(seg.Seq), ip.Error{Errno: syscall.EMSGSIZE, MTU: 1000}); v != md5 {
			t.Errorf("%v: a message about the path MTU is vouched for: %v", a, v)
		}
		r.report(client.key, uint32(seg.Seq), ip.Error{Errno: syscall.ECONNREFUSED})
		if e := client.TakeSoftError(); (e == syscall.ECONNREFUSED) != md5 {
			t.Errorf("%v: port unreachable left %v", a, e)
		}
		r.report(client.key, uint32(seg.Seq), ip.Error{Errno: syscall.EHOSTUNREACH})
		if e := client.TakeSoftError(); e != syscall.EHOSTUNREACH || client.TakeSoftError() != 0 {
			t.Errorf("%v: host unreachable left %v", a, e)
		}
	}
}
