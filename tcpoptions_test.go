package onlink

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/tcp"
)

// fill sets a field to a value other than its default.
func fill(f reflect.Value) {
	switch f.Kind() {
	case reflect.Bool:
		f.SetBool(true)
	case reflect.String:
		f.SetString("reno")
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		f.SetUint(100)
	case reflect.Array:
		f.Index(0).SetInt(77)
	case reflect.Slice:
		if f.Type() == reflect.TypeFor[[]CongestionAlgorithm]() {
			f.Set(reflect.ValueOf([]CongestionAlgorithm{{Name: "x"}}))
			return
		}
		f.Set(reflect.ValueOf([]TCPKey{{Peer: netip.MustParsePrefix("::/0"), Secret: []byte("x")}}))
	case reflect.Struct:
		f.FieldByName("Enable").SetBool(true)
	default:
		f.SetInt(77)
	}
}

// Each field of TCPConfig and of TCPOptions gets to the place it is for.
func TestTCPSettingsArrive(t *testing.T) {
	kind := reflect.TypeFor[TCPConfig]()
	for i := range kind.NumField() {
		var c TCPConfig
		fill(reflect.ValueOf(&c).Elem().Field(i))
		none := TCPConfig{}
		if name := kind.Field(i).Name; name != "Backlog" && name != "FirstPort" && reflect.DeepEqual(c.settings(), none.settings()) {
			t.Errorf("TCPConfig.%s has no effect", name)
		}
	}
	if c := (&TCPConfig{ECN: -1, SYNCookies: -1, FirstPort: 5, LastPort: 6}).settings(); c.TCP.Complete().ECN != 0 || c.Limits.SYNCookies != 0 ||
		c.Limits.LocalPorts.First != 5 {
		t.Errorf("%+v", c)
	}
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	kind = reflect.TypeFor[TCPOptions]()
	for i := range kind.NumField() {
		var o, none TCPOptions
		fill(reflect.ValueOf(&o).Elem().Field(i))
		a, b := *tcp.Config{}.Complete(), *tcp.Config{}.Complete()
		o.change(&a)
		none.change(&b)
		if a == b && o.headers(s.tcp.Settings()) == none.headers(s.tcp.Settings()) &&
			kind.Field(i).Name != "CongestionControl" && kind.Field(i).Name != "Keys" {
			t.Errorf("TCPOptions.%s has no effect", kind.Field(i).Name)
		}
	}
}

