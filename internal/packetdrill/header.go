package packetdrill

import (
	"regexp"
	"strings"
)

// Header is what the comment at the head of a script of ours says:
//
//	// RFC 9293, 3.8.6.1 MUST-36: "The sending TCP peer MUST regularly transmit at least one octet of new data …"
//	// RFC 9293, 3.8.6.1 SHLD-29
//	// Linux: the second connect says EALREADY
//	// kernel: differs: it probes at once
//	// kernel: not run: it would take 24 days
//
// Each line that begins with RFC names a sentence the script shows: the section, the requirements as the RFC's appendix
// numbers them, and the sentence itself, which may go on for several lines. A line that begins with Linux says what the script shows that no RFC asks for.
type Header struct {
	Sources []Source
	Linux   []string // what Linux does that no RFC asks for
	Kernel  string   // why the kernel does not do as the script says; empty: it does
	NotRun  string   // why the script is not run against the kernel; empty: it is
}

// Source is a sentence of an RFC.
type Source struct {
	RFC     string   // "9293"
	Section string   // "3.8.6.1"
	Tags    []string // "MUST-36", "SHLD-29", "MAY-3", …
	Text    string   // the sentence; may be empty
}

var sourceLine = regexp.MustCompile(`^RFC (\d+), (?:section )?([0-9A-Za-z.]*[0-9A-Za-z])((?:[ ,]+(?:MUST|SHLD|MAY|REC)-\d+)*)(?:: *"(.*))?$`)

// ParseHeader reads the comment at the head of a script.
func ParseHeader(src string) Header {
	var h Header
	var open *Source // whose sentence goes on
	for line := range strings.Lines(src) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), "//")
		if !ok {
			break
		}
		text = strings.TrimSpace(text)
		if open != nil {
			open.Text += " " + text
			open = closeQuote(open)
			continue
		}
		if why, ok := strings.CutPrefix(text, "kernel: differs:"); ok {
			h.Kernel = strings.TrimSpace(why)
			continue
		}
		if why, ok := strings.CutPrefix(text, "kernel: not run:"); ok {
			h.NotRun = strings.TrimSpace(why)
			continue
		}
		if what, ok := strings.CutPrefix(text, "Linux:"); ok {
			h.Linux = append(h.Linux, strings.TrimSpace(what))
			continue
		}
		m := sourceLine.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		h.Sources = append(h.Sources, Source{RFC: m[1], Section: m[2], Tags: strings.FieldsFunc(m[3], func(r rune) bool {
			return r == ' ' || r == ','
		}), Text: m[4]})
		if strings.Contains(text, `"`) {
			open = closeQuote(&h.Sources[len(h.Sources)-1])
		}
	}
	return h
}

// closeQuote ends the sentence of s where its quote does. It returns s if it goes on.
func closeQuote(s *Source) *Source {
	if text, ok := strings.CutSuffix(s.Text, `"`); ok {
		s.Text = text
		return nil
	}
	return s
}
