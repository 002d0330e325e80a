package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// linux are the numbers that Linux on amd64 gives to the errors of sockets. Other systems number them otherwise, and a
// guest is told Linux's.
var linux = [...]struct {
	e syscall.Errno
	n int
}{
	{syscall.EPERM, 1}, {syscall.ENOENT, 2}, {syscall.EINTR, 4}, {syscall.EBADF, 9}, {syscall.EAGAIN, 11},
	{syscall.ENOMEM, 12}, {syscall.EACCES, 13}, {syscall.EFAULT, 14}, {syscall.EEXIST, 17}, {syscall.ENODEV, 19},
	{syscall.EINVAL, 22}, {syscall.EMFILE, 24}, {syscall.ENOTTY, 25}, {syscall.ESPIPE, 29}, {syscall.EPIPE, 32},
	{syscall.EDOM, 33}, {syscall.ERANGE, 34}, {syscall.ENOSYS, 38}, {syscall.ELOOP, 40}, {syscall.ENOMSG, 42},
	{syscall.EBUSY, 16}, {syscall.ENOTDIR, 20}, {syscall.EISDIR, 21}, {syscall.EPROTO, 71}, {syscall.ENOTSOCK, 88}, {syscall.EDESTADDRREQ, 89},
	{syscall.EMSGSIZE, 90}, {syscall.EPROTOTYPE, 91}, {syscall.ENOPROTOOPT, 92}, {syscall.EPROTONOSUPPORT, 93},
	{syscall.ESOCKTNOSUPPORT, 94}, {syscall.EOPNOTSUPP, 95}, {syscall.EPFNOSUPPORT, 96}, {syscall.EAFNOSUPPORT, 97},
	{syscall.EADDRINUSE, 98}, {syscall.EADDRNOTAVAIL, 99}, {syscall.ENETDOWN, 100}, {syscall.ENETUNREACH, 101},
	{syscall.ENETRESET, 102}, {syscall.ECONNABORTED, 103}, {syscall.ECONNRESET, 104}, {syscall.ENOBUFS, 105},
	{syscall.EISCONN, 106}, {syscall.ENOTCONN, 107}, {syscall.ESHUTDOWN, 108}, {syscall.ETIMEDOUT, 110},
	{syscall.ECONNREFUSED, 111}, {syscall.EHOSTDOWN, 112}, {syscall.EHOSTUNREACH, 113}, {syscall.EALREADY, 114},
	{syscall.EINPROGRESS, 115},
}

// Errno returns the number that Linux gives to err, which a method of a Table returned; 0 for nil.
func Errno(err error) int {
	if err == nil {
		return 0
	}
	e := errno(err)
	for i := range linux {
		if linux[i].e == e {
			return linux[i].n
		}
	}
	return 22 // EINVAL: no method returns others
}

// errno returns the errno that stands for an error of the layers below.
func errno(err error) syscall.Errno {
	if e, ok := err.(syscall.Errno); ok {
		return e
	}
	var e syscall.Errno
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, net.ErrClosed):
		return syscall.ECONNABORTED // the stack is closing
	case errors.Is(err, os.ErrDeadlineExceeded):
		return syscall.EAGAIN
	case errors.Is(err, io.EOF):
		return 0
	}
	return syscall.EINVAL
}
