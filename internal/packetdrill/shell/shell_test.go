package shell

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fakeHost has two settings and knows ip, and logs what is done to it.
type fakeHost struct {
	settings map[string]string
	log      []string
}

func newHost() *fakeHost {
	return &fakeHost{settings: map[string]string{"net.ipv4.tcp_sack": "1", "net.ipv4.tcp_rmem": "1 2 3"}}
}

func (h *fakeHost) SetSysctl(name, value string) error {
	if _, ok := h.settings[name]; !ok {
		return fmt.Errorf("no sysctl %q", name)
	}
	h.settings[name] = value
	h.log = append(h.log, name+"="+value)
	return nil
}

func (h *fakeHost) Sysctl(name string) (string, error) {
	v, ok := h.settings[name]
	if !ok {
		return "", fmt.Errorf("no sysctl %q", name)
	}
	return v, nil
}

func (h *fakeHost) Command(argv []string) (string, error) {
	if argv[0] != "ip" {
		return "", &UnknownError{argv[0]}
	}
	h.log = append(h.log, strings.Join(argv, " "))
	return "", nil
}

func (h *fakeHost) Sleep(d time.Duration) error {
	h.log = append(h.log, "sleep "+d.String())
	return nil
}

func TestRun(t *testing.T) {
	const sack, rmem = "net.ipv4.tcp_sack", "net.ipv4.tcp_rmem"
	for _, row := range []struct {
		program string
		want    []string // in the host's log
		err     string   // in the error
	}{
		{"sysctl -q net.ipv4.tcp_sack=0", []string{sack + "=0"}, ""},
		{"sysctl -w net.ipv4.tcp_sack=0 > /dev/null 2>&1", []string{sack + "=0"}, ""},
		{"sysctl -q net.ipv4.tcp_sack=0; sysctl -q net.ipv4.tcp_sack=1\nsysctl -q net/ipv4/tcp_sack=2",
			[]string{sack + "=0", sack + "=1", sack + "=2"}, ""},
		{"sysctl -q net.ipv4.tcp_sack=0 \\\n  net.ipv4.tcp_rmem=\"4096 87380 100\"", []string{sack + "=0", rmem + "=4096 87380 100"}, ""},
		{"sysctl -q net.ipv4.tcp_rmem='4 5 6' # a comment", []string{rmem + "=4 5 6"}, ""},
		{"sysctl net.ipv4.tcp_sack = 0", []string{sack + "=0"}, ""},
		{"sysctl -q net.ipv4.tcp_nosuch=0", nil, "net.ipv4.tcp_nosuch"},
		{"sysctl -q net.ipv4.tcp_nosuch=0; true", nil, "net.ipv4.tcp_nosuch"},
		{"sysctl -q net.ipv4.tcp_nosuch=0 || sysctl -q net.ipv4.tcp_sack=0", []string{sack + "=0"}, ""},
		{"sysctl -e -q net.ipv4.tcp_nosuch=0", nil, ""},
		{"echo 0 > /proc/sys/net/ipv4/tcp_sack", []string{sack + "=0"}, ""},
		{"echo 4 5 6 | tee /proc/sys/net/ipv4/tcp_rmem", []string{rmem + "=4 5 6"}, ""},
		{"echo 1 > /etc/passwd", nil, "/etc/passwd"},
		{"a=/proc/sys/net/ipv4; echo ${a}/tcp_sack; echo 0 >$a/tcp_sack", []string{sack + "=0"}, ""},
		{"sysctl -q net.ipv4.tcp_rmem=\"$(sysctl -n net.ipv4.tcp_rmem) 4\"", []string{rmem + "=1 2 3 4"}, ""},
		{"for i in tcp_sack tcp_rmem; do sysctl -q net.ipv4.$i=7; done", []string{sack + "=7", rmem + "=7"}, ""},
		{"if [ -f /proc/sys/net/ipv4/tcp_sack ]; then sleep 1; else sleep 2; fi", []string{"sleep 1s"}, ""},
		{"if [ -f /proc/sys/net/ipv4/tcp_no ]\nthen\nsleep 1\nelif true; then usleep 20\nfi", []string{"sleep 20µs"}, ""},
		{"[ 1 -gt 2 ] && sleep 1; sleep 0.5", []string{"sleep 500ms"}, ""},
		{"test ! -n '' && sleep 2m", []string{"sleep 2m0s"}, ""},
		{"ip tcp_metrics flush all > /dev/null 2>&1 && ip link", []string{"ip tcp_metrics flush all", "ip link"}, ""},
		{"/sbin/ip link", []string{"ip link"}, ""},
		{"frobnicate --now", nil, "frobnicate: unknown command"},
		{"if frobnicate; then true; fi", nil, "frobnicate: unknown command"},
		{"frobnicate | cat", nil, "frobnicate: unknown command"},
		{"python3 x.py", nil, "python3: unknown command"},
		{"./set_sysctls.py /proc/sys/net/ipv4/tcp_sack=0 /proc/sys/net/ipv4/tcp_rmem='7 8 9'", []string{sack + "=0", rmem + "=7 8 9"}, ""},
		{"/any/set_sysctls.py /proc/sys/net/ipv4/tcp_sack=0\n/tmp/sysctl_restore_${PPID}.sh", []string{sack + "=0", sack + "=1"}, ""},
		{"set_sysctls.py tcp_sack=0", nil, "tcp_sack=0"},
		{"./nosuch/defaults.sh", nil, "nosuch/defaults.sh"},
		{". ./nosuch.sh", nil, "nosuch.sh"},
		{"sh -c 'sleep 1; exit 0; sleep 2'; true", []string{"sleep 1s"}, ""},
		{"exit 3", nil, "exit 3"},
		{"false", nil, "failed"},
		{"false || true", nil, ""},
		{"sysctl -q net.ipv4.tcp_rmem=\"1 $((2*(1+2))) $[8 * 1024]\"", []string{rmem + "=1 6 8192"}, ""},
		{"a=0x10; sleep $((a + $a<<1 - b))", []string{"sleep 48s"}, ""},
		{"sleep $((1+))", nil, "no integer expression"},
		{"sleep $((1/0))", nil, "no integer expression"},
		{"sleep $((1", nil, "a closing )) is missing"},
		{"while true; do true; done", nil, "not supported"},
		{"echo `date`", nil, "not supported"},
		{"sleep 1 &", nil, "line 1"},
		{"\n\necho 'open", nil, "line 3"},
		{"if true; then echo", nil, "fi is missing"},
		{"", nil, ""},
		{"# nothing", nil, ""},
	} {
		h := newHost()
		err := New(h, t.TempDir()).Run(row.program)
		if row.err == "" && err != nil || row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) {
			t.Errorf("%q: error %v, want %q", row.program, err, row.err)
		}
		if !slices.Equal(h.log, row.want) {
			t.Errorf("%q: did %q, want %q", row.program, h.log, row.want)
		}
	}
}

