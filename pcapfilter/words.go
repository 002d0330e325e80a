package pcapfilter

// keywords are the words that are not names, unless a backslash stands before them.
var keywords = set("and", "or", "not", "src", "dst", "host", "net", "mask", "port", "portrange", "proto", "protochain", "gateway",
	"broadcast", "multicast", "less", "greater", "byte", "len", "length", "inbound", "outbound", "vlan", "mpls", "pppoed", "pppoes",
	"geneve", "ifindex", "type", "subtype", "dir", "lane", "oam", "rset", "ruleset", "on", "ifname", "rnr", "rulenum", "srnr",
	"subrulenum", "reason", "action", "llc",
	"link", "ether", "ppp", "slip", "fddi", "tr", "wlan", "ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp",
	"igrp", "pim", "vrrp", "carp", "esp", "ah", "stp", "ipx", "netbeui", "iso", "clnp", "esis", "isis", "atalk", "aarp", "decnet", "lat",
	"sca", "moprc", "mopdl", "radio")

// absent are the keywords that this package has no program for, and why.
var absent = map[string]string{
	"protochain": "would need a loop, which classic BPF does not have: use proto",
	"gateway":    "would need a host's name to be looked up: use ether host, and not host",
	"byte":       "is not supported: use ether[…]",
	"mpls":       "MPLS is not supported", "pppoed": "PPPoE is not supported", "pppoes": "PPPoE is not supported", "geneve": "Geneve is not supported",
	"ifindex": "is not visible to classic BPF: choose the interface instead", "ifname": "is known to pf only", "on": "is known to pf only",
	"rset": "is known to pf only", "ruleset": "is known to pf only", "rnr": "is known to pf only", "rulenum": "is known to pf only",
	"srnr": "is known to pf only", "subrulenum": "is known to pf only", "reason": "is known to pf only", "action": "is known to pf only",
	"type": "is of IEEE 802.11, which is not supported", "subtype": "is of IEEE 802.11, which is not supported",
	"dir": "is of IEEE 802.11, which is not supported", "lane": "ATM is not supported", "oam": "ATM is not supported",
	"llc": "is not supported: use ether proto or ether[…]", "iso": "ISO's protocols are not supported", "clnp": "ISO's protocols are not supported",
	"esis": "ISO's protocols are not supported", "isis": "ISO's protocols are not supported", "atalk": "AppleTalk is not supported",
	"aarp": "AppleTalk is not supported", "ipx": "is not supported", "netbeui": "is not supported", "radio": "IEEE 802.11 is not supported",
}

func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}

// links are the other words for ether.
var links = set("link", "ether", "ppp", "slip", "fddi", "tr", "wlan")

// protocols are the words that stand for a protocol, with the number by which IP knows it; for others −1.
var protocols = map[string]int{"ether": -1, "ip": -1, "ip6": -1, "arp": -1, "rarp": -1, "tcp": 6, "udp": 17, "sctp": 132, "icmp": 1, "icmp6": 58,
	"igmp": 2, "igrp": 9, "pim": 103, "vrrp": 112, "carp": 112, "esp": 50, "ah": 51, "stp": -1, "decnet": -1, "lat": -1, "sca": -1,
	"moprc": -1, "mopdl": -1}

// protocolNames are the names that proto takes, as RFC 5237's registry and Linux's /etc/protocols have them.
var protocolNames = map[string]uint32{"ip": 0, "hopopt": 0, "icmp": 1, "igmp": 2, "ggp": 3, "ipencap": 4, "st": 5, "tcp": 6, "egp": 8, "igp": 9,
	"pup": 12, "udp": 17, "hmp": 20, "xns-idp": 22, "rdp": 27, "iso-tp4": 29, "dccp": 33, "xtp": 36, "ddp": 37, "idpr-cmtp": 38, "ipv6": 41,
	"ipv6-route": 43, "ipv6-frag": 44, "idrp": 45, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "skip": 57, "ipv6-icmp": 58, "icmp6": 58,
	"ipv6-nonxt": 59, "ipv6-opts": 60, "rspf": 73, "vmtp": 81, "eigrp": 88, "ospf": 89, "ax.25": 93, "ipip": 94, "etherip": 97, "encap": 98, "pim": 103,
	"ipcomp": 108, "vrrp": 112, "carp": 112, "l2tp": 115, "isis": 124, "sctp": 132, "fc": 133, "mobility-header": 135, "udplite": 136, "mpls-in-ip": 137,
	"manet": 138, "hip": 139, "shim6": 140, "wesp": 141, "rohc": 142, "ethernet": 143}

// etherNames are the names that ether proto takes.
var etherNames = map[string]uint32{"ip": 0x0800, "ip6": 0x86dd, "arp": 0x0806, "rarp": 0x8035, "decnet": 0x6003, "lat": 0x6004, "sca": 0x6007,
	"moprc": 0x6002, "mopdl": 0x6001, "loopback": 0x9000}

// constants are the names of offsets and values within headers.
var constants = map[string]uint32{
	"icmptype": 0, "icmpcode": 1, "icmp6type": 0, "icmp6code": 1, "tcpflags": 13,
	"tcp-fin": 0x01, "tcp-syn": 0x02, "tcp-rst": 0x04, "tcp-push": 0x08, "tcp-ack": 0x10, "tcp-urg": 0x20, "tcp-ece": 0x40, "tcp-cwr": 0x80,
	"icmp-echoreply": 0, "icmp-unreach": 3, "icmp-sourcequench": 4, "icmp-redirect": 5, "icmp-echo": 8, "icmp-routeradvert": 9,
	"icmp-routersolicit": 10, "icmp-timxceed": 11, "icmp-paramprob": 12, "icmp-tstamp": 13, "icmp-tstampreply": 14, "icmp-ireq": 15,
	"icmp-ireqreply": 16, "icmp-maskreq": 17, "icmp-maskreply": 18,
	"icmp6-destinationrunreach": 1, "icmp6-destinationunreach": 1, "icmp6-packettoobig": 2, "icmp6-timeexceeded": 3,
	"icmp6-parameterproblem": 4, "icmp6-echo": 128, "icmp6-echoreply": 129, "icmp6-multicastlistenerquery": 130,
	"icmp6-multicastlistenerreportv1": 131, "icmp6-multicastlistenerdone": 132, "icmp6-routersolicit": 133, "icmp6-routeradvert": 134,
	"icmp6-neighborsolicit": 135, "icmp6-neighboradvert": 136, "icmp6-redirect": 137, "icmp6-routerrenum": 138,
	"icmp6-nodeinformationquery": 139, "icmp6-nodeinformationresponse": 140, "icmp6-ineighbordiscoverysolicit": 141,
	"icmp6-ineighbordiscoveryadvert": 142, "icmp6-multicastlistenerreportv2": 143, "icmp6-homeagentdiscoveryrequest": 144,
	"icmp6-homeagentdiscoveryreply": 145, "icmp6-mobileprefixsolicit": 146, "icmp6-mobileprefixadvert": 147, "icmp6-certpathsolicit": 148,
	"icmp6-certpathadvert": 149, "icmp6-multicastrouteradvert": 151, "icmp6-multicastroutersolicit": 152, "icmp6-multicastrouterterm": 153,
}
