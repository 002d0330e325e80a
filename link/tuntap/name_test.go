package tuntap

import "testing"

func TestCheckName(t *testing.T) {
	for name, good := range map[string]bool{
		"": true, "tap0": true, "tap%d": true, "fifteen-octets-": true, "a.b": true, "…": true,
		"sixteen-octets--": false, ".": false, "..": false, "a/b": false, "a:b": false, "a b": false, "a\tb": false, "a\nb": false,
	} {
		if err := checkName(name); (err == nil) != good {
			t.Errorf("checkName(%q) = %v", name, err)
		}
	}
}
