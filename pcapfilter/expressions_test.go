package pcapfilter

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// expressions is what tcpdump's manual and users write.
var expressions = []string{
	"", "ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "pim", "vrrp", "esp", "ah", "stp", "decnet", "carp", "igrp",
	"host 192.0.2.1", "src host 192.0.2.1", "dst host 192.0.2.1", "src 192.0.2.1", "dst 192.0.2.1", "src or dst 192.0.2.1",
	"dst or src host 192.0.2.1", "src and dst 192.0.2.1", "dst && src host 192.0.2.1", "ip host 192.0.2.1", "arp host 192.0.2.1", "rarp src host 192.0.2.2",
	"host 192.0.2.1 or 192.0.2.2", "host 192.0.2.1 and 192.0.2.2", "host 192.0.2.1 and not 192.0.2.2", "host 192.0.2.1 and (192.0.2.2 or 198.51.100.7)",
	"host (192.0.2.1 and not (192.0.2.2 or 198.51.100.7))", "host 192.0", "host 192.0.2", "host 3221225985", "host 0xc0000201", "host 0",
	"net 192.0.2.0/24", "net 192.0.2", "net 192.0", "net 192", "src net 192.0.2.0 mask 255.255.255.0", "net 198.51.0.0/16 or 192.0.2.0/24", "net 0.0.0.0/0",
	"net 192.0.2.1/32", "dst net 224.0.0.0/4", "net 192.0/16", "arp net 192.0.2", "net 0",
	"host 2001:db8::1", "src host 2001:db8::1", "ip6 host fe80::1", "net 2001:db8::/32", "src net fe80::/10", "net ff00::/8", "net 2001:db8::/127",
	"dst net 2001:db8::2/128", "ip6 net ::/0", "net 2001:db8::1", "host 192.0.2.1 or 2001:db8::1", "src and dst net 2001:db8::/64",
	"ether host 02:00:00:00:00:01", "ether src 02:00:00:00:00:01", "ether dst ff:ff:ff:ff:ff:ff", "ether host 2:0:0:0:0:2", "ether host 02-00-00-00-00-01",
	"ether host 0200.0000.0001", "ether broadcast", "broadcast", "ether multicast", "multicast", "ip multicast", "ip6 multicast", "ip broadcast",
	"ether dst 02:00:00:00:00:01 or 02:00:00:00:00:02", "link host 02:00:00:00:00:01", "ether src and dst 02:00:00:00:00:01",
	"port 80", "src port 80", "dst port 80", "src or dst port 80", "src and dst port 80", "tcp port 80", "udp src port 53", "sctp dst port 443",
	"port 80 or 443", "port (80 or 443)", "not port 80", "! port 80 and ! port 443", "port not 80", "tcp port 80 or 443 or 22", "port 80 or host 192.0.2.1",
	"port domain", "port http", "port ssh or domain", "tcp port https", "udp port 0x35", "port 0120", "not port 80 or 443", "tcp port (80 or (443 or 22))",
	"portrange 80-443", "tcp portrange 1-100", "src portrange 6000-6010", "udp dst portrange 443-53", "portrange 80", "portrange 0-65535", "portrange http-6000",
	"not portrange 50-100", "src and dst portrange 20-100",
	"proto 6", "ip proto 17", "ip6 proto 6", `ip proto \tcp`, `ip6 proto \udp`, `proto \icmp`, "proto 6 or 17", "proto (6 or 17)", "ip proto 89", `proto \sctp`,
	"ether proto 0x88cc", `ether proto \ip`, `ether proto \arp or \ip6`, "ether proto 0x42", "ether proto 6", "ether proto 0xfe", "ether proto 1500", "ether proto 1501",
	"proto gre", "proto ospf", "ip6 proto 44", "proto 0",
	"tcp and port 80 and not host 192.0.2.1", "tcp or udp and host 192.0.2.1", "tcp or (udp and host 192.0.2.1)", "not tcp", "not (tcp or udp)", "!tcp&&!udp||arp",
	"ip and not tcp and not udp and not icmp", "not not tcp", "not ip and not ip6", "((((tcp))))", "(tcp or udp) and (port 80 or port 53)", "tcp and (host 192.0.2.1 or (not port 80))",
	"src 192.0.2.1 and dst 192.0.2.2 or src 192.0.2.2 and dst 192.0.2.1", "tcp and ip6", "tcp and ip", "icmp or icmp6 or arp", "udp port 53 or tcp port 53 or port 443",
	"tcp and not src port 22 and not dst port 22 and net 192.0.2.0/24", "host 192.0.2.1 and tcp and port 80 and tcp[13] & 2 != 0",
	"tcp[13] & 2 != 0", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp[tcpflags] == tcp-syn|tcp-ack", "tcp[tcpflags] & tcp-rst = 0", "icmp[icmptype] = icmp-echo",
	"icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply", "icmp[icmpcode] > 0", "icmp6[icmp6type] = icmp6-echo", "icmp6[icmp6type] >= icmp6-routersolicit",
	"icmp6[0] == icmp6-neighborsolicit or icmp6[0] == icmp6-neighboradvert", "ip[0] & 0xf != 5", "ip[6:2] & 0x1fff != 0", "ip[6] & 0x20 = 0x20", "ip[8] < 65", "ip[2:2] > 60",
	"ip[2:2] > 40 and ip[2:2] <= 60", "ip6[6] = 6", "ip6[4:2] > 20", "ip6[40] = 128", "ether[0] & 1 = 0 and ip[16] >= 224", "ether[12:2] = 0x0800", "ether[12:2] > 1500",
	"arp[6:2] = 1", "rarp[6:2] = 3", "udp[4:2] > 10", "udp[0:2] = 53", "sctp[0:2] = sctp[2:2]", "igmp[0] = 0", "tcp[0:2] = tcp[2:2]", "tcp[2:2] > tcp[0:2]", "tcp[4:4] & 7 = 3",
	"tcp[(tcp[12]>>2):1] > 5", "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x0d0d0d0d", "ip[ip[9]] = 0", "ip[2:2] - ((ip[0]&0xf)<<2) - ((tcp[12]&0xf0)>>2) != 0", "tcp[13] != 0 and not tcp[13] = 2",
	"not tcp[13] = 2", "not udp[8] = 5", "udp[8] = 5 or ip6", "tcp[100] = 0 or ip6", "ip6 or tcp[30] = 30", "tcp[-1] = 1", "ip[-1] = 1", "ether[100] = 1", "not ether[60] = 1",
	"len > 60", "less 60", "greater 60", "len <= 60", "len != 60", "length = 60", "len - 14 = ip[2:2]", "len % 2 = 1", "len & 1 = 0 and len < 100", "60 > len", "len * 2 > 120 + 10",
	"len / 3 = 20", "len ^ 1 = 61", "(len) > 60", "(len + 1) * 2 > 100", "- len < 10", "len = 1 + 59", "len % 4 + 2 = 3", "len | 1 = 61", "len << 1 > 120", "len >> 2 = 15", "5 > 3", "5 < 3", "len - 60 < 5",
	"ip[0] / ip[1] = 1", "ip[0] % ip[1] = 1", "ip[0] << ip[1] = 69", "len > len", "len = len", "2 * 3 = 6", "10 - 4 - 3 = 3", "1 | 2 & 2 = 3", "1 + 2 << 1 = 6", "ip[8] = 64 or ip[8] = 63 or ip[8] = 1",
	"not len > 60 or tcp", "tcp[0] + tcp[1] + tcp[2] + tcp[3] > 90", "ip[9] = 6 || ip[9] = 17 && ip[8] = 64", "(tcp[13] & 2) != 0", "((tcp[13] & 2)) != 0 and (port 80 or 443)",
	"port 80 or 5 > len", "port 80 or -5 > len", "port 80 or (443) or 22", "port 80 or ((443) > len)", "port 80 or (not 443)", "port 80 or not (443 or 22)",
	"vlan", "vlan 5", "vlan 7", "vlan (5)", "vlan and ip", "vlan 5 and ip host 192.0.2.1", "vlan and vlan", "vlan and vlan 5 and ip6", "not vlan", "not vlan and ip", "vlan and tcp port 80",
	"vlan and not tcp", "ip or vlan and ip", "vlan 5 or ip", "vlan and arp", "vlan and tcp[13] != 0", "vlan and ether[0] = 2", "vlan 0xfff", "(vlan 5 or vlan 7) and ip6", "vlan and net 192.0.2.0/24",
	"ether[14:2] & 0xfff = 5", "tcp \t and\nport 80",
	strings.TrimSuffix(strings.Repeat("host 192.0.2.7 or ", 40), "or "),               // one test
	strings.TrimSuffix(repeatf("host 10.0.%d.1 or ", 60)+"host 192.0.2.1 or ", "or "), // jumps over more than 255 instructions
	"ip6 or " + strings.TrimSuffix(repeatf("ip[8] = %d and tcp[4:4] > 1 or ", 70), "or ") + " or arp",
	strings.TrimSuffix(repeatf("tcp[%d] != 255 and ", 200), "and "),
	"not (" + strings.TrimSuffix(repeatf("port %d or ", 200), "or ") + ")",
}

