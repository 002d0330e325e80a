package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/trace"
)

// autoconfFlags say how a host configures itself.
type autoconfFlags struct {
	Secret      secret `help:"Make the host part of IPv6 addresses of these 32 hexadecimal digits, not of the hardware address (RFC 7217)." placeholder:"HEX"`
	Temporary   bool   `help:"Have temporary IPv6 addresses too, and connect from them (RFC 8981)."`
	IgnoreRA    bool   `help:"Do not ask for routers, and learn nothing from those there are." name:"ignore-ra"`
	NoLinkLocal bool   `help:"Form no link-local address." name:"no-link-local"`
	LinkLocal4  bool   `help:"Claim an IPv4 address of 169.254/16 while there is no other (RFC 3927)." name:"link-local4"`
	Detect      bool   `help:"Ask whether other stations have our IPv4 addresses before they are used, and defend them (RFC 5227)." name:"detect-conflicts"`
}

// apply configures an interface so.
func (f *autoconfFlags) apply(c *onlink.InterfaceConfig) {
	c.IPv6, c.LinkLocal4 = f.config(), f.LinkLocal4
	if f.Detect {
		c.Conflicts = onlink.DefendOnce
	}
}

func (f *autoconfFlags) config() onlink.IPv6Config {
	c := onlink.IPv6Config{Secret: f.Secret, NoLinkLocal: f.NoLinkLocal}
	if f.Temporary {
		c.Temporary = onlink.PreferTemporary
	}
	if f.IgnoreRA {
		c.RouterAdvertisements = onlink.RANever
	}
	return c
}

// secret is 128 bits, written in hexadecimal digits.
type secret [16]byte

// UnmarshalText reads 32 hexadecimal digits.
func (s *secret) UnmarshalText(b []byte) error {
	if n, err := hex.Decode(s[:], b); err != nil || n != len(s) {
		return fmt.Errorf("%q is not 32 hexadecimal digits", b)
	}
	return nil
}

// newsSize is how many changes may wait to be told; more are not told.
const newsSize = 256

// news tells what the host finds on its link, as it comes. It is a trace.Sink.
type news struct {
	lines chan string
	found chan struct{} // closed with the first address from a router
	once  sync.Once
}

func newNews() *news { return &news{lines: make(chan string, newsSize), found: make(chan struct{})} }

// Trace notes what is worth telling.
func (n *news) Trace(e *trace.Event) {
	var text string
	switch e.Kind {
	case trace.AddressReady:
		text = fmt.Sprintf("address %v", e.Src)
		if !e.Src.IsLinkLocal() && !e.Src.IsLoopback() {
			n.once.Do(func() { close(n.found) })
		}
	case trace.AddressDeprecated:
		text = fmt.Sprintf("address %v is deprecated", e.Src)
	case trace.AddressRemoved:
		text = fmt.Sprintf("address %v is gone", e.Src)
	case trace.AddressDuplicate:
		text = fmt.Sprintf("address %v is a duplicate: %s has it", e.Src, e.To)
	case trace.AddressDefended:
		text = fmt.Sprintf("address %v is claimed by %s too: defended", e.Src, e.To)
	case trace.RouterFound:
		text = fmt.Sprintf("router %v", e.Src)
	case trace.RouterLost:
		text = fmt.Sprintf("router %v is gone", e.Src)
	case trace.IPv6Disabled:
		text = "no IPv6: the address made of the hardware's is a duplicate"
	default:
		return
	}
	n.tell(text)
}

// tell adds a line to the news.
func (n *news) tell(text string) {
	select {
	case n.lines <- text:
	default:
	}
}

// skip forgets what has not been told: the line that says that the host is up tells all of it.
func (n *news) skip() {
	for len(n.lines) > 0 {
		<-n.lines
	}
}

// print prints the news until ctx is done.
func (n *news) print(ctx context.Context) {
	for {
		select {
		case text := <-n.lines:
			fmt.Fprintln(os.Stderr, "onlink:", text)
		case <-ctx.Done():
			return
		}
	}
}

// routerPatience is how long a host without an address of its own waits for one from a router before it says that it is
// up without: the random delays of duplicate address detection and of a router's answer, twice.
const routerPatience = 8 * time.Second

// waitForRouter waits for the first address that is not link-local, for a while.
func (n *news) waitForRouter(ctx context.Context) error {
	t := time.NewTimer(routerPatience)
	defer t.Stop()
	select {
	case <-n.found:
	case <-t.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// describeLearned says what routers told, as "router fe80::1%tap0; name server 2001:db8::53".
func (h *host) describeLearned() (s string) {
	for _, i := range h.Snapshot().Interfaces {
		for _, r := range i.Learned.Routers {
			s += fmt.Sprintf("; router %v", r.Addr)
		}
		s += listed("; name server", i.Learned.NameServers)
	}
	return s
}

func listed(what string, list []netip.Addr) (s string) {
	for _, a := range list {
		s += fmt.Sprintf("%s %v", what, a)
	}
	return s
}
