package packetdrill

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// Every script in testdata runs on the families it is for.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.pkt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := script.Parse(file, src)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, v := range Versions(s) {
			t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file)+"/"+v.String(), func(t *testing.T) {
				res, err := Run(s, Options{Set: []script.Option{{Name: "ip_version", Value: v.String(), HasValue: true}}})
				if err != nil {
					t.Fatal(err)
				}
				if res.Failure != nil {
					t.Error(res.Failure)
				}
			})
		}
	}
}
