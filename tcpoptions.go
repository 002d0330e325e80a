package onlink

import (
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpsock"
	"github.com/onlink-go/onlink/wire"
)

// TCPOptions are what the user of a connection, or of a listener for all of its connections, may choose. The zero value
// of a field leaves the stack's setting as it is. The names in capitals are Linux's socket options of the same meaning.
type TCPOptions struct {
	// When data is sent.
	Nagle           bool   // Nagle's algorithm on (RFC 9293, 3.7.4); as with package net it is off: TCP_NODELAY
	Cork            bool   // TCP_CORK: only full segments, and the rest after a retransmission timeout or when uncorked
	NotSentLowWater int    // TCP_NOTSENT_LOWAT: Write waits while so many octets wait to be sent
	MaxPacingRate   uint64 // SO_MAX_PACING_RATE: octets a second

	// Buffers, in octets. Setting one ends its automatic tuning.
	SendBuffer      int // SO_SNDBUF
	ReceiveBuffer   int // SO_RCVBUF: the largest window
	WindowClamp     int // TCP_WINDOW_CLAMP: bounds the window too
	ReceiveLowWater int // SO_RCVLOWAT: Read waits for so many octets, or as many as it can take

	// When to give up.
	SYNRetries  int           // TCP_SYNCNT: retransmissions of a SYN
	UserTimeout time.Duration // TCP_USER_TIMEOUT: how long data may stay unacknowledged (RFC 5482)
	KeepAlive   net.KeepAliveConfig
	FinWait2    time.Duration // TCP_LINGER2: how long FIN-WAIT-2 lasts after Close; negative: a RST ends it at once

	// The handshake and the path.
	MaxSegment        int    // TCP_MAXSEG: bounds the MSS announced and used
	CongestionControl string // TCP_CONGESTION: by name
	HopLimit          uint8  // IP_TTL, IPV6_UNICAST_HOPS
	Mark              uint32 // SO_MARK: what rules choose a routing table by
	TrafficClass      uint8  // IP_TOS, IPV6_TCLASS; its two lowest bits are the stack's (RFC 3168)
	FlowLabel         uint32 // of IPv6, 20 bits (RFC 6437); 0: one is made for the connection

	// Keys authenticate the connections with the peers they are for: TCP-AO (RFC 5925), TCP_MD5SIG (RFC 2385).
	Keys []TCPKey

	// Listeners only.
	DeferAccept   time.Duration // TCP_DEFER_ACCEPT: a connection is accepted with its first data, or after so long
	FastOpenQueue int           // TCP_FASTOPEN: so many connections may wait with data in their SYN (RFC 7413); 0: none
}

// check returns an error that names the field that is wrong.
func (o *TCPOptions) check(cfg *tcp.Config) error {
	if o.FlowLabel >= uint32(ip.NoLabel) {
		return fmt.Errorf("onlink: TCPOptions.FlowLabel is %#x: has 20 bits: %w", o.FlowLabel, syscall.EINVAL)
	}
	for _, n := range [...]struct {
		name  string
		value int
	}{{"NotSentLowWater", o.NotSentLowWater}, {"SendBuffer", o.SendBuffer}, {"ReceiveBuffer", o.ReceiveBuffer},
		{"WindowClamp", o.WindowClamp}, {"ReceiveLowWater", o.ReceiveLowWater}, {"SYNRetries", o.SYNRetries},
		{"FastOpenQueue", o.FastOpenQueue}} {
		if n.value < 0 {
			return fmt.Errorf("onlink: TCPOptions.%s is %d: must not be negative: %w", n.name, n.value, syscall.EINVAL)
		}
	}
	switch {
	case o.MaxSegment != 0 && (o.MaxSegment < minMaxSegment || o.MaxSegment > maxMaxSegment):
		return fmt.Errorf("onlink: TCPOptions.MaxSegment is %d: must be from %d to %d: %w", o.MaxSegment, minMaxSegment,
			maxMaxSegment, syscall.EINVAL)
	case o.UserTimeout < 0 || o.DeferAccept < 0:
		return fmt.Errorf("onlink: TCPOptions: a negative time: %w", syscall.EINVAL)
	}
	if _, err := tcpKeys(o.Keys); err != nil {
		return fmt.Errorf("onlink: TCPOptions.Keys: %w: %w", err, syscall.EINVAL)
	}
	return checkControl(cfg, o.CongestionControl)
}

