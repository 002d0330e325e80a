package packetdrill

import (
	"reflect"
	"testing"
)

func TestParseHeader(t *testing.T) {
	got := ParseHeader(`// RFC 9293, 3.8.6.1 MUST-36: "Probing of zero (offered) windows MUST be supported"
// RFC 9293, 3.8.6.1 SHLD-29, SHLD-30
// RFC 5961, 4.2: "If the SYN bit is set, irrespective of the sequence number,
//   TCP MUST send an ACK (also referred to as challenge ACK)"
// Something else.
// kernel: differs: it does not
--tolerance_usecs=1

// RFC 1, 1: "not in the head"
`)
	want := Header{Sources: []Source{
		{"9293", "3.8.6.1", []string{"MUST-36"}, "Probing of zero (offered) windows MUST be supported"},
		{"9293", "3.8.6.1", []string{"SHLD-29", "SHLD-30"}, ""},
		{"5961", "4.2", []string{}, "If the SYN bit is set, irrespective of the sequence number, TCP MUST send an ACK (also referred to as challenge ACK)"},
	}, Kernel: "it does not"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
