// Package dns looks names up: a stub resolver (RFC 1034, 5.3.1; RFC 1123, 6.1.3), a client that asks one server one thing, and a
// small server that answers from a list of records.
//
// A [Resolver] asks recursive name servers over connections that a dial function makes, in the time of a [clock.Runtime]: it works
// in real time, inside testing/synctest, and in simulation. It has
//
//   - a search list (RFC 1123, 6.1.4.3) and ndots, as resolv.conf(5) has them;
//   - EDNS(0) with a payload of 1232 octets (RFC 6891), and falls back to plain DNS for servers that do not know it;
//   - TCP for what is too long for UDP (RFC 7766);
//   - several servers: one that does not answer, or answers that it cannot, is followed by the next, and asked last for a while;
//   - responses that match by identifier, question, address and port, the identifier and port being random (RFC 5452);
//   - a cache of bounded size for what there is, by its TTL, and for what there is not (RFC 2308); it is emptied when other
//     servers are to be asked;
//   - one query on the way for however many that ask the same at once;
//   - the names that are not to be asked for: addresses, "localhost" and "invalid" (RFC 6761), "local" (RFC 6762), "onion"
//     (RFC 7686).
//
// Its Lookup methods are those of [net.Resolver], with its results and errors. Servers vouch for what they say: DNSSEC is not
// verified here, and names are taken in ASCII form.
//
// package onlink makes a Resolver of each stack: onlink.Stack.DNS.
package dns
