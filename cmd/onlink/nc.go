package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/onlink-go/onlink"
)

// ncCmd is `onlink nc`, a pipe over TCP or UDP in the manner of OpenBSD's nc(1).
type ncCmd struct {
	targetFlags `embed:""`
	familyFlags `embed:""`
	Listen      bool     `help:"Listen for a connection, or a datagram, instead of making one." short:"l"`
	Keep        bool     `help:"With -l: go on listening after a connection has ended." short:"k"`
	UDP         bool     `help:"UDP instead of TCP." name:"udp" short:"u"`
	Zero        bool     `help:"Only find out which ports are open: send nothing." short:"z"`
	Source      string   `help:"Address to send from, or with -l to listen on." short:"s" placeholder:"ADDR"`
	Port        string   `help:"Port to send from, or with -l to listen on." short:"p" placeholder:"PORT"`
	Wait        float64  `help:"Seconds after which a connection that is not made, or over which nothing comes or goes, is given up; 0: never." short:"w" placeholder:"SECONDS" default:"0"`
	Shut        bool     `help:"End our way of the connection (half-close) when the input ends." short:"N"`
	Quit        float64  `help:"End so many seconds after the input has, with -N; negative: when the peer ends." short:"q" placeholder:"SECONDS" default:"-1"`
	NoInput     bool     `help:"Do not read the input." short:"d"`
	Numeric     bool     `help:"Look no names up." short:"n"`
	Verbose     bool     `help:"Say what happens." short:"v"`
	Words       []string `arg:"" optional:"" placeholder:"HOST PORT" help:"Host and port, or ports as 20-25; with -l the port, or the address to listen on and the port."`
}

// Run has the command work on the host that the flags say.
func (c *ncCmd) Run(ctx context.Context) error {
	if _, err := c.meaning(); err != nil {
		return err
	}
	return c.target(ctx, c)
}

// ncTarget is what the words of a command mean.
type ncTarget struct {
	host        string
	first, last uint16 // ports
	local       string // "host:port" to send from; empty: any
}

// meaning reads the words.
func (c *ncCmd) meaning() (t ncTarget, err error) {
	words := c.Words
	switch {
	case !(c.Wait >= 0 && c.Wait <= maxSeconds):
		return t, usagef("nc: -w %v: must be 0 to %v seconds", c.Wait, maxSeconds)
	case !(c.Quit <= maxSeconds):
		return t, usagef("nc: -q %v: must be at most %v seconds", c.Quit, maxSeconds)
	case c.Keep && !c.Listen:
		return t, usagef("nc: -k goes with -l")
	case c.Zero && c.Listen:
		return t, usagef("nc: -z and -l: one of them")
	case c.Listen && len(words) == 0 && c.Port != "":
		words = []string{c.Source, c.Port}
	case c.Listen && len(words) == 1:
		if _, err := netip.ParseAddr(words[0]); err == nil && c.Port != "" {
			words = []string{words[0], c.Port}
		} else {
			words = []string{c.Source, words[0]}
		}
	case len(words) != 2 && c.Listen:
		return t, usagef("nc: -l: say which port to listen on")
	case len(words) != 2:
		return t, usagef("nc: say which host and which port")
	}
	t.host = words[0]
	if !c.Listen && t.host == "" {
		return t, usagef("nc: no host")
	}
	if c.Numeric && t.host != "" {
		if _, err := netip.ParseAddr(t.host); err != nil {
			return t, usagef("nc: -n: %q is not an address", t.host)
		}
	}
	low, high, ranged := strings.Cut(words[1], "-")
	if t.first, err = ncPort(low); err != nil {
		return t, err
	}
	t.last = t.first
	if ranged {
		if t.last, err = ncPort(high); err != nil {
			return t, err
		}
	}
	if t.last < t.first {
		t.first, t.last = t.last, t.first
	}
	if c.Listen && ranged {
		return t, usagef("nc: -l %s: one port is listened on", words[1])
	}
	if !c.Listen && (c.Source != "" || c.Port != "") {
		port := uint16(0)
		if c.Port != "" {
			if port, err = ncPort(c.Port); err != nil {
				return t, err
			}
		}
		t.local = net.JoinHostPort(c.Source, strconv.Itoa(int(port)))
	}
	return t, c.familyFlags.check("nc")
}

func ncPort(text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return 0, usagef("nc: %q is not a port: 1 to 65535", text)
	}
	return uint16(n), nil
}

// network returns the network of the connection.
func (c *ncCmd) network() string {
	if c.UDP {
		return "udp" + c.digit()
	}
	return "tcp" + c.digit()
}

// protocol returns what messages call it.
func (c *ncCmd) protocol() string { return c.network()[:3] }

func (c *ncCmd) run(s *session) error {
	t, err := c.meaning()
	if err != nil {
		return err
	}
	n := newNC(s, c)
	defer s.stack.Runtime().AfterDone(s.ctx, n.end)()
	defer n.end()
	switch {
	case c.Listen && c.UDP:
		return n.listenUDP(t)
	case c.Listen:
		return n.listen(t)
	}
	return n.connect(t)
}

// connect connects to the ports of t, one after the other.
func (n *nc) connect(t ncTarget) error {
	c, open := n.cmd, false
	for port := int(t.first); port <= int(t.last); port++ {
		conn, err := n.dial(t, port)
		switch {
		case n.ctx.Err() != nil:
			return exitStatus(1)
		case err != nil && c.Zero && !c.Verbose:
			continue
		case err != nil:
			fmt.Fprintf(n.err, "nc: connect to %s port %d (%s) failed: %v\n", t.host, port, c.protocol(), cause(err))
			continue
		}
		open = true
		n.say("Connection to %s %d port [%s/*] succeeded!", t.host, port, c.protocol())
		if c.Zero {
			conn.Close()
			continue
		}
		if err := n.pipe(conn, false); err != nil {
			return err
		}
	}
	if !open {
		return exitStatus(1)
	}
	return nil
}

// dial connects to a port of t. With -z a port of UDP is taken for open if nobody says that it is not.
func (n *nc) dial(t ncTarget, port int) (net.Conn, error) {
	ctx := n.ctx
	if n.cmd.Wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = n.withTimeout(ctx, ofSeconds(n.cmd.Wait))
		defer cancel()
	}
	d := onlink.Dialer{Stack: n.stack, LocalAddr: t.local}
	conn, err := d.DialContext(ctx, n.cmd.network(), net.JoinHostPort(t.host, strconv.Itoa(port)))
	if err == nil && n.cmd.Zero && n.cmd.UDP {
		err = n.asks(conn)
	}
	return conn, err
}
