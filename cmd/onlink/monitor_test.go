package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/onlink-go/onlink"
)

// A monitor tells each change as it comes, and ends without a fault when it is interrupted.
func TestMonitor(t *testing.T) {
	_, path := newSteered(t)
	for _, x := range []struct {
		line         string
		change, undo string
		want         []string
	}{
		{"monitor", "addr add 10.0.0.1/8 dev eth1", "addr del 10.0.0.1/8 dev eth1",
			[]string{"eth1 inet 10.0.0.1/8 scope global", "10.0.0.0/8 dev eth1 proto kernel scope link", "Deleted 10.0.0.0/8 dev eth1"}},
		{"-j monitor link neigh", "neigh add 192.0.2.5 lladdr 02:00:00:00:00:05 dev eth0", "neigh del 192.0.2.5 dev eth0",
			[]string{`{"event":"added","object":"neigh","on":"eth0","is":{"dst":"192.0.2.5"`}},
		{"-t rule monitor", "rule add from 10.0.0.0/8 table 7 pref 9", "rule del pref 9", []string{"] 9: from 10.0.0.0/8 lookup 7"}},
		{"monitor maddr", "maddr add ff05::db8:5 dev eth0", "maddr del ff05::db8:5 dev eth0", []string{"ff05::db8:5 users 1 MLDv2"}},
		{"-j policy monitor", "policy del ::1/128", "policy default", []string{`{"event":"removed","object":"policy","is":{"address":"::1"`}},
		{"-j link monitor", "link set eth1 down", "link set eth1 up", []string{`{"event":"changed","object":"link","on":"eth1","is":{"ifindex":3`}},
		{"-j -t route monitor", "route add 10.0.0.0/8 dev eth1", "route del 10.0.0.0/8", []string{`"timestamp":"20`}},
		{"-j addr monitor", "addr add 10.0.0.1/8 dev eth1", "addr del 10.0.0.1/8 dev eth1", []string{`"is":{"family":"inet","local":"10.0.0.1"`}},
		{"-j monitor all", "maddr add ff05::db8:5 dev eth0", "maddr del ff05::db8:5 dev eth0", []string{`"is":{"family":"inet6","address":"ff05::db8:5","users":1`}},
	} {
		ctx, interrupt := context.WithCancel(t.Context())
		r, w := io.Pipe()
		var errs strings.Builder
		code := 0
		var all sync.WaitGroup
		all.Go(func() {
			code = (&invocation{append(strings.Fields(x.line), "--socket", path), strings.NewReader(""), w, &errs}).run(ctx)
			w.Close()
		})
		all.Go(func() { // nobody can tell from outside when it has begun
			for ctx.Err() == nil {
				steer(t, path, []step{{x.change, ""}, {x.undo, ""}})
			}
		})
		got := readUntil(t, r, x.want)
		interrupt()
		io.Copy(io.Discard, r) // what else there was to tell
		all.Wait()
		if code != 0 || errs.Len() > 0 {
			t.Errorf("%s: exit code %d, %s", x.line, code, &errs)
		}
		lines := strings.Split(got, "\n")
		for _, line := range lines[:len(lines)-1] {
			if strings.HasPrefix(x.line, "-j") && !json.Valid([]byte(line)) {
				t.Errorf("%s: not JSON: %s", x.line, line)
			}
		}
	}
}

// readUntil reads until all that is wanted has come.
func readUntil(t *testing.T, r io.Reader, want []string) (got string) {
	t.Helper()
	b := make([]byte, 4096)
	for _, w := range want {
		for !strings.Contains(got, w) {
			n, err := r.Read(b)
			if got += string(b[:n]); err != nil {
				t.Fatalf("no %q in %q: %v", w, got, err)
			}
		}
	}
	return got
}

// What a verb reads is asked for piece by piece; the input's end, and the client's, are noticed.
func TestRemoteInput(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	in := newRemoteInput(ctx, &frameWriter{w: server})
	interrupted := make(chan struct{})
	received := make(chan struct{})
	go func() {
		in.receive(server, func() { close(interrupted) })
		close(received)
	}()
	frames := &frameWriter{w: client}
	pieces := []string{"one ", "two", ""}
	go func() {
		for _, p := range pieces {
			if kind, _, err := readFrame(client); kind != frameWant || err != nil {
				t.Errorf("%q, %v", kind, err)
			}
			frames.write(frameInput, []byte(p))
		}
		frames.write(frameInterrupt, nil)
	}()
	if b, err := io.ReadAll(in); string(b) != "one two" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if n, err := in.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after the end: %d, %v", n, err)
	}
	<-interrupted
	frames.write(frameInput, []byte("not"))
	frames.write(frameInput, []byte("asked for"))
	<-received // it is not listened to any more
	server.Close()

	// Who waits for input that does not come is woken by the end.
	silent, server := net.Pipe()
	go io.Copy(io.Discard, silent)
	ctx, cancel = context.WithCancel(t.Context())
	in = newRemoteInput(ctx, &frameWriter{w: server})
	cancel()
	if _, err := in.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// Neither a client that asks for nothing nor one that does not read keeps a host from going down.
func TestControlIdleClients(t *testing.T) {
	s, path := newSteered(t)
	silent, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	deaf, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	if err := (&frameWriter{w: deaf}).write(frameArgs, []byte(`{"args":["monitor"]}`)); err != nil {
		t.Fatal(err)
	}
	for i := range 2000 { // more than the socket's buffers take
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
		if err := s.AddRoute(onlink.Route{Prefix: p, Interface: "eth1"}); err != nil {
			t.Fatal(err)
		}
	}
	// That the control server ends is seen when the test does.
}

// A client that speaks otherwise than ours is left, and harms nobody.
func TestControlStrangers(t *testing.T) {
	_, path := newControlled(t)
	for _, said := range []string{"", "GET / HTTP/1.1\r\n\r\n", "a\x00\x00\x00\x02[]", "a\xff\xff\xff\xff", "o\x00\x00\x00\x00",
		"a\x00\x00\x00\x0c{\"args\":[1]}", "a\x00\x00\x00\x10{\"args\":[\"addr\""} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, said)
		conn.(*net.UnixConn).CloseWrite()
		io.Copy(io.Discard, conn)
		conn.Close()
	}
	if code, out, errs := called(t, "addr --socket "+path); code != 0 || !strings.Contains(out, "lo:") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	// What is no command for a running host is refused there, too; help is not worth a failure.
	for line, want := range map[string]string{"up --tap x": "up is not a command for a running host", "addr --help": "", "": "expected one of"} {
		var out, errs strings.Builder
		err := control(t.Context(), path, &invocation{strings.Fields(line), strings.NewReader(""), &out, &errs})
		if status, _ := errors.AsType[exitStatus](err); want != "" && (int(status) != exitUsage || !strings.Contains(errs.String(), want)) || want == "" && err != nil {
			t.Errorf("%s: %v, %q, %q", line, err, &out, &errs)
		}
	}
}
