//go:build (amd64 || arm64) && !purego && !race

package wire

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// inGo is Checksum without assembly.
func inGo(b []byte, sum uint16) uint16 {
	defer func(v bool) { vector = v }(vector)
	vector = false
	return Checksum(b, sum)
}

func needVector(tb testing.TB) {
	if !vector {
		tb.Skip("this processor has no AVX2: Checksum is all Go")
	}
}

// TestSumVector adds up one piece after the other of a slice, so that the pieces begin at all alignments, beyond what
// Checksum leaves to sumVector: from none at all.
func TestSumVector(t *testing.T) {
	needVector(t)
	r := rand.New(rand.NewPCG(7, 8))
	b := make([]byte, 64+40*vectorLen)
	for _, fill := range []func() byte{
		func() byte { return byte(r.Uint32()) }, func() byte { return 0xff }, func() byte { return 0 },
	} {
		for i := range b {
			b[i] = fill()
		}
		for offset := range 64 {
			for n := 0; offset+n <= len(b); n += vectorLen {
				b := b[offset : offset+n]
				// The words of sumVector are those of a little-endian machine.
				v := fold(sumVector(b), 0)
				if got, want := v<<8|v>>8, sumByWords(b, 0); got != want {
					t.Fatalf("sumVector of %d octets at %d = %04x, want %04x", n, offset, got, want)
				}
			}
		}
	}
}

func TestChecksumWithoutVector(t *testing.T) {
	needVector(t)
	r := rand.New(rand.NewPCG(9, 10))
	b := make([]byte, 70_000)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	for range 5000 {
		from := r.IntN(64)
		b, sum := b[from:from+r.IntN(1<<r.IntN(17))], uint16(r.Uint32())
		if got, want := Checksum(b, sum), inGo(b, sum); got != want {
			t.Fatalf("Checksum of %d octets at %d after %04x = %04x, in Go %04x", len(b), from, sum, got, want)
		}
	}
}

func TestChecksumVectorAllocations(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		var b [1460]byte // escapes if sumVector's argument does
		sink = Checksum(b[:], sink)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func FuzzChecksumVector(f *testing.F) {
	needVector(f)
	f.Add(bytes.Repeat([]byte{0xff}, 333), 3, uint16(0xffff))
	f.Add(make([]byte, 200), 1, uint16(0))
	f.Fuzz(func(t *testing.T, b []byte, from int, sum uint16) {
		b = b[min(max(from, 0), len(b)):]
		if got, want := Checksum(b, sum), inGo(b, sum); got != want {
			t.Errorf("Checksum = %04x, in Go %04x", got, want)
		}
	})
}

// BenchmarkChecksumGain takes turns with and without assembly, so that what else the machine does meets both: it reports
// the medians, and how many times as fast sumVector makes it.
func BenchmarkChecksumGain(b *testing.B) {
	needVector(b)
	defer func() { vector = true }()
	for _, n := range []int{20, 40, 64, 80, 96, 128, 256, 576, 1460, 9000, 65536} {
		buf := make([]byte, n)
		for i := range buf {
			buf[i] = byte(i)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var took [2][]float64 // ns
			times := 100_000/(n+20) + 10
			for b.Loop() {
				for i := range took {
					vector = i == 1
					start := time.Now()
					for range times {
						sink = Checksum(buf, sink)
					}
					took[i] = append(took[i], float64(time.Since(start))/float64(times))
				}
			}
			slices.Sort(took[0])
			slices.Sort(took[1])
			half := len(took[0]) / 2
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(took[0][half], "ns-go")
			b.ReportMetric(took[1][half], "ns")
			b.ReportMetric(took[0][half]/took[1][half], "x")
		})
	}
}
