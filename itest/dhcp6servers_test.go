package itest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dhcp6Pool is what a DHCPv6 server for tests is to give: addresses of 2001:db8:5::/64, and prefixes of 2001:db8:f000::/36.
type dhcp6Pool struct {
	stateless   bool // name servers and domains alone
	short       bool // T1 2 s, T2 4 s, preferred 8 s, valid 12 s; as far as the server goes
	prefixes    bool // of 56 bits
	rapidCommit bool
}

// dhcp6Server is a DHCPv6 server that tests run against.
type dhcp6Server struct {
	program string
	advises bool                                 // it is a router, too
	config  func(dir string, p dhcp6Pool) string // what its file contains
	args    func(dir, conf string) []string
	env     func(dir string) []string
	ready   string // what it says when it serves
	// What it says when it hears that; requested is what it says when it does not commit itself at once.
	released, declined, requested, renewed string
	noPrefixes, noShort                    bool // it cannot do that
}

var dhcp6Servers = []*dhcp6Server{
	{
		program: "dnsmasq", advises: true,
		config: func(dir string, p dhcp6Pool) string {
			s := fmt.Sprintf("port=0\ninterface=tap0\nbind-dynamic\nenable-ra\nra-param=tap0,4\nlog-dhcp\ndhcp-authoritative\ndhcp-leasefile=%s/leases\n", dir)
			s += "dhcp-option=option6:dns-server,[2001:db8:5::53]\ndhcp-option=option6:domain-search,corp.example,lab.example\n"
			if p.stateless {
				return s + "dhcp-range=2001:db8:5::,ra-stateless\n"
			}
			return s + "dhcp-range=2001:db8:5::100,2001:db8:5::1ff,64,120\n"
		},
		args:     func(_, conf string) []string { return []string{"-k", "-C", conf, "--log-facility=-", "--user=root"} },
		ready:    "router advertisement on",
		released: "DHCPRELEASE", declined: "DHCPDECLINE", requested: "DHCPREQUEST", renewed: "DHCPRENEW",
		noPrefixes: true, noShort: true,
	},
	{
		program: "kea-dhcp6",
		config: func(dir string, p dhcp6Pool) string {
			times := `"preferred-lifetime": 600, "valid-lifetime": 900, "renew-timer": 300, "rebind-timer": 500,`
			if p.short {
				times = `"preferred-lifetime": 8, "valid-lifetime": 12, "renew-timer": 2, "rebind-timer": 4,`
			}
			pools := `"pools": [{"pool": "2001:db8:5::100-2001:db8:5::1ff"}]`
			if p.prefixes {
				pools += `, "pd-pools": [{"prefix": "2001:db8:f000::", "prefix-len": 36, "delegated-len": 56}]`
			}
			if p.stateless {
				pools = `"pools": []`
			}
			return fmt.Sprintf(`{"Dhcp6": {"interfaces-config": {"interfaces": ["tap0"]}, "data-directory": %q,
				"server-id": {"type": "LL", "htype": 1, "identifier": "0a0b0c0d0e0f", "persist": false},
				"lease-database": {"type": "memfile", "persist": false}, %s
				"option-data": [{"name": "dns-servers", "data": "2001:db8:5::53"}, {"name": "domain-search", "data": "corp.example, lab.example"}],
				"subnet6": [{"id": 1, "subnet": "2001:db8:5::/64", "interface": "tap0", "rapid-commit": %t, %s}],
				"loggers": [{"name": "kea-dhcp6", "output_options": [{"output": "stdout"}], "severity": "DEBUG", "debuglevel": 40}]}}`,
				dir, times, p.rapidCommit, pools)
		},
		args: func(_, conf string) []string { return []string{"-c", conf} },
		env: func(dir string) []string {
			return []string{"KEA_PIDFILE_DIR=" + dir, "KEA_LOCKFILE_DIR=none", "KEA_LOG_FILE_DIR=" + dir, "KEA_DHCP_DATA_DIR=" + dir}
		},
		ready:    "DHCP6_STARTED",
		released: "DHCP6_RELEASE_NA ", declined: "DHCP6_DECLINE_LEASE ", requested: "DHCP6_LEASE_ADVERT", renewed: "DHCP6_LEASE_RENEW",
	},
	{
		program: "dhcpd",
		config: func(dir string, p dhcp6Pool) string {
			os.WriteFile(filepath.Join(dir, "leases"), nil, 0o644) // dhcpd complains if it fails
			s := "authoritative;\ndefault-lease-time 900;\npreferred-lifetime 600;\n"
			if p.short {
				s = "authoritative;\ndefault-lease-time 12;\npreferred-lifetime 8;\noption dhcp-renewal-time 2;\noption dhcp-rebinding-time 4;\n"
			}
			s += "option dhcp6.name-servers 2001:db8:5::53;\noption dhcp6.domain-search \"corp.example\", \"lab.example\";\n"
			if p.rapidCommit {
				s += "option dhcp6.rapid-commit;\n"
			}
			s += "subnet6 2001:db8:5::/64 {\n"
			if !p.stateless {
				s += "range6 2001:db8:5::100 2001:db8:5::1ff;\n"
			}
			if p.prefixes {
				s += "prefix6 2001:db8:f000:: 2001:db8:f000:ff00:: /56;\n"
			}
			return s + "}\n"
		},
		args: func(dir, conf string) []string {
			return []string{"-6", "-d", "-cf", conf, "-lf", filepath.Join(dir, "leases"), "--no-pid", "tap0"}
		},
		ready:    "Server starting service",
		released: "Release message from", declined: "Decline message from", requested: "Request message from", renewed: "Renew message from",
	},
}

// serve6 starts a server, and a router that says so where it is none itself. The test is skipped where a program is missing.
func (n *namespace) serve6(t *testing.T, s *dhcp6Server, p dhcp6Pool) *process {
	t.Helper()
	if !s.advises {
		n.advise6(t, p)
	}
	return n.startServer6(t, s, p)
}

// startServer6 starts a server and waits until it serves.
func (n *namespace) startServer6(t *testing.T, s *dhcp6Server, p dhcp6Pool) *process {
	t.Helper()
	need(t, s.program)
	dir := t.TempDir()
	conf := filepath.Join(dir, "conf")
	if err := os.WriteFile(conf, []byte(s.config(dir, p)), 0o644); err != nil {
		t.Fatal(err)
	}
	args := s.args(dir, conf)
	if s.env != nil {
		args = append(append(s.env(dir), s.program), args...)
	} else {
		args = append([]string{s.program}, args...)
	}
	server := n.start(nil, "env", args...)
	eventually(t, s.program+" serves", func() bool {
		said := server.said()
		for _, bad := range []string{" ERROR ", "Configuration file errors", "illegal repeated", "bad option", "Can't ", "failed to"} {
			if strings.Contains(said, bad) {
				t.Fatal(said)
			}
		}
		return strings.Contains(said, s.ready)
	})
	return server
}

// said is all that a process has printed.
func (p *process) said() string { return p.stdout.String() + p.stderr.String() }

// advise6 has radvd say M, or O alone.
func (n *namespace) advise6(t *testing.T, p dhcp6Pool) {
	t.Helper()
	flag := "AdvManagedFlag on"
	if p.stateless {
		flag = "AdvOtherConfigFlag on"
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "radvd.conf")
	text := "interface tap0 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; " + flag + ";\n" +
		"prefix 2001:db8:5::/64 { AdvOnLink on; AdvAutonomous off; }; };\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	need(t, "radvd")
	n.start(nil, "radvd", "-n", "-C", conf, "-p", filepath.Join(dir, "pid"), "-m", "stderr")
}
