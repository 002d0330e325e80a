package main

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// FuzzFrames: whatever comes, the reader takes it apart without a panic, and what it took was written so.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{frameArgs, 0, 0, 0, 2, '{', '}'})
	f.Add([]byte{frameInterrupt, 0, 0, 0, 0})
	f.Add([]byte{frameInput, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{frameInput, 0, 0, 0, 9, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		var again bytes.Buffer
		w := &frameWriter{w: &again}
		for {
			kind, data, err := readFrame(r)
			if err != nil {
				break
			}
			if err := w.write(kind, data); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.HasPrefix(b, again.Bytes()) {
			t.Errorf("%x was taken for %x", b, again.Bytes())
		}
		readRequest(bytes.NewReader(b)) // nor does it panic
	})
}

func TestFrameErrors(t *testing.T) {
	for _, row := range []struct {
		in   []byte
		want error
	}{
		{nil, io.EOF},
		{[]byte{frameInput, 0, 0}, io.ErrUnexpectedEOF},
		{[]byte{frameInput, 0, 0, 0, 1}, io.ErrUnexpectedEOF},
	} {
		if _, _, err := readFrame(bytes.NewReader(row.in)); !errors.Is(err, row.want) {
			t.Errorf("%x: %v, want %v", row.in, err, row.want)
		}
	}
	if _, _, err := readFrame(bytes.NewReader([]byte{frameInput, 0, 0x10, 0, 1})); err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a frame too long: %v", err)
	}
	if err := (&frameWriter{w: io.Discard}).write(frameOut, make([]byte, maxFrame+1)); err == nil {
		t.Error("a frame too long was written")
	}
}
