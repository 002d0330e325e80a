package packetdrill_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/rfc9293.md and the table of docs/recovery.md anew")

const (
	requirementsFile = "testdata/rfc9293.tsv"
	tableFile        = "../../docs/rfc9293.md"
)

// requirement is a line of RFC 9293's appendix B.
type requirement struct {
	section, text, id, level string
	note                     string // see requirementsFile
}

// TestRequirements keeps docs/rfc9293.md, the table of what shows which requirement of RFC 9293, in step with the
// scripts. Every MUST and SHOULD must be shown by something, or it must be told why it is not.
func TestRequirements(t *testing.T) {
	rows := readRequirements(t)
	scripts := scriptsByID(t, rows)
	for _, r := range rows {
		if r.level == "MAY" {
			continue
		}
		if r.note == "" && len(scripts[r.id]) == 0 {
			t.Errorf("%s (%s: %s): no script names it, and %s says nothing", r.id, r.level, r.text, requirementsFile)
		}
	}
	table := requirementsTable(rows, scripts)
	if *update {
		if err := os.WriteFile(tableFile, table, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old, err := os.ReadFile(tableFile); err != nil || !bytes.Equal(old, table) {
		t.Errorf("%s is not what the scripts say; go test ./internal/packetdrill -run TestRequirements -update (%v)", tableFile, err)
	}
}

func readRequirements(t *testing.T) []requirement {
	text, err := os.ReadFile(requirementsFile)
	if err != nil {
		t.Fatal(err)
	}
	var rows []requirement
	for n, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 5 {
			t.Fatalf("%s:%d: %d fields, want 5", requirementsFile, n+1, len(f))
		}
		r := requirement{f[0], f[1], f[2], f[3], f[4]}
		checkNote(t, n+1, r.note)
		rows = append(rows, r)
	}
	return rows
}

// checkNote checks that a note is of one of the kinds there are, and that the tests it names exist.
func checkNote(t *testing.T, line int, note string) {
	for part := range strings.SplitSeq(note, "; ") {
		switch f := strings.Fields(part); {
		case note == "", strings.HasPrefix(part, "not met: "), strings.HasPrefix(part, "does not apply: "):
		case len(f) == 3 && f[0] == "test":
			if !hasTest(t, filepath.Join("../..", f[1]), f[2]) {
				t.Errorf("%s:%d: there is no %s in %s", requirementsFile, line, f[2], f[1])
			}
		default:
			t.Errorf("%s:%d: note %q", requirementsFile, line, part)
		}
	}
}

// hasTest reports whether the package in dir has the test.
func hasTest(t *testing.T, dir, name string) bool {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && bytes.Contains(text, []byte("\nfunc "+name+"(t "))
	})
}

var requirementID = regexp.MustCompile(`\b(MUST|SHLD|MAY|REC)-[0-9]+\b`)

// scriptsByID returns the names of the scripts whose comments name a requirement, by its ID.
func scriptsByID(t *testing.T, rows []requirement) map[string][]string {
	known := map[string]bool{}
	for _, r := range rows {
		known[r.id] = true
	}
	scripts := map[string][]string{}
	err := filepath.WalkDir("testdata", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".pkt" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(filepath.ToSlash(path), "testdata/")
		for line := range strings.Lines(string(text)) {
			_, comment, ok := strings.Cut(line, "//")
			if !ok || !strings.Contains(string(text), "9293") {
				continue
			}
			for _, id := range requirementID.FindAllString(comment, -1) {
				if !known[id] {
					t.Errorf("%s: RFC 9293 has no %s in appendix B", path, id)
				}
				if !slices.Contains(scripts[id], name) {
					scripts[id] = append(scripts[id], name)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return scripts
}

// requirementsTable writes the table.
func requirementsTable(rows []requirement, scripts map[string][]string) []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, `# RFC 9293, requirement by requirement

Appendix B of RFC 9293 sums up what it requires. This table says what shows that onlink does it: scripts in the
packetdrill language, of internal/packetdrill/testdata, which name the requirements in their comments (run one with
`+"`go run ./cmd/onlink drill internal/packetdrill/testdata/NAME`"+`), and tests in Go. It is made by

    go test ./internal/packetdrill -run TestRequirements -update

`)
	section := ""
	for _, r := range rows {
		if r.section != section {
			section = r.section
			fmt.Fprintf(&b, "\n## %s\n\n| requirement | | | shown by |\n|---|---|---|---|\n", section)
		}
		var shown []string
		for _, s := range scripts[r.id] {
			shown = append(shown, fmt.Sprintf("[%s](../internal/packetdrill/testdata/%s)", strings.TrimSuffix(s, ".pkt"), s))
		}
		if r.note != "" {
			shown = append(shown, r.note)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.text, r.id, r.level, strings.Join(shown, ", "))
	}
	return b.Bytes()
}