// The bounds of TCP_MAXSEG.
const (
	minMaxSegment = 88
	maxMaxSegment = 32767
)

// change changes the settings of a connection as o says.
func (o *TCPOptions) change(c *tcp.Config) {
	c.NoDelay = !o.Nagle
	c.Cork = o.Cork
	for _, f := range [...]struct {
		to   *int
		from int
	}{{&c.NotSentLowWater, o.NotSentLowWater}, {&c.SendBuffer, o.SendBuffer}, {&c.ReceiveBuffer, o.ReceiveBuffer},
		{&c.WindowClamp, o.WindowClamp}, {&c.ReceiveLowWater, o.ReceiveLowWater}, {&c.SYNRetries, o.SYNRetries},
		{&c.MaxSeg, o.MaxSegment}, {&c.FastOpenQueue, o.FastOpenQueue}} {
		if f.from != 0 {
			*f.to = f.from
		}
	}
	for _, f := range [...]struct{ to, from *time.Duration }{{&c.UserTimeout, &o.UserTimeout}, {&c.FinWait2, &o.FinWait2},
		{&c.DeferAccept, &o.DeferAccept}} {
		if *f.from != 0 {
			*f.to = *f.from
		}
	}
	if o.MaxPacingRate != 0 {
		c.MaxPacingRate = o.MaxPacingRate
	}
	if o.CongestionControl != "" {
		c.CongestionControl = o.CongestionControl
	}
	if o.KeepAlive.Enable {
		setKeepAlive(c, o.KeepAlive)
	}
}

// headers returns what packets begin with as o says; v4 and v6 differ in what the stack adds.
func (o *TCPOptions) headers(s *tcpsock.Settings) tcpsock.Headers {
	h := tcpsock.Header{HopLimit: o.HopLimit, TrafficClass: o.TrafficClass &^ ecnBits, FlowLabel: ip.FlowLabel(o.FlowLabel), Mark: o.Mark}
	return tcpsock.Headers{V4: tcpsock.Header{HopLimit: h.HopLimit, TrafficClass: h.TrafficClass,
		Mark: h.Mark, MayFragment: s.NoPathMTUDiscovery != 0}, V6: h}
}

// ecnBits are those of the traffic class that belong to explicit congestion notification (RFC 3168, 5).
const ecnBits = 3

// setKeepAlive turns keep-alive on with package net's times for those that are not positive.
func setKeepAlive(c *tcp.Config, k net.KeepAliveConfig) {
	c.KeepAlive = true
	c.KeepAliveIdle, c.KeepAliveInterval, c.KeepAliveCount = keepAliveIdle, keepAliveInterval, keepAliveCount
	if k.Idle > 0 {
		c.KeepAliveIdle = k.Idle
	}
	if k.Interval > 0 {
		c.KeepAliveInterval = k.Interval
	}
	if k.Count > 0 {
		c.KeepAliveCount = k.Count
	}
}

// anyChange is change of who has no wishes: most often it need not be made anew.
var anyChange = anyDialer.TCP.change

// open returns what a connection to dst is opened with as o says.
func (o *TCPOptions) open(s *tcpsock.Settings, dst wire.Addr) tcpsock.OpenConfig {
	h := o.headers(s)
	keys, _ := tcpKeys(o.Keys) // checked before
	c := tcpsock.OpenConfig{Change: anyChange, Header: h.V6, Keys: keys}
	if o != &anyDialer.TCP {
		c.Change = o.change
	}
	if dst.Is4() {
		c.Header = h.V4
	}
	return c
}
