package dhcp4

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/wire"
)

// Config is how a Client behaves. The zero Config is usable.
type Config struct {
	// MachineConfig is how the client speaks. Its HardwareAddr, Entropy and MaxMessageSize are the interface's, whatever is here.
	MachineConfig

	// Lease is one that was held before, on this host: the client asks for its address again. nil: there was none.
	Lease *Lease
	// KeepLease says that the lease is not given back when Run ends: the host will be back.
	KeepLease bool
	// NoProbe says that an address is used at once. Without it the client asks for some seconds whether another station has
	// it (RFC 5227, 2.1), and declines it then.
	NoProbe bool
	// Metric is that of the routes.
	Metric int
	// Inform is an address that the host has already: the client asks for information only, and uses the name servers. The
	// zero Addr: it asks for an address.
	Inform netip.Addr

	// OnEvent is called by Run when something happens. With Acquired, the address has been found to be nobody else's, and is in
	// use. nil: nobody wants to know.
	OnEvent func(Event)
}

// Client gives an interface of a stack what DHCP servers on its link say. New makes one, Run runs it. The other methods may be called
// at any time from any goroutine.
type Client struct {
	stack *onlink.Stack
	rt    clock.Runtime
	ifi   *onlink.Interface
	cfg   Config

	// Of Run alone.
	machine *Machine
	changes *onlink.Subscription
	up      bool // the link is
	started bool // the machine was
	frames  *onlink.FrameConn
	udp     *onlink.UDPConn // of the leased address; nil: none
	server  wire.MAC        // who the last accepted message came from
	bound   binding
	buf     []byte

	mu      sync.Mutex
	changed clock.Cond // status is another
	status  Status
	reading reader // what Run waits for
	woken   bool   // there is something to do
	renew   bool   // Renew was called
	ended   error  // of Run; nil: it has not ended
}

// Status is where a client stands.
type Status struct {
	State   State
	Lease   *Lease // in use; nil: none. Not to be changed
	Stats   Stats
	Unsent  uint64 // messages that the stack did not take; they are sent again as lost ones are
	Foreign uint64 // packets to the client's port that were no whole datagrams
}

// reader is a socket that Run reads from.
type reader interface {
	SetReadDeadline(t time.Time) error
	Close() error
}

// New returns a client for an interface of s. Errors name the field of cfg that is wrong, or say why the interface cannot have a
// client: DHCP needs Ethernet.
func New(s *onlink.Stack, ifi *onlink.Interface, cfg Config) (*Client, error) {
	c := &Client{stack: s, rt: s.Runtime(), ifi: ifi, cfg: cfg, buf: make([]byte, 1<<16)}
	state := ifi.State()
	if state.LinkAddr == (wire.MAC{}) {
		return nil, fmt.Errorf("dhcp4: interface %s has no hardware address", ifi.Name())
	}
	if cfg.Inform.IsValid() && !isHost(cfg.Inform) {
		return nil, fmt.Errorf("dhcp4: Config.Inform is %v: not an IPv4 address of a host", cfg.Inform)
	}
	cfg.HardwareAddr, cfg.Entropy = state.LinkAddr, c.rt.Entropy
	// RFC 3442: "the client SHOULD set the value of this option to at least the MTU of the interface that the client is
	// configuring."
	cfg.MaxMessageSize = max(state.MTU, 576)
	var err error
	if c.machine, err = NewMachine(cfg.MachineConfig); err != nil {
		return nil, err
	}
	c.changed = c.rt.NewCond(&c.mu)
	return c, nil
}

// errEnded is what a client ends with that was told to.
var errEnded = errors.New("dhcp4: the client has ended")

// Run configures the interface until ctx is done, gives the lease back then, and takes away what it has configured. It blocks
// all the time: in simulation it belongs into a coroutine. It must be called once. Errors: nil if ctx was done; otherwise
// what became of the interface.
func (c *Client) Run(ctx context.Context) (err error) {
	defer c.rt.AfterDone(ctx, c.wake)()
	c.changes = c.stack.Subscribe()
	defer c.changes.Close()
	c.changes.Notify(c.wake)
	defer func() { c.end(err) }()
	for {
		if err := c.step(); err != nil || ctx.Err() != nil {
			return err
		}
		if err := c.receive(); err != nil {
			return err
		}
	}
}

