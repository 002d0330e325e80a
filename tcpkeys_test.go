package onlink

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/mib"
)

// keyed are two ends of loopback connections with keys of their own.
type keyed struct {
	t  *testing.T
	s  *Stack
	ln *TCPListener
}

func newKeyed(t *testing.T, network string, keys ...TCPKey) *keyed {
	t.Helper()
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Close(ctx)
	})
	address := "127.0.0.1:0"
	if network == "tcp6" {
		address = "[::1]:0"
	}
	lc := ListenConfig{Stack: s, TCP: TCPOptions{Keys: keys}}
	ln, err := lc.Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	return &keyed{t, s, ln.(*TCPListener)}
}

func (k *keyed) dial(patience time.Duration, keys ...TCPKey) (*TCPConn, error) {
	ctx, cancel := context.WithTimeout(k.t.Context(), patience)
	defer cancel()
	d := Dialer{Stack: k.s, TCP: TCPOptions{Keys: keys}}
	c, err := d.DialContext(ctx, "tcp", k.ln.Addr().String())
	if err != nil {
		return nil, err
	}
	return c.(*TCPConn), nil
}

// join returns both ends of a connection.
func (k *keyed) join(keys ...TCPKey) (a, b *TCPConn) {
	k.t.Helper()
	a, err := k.dial(time.Minute, keys...)
	if err != nil {
		k.t.Fatal(err)
	}
	b, err = k.ln.AcceptTCP()
	if err != nil {
		k.t.Fatal(err)
	}
	return a, b
}

func testKey(a TCPKeyAlgorithm, id uint8, secret string) TCPKey {
	return TCPKey{Peer: netip.MustParsePrefix("127.0.0.0/8"), Algorithm: a, Secret: []byte(secret), SendID: id, RecvID: id}
}

// Connections with equal keys carry what is written, whatever the algorithm and family.
func TestTCPKeys(t *testing.T) {
	for _, a := range []TCPKeyAlgorithm{TCPKeySHA1, TCPKeyAES128, TCPKeyMD5} {
		for _, network := range []string{"tcp4", "tcp6"} {
			t.Run(string(a)+" "+network, func(t *testing.T) {
				key := testKey(a, 7, "secret")
				if network == "tcp6" {
					key.Peer = netip.MustParsePrefix("::1/128")
				}
				k := newKeyed(t, network, key)
				c, d := k.join(key)
				sent := bytes.Repeat([]byte("onlink"), 100_000)
				go func() {
					c.Write(sent)
					c.CloseWrite()
				}()
				got, err := io.ReadAll(d)
				if err != nil || !bytes.Equal(got, sent) {
					t.Fatalf("read %d octets of %d: %v", len(got), len(sent), err)
				}
				s, ok := d.KeyStatus()
				if !ok || s.Algorithm != a || a != TCPKeyMD5 && (!s.Heard || s.Current != 7 || s.Next != 7 || s.PeerCurrent != 7) {
					t.Errorf("%+v, %v", s, ok)
				}
				mss := 65535 - 20 - 20
				if network == "tcp6" {
					mss = 65536 - 40 - 20
				}
				// RFC 2385, 4.3: the option takes of what a segment carries, and leaves no room for timestamps in a SYN.
				if i := c.Info(); i.MSS > mss-16 {
					t.Errorf("segments of %d octets leave no room for the option", i.MSS)
				}
				if n := k.s.Snapshot().Counters.Dropped(mib.TcpAuthBad); n != 0 {
					t.Errorf("%d segments were not authentic", n)
				}
			})
		}
	}
}

