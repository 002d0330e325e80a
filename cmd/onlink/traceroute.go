package main

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// tracerouteCmd is `onlink traceroute`, which asks and prints in the manner of Linux's traceroute(8).
//
// All probes of a trace are of one flow, so that routers that spread flows over several ways send them all the same way, and the hops
// printed are those of one way ("Paris traceroute": Augustin et al., IMC 2006): the ports, or the type, code and checksum of an echo
// request, are those of all probes, which are told apart by the payload and the checksum (UDP), the sequence number (TCP), or the sequence
// number with a payload that makes up for it in the checksum (ICMP).
type tracerouteCmd struct {
	targetFlags `embed:""`
	familyFlags `embed:""`
	ICMP        bool    `help:"Probe with ICMP echo requests." name:"icmp" short:"I" xor:"method"`
	TCP         bool    `help:"Probe with SYNs of TCP." name:"tcp" short:"T" xor:"method"`
	UDP         bool    `help:"Probe with UDP datagrams: the default." name:"udp" short:"U" xor:"method"`
	Port        int     `help:"Destination port: by default 33434, of TCP 80; of ICMP the first sequence number, by default 1." short:"p" placeholder:"PORT" default:"-1"`
	Queries     int     `help:"Probes to each hop." short:"q" placeholder:"N" default:"3"`
	MaxHops     int     `help:"Hops to go at most." short:"m" placeholder:"N" default:"30"`
	Wait        float64 `help:"Seconds to wait for what comes of a probe." short:"w" placeholder:"SECONDS" default:"5"`
	Sim         int     `help:"Probes under way at once; 0: 16, with TCP in one flow 1." short:"N" placeholder:"N" default:"0"`
	Numeric     bool    `help:"Print no names." short:"n"`
	First       int     `help:"Hops to begin with." short:"f" placeholder:"N" default:"1"`
	Device      string  `help:"Interface to send by." short:"i" placeholder:"IFACE"`
	Source      string  `help:"Address to send from." short:"s" placeholder:"ADDR"`
	TOS         int     `help:"TOS or traffic class." name:"tos" short:"t" placeholder:"N" default:"0"`
	DF          bool    `help:"Do not fragment probes, here or on the way." name:"dont-fragment" short:"F"`
	Paris       bool    `help:"Send all probes as one flow: the default. Without it, ports count up with the probes, and routers may send each another way." negatable:"" default:"true"`
	Host        string  `arg:"" help:"Where to: an address or a name."`
	Size        int     `arg:"" optional:"" help:"Octets of a probe with its headers; by default 60, of IPv6 80."`
}

// Run has the command work on the host that the flags say.
func (c *tracerouteCmd) Run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.target(ctx, c)
}

// check says what is wrong with the flags.
func (c *tracerouteCmd) check() error {
	for _, f := range [...]struct {
		flag            string
		is, least, most int
	}{{"-q", c.Queries, 1, 10}, {"-m", c.MaxHops, 1, 255}, {"-N", c.Sim, 0, 1024}, {"-f", c.First, 1, 255}, {"-t", c.TOS, 0, 255},
		{"-p", c.Port, -1, 65535}, {"SIZE", c.Size, 0, 65000}} {
		if f.is < f.least || f.is > f.most {
			return usagef("traceroute: %s %d: must be %d to %d", f.flag, f.is, max(f.least, 0), f.most)
		}
	}
	switch {
	case c.First > c.MaxHops:
		return usagef("traceroute: -f %d: more than the %d hops to go at most", c.First, c.MaxHops)
	case !(c.Wait > 0 && c.Wait <= maxSeconds):
		return usagef("traceroute: -w %v: must be more than 0 and at most %v seconds", c.Wait, maxSeconds)
	case c.Host == "":
		return usagef("traceroute: no host")
	}
	return c.familyFlags.check("traceroute")
}

