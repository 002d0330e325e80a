package onlink_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/mem"
)

// noise returns n octets that are the same for the same seed.
func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// checkOp checks that err is a *net.OpError of op that unwraps to want.
func checkOp(t *testing.T, err error, op string, want error) {
	t.Helper()
	wantErr(t, err, want)
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op != op {
		t.Errorf("%v is of %s, want %s", err, e.Op, op)
	}
}

// What goes through a proxy, from one connection to another by io.Copy, comes out as it went in, end included; the other half goes on.
func TestCopyBetweenConnections(t *testing.T) {
	eachFamily(t, func(t *testing.T, host string) {
		client, server := newPair(t, nil)
		in, proxyIn := connect(t, client, server, host)
		proxyOut, out := connect(t, client, server, host)
		const octets = 3<<20 + 17
		sent := noise(1, octets)
		go func() {
			r := rand.New(rand.NewPCG(2, 2))
			for rest := sent; len(rest) > 0; {
				n, err := in.Write(rest[:min(len(rest), 1+r.IntN(200_000)/(1+r.IntN(1000)))])
				if err != nil {
					t.Error(err)
					return
				}
				rest = rest[n:]
			}
			in.CloseWrite()
		}()
		go func() {
			if n, err := io.Copy(proxyOut, proxyIn); n != octets || err != nil {
				t.Errorf("copied %d octets, %v", n, err)
			}
			proxyOut.CloseWrite()
		}()
		got, err := io.ReadAll(out)
		if err != nil || sha256.Sum256(got) != sha256.Sum256(sent) {
			t.Errorf("%d octets came out, not the %d that went in; %v", len(got), octets, err)
		}
		if _, err := out.Write([]byte("answer")); err != nil {
			t.Error(err)
		}
		b := make([]byte, 6)
		if _, err := io.ReadFull(proxyOut, b); err != nil || string(b) != "answer" {
			t.Errorf("%q, %v", b, err)
		}
	})
}

// failing fails after some octets, in parts.
type failing struct {
	left int
	err  error
}

func (f *failing) Read(b []byte) (int, error) {
	n := min(f.left, len(b), 1000)
	if f.left -= n; n == 0 {
		return 0, f.err
	}
	return n, nil
}

func (f *failing) Write(b []byte) (int, error) {
	n := min(f.left, len(b))
	if f.left -= n; n < len(b) {
		return n, f.err
	}
	return n, nil
}

func TestCopyFails(t *testing.T) {
	broken := errors.New("broken")
	t.Run("source", func(t *testing.T) {
		client, server := newPair(t, nil)
		c, s := connect(t, client, server, server4)
		n, err := c.ReadFrom(&failing{12_345, broken})
		if n != 12_345 {
			t.Errorf("%d octets", n)
		}
		checkOp(t, err, "readfrom", broken)
		c.CloseWrite()
		if n, err := io.Copy(io.Discard, s); n != 12_345 || err != nil {
			t.Errorf("%d octets came, %v", n, err)
		}
	})
	t.Run("destination", func(t *testing.T) {
		client, server := newPair(t, nil)
		c, s := connect(t, client, server, server4)
		go func() {
			s.Write(make([]byte, 50_000))
			s.Close()
		}()
		n, err := c.WriteTo(&failing{12_345, broken})
		if n != 12_345 {
			t.Errorf("%d octets", n)
		}
		checkOp(t, err, "writeto", broken)
	})
	t.Run("short", func(t *testing.T) {
		client, server := newPair(t, nil)
		c, s := connect(t, client, server, server4)
		s.Write(make([]byte, 5000))
		n, err := c.WriteTo(&failing{1000, nil})
		if n != 1000 {
			t.Errorf("%d octets", n)
		}
		checkOp(t, err, "writeto", io.ErrShortWrite)
	})
	t.Run("peer", func(t *testing.T) {
		client, server := newPair(t, nil)
		c, s := connect(t, client, server, server4)
		s.SetLinger(0)
		s.Close()
		_, err := c.WriteTo(io.Discard)
		checkOp(t, err, "writeto", syscall.ECONNRESET)
		_, err = c.ReadFrom(&failing{10, io.EOF})
		checkOp(t, err, "readfrom", syscall.ECONNRESET)
	})
	t.Run("closed", func(t *testing.T) {
		client, server := newPair(t, nil)
		c, _ := connect(t, client, server, server4)
		c.Close()
		_, err := c.WriteTo(io.Discard)
		checkOp(t, err, "writeto", net.ErrClosed)
		_, err = c.ReadFrom(&failing{10, io.EOF})
		checkOp(t, err, "readfrom", net.ErrClosed)
		if n, err := c.ReadFrom(bytes.NewReader(nil)); n != 0 || err != nil {
			t.Errorf("from nothing: %d, %v", n, err)
		}
		_, err = c.WriteBuffers(net.Buffers{{1}})
		checkOp(t, err, "write", net.ErrClosed)
	})
}

