package onlink

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/onlink-go/onlink/wire"
)

// explainWidth is how wide the text of an Explanation is, in columns.
const explainWidth = 108

// String tells the steps one after the other, for somebody who sees them for the first time: the question, the answer behind an
// arrow, and below it why.
func (e *Explanation) String() string {
	t := &explainText{}
	t.put("", fmt.Sprintf("How a packet to %s would leave by %s, step by step. Nothing is sent.", e.target(), e.Network))
	for i := range e.Steps {
		t.line("")
		e.Steps[i].put(t, e)
	}
	t.line("")
	t.put("", e.summary())
	return t.String()
}

// String tells the step alone, as Explanation.String does.
func (s *ExplainedStep) String() string {
	t := &explainText{}
	s.put(t, &Explanation{})
	return t.String()
}

// put tells the step, which is of e.
func (s *ExplainedStep) put(t *explainText, e *Explanation) {
	t.put(fmt.Sprintf("%d. ", s.Number), s.Question)
	because := "because "
	if strings.HasPrefix(s.Rule, "rule ") {
		because = "by "
	}
	because += s.Rule + cite(s.RFC)
	switch {
	case s.Rule == "":
		t.put("   → ", s.Decision+cite(s.RFC))
	case utf8.RuneCountInString("   → "+s.Decision+", "+because) <= explainWidth:
		t.put("   → ", s.Decision+", "+because)
	default:
		t.put("   → ", s.Decision+",")
		t.put("     ", because)
	}
	if s.Entry != "" {
		t.put("     read from ", s.Entry)
	}
	for _, n := range s.Notes {
		t.put("     ", n)
	}
	s.candidates(t)
	if s.Number == len(questions)-1 {
		e.frames(t)
	}
	for _, w := range s.Words {
		t.put("     · ", w)
	}
}

// Brief tells the steps in a line each, and what comes of them.
func (e *Explanation) Brief() string {
	t := &explainText{}
	for i := range e.Steps {
		s := &e.Steps[i]
		why := ""
		switch {
		case s.Entry != "":
			why = " — " + s.Entry
		case s.Rule != "":
			why = " — " + s.Rule + cite(s.RFC)
		}
		t.line(fmt.Sprintf("%d %-13s %s%s", s.Number, s.Name, s.Decision, why))
	}
	t.line(e.summary())
	return t.String()
}

// target names the destination.
func (e *Explanation) target() string {
	if e.Port == 0 {
		return e.Destination.String()
	}
	return fmt.Sprintf("%v, port %d,", e.Destination, e.Port)
}

// summary says in a line what comes of it.
func (e *Explanation) summary() string {
	switch {
	case e.Waiting():
		return "So it waits: no address to send from has been verified yet."
	case e.Late:
		return fmt.Sprintf("So it cannot go. The program gets the error, when it is next asked for one: %s.", e.Error)
	case e.Err != nil:
		return fmt.Sprintf("So it cannot go. The program gets the error: %s.", e.Error)
	case e.Local:
		if e.Socket != "" {
			return fmt.Sprintf("So it stays here, for the socket %s.", e.Socket)
		}
		return "So it stays here."
	case e.Frame == nil && e.Socket != "":
		return fmt.Sprintf("So it stays here, for the socket %s.", e.Socket)
	case e.Frame == nil:
		return "So nothing is sent."
	}
	by := fmt.Sprintf("So it leaves from %v by %s", e.Source, e.Interface)
	switch {
	case e.NextHop.IsMulticast():
		by += ", to all on the link who have joined the group"
	case e.LinkAddr == wire.BroadcastMAC:
		by += ", to all on the link"
	case e.NextHop == e.Destination.WithZone(""):
		by += ", straight to the destination"
	default:
		by += fmt.Sprintf(", to the router %v", e.NextHop)
	}
	switch {
	case e.First != nil:
		by += fmt.Sprintf(", as soon as that has answered the %s", e.First.What)
	case e.Waits:
		by += ", as soon as that has answered"
	}
	return by + "."
}

