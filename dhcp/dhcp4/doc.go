// Package dhcp4 is the client, and a small server, of DHCP for IPv4. It configures an interface from servers on its link: an address for a time, routes, MTU and name servers
// (RFC 2131, 2132; 3396 long options, 3397 domain search lists, 3442 classless routes, 4361 and 6842 client identifiers, 5227
// address conflicts).
//
// A [Client] is all that most programs need:
//
//	c, err := dhcp4.New(stack, ifi, dhcp4.Config{MachineConfig: dhcp4.MachineConfig{HostName: "toaster"}})
//	go c.Run(ctx) // until ctx is done; then the lease is given back
//	lease, err := c.Wait(ctx)
//
// In simulation Run belongs into a coroutine: node.Go("dhcp", func() { c.Run(ctx) }). A [Lease] can be kept as JSON and given to
// the client of a later time, which then asks for the same address (INIT-REBOOT).
//
// Under it there are [Machine], the states of RFC 2131, figure 5, without network and clock, and [Message], the format. A format
// library would have been at hand, insomniacslk/dhcp, but it keeps neither the order of options nor what overloads
// 'file' and 'sname' (RFC 2131, 4.1), and brings a compressor along.
//
// A [Server], with its [Pool], gives addresses to others: for labs and tests.
//
// What is left out: authentication of messages (RFC 3118), DHCPFORCERENEW (RFC 3203), the client's name in the DNS (RFC 4702) beside
// its host name, and networks other than Ethernet.
package dhcp4
