package onlink

import (
	"io"
	"net"
	"sync"
)

// ReadFrom writes what r gives, until that ends or there is an error, and returns how much was written: [io.Copy], and net/http for
// files, use it. It reads into a buffer large enough for the largest packets, kept for the next one, and holds no lock meanwhile, so
// that r may block. Errors, r's too, are *net.OpError; the end of r is none. What was read before r fails is written.
func (c *TCPConn) ReadFrom(r io.Reader) (n int64, err error) {
	b := copyBuffers.Get().(*[copyBuffer]byte)
	defer copyBuffers.Put(b)
	for {
		m, rerr := r.Read(b[:])
		if m > 0 {
			w, err := c.conn.Write(b[:m])
			if n += int64(w); err != nil {
				return n, c.err("readfrom", err)
			}
		}
		if rerr == io.EOF {
			return n, nil
		}
		if rerr != nil {
			return n, c.err("readfrom", rerr)
		}
	}
}

// copyBuffer is the octets of a buffer that ReadFrom reads into.
const copyBuffer = 64 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// WriteTo writes what comes to w, until the peer's FIN or an error, and returns how much was written: [io.Copy] uses it. w gets the
// octets where they lie in memory since they came, without a copy, and no lock is held meanwhile, so that w may block. w must not
// keep them. Errors, w's too, are *net.OpError. If w fails, up to 128 KiB are lost that had been taken from the connection.
func (c *TCPConn) WriteTo(w io.Writer) (n int64, err error) {
	n, err = c.conn.WriteTo(w)
	return n, c.err("writeto", err)
}

// WriteBuffers is Write of several slices, one behind the other, which leave in as few packets as if they were one: what a kernel's
// writev does. It returns how many octets were written. v stays as it is. (The WriteTo of [net.Buffers] knows package net's own
// connections alone, and calls Write for each slice of others.)
func (c *TCPConn) WriteBuffers(v net.Buffers) (int64, error) {
	n, err := c.conn.WriteBuffers(v)
	return n, c.err("write", err)
}
