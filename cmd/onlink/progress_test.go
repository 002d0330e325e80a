package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgressLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &progress{total: 4 << 20, read: 1 << 20, began: time.Now()}
		time.Sleep(2 * time.Second)
		want := "[" + strings.Repeat("=", 10) + strings.Repeat(" ", 30) + "]  25%      1.00 MiB      0.50 MiB/s"
		if got := p.line(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		p.total = -1
		if got, want := p.line(), "    1.00 MiB      0.50 MiB/s"; got != want {
			t.Errorf("of unknown length: %q, want %q", got, want)
		}
		p.total, p.read = 4<<20, 4<<20
		if got := p.line(); !strings.Contains(got, "["+strings.Repeat("=", 40)+"] 100%") {
			t.Errorf("at the end: %q", got)
		}
	})
}

// Nothing is drawn where standard error is a file.
func TestProgressOnlyOnTerminal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := newProgress(f, strings.NewReader("content"), 7)
	if b, err := io.ReadAll(p); string(b) != "content" || err != nil || p.read != 7 {
		t.Errorf("%q, %v, %d", b, err, p.read)
	}
	p.finish()
	if fi, err := f.Stat(); err != nil || fi.Size() != 0 {
		t.Errorf("%v, %v", fi, err)
	}
}
