package tcpsock

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/tcp"
)

// Settings are what a stack's sysctls set for TCP. A value in use is never changed: [Layer.Configure] publishes a new
// one. Where it is given to [New], a zero field means its default, which is told behind it.
type Settings struct {
	// TCP is what each connection begins with, complete. Connections that change nothing share it.
	TCP tcp.Config

	// What socket options may ask for (net.core).
	RMemMax, WMemMax         int // rmem_max, wmem_max: the largest SO_RCVBUF and SO_SNDBUF; 212992
	RMemDefault, WMemDefault int // rmem_default, wmem_default: of UDP and raw sockets; 212992
	SoMaxConn                int // somaxconn: the longest queue of a listener; 4096

	BusyRead time.Duration // busy_read: for how long a reader looks whether something comes before it waits for it

	DefaultMSS4, DefaultMSS6 int  // assumed of a peer that announces none; 536 and 1220 (RFC 9293, 3.7.1)
	BindV6Only               bool // net.ipv6.bindv6only: IPv6 sockets do not take IPv4
	NoPathMTUDiscovery       int  // net.ipv4.ip_no_pmtu_disc: what MTUDiscover of IPv4 is where it is not set; 0

	// Allowed are the congestion controls that connections may choose (tcp_allowed_congestion_control); none: all.
	Allowed []string

	// Limits are those on how connections begin and end.
	Limits Limits

	// Mem is tcp_mem in octets: below the first nothing is done, from the second on windows shrink, and the third is
	// the bound; 3/32, 1/8 and 3/16 of 8 GiB.
	Mem [3]int
}

func (s *Settings) setDefaults() {
	s.TCP = *s.TCP.Complete()
	for _, f := range [...]struct {
		v *int
		d int
	}{{&s.RMemMax, 212992}, {&s.WMemMax, 212992}, {&s.RMemDefault, 212992}, {&s.WMemDefault, 212992}, {&s.SoMaxConn, 4096},
		{&s.DefaultMSS4, 536}, {&s.DefaultMSS6, 1220}, {&s.Mem[0], 3 << 28}, {&s.Mem[1], 1 << 30}, {&s.Mem[2], 3 << 29}} {
		if *f.v <= 0 {
			*f.v = f.d
		}
	}
	if !s.Limits.filled {
		s.Limits = DefaultLimits()
	}
}

// Control returns the congestion control of connections that choose none.
func (s *Settings) Control() string {
	return s.TCP.Control()
}

// AllowedControls returns the congestion controls that connections may choose.
func (s *Settings) AllowedControls() []string {
	if len(s.Allowed) == 0 {
		return s.TCP.Controls()
	}
	return s.Allowed
}

// settings is the current Settings, and who changes them.
type settings struct {
	current atomic.Pointer[Settings]
	changes sync.Mutex

	// interned holds the settings that connections have come to, so that those with equal ones share them.
	interned   map[tcp.Config]*tcp.Config
	internLock sync.Mutex
}

// publish makes s the current settings.
func (t *settings) publish(s Settings) {
	s.TCP = *s.TCP.Complete()
	s.TCP.RMemMax = s.RMemMax
	t.current.Store(&s)
}

// Settings returns the current settings. They must not be changed.
func (t *Layer) Settings() *Settings { return t.settings.current.Load() }

// Configure changes the settings: f changes a copy, which is then the current one. It holds for what is opened after.
func (t *Layer) Configure(f func(*Settings)) {
	t.settings.changes.Lock()
	defer t.settings.changes.Unlock()
	s := *t.Settings()
	f(&s)
	t.settings.publish(s)
	t.ports.Configure(s.Limits.LocalPorts, s.Limits.ReservedPorts)
}

// maxInterned bounds how many different settings are remembered to be shared. Beyond, all are forgotten, which costs
// memory and nothing else.
const maxInterned = 64

// intern returns settings equal to cfg, which it makes complete, shared with others that have asked for the same.
func (t *Layer) intern(cfg *tcp.Config) *tcp.Config {
	cfg.Fill()
	if s := t.Settings(); s.TCP == *cfg {
		return &s.TCP
	}
	in := &t.settings
	in.internLock.Lock()
	defer in.internLock.Unlock()
	if known := in.interned[*cfg]; known != nil {
		return known
	}
	if in.interned == nil || len(in.interned) >= maxInterned {
		in.interned = make(map[tcp.Config]*tcp.Config)
	}
	known := new(tcp.Config)
	*known = *cfg
	in.interned[*cfg] = known
	return known
}

// Configure changes the connection's settings, with the effects this has. Errors: net.ErrClosed.
func (c *Conn) Configure(f func(*tcp.Config)) error {
	return c.do(func(now clock.Instant) error {
		cfg := *c.tcb.Config()
		f(&cfg)
		c.tcb.Reconfigure(now, c.layer.intern(&cfg))
		return nil
	})
}

// Config returns the connection's settings.
func (c *Conn) Config() tcp.Config {
	c.lock()
	defer c.sh.Unlock()
	return *c.tcb.Config()
}

// Configure changes the settings of the connections the listener will have. They follow the layer's in what f does not
// set. Errors: net.ErrClosed.
func (l *Listener) Configure(f func(*tcp.Config)) error {
	l.in.Lock()
	defer l.in.Unlock()
	if l.in.Closed() {
		return net.ErrClosed
	}
	l.settings.change(f)
	return nil
}

// Config returns the settings that the listener's next connection will have.
func (l *Listener) Config() tcp.Config {
	l.in.Lock()
	defer l.in.Unlock()
	return *l.settings.config(l.layer)
}

// listenerSettings are a listener's: the changes its user made to the layer's settings, or to those it was opened
// with. Guarded by the listener's lock.
type listenerSettings struct {
	opened  *tcp.Config // nil: the layer's
	changes []func(*tcp.Config)
	of      *Settings // what current was made of; nil: it is out of date
	current *tcp.Config
}

func (s *listenerSettings) base(cfg *tcp.Config) { s.opened = cfg }

func (s *listenerSettings) change(f func(*tcp.Config)) {
	s.changes = append(s.changes, f)
	s.of = nil
}

// config returns the settings of a new connection.
func (s *listenerSettings) config(t *Layer) *tcp.Config {
	now := t.Settings()
	if s.of == now {
		return s.current
	}
	cfg := now.TCP
	if s.opened != nil {
		cfg = *s.opened
	}
	for _, f := range s.changes {
		f(&cfg)
	}
	s.of, s.current = now, t.intern(&cfg)
	return s.current
}

// drafts are where the settings of a dial are drawn up, nearly always to turn out as those of others.
var drafts = sync.Pool{New: func() any { return new(tcp.Config) }}

// settings returns the settings of the connection; nil: the layer's.
func (cfg *OpenConfig) settings(t *Layer) *tcp.Config {
	if cfg.TCP == nil && cfg.Change == nil {
		return nil
	}
	c := drafts.Get().(*tcp.Config)
	defer drafts.Put(c)
	if *c = t.Settings().TCP; cfg.TCP != nil {
		*c = *cfg.TCP
	}
	if cfg.Change != nil {
		cfg.Change(c)
	}
	return t.intern(c)
}

// SharesConfig reports whether c and o keep one copy of their settings.
func (c *Conn) SharesConfig(o *Conn) bool { return c.config() == o.config() }

func (c *Conn) config() *tcp.Config {
	c.lock()
	defer c.sh.Unlock()
	return c.tcb.Config()
}
