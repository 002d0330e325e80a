package packetdrill

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// Every script in testdata/RFC runs on the families it is for, and says at its head which sentences it shows.
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
		if h := ParseHeader(string(src)); len(h.Sources)+len(h.Linux) == 0 {
			t.Errorf(`%s: the first line is to be // RFC number, section: "sentence", or // Linux: what`, file)
		}
		s, err := Parse(file, src, IPv4, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, v := range Versions(s) {
			name := filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file) + "/" + v.String()
			t.Run(name, func(t *testing.T) { runScript(t, file, src, v) })
		}
	}
}

func runScript(t *testing.T, file string, src []byte, v Version) {
	s, err := Parse(file, src, v, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := Run(s, Options{Set: []script.Option{{Name: "ip_version", Value: v.String(), HasValue: true}}})
	if err != nil {
		t.Fatal(err)
	}
	if res.Failure != nil {
		t.Error(res.Failure.String())
	}
}
