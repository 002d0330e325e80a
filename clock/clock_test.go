package clock

import (
	"math"
	"testing"
	"time"
)

func TestInstantString(t *testing.T) {
	for _, row := range []struct {
		at   Instant
		want string
	}{
		{0, "0.000000"},
		{999, "0.000000"},
		{1000, "0.000001"},
		{12_000_345_678, "12.000345"},
		{999_999_999, "0.999999"},
		{3600e9, "3600.000000"},
		{-1_500_000_000, "-1.500000"},
		{Never, "never"},
		{Never - 1, "9223372036.854775"},
		{math.MinInt64, "-9223372036.854775"},
	} {
		if got := row.at.String(); got != row.want {
			t.Errorf("%d: %q, want %q", int64(row.at), got, row.want)
		}
	}
	b := make([]byte, 0, 32)
	if n := testing.AllocsPerRun(100, func() { b = Instant(12e9).AppendFormat(b[:0]) }); n > 0 && !raceEnabled {
		t.Errorf("AppendFormat: %v allocations", n)
	}
}

func TestInstantArithmetic(t *testing.T) {
	for _, row := range []struct {
		at   Instant
		d    time.Duration
		want Instant
	}{
		{1, 2, 3},
		{5, -3, 2},
		{Never, 1, Never},
		{Never, -1, Never},
		{Never - 5, 5, Never},
		{Never - 5, 6, Never},
		{1e9, math.MaxInt64, Never},
		{0, math.MinInt64, math.MinInt64},
	} {
		if got := row.at.Add(row.d); got != row.want {
			t.Errorf("%d + %d = %d, want %d", row.at, row.d, got, row.want)
		}
	}
	if d := Instant(5e9).Sub(2e9); d != 3*time.Second || Instant(d) != 3e9 {
		t.Errorf("Sub: %v", d)
	}
	if !Instant(1).Before(2) || Instant(2).Before(2) || Instant(7).Duration() != 7 {
		t.Error("Before or Duration is wrong")
	}
}
