package packetdrill

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/packetdrill/code"
	"github.com/onlink-go/onlink/internal/packetdrill/script"
	"github.com/onlink-go/onlink/internal/packetdrill/shell"
	"github.com/onlink-go/onlink/link/capture"
)

// Options say how to run scripts.
type Options struct {
	Set     []script.Option // overrule those of the script
	Capture *capture.Writer // takes the packets; nil: nobody
	Trace   func(string)    // is told each packet and call with its time, a line each; nil: nobody
	// World makes what a script runs in, for the settings of that script; nil: a stack in virtual time.
	World func(*Config, *capture.Writer) (World, error)
}

// Run runs a script. What is wrong with its options is an error; everything else is in the Result.
func Run(s *script.Script, o Options) (Result, error) {
	cfg, err := configure(s, o.Set)
	if err != nil {
		return Result{}, err
	}
	res := Result{Name: s.Name, Version: cfg.Version}
	cfg.CaptureName = fmt.Sprintf("%s (%v)", s.Name, cfg.Version)
	r := &runner{script: s, cfg: cfg, opt: o, res: &res}
	if o.World == nil {
		o.World = newSimWorld
	}
	if r.world, err = o.World(cfg, o.Capture); err != nil {
		return res, err
	}
	res.Failure = r.run()
	return res, nil
}

// runner runs one script.
type runner struct {
	script *script.Script
	cfg    *Config
	opt    Options
	world  World
	res    *Result

	event  *script.Event // under way
	count  int           // of the events done
	last   *script.Event // the one before event
	lastAt time.Duration // its time, worked out
	at     time.Duration // event's time, worked out
	end    time.Duration // the end of its range

	fds     []*descriptor
	socks   []*sock
	current *sock // the socket that packets without ports belong to: the one made last
	blocked *call // the blocking call under way
	port    uint16
	cookies cookieJar
	md5Key  []byte   // of TCP_MD5SIG
	ignored []string // packets of nobody since the event began
	shell   *shell.Shell
	code    *code.Interp // nil: no code has run yet
}

// run runs the script from its first command to its last, and says what went wrong.
func (r *runner) run() (f *Failure) {
	defer func() {
		if v := recover(); v != nil {
			f = r.panicked(v)
		} else if err := r.world.End(); err != nil && f == nil {
			f = r.failure(r.position(), err)
		}
	}()
	r.shell = newShell(r.world, filepath.Dir(r.script.Name))
	if f := r.commands(r.script.Init, true); f != nil {
		return f
	}
	r.world.Begin()
	f = r.events()
	r.res.Took = r.world.Now()
	if g := r.commands(r.script.Cleanup, false); f == nil {
		f = g
	}
	return f
}

// position is where the script is.
func (r *runner) position() script.Pos {
	if r.event != nil {
		return r.event.Pos
	}
	return script.Pos{File: r.script.Name, Line: 1, Col: 1}
}

func (r *runner) failure(pos script.Pos, err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return &Failure{Pos: pos, Line: r.script.Line(pos.Line), Msg: err.Error()}
}

// panicked tells of a panic in the stack, or in the interpreter.
func (r *runner) panicked(v any) *Failure {
	f := r.failure(r.position(), fmt.Errorf("panic: %v", v))
	f.Stack = string(debug.Stack())
	if err, ok := v.(error); ok {
		var p *clock.Panic
		if errors.As(err, &p) {
			f.Msg, f.Stack = fmt.Sprintf("panic in %s: %v", p.Name, p.Value), string(p.Stack)
		}
	}
	return f
}

func (r *runner) commands(list []*script.Command, init bool) *Failure {
	if init {
		for _, path := range r.cfg.InitScripts {
			if err := r.shell.Source(path); err != nil {
				return r.failure(script.Pos{File: r.script.Name, Line: 1, Col: 1}, err)
			}
		}
	}
	for _, c := range list {
		if err := r.shell.Run(c.Text); err != nil {
			return r.failure(c.Pos, err)
		}
	}
	return nil
}

// events runs the events one after the other, and then waits for a call under way.
func (r *runner) events() *Failure {
	for _, e := range r.script.Events {
		r.event, r.ignored = e, nil
		if err := r.step(e); err != nil {
			f := r.failure(e.Action.Position(), err)
			if g := r.reap(); g != nil {
				f = g // what a call returned before explains more
			}
			return f
		}
		r.last, r.lastAt = e, r.at
		r.count++
	}
	return r.finish()
}

