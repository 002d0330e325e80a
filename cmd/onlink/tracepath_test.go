package main

import (
	"strings"
	"testing"
)

// tracepath prints as that of iputils does.
func TestTracepathPrints(t *testing.T) {
	for _, row := range []struct{ line, want string }{
		{"-4 -b server.lab", ` 1?: [LOCALHOST]                      pmtu 1500
 1:  router.lab (192.0.2.1)                                0.017ms 
 2:  server.lab (198.51.100.2)                            80.191ms reached
     Resume: pmtu 1500 hops 2 back 2 
`},
		{"-n -l 1000 2001:db8:2::2", ` 1:  2001:db8:1::1                                         0.017ms 
 2:  2001:db8:2::2                                        80.196ms reached
     Resume: pmtu 1000 hops 2 back 2 
`},
		{"-n -p 7 198.51.100.2 -l 100 -m 1", ` 1:  192.0.2.1                                             0.003ms 
     Too many hops: pmtu 100
     Resume: pmtu 100 
`},
		{"-n 203.0.113.9", ` 1?: [LOCALHOST]                      pmtu 1500
 1:  192.0.2.1                                             0.017ms !N
     Resume: pmtu 1500 
`},
		{"-n 192.0.2.77", ` 1?: [LOCALHOST]                      pmtu 1500
 1:  no reply
 1:  192.0.2.2                                           3000.000ms !H
     Resume: pmtu 1500 
`},
		{"-n -m 1 ff02::77%eth0", ` 1?: [LOCALHOST]                      pmtu 1500
 1:  no reply
     Too many hops: pmtu 1500
     Resume: pmtu 1500 
`},
		{"-n -l 2000 192.0.2.1", ` 1?: [LOCALHOST]                      pmtu 1500
 1:  192.0.2.1                                             0.017ms reached
     Resume: pmtu 1500 hops 1 back 1 
`},
	} {
		code, out, errs := called(t, "tracepath --node client "+row.line)
		if code != 0 || out != row.want || errs != "" {
			t.Errorf("%s: exit code %d, %s\nprinted %s\nwant %s", row.line, code, errs, out, row.want)
		}
	}
}

func TestTracepathRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"-m 0 ::1": "-m 0", "-l 27 ::1": "-l 27", "-l 40 ::1": "-l 40", "-p 0 ::1": "-p 0", "-4 ::1": "family", "-4 -6 ::1": "one of them", "nobody.lab": "no such host",
	} {
		code, out, errs := called(t, "tracepath --node client "+line)
		if code != 2 || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, printed %q, %q", line, code, out, errs)
		}
	}
}

func TestBackHops(t *testing.T) {
	for limit, want := range map[uint8]int{64: 1, 63: 2, 128: 1, 120: 9, 255: 1, 254: 2, 1: 64} {
		if got := backHops(limit); got != want {
			t.Errorf("%d: %d hops, want %d", limit, got, want)
		}
	}
}
