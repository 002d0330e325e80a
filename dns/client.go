package dns

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// Payload is the octets of the largest response that is asked for over UDP: what fits the least link MTU of IPv6 (RFC 6891, 6.2.5:
// "a fallback around the range of 1280-1410 bytes SHOULD be tried, as it has a reasonable chance to fit within a single Ethernet
// frame"), headers taken away. A larger one comes over TCP.
const Payload = 1232

// maxMessage is the octets of the largest message there can be.
const maxMessage = 65535

// buffers are where responses are received.
var buffers = sync.Pool{New: func() any { return new([maxMessage]byte) }}

// headerLen is the octets of a message's header (RFC 1035, 4.1.1).
const headerLen = 12

// Client asks one server one thing.
type Client struct {
	Runtime clock.Runtime
	// Dial connects to a server's address on network "udp" or "tcp"; see Config.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout is how long the answer is waited for; 0: until the context ends.
	Timeout time.Duration
}

// Exchange sends query, a message, to a server on network "udp" or "tcp", and returns the response: the first message that has the
// query's identifier and question, or that has its identifier, no question, and tells of an error. Over UDP all others are passed
// over. Errors: those of Dial and of the connection; os.ErrDeadlineExceeded after Timeout; ctx's.
func (c *Client) Exchange(ctx context.Context, network string, server netip.AddrPort, query []byte) ([]byte, error) {
	if len(query) < headerLen || len(query) > maxMessage {
		return nil, errors.New("dns: the query is no message")
	}
	whole := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if c.Timeout > 0 {
		timer := c.Runtime.NewTimer(func(clock.Instant) { cancel() })
		timer.Reset(c.Runtime.Now().Add(c.Timeout))
		defer timer.Stop()
	}
	response, err := c.exchange(ctx, network, server, query)
	switch {
	case err == nil:
		return response, nil
	case whole.Err() != nil:
		return nil, whole.Err()
	case ctx.Err() != nil:
		return nil, os.ErrDeadlineExceeded
	}
	return nil, err
}

func (c *Client) exchange(ctx context.Context, network string, server netip.AddrPort, query []byte) ([]byte, error) {
	conn, err := c.Dial(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer c.Runtime.AfterDone(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	if network == "tcp" {
		return exchangeStream(conn, query)
	}
	if _, err := conn.Write(query); err != nil {
		return nil, err
	}
	b := buffers.Get().(*[maxMessage]byte)
	defer buffers.Put(b)
	for {
		n, err := conn.Read(b[:])
		if err != nil {
			return nil, err
		}
		// RFC 5452, 9.1: what does not match is not the response, which may still come.
		if answers(b[:n], query) {
			return bytes.Clone(b[:n]), nil
		}
	}
}

// exchangeStream exchanges messages over TCP. RFC 1035, 4.2.2: "The message is prefixed with a two byte length field which gives
// the message length, excluding the two byte length field."
func exchangeStream(conn net.Conn, query []byte) ([]byte, error) {
	// RFC 7766, 8: both in one write, so that they go in one segment.
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
		return nil, err
	}
	b, err := readStream(conn)
	if err == nil && !answers(b, query) {
		err = errNotAnswer
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

var errNotAnswer = errors.New("the response is not to the query")

// readStream reads a message from TCP. Errors: io.EOF if the stream ended before one began.
func readStream(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(r, b); err == io.EOF {
		return nil, io.ErrUnexpectedEOF
	} else if err != nil {
		return nil, err
	}
	return b, nil
}

// The header, as far as it is looked at here (RFC 1035, 4.1.1):
//
//	                                1  1  1  1  1  1
//	  0  1  2  3  4  5  6  7  8  9  0  1  2  3  4  5
//	+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//	|                      ID                       |
//	+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//	|QR|   Opcode  |AA|TC|RD|RA|   Z    |   RCODE   |
//	+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//	|                    QDCOUNT                    |
//	+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
const (
	flagsAt     = 2
	questionsAt = 4
	isResponse  = 1 << 15
	opcodeMask  = 15 << 11
	truncated   = 1 << 9
	rcodeMask   = 15
)

// answers reports whether b is a response to query.
//
// RFC 1035, 7.3: "do a preliminary matching using the ID field in the domain header, and then to verify that the question section
// corresponds to the information currently desired".
func answers(b, query []byte) bool {
	if len(b) < headerLen || b[0] != query[0] || b[1] != query[1] {
		return false
	}
	flags := binary.BigEndian.Uint16(b[flagsAt:])
	if flags&isResponse == 0 || flags&opcodeMask != binary.BigEndian.Uint16(query[flagsAt:])&opcodeMask {
		return false
	}
	n := binary.BigEndian.Uint16(b[questionsAt:])
	if n == 0 && flags&rcodeMask != 0 {
		return true // a server that could not read the query need not repeat it
	}
	asked, ok := questionsOf(query)
	said, also := questionsOf(b)
	return ok && also && n == binary.BigEndian.Uint16(query[questionsAt:]) && said == asked
}

// questionsOf returns the question section of b, with names in lower case. They must not be compressed: what they could point to
// comes after them.
func questionsOf(b []byte) (section string, ok bool) {
	at, done := headerLen, headerLen
	for range binary.BigEndian.Uint16(b[questionsAt:]) {
		for at < len(b) && b[at] != 0 {
			if b[at] > 63 {
				return "", false
			}
			at += 1 + int(b[at])
		}
		end := at + 1 + 4 // the root, type and class
		if end > len(b) {
			return "", false
		}
		section += lower(string(b[done:at])) + string(b[at:end])
		at, done = end, end
	}
	return section, true
}
