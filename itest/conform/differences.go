package conform

import "strings"

// difference says why onlink and Linux answer cases differently whose names begin with prefix.
type difference struct{ prefix, why string }

// differences are all there are between onlink and Linux 6.18. What is not here is the same.
var differences = []difference{
	{"routing 3 left 1", "RFC 8200, 4.4: an unrecognized routing type; Linux knows RPL's, and is silent while it is off"},
	{"routing 4 left", "RFC 8200, 4.4: an unrecognized routing type; Linux knows segment routing, and is silent while it is off"},
	{"atomic fragment twice", `RFC 8200, 4.1: nodes "must accept and attempt to process extension headers in any order and occurring any number of times"`},
	{"IOAM", "RFC 8200, 4.2: the action bits of its type say to skip it; Linux knows it, and is silent while it is off"},
	{"calipso", "RFC 8200, 4.2: the action bits of its type say to skip it; Linux knows it, and is silent while it is off"},
	{"PadN beyond header", `RFC 4443, 3.4: "SHOULD originate an ICMPv6 Parameter Problem message"`},
	{"option beyond header", `RFC 4443, 3.4: "SHOULD originate an ICMPv6 Parameter Problem message"`},
	{"option type without length", `RFC 4443, 3.4: "SHOULD originate an ICMPv6 Parameter Problem message"`},
	{"forward IPv6: bad option in hop-by-hop", `RFC 4443, 3.4: "SHOULD originate an ICMPv6 Parameter Problem message"`},
	{"IPv6 fragments: within", "RFC 5722, 4: all that overlaps ends the datagram; Linux takes what is there already for a duplicate"},
	{"IPv6 fragments: same end", "RFC 5722, 4: all that overlaps ends the datagram; Linux takes what is there already for a duplicate"},
	{"IPv6 fragments: after an overlap the same again", `RFC 5722, 4: "including those not yet received, MUST be silently discarded"`},
	{"fragments: too long, behind destination options", "RFC 8200, 4.5: it is the Payload Length that would exceed 65,535, which counts headers too"},
	{"IPv6 echo from ::", "RFC 4291, 2.5.2: the unspecified address must not be used as the destination of packets"},
	{"IPv4 echo from 0.1.2.3", "RFC 1122, 3.2.1.3: MUST be discarded"}, {"IPv4 UDP from 0.1.2.3", "RFC 1122, 3.2.1.3: MUST be discarded"},
	{"IPv4 unknown protocol from 0.1.2.3", "RFC 1122, 3.2.1.3: MUST be discarded"},
	{"IPv4 echo from class E", "RFC 1812, 5.3.7: invalid"}, {"IPv4 UDP from class E", "RFC 1812, 5.3.7: invalid"},
	{"IPv4 unknown protocol from class E", "RFC 1812, 5.3.7: invalid"},
	{"forward IPv4: martian source of class E", "RFC 1812, 5.3.7: SHOULD NOT be forwarded"},
	{"forward IPv4: martian source of 0/8", "RFC 1812, 5.3.7: SHOULD NOT be forwarded"},
	{"forward IPv4: to class E", "RFC 1812, 5.3.7: SHOULD NOT be forwarded"},
	{"IPv4 echo from the subnet's", "RFC 1122, 3.2.1.3: a broadcast address MUST NOT be a source"},
	{"IPv4 UDP from the subnet's", "RFC 1122, 3.2.1.3: a broadcast address MUST NOT be a source"},
	{"IPv4 unknown protocol from the subnet's", "RFC 1122, 3.2.1.3: a broadcast address MUST NOT be a source"},
	{"forward IPv4: to the subnet's zero", "RFC 1122, 3.3.6: the 0 form is a broadcast address too, and RFC 2644, 2, has directed broadcasts not forwarded"},
	{"IPv4 unicast in a broadcast frame", `RFC 1122, 3.3.6: "SHOULD silently discard a datagram that is received via a link-layer broadcast"`},
	{"IPv4 UDP option end, then rubbish", "Linux clears what is behind the end of options before it quotes it"},
	{"IPv4 UDP option record route", "Linux leaves the header checksum as it was in what it quotes"},
	{"IPv4 UDP option time stamp", "Linux leaves the header checksum as it was in what it quotes; and the clocks differ"},
	{"IPv4 option record route twice", "RFC 1812, 4.3.2.6, has no options in a Parameter Problem"},
	{"IPv4 option time stamp", "the clocks differ"},
	{"forward IPv4: option time stamp with address", "the clocks differ; and Linux enters the address by which it came in"},
	{"IPv4 option loose source route", `RFC 1122, 3.3.5: "SHOULD return an ICMP Destination Unreachable (code 5, Source Route Failed) message"`},
	{"IPv4 option strict source route", `RFC 1122, 3.3.5: "SHOULD return an ICMP Destination Unreachable (code 5, Source Route Failed) message"`},
	{"IPv4 UDP option loose source route", `RFC 1122, 3.3.5: "SHOULD return an ICMP Destination Unreachable (code 5, Source Route Failed) message"`},
	{"IPv4 UDP option strict source route", `RFC 1122, 3.3.5: "SHOULD return an ICMP Destination Unreachable (code 5, Source Route Failed) message"`},
	{"IPv4 option two source routes", "the first is refused at once"}, {"IPv4 UDP option two source routes", "the first is refused at once"},
	{"IPv4 option CIPSO", "RFC 1122, 3.2.1.8: options not understood are ignored"}, {"IPv4 UDP option CIPSO", "RFC 1122, 3.2.1.8: options not understood are ignored"},
	{"ICMPv6 type 128 code 99", "RFC 4443, 4.2: the code of a reply is 0"}, {"ICMP type 8 code 9", "RFC 792: the code of a reply is 0"},
	{"forward IPv4: of 1428 octets, with options", "the clocks differ; and Linux puts No Operation where an option is not copied, onlink leaves it out"},
	{"forward IPv6: back where it came from", `RFC 4861, 8.2: "A router SHOULD send a redirect message"; Linux sends none here`},
	{"forward IPv6: link-local destination", "RFC 4291, 2.5.6: not forwarded to other links; Linux does on the same link"},
	{"forward IPv6: both link-local", "RFC 4291, 2.5.6: not forwarded to other links; Linux does on the same link"},
	{"forward IPv4: link-local", "RFC 3927, 7: MUST NOT be forwarded"},
	{"forward IPv6: own source", "it was not us who sent it"},
	{"path MTU: of another's packet", "RFC 8201, 6: it quotes nothing that was sent"},
	{"path MTU: of nothing sent", "RFC 8201, 6: it quotes nothing that was sent"},
	{"path MTU: IPv4 of nothing sent", "RFC 5927, 7: it quotes nothing that was sent"},
	{"path MTU: IPv4 echo reply, 0", "RFC 1191, 7.1: the next plateau, which is 1006; Linux takes the least MTU that it believes"},
	{"forward IPv6: hop-by-hop option 9e to a group", "RFC 8200, 4: the options of a packet that goes nowhere concern nobody"},
	{"ARP sender link-layer address broadcast", credible},
	{"ARP sender link-layer address a group's", credible},
	{"ARP sender link-layer address zero", credible},
	{"ARP sender link-layer address ours", credible},
	{"ARP probe, sender link-layer address broadcast", credible},
	{"ARP probe, sender link-layer address a group's", credible},
	{"ARP probe, sender link-layer address zero", credible},
	{"ARP probe, sender link-layer address ours", credible},
}

// credible is why some link-layer addresses are not answered.
const credible = `nobody's own link-layer address: an answer would go to everybody, to nobody or to ourselves; Linux sends it (cf. RFC 1812, 3.3.2: "MUST not believe any ARP reply that claims that the Link Layer address of another host or router is a broadcast or multicast address")`

// differs returns why the case of that name differs, or may; empty: it must not.
func differs(name string) string {
	for _, d := range differences {
		if strings.HasPrefix(name, d.prefix) {
			return d.why
		}
	}
	return ""
}
