package packetdrill

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// Version is which family of IP a script runs on: --ip_version.
type Version uint8

// The versions.
const (
	Unset  Version = iota
	IPv4           // AF_INET sockets
	Mapped         // AF_INET6 sockets and IPv4-mapped addresses: IPv4 on the wire
	IPv6           // AF_INET6 sockets
)

var versionNames = [...]string{"", "ipv4", "ipv4-mapped-ipv6", "ipv6"}

// String returns the version as --ip_version has it.
func (v Version) String() string { return versionNames[v] }

// ParseVersion reads a version as --ip_version has it.
func ParseVersion(s string) (Version, error) {
	for v, name := range versionNames {
		if name == s && s != "" {
			return Version(v), nil
		}
	}
	return Unset, fmt.Errorf("ip_version is ipv4, ipv4-mapped-ipv6 or ipv6, not %q", s)
}

// Config is what the options of a script, or of the command line, set. DefaultConfig has the defaults, which are those
// of google/packetdrill.
type Config struct {
	Version               Version
	BindPort, ConnectPort uint16
	LocalIP, GatewayIP    netip.Addr
	RemotePrefix          netip.Prefix // where the route through the interface leads
	RemoteIP              netip.Addr
	PrefixLen             int // of the interface's address
	MTU                   int
	Like                  Like // LikeAuto only until the script is read

	Tolerance        time.Duration // how much earlier or later things may happen than the script says
	TolerancePercent float64       // the same as a share of the time since the event before; the larger of the two holds
	TSTick           time.Duration // what a tick of TCP timestamps takes; 0: the values of outbound ones are not checked
	CheckTSEcr       bool          // check the timestamps echoed in outbound segments
	StrictSegments   bool          // a packet of the script is one on the wire; otherwise several in a row may make it up
	StrictEnd        bool          // no packet may be left over at the end
	NonFatalPacket   bool          // a wrong packet is told and does not end the script
	NonFatalSyscall  bool

	InitScripts []string

	remote, local, gateway, netmask string // as given
	CaptureName                     string // of the interface in a capture
}

// DefaultConfig returns the settings of a script that has no options.
func DefaultConfig() *Config {
	return &Config{BindPort: 8080, ConnectPort: 8080, MTU: 1500, Tolerance: 4 * time.Millisecond, TolerancePercent: 12.5}
}

// remoteModes are options of packetdrill that need a second machine or a shared object.
var remoteModes = []string{"wire_client", "wire_server", "wire_server_ip", "wire_server_at", "wire_server_port",
	"wire_client_dev", "wire_server_dev", "so_filename", "so_flags"}