func (c *tracerouteCmd) run(s *session) error {
	if err := c.check(); err != nil {
		return err
	}
	dst, _, err := c.destination(s, "traceroute", c.Host)
	if err != nil {
		return err
	}
	t := &tracer{session: s, cmd: c, dst: dst, names: newNames(s, c.Numeric), last: c.MaxHops}
	head := wire.IPv6Len
	if dst.Is4() {
		head = wire.IPv4MinLen
	}
	t.size = c.Size - head
	if c.Size == 0 {
		t.size = 40
	}
	t.size = max(t.size, leastProbe(c))
	fmt.Fprintf(s.out, "traceroute to %s (%v), %d hops max, %d byte packets\n", c.Host, dst, c.MaxHops, head+t.size)
	if err := t.open(); err != nil {
		return fmt.Errorf("traceroute: %w", cause(err))
	}
	defer t.way.Close() // there is nothing that could fail
	t.changed = s.stack.Runtime().NewCond(&t.mu)
	t.probes = make([]probe, (c.MaxHops-c.First+1)*c.Queries)
	if err := s.parallel(t.probeAll, t.print); err != nil {
		return err
	}
	if s.ctx.Err() != nil {
		return exitStatus(1)
	}
	return nil
}

// tracer traces a route.
type tracer struct {
	*session
	cmd      *tracerouteCmd
	names    *names // print's
	dst, src netip.Addr
	size     int // octets of a probe behind the internet header
	way      way

	mu      sync.Mutex
	changed clock.Cond
	probes  []probe
	last    int  // hops where the trace ends
	ended   bool // nothing comes any more
}

// probe is one, and what came of it.
type probe struct {
	sent  clock.Instant // 0: it is not
	done  bool
	from  netip.Addr // invalid: nothing came
	took  time.Duration
	note  string // as "!H"
	final bool   // it went no further
}

// hops returns how many hops a probe is to go.
func (t *tracer) hops(i int) int { return t.cmd.First + i/t.cmd.Queries }

// open makes what probes are sent with.
func (t *tracer) open() error {
	d := onlink.Dialer{Stack: t.stack, LocalAddr: t.cmd.Source, Interface: t.cmd.Device}
	digit := familyDigit(t.dst)
	found, err := d.DialContext(t.ctx, "ping"+digit, t.dst.String())
	if err != nil {
		return err
	}
	t.src = sourceOf(found)
	found.Close() // nothing was sent
	switch {
	case t.cmd.ICMP:
		t.way, err = newICMPWay(t, "ping"+digit)
	case t.cmd.TCP:
		t.way, err = newTCPWay(t, "ip"+digit+":tcp")
	default:
		t.way, err = newUDPWay(t, "udp"+digit)
	}
	return err
}

// set sets c up.
func (t *tracer) set(c interface {
	SetReceiveErrors(bool) error
	SetMTUDiscovery(onlink.MTUDiscovery) error
	SetInterface(*onlink.Interface) error
}) error {
	how := onlink.DiscoverNot
	if t.cmd.DF {
		how = onlink.DiscoverProbe
	}
	if err := c.SetMTUDiscovery(how); err != nil {
		return err
	}
	if err := c.SetInterface(t.stack.Interface(t.cmd.Device)); err != nil {
		return err
	}
	return c.SetReceiveErrors(true)
}

// print prints the hops, each probe as soon as it is known what came of it and of those before.
func (t *tracer) print() error {
	var before netip.Addr
	for i := range t.probes {
		t.mu.Lock()
		for !t.probes[i].done && !t.ended {
			t.changed.Wait()
		}
		p, last := t.probes[i], t.last
		t.mu.Unlock()
		if t.hops(i) > last || !p.done {
			break
		}
		text := ""
		if i%t.cmd.Queries == 0 {
			text, before = fmt.Sprintf("%2d ", t.hops(i)), netip.Addr{}
		}
		if !p.from.IsValid() {
			text += " *"
		} else {
			if p.from != before {
				text += " " + t.called(p.from)
			}
			text += fmt.Sprintf("  %.3f ms", float64(p.took)/1e6)
			before = p.from
		}
		if p.note != "" {
			text += " " + p.note
		}
		if (i+1)%t.cmd.Queries == 0 {
			text += "\n"
		}
		if _, err := fmt.Fprint(t.out, text); err != nil {
			return err
		}
	}
	return nil
}

// called returns the name and the address of a host on the way.
func (t *tracer) called(a netip.Addr) string {
	if t.cmd.Numeric {
		return a.String()
	}
	name := t.names.of(a)
	if name == "" {
		name = a.String()
	}
	return name + " (" + a.String() + ")"
}
