package itest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// command is the program onlink, built when a test first asks for it.
var command = sync.OnceValues(func() (path string, err error) {
	if commandDir, err = os.MkdirTemp("", "onlink-itest-"); err != nil {
		return "", err
	}
	path = filepath.Join(commandDir, "onlink")
	out, err := exec.Command("go", "build", "-o", path, "github.com/onlink-go/onlink/cmd/onlink").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

var commandDir string

// removeCommand removes what command made.
func removeCommand() {
	if commandDir != "" {
		os.RemoveAll(commandDir)
	}
}

// onlinkPath returns the path of the program onlink.
func onlinkPath(t testing.TB) string {
	t.Helper()
	path, err := command()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
