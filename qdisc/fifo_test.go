package qdisc

import (
	"slices"
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
)

func numbered(i int) *packet.Buffer { return packet.From([]byte{byte(i)}) }

func TestFIFO(t *testing.T) {
	tests := []struct {
		name    string
		limit   int
		in      int
		dropped []int // numbers refused
		out     []int
	}{
		{"empty", 4, 0, nil, nil},
		{"below the limit", 4, 3, nil, []int{0, 1, 2}},
		{"at the limit", 4, 4, nil, []int{0, 1, 2, 3}},
		{"the last come are refused", 4, 6, []int{4, 5}, []int{0, 1, 2, 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &FIFO{Limit: tt.limit}
			var dropped []int
			for i := range tt.in {
				if p := f.Enqueue(5, numbered(i)); p != nil {
					dropped = append(dropped, int(p.Bytes()[0]))
					p.Free()
				}
			}
			if !slices.Equal(dropped, tt.dropped) {
				t.Errorf("dropped %v, want %v", dropped, tt.dropped)
			}
			if f.Len() != len(tt.out) {
				t.Errorf("Len = %d, want %d", f.Len(), len(tt.out))
			}
			for _, want := range tt.out {
				if at := f.Next(7); at != 7 {
					t.Errorf("Next = %v with packets queued, want now", at)
				}
				p := f.Dequeue(7)
				if p == nil || int(p.Bytes()[0]) != want {
					t.Fatalf("Dequeue = %v, want packet %d", p, want)
				}
				p.Free()
			}
			if p := f.Dequeue(8); p != nil {
				t.Errorf("Dequeue of an empty queue gave a packet")
			}
			if at := f.Next(8); at != clock.Never {
				t.Errorf("Next of an empty queue = %v, want never", at)
			}
		})
	}
}

func TestFIFODefaultLimit(t *testing.T) {
	var f FIFO
	refused := 0
	for i := range DefaultLimit + 3 {
		if p := f.Enqueue(0, numbered(i)); p != nil {
			refused++
			p.Free()
		}
	}
	if f.Len() != DefaultLimit || refused != 3 {
		t.Errorf("held %d and refused %d, want %d and 3", f.Len(), refused, DefaultLimit)
	}
}

func TestFIFOAllocatesNothing(t *testing.T) {
	f := &FIFO{Limit: 8}
	p := numbered(1)
	if n := testing.AllocsPerRun(100, func() {
		f.Enqueue(0, p)
		f.Dequeue(0)
	}); n != 0 {
		t.Errorf("%v allocations a packet, want 0", n)
	}
}
