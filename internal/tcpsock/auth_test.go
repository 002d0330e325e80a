package tcpsock

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpauth"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// key returns keys shared with everybody here.
func key(a tcpauth.Algorithm, secrets ...string) *tcpauth.Keys {
	var all []tcpauth.Key
	for i, s := range secrets {
		k := tcpauth.Key{Peer: netip.MustParsePrefix("192.0.2.0/24"), Algorithm: a, Secret: []byte(s)}
		if a != tcpauth.MD5 {
			k.SendID, k.RecvID = uint8(i+1), uint8(i+1)
		}
		all = append(all, k)
	}
	keys, err := tcpauth.NewKeys(all)
	if err != nil {
		panic(err)
	}
	return keys
}

// authenticated dials a listener of the same host, and returns both ends; nil: there is no connection.
func (r *rig) authenticated(t *testing.T, ofClient, ofServer *tcpauth.Keys) (client, server *Conn) {
	t.Helper()
	l := r.listen(80, 5)
	if err := l.SetKeys(ofServer); err != nil || l.Keys() != ofServer {
		t.Fatal(err)
	}
	ctx, cancel := r.sim.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r.sim.Start("dial", func() {
		c, err := r.tcp.Dial(ctx, OpenConfig{Remote: flow.Endpoint{Addr: us4, Port: 80}, Keys: ofClient})
		if err == nil {
			client = c
		} else if err != context.DeadlineExceeded {
			t.Error(err)
		}
	})
	r.pass(20 * time.Second)
	if server, err := l.TryAccept(); err == nil {
		return client, server
	}
	return client, nil
}

// Ends that share a key understand each other, those that do not are silent: RFC 2385, 2; RFC 5925, 7.3.
func TestAuthentication(t *testing.T) {
	md5, ao := key(tcpauth.MD5, "secret"), key(tcpauth.HMACSHA1, "secret", "newer")
	for _, row := range []struct {
		name           string
		client, server *tcpauth.Keys
		dropped        mib.Reason // 0: they understand each other
	}{
		{"MD5", md5, md5, 0},
		{"TCP-AO", ao, ao, 0},
		{"another secret", key(tcpauth.MD5, "guessed"), md5, mib.TcpAuthBad},
		{"no key at the client", nil, ao, mib.TcpAuthMissing},
		{"no key at the server", md5, nil, mib.TcpAuthUnexpected},
		{"another kind", md5, ao, mib.TcpAuthUnexpected},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, 1)
			client, server := r.authenticated(t, row.client, row.server)
			if row.dropped != 0 {
				if client != nil || server != nil || r.shards[0].Counters.Dropped(row.dropped) == 0 {
					t.Errorf("connected: %v, %v", client, server)
				}
				return
			}
			if client == nil || server == nil {
				t.Fatal("no connection")
			}
			r.sim.Start("write", func() { client.Write(make([]byte, 5000)) })
			r.pass(time.Second)
			if n, err := server.PeekLen(0, 9000); n != 5000 || err != nil {
				t.Errorf("received %d octets, %v", n, err)
			}
			status, ok := server.KeyStatus()
			if !ok {
				t.Fatal("not authenticated")
			}
			if row.client != ao {
				return
			}
			// RFC 5925, 6.1: the keys are changed without a word.
			if status.Current != 1 || status.PeerCurrent != 1 || !status.Heard {
				t.Errorf("in the beginning %+v", status)
			}
			if err := client.ChooseKey(2, 2); err != nil {
				t.Fatal(err)
			}
			if err := client.ChooseKey(7, 2); err != syscall.EINVAL {
				t.Errorf("a key that is not there: %v", err)
			}
			r.sim.Start("write", func() { client.Write([]byte("x")) })
			r.pass(time.Second)
			if status, _ = server.KeyStatus(); status.PeerCurrent != 2 || status.Current != 2 {
				t.Errorf("after a change %+v", status)
			}
			if err := client.SetKeys(key(tcpauth.MD5, "secret")); err != syscall.EINVAL {
				t.Errorf("keys of another kind: %v", err)
			}
			if err := client.SetKeys(key(tcpauth.HMACSHA1, "a", "b", "c")); err != nil {
				t.Error(err)
			}
			r.sim.Start("write", func() { client.Write([]byte("y")) })
			r.pass(time.Second)
			if n, _ := server.PeekLen(0, 9000); n != 5001 {
				t.Errorf("with secrets the server does not know %d octets came", n)
			}
		})
	}
}

// Keys are of those who have some.
func TestWithoutKeys(t *testing.T) {
	r := newRig(t, 1)
	c, _ := r.accepted(7)
	if _, ok := c.KeyStatus(); ok {
		t.Error("authenticated")
	}
	if err := c.SetKeys(key(tcpauth.MD5, "secret")); err != syscall.EINVAL {
		t.Errorf("SetKeys: %v", err)
	}
	if err := c.ChooseKey(1, 1); err != syscall.EINVAL {
		t.Errorf("ChooseKey: %v", err)
	}
	l := r.listen(80, 1)
	l.Close()
	if err := l.SetKeys(nil); err != net.ErrClosed {
		t.Errorf("SetKeys of a closed listener: %v", err)
	}
}

// RFC 5925, 7.7, and Linux: the remnant of an authenticated connection takes no segment that is not signed.
func TestAuthenticatedRemnant(t *testing.T) {
	r := newRig(t, 1)
	k := key(tcpauth.MD5, "secret")
	client, server := r.authenticated(t, k, k)
	if client == nil || server == nil {
		t.Fatal("no connection")
	}
	r.sim.Start("close", func() {
		client.Close()
		server.Close()
	})
	r.pass(0)
	if r.conns() != 0 || r.tcp.waiting.Load() == 0 {
		t.Fatalf("%d connections, %d remnants", r.conns(), r.tcp.waiting.Load())
	}
	rest := r.tcp.tables[0].firstRemnant
	before := rest.State()
	sh := r.shards[0]
	sh.Lock()
	seg := tcp.Segment{Flags: wire.RST | wire.ACK}
	rest.ACK(r.sim.Now(), &seg)
	seg.Seq, seg.Ack, seg.Flags = seg.Ack, seg.Seq, wire.RST
	r.tcp.emit(sh, r.tcp.route(sh, r.sim.Now(), &rest.key, &Header{}), &flow.Key{Local: rest.key.Remote, Remote: rest.key.Local,
		Ports: flow.Ports(rest.key.RemotePort(), rest.key.LocalPort()), Proto: wire.ProtoTCP}, &seg, Header{}, nil)
	sh.Unlock()
	r.pass(0)
	if r.tcp.tables[0].firstRemnant != rest || rest.State() != before || sh.Counters.Dropped(mib.TcpAuthMissing) != 1 {
		t.Error("an unsigned RST was taken")
	}
}
