package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// helloMB is how much larger a program may be that serves HTTP through a stack than one that does through package net, on
// linux/amd64. What makes it more had better be left to programs that ask for it; where it cannot be, this is to be raised.
const helloMB = 2.0

// unasked is what a program that serves HTTP is not to be linked with, as symbols begin.
var unasked = []string{
	"github.com/onlink-go/onlink.(*Stack).DialContext", "github.com/onlink-go/onlink.(*Stack).SetSysctl", "github.com/onlink-go/onlink.tcpKnobs",
	"github.com/onlink-go/onlink.(*Stack).Explain", "github.com/onlink-go/onlink.(*Stack).Snapshot", "github.com/onlink-go/onlink.(*Stack).naming",
	"github.com/onlink-go/onlink/dns.(*Resolver).", "golang.org/x/net/dns/dnsmessage.(*", "golang.org/x/net/bpf.", "golang.org/x/sys/cpu.",
	"github.com/onlink-go/onlink/internal/dgram.", "github.com/onlink-go/onlink/internal/udp.(*Layer)", "github.com/onlink-go/onlink/internal/icmp.",
	"github.com/onlink-go/onlink/internal/raw.", "github.com/onlink-go/onlink/internal/framesock.", "github.com/onlink-go/onlink/internal/tcp.(*bbr).",
	"github.com/onlink-go/onlink/internal/ip.(*Explanation).", "github.com/onlink-go/onlink/internal/ip.narration.",
	"github.com/onlink-go/onlink/internal/ip.(*watchers).", "github.com/onlink-go/onlink/internal/ip.(*advertiser).",
	"github.com/onlink-go/onlink/internal/nd.(*Router).", "internal/reflectlite.Value.Set", "encoding/json.(*encodeState).",
}

// goTool runs the go command on the programs of bench/peers.
func goTool(t *testing.T, args ...string) []byte {
	t.Helper()
	c := exec.Command("go", args...)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Fatalf("go %s: %v: %s", strings.Join(args, " "), err, errs.Bytes())
	}
	return out
}

// A program that serves HTTP is linked with what that takes.
func TestHelloIsLinkedWithWhatItAsksFor(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hello")
	goTool(t, "build", "-o", file, "peers/hello/onlink/main.go")
	found := 0
	for line := range strings.Lines(string(goTool(t, "tool", "nm", file))) {
		fields := strings.Fields(line) // address, unless it is undefined; kind; name
		if len(fields) < 3 || fields[1] != "T" && fields[1] != "t" {
			continue
		}
		found++
		for _, u := range unasked {
			if strings.HasPrefix(fields[2], u) {
				t.Errorf("it is linked with %s", fields[2])
			}
		}
	}
	if found < 1000 {
		t.Errorf("it has %d functions: these were not all", found)
	}
}

func TestHelloIsSmall(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the bound is one for linux/amd64")
	}
	size := func(name string) float64 {
		file := filepath.Join(t.TempDir(), name)
		goTool(t, "build", "-trimpath", "-ldflags", "-s -w", "-o", file, "peers/hello/"+name+"/main.go")
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		return float64(info.Size()) / 1e6
	}
	if more := size("onlink") - size("net"); more > helloMB || more < 0.1 {
		t.Errorf("%.2f MB over package net, want at most %.2f", more, helloMB)
	}
}
