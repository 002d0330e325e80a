package packetdrill

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The sentences that scripts quote stand in the RFCs. Their texts are not part of the module: the test needs the directory
// where rfc9293.txt and its like are, in ONLINK_RFC.
func TestQuotes(t *testing.T) {
	dir := os.Getenv("ONLINK_RFC")
	if dir == "" {
		t.Skip("ONLINK_RFC does not say where the RFCs are")
	}
	files, _ := filepath.Glob("testdata/*/*.pkt")
	texts := map[string]string{}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range ParseHeader(string(src)).Sources {
			if texts[s.RFC] == "" {
				b, err := os.ReadFile(filepath.Join(dir, "rfc"+s.RFC+".txt"))
				if err != nil {
					t.Fatal(err)
				}
				texts[s.RFC] = plain(pageBreak.ReplaceAllString(string(b), "\n"))
			}
			for part := range strings.SplitSeq(s.Text, "…") {
				if !strings.Contains(texts[s.RFC], plain(part)) {
					t.Errorf("%s: RFC %s does not say %q", file, s.RFC, part)
				}
			}
		}
	}
}

// pageBreak is the foot of a page and the head of the next.
var pageBreak = regexp.MustCompile(`\n[^\n]*\[Page \d+\]\n\f?\n?[^\n]*\n`)

// plain leaves out all blanks: where lines end is no part of a sentence.
func plain(s string) string { return strings.Join(strings.Fields(s), "") }
