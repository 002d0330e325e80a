package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

var digID = regexp.MustCompile(`id: \d+`)

// dig prints as dig(1) does: compare with what that prints of the same answers.
func TestDigPrints(t *testing.T) {
	code, out, errs := called(t, "dig --node client server.lab aaaa")
	if code != 0 || errs != "" {
		t.Fatal(code, errs)
	}
	want := `
; <<>> onlink dig <<>> server.lab aaaa
;; global options: +cmd
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 0
;; flags: qr aa rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:
;server.lab.			IN	AAAA

;; ANSWER SECTION:
server.lab.		300	IN	AAAA	2001:db8:2::2

;; Query time: 80 msec
;; SERVER: 2001:db8:2::2#53(2001:db8:2::2) (UDP)
;; WHEN: Sat Jan 01 00:00:01 UTC 2000
;; MSG SIZE  rcvd: 67

`
	if got := digID.ReplaceAllString(out, "id: 0"); got != want {
		t.Errorf("printed %s\nwant %s", got, want)
	}
}

func TestDigOptions(t *testing.T) {
	for _, row := range []struct {
		line string
		want []string // lines, or parts of them
		not  string
	}{
		{"+short www.lab", []string{"server.lab.\n198.51.100.2\n"}, ";"},
		{"+short +tcp server.lab", []string{"198.51.100.2\n"}, ";"},
		{"www.lab +noall +answer", []string{"www.lab.\t\t300\tIN\tCNAME\tserver.lab.\nserver.lab.\t\t300\tIN\tA\t198.51.100.2\n"}, ";"},
		{"@198.51.100.2 -4p 53 -x 192.0.2.2 +short", []string{"client.lab.\n"}, ";"},
		{"@198.51.100.2 lab soa", []string{"; (1 server found)", ";; SERVER: 198.51.100.2#53", "SOA\tserver.lab. hostmaster.lab. 1 3600 600 86400 300"}, ""},
		{"@server.lab lab mx -4", []string{"SERVER: 198.51.100.2#53", "MX\t10 server.lab."}, "; (2"},
		{"@server.lab lab -t NS", []string{"; (2 servers found)", "NS\tserver.lab."}, ""},
		{"-x 192.0.2.2", []string{"<<>> -x 192.0.2.2\n", ";2.2.0.192.in-addr.arpa.\t\tIN\tPTR", "PTR\tclient.lab."}, ""},
		{"-x 2001:db8:2::2", []string{"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 300 IN PTR server.lab."}, ""},
		{"nobody.lab", []string{"status: NXDOMAIN", ";; AUTHORITY SECTION:", "ANSWER: 0"}, "ANSWER SECTION"},
		{"client", []string{"status: NXDOMAIN"}, ""},
		{"client +search", []string{";client.lab.", "192.0.2.2"}, ""},
		{"long.lab txt +noall +comments +stats", []string{";; Truncated, retrying in TCP mode.", "(TCP)"}, "(UDP)"},
		{"long.lab txt +ignore", []string{"flags: qr aa tc rd ra", "ANSWER: 0", "(UDP)"}, "TCP"},
		{"long.lab txt +bufsize=4096", []string{"Truncated"}, ""}, // the server's own limit
		{"server.lab +noedns +norecurse", []string{"flags: qr aa ra;", "ADDITIONAL: 0"}, "OPT"},
		{"server.lab type28 +short", []string{"2001:db8:2::2\n"}, ""},
		{"", []string{";.\t\t\t\tIN\tNS"}, ""},
	} {
		code, out, errs := called(t, "dig --node client "+row.line)
		if code != 0 || errs != "" {
			t.Errorf("%s: exit code %d, %s", row.line, code, errs)
		}
		for _, w := range row.want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: no %q in %s", row.line, w, out)
			}
		}
		if row.not != "" && strings.Contains(out, row.not) {
			t.Errorf("%s: %q in %s", row.line, row.not, out)
		}
	}
}

func TestDigJSON(t *testing.T) {
	_, out, _ := called(t, "dig --node client --json www.lab")
	var r struct {
		Server, Network, Status string
		Flags                   []string
		Answer                  []struct {
			Name, Type, Data string
			TTL              int
		}
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if r.Server != "[2001:db8:2::2]:53" || r.Network != "udp" || r.Status != "NOERROR" || strings.Join(r.Flags, " ") != "qr aa rd ra" ||
		len(r.Answer) != 2 || r.Answer[1].Name != "server.lab." || r.Answer[1].Data != "198.51.100.2" || r.Answer[1].TTL != 300 {
		t.Errorf("%+v", r)
	}
}

// Nobody replies: dig's words and exit code.
func TestDigNoReply(t *testing.T) {
	for line, want := range map[string]string{
		"@192.0.2.1 x +tries=2":                     ";; communications error to 192.0.2.1#53: connection refused\n;; communications error to 192.0.2.1#53: connection refused\n\n",
		"@192.0.2.1 x +tcp +tries=1":                ";; Connection to 192.0.2.1#53(192.0.2.1) for x failed: connection refused.\n;; no servers could be reached\n",
		"@192.0.2.77 x +tries=1":                    ";; communications error to 192.0.2.77#53: no route to host\n",
		"@198.51.100.2 x +tries=1 +time=1 -p 54321": ";; communications error to 198.51.100.2#54321: connection refused\n",
	} {
		code, out, errs := called(t, "dig --node client "+line)
		if code != 9 || errs != "" || !strings.HasPrefix(out, want) || !strings.HasSuffix(out, ";; no servers could be reached\n") {
			t.Errorf("%s: exit code %d, %q, %s", line, code, errs, out)
		}
	}
	if code, out, errs := called(t, "dig --node client --json @192.0.2.1 x +tries=1"); code != 9 || out != "" || strings.Count(errs, "\n") != 1 {
		t.Errorf("--json: exit code %d, %q, %q", code, out, errs)
	}
}

// What cannot be asked is refused in one line.
func TestDigErrors(t *testing.T) {
	for line, want := range map[string]string{
		"a..b":              `"a..b"`,
		"a.example b.lab":   `"b.lab"`,
		"+nosuch x":         "+nosuch",
		"+time=0 x":         "+time=0",
		"+bufsize=x x":      "+bufsize=x",
		"-x nosuch":         `"nosuch"`,
		"-x 192.0.2.1 name": "one of them",
		"-t nosuch x":       `"nosuch"`,
		"lab axfr":          "AXFR",
		"-4 -6 lab":         "no server",
		"-p 0 lab":          "-p 0",
		"@2001:db8::1 -4 x": "family",
	} {
		code, out, errs := called(t, "dig --node client "+line)
		if code != exitUsage || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, %q, %q", line, code, out, errs)
		}
	}
	if code, out, errs := called(t, "dig --node client @nobody.lab x"); code != exitFailed || out != "" || !strings.Contains(errs, "no such host") {
		t.Errorf("exit code %d, %q, %q", code, out, errs)
	}
}
