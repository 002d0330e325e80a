//go:build !purego && !race

package wire

import (
	"os"
	"strings"
	"testing"
)

// What Linux says of the processor is what CPUID says.
func TestHasAVX2(t *testing.T) {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Skip("there is nobody to compare with:", err)
	}
	_, flags, _ := strings.Cut(string(b), "\nflags")
	flags, _, _ = strings.Cut(flags, "\n")
	if want := strings.Contains(flags+" ", " avx2 "); hasAVX2() != want {
		t.Errorf("hasAVX2 is %v, /proc/cpuinfo says %v: %s", hasAVX2(), want, flags)
	}
}