// A file runs in the directory of the script, with its arguments; errors name it.
func TestSource(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("a.sh", "#!/bin/bash\nsysctl -q net.ipv4.tcp_sack=$1\n./b.sh 5 2>/dev/null\nexit 0\nfrobnicate\n")
	write("b.sh", "sysctl -q net.ipv4.tcp_sack=$1")
	write("bad.sh", "true\nsysctl -q net.ipv4.nosuch=1\n")
	write("self.sh", "./self.sh")
	h := newHost()
	s := New(h, dir)
	if err := s.Run("./a.sh 4; sleep $#"); err != nil {
		t.Error(err)
	}
	if want := []string{"net.ipv4.tcp_sack=4", "net.ipv4.tcp_sack=5", "sleep 0s"}; !slices.Equal(h.log, want) {
		t.Errorf("did %q, want %q", h.log, want)
	}
	if err := s.Run("bash bad.sh"); err == nil || !strings.Contains(err.Error(), "bad.sh: no sysctl") {
		t.Errorf("error: %v", err)
	}
	if err := s.Run("./self.sh"); err == nil || !strings.Contains(err.Error(), "nested too deep") {
		t.Errorf("error: %v", err)
	}
	if err := s.Source("nosuch.sh"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "nosuch.sh") {
		t.Errorf("error: %v", err)
	}
}

func FuzzShell(f *testing.F) {
	f.Add("sysctl -q net.ipv4.tcp_sack=0; for i in a b; do echo $i | tee /dev/null; done && [ -f x ] || exit 1")
	f.Add("a=$(echo \"x $b\"); if ! true; then :; fi")
	f.Fuzz(func(t *testing.T, program string) {
		s := New(newHost(), "/nonexistent")
		s.steps = 1000
		s.Run(program) // must end
	})
}
