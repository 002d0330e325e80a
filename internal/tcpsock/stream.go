package tcpsock

import (
	"io"
	"net"

	"github.com/onlink-go/onlink/internal/tcp"
)

// mostMoved is how many octets WriteTo takes out of the receive buffer at once.
const mostMoved = 128 << 10

// buffersWriter takes many slices at once.
type buffersWriter interface {
	WriteBuffers(v net.Buffers) (int64, error)
}

// WriteTo writes what comes to w, from where it lies in memory and without a lock held, until the peer's FIN or an error, which
// is Read's or w's. It returns how many octets w has written, which may be 128 KiB less than were taken from the connection.
func (c *Conn) WriteTo(w io.Writer) (written int64, err error) {
	var parts tcp.Parts
	defer parts.Free()
	var v [tcp.MostParts][]byte
	for {
		if err := c.receive(&parts); err == io.EOF {
			return written, nil
		} else if err != nil {
			return written, err
		}
		n, err := writeAll(w, parts.Append(v[:0]))
		if written += n; err != nil {
			return written, err
		}
		parts.Free()
	}
}

// receive waits for octets and moves some into parts, which is empty. Its errors are Read's.
func (c *Conn) receive(parts *tcp.Parts) error {
	c.sh.Lock()
	defer c.sh.Unlock()
	for {
		if err := c.awaitReadable(mostMoved); err != nil {
			return err
		}
		now := c.layer.rt.Now()
		n, err := c.tcb.ReceiveAny(now, parts, mostMoved)
		if n > 0 {
			c.afterRead(now)
			return nil
		}
		if err != nil {
			return err
		}
		c.waitToRead()
	}
}

// writeAll writes the slices of v to w, at once if w takes them so.
func writeAll(w io.Writer, v net.Buffers) (written int64, err error) {
	if to, ok := w.(buffersWriter); ok && len(v) > 1 {
		return to.WriteBuffers(v)
	}
	for _, b := range v {
		n, err := w.Write(b)
		if n < 0 || n > len(b) {
			n = 0 // as io.Copy does
		}
		written += int64(n)
		if err == nil && n < len(b) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return written, err
		}
	}
	return written, nil
}