// Deadlines hold while a copy waits, for the source and for room, and what was written until then is counted.
func TestCopyDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newPair(t, nil)
		c, s := connect(t, client, server, server4)
		began := time.Now()
		s.Write(make([]byte, 100))
		c.SetReadDeadline(began.Add(time.Second))
		n, err := c.WriteTo(io.Discard)
		if n != 100 || time.Since(began) != time.Second {
			t.Errorf("%d octets, after %v", n, time.Since(began))
		}
		checkOp(t, err, "writeto", os.ErrDeadlineExceeded)

		c.SetWriteDeadline(began.Add(3 * time.Second))
		sent, err := c.ReadFrom(endless{})
		if sent < 64<<10 || time.Since(began) != 3*time.Second {
			t.Errorf("%d octets, after %v", sent, time.Since(began))
		}
		checkOp(t, err, "readfrom", os.ErrDeadlineExceeded)
		c.Close()
		if got, err := io.Copy(io.Discard, s); got != sent || err != nil {
			t.Errorf("%d octets came of %d, %v", got, sent, err)
		}
		s.Close()
	})
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// A source or a destination that blocks keeps nobody waiting: neither the connection's other half nor other connections.
func TestCopyHoldsNoLock(t *testing.T) {
	a, b := mem.Pair(mem.Config{})
	client, server := newStack(t, onlink.Config{Shards: 1}), newStack(t, onlink.Config{Shards: 1})
	addLink(t, client, a, clientAddrs)
	addLink(t, server, b, serverAddrs)
	c, s := connect(t, client, server, server4)
	other, peer := connect(t, client, server, server4)
	source, feed := io.Pipe()
	drain, sink := io.Pipe()
	done := make(chan struct{}, 2)
	go func() {
		if n, err := c.ReadFrom(source); n != 4 || err != nil {
			t.Errorf("read from the source: %d, %v", n, err)
		}
		done <- struct{}{}
	}()
	go func() {
		if n, err := c.WriteTo(sink); n != 5 || err != nil {
			t.Errorf("written to the sink: %d, %v", n, err)
		}
		done <- struct{}{}
	}()
	s.Write([]byte("hello")) // and nobody drains
	word := make([]byte, 5)
	for range 3 {
		if _, err := other.Write([]byte("other")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(peer, word); err != nil || string(word) != "other" {
			t.Fatalf("%q, %v", word, err)
		}
	}
	feed.Write([]byte("feed"))
	feed.Close()
	if _, err := io.ReadFull(s, word[:4]); err != nil || string(word[:4]) != "feed" {
		t.Errorf("%q, %v", word[:4], err)
	}
	if _, err := io.ReadFull(drain, word); err != nil || string(word) != "hello" {
		t.Errorf("%q, %v", word, err)
	}
	s.Close()
	<-done
	<-done
}

// Slices written together leave in one segment, and none of what they hold is lost or mixed.
func TestWriteBuffers(t *testing.T) {
	client, server := newPair(t, nil)
	c, s := connect(t, client, server, server4)
	before := c.Info().DataSegmentsOut
	want := []byte("several slices are one segment")
	var v net.Buffers
	for _, word := range bytes.SplitAfter(want, []byte(" ")) {
		v = append(v, word, nil)
	}
	if n, err := c.WriteBuffers(v); n != int64(len(want)) || err != nil {
		t.Errorf("%d octets, %v", n, err)
	}
	if n := c.Info().DataSegmentsOut - before; n != 1 {
		t.Errorf("%d segments", n)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	if n, err := c.WriteBuffers(nil); n != 0 || err != nil {
		t.Errorf("of nothing: %d, %v", n, err)
	}
	long := noise(3, 1<<20)
	v = v[:0]
	for rest, n := long, 1; len(rest) > 0; n = n*3%70_001 + 1 {
		n = min(n, len(rest))
		v, rest = append(v, rest[:n]), rest[n:]
	}
	go func() {
		if n, err := c.WriteBuffers(v); n != 1<<20 || err != nil {
			t.Errorf("%d octets, %v", n, err)
		}
		c.Close()
	}()
	if all, err := io.ReadAll(s); err != nil || !bytes.Equal(all, long) {
		t.Errorf("%d octets came, %v", len(all), err)
	}
}

// net/http serves a file over a connection, ranges of it too.
func TestHTTPFile(t *testing.T) {
	client, server := newPair(t, nil)
	name := filepath.Join(t.TempDir(), "file")
	want := noise(4, 1<<20+1)
	if err := os.WriteFile(name, want, 0o600); err != nil {
		t.Fatal(err)
	}
	get := fileServer(t, client, server, name)
	for ranges, want := range map[string][]byte{"": want, "bytes=1000-70000": want[1000:70001]} {
		answer := get(ranges)
		if got, err := io.ReadAll(answer.Body); err != nil || !bytes.Equal(got, want) {
			t.Errorf("range %q: %d octets, not what is in the file; %v", ranges, len(got), err)
		}
		answer.Body.Close()
	}
}

// fileServer serves a file on server, and returns what asks for it from client.
func fileServer(t testing.TB, client, server *onlink.Stack, name string) (get func(ranges string) *http.Response) {
	ln, err := server.Listen(t.Context(), "tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) })}
	go s.Serve(ln)
	transport := &http.Transport{DialContext: client.DialContext}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		s.Close()
	})
	return func(ranges string) *http.Response {
		r, err := http.NewRequest("GET", "http://"+server4+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if ranges != "" {
			r.Header.Set("Range", ranges)
		}
		answer, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}
