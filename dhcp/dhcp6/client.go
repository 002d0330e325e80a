package dhcp6

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Mode says when a Client asks for what.
type Mode uint8

// The modes.
const (
	// FollowRouters asks for addresses once a Router Advertisement has the M flag, and for other information alone with the O flag
	// (RFC 4861, 4.2); for prefixes with either (RFC 7084, WPD-4). It does not end when later ones say otherwise.
	FollowRouters Mode = iota
	Stateful           // asks for addresses at once
	Stateless          // asks for other information at once, and never for leases
)

// Config is what a Client is to do. The zero value is usable: it follows routers, and asks for an address.
type Config struct {
	Mode Mode

	// ClientID is the client's DUID. Empty: made of the interface's link-layer address (DUID-LL), so that it is the same after a
	// restart; who has several interfaces, or has stored one, gives it.
	ClientID DUID
	// IAID is the number of the client's first association of each kind; others have those after it. 0: the last octets of the
	// link-layer address, so that it is the same after a restart.
	IAID uint32

	Addresses int  // associations of addresses; 0: one, negative: none
	Temporary bool // one of temporary addresses too

	Prefixes     int // associations of prefixes; 0: one if PrefixLength or Downstream ask for it, otherwise none
	PrefixLength int // how long the prefixes are to be, if the server is free to choose, in bits; 0: not said
	// Downstream are interfaces that get a part of what is delegated.
	Downstream []Downstream

	NoRapidCommit bool         // do not let a server commit itself at once (RFC 8415, 21.14)
	NoReconfigure bool         // do not let servers ask for a message (RFC 8415, 18.2.11)
	Hostname      string       // told to servers that keep records (RFC 4704); empty: not
	Options       []OptionCode // that are asked for besides; they come with Informed, unread

	// NoRelease: Run leaves addresses, prefixes and name servers in place when it ends, until their lifetimes are over.
	NoRelease bool
	// ReleaseTime is how long Run waits for the answer to a Release when it ends; 0: 3 s.
	ReleaseTime time.Duration

	// Tell is called with what happens, by Run; it must not wait for Run. nil: nobody is told.
	Tell func(Event)
}

// Client is a DHCPv6 client on an interface of a stack.
type Client struct {
	stack *onlink.Stack
	iface *onlink.Interface
	cfg   Config
	rt    clock.Runtime

	// Of Run.
	m          *Machine
	sub        *onlink.Subscription
	conn       *onlink.UDPConn // the client's port on the interface; nil until there is something to ask for
	timer      clock.Timer
	up         bool       // messages can be sent: there is a link-local address and a carrier
	linkLocal  netip.Addr // the last one
	begun      bool       // the machine was started
	ending     bool       // and is not to be again
	gone       error      // why there is nothing to configure any more; nil: there is
	managed    bool       // a router has said M
	other      bool       // or O
	addresses  map[netip.Addr]bool
	downstream delegation

	mu   sync.Mutex
	wake clock.Cond // on mu: one of these changed
	// Guarded by mu.
	running bool
	changed bool       // the subscription has something
	due     bool       // the timer expired
	arrived []datagram // what the socket got
	state   ClientState
}

// ClientState is where a Client stands.
type ClientState struct {
	State       State
	Server      DUID // whose leases these are
	Leases      []Lease
	Information Information
}

// New returns a Client of an interface of s, which must have a link-layer address unless cfg has a ClientID. Errors name the field of
// cfg that makes no sense.
func New(s *onlink.Stack, i *onlink.Interface, cfg Config) (*Client, error) {
	mac := i.State().LinkAddr
	switch {
	case len(cfg.ClientID) == 0 && mac == wire.MAC{}:
		return nil, fmt.Errorf("dhcp6: ClientID: %s has no link-layer address to make one of", i.Name())
	case len(cfg.ClientID) > 0 && cfg.ClientID.check() != nil:
		return nil, fmt.Errorf("dhcp6: ClientID: %w", cfg.ClientID.check())
	case cfg.PrefixLength < 0 || cfg.PrefixLength > 128:
		return nil, fmt.Errorf("dhcp6: PrefixLength %d is not from 0 to 128", cfg.PrefixLength)
	case cfg.Mode > Stateless:
		return nil, fmt.Errorf("dhcp6: Mode %d is none", cfg.Mode)
	case cfg.Addresses > mostAssociations || cfg.Prefixes > mostAssociations:
		return nil, fmt.Errorf("dhcp6: more than %d associations", mostAssociations)
	case cfg.Hostname != "" && !isName(cfg.Hostname):
		return nil, fmt.Errorf("dhcp6: Hostname %q is no domain name", cfg.Hostname)
	}
	if err := checkDownstream(cfg.Downstream); err != nil {
		return nil, err
	}
	if len(cfg.ClientID) == 0 {
		cfg.ClientID = NewDUIDLL(mac)
	}
	if cfg.IAID == 0 {
		cfg.IAID = binary.BigEndian.Uint32(mac[2:])
	}
	if cfg.ReleaseTime == 0 {
		cfg.ReleaseTime = 3 * time.Second
	}
	c := &Client{stack: s, iface: i, cfg: cfg, rt: s.Runtime(), addresses: map[netip.Addr]bool{}}
	c.wake = c.rt.NewCond(&c.mu)
	c.downstream.c = c
	return c, nil
}

