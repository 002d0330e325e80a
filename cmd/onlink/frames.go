package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// The control protocol: frames of a kind (1 octet), a length (4 octets, big-endian) and as many octets of data, both ways on a
// UNIX stream socket. The client begins with frameArgs. The server answers with frameOut and frameErr as there is something to tell,
// asks with frameWant for each piece of standard input that it needs (so that no input is taken that nobody reads), and
// ends with frameEnd. A client that goes away before interrupts its command, too.
const (
	frameArgs      = 'a' // client: the request, as JSON
	frameInput     = 'i' // client: standard input, after frameWant; empty: its end
	frameInterrupt = 'c' // client: the command is to end
	frameOut       = 'o' // server: standard output
	frameErr       = 'e' // server: standard error
	frameWant      = 'w' // server: more of standard input, please
	frameEnd       = 'z' // server: the exit code, 1 octet
)

// request is what frameArgs has.
type request struct {
	Args []string `json:"args"` // of the command line, without the program's name
}

// maxFrame is the most octets of data in a frame.
const maxFrame = 1 << 20

// readFrame reads a frame. Errors: io.EOF where a frame would begin.
func readFrame(r io.Reader) (kind byte, data []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxFrame {
		return 0, nil, fmt.Errorf("control: frame of %d octets: more than %d", n, maxFrame)
	}
	data = make([]byte, n)
	if _, err := io.ReadFull(r, data); err != nil {
		return 0, nil, fmt.Errorf("control: frame ends early: %w", io.ErrUnexpectedEOF)
	}
	return head[0], data, nil
}

// frameWriter writes frames, each in one piece.
type frameWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (f *frameWriter) write(kind byte, data []byte) error {
	if len(data) > maxFrame {
		return fmt.Errorf("control: frame of %d octets: more than %d", len(data), maxFrame)
	}
	b := make([]byte, 5, 5+len(data))
	b[0] = kind
	binary.BigEndian.PutUint32(b[1:], uint32(len(data)))
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.w.Write(append(b, data...))
	return err
}

// stream is an io.Writer whose octets become frames of a kind.
type stream struct {
	frames *frameWriter
	kind   byte
}

// Write sends b.
func (s stream) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		part := b[:min(len(b), maxFrame)]
		if err := s.frames.write(s.kind, part); err != nil {
			return n, err
		}
		n, b = n+len(part), b[len(part):]
	}
	return n, nil
}
