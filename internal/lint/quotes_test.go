package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// What comments quote stands in an RFC that they name. The texts are not part of the module: the test needs the directory
// where rfc9293.txt and its like are, in ONLINK_RFC. Of RFCs that are not there nothing is said.
//
//	ONLINK_RFC=DIR go test -run Quotes ./internal/lint
func TestQuotes(t *testing.T) {
	dir := os.Getenv("ONLINK_RFC")
	if dir == "" {
		t.Skip("ONLINK_RFC does not say where the RFCs are")
	}
	texts := rfcs{dir: dir, texts: map[string]string{}}
	checked := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.Contains(path, "testdata") {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, g := range f.Comments {
			numbers, quotes := cited(g)
			for _, q := range quotes {
				said, known := texts.say(t, numbers, q)
				if known {
					checked++
				}
				if known && !said {
					t.Errorf("%s: RFC %s does not say %q", fset.Position(g.Pos()), strings.Join(numbers, ", "), q)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked < 300 {
		t.Errorf("only %d quotations found", checked)
	}
}

// rfcs are the texts that have been read, as plain makes them; "" for one that is not there.
type rfcs struct {
	dir   string
	texts map[string]string
}

// say reports whether one of the RFCs with the given numbers says all parts of quote, and whether all of those are there to tell.
func (r *rfcs) say(t *testing.T, numbers []string, quote string) (said, known bool) {
	known = len(numbers) > 0
	for _, n := range numbers {
		text, ok := r.texts[n]
		if !ok {
			b, err := os.ReadFile(filepath.Join(r.dir, "rfc"+n+".txt"))
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			text = plain(footer.ReplaceAllString(string(b), "\n"))
			r.texts[n] = text
		}
		if text == "" {
			known = false
		}
		all := true
		for part := range strings.SplitSeq(strings.ReplaceAll(quote, "[...]", "…"), "…") {
			all = all && strings.Contains(text, plain(part))
		}
		said = said || all
	}
	return said, known
}

var (
	number = regexp.MustCompile(`RFC\s+(\d+)`)
	quoted = regexp.MustCompile(`"([^"]+)"`)
	// footer is the foot of a page and the head of the next.
	footer = regexp.MustCompile(`\n[^\n]*\[Page \d+\]\s*(?:[A-Z][a-z]+ \d{4}\s+RFC \d+[^\n]*\n|[^\n]*\n)`)
)

// minQuote is how many words a quotation has at least: fewer may be anything.
const minQuote = 5

// cited returns the numbers of the RFCs that a comment names, and what it quotes behind the first of them.
func cited(g *ast.CommentGroup) (numbers, quotes []string) {
	var b strings.Builder
	for _, c := range g.List {
		b.WriteString(strings.TrimPrefix(c.Text, "//"))
		b.WriteString(" ")
	}
	text := b.String()
	at := number.FindStringIndex(text)
	if at == nil {
		return nil, nil
	}
	for _, m := range number.FindAllStringSubmatch(text, -1) {
		numbers = append(numbers, m[1])
	}
	for _, m := range quoted.FindAllStringSubmatch(text[at[0]:], -1) {
		if len(strings.Fields(m[1])) >= minQuote {
			quotes = append(quotes, m[1])
		}
	}
	return numbers, quotes
}

// label is what RFC 9293 puts behind its requirements.
var label = regexp.MustCompile(`\(\s*(MUST|SHLD|MAY|REC)-\d+\s*\)`)

// plain returns the letters and digits, and the signs of formulas: where lines end, how lists are marked and what quotation marks
// look like is no part of a sentence.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), strings.ContainsRune("+-*/=<>~", r):
			return unicode.ToLower(r)
		}
		return -1
	}, label.ReplaceAllString(bullet.ReplaceAllString(s, "\n"), ""))
}

// bullet begins an item of a list.
var bullet = regexp.MustCompile(`\n\s*[-+*o]\s`)
