package main

import (
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// Nobody to read the output is how a pipe ends; a connection that nobody reads is an error.
func TestBrokenPipe(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		said bool
	}{
		{&fs.PathError{Op: "write", Path: os.Stdout.Name(), Err: syscall.EPIPE}, 0, false},
		{&fs.PathError{Op: "write", Path: os.Stdout.Name(), Err: syscall.ENOSPC}, exitFailed, true},
		{&net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPIPE)}, exitFailed, true},
	} {
		var out, errs strings.Builder
		i := &invocation{nil, strings.NewReader(""), &out, &errs}
		if code := i.finish(c.err); code != c.code || (errs.Len() > 0) != c.said || out.Len() > 0 {
			t.Errorf("%v: exit code %d, %q", c.err, code, errs.String())
		}
	}
}