// Set sets the option --name=value. Errors say what is wrong with it.
func (c *Config) Set(name, value string, has bool) error {
	if f, ok := flagOptions[name]; ok {
		if has && value != "" {
			return fmt.Errorf("--%s takes no value", name)
		}
		f(c)
		return nil
	}
	f, ok := valueOptions[name]
	switch {
	case contains(remoteModes, name):
		return fmt.Errorf("--%s is not supported: scripts run against the stack of this program, or with --kernel", name)
	case !ok:
		return fmt.Errorf("--%s: no such option", name)
	case !has:
		return fmt.Errorf("--%s needs a value", name)
	}
	if err := f(c, value); err != nil {
		return fmt.Errorf("--%s=%s: %w", name, value, err)
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

var flagOptions = map[string]func(*Config){
	"tcp_ts_ecr_scaled": func(c *Config) {}, // echoes are always mapped by their distance where they are not known
	"tcp_ts_ecr_check":  func(c *Config) { c.CheckTSEcr = true },
	"strict_segments":   func(c *Config) { c.StrictSegments = true },
	"strict_end":        func(c *Config) { c.StrictEnd = true },
	"is_anyip":          func(c *Config) {}, // packets may name any addresses
	"send_omit_free":    func(c *Config) {}, // about the memory of the interpreter
	"debug":             func(c *Config) {},
	"verbose":           func(c *Config) {},
	"dry_run":           func(c *Config) {},
}

var valueOptions = map[string]func(c *Config, v string) error{
	"ip_version": func(c *Config, v string) (err error) {
		c.Version, err = ParseVersion(v)
		return err
	},
	"bind_port":    func(c *Config, v string) error { return setPort(&c.BindPort, v) },
	"connect_port": func(c *Config, v string) error { return setPort(&c.ConnectPort, v) },
	"remote_ip":    func(c *Config, v string) error { c.remote = v; return nil },
	"local_ip":     func(c *Config, v string) error { c.local = v; return nil },
	"gateway_ip":   func(c *Config, v string) error { c.gateway = v; return nil },
	"netmask_ip":   func(c *Config, v string) error { c.netmask = v; return nil },
	"like":         func(c *Config, v string) error { return c.setLike(v) },
	"speed":        func(c *Config, v string) error { return nil }, // of the device; the stack does not look at it
	"mss": func(c *Config, v string) error { // of segments that a device joins: they arrive joined as they are written
		var n int
		return setInt(&n, v, 1, 65535)
	},
	"mtu":               func(c *Config, v string) error { return setInt(&c.MTU, v, 68, 65535) },
	"tolerance_usecs":   func(c *Config, v string) error { return setMicroseconds(&c.Tolerance, v) },
	"tcp_ts_tick_usecs": func(c *Config, v string) error { return setMicroseconds(&c.TSTick, v) },
	"tolerance_percent": func(c *Config, v string) error {
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || !(f >= 0 && f <= 100) {
			return errors.New("must be a number from 0 to 100")
		}
		c.TolerancePercent = f
		return nil
	},
	"init_scripts": func(c *Config, v string) error {
		c.InitScripts = append(c.InitScripts, strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })...)
		return nil
	},
	"non_fatal":    setNonFatal,
	"define":       setDefine,
	"D":            setDefine,
	"code_command": func(c *Config, v string) error { return nil }, // the code is evaluated by this program
	"code_format": func(c *Config, v string) error {
		if v != "python" {
			return errors.New("must be python")
		}
		return nil
	},
	"code_sockopt": func(c *Config, v string) error {
		if v != "TCP_INFO" && v != "" {
			return errors.New("only TCP_INFO is supported")
		}
		return nil
	},
}

func setPort(p *uint16, v string) error {
	n, err := strconv.ParseUint(v, 10, 16)
	if err != nil || n == 0 {
		return errors.New("must be a port number")
	}
	*p = uint16(n)
	return nil
}

func setInt(p *int, v string, low, high int) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		return fmt.Errorf("must be a number from %d to %d", low, high)
	}
	*p = n
	return nil
}

func setMicroseconds(p *time.Duration, v string) error {
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil || n < 0 {
		return errors.New("must be a number of microseconds")
	}
	*p = time.Duration(n) * time.Microsecond
	return nil
}

func setNonFatal(c *Config, v string) error {
	for _, what := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' }) {
		switch what {
		case "packet":
			c.NonFatalPacket = true
		case "syscall":
			c.NonFatalSyscall = true
		default:
			return errors.New("must be packet, syscall or both")
		}
	}
	return nil
}

// setDefine looks at the form only: it is the parser that puts the values in.
func setDefine(_ *Config, v string) error {
	if name, _, ok := strings.Cut(v, "="); !ok || name == "" {
		return errors.New("must be NAME=VALUE")
	}
	return nil
}

// Default addresses. The local ones are private (RFC 1918, RFC 4193), the remote ones those for documentation (RFC 5737,
// RFC 3849). google/packetdrill chooses the local one at random within the prefix.
const (
	remote4, local4, gateway4, netmask4 = "192.0.2.1/24", "192.168.0.2", "192.168.0.1", "255.255.0.0"
	remote6, local6, gateway6, prefix6  = "2001:db8::1/32", "fd3d:fa7b:d17d::2", "fd3d:fa7b:d17d:8888::", 48
)

