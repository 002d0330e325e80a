// Package dhcp6 is a DHCPv6 client (RFC 8415, which takes in 3315, 3633, 3736, 4242, 7083, 7283 and 7550; name servers by RFC 3646, the
// client's name by RFC 4704, delegated prefixes as RFC 7084 and 9096 want them used).
//
// A [Client] configures an interface of a stack: it begins when routers say that DHCPv6 is to be used, gets addresses, delegated
// prefixes, name servers and search domains, renews them, and gives them back in the end.
//
//	client, err := dhcp6.New(stack, eth0, dhcp6.Config{})
//	err = client.Run(ctx) // until ctx is done
//
// A [Machine] is the protocol by itself: messages and instants go in, messages and events come out. It stands over [Message], the
// format. Both are usable without a Client, for other things than an interface.
//
// The format is a package's own, and not that of github.com/insomniacslk/dhcp/dhcpv6, which the tests compare it with: that has no
// Authentication, Reconfigure Message, Server Unicast or SOL_MAX_RT option, and brings dependencies that a format does not need.
//
// Left out: the delayed authentication of RFC 3315, which RFC 8415 withdrew; the exclusion of a part of a prefix (RFC 6603); leases that
// survive a restart, for which a client would have to store them, so that Confirm serves links that change under a running client; and
// messages from relay agents, which do not go to clients.
package dhcp6
