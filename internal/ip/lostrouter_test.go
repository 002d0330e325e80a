package ip

import (
	"testing"

	"github.com/onlink-go/onlink/wire"
)

// RFC 4861, 7.2.5: "In those cases where the IsRouter flag changes from TRUE to FALSE as a result of this update, the node
// MUST remove that router from the Default Router List and update the Destination Cache entries for all destinations using
// that neighbor as a router". Redirects made such entries.
func TestLostRouterEndsRedirects(t *testing.T) {
	b := redirectBed(t)
	onLink := a6("2001:db8:f::77")
	tell := func(target, dst wire.Addr) {
		b.in(b.eth0, redirect6(peerLL, us6, wire.Redirect{Target: target, Destination: dst, TargetLink: betterMAC}))
		if got := b.nextHop(dst); got != target {
			t.Fatalf("%v goes to %v, not where it is redirected to, %v", dst, got, target)
		}
	}
	hear := func(target wire.Addr, router bool) {
		b.in(b.eth0, nd6(wire.AllNodes6.MulticastMAC(), betterMAC, target, wire.AllNodes6,
			&wire.NeighborAdvertisement{Target: target, TargetLink: betterMAC, Override: true, Router: router}))
	}
	tell(betterLL, far6)
	tell(onLink, onLink)
	hear(betterLL, true)
	if got := b.nextHop(far6); got != betterLL {
		t.Errorf("it is a router still, but packets go to %v", got)
	}
	hear(onLink, false) // it never was one
	if got := b.nextHop(onLink); got != onLink {
		t.Errorf("a host on-link is none any more: packets go to %v", got)
	}
	hear(betterLL, false)
	if got := b.nextHop(far6); got != peerLL {
		t.Errorf("it is no router any more, but packets go to %v", got)
	}
	if got := b.nextHop(onLink); got != onLink {
		t.Errorf("another redirect ended: packets go to %v", got)
	}
	// And it may become one again.
	tell(betterLL, far6)
}