func repeatf(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// randomExpression returns an expression that tcpdump takes, with the addresses and numbers of the frames.
func randomExpression(r *rand.Rand, depth int) string {
	if depth > 0 && r.IntN(4) > 0 {
		l, right := randomExpression(r, depth-1), randomExpression(r, depth-1)
		op := pick(r, "and", "or", "&&", "||")
		switch r.IntN(4) {
		case 0:
			return fmt.Sprintf("not (%s) %s %s", l, op, right)
		case 1:
			return fmt.Sprintf("(%s) %s (%s)", l, op, right)
		case 2:
			return fmt.Sprintf("%s %s not %s", l, op, right)
		}
		return l + " " + op + " " + right
	}
	return randomPrimitive(r)
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func randomPrimitive(r *rand.Rand) string {
	dir := pick(r, "", "", "src", "dst", "src or dst", "src and dst")
	port := func() uint16 { return pick(r, ports...) }
	switch r.IntN(12) {
	case 0, 1:
		return pick(r, "ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "esp", "ah", "pim", "vrrp")
	case 2:
		return fmt.Sprintf("%s %s host %s", pick(r, "", "", "ip", "arp"), dir, pick(r, hosts4...))
	case 3:
		return fmt.Sprintf("%s %s host %s", pick(r, "", "ip6"), dir, pick(r, hosts6...))
	case 4:
		return fmt.Sprintf("%s net %s", dir, pick(r, "192.0.2.0/24", "192.0.0.0/16", "198.51.100", "224.0.0.0/4", "2001:db8::/32", "fe80::/10", "2001:db8::2/127"))
	case 5:
		return fmt.Sprintf("%s %s port %d", pick(r, "", "", "tcp", "udp", "sctp"), dir, port())
	case 6:
		return fmt.Sprintf("%s %s port %d %s %d", pick(r, "", "tcp", "udp"), dir, port(), pick(r, "or", "and", "or not"), port())
	case 7:
		return fmt.Sprintf("%s %s portrange %d-%d", pick(r, "", "tcp", "udp"), dir, port(), port())
	case 8:
		return fmt.Sprintf("%s proto %d", pick(r, "", "ip", "ip6"), pick(r, 1, 2, 6, 17, 44, 50, 58, 132))
	case 9:
		return pick(r, "less 60", "greater 60", "vlan", "vlan 5", "vlan 7", "ip multicast", "ip6 multicast", "ether proto 0x800", "stp")
	}
	return fmt.Sprintf("%s %s %s", randomValue(r, 2), pick(r, "=", "==", "!=", "<", "<=", ">", ">="), randomValue(r, 1))
}

func randomValue(r *rand.Rand, depth int) string {
	if depth == 0 || r.IntN(3) == 0 {
		return pick(r, "0", "1", "2", "5", "6", "0x10", "64", "80", "443", "len", "tcp-syn", "icmp-echo")
	}
	switch r.IntN(6) {
	case 0:
		return fmt.Sprintf("%s %s %s", randomValue(r, depth-1), pick(r, "+", "-", "*", "&", "|", "^"), randomValue(r, depth-1))
	case 1:
		return fmt.Sprintf("(%s %s %s)", randomValue(r, depth-1), pick(r, "+", "-", "*", "&", "|", "^"), randomValue(r, depth-1))
	case 2:
		return fmt.Sprintf("%s %s %d", randomValue(r, depth-1), pick(r, "/", "%", "<<", ">>"), 1+r.IntN(7))
	case 3:
		return fmt.Sprintf("%s[%s]", pick(r, "ip", "tcp", "udp", "icmp", "icmp6", "ip6"), randomValue(r, depth-1))
	}
	size := pick(r, "", ":1", ":2", ":4")
	return fmt.Sprintf("%s[%d%s]", pick(r, "ip", "ip6", "tcp", "udp", "icmp", "icmp6", "ether", "arp", "sctp"), r.IntN(24), size)
}
