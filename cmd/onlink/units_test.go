package main

import (
	"encoding"
	"fmt"
	"testing"
)

func TestUnits(t *testing.T) {
	for _, tt := range []struct {
		text  string
		value interface {
			encoding.TextUnmarshaler
			fmt.Stringer
		}
		want string // empty: an error
	}{
		{"2%", new(percent), "2%"},
		{"0.02", new(percent), "2%"},
		{"100%", new(percent), "100%"},
		{"1", new(percent), "100%"},
		{"100.1%", new(percent), ""},
		{"-1%", new(percent), ""},
		{"NaN", new(percent), ""},
		{"", new(percent), ""},
		{"%", new(percent), ""},
		{"100mbit", new(rate), "100 Mbit/s"},
		{"2.5Gbit", new(rate), "2.5 Gbit/s"},
		{"64kbit", new(rate), "64 kbit/s"},
		{"1000bit", new(rate), "1 kbit/s"},
		{"999", new(rate), "999 bit/s"},
		{"0", new(rate), "unlimited"},
		{"-1mbit", new(rate), ""},
		{"1e30", new(rate), ""},
		{"fast", new(rate), ""},
		{"mbit", new(rate), ""},
	} {
		err := tt.value.UnmarshalText([]byte(tt.text))
		if (err != nil) != (tt.want == "") || err == nil && tt.value.String() != tt.want {
			t.Errorf("%q is %v, %v; want %q", tt.text, tt.value, err, tt.want)
		}
	}
	for text, want := range map[string]size{"8MiB": 8 << 20, "64k": 64 << 10, "1500": 1500, "1.5g": 3 << 29, "0": 0} {
		var s size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q is %d, %v; want %d", text, s, err, want)
		}
	}
	for _, text := range []string{"", "-1", "x", "1e99", "8MB ", "NaN"} {
		var s size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %d", text, s)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, tt := range []struct {
		text  string
		value encoding.TextUnmarshaler
		want  string // empty: an error
	}{
		{"192.0.2.2/24", new(hostAddr), "192.0.2.2/24"},
		{"2001:db8::2/64", new(hostAddr), "2001:db8::2/64"},
		{"192.0.2.2", new(hostAddr), ""},
		{"192.0.2.2/33", new(hostAddr), ""},
		{"192.0.2.1", new(gateway), "192.0.2.1"},
		{"fe80::1", new(gateway), "fe80::1"},
		{"192.0.2.300", new(gateway), ""},
		{"192.0.2.53", new(nameServer), "192.0.2.53:53"},
		{"[2001:db8::53]:5353", new(nameServer), "[2001:db8::53]:5353"},
		{"x", new(nameServer), ""},
	} {
		err := tt.value.UnmarshalText([]byte(tt.text))
		if (err != nil) != (tt.want == "") || err == nil && fmt.Sprint(tt.value) != tt.want {
			t.Errorf("%q is %v, %v; want %q", tt.text, tt.value, err, tt.want)
		}
	}
}
