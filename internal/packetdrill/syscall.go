package packetdrill

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/onlink-go/onlink/internal/packetdrill/abi"
	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// call is a system call of the script on its way.
type call struct {
	name string
	pos  script.Pos
	sc   *script.Syscall
	kind script.TimeKind
	from time.Duration // when it began, by the script
	end  time.Duration // when it is to return

	run   func() (int, error)    // makes the call
	after func(result int) error // looks at what else it returned, once the result is as expected
	isFD  bool                   // the result is a new descriptor
	c     *Call
	res   int
	err   error
}

// opens says that the result, if the call succeeds, is a new descriptor, and what is done with it then.
func (c *call) opens(then func(fd int) error) {
	c.isFD = true
	c.after = func(fd int) error {
		if fd < 0 {
			return nil
		}
		return then(fd)
	}
}

// patienceForCalls is how long, at least, a call may take that is not said to block.
const patienceForCalls = time.Minute

// syscall runs an event that is a system call.
func (r *runner) syscall(sc *script.Syscall) error {
	if r.blocked != nil {
		// Only one call can be under way. It may be about to return.
		if err := r.world.Sleep(max(r.at, r.world.Now()+r.world.Grace()), func() bool { return r.blocked.c.Done }); err != nil && err != errIdle {
			return err
		}
		if f := r.reap(); f != nil {
			return f
		}
	}
	if err := r.await("system call"); err != nil {
		return err
	}
	if r.blocked != nil && sc.Blocking {
		return fmt.Errorf("%s has not returned yet, and one call at a time can block", r.blocked.name)
	}
	f, ok := syscalls[sc.Name]
	if !ok {
		return fmt.Errorf("%s: unknown system call", sc.Name)
	}
	c := &call{name: sc.Name, pos: sc.Pos, sc: sc, kind: r.event.Time.Kind, from: r.at, end: sc.End}
	if c.kind != script.Absolute {
		c.end += r.at - r.event.Time.At
	}
	if err := f(r, c, args{r, sc.Args}); err != nil {
		return err
	}
	r.trace(r.world.Now(), "%s", sc)
	c.c = r.world.Do(c.name, func() { c.res, c.err = c.run() })
	if sc.Blocking && !c.c.Done {
		r.blocked = c
		return nil
	}
	if !c.c.Done {
		err := r.world.Sleep(r.world.Now()+max(patienceForCalls, r.world.Patience()), func() bool { return c.c.Done })
		if !c.c.Done {
			if err == nil || err == errIdle {
				err = errors.New("it blocks for ever")
			}
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return r.returned(c)
}

// reap looks whether the blocking call has returned, and as it should.
func (r *runner) reap() *Failure {
	c := r.blocked
	if c == nil || !c.c.Done {
		return nil
	}
	r.blocked = nil
	if err := r.returned(c); err != nil {
		return r.failure(c.pos, err)
	}
	return nil
}

// returned checks what a call returned and when.
func (r *runner) returned(c *call) error {
	err := r.checkResult(c)
	if err == nil && c.after != nil {
		if err = c.after(c.res); err != nil {
			err = fmt.Errorf("%s: %w", c.name, err)
		}
	}
	if err == nil && c.sc.Blocking {
		err = r.onTime("return of "+c.name, c.kind, c.end, c.end, c.c.At, c.end-c.from)
	}
	if err != nil {
		err = r.failure(c.pos, err)
	}
	return r.nonFatal(r.cfg.NonFatalSyscall, err)
}

// checkResult compares a call's result and errno with the script's.
func (r *runner) checkResult(c *call) error {
	if c.err != nil {
		c.res = -1
	}
	r.trace(c.c.At, "%s returned %s", c.name, c.outcome())
	if _, any := c.sc.Result.(*script.Ellipsis); any {
		return nil
	}
	want, err := r.eval().int32(c.sc.Result)
	if err != nil {
		return err
	}
	text := strconv.Itoa(want)
	if c.sc.Errno != "" {
		text += " " + c.sc.Errno
	}
	if c.isFD && want >= 0 && c.res >= 0 {
		return nil
	}
	if c.res != want {
		return fmt.Errorf("%s returned %s, expected %s", c.name, c.outcome(), text)
	}
	if c.sc.Errno == "" {
		return nil
	}
	number, ok := abi.Errno(c.sc.Errno)
	if !ok {
		return fmt.Errorf("%s: unknown errno", c.sc.Errno)
	}
	if number != errnoOf(c.err) {
		return fmt.Errorf("%s returned %s, expected %s", c.name, c.outcome(), text)
	}
	return nil
}

// outcome writes a call's result as a script has it.
func (c *call) outcome() string {
	if c.err == nil {
		return strconv.Itoa(c.res)
	}
	return fmt.Sprintf("-1 %s", errnoName(c.err))
}

// eval returns what works out the script's expressions.
func (r *runner) eval() evaluator { return evaluator{} }

// args are a call's arguments.
type args struct {
	r    *runner
	list []script.Expr
}

// count checks how many arguments there are.
func (a args) count(n int) error {
	if len(a.list) != n {
		return fmt.Errorf("%d arguments, expected %d", len(a.list), n)
	}
	return nil
}

// int returns an argument that is a number.
func (a args) int(i int) (int, error) {
	v, err := a.r.eval().int32(a.list[i])
	if err != nil {
		err = fmt.Errorf("argument %d: %w", i+1, err)
	}
	return v, err
}

// ints returns the arguments that are numbers, in the order asked for.
func (a args) ints(n int, at ...int) ([]int, error) {
	if err := a.count(n); err != nil {
		return nil, err
	}
	list := make([]int, len(at))
	for k, i := range at {
		v, err := a.int(i)
		if err != nil {
			return nil, err
		}
		list[k] = v
	}
	return list, nil
}

// fd returns the first argument, a descriptor: its number in the script and in the system.
func (a args) fd(i int) (script, live int, err error) {
	script, err = a.int(i)
	return script, a.r.liveFD(script), err
}

// any reports whether an argument is ...
func (a args) any(i int) bool {
	_, ok := a.list[i].(*script.Ellipsis)
	return ok
}

// isNull reports whether an argument is 0 or NULL.
func (a args) isNull(i int) bool {
	v, err := a.r.eval().num(a.list[i])
	return err == nil && v == 0
}

// maxBuffer bounds the buffers of a script.
const maxBuffer = 64 << 20

// buffer returns n octets for an argument that is ..., a string or NULL.
func (a args) buffer(i, n int) ([]byte, error) {
	if n < 0 || n > maxBuffer {
		return nil, fmt.Errorf("a buffer of %d octets", n)
	}
	switch x := a.list[i].(type) {
	case *script.Ellipsis:
		return make([]byte, n), nil
	case *script.Str:
		b := make([]byte, n)
		copy(b, x.Value)
		return b, nil
	}
	if a.isNull(i) {
		return nil, nil
	}
	return nil, fmt.Errorf("argument %d: %s is no buffer", i+1, a.list[i])
}

// bracketed returns the number in an argument [n].
func (a args) bracketed(i int) (int, error) {
	l, ok := a.list[i].(*script.List)
	if !ok || len(l.Elems) != 1 {
		return 0, fmt.Errorf("argument %d: %s is not [number]", i+1, a.list[i])
	}
	return a.r.eval().int32(l.Elems[0])
}
