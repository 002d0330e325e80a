package itest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dhcpPool is what a DHCP server for tests is to give.
type dhcpPool struct {
	subnet        string // what its addresses begin with; empty: "192.0.2."
	from, to      int
	lease, t1, t2 int  // seconds
	rich          bool // classless routes, MTU, name server, domains, NTP
}

func (p *dhcpPool) net() string {
	if p.subnet == "" {
		return "192.0.2."
	}
	return p.subnet
}

// dhcpServer is a DHCP server that tests run against: it says what a file is to contain, and how the program is called with it.
type dhcpServer struct {
	program   string
	leastTime int // seconds of the shortest lease
	config    func(dir string, p dhcpPool) string
	args      func(dir, conf string) []string
	ready     string // what it says when it serves
}

// dhcpServers are the three that most networks have.
var dhcpServers = []dhcpServer{
	{
		program: "dnsmasq", leastTime: 120,
		config: func(dir string, p dhcpPool) string {
			s := fmt.Sprintf("port=0\ninterface=tap0\nbind-interfaces\nlog-dhcp\nno-ping\ndhcp-authoritative\ndhcp-leasefile=%s/leases\n", dir)
			s += fmt.Sprintf("dhcp-range=%[1]s%[2]d,%[1]s%[3]d,255.255.255.0,%[4]d\n", p.net(), p.from, p.to, p.lease)
			s += fmt.Sprintf("dhcp-option-force=58,%d\ndhcp-option-force=59,%d\n", p.t1, p.t2)
			if p.rich {
				s += "dhcp-option=3,192.0.2.254\ndhcp-option=121,0.0.0.0/0,192.0.2.1,198.51.100.0/24,192.0.2.2,203.0.113.0/24,0.0.0.0\n" +
					"dhcp-option=26,1400\ndhcp-option=6,192.0.2.53\ndhcp-option=15,example.org\n" +
					"dhcp-option=119,eng.example.org,example.org\ndhcp-option=42,192.0.2.123\n"
			}
			return s
		},
		args:  func(_, conf string) []string { return []string{"-k", "-C", conf, "--log-facility=-", "--user=root"} },
		ready: "DHCP, IP range",
	},
	{
		program: "dhcpd", leastTime: 1,
		config: func(dir string, p dhcpPool) string {
			os.WriteFile(filepath.Join(dir, "leases"), nil, 0o644) // dhcpd complains if it fails
			s := fmt.Sprintf("authoritative;\nping-check false;\nmin-lease-time 1;\ndefault-lease-time %d;\nmax-lease-time %[1]d;\n", p.lease)
			s += fmt.Sprintf("option dhcp-renewal-time %d;\noption dhcp-rebinding-time %d;\n", p.t1, p.t2)
			s += "option classless code 121 = array of unsigned integer 8;\n"
			s += fmt.Sprintf("subnet %[1]s0 netmask 255.255.255.0 {\nrange %[1]s%[2]d %[1]s%[3]d;\n", p.net(), p.from, p.to)
			if p.rich {
				s += "option routers 192.0.2.254;\n" +
					"option classless 0,192,0,2,1, 24,198,51,100,192,0,2,2, 24,203,0,113,0,0,0,0;\n" +
					"option interface-mtu 1400;\noption domain-name-servers 192.0.2.53;\noption domain-name \"example.org\";\n" +
					"option domain-search \"eng.example.org\", \"example.org\";\noption ntp-servers 192.0.2.123;\n"
			}
			return s + "}\n"
		},
		args: func(dir, conf string) []string {
			return []string{"-4", "-f", "-d", "-cf", conf, "-lf", filepath.Join(dir, "leases"), "-pf", filepath.Join(dir, "pid"), "tap0"}
		},
		ready: "Server starting service",
	},
	{
		program: "kea-dhcp4", leastTime: 1,
		config: func(_ string, p dhcpPool) string {
			data := ""
			if p.rich {
				data = `{"name": "routers", "data": "192.0.2.254"},
					{"code": 121, "csv-format": false, "data": "00C000020118C63364C000020218CB007100000000"},
					{"name": "interface-mtu", "data": "1400"}, {"name": "domain-name-servers", "data": "192.0.2.53"},
					{"name": "domain-name", "data": "example.org"}, {"name": "domain-search", "data": "eng.example.org, example.org"},
					{"name": "ntp-servers", "data": "192.0.2.123"}`
			}
			subnet := fmt.Sprintf(`{"id": 1, "subnet": "%[1]s0/24", "pools": [{"pool": "%[1]s%[2]d - %[1]s%[3]d"}], "option-data": [%[4]s]}`,
				p.net(), p.from, p.to, data)
			return fmt.Sprintf(`{"Dhcp4": {"interfaces-config": {"interfaces": ["tap0"]}, "authoritative": true,
				"lease-database": {"type": "memfile", "persist": false}, "valid-lifetime": %d, "renew-timer": %d, "rebind-timer": %d,
				"loggers": [{"name": "kea-dhcp4", "severity": "INFO", "output_options": [{"output": "stdout"}]}], "subnet4": [%s]}}`,
				p.lease, p.t1, p.t2, subnet)
		},
		args:  func(_, conf string) []string { return []string{"-c", conf} },
		ready: "DHCP4_STARTED",
	},
}

// start starts the server in the namespace, on tap0.
func (s *dhcpServer) start(n *namespace, dir string, p dhcpPool) *process {
	n.t.Helper()
	p.lease = max(p.lease, s.leastTime)
	conf := filepath.Join(dir, "conf")
	if err := os.WriteFile(conf, []byte(s.config(dir, p)), 0o644); err != nil {
		n.t.Fatal(err)
	}
	need(n.t, s.program)
	server := n.start(nil, "env", append([]string{"KEA_PIDFILE_DIR=" + dir, "KEA_LOCKFILE_DIR=none", s.program}, s.args(dir, conf)...)...)
	eventually(n.t, s.program+" serves", func() bool {
		said := server.stdout.String() + server.stderr.String()
		if server.ProcessState != nil || strings.Contains(said, "rror") && strings.Contains(said, "exit") {
			n.t.Fatalf("%s:\n%s", s.program, said)
		}
		return strings.Contains(said, s.ready)
	})
	n.t.Cleanup(func() {
		if n.t.Failed() {
			n.t.Logf("%s said:\n%s%s", s.program, &server.stdout, &server.stderr)
		}
	})
	return server
}

// kill ends the server, without a word to its clients.
func (p *process) kill(t testing.TB) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.Wait() // it was killed
}
