package lint

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the top of the module.
const root = "../.."

// load loads the module. It opens every directory, because "go test" asks again for a test whose outcome it has
// kept only if a file or directory that the test itself looked at is new; "go list" does not count.
func load(t *testing.T) *Tree {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := Load(root, "./...", "./dhcp/...")
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Ours()) < 10 {
		t.Fatalf("only %d packages of %s in %s", len(tree.Ours()), Module, root)
	}
	return tree
}

func TestTreeIsDeterministic(t *testing.T) {
	findings, allowed, err := load(t).Determinism()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		t.Error(f)
	}
	for _, a := range allowed {
		t.Logf("allowed: %v, because %s", a.Finding, a.Because)
	}
	t.Logf("%d things are allowed by comment", len(allowed))
}

// Each forbidden thing in the test data is found, and nothing else.
func TestDeterminismFinds(t *testing.T) {
	tree, err := Load(root, "context", "crypto/rand", "hash/maphash", "maps", "math/rand", "math/rand/v2", "reflect",
		"slices", "sync", "time")
	if err != nil {
		t.Fatal(err)
	}
	const dir = "testdata/determinism"
	s, err := tree.check("bad", dir, []string{"bad.go"})
	if err != nil {
		t.Fatal(err)
	}
	findings, allowed := s.determinism()

	data, err := os.ReadFile(filepath.Join(dir, "bad.go"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]string{}
	marker := regexp.MustCompile(`// want "((?:[^"\\]|\\.)*)"`)
	for i, line := range strings.Split(string(data), "\n") {
		if m := marker.FindStringSubmatch(line); m != nil {
			want[i+1] = strings.ReplaceAll(m[1], `\"`, `"`)
		}
	}
	for _, f := range findings {
		w, ok := want[f.Pos.Line]
		if !ok || !strings.Contains(f.What, w) {
			t.Errorf("%v, want %q", f, w)
		}
		delete(want, f.Pos.Line)
	}
	for line, w := range want {
		t.Errorf("line %d: %q not found", line, w)
	}
	if len(allowed) != 2 || allowed[0].Because != "a sum has no order" {
		t.Errorf("allowed %v", allowed)
	}
}

func TestExempt(t *testing.T) {
	for rel, want := range map[string]bool{
		"clock/real.go": true, "clock/sim.go": false, "clock": false, "link/tuntap": true, "link": false,
		"cmd/onlink": true, "cmd": true, "cmdx": false, "": false,
	} {
		if isExempt(rel) != want {
			t.Errorf("%q: %v, want %v", rel, !want, want)
		}
	}
}
