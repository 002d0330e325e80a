package itest

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/packetdrill"
	"github.com/onlink-go/onlink/internal/packetdrill/kernel"
	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// tries is how often a script may fail against the kernel: in real time, on a busy machine, things happen late. The last ones
// tolerate more of that.
const tries = 5

// atOnce is how many scripts run at the same time. They wait, nearly all of theirs.
const atOnce = 12

// longest is the longest a script may take to be run against the kernel by itself; ONLINK_LONG=1 runs those that take
// minutes too.
const longest = 20 * time.Second

// The conformance scripts say of the kernel what they say of the stack, or, at their head, why the kernel differs.
func TestScriptsAgainstKernel(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes it late; the stack has no part in it")
	}
	newNamespace(t) // skips where there is none to be had
	const dir = "../internal/packetdrill/testdata"
	files, err := filepath.Glob(dir + "/*/*.pkt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var all sync.WaitGroup
	turn := make(chan bool, atOnce)
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := packetdrill.Parse(file, src, packetdrill.IPv4, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		if packetdrill.ParseHeader(string(src)).NotRun != "" {
			continue
		}
		for _, v := range packetdrill.Versions(s) {
			turn <- true
			all.Go(func() {
				t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file)+"/"+v.String(), func(t *testing.T) {
					drillKernel(t, file, src, v)
				})
				<-turn
			})
		}
	}
	all.Wait()
}

func drillKernel(t *testing.T, file string, src []byte, v packetdrill.Version) {
	differs := packetdrill.ParseHeader(string(src)).Kernel
	if took := virtualTime(t, file, src, v); took > longest && os.Getenv("ONLINK_LONG") == "" {
		t.Skipf("it takes %v in real time: ONLINK_LONG=1 runs it", took)
	}
	tolerance := 20 * time.Millisecond
	var failure *packetdrill.Failure
	for try := range tries {
		if try > 1 && differs == "" {
			tolerance *= 2 // it is the machine that is late
		}
		set := []script.Option{{Name: "ip_version", Value: v.String(), HasValue: true},
			{Name: "tolerance_usecs", Value: fmt.Sprint(tolerance.Microseconds()), HasValue: true}}
		s, err := packetdrill.Parse(file, src, v, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := packetdrill.Run(s, packetdrill.Options{Set: set, World: kernel.New})
		if err != nil {
			t.Fatal(err)
		}
		if failure = res.Failure; failure == nil {
			break
		}
	}
	switch {
	case failure != nil && differs == "":
		t.Error(failure.String())
	case failure == nil && differs != "":
		t.Errorf("the kernel does as the script says, whose head says that it differs: %s", differs)
	}
}

// virtualTime returns how long a script takes, as the stack runs it.
func virtualTime(t *testing.T, file string, src []byte, v packetdrill.Version) time.Duration {
	t.Helper()
	s, err := packetdrill.Parse(file, src, v, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := packetdrill.Run(s, packetdrill.Options{Set: []script.Option{{Name: "ip_version", Value: v.String(), HasValue: true}}})
	if err != nil {
		t.Fatal(err)
	}
	return res.Took
}