// finish waits a second for a blocking call, as packetdrill does, and looks at what is left over.
func (r *runner) finish() *Failure {
	if r.blocked != nil {
		err := r.world.Sleep(r.world.Now()+time.Second, func() bool { return r.blocked.c.Done })
		if f := r.reap(); f != nil {
			return f
		}
		if c := r.blocked; c != nil {
			if err == nil || err == errIdle {
				err = fmt.Errorf("%s has not returned at the end of the script", c.name)
			}
			return r.failure(c.pos, err)
		}
	}
	if r.cfg.StrictEnd {
		return r.leftOver()
	}
	return nil
}

// leftOver finds packets of the script's sockets that nobody has expected.
func (r *runner) leftOver() *Failure {
	for sent := r.world.Sent(); sent != nil; sent = r.world.Sent() {
		p, err := parseLive(sent.Data, sent.At)
		if err != nil {
			continue
		}
		for _, s := range r.socks {
			if s.owns(p) || s.adopts(p) {
				f := r.failure(r.position(), errors.New("a packet is left over at the end of the script"))
				f.Actual = r.timed(p.at, s.toScript(p, &script.Packet{}).format(script.Outbound))
				return f
			}
		}
	}
	return nil
}

func (r *runner) timed(at time.Duration, text string) string { return seconds(at) + " " + text }

func (r *runner) trace(at time.Duration, format string, args ...any) {
	if r.opt.Trace != nil {
		r.opt.Trace(r.timed(at, fmt.Sprintf(format, args...)))
	}
}

// step runs one event.
func (r *runner) step(e *script.Event) error {
	if f := r.reap(); f != nil {
		return f
	}
	if err := r.schedule(e); err != nil {
		return err
	}
	switch a := e.Action.(type) {
	case *script.Packet:
		return r.packet(a)
	case *script.Syscall:
		return r.syscall(a)
	case *script.Command:
		if err := r.await("command"); err != nil {
			return err
		}
		r.trace(r.world.Now(), "`%s`", a.Text)
		return r.shell.Run(a.Text)
	case *script.Code:
		if err := r.await("code"); err != nil {
			return err
		}
		return r.runCode(a)
	}
	return fmt.Errorf("an event of a kind unknown: %T", e.Action)
}

// schedule works out when the event is to happen. Relative times count from now, which is when the event before was over;
// of two packets that arrive one after the other, from when the first was to.
func (r *runner) schedule(e *script.Event) error {
	t := e.Time
	r.at, r.end = t.At, t.End
	switch t.Kind {
	case script.Relative, script.RelativeRange, script.AnyTime:
		from := r.world.Now()
		if r.last != nil && inbound(r.last) && inbound(e) {
			from = r.lastAt
		}
		r.at += from
		r.end += from
	}
	switch {
	case r.count == 0 && r.at != 0:
		return errors.New("the first event must be at time 0")
	case r.last != nil && absolute(r.last) && absolute(e) && r.at < r.lastAt:
		return fmt.Errorf("time goes backward in the script, from %s to %s", seconds(r.lastAt), seconds(r.at))
	}
	return nil
}

func inbound(e *script.Event) bool {
	p, ok := e.Action.(*script.Packet)
	return ok && p.Dir == script.Inbound
}

func absolute(e *script.Event) bool {
	return e.Time.Kind == script.Absolute || e.Time.Kind == script.AbsoluteRange
}

// await lets time pass until the event is to happen.
func (r *runner) await(what string) error {
	if err := r.world.Sleep(r.at, nil); err != nil {
		return err
	}
	if f := r.reap(); f != nil {
		return f
	}
	if r.count == 0 {
		return nil
	}
	return r.onTime(what, r.event.Time.Kind, r.at, r.end, r.world.Now(), r.sinceLast())
}

// sinceLast is the time from the event before to this one: what a tolerance in percent is a share of.
func (r *runner) sinceLast() time.Duration {
	if r.last == nil {
		return 0
	}
	return r.at - r.lastAt
}

// onTime checks that something happened when it was to.
func (r *runner) onTime(what string, kind script.TimeKind, from, to, happened, since time.Duration) error {
	if kind == script.AnyTime {
		return nil
	}
	tolerance := max(r.cfg.Tolerance, time.Duration(r.cfg.TolerancePercent/100*float64(since)))
	if kind != script.AbsoluteRange && kind != script.RelativeRange {
		to = from
	}
	if happened >= from-tolerance && happened <= to+tolerance {
		return nil
	}
	when := "at " + seconds(from)
	if to != from {
		when = "from " + seconds(from) + " to " + seconds(to)
	}
	return fmt.Errorf("the %s was at %s, expected %s, give or take %v", what, seconds(happened), when, tolerance)
}
