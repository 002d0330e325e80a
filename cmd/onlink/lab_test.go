package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// small is a lab that is quick to run.
func small(seed uint64) labCmd {
	return labCmd{Seed: seed, Loss: 0.01, Delay: 20 * time.Millisecond, Rate: 100e6, Size: 256 << 10}
}

func runLab(t *testing.T, c labCmd) (report string, pcap []byte) {
	t.Helper()
	var out, file bytes.Buffer
	if err := c.run(t.Context(), &out, &file); err != nil {
		t.Fatal(err)
	}
	return out.String(), file.Bytes()
}

func TestLabReplays(t *testing.T) {
	report, pcap := runLab(t, small(1))
	again, pcapAgain := runLab(t, small(1))
	if report != again {
		t.Errorf("one seed, two reports:\n%s\n%s", report, again)
	}
	if !bytes.Equal(pcap, pcapAgain) {
		t.Error("one seed, two captures")
	}
	if other, _ := runLab(t, small(2)); other == report {
		t.Error("two seeds, one report")
	}
}

func TestLabTellsWhatHappens(t *testing.T) {
	report, _ := runLab(t, small(1))
	for _, want := range []string{
		"address 2001:db8:1::2 is ready", "neighbor 192.0.2.1 is at", "neighbor 2001:db8:1::1 is at",
		"time exceeded: in transit, says 192.0.2.1", "SYN-SENT → ESTABLISHED", "of 1514 octets lost",
		"sends 1448 octets again: fast retransmit", "FIN-WAIT-2 → TIME-WAIT", "as sent", "trace hash",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("nothing of %q in the report:\n%s", want, report)
		}
	}
	if strings.Contains(report, "DIFFERS") || strings.Contains(report, "failed") {
		t.Errorf("something went wrong:\n%s", report)
	}
}

// tshark finds nothing malformed and no bad checksum in the capture.
func TestLabCaptureIsClean(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("no tshark on this machine")
	}
	_, pcap := runLab(t, small(3))
	path := filepath.Join(t.TempDir(), "lab.pcapng")
	if err := os.WriteFile(path, pcap, 0o644); err != nil {
		t.Fatal(err)
	}
	all := tsharkCount(t, tshark, path, "frame")
	bad := tsharkCount(t, tshark, path, "_ws.malformed || ip.checksum.status==0 || tcp.checksum.status==0 || "+
		"udp.checksum.status==0 || icmp.checksum.status==0 || icmpv6.checksum.status==0")
	if all < 1000 || bad != 0 {
		t.Errorf("%d frames, %d of them malformed or of bad checksum", all, bad)
	}
}

func tsharkCount(t *testing.T, tshark, path, filter string) int {
	t.Helper()
	out, err := exec.Command(tshark, "-r", path, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
		"-o", "udp.check_checksum:TRUE", "-Y", filter).Output()
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(out, []byte("\n"))
}

func TestLabBadFlags(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"lab", "--loss", "150%"}, exitUsage, `"150%" is not a share`},
		{[]string{"lab", "--loss=-1%"}, exitUsage, `"-1%" is not a share`},
		{[]string{"lab", "--rate", "fast"}, exitUsage, `"fast" is not a rate`},
		{[]string{"lab", "--size", "0"}, exitUsage, "must be at least 1 octet"},
		{[]string{"lab", "--size", "much"}, exitUsage, `"much" is not a size`},
		{[]string{"lab", "--delay=-1s"}, exitUsage, "must not be negative"},
		{[]string{"lab", "--seed", "x"}, exitUsage, "seed"},
		{[]string{"lab", "--what"}, exitUsage, "--what"},
		{[]string{"lab", "more"}, exitUsage, "more"},
		{[]string{"lab", "--size", "1k", "-o", filepath.Join(dir, "none", "f")}, exitFailed, "no such file or directory"},
		{[]string{"nothing"}, exitUsage, "nothing"},
	} {
		stderr := capturedStderr(t, func() {
			if code := run(context.Background(), test.args); code != test.code {
				t.Errorf("%v: exit code %d, want %d", test.args, code, test.code)
			}
		})
		if line, rest, _ := strings.Cut(stderr, "\n"); !strings.Contains(line, test.want) || rest != "" {
			t.Errorf("%v: said %q, want one line with %q", test.args, stderr, test.want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// capturedStderr returns what f writes to standard error.
func capturedStderr(t *testing.T, f func()) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	old := os.Stderr
	os.Stderr = file
	f()
	os.Stderr = old
	b, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
