package main

import (
	"fmt"
	"strconv"
	"strings"
)

// percent is a probability, written "1%" or "0.01".
type percent float64

// UnmarshalText reads "1%" or "0.01".
func (p *percent) UnmarshalText(b []byte) error {
	text, scale := string(b), 1.0
	if t, ok := strings.CutSuffix(text, "%"); ok {
		text, scale = t, 100
	}
	f, err := strconv.ParseFloat(text, 64)
	if f /= scale; err != nil || !(f >= 0 && f <= 1) {
		return fmt.Errorf("%q is not a share between 0%% and 100%%", b)
	}
	*p = percent(f)
	return nil
}

// String writes it as "1%".
func (p percent) String() string { return strconv.FormatFloat(float64(p)*100, 'g', 4, 64) + "%" }

// rate is a rate in bit/s, written "100mbit", "2.5gbit", "64kbit" or "1000" (bit/s); 0 is unlimited.
type rate float64

var rateUnits = []struct {
	suffix string
	scale  float64
}{{"gbit", 1e9}, {"mbit", 1e6}, {"kbit", 1e3}, {"bit", 1}, {"", 1}}

// UnmarshalText reads "100mbit".
func (r *rate) UnmarshalText(b []byte) error {
	text := strings.ToLower(string(b))
	for _, u := range rateUnits {
		t, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(t, 64)
		if err != nil || !(f >= 0 && f*u.scale < 1e15) {
			break
		}
		*r = rate(f * u.scale)
		return nil
	}
	return fmt.Errorf("%q is not a rate like 100mbit, 2.5gbit or 64kbit", b)
}

// String writes it as "100 Mbit/s".
func (r rate) String() string {
	switch {
	case r == 0:
		return "unlimited"
	case r >= 1e9:
		return strconv.FormatFloat(float64(r)/1e9, 'g', 4, 64) + " Gbit/s"
	case r >= 1e6:
		return strconv.FormatFloat(float64(r)/1e6, 'g', 4, 64) + " Mbit/s"
	case r >= 1e3:
		return strconv.FormatFloat(float64(r)/1e3, 'g', 4, 64) + " kbit/s"
	}
	return strconv.FormatFloat(float64(r), 'g', 4, 64) + " bit/s"
}

// size is a number of octets, written "8MiB", "64k", "1500".
type size int64

var sizeUnits = []struct {
	suffix string
	scale  float64
}{{"gib", 1 << 30}, {"mib", 1 << 20}, {"kib", 1 << 10}, {"g", 1 << 30}, {"m", 1 << 20}, {"k", 1 << 10}, {"", 1}}

// UnmarshalText reads "8MiB".
func (s *size) UnmarshalText(b []byte) error {
	text := strings.ToLower(string(b))
	for _, u := range sizeUnits {
		t, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(t, 64)
		if err != nil || !(f >= 0 && f*u.scale < 1<<50) {
			break
		}
		*s = size(f * u.scale)
		return nil
	}
	return fmt.Errorf("%q is not a size like 8MiB, 64k or 1500", b)
}