// mostAssociations is how many associations of a kind are asked for at most: they have to fit into a message.
const mostAssociations = 16

// State returns where the client stands. It may be called at any time.
func (c *Client) State() ClientState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// errRunning is the error of a second Run at once.
var errRunning = errors.New("dhcp6: the client runs already")

// Run configures the interface until ctx is done; then it gives back what it has, and returns nil. In the simulator it runs as a
// coroutine. Errors: the port is taken, or Run runs already; net.ErrClosed if the stack was closed meanwhile, ENODEV if the interface was
// removed.
func (c *Client) Run(ctx context.Context) error {
	if err := c.begin(); err != nil {
		return err
	}
	defer c.end()
	defer c.rt.AfterDone(ctx, func() { c.signal(func() {}) })()
	for c.wait(func() bool { return ctx.Err() != nil }) {
		if c.turn(); c.gone != nil {
			return fmt.Errorf("dhcp6 on %s: %w", c.iface.Name(), c.gone)
		}
	}
	if !c.cfg.NoRelease {
		c.release()
	}
	return nil
}

// begin prepares Run.
func (c *Client) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running {
		return errRunning
	}
	c.running, c.changed = true, true
	c.m = NewMachine(MachineConfig{ClientID: c.cfg.ClientID, Entropy: c.rt.Entropy, NoRapidCommit: c.cfg.NoRapidCommit,
		NoReconfigure: c.cfg.NoReconfigure, Options: c.cfg.Options, FQDN: c.fqdn()})
	c.up, c.begun, c.ending, c.gone = false, false, false, nil
	c.timer = c.rt.NewTimer(func(clock.Instant) { c.signal(func() { c.due = true }) })
	c.sub = c.stack.Subscribe()
	c.sub.Notify(func() { c.signal(func() { c.changed = true }) })
	return nil
}

// fqdn is the name that servers are told. RFC 4704, 4.1: the S bit asks the server to make the record.
func (c *Client) fqdn() *FQDN {
	if c.cfg.Hostname == "" {
		return nil
	}
	return &FQDN{Flags: ServerUpdates, Name: c.cfg.Hostname}
}

// end undoes begin.
func (c *Client) end() {
	c.timer.Stop()
	c.sub.Close()
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running, c.arrived = false, nil
}

// signal does f with the lock held, and wakes Run.
func (c *Client) signal(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	c.wake.Broadcast()
}

// wait waits for something to do. It returns false if stop says so.
func (c *Client) wait(stop func() bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.changed && !c.due && len(c.arrived) == 0 && !stop() {
		c.wake.Wait()
	}
	return !stop()
}

// turn does what there is to do.
func (c *Client) turn() {
	c.mu.Lock()
	arrived, changed := c.arrived, c.changed
	c.arrived, c.changed, c.due = nil, false, false
	c.mu.Unlock()
	if changed {
		c.follow()
	}
	for _, d := range arrived {
		c.receive(d)
	}
	now := c.rt.Now()
	c.m.Timeout(now)
	c.act(now)
}

// act does what the machine wants done, and sets the timer.
func (c *Client) act(now clock.Instant) {
	var e Event
	var o Outgoing
	for c.m.NextEvent(&e) {
		c.handle(now, &e)
		c.tell(e)
	}
	// RFC 8415, 18.2.7: before a prefix is released "the prefix MUST have been advertised with a Preferred Lifetime and a Valid Lifetime
	// of 0 in a Router Advertisement message".
	c.downstream.keep(now)
	for c.m.NextMessage(&o) {
		c.send(&o)
	}
	c.mu.Lock()
	c.state = ClientState{State: c.m.State(), Leases: c.m.Leases(), Information: c.m.Information()}
	if s := c.m.server; s != nil {
		c.state.Server = s.id
	}
	c.mu.Unlock()
	c.timer.Reset(min(c.m.Deadline(), c.downstream.next))
}

func (c *Client) tell(e Event) {
	if c.cfg.Tell != nil {
		c.cfg.Tell(e)
	}
}

// receive gives the machine a datagram. One that is no message is discarded, and told.
func (c *Client) receive(d datagram) {
	msg, err := ParseMessage(d)
	now := c.rt.Now()
	if err != nil {
		c.tell(Event{Kind: Discarded, Reason: err.Error()})
		return
	}
	c.m.Receive(now, msg, d, true)
	c.act(now)
}

// release gives back what there is, and waits for the answer for a while.
func (c *Client) release() {
	now := c.rt.Now()
	end := now.Add(c.cfg.ReleaseTime)
	c.ending = true
	c.m.Release(now)
	c.act(now)
	for c.m.Busy() && c.up && c.gone == nil && c.rt.Now() < end {
		c.timer.Reset(min(c.m.Deadline(), end))
		c.wait(func() bool { return false })
		c.turn()
	}
	c.setNameServers(&Information{})
}
