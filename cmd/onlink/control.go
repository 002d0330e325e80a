package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/onlink-go/onlink"
)

// controlServer runs the commands that come over a control socket.
type controlServer struct {
	stack  *onlink.Stack
	socket *controlSocket

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// serveControl has commands that come over socket work on stack, until close.
func serveControl(stack *onlink.Stack, socket *controlSocket) *controlServer {
	c := &controlServer{stack: stack, socket: socket}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.work.Go(func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return // closed
			}
			c.work.Go(func() { c.serve(conn) })
		}
	})
	return c
}

// close removes the socket, interrupts the commands under way and waits for them. A nil controlServer has none.
func (c *controlServer) close() error {
	if c == nil {
		return nil
	}
	err := c.socket.close()
	c.cancel()
	c.work.Wait()
	return err
}

// serve runs one command.
func (c *controlServer) serve(conn net.Conn) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	// Who asks for nothing, or does not read what it asked for, does not keep the host from going down.
	defer context.AfterFunc(c.ctx, func() {
		conn.SetReadDeadline(time.Now())
		conn.SetWriteDeadline(soon())
	})()

	frames := &frameWriter{w: conn}
	input := newRemoteInput(ctx, frames)
	args, err := readRequest(conn)
	if err != nil {
		return // a client of ours does not do that, and what another one wants to read, nobody knows
	}
	go func() { // until the client has gone or conn is closed
		defer cancel()
		input.receive(conn, cancel)
	}()
	i := &invocation{args, input, stream{frames, frameOut}, stream{frames, frameErr}}
	code := i.finish(c.command(ctx, i))
	frames.write(frameEnd, []byte{byte(code)}) // the client may have gone
}

// command runs the verb that i calls.
func (c *controlServer) command(ctx context.Context, i *invocation) error {
	v, err := i.verb(ctx)
	if err != nil || v == nil {
		return err
	}
	return v.run(newSession(ctx, c.stack, i.in, i.out, i.err))
}

// readRequest reads what the client wants.
func readRequest(r io.Reader) (args []string, err error) {
	kind, data, err := readFrame(r)
	if err != nil {
		return nil, err
	}
	var req request
	if kind != frameArgs {
		return nil, fmt.Errorf("control: a request begins with its arguments, not with %q", kind)
	}
	err = json.Unmarshal(data, &req)
	return req.Args, err
}

// remoteInput is the standard input of a client.
type remoteInput struct {
	ctx    context.Context
	frames *frameWriter
	pieces chan []byte // of one that was asked for

	mu   sync.Mutex // of Read
	rest []byte
	end  bool
}

func newRemoteInput(ctx context.Context, frames *frameWriter) *remoteInput {
	return &remoteInput{ctx: ctx, frames: frames, pieces: make(chan []byte, 1)}
}

// Read asks the client for a piece of its input and waits for it.
func (r *remoteInput) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.rest) == 0 && !r.end && len(b) > 0 {
		if err := r.frames.write(frameWant, nil); err != nil {
			return 0, err
		}
		select {
		case r.rest = <-r.pieces:
			r.end = len(r.rest) == 0
		case <-r.ctx.Done():
			return 0, r.ctx.Err()
		}
	}
	if r.end {
		return 0, io.EOF
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// receive takes in what the client sends, until it goes away or sends what it should not.
func (r *remoteInput) receive(conn io.Reader, interrupt func()) {
	for {
		switch kind, data, err := readFrame(conn); {
		case err != nil:
			return
		case kind == frameInterrupt:
			interrupt()
		case kind == frameInput:
			select {
			case r.pieces <- data:
			default:
				return // it was not asked for
			}
		default:
			return
		}
	}
}

// control runs the command of i on the host whose control socket is at path.
func control(ctx context.Context, path string, i *invocation) error {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return dialError(path, err)
	}
	defer conn.Close()
	frames := &frameWriter{w: conn}
	req, err := json.Marshal(request{i.args})
	if err != nil {
		return err
	}
	if err := frames.write(frameArgs, req); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer context.AfterFunc(ctx, func() {
		frames.write(frameInterrupt, nil) // if it fails, so does reading
		conn.SetReadDeadline(soon())
	})()
	for {
		kind, data, err := readFrame(conn)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return fmt.Errorf("%s: the host went away", path)
		case err != nil:
			return fmt.Errorf("%s: %w", path, err)
		}
		switch kind {
		case frameOut:
			_, err = i.out.Write(data)
		case frameErr:
			_, err = i.err.Write(data)
		case frameWant:
			go sendInput(frames, i.in)
		case frameEnd:
			if len(data) == 1 && data[0] == 0 {
				return nil
			} else if len(data) == 1 {
				return exitStatus(data[0])
			}
			fallthrough
		default:
			err = fmt.Errorf("control: frame %q makes no sense", kind)
		}
		if err != nil {
			return err
		}
	}
}

// sendInput sends one piece of in.
func sendInput(frames *frameWriter, in io.Reader) {
	b := make([]byte, 64<<10)
	n, err := in.Read(b)
	for n == 0 && err == nil {
		n, err = in.Read(b)
	}
	frames.write(frameInput, b[:n]) // if it fails, so does reading
}
