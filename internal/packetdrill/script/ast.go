package script

import (
	"fmt"
	"strings"
	"time"
)

// Pos is a place in a script. Line and Col count from 1, Col in bytes.
type Pos struct {
	File      string
	Line, Col int
}

// String returns the position as file:line:column.
func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col) }

// SyntaxError says what a script should not have said, and where.
type SyntaxError struct {
	Pos Pos
	Msg string
}

// Error returns the error as file:line:column: message.
func (e *SyntaxError) Error() string { return e.Pos.String() + ": " + e.Msg }

// Script is a whole script.
type Script struct {
	Name    string
	Options []Option   // --name=value, in the script's order
	Init    []*Command // commands without a time in front of the events
	Events  []*Event
	Cleanup []*Command // commands without a time behind the events
	lines   []string
}

// Line returns the text of a line, from 1, without its end; the empty string where the script has no such line.
func (s *Script) Line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return strings.TrimRight(s.lines[n-1], "\r\n")
}

// Lines returns how many lines the script has.
func (s *Script) Lines() int { return len(s.lines) }

// Option is --Name=Value; HasValue is false for a bare --Name.
type Option struct {
	Pos      Pos
	Name     string // without the dashes
	Value    string // without the quotes
	HasValue bool
}

// Event is something that happens at a time.
type Event struct {
	Pos    Pos // of the time
	Time   Time
	Action Action
}

// Action is what an event does: *Packet, *Syscall, *Command or *Code.
type Action interface {
	Position() Pos
	String() string // in the script's syntax
	action()
}

// TimeKind says what a time counts from.
type TimeKind uint8

// The kinds of times.
const (
	Absolute      TimeKind = iota // 0.5: since the start of the script
	Relative                      // +0.5: since the event before
	AbsoluteRange                 // 0.1~0.3: from At to End
	RelativeRange                 // +0.1~+0.3
	AnyTime                       // *
)

// Time is when an event happens. Ranges and AnyTime stand in front of outbound packets only.
type Time struct {
	Kind TimeKind
	At   time.Duration
	End  time.Duration // of a range, counted from where At counts from
}

// Command is a shell command: `Text`.
type Command struct {
	Pos  Pos
	Text string // between the back quotes, as written
}

// Code is a piece of Python: %{ Text }%.
type Code struct {
	Pos     Pos    // of %{
	Text    string // without the blanks and tabs at both ends
	TextPos Pos    // of Text's first byte: where errors in the code count from
}

// Syscall is a system call and what it is expected to return.
type Syscall struct {
	Pos      Pos // of the name, or of ... where the call blocks
	Blocking bool
	End      time.Duration // when a blocking call returns: counted from where the event's time counts from
	Name     string
	Args     []Expr
	Result   Expr
	Errno    string // EAGAIN: the name behind a result of -1; empty: none
	ErrnoPos Pos
	Note     string // what stands in parentheses behind it all, without them
}

func (p *Packet) Position() Pos  { return p.Pos }
func (s *Syscall) Position() Pos { return s.Pos }
func (c *Command) Position() Pos { return c.Pos }
func (c *Code) Position() Pos    { return c.Pos }

func (*Packet) action()  {}
func (*Syscall) action() {}
func (*Command) action() {}
func (*Code) action()    {}
