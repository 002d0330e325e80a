package pcapfilter

// service is a port that has a name, and the protocols that have it there.
type service struct {
	port  uint16
	proto uint8 // of tcp and udp, 0: both
}

// services are the well-known ports by their names, with the protocols that Debian's /etc/services gives them.
var services = map[string]service{
	"echo": {7, 0}, "discard": {9, 0}, "daytime": {13, 0}, "chargen": {19, 0}, "ftp-data": {20, tcp}, "ftp": {21, tcp}, "ssh": {22, tcp},
	"telnet": {23, tcp}, "smtp": {25, tcp}, "mail": {25, tcp}, "time": {37, 0}, "whois": {43, tcp}, "tacacs": {49, 0}, "domain": {53, 0},
	"bootps": {67, udp}, "bootpc": {68, udp}, "tftp": {69, udp}, "gopher": {70, tcp}, "finger": {79, tcp}, "http": {80, tcp}, "www": {80, tcp},
	"kerberos": {88, 0}, "pop3": {110, tcp}, "sunrpc": {111, 0}, "portmapper": {111, 0}, "auth": {113, tcp}, "nntp": {119, tcp}, "ntp": {123, udp},
	"epmap": {135, tcp}, "netbios-ns": {137, udp}, "netbios-dgm": {138, udp}, "netbios-ssn": {139, tcp}, "imap": {143, tcp}, "imap2": {143, tcp},
	"snmp": {161, 0}, "snmp-trap": {162, 0}, "snmptrap": {162, 0}, "bgp": {179, tcp}, "ptp-event": {319, udp}, "ptp-general": {320, udp},
	"ldap": {389, 0}, "https": {443, 0}, "microsoft-ds": {445, tcp}, "isakmp": {500, udp}, "syslog": {514, 0}, "shell": {514, tcp},
	"printer": {515, tcp}, "route": {520, udp}, "dhcpv6-client": {546, udp}, "dhcpv6-server": {547, udp}, "rtsp": {554, 0}, "submission": {587, tcp},
	"ldaps": {636, 0}, "domain-s": {853, 0}, "rsync": {873, tcp}, "imaps": {993, tcp}, "pop3s": {995, tcp}, "socks": {1080, tcp},
	"openvpn": {1194, 0}, "ms-sql-s": {1433, tcp}, "l2f": {1701, udp}, "l2tp": {1701, udp}, "radius": {1812, 0}, "radius-acct": {1813, 0},
	"nfs": {2049, 0}, "mysql": {3306, tcp}, "ms-wbt-server": {3389, tcp}, "iscsi-target": {3260, tcp}, "ipsec-nat-t": {4500, udp}, "sip": {5060, 0},
	"sip-tls": {5061, 0}, "xmpp-client": {5222, tcp}, "mdns": {5353, udp}, "postgresql": {5432, tcp}, "amqp": {5672, tcp}, "x11": {6000, tcp},
	"http-alt": {8080, tcp},
}

// The protocols that have ports.
const (
	tcp  = 6
	udp  = 17
	sctp = 132
)
