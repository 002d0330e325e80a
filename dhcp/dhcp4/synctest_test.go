package dhcp4_test

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/dhcp/dhcp4"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/wire"
)

// The same client on the real Runtime, in virtual time: a lease, its renewals, many who ask at once, and no goroutine left.
func TestClientInSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := mem.Pair(mem.Config{Addr: []wire.MAC{{2, 0, 0, 0, 0, 7}, {2, 0, 0, 0, 0, 1}}})
		host, err := onlink.New(onlink.Config{})
		if err != nil {
			t.Fatal(err)
		}
		server, err := onlink.New(onlink.Config{})
		if err != nil {
			t.Fatal(err)
		}
		ifi, err := host.AddLink("eth0", a, onlink.InterfaceConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := server.AddLink("eth0", b, onlink.InterfaceConfig{Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")}}); err != nil {
			t.Fatal(err)
		}
		var serving, running sync.WaitGroup
		serving.Go(func() { serve(server) })

		renewed := 0
		c, err := dhcp4.New(host, ifi, dhcp4.Config{OnEvent: func(e dhcp4.Event) {
			if e.Kind == dhcp4.Renewed {
				renewed++
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		running.Go(func() {
			if err := c.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		soon, stop := context.WithTimeout(t.Context(), time.Second)
		if l, err := c.Wait(soon); err == nil {
			t.Errorf("%v before it was probed", l)
		}
		stop()
		for range 10 {
			running.Go(func() {
				if l, err := c.Wait(ctx); err != nil || l.Address.String() != "192.0.2.7/24" {
					t.Errorf("%v, %v", l, err)
				}
				for range 10 {
					c.Status()
					time.Sleep(time.Minute)
				}
				c.Renew()
			})
		}
		time.Sleep(2 * time.Hour)
		cancel()
		running.Wait()
		if renewed < 4 {
			t.Errorf("renewed %d times", renewed)
		}
		if len(ifi.Addresses()) != 1 { // the link-local one
			t.Errorf("%v", ifi.Addresses())
		}
		for _, s := range []*onlink.Stack{host, server} {
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		serving.Wait()
	})
}

// When the stack goes away under it, a client ends with an error that says so.
func TestStackClosedUnderClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := mem.Pair(mem.Config{Addr: []wire.MAC{{2, 0, 0, 0, 0, 7}, {2, 0, 0, 0, 0, 1}}})
		defer b.Close()
		host, err := onlink.New(onlink.Config{})
		if err != nil {
			t.Fatal(err)
		}
		ifi, err := host.AddLink("eth0", a, onlink.InterfaceConfig{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := dhcp4.New(host, ifi, dhcp4.Config{})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Run(context.Background()) }()
		time.Sleep(time.Second)
		if err := host.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-ended; err == nil {
			t.Error("no error")
		}
	})
}
