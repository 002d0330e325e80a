package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// drilled runs `onlink drill` on scripts, and returns what it printed and its exit code.
func drilled(t *testing.T, args []string, files ...string) (string, int) {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = w
	defer func() { os.Stdout = stdout }()
	code := make(chan int)
	go func() {
		n := run(context.Background(), append([]string{"drill", dir}, args...))
		w.Close()
		code <- n
	}()
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(out), dir+"/", ""), <-code
}

const (
	goodScript = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
	badScript  = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n" +
		"+.1 < S 0:0(0) win 1000 <mss 1000>\n+0 > S. 0:0(0) ack 2 <mss 1460>\n"
	wrongScript = "0 sokcet(\n"
)

func TestDrill(t *testing.T) {
	for _, row := range []struct {
		name  string
		args  []string
		files []string
		code  int
		want  []string // in the output
	}{
		{"good", nil, []string{"a.pkt", goodScript}, 0, []string{"ok   a.pkt (ipv4)\n"}},
		{"all families", []string{"--ip_version", "all"}, []string{"a.pkt", goodScript}, 0,
			[]string{"ok   a.pkt (ipv4)\nok   a.pkt (ipv6)\nok   a.pkt (ipv4-mapped-ipv6)\n\n3 runs: 3 ok, 0 failed\n"}},
		{"the script's own family", []string{"--ip_version=all"}, []string{"a.pkt", "--ip_version=ipv6\n" + goodScript}, 0,
			[]string{"ok   a.pkt (ipv6)\n"}},
		{"failed", nil, []string{"a.pkt", goodScript, "b.pkt", badScript, "c.txt", wrongScript}, 1, []string{"ok   a.pkt (ipv4)\n",
			"FAIL b.pkt (ipv4)\n    b.pkt:5:4: ack is 1, expected 2\n    script:    +0 > S. 0:0(0) ack 2 <mss 1460>\n" +
				"    expected:  0.100000 > S. 0:0(0) ack 2 <mss 1460>\n    seen:      0.100000 > S. 0:0(0) ack 1 win ",
			"2 runs: 1 ok, 1 failed\n"}},
		{"not read", nil, []string{"a.pkt", wrongScript, "b.pkt", badScript, "c.pkt", goodScript}, 2,
			[]string{"FAIL a.pkt:2:1: ", "FAIL b.pkt (ipv4)", "ok   c.pkt (ipv4)", "2 runs: 1 ok, 1 failed; 1 scripts could not be read\n"}},
		{"an option of the script", nil, []string{"a.pkt", "--mtu=no\n" + goodScript}, 2, []string{"FAIL a.pkt:1:1: --mtu=no: must be"}},
		{"wrong flag", []string{"--mtu=0"}, []string{"a.pkt", goodScript}, 2, nil},
		{"verbose", []string{"-v"}, []string{"a.pkt", goodScript}, 0, []string{"0.000000 socket returned 3\n"}},
		{"defined", []string{"-D", "KIND=SOCK_STREAM"}, []string{"a.pkt", "0 socket(..., KIND, IPPROTO_TCP) = 3\n"}, 0, []string{"ok   a.pkt"}},
		{"no scripts", nil, nil, 1, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			out, code := drilled(t, row.args, row.files...)
			if code != row.code {
				t.Errorf("exit code %d, want %d", code, row.code)
			}
			for _, want := range row.want {
				if !strings.Contains(out, want) {
					t.Errorf("printed\n%s\nwithout\n%s", out, want)
				}
			}
		})
	}
}

// -w writes the packets, also of scripts that fail.
func TestDrillWrites(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.pcapng")
	if _, code := drilled(t, []string{"-w", file}, "b.pkt", badScript); code != 1 {
		t.Errorf("exit code %d", code)
	}
	b, err := os.ReadFile(file)
	if err != nil || len(b) < 200 {
		t.Errorf("%d octets, %v", len(b), err)
	}
}

// What cannot be read is a failure of its own, and the other scripts run; links are followed, but not in circles.
func TestDrillDirectory(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a/b/deep.pkt": "`common/set.sh`\r\n" + goodScript, "common/set.sh": "sysctl -q net.ipv4.tcp_sack=0",
		"a/bytes.pkt": "// caf\xe9\n" + goodScript, "a/mark.pkt": "\ufeff" + goodScript, "a/missing.pkt": "`../nothing.sh`\n" + goodScript} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"a/loop": "../a", "a/dangling.pkt": "nowhere.pkt", "a/link.pkt": "bytes.pkt"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	out, code := drilled(t, []string{dir}, "huge.pkt", strings.Repeat("\n", maxScript+1))
	for _, want := range []string{"ok   a/b/deep.pkt", "ok   a/mark.pkt", "FAIL a/missing.pkt (ipv4)", "FAIL stat a/dangling.pkt",
		"are too long for a script", "2 scripts could not be read"} {
		if !strings.Contains(strings.ReplaceAll(out, dir+"/", ""), want) {
			t.Errorf("printed\n%s\nwithout %s", out, want)
		}
	}
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
}