func TestTCPSettingsAreChecked(t *testing.T) {
	for name, c := range map[string]TCPConfig{"SendBuffer": {SendBuffer: -1}, "warp": {CongestionControl: "warp"},
		"FirstPort": {FirstPort: 9, LastPort: 5}} {
		if _, err := New(Config{TCP: c}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	for _, o := range []TCPOptions{{SendBuffer: -1}, {MaxSegment: 10}, {MaxSegment: 40000}, {UserTimeout: -1}, {CongestionControl: "warp"}} {
		d := Dialer{Stack: s, TCP: o}
		_, err := d.DialContext(t.Context(), "tcp", "127.0.0.1:1")
		l := ListenConfig{Stack: s, TCP: o}
		_, err2 := l.Listen(t.Context(), "tcp", "127.0.0.1:0")
		if !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOENT) || err2 == nil {
			t.Errorf("%+v: %v, %v", o, err, err2)
		}
	}
}

// joined returns both ends of a connection that a listener with options l made of a dial with options d.
func joined(t *testing.T, d, l TCPOptions) (s *Stack, a, b *TCPConn, listener *TCPListener) {
	t.Helper()
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	lc := ListenConfig{Stack: s, TCP: l}
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dialer := Dialer{Stack: s, TCP: d}
	c, err := dialer.DialContext(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	other, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return s, c.(*TCPConn), other.(*TCPConn), ln.(*TCPListener)
}

// A dialer's options are the connection's, and a listener's those of all its connections.
func TestTCPOptionsAreInherited(t *testing.T) {
	s, a, b, l := joined(t, TCPOptions{UserTimeout: time.Minute, MaxSegment: 1000}, TCPOptions{Nagle: true, SYNRetries: 3,
		KeepAlive: net.KeepAliveConfig{Enable: true, Count: 4}})
	if c := a.conn.Config(); c.UserTimeout != time.Minute || !c.NoDelay || c.MaxSeg != 1000 {
		t.Errorf("dialed: %+v", c)
	}
	if c := b.conn.Config(); c.UserTimeout != 0 || c.NoDelay || c.SYNRetries != 3 || !c.KeepAlive || c.KeepAliveCount != 4 ||
		c.KeepAliveIdle != 15*time.Second {
		t.Errorf("accepted: %+v", c)
	}
	if mss := b.Info().MSS; mss != 988 {
		t.Errorf("with an MSS of 1000 less timestamps the peer sends segments of %d", mss)
	}
	// A listener follows the stack's settings, but in what it was told.
	if err := s.SetSysctl("net.ipv4.tcp_syn_retries", "9"); err != nil {
		t.Fatal(err)
	}
	if err := s.SetSysctl("net.ipv4.tcp_retries2", "9"); err != nil {
		t.Fatal(err)
	}
	if c := l.l.Config(); c.SYNRetries != 3 || c.Retries != 9 || c.NoDelay {
		t.Errorf("listener: %+v", c)
	}
	if err := l.SetOptions(TCPOptions{MaxSegment: 500}); err != nil || l.l.Config().MaxSeg != 500 {
		t.Error(err)
	}
	if err := l.SetOptions(TCPOptions{MaxSegment: 5}); !errors.Is(err, syscall.EINVAL) {
		t.Error(err)
	}
}

// Connections with equal settings share them.
func TestTCPSettingsAreShared(t *testing.T) {
	_, a, b, _ := joined(t, TCPOptions{}, TCPOptions{})
	same := func() bool { return a.conn.SharesConfig(b.conn) }
	if !same() {
		t.Error("at first")
	}
	a.SetUserTimeout(time.Minute)
	if same() {
		t.Error("with a user timeout")
	}
	b.SetUserTimeout(time.Minute)
	if !same() {
		t.Error("with the same user timeout")
	}
}

func TestTCPSetters(t *testing.T) {
	_, a, b, _ := joined(t, TCPOptions{}, TCPOptions{})
	for name, err := range map[string]error{
		"SetCork": a.SetCork(true), "SetReadBuffer": a.SetReadBuffer(5000), "SetWriteBuffer": a.SetWriteBuffer(6000),
		"SetReadLowWater": a.SetReadLowWater(3), "SetNotSentLowWater": a.SetNotSentLowWater(7000), "SetWindowClamp": a.SetWindowClamp(8000),
		"SetMaxPacingRate": a.SetMaxPacingRate(1e6), "SetUserTimeout": a.SetUserTimeout(time.Minute), "SetFinWait2": a.SetFinWait2(-time.Second),
		"SetCongestionControl": a.SetCongestionControl("reno"),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := a.conn.Config()
	if !c.Cork || c.ReceiveBuffer != 5000 || c.SendBuffer != 6000 || c.ReceiveLowWater != 3 || c.NotSentLowWater != 7000 || c.WindowClamp != 8000 ||
		c.MaxPacingRate != 1e6 || c.UserTimeout != time.Minute || c.FinWait2 >= 0 || c.CongestionControl != "reno" {
		t.Errorf("%+v", c)
	}
	for name, err := range map[string]error{"SetReadBuffer": a.SetReadBuffer(0), "SetUserTimeout": a.SetUserTimeout(-1), "SetWindowClamp": a.SetWindowClamp(-1)} {
		if !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := a.SetCongestionControl("warp"); !errors.Is(err, syscall.ENOENT) {
		t.Error(err)
	}
	// Corked, and read in threes.
	if err := b.SetReadLowWater(3); err != nil {
		t.Fatal(err)
	}
	go func() {
		io.WriteString(a, "ab")
		io.WriteString(a, "c")
		a.SetCork(false)
	}()
	buf := make([]byte, 10)
	if n, err := b.Read(buf); string(buf[:n]) != "abc" || err != nil {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	a.Close()
	if err := a.SetCork(true); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
