package packetdrill

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/link/capture"
	"github.com/onlink-go/onlink/trace"
)

// pathSink notes which paths of loss recovery are taken.
type pathSink map[string]bool

func (s pathSink) Trace(e *trace.Event) {
	if e.Kind == trace.TCPPath {
		s[e.Reason] = true
	}
}

// pathsOf runs a script on one family and returns the paths that the stack takes in it.
func pathsOf(t *testing.T, file string, src []byte, v Version) pathSink {
	s, err := Parse(file, src, v, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := pathSink{}
	if _, err = Run(s, Options{World: func(cfg *Config, w *capture.Writer) (World, error) {
		world, err := newSimWorld(cfg, w)
		if err == nil {
			world.(*simWorld).stack.Tracer().Add(seen)
		}
		return world, err
	}}); err != nil {
		t.Fatal(err)
	}
	return seen
}

// Each path of loss recovery is taken in a script, and docs/recovery.md names one: best, one in the directory of the RFC that
// specifies the path. TestScripts shows that the scripts succeed, and the test of the same name in internal/tcp that each path
// is taken in a simulation.
func TestPaths(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.pkt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	best, score := map[string]string{}, map[string]int{}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(file, src, IPv4, nil)
		if err != nil {
			t.Fatal(err)
		}
		versions := Versions(s)
		name := strings.TrimPrefix(filepath.ToSlash(file), "testdata/")
		for path := range pathsOf(t, file, src, versions[0]) {
			if n := aptness(path, name); best[path] == "" || n > score[path] {
				best[path], score[path] = name, n
			}
		}
	}
	var table strings.Builder
	table.WriteString("| path | specified in | script |\n|---|---|---|\n")
	for p := tcp.PathNone + 1; p < tcp.NumPaths; p++ {
		if best[p.String()] == "" {
			t.Errorf("no script takes the path %q", p)
		}
		fmt.Fprintf(&table, "| %s | %s | `%s` |\n", p, p.Source(), best[p.String()])
	}
	checkTable(t, "../../docs/recovery.md", "scripts", table.String())
}

// aptness tells how well a script shows a path: best from the directory of its RFC, and from the section.
func aptness(path, script string) int {
	for p := tcp.PathNone + 1; p < tcp.NumPaths; p++ {
		if p.String() != path {
			continue
		}
		m := source.FindStringSubmatch(p.Source())
		switch {
		case m == nil:
			return 0
		case strings.HasPrefix(script, "rfc"+m[1]+"/"+m[2]+"-"):
			return 2
		case strings.HasPrefix(script, "rfc"+m[1]+"/"):
			return 1
		}
	}
	return 0
}

var source = regexp.MustCompile(`^RFC (\d+), ([\d.]+)`)

// checkTable compares the table under a mark in a document with what it should be, or puts it there.
func checkTable(t *testing.T, file, mark, table string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+mark+" -->\n", "<!-- end of "+mark+" -->"
	before, rest, ok := strings.Cut(string(b), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no %q", file, begin)
	}
	if flag.Lookup("update").Value.String() == "true" { // requirements_test.go has it

		if err := os.WriteFile(file, []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if old != table {
		t.Errorf("the table of %s in %s is not up to date: run go test -run TestPaths -update", mark, file)
	}
}