// start starts the machine.
func (c *Client) start(now clock.Instant) {
	c.started = true
	switch {
	case c.cfg.Inform.IsValid():
		c.machine.Inform(now, c.cfg.Inform)
	case c.cfg.Lease != nil:
		end := clock.Never
		if l := c.cfg.Lease; l.Duration != Forever {
			end = now.Add(l.Acquired.Add(l.Duration).Sub(c.rt.Wall()))
		}
		c.machine.Start(now, c.cfg.Lease, end)
	default:
		c.machine.Start(now, nil, 0)
	}
}

// step does what there is to do now.
func (c *Client) step() error {
	if err := c.drain(); err != nil {
		return err
	}
	now := c.rt.Now()
	c.followLink(now)
	if c.takeRenew() {
		c.machine.Renew(now)
	}
	for c.machine.Deadline() <= now {
		c.machine.Timeout(now)
	}
	c.verify(now)
	for {
		e, ok := c.machine.NextEvent()
		if !ok {
			break
		}
		c.follow(now, e)
	}
	if err := c.sockets(); err != nil {
		return err
	}
	c.flush()
	c.publish()
	return nil
}

// drain forgets the changes that woke Run: it looks at the state itself.
func (c *Client) drain() error {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		_, err := c.changes.Next(done)
		switch {
		case errors.Is(err, context.Canceled):
			return nil
		case err != nil && !errors.Is(err, onlink.ErrOverrun):
			return err
		}
	}
}

// followLink starts the machine when the link is up first, and halts it while the link is down.
func (c *Client) followLink(now clock.Instant) {
	up := c.ifi.State().Up
	if up == c.up {
		return
	}
	switch c.up = up; {
	case !up:
		c.machine.Halt()
	case c.started:
		c.machine.Resume(now)
	default:
		c.start(now)
	}
}

func (c *Client) takeRenew() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.renew
	c.renew = false
	return asked
}

// sockets opens the socket that the state of the machine is heard by. With a lease that is a UDP socket, which also keeps the stack
// from answering the server that the port is unreachable; while an answer may come that is not to an address of ours, a
// packet socket besides.
func (c *Client) sockets() error {
	if c.udp != nil && (c.machine.State() == Bound || c.machine.State() == Informed) {
		if c.frames != nil {
			c.frames.Close()
			c.frames = nil
		}
		return nil
	}
	if c.frames != nil {
		return nil
	}
	var err error
	c.frames, err = c.stack.ListenFrames(c.ifi, onlink.FrameConfig{EtherType: wire.EtherTypeIPv4, Filter: portFilter(ClientPort)})
	return err
}

// flush sends what the machine wants sent.
func (c *Client) flush() {
	for {
		o, ok := c.machine.Next()
		if !ok {
			return
		}
		if err := c.send(o); err != nil {
			c.mu.Lock()
			c.status.Unsent++
			c.mu.Unlock()
		}
	}
}

// send sends a message: through the stack what is for the server alone, because the server may be behind a router; all else in
// a frame. That is a DHCPRELEASE too, for which no neighbor is asked any more, since the address goes: it is given to the
// station that the last answer came from.
func (c *Client) send(o Outgoing) error {
	b := o.Message.Append(nil)
	if c.udp != nil && o.To != broadcastAddr && o.Message.Type() != Release {
		_, err := c.udp.WriteToUDPAddrPort(b, netip.AddrPortFrom(o.To, ServerPort))
		return err
	}
	d := datagram{srcMAC: c.ifi.State().LinkAddr, dstMAC: wire.BroadcastMAC, src: o.From, dst: o.To, srcPort: ClientPort, dstPort: ServerPort, payload: b}
	if o.To != broadcastAddr {
		d.dstMAC = c.server
	}
	return c.frames.WriteFrame(d.append(nil))
}

