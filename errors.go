package onlink

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// Errors that calls wrap in a *net.OpError. An errno is wrapped in an os.SyscallError as package net does, so
// that errors.Is(err, syscall.ECONNREFUSED) holds as with the kernel.

// opError wraps err as package net would for the operation op ("read", "dial", …) on network. io.EOF and nil
// stay as they are.
func opError(op, network string, source, addr net.Addr, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	_, errno := err.(syscall.Errno)
	switch {
	case errno:
		err = os.NewSyscallError(syscallOf(op), err)
	case errors.Is(err, context.Canceled):
		err = errCanceled{}
	case errors.Is(err, context.DeadlineExceeded):
		err = errTimeout{}
	}
	return &net.OpError{Op: op, Net: network, Source: source, Addr: addr, Err: err}
}

// syscallOf names the system call that would have returned the errno of an operation.
func syscallOf(op string) string {
	switch op {
	case "dial":
		return "connect"
	case "listen":
		return "bind"
	case "set":
		return "setsockopt"
	case "ping":
		return "sendto"
	case "readfrom":
		return "write"
	case "writeto":
		return "read"
	}
	return op // read, write, accept, close
}

// errCanceled is a dial ended by its context, with package net's words.
type errCanceled struct{}

func (errCanceled) Error() string        { return "operation was canceled" }
func (errCanceled) Is(target error) bool { return target == context.Canceled }

// errTimeout is a dial whose context's deadline passed, with package net's words.
type errTimeout struct{}

func (errTimeout) Error() string   { return "i/o timeout" }
func (errTimeout) Timeout() bool   { return true }
func (errTimeout) Temporary() bool { return true }
func (errTimeout) Is(target error) bool {
	return target == context.DeadlineExceeded || target == os.ErrDeadlineExceeded
}
