package packetdrill

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/onlink-go/onlink"
)

// ipRoute is ip route. The stack's routes have no attributes of their own. A script has one route that matters, to the
// remote prefix, so that what its attributes say of connections is set for the whole stack, and holds for those opened
// after.
func (w *simWorld) ipRoute(args []string) error {
	switch verb := args[0]; verb {
	case "show", "list", "get", "s", "ls":
		return nil // what it prints is not looked at
	case "flush":
		if len(args) > 1 && args[1] == "cache" {
			return nil // the stack has none apart from what it has learned
		}
	case "add", "replace", "change", "append", "a", "r", "c":
		return w.setRoute(verb, args[1:])
	case "del", "delete", "d":
		return w.deleteRoute(args[1:])
	}
	return unsupported("route " + args[0])
}

// routeAttributes are the attributes that have a setting of the stack. Other ones are not supported.
var routeAttributes = map[string]struct {
	setting string
	value   func(string) (string, error)
}{
	"initcwnd":   {"net.inet.tcp.initcwnd_segments", asNumber},
	"reordering": {"net.ipv4.tcp_reordering", asNumber},
	"congctl":    {"net.ipv4.tcp_congestion_control", func(v string) (string, error) { return v, nil }},
	"rto_min":    {"net.ipv4.tcp_rto_min_us", asMicroseconds},
	"hoplimit":   {"net.ipv4.ip_default_ttl", asNumber},
	"features": {"net.ipv4.tcp_ecn", func(v string) (string, error) {
		if v != "ecn" {
			return "", unsupported("features " + v)
		}
		return "1", nil
	}},
}

func asNumber(v string) (string, error) {
	if _, err := strconv.ParseUint(v, 0, 32); err != nil {
		return "", fmt.Errorf("%q is no number", v)
	}
	return v, nil
}

// asMicroseconds reads a time as ip(8) has it: 50ms, 0.2s, or a number of milliseconds.
func asMicroseconds(v string) (string, error) {
	d, err := time.ParseDuration(v)
	if err != nil {
		d, err = time.ParseDuration(v + "ms")
	}
	if err != nil || d < 0 {
		return "", fmt.Errorf("%q is no time", v)
	}
	return strconv.FormatInt(d.Microseconds(), 10), nil
}

// setRoute sets the attributes of a route, and adds it if it is a new one.
func (w *simWorld) setRoute(verb string, args []string) error {
	r := onlink.Route{Interface: linkName}
	for i := 0; i < len(args); i++ {
		word := args[i]
		switch word {
		case "unicast", "onlink", "lock", "local":
			if word == "lock" || word == "local" {
				return unsupported(word)
			}
			continue
		}
		if p, err := w.prefix(word); err == nil {
			r.Prefix = p
			continue
		}
		if i++; i == len(args) {
			return fmt.Errorf("something is missing behind %s", word)
		}
		if err := w.setAttribute(&r, word, args[i]); err != nil {
			return err
		}
	}
	if !r.Prefix.IsValid() {
		return fmt.Errorf("the prefix is missing")
	}
	if !r.Gateway.IsValid() {
		r.Gateway = w.gateway
	}
	err := w.stack.AddRoute(r)
	if err != nil && strings.HasPrefix(verb, "a") && r.Prefix.Masked() != w.remote.Masked() {
		return err
	}
	return nil // it was there before
}

func (w *simWorld) setAttribute(r *onlink.Route, word, value string) (err error) {
	switch word {
	case "via":
		r.Gateway, err = netip.ParseAddr(value)
		return err
	case "dev":
		if value != linkName {
			return unsupported("device " + value)
		}
		return nil
	case "metric", "pref", "preference", "priority":
		r.Metric, err = strconv.Atoi(value)
		return err
	case "proto", "protocol", "scope", "table", "src":
		if word == "table" && value != "main" && value != "254" {
			return unsupported("table " + value)
		}
		return nil
	case "mtu":
		n, err := strconv.Atoi(value)
		if err != nil || n < 68 || n > 65535 {
			return unsupported("mtu " + value)
		}
		return w.SetMTU(n)
	}
	a, ok := routeAttributes[word]
	if !ok {
		return unsupported(word)
	}
	if value, err = a.value(value); err != nil {
		return err
	}
	return w.SetSysctl(a.setting, value)
}

// deleteRoute removes a route. A script that replaces the one to the remote prefix removes it first; it stays, since what
// comes is the same one with attributes.
func (w *simWorld) deleteRoute(args []string) error {
	p, err := w.prefix(args[0])
	if err != nil || p.Masked() == w.remote.Masked() {
		return err
	}
	return w.stack.RemoveRoute(onlink.Route{Prefix: p, Interface: linkName, Gateway: w.gateway})
}

// prefix reads the prefix of a route.
func (w *simWorld) prefix(s string) (netip.Prefix, error) {
	if s == "default" {
		if w.gateway.Is4() {
			return netip.PrefixFrom(netip.IPv4Unspecified(), 0), nil
		}
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0), nil
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}
