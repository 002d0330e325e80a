package vnet

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink/packet"
)

// script is a source of frames of these lengths, and of errors in between, that notes what is done.
type script struct {
	room  int
	reads []any // int or error
	log   []string
}

func (s *script) note(format string, args ...any) {
	s.log = append(s.log, fmt.Sprintf(format, args...))
}

func (s *script) Begin() int { return s.room }

func (s *script) Read(_ uintptr, _ []byte) (int, error) {
	next := s.reads[0]
	s.reads = s.reads[1:]
	if n, ok := next.(int); ok {
		return n, nil
	}
	return 0, next.(error)
}

func (s *script) Take(p *packet.Buffer, full bool, b *packet.Batch) bool {
	if full {
		s.note("full %d", p.Len())
		p.Free()
		return false
	}
	b.Push(p)
	return true
}

func (s *script) Deliver(b *packet.Batch) {
	n := 0
	for p := b.Front(); p != nil; p = p.Next() {
		n += p.Len()
	}
	s.note("%d frames of %d", b.Len(), n)
	b.Free()
}

// poller is a connection of a script's.
type poller struct {
	syscall.RawConn
	s *script
}

func (c poller) Read(f func(fd uintptr) bool) error {
	for !f(0) {
		c.s.note("wait")
	}
	return nil
}

func TestRead(t *testing.T) {
	last := errors.New("the last")
	for _, tt := range []struct {
		name  string
		room  int
		reads []any
		want  []string
	}{
		{"nothing", 100, []any{last}, []string{"0 frames of 0"}},
		{"what is there", LongestRead, []any{10, syscall.EINTR, 5000, syscall.EAGAIN, syscall.EAGAIN, 30, last},
			[]string{"2 frames of 5010", "wait", "1 frames of 30"}},
		{"many frames", 100, append(slices.Repeat([]any{10}, maxBatch+1), last), []string{"64 frames of 640", "1 frames of 10"}},
		{"many octets", LongestRead, append(slices.Repeat([]any{60000}, 4), last), []string{"3 frames of 180000", "1 frames of 60000"}},
		{"all the room", 100, []any{10, 100, 20, last}, []string{"full 100", "1 frames of 10", "1 frames of 20"}},
	} {
		s := &script{room: tt.room, reads: tt.reads}
		if err := Read(poller{s: s}, s); err != last {
			t.Errorf("%s: %v", tt.name, err)
		}
		if !slices.Equal(s.log, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, s.log, tt.want)
		}
	}
}
