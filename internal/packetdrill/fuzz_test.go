package packetdrill

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// Whatever a script says, it ends, and the interpreter and the stack do not panic.
func FuzzRun(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.pkt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "%{") || strings.Contains(text, "`") {
			return // code and shell have targets of their own, and may take long on purpose
		}
		for _, v := range []Version{IPv4, IPv6} {
			s, err := Parse("fuzz.pkt", []byte(text), v, nil)
			if err != nil {
				return
			}
			res, err := Run(s, Options{Set: []script.Option{{Name: "ip_version", Value: v.String(), HasValue: true}}})
			if err == nil && res.Failure != nil && res.Failure.Stack != "" {
				t.Error(res.Failure.String())
			}
		}
	})
}
