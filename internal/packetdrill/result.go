package packetdrill

import (
	"fmt"
	"strings"
	"time"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// Result is how the run of a script ended.
type Result struct {
	Name     string
	Version  Version
	Failure  *Failure // nil: all was as the script says
	Warnings []*Failure
	Took     time.Duration // from the first event to the last, in the script's time
	Packets  int           // in both directions
}

// Failure says what was not as a script says.
type Failure struct {
	Pos      script.Pos
	Line     string // of the script
	Msg      string
	Expected string // the packet of the script, with its time
	Actual   string // the packet seen, in the script's numbers, with its time
	Seen     []string
	Stack    string // of a panic in the stack
}

// Error returns the failure on one line: file:line:column: what.
func (f *Failure) Error() string { return f.Pos.String() + ": " + f.Msg }

// String returns the failure with its details, on several lines.
func (f *Failure) String() string {
	var b strings.Builder
	b.WriteString(f.Error())
	if f.Line != "" {
		fmt.Fprintf(&b, "\n    script:    %s", strings.TrimSpace(f.Line))
	}
	if f.Expected != "" {
		fmt.Fprintf(&b, "\n    expected:  %s", f.Expected)
	}
	if f.Actual != "" {
		fmt.Fprintf(&b, "\n    seen:      %s", f.Actual)
	}
	for _, s := range f.Seen {
		fmt.Fprintf(&b, "\n    also seen: %s", s)
	}
	if f.Stack != "" {
		b.WriteString("\n    " + strings.ReplaceAll(strings.TrimSpace(f.Stack), "\n", "\n    "))
	}
	return b.String()
}

// seconds writes a time of the script.
func seconds(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	us := d.Microseconds()
	return fmt.Sprintf("%s%d.%06d", sign, us/1e6, us%1e6)
}
