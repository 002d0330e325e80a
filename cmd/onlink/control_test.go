package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink"
)

// newControlled makes a stack and a control socket for it, and returns the socket's path.
func newControlled(t *testing.T) (*onlink.Stack, string) {
	t.Helper()
	s, err := onlink.New(onlink.Config{})
	if err != nil {
		t.Fatal(err)
	}
	socket, err := listenControlAt(filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	c := serveControl(s, socket)
	t.Cleanup(func() {
		if err := errors.Join(c.close(), s.Close(context.Background())); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(socket.path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the socket is still there: %v", err)
		}
	})
	return s, socket.path
}

// calling runs the program with the given arguments and input.
func calling(ctx context.Context, input io.Reader, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = (&invocation{args, input, &o, &e}).run(ctx)
	return code, o.String(), e.String()
}

// called is calling with words in one string.
func called(t *testing.T, line string, more ...string) (code int, out, errs string) {
	t.Helper()
	return calling(t.Context(), strings.NewReader(""), append(strings.Fields(line), more...)...)
}

func TestDeviceOf(t *testing.T) {
	for path, want := range map[string]string{"/run/onlink/tap0.sock": "tap0", "tap0:1234.sock": "tap0", "/x/tap0.5.sock": "tap0.5", "tap0": "",
		"/x/.new-123": "", ".sock": ""} {
		if got := deviceOf(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// A verb sees the stack of the host whose socket it is given, or of a node of the lab.
func TestTarget(t *testing.T) {
	_, path := newControlled(t)
	for _, row := range []struct{ line, want string }{
		{"addr --socket " + path, "inet 127.0.0.1/8"},
		{"route show --socket " + path, "127.0.0.0/8 dev lo"},
		{"addr --node server", "inet6 2001:db8:2::2/64"},
		{"route --node router", "198.51.100.0/24 dev wan"},
	} {
		code, out, errs := called(t, row.line)
		if code != 0 || errs != "" || !strings.Contains(out, row.want) {
			t.Errorf("%s: exit code %d, %q, %q", row.line, code, out, errs)
		}
	}
}

// What is wrong with a target is told in one line.
func TestTargetErrors(t *testing.T) {
	dir := t.TempDir()
	file, stale := filepath.Join(dir, "file"), filepath.Join(dir, "stale")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	ln.SetUnlinkOnClose(false)
	ln.Close()
	t.Setenv("XDG_RUNTIME_DIR", dir)
	for _, row := range []struct {
		line string
		code int
		want string
	}{
		{"addr --socket " + dir + "/none", exitFailed, "there is no control socket"},
		{"addr --socket " + stale, exitFailed, "nobody listens"},
		{"addr --socket " + file, exitFailed, file},
		{"addr --socket nosuch0", exitFailed, "no onlink up on nosuch0 found"},
		{"addr --node nobody", exitUsage, "client, router, server"},
		{"addr --node client --socket x", exitUsage, "one host"},
		{"addr --nosuch", exitUsage, "--nosuch"},
		{"up --tap nosuch0 --control x --no-control", exitUsage, "contradict"},
		{"dig x --addr 10.0.0.1/8", exitUsage, "needs --tap NAME, --tun NAME or --dev NAME"},
		{"dig x --tap nosuch0 --node client", exitUsage, "do not go with --socket and --node"},
	} {
		code, out, errs := called(t, row.line)
		if code != row.code || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, row.want) {
			t.Errorf("%s: exit code %d, %q, %q, want %d, %q", row.line, code, out, errs, row.code, row.want)
		}
	}
}

// A control socket is its owner's only, in a folder that is too; one that nobody listens to is replaced, one of a running host is
// not, nor is what is no socket.
func TestControlSocket(t *testing.T) {
	run := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", run)
	s, err := listenControl("tap0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for path, want := range map[string]fs.FileMode{filepath.Join(run, "onlink"): fs.ModeDir | 0o700, s.path: fs.ModeSocket | 0o600} {
		if fi, err := os.Lstat(path); err != nil || fi.Mode() != want {
			t.Errorf("%s: %v, %v", path, fi.Mode(), err)
		}
	}
	if _, err := listenControlAt(s.path); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), s.path) {
		t.Errorf("a socket in use: %v", err)
	}
	// A host in another namespace may have a device of this name.
	other, err := listenControl("tap0")
	if err != nil || other.path == s.path || deviceOf(other.path) != "tap0" {
		t.Fatal(other, err)
	}
	if err := other.close(); err != nil {
		t.Error(err)
	}
	s.UnixListener.Close() // as if the process had died
	again, err := listenControl("tap0")
	if err != nil || again.path != s.path {
		t.Fatal(again, err)
	}
	if err := s.close(); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if _, err := os.Lstat(again.path); err != nil {
		t.Errorf("the dead host has removed the living one's socket: %v", err)
	}
	if err := again.close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Join(run, "onlink")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}

	file := filepath.Join(run, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listenControlAt(file); !errors.Is(err, syscall.EEXIST) {
		t.Errorf("a file in the way: %v", err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "x" {
		t.Errorf("the file has become %q, %v", b, err)
	}
	if _, err := listenControlAt(filepath.Join(run, "no", "s")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := listenControlAt(filepath.Join(run, strings.Repeat("x", 120))); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("a long path: %v", err)
	}
	if err := os.Chmod(filepath.Join(run, "onlink"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := privateDir(filepath.Join(run, "onlink")); err == nil || !strings.Contains(err.Error(), "0700") {
		t.Errorf("a folder for all: %v", err)
	}
	if err := privateDir(filepath.Join(file, "onlink")); err == nil {
		t.Error("a folder in a file")
	}
}