// maxCandidates is how many candidates String shows, besides the chosen one. Encoded, all are there.
const maxCandidates = 12

// candidates tells what the step chose among.
func (s *ExplainedStep) candidates(t *explainText) {
	if len(s.Candidates) == 1 && s.Entry != "" {
		return // it has been told
	}
	shown := 0
	for i := range s.Candidates {
		c := &s.Candidates[i]
		if shown++; shown <= maxCandidates || c.Chosen {
			c.put(t)
		}
	}
	if more := shown - maxCandidates; more > 0 {
		t.put("     - ", fmt.Sprintf("and %d more, which come after these", more))
	}
}

// put writes the candidate.
func (c *ExplainedCandidate) put(t *explainText) {
	mark := "     - "
	if c.Chosen {
		mark = "     * "
	}
	for _, l := range c.lines() {
		t.put(mark, l)
		mark = "         "
	}
}

// lines writes the candidate: what it is, and what was against it.
func (c *ExplainedCandidate) lines() []string {
	first := c.Name
	if a := c.Address; a != nil {
		first = strings.Join(append([]string{a.name(c.Name)}, a.facts()...), ", ")
	}
	if c.Router != "" {
		first += ", router " + c.Router
	}
	if c.Rule == "" {
		return []string{first}
	}
	verb, other := "loses: ", "the chosen one"
	switch {
	case c.Address != nil && c.Address.State == "": // a destination
		verb, other = "next by ", "the one before"
	case c.Address != nil && c.RFC == "":
		verb = "no candidate: "
	case c.Address != nil:
		verb = "loses by "
	}
	why := verb + c.Rule
	if c.Has != "" {
		why += fmt.Sprintf(" (%s; %s: %s)", c.Has, other, c.Won)
	}
	return []string{first, why}
}

// name writes the address with its prefix length and interface.
func (a *ExplainedAddress) name(name string) string {
	if !a.Prefix.IsValid() {
		return name
	}
	return fmt.Sprintf("%s/%d on %s", name, a.Prefix.Bits(), a.Interface)
}

// facts says what decisions depend on.
func (a *ExplainedAddress) facts() (all []string) {
	all = append(all, "scope "+a.Scope)
	if a.State != "" {
		all = append(all, a.State)
	}
	if a.Temporary {
		all = append(all, "temporary")
	}
	if a.Optimistic {
		all = append(all, "optimistic")
	}
	if a.State == "" { // a destination
		all = append(all, fmt.Sprintf("precedence %d", a.Precedence))
	}
	all = append(all, fmt.Sprintf("label %d", a.Label))
	switch {
	case a.Source.IsValid():
		all = append(all, fmt.Sprintf("source %v", a.Source))
	case a.State == "":
		all = append(all, "no source")
	}
	return all
}

// frames writes the headers of what goes onto the link.
func (e *Explanation) frames(t *explainText) {
	for _, f := range [...]*ExplainedFrame{e.First, e.Frame} {
		if f == nil {
			continue
		}
		if e.First != nil || e.Waits {
			if f == e.First {
				t.put("     first  ", "the "+f.What)
			} else {
				t.put("     then   ", "the "+f.What)
			}
		}
		for _, l := range f.lines() {
			t.put(fmt.Sprintf("       %-9s ", l[0]), l[1])
		}
	}
}

func cite(rfc string) string {
	if rfc == "" {
		return ""
	}
	return " [" + rfc + "]"
}

// explainText is text whose lines are kept to explainWidth.
type explainText struct{ strings.Builder }

func (t *explainText) line(s string) { t.WriteString(strings.TrimRight(s, " ") + "\n") }

// put writes text behind a lead, below which the lines that follow begin.
func (t *explainText) put(lead, text string) {
	indent := strings.Repeat(" ", utf8.RuneCountInString(lead))
	line, empty := lead, true
	for _, w := range strings.Fields(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > explainWidth {
			t.line(line)
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+w, false
	}
	t.line(line)
}