// finish works out the addresses once all options are set.
func (c *Config) finish() error {
	if c.Version == Unset {
		c.Version = IPv4
	}
	remote, local, gateway := remote4, local4, gateway4
	if c.Version == IPv6 {
		remote, local, gateway = remote6, local6, gateway6
		c.PrefixLen = prefix6
	} else if err := c.finishNetmask(); err != nil {
		return err
	}
	var err error
	if c.RemotePrefix, err = c.prefix("remote_ip", choose(c.remote, remote)); err != nil {
		return err
	}
	c.RemoteIP = c.RemotePrefix.Addr()
	c.RemotePrefix = c.RemotePrefix.Masked()
	if c.LocalIP, err = c.address("local_ip", choose(c.local, local)); err != nil {
		return err
	}
	c.GatewayIP, err = c.address("gateway_ip", choose(c.gateway, gateway))
	return err
}

func choose(given, otherwise string) string {
	if given != "" {
		return given
	}
	return otherwise
}

func (c *Config) finishNetmask() error {
	mask, err := netip.ParseAddr(choose(c.netmask, netmask4))
	if err != nil || !mask.Is4() {
		return fmt.Errorf("--netmask_ip=%s: must be an IPv4 netmask", c.netmask)
	}
	bits, b := 0, mask.As4()
	for i := range 32 {
		if b[i/8]&(0x80>>(i%8)) == 0 {
			break
		}
		bits++
	}
	c.PrefixLen = bits
	return nil
}

func (c *Config) v6() bool { return c.Version == IPv6 }

func (c *Config) address(name, v string) (netip.Addr, error) {
	a, err := netip.ParseAddr(v)
	if err != nil || a.Is4() == c.v6() || a.Zone() != "" {
		return a, fmt.Errorf("--%s=%s: must be an address of %s", name, v, wireFamily(c.v6()))
	}
	return a, nil
}

// prefix reads an address with or without the length of a prefix.
func (c *Config) prefix(name, v string) (netip.Prefix, error) {
	host, _, has := strings.Cut(v, "/")
	a, err := c.address(name, host)
	if err != nil || !has {
		return netip.PrefixFrom(a, a.BitLen()), err
	}
	p, err := netip.ParsePrefix(v)
	if err != nil {
		return p, fmt.Errorf("--%s=%s: the length of the prefix is wrong", name, v)
	}
	return p, nil
}

func wireFamily(v6 bool) string {
	if v6 {
		return "IPv6"
	}
	return "IPv4"
}

// domain is the address family of sockets whose family the script leaves open: AF_INET or AF_INET6.
func (c *Config) domain() int {
	if c.Version == IPv4 {
		return afINET
	}
	return afINET6
}

// sockAddr returns a on the family of the script's sockets.
func (c *Config) sockAddr(a netip.Addr, port uint16) netip.AddrPort {
	if c.Version == Mapped {
		a = netip.AddrFrom16(a.As16())
	}
	return netip.AddrPortFrom(a, port)
}

// The address families of Linux.
const (
	afUnspec = 0
	afINET   = 2
	afINET6  = 10
)

// configure applies the options of a script, then those of the command line, which overrule them.
func configure(s *script.Script, over []script.Option) (*Config, error) {
	c := DefaultConfig()
	for _, o := range s.Options {
		if err := c.Set(o.Name, o.Value, o.HasValue); err != nil {
			return nil, &script.SyntaxError{Pos: o.Pos, Msg: err.Error()}
		}
	}
	for _, o := range over {
		if err := c.Set(o.Name, o.Value, o.HasValue); err != nil {
			return nil, err
		}
	}
	if c.Like == LikeAuto {
		c.Like = likeOf(s)
	}
	return c, c.finish()
}

// Versions returns what a script runs on unless it is told: what it says itself, or else IPv4 and IPv6.
func Versions(s *script.Script) []Version {
	var said []Version
	for _, o := range s.Options {
		if o.Name == "ip_version" {
			if v, err := ParseVersion(o.Value); err == nil {
				said = []Version{v}
			}
		}
	}
	if said != nil {
		return said
	}
	return []Version{IPv4, IPv6}
}