// Without the right key there is no connection, and no answer.
func TestTCPKeysRefuse(t *testing.T) {
	ours := testKey(TCPKeySHA1, 1, "ours")
	for name, row := range map[string]struct {
		keys   []TCPKey
		reason mib.Reason
	}{
		"none":              {nil, mib.TcpAuthMissing},
		"another secret":    {[]TCPKey{testKey(TCPKeySHA1, 1, "theirs")}, mib.TcpAuthBad},
		"another algorithm": {[]TCPKey{testKey(TCPKeyAES128, 1, "ours")}, mib.TcpAuthBad},
		"another ID":        {[]TCPKey{testKey(TCPKeySHA1, 2, "ours")}, mib.TcpAuthUnexpected},
		"MD5":               {[]TCPKey{testKey(TCPKeyMD5, 1, "ours")}, mib.TcpAuthUnexpected},
	} {
		k := newKeyed(t, "tcp4", ours)
		if _, err := k.dial(20*time.Millisecond, row.keys...); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		if n := k.s.Snapshot().Counters.Dropped(row.reason); n == 0 {
			t.Errorf("%s: no segment was dropped for %v", name, row.reason)
		}
	}
	// A listener without keys takes TCP-AO it cannot check, as RFC 5925, 7.3, has it, and its answer is not taken; and
	// refuses MD5, which announces that the peer wants it.
	k := newKeyed(t, "tcp4")
	for a, reason := range map[TCPKeyAlgorithm]mib.Reason{TCPKeySHA1: mib.TcpAuthMissing, TCPKeyMD5: mib.TcpAuthUnexpected} {
		if _, err := k.dial(20*time.Millisecond, testKey(a, 1, "x")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s to a listener without keys: %v", a, err)
		}
		if k.s.Snapshot().Counters.Dropped(reason) == 0 {
			t.Errorf("%s to a listener without keys: nothing was dropped for %v", a, reason)
		}
	}
}

// RFC 5925, 6.1: keys change without the connection noticing.
func TestTCPKeysChange(t *testing.T) {
	old, next := testKey(TCPKeySHA1, 1, "old"), testKey(TCPKeyAES128, 2, "new")
	k := newKeyed(t, "tcp4", old)
	c, d := k.join(old)
	say := func(from, to *TCPConn) {
		t.Helper()
		b := make([]byte, 2)
		if _, err := from.Write([]byte("hi")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(to, b); err != nil {
			t.Fatal(err)
		}
	}
	say(c, d)
	for _, end := range []*TCPConn{c, d} {
		if err := end.SetKeys([]TCPKey{old, next}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.ChooseKey(1, 9); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a key that is not there: %v", err)
	}
	if err := c.ChooseKey(1, 2); err != nil {
		t.Fatal(err)
	}
	say(c, d) // asks for key 2
	say(d, c) // is signed with it
	if s, _ := c.KeyStatus(); s.PeerCurrent != 2 {
		t.Errorf("%+v", s)
	}
	if err := c.SetKeys(nil); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a connection lost its keys: %v", err)
	}
	if err := c.SetKeys([]TCPKey{{}}); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("an invalid key: %v", err)
	}
	if err := k.ln.SetKeys([]TCPKey{{Algorithm: "ROT13"}}); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("an unknown algorithm: %v", err)
	}
	// A listener's new keys are for new connections.
	if err := k.ln.SetKeys([]TCPKey{next}); err != nil {
		t.Fatal(err)
	}
	say(d, c)
	e, f := k.join(next)
	say(e, f)
	if err := k.ln.SetKeys(nil); err != nil {
		t.Fatal(err)
	}
	g, h := k.join()
	say(g, h)
	if _, ok := g.KeyStatus(); ok {
		t.Error("a connection without keys has some")
	}
	if err := g.SetKeys([]TCPKey{next}); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("keys for a connection opened without: %v", err)
	}
	k.ln.Close()
	if err := k.ln.SetKeys(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("keys for a closed listener: %v", err)
	}
	d2 := Dialer{Stack: k.s, TCP: TCPOptions{Keys: []TCPKey{{}}}}
	if _, err := d2.DialContext(t.Context(), "tcp", "127.0.0.1:1"); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("dial with an invalid key: %v", err)
	}
}
