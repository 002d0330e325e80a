package dhcp6_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/dhcp/dhcp6"
	"github.com/onlink-go/onlink/sim"
)

// A host whose router says M gets an address. In the simulator the client is an application of the node; elsewhere it is a goroutine.
func Example() {
	n := sim.New(1)
	defer n.Stop()
	host, router := n.Host("host"), n.Router("router")
	n.Wire(host.Port("eth0"), router.Port("eth0", "2001:db8:1::1/64"), sim.Line{Delay: time.Millisecond})
	server := &office{Network: n, router: router, host: host, lifetime: 400, address: "2001:db8:1::5", prefix: "2001:db8:500::/56"}
	router.Go("server", func() { server.serveOn("eth0") })
	router.Interface("eth0").Advertise(&onlink.RouterAdvertisement{Managed: true,
		Prefixes: []onlink.AdvertisedPrefix{{Prefix: netip.MustParsePrefix("2001:db8:1::/64"), NoAutoconf: true}}})

	client, err := dhcp6.New(host.Stack, host.Interface("eth0"), dhcp6.Config{
		Tell: func(e dhcp6.Event) {
			if e.Kind == dhcp6.LeaseAdded || e.Kind == dhcp6.LeaseRemoved {
				fmt.Println(e.Lease, map[bool]string{true: "leased", false: "given back"}[e.Kind == dhcp6.LeaseAdded])
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, end := host.WithCancel(context.Background())
	host.Go("dhcp6", func() { client.Run(ctx) })
	n.RunFor(20 * time.Second)
	fmt.Println(client.State().State)
	end()
	n.RunFor(time.Second)
	fmt.Println(client.State().State)
	// Output:
	// address 2001:db8:1::5 leased
	// bound
	// address 2001:db8:1::5 given back
	// stopped
}
