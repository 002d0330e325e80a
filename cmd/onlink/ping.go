package main

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/onlink-go/onlink"
)

// pingCmd is `onlink ping`, which asks and prints in the manner of ping(8).
type pingCmd struct {
	targetFlags `embed:""`
	familyFlags `embed:""`
	Count       int64   `help:"Stop after N replies." short:"c" placeholder:"N" default:"-1"`
	Interval    float64 `help:"Seconds between requests." short:"i" placeholder:"SECONDS" default:"1"`
	Size        int     `help:"Octets of payload." short:"s" placeholder:"OCTETS" default:"56"`
	TTL         int     `help:"TTL or hop limit of the requests; 0: the usual one." name:"ttl" short:"t" placeholder:"N" default:"0"`
	Linger      float64 `help:"Seconds to wait for the last reply, if there was none at all." short:"W" placeholder:"SECONDS" default:"10"`
	Deadline    float64 `help:"Seconds after which to end, however many requests are answered; 0: none." short:"w" placeholder:"SECONDS" default:"0"`
	Quiet       bool    `help:"Print the beginning and the end only." short:"q"`
	Numeric     bool    `help:"Print no names." short:"n"`
	Outstanding bool    `help:"Tell of requests without a reply when the next is sent." short:"O"`
	Timestamp   bool    `help:"Print when each reply came: seconds since 1970." short:"D"`
	MTU         string  `help:"What becomes of requests larger than the path takes: do (not fragment them), want, dont (set DF), probe." short:"M" name:"mtu-discovery" placeholder:"HOW" default:"want" enum:"do,want,dont,probe"`
	Pattern     string  `help:"Hexadecimal digits to fill the payload with, up to 16 octets." short:"p" placeholder:"HEX"`
	From        string  `help:"Interface to send by, or address to send from." short:"I" placeholder:"IFACE|ADDR"`
	TOS         int     `help:"TOS or traffic class." name:"tos" short:"Q" placeholder:"N" default:"0"`
	Mark        uint32  `help:"Mark, by which rules choose a table." short:"m" placeholder:"N" default:"0"`
	Flood       bool    `help:"Not done here: requests without a pause." short:"f"`
	Host        string  `arg:"" help:"Whom to ask: an address, with %IFACE behind one that needs it, or a name."`
}

// Run has the command work on the host that the flags say.
func (c *pingCmd) Run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.target(ctx, c)
}

// maxPing is the longest payload of an echo request: 65,535 octets less the headers of IPv4 and ICMP.
const maxPing = 65507

// check says what is wrong with the flags.
func (c *pingCmd) check() error {
	switch {
	case c.Flood:
		return usagef("ping: -f: floods are not sent; -i says how often to ask")
	case c.Count == 0 || c.Count < -1:
		return usagef("ping: -c %d: must be at least 1", c.Count)
	case !(c.Interval >= 0.001 && c.Interval <= maxSeconds):
		return usagef("ping: -i %v: must be 0.001 to %v seconds", c.Interval, maxSeconds)
	case c.Size < 0 || c.Size > maxPing:
		return usagef("ping: -s %d: must be 0 to %d", c.Size, maxPing)
	case c.TTL < 0 || c.TTL > 255:
		return usagef("ping: -t %d: must be 1 to 255", c.TTL)
	case c.TOS < 0 || c.TOS > 255:
		return usagef("ping: -Q %d: must be 0 to 255", c.TOS)
	case !(c.Linger >= 0 && c.Linger <= maxSeconds):
		return usagef("ping: -W %v: must be 0 to %v seconds", c.Linger, maxSeconds)
	case !(c.Deadline >= 0 && c.Deadline <= maxSeconds):
		return usagef("ping: -w %v: must be 0 to %v seconds", c.Deadline, maxSeconds)
	case c.Host == "":
		return usagef("ping: no host")
	}
	if b, err := c.pattern(); err != nil || len(b) > 16 {
		return usagef("ping: -p %s: must be hexadecimal digits, up to 32", c.Pattern)
	}
	return c.familyFlags.check("ping")
}

// maxSeconds bounds the times that the tools take: a day and more.
const maxSeconds = 100_000.0

// ofSeconds returns n seconds.
func ofSeconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// pattern returns the octets to fill the payload with; none: the numbers from 0 on.
func (c *pingCmd) pattern() ([]byte, error) {
	text := c.Pattern
	if len(text)%2 == 1 {
		text = text[:len(text)-1] + "0" + text[len(text)-1:]
	}
	return hex.DecodeString(text)
}

// discoveries are what -M says.
var discoveries = map[string]onlink.MTUDiscovery{"do": onlink.DiscoverDo, "want": onlink.DiscoverWant, "dont": onlink.DiscoverNot,
	"probe": onlink.DiscoverProbe}
