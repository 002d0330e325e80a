package ip

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/hosts.md names tests; all of them exist.
func TestHostsTable(t *testing.T) {
	page, err := os.ReadFile("../../docs/hosts.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z0-9/]+) (Test\\w+)(?:/([^`]+))?`").FindAllStringSubmatch(string(page), -1)
	if len(named) < 40 {
		t.Fatalf("only %d tests named", len(named))
	}
	sources := map[string]string{}
	for _, n := range named {
		dir, test, row := n[1], n[2], n[3]
		if sources[dir] == "" {
			sources[dir] = testSource(t, dir)
		}
		if !strings.Contains(sources[dir], "func "+test+"(") {
			t.Errorf("%s has no %s", dir, test)
		}
		if row != "" && !strings.Contains(sources[dir], `{"`+row+`"`) {
			t.Errorf("%s has no row %q", test, row)
		}
	}
	for _, line := range strings.Split(string(page), "\n") {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| requirement") && !strings.Contains(line, "`") {
			t.Errorf("no test shows: %s", line)
		}
	}
}

// testSource returns the tests of a directory.
func testSource(t *testing.T, dir string) string {
	files, err := filepath.Glob("../../" + dir + "/*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in %s: %v", dir, err)
	}
	var all strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}
