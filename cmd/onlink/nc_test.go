package main

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestNc(t *testing.T) {
	random := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{}).Read(random)
	for _, row := range []struct {
		line     string
		in       string
		code     int
		out, err string
	}{
		{"-N server.lab 7", "hello\nworld\n", 0, "hello\nworld\n", ""},
		{"-N -v -4 -n 198.51.100.2 7", string(random), 0, string(random), "Connection to 198.51.100.2 7 port [tcp/*] succeeded!\n"},
		{"-q 1 -6 server.lab 7", "x", 0, "x", ""},
		{"-w 2 server.lab 7", "x", 0, "x", ""},
		{"-u -w 2 server.lab 7", "x", 0, "x", ""},
		{"-u -q 1 -s 192.0.2.2 -p 999 198.51.100.2 7", "x", 0, "x", ""},
		{"-d -w 1 server.lab 7", "x", 0, "", ""},
		{"-u server.lab 8", "x", 1, "", "onlink: nc: destination unreachable: port, says 2001:db8:2::2\n"},
		{"-4 server.lab 8", "", 1, "", "nc: connect to server.lab port 8 (tcp) failed: connect: connection refused\n"},
		{"-z server.lab 1-8", "", 0, "", ""},
		{"-z server.lab 8", "", 1, "", ""},
		{"-z -v -4 server.lab 7-8", "", 0, "", "Connection to server.lab 7 port [tcp/*] succeeded!\n" +
			"nc: connect to server.lab port 8 (tcp) failed: connect: connection refused\n"},
		{"-z -u -v -4 server.lab 8-7", "", 0, "", "Connection to server.lab 7 port [udp/*] succeeded!\n" +
			"nc: connect to server.lab port 8 (udp) failed: destination unreachable: port, says 198.51.100.2\n"},
	} {
		code, out, errs := calling(t.Context(), strings.NewReader(row.in), strings.Fields("nc --node client "+row.line)...)
		if code != row.code || out != row.out || errs != row.err {
			t.Errorf("%s: exit code %d, printed %.100q, %q", row.line, code, out, errs)
		}
	}
}

func TestNcRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"": "which host", "x": "which host", "x 1 2": "which host", "x 0": `"0"`, "x 1-65536": `"65536"`, "x http": `"http"`, "-l": "which port", "-l 1-3": "one port",
		"-k x 1": "-k", "-z -l 1": "-z and -l", "-n x 1": "not an address", "-w NaN x 1": "-w NaN", "-4 -6 ::1 1": "one of them", "-p 0 x 1": `"0"`,
	} {
		code, out, errs := called(t, "nc --node client "+line)
		if code != 2 || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, printed %q, %q", line, code, out, errs)
		}
	}
}

// Over the control socket, two commands talk to each other through a host, by TCP and UDP.
func TestNcListens(t *testing.T) {
	_, path := newControlled(t)
	data := strings.Repeat("0123456789", 50_000)
	for _, row := range []struct{ server, client, there string }{
		{"-N -l 7000", "-N 127.0.0.1 7000", data}, {"-6 -N -l ::1 7001", "-N ::1 7001", data}, {"-u -l -p 7002 -w 1", "-u -w 1 127.0.0.1 7002", "datagram"},
	} {
		said, done := make(teller, 9), make(chan string)
		go func() {
			var out bytes.Buffer
			(&invocation{strings.Fields("nc -v --socket " + path + " " + row.server), strings.NewReader("back"), &out, said}).run(t.Context())
			done <- out.String()
		}()
		if line := <-said; !strings.Contains(line, "on ") {
			t.Errorf("%s: %s", row.server, line)
		}
		code, out, errs := calling(t.Context(), strings.NewReader(row.there), strings.Fields("nc --socket "+path+" "+row.client)...)
		if got := <-done; code != 0 || errs != "" || got != row.there || out != "back" {
			t.Errorf("%s: exit code %d, %s; %d octets there, %q back", row.client, code, errs, len(got), out)
		}
	}
}

// With -k, one listens to several, until it is interrupted.
func TestNcListensOn(t *testing.T) {
	_, path := newControlled(t)
	ctx, cancel := context.WithCancel(t.Context())
	said, heard, done := make(teller, 9), make(teller, 9), make(chan int)
	go func() {
		done <- (&invocation{strings.Fields("nc -v -d -k -l 7003 --socket " + path), strings.NewReader(""), heard, said}).run(ctx)
	}()
	<-said
	for _, text := range []string{"one", "two", "three"} {
		if code, _, errs := calling(t.Context(), strings.NewReader(text), strings.Fields("nc -q 0 127.0.0.1 7003 --socket "+path)...); code != 0 {
			t.Error(code, errs)
		}
		if got := <-heard; got != text {
			t.Errorf("heard %q, want %q", got, text)
		}
	}
	cancel()
	if code := <-done; code != 1 {
		t.Errorf("exit code %d after an interrupt", code)
	}
}

// teller sends on what is written.
type teller chan string

// Write sends b on.
func (c teller) Write(b []byte) (int, error) {
	c <- string(b)
	return len(b), nil
}
