package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func put(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func TestWriteWhole(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "f"), filepath.Join(dir, "link")
	if err := os.Symlink("f", link); err != nil {
		t.Fatal(err)
	}
	want := func(text string, files int) {
		t.Helper()
		if b, err := os.ReadFile(path); err != nil || string(b) != text {
			t.Errorf("%q, %v; want %q", b, err, text)
		}
		if e, _ := os.ReadDir(dir); len(e) != files {
			t.Errorf("%d files, want %d: %v", len(e), files, e)
		}
	}
	if err := writeWhole(path, put("one")); err != nil {
		t.Error(err)
	}
	want("one", 2)
	if err := writeWhole(link, put("two")); err != nil {
		t.Error(err)
	}
	want("two", 2)
	if fi, err := os.Lstat(link); err != nil || fi.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", fi, err)
	}
	broken := errors.New("broken")
	if err := writeWhole(path, func(w io.Writer) error {
		io.WriteString(w, "half")
		return broken
	}); !errors.Is(err, broken) {
		t.Errorf("error is %v, want %v", err, broken)
	}
	want("two", 2)
}

// What is no file is written to, not replaced.
func TestWriteWholeNoFile(t *testing.T) {
	null := filepath.Join(t.TempDir(), "null")
	if err := os.Symlink(os.DevNull, null); err != nil {
		t.Fatal(err)
	}
	if err := writeWhole(null, put("away")); err != nil {
		t.Error(err)
	}
	if fi, err := os.Stat(null); err != nil || fi.Mode().IsRegular() {
		t.Errorf("now it is %v, %v", fi, err)
	}
	if err := writeWhole(t.TempDir(), put("x")); err == nil {
		t.Error("a folder was written")
	}
	if err := writeWhole(filepath.Join(t.TempDir(), "nosuch", "f"), put("x")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
}
