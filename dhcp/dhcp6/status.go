package dhcp6

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// StatusCode says how something went (RFC 8415, 21.13).
type StatusCode uint16

// The status codes.
const (
	Success       StatusCode = 0
	UnspecFail    StatusCode = 1
	NoAddrsAvail  StatusCode = 2
	NoBinding     StatusCode = 3
	NotOnLink     StatusCode = 4
	UseMulticast  StatusCode = 5
	NoPrefixAvail StatusCode = 6
)

var statusNames = [...]string{"Success", "UnspecFail", "NoAddrsAvail", "NoBinding", "NotOnLink", "UseMulticast", "NoPrefixAvail"}

// String returns the name that RFC 8415 gives the code.
func (c StatusCode) String() string {
	if int(c) < len(statusNames) {
		return statusNames[c]
	}
	return fmt.Sprintf("status %d", uint16(c))
}

// Status is how something went, and what the server's people want to say of it. The zero value is Success, which is what the
// absence of the option means (RFC 8415, 7.5).
type Status struct {
	Code    StatusCode
	Message string
}

// String writes "NoAddrsAvail (the pool is empty)".
func (s Status) String() string {
	if s.Message == "" {
		return s.Code.String()
	}
	return fmt.Sprintf("%v (%s)", s.Code, s.Message)
}

// parseStatus reads a Status Code option. Its message is for people: what is not text does not stay.
func parseStatus(b []byte) (s Status, err error) {
	if len(b) < 2 {
		return s, fmt.Errorf("%d octets are no status", len(b))
	}
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(b[2:]), "\uFFFD"))
	return Status{StatusCode(binary.BigEndian.Uint16(b)), text}, nil
}

// appendTo appends the status as an option, unless it says nothing.
func (s Status) appendTo(b []byte) []byte {
	if s == (Status{}) {
		return b
	}
	return appendOption(b, OptionStatusCode, append(binary.BigEndian.AppendUint16(nil, uint16(s.Code)), s.Message...))
}