// receive waits for a message, or until there is something else to do.
func (c *Client) receive() error {
	if !c.wait() {
		return nil
	}
	b, from, err := c.read()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil
	case err != nil:
		return err
	case b == nil:
		c.mu.Lock()
		c.status.Foreign++
		c.mu.Unlock()
		return nil
	}
	if c.machine.Arrive(c.rt.Now(), b) == Accepted && from != (wire.MAC{}) {
		c.server = from
	}
	return nil
}

// wait prepares to read until the machine's deadline. It reports false if there is something to do already.
func (c *Client) wait() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = c.udp
	if c.frames != nil {
		c.reading = c.frames
	}
	if c.woken {
		c.woken = false
		return false
	}
	var until time.Time // none
	if at := c.machine.Deadline(); at != clock.Never {
		until = c.rt.Wall().Add(max(at.Sub(c.rt.Now()), 0))
	}
	c.reading.SetReadDeadline(until) // where that fails, reading does
	return true
}

// wake makes Run look at what there is to do.
func (c *Client) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.woken = true
	if c.reading != nil {
		c.reading.SetReadDeadline(c.rt.Wall()) // where that fails, Run is ending
	}
}

// read reads a message; nil if what came was none. from is the station that it came from, where that is known.
func (c *Client) read() (b []byte, from wire.MAC, err error) {
	if c.frames == nil {
		n, _, err := c.udp.ReadFromUDPAddrPort(c.buf)
		return c.buf[:n], from, err
	}
	n, info, err := c.frames.ReadFrame(c.buf)
	if err != nil {
		return nil, from, err
	}
	var d datagram
	if info.Medium != link.Ethernet || !d.parse(c.buf[:n]) {
		return nil, from, nil
	}
	return d.payload, d.srcMAC, nil
}

// end is the last thing that Run does.
func (c *Client) end(err error) {
	if err == nil { // told to end: the stack is there
		now := c.rt.Now()
		if c.cfg.KeepLease {
			c.machine.Halt()
		} else {
			c.machine.Release(now)
		}
		if c.sockets() == nil {
			c.flush()
		}
		for {
			e, ok := c.machine.NextEvent()
			if !ok {
				break
			}
			c.follow(now, e)
		}
		err = errEnded
	}
	c.unconfigure()
	if c.frames != nil {
		c.frames.Close()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading, c.ended = nil, err
	c.status.State, c.status.Lease = Halted, nil
	c.changed.Broadcast()
}

// publish tells those who ask where the client stands.
func (c *Client) publish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status.State, c.status.Stats, c.status.Lease = c.machine.State(), c.machine.Stats(), c.bound.inUse()
	c.changed.Broadcast()
}

// Status returns where the client stands.
func (c *Client) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// Renew makes the client ask its server at once for more time.
func (c *Client) Renew() {
	c.mu.Lock()
	c.renew = true
	c.mu.Unlock()
	c.wake()
}

// Wait waits until a lease is in use, or, with Config.Inform, until there is information, and returns it. Errors: ctx's; why Run has
// ended.
func (c *Client) Wait(ctx context.Context) (*Lease, error) {
	defer c.rt.AfterDone(ctx, func() {
		c.mu.Lock()
		c.changed.Broadcast()
		c.mu.Unlock()
	})()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.status.Lease != nil:
			return c.status.Lease, nil
		case c.ended != nil:
			return nil, c.ended
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		c.changed.Wait()
	}
}

// openUDP opens the socket that messages to the server leave from.
func (c *Client) openUDP(a netip.Addr) error {
	l := onlink.ListenConfig{Stack: c.stack, Interface: c.ifi.Name()}
	pc, err := l.ListenPacket(context.Background(), "udp4", net.JoinHostPort(a.String(), fmt.Sprint(ClientPort)))
	if err != nil {
		return err
	}
	c.udp = pc.(*onlink.UDPConn)
	return nil
}

func (c *Client) closeUDP() {
	if c.udp != nil {
		c.udp.Close()
		c.udp = nil
	}
}
