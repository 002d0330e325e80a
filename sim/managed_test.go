package sim_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
)

// Who subscribed hears what routers say of DHCPv6 (RFC 4861, 4.2), and when they say something else; that a flag was said
// again, or by a router that is no default router, makes no difference.
func TestManagedAndOtherAreTold(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	h, r := n.Host("h"), n.Router("r")
	n.Wire(h.Port("eth0"), r.Port("eth0", "2001:db8::1/64"), sim.Line{Delay: time.Millisecond})
	sub := h.Subscribe()
	tell := func(managed, other bool) {
		t.Helper()
		ra := &onlink.RouterAdvertisement{Lifetime: -1, Managed: managed, Other: other}
		if err := r.Interface("eth0").Advertise(ra); err != nil {
			t.Fatal(err)
		}
		n.RunFor(30 * time.Second)
		if l := h.Interface("eth0").State().Learned; l.Managed != managed || l.Other != other {
			t.Errorf("learned %+v", l)
		}
	}
	type flags struct{ managed, other bool }
	tell(false, false)
	want := []flags{{true, false}, {true, true}, {false, true}, {false, false}}
	for _, f := range want {
		tell(f.managed, f.other)
		tell(f.managed, f.other)
	}
	var got []flags
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		c, err := sub.Next(ended)
		if errors.Is(err, context.Canceled) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if c.Interface != nil && c.Op == onlink.Changed {
			got = append(got, flags{c.Interface.Learned.Managed, c.Interface.Learned.Other})
		}
	}
	if len(got) > 0 && got[0] == (flags{}) {
		got = got[1:] // the router's hop limit
	}
	if !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}
