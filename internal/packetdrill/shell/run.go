package shell

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Host is what commands act on.
type Host interface {
	// SetSysctl sets a setting by its name with dots. An unknown name is an error that names it.
	SetSysctl(name, value string) error
	// Sysctl returns a setting's value as sysctl -n prints it.
	Sysctl(name string) (string, error)
	// Command runs a command that administers the network: ip, tc, ethtool, …. It returns what the command prints. An
	// unknown command, or one the host cannot obey, is an error that names it.
	Command(argv []string) (string, error)
	// Sleep lets time pass.
	Sleep(d time.Duration) error
}

// Shell runs commands. Its variables, and what set_sysctls.py has changed, outlive a Run.
type Shell struct {
	host  Host
	dir   string // that relative paths count from
	vars  map[string]string
	args  []string // $0, $1, …
	saved []setting
	depth int // of files that run files
	steps int // left
}

// setting is a sysctl and its value before it was changed.
type setting struct{ name, value string }

// maxSteps bounds how many commands a script may run.
const maxSteps = 100_000

// New returns a shell in the directory dir.
func New(h Host, dir string) *Shell {
	return &Shell{host: h, dir: dir, vars: map[string]string{"PPID": "1", "HOME": "/", "PWD": dir}, args: []string{"sh"}, steps: maxSteps}
}

// errExit is what exit 0 ends a file with.
var errExit = errors.New("exit")

// Run runs a program: commands on several lines.
func (s *Shell) Run(program string) error {
	list, err := parse(program)
	if err != nil {
		return err
	}
	_, err = s.list(list, "")
	if err == errExit {
		err = nil
	}
	return err
}

// list runs commands one after the other and returns what they print.
func (s *Shell) list(list []command, in string) (string, error) {
	var out strings.Builder
	for _, c := range list {
		text, err := s.one(c, in)
		out.WriteString(text)
		if err != nil {
			return out.String(), err
		}
	}
	return out.String(), nil
}

func (s *Shell) one(c command, in string) (string, error) {
	if s.steps--; s.steps < 0 {
		return "", errors.New("the commands do not end")
	}
	switch c := c.(type) {
	case *simple:
		return s.simple(c, in)
	case *pipeline:
		var err error
		for _, p := range c.parts {
			if in, err = s.one(p, in); err != nil {
				return in, err
			}
		}
		return in, nil
	case *andOr:
		out, err := s.one(c.first, in)
		for _, p := range c.rest {
			if p.and != (err == nil) || err == errExit {
				continue
			}
			var text string
			text, err = s.one(p.cmd, in)
			out += text
		}
		if err == ErrStatus && c.rest[len(c.rest)-1].and {
			err = nil // a condition that does not hold is not what ends a program after set -e
		}
		return out, err
	case *ifClause:
		_, err := s.list(c.cond, in)
		switch {
		case err == errExit:
			return "", err
		case err == nil:
			return s.list(c.then, in)
		}
		if err := s.unknown(err); err != nil {
			return "", err
		}
		return s.list(c.els, in)
	case *forClause:
		return s.loop(c, in)
	}
	return "", fmt.Errorf("%T", c)
}

// unknown returns err if it says that a command is unknown: a condition that cannot be judged is not false.
func (s *Shell) unknown(err error) error {
	var u *UnknownError
	if errors.As(err, &u) {
		return err
	}
	return nil
}

func (s *Shell) loop(c *forClause, in string) (string, error) {
	var words []string
	for _, w := range c.words {
		list, err := s.split(w)
		if err != nil {
			return "", err
		}
		words = append(words, list...)
	}
	var out strings.Builder
	for _, w := range words {
		s.vars[c.name] = w
		text, err := s.list(c.body, in)
		out.WriteString(text)
		if err != nil {
			return out.String(), err
		}
	}
	return out.String(), nil
}

// expand returns what a word stands for.
func (s *Shell) expand(w word) (string, error) {
	var b strings.Builder
	for i := range w {
		text, err := s.piece(&w[i])
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

func (s *Shell) piece(p *part) (string, error) {
	switch p.kind {
	case variable:
		return s.value(p.text), nil
	case substitution:
		out, err := s.list(p.body, "")
		return strings.TrimRight(out, "\n"), err
	case arithmetic:
		return s.calculate(p.text)
	}
	return p.text, nil
}

func (s *Shell) value(name string) string {
	switch name {
	case "?":
		return "0" // what fails ends everything
	case "$":
		return "2"
	case "#":
		return strconv.Itoa(len(s.args) - 1)
	case "@", "*":
		return strings.Join(s.args[1:], " ")
	}
	if n, err := strconv.Atoi(name); err == nil {
		if n < len(s.args) {
			return s.args[n]
		}
		return ""
	}
	return s.vars[name]
}

// split returns the words that a word stands for: what is not quoted in it is split at blanks.
func (s *Shell) split(w word) ([]string, error) {
	var list []string
	var b strings.Builder
	begun := false
	for i := range w {
		text, err := s.piece(&w[i])
		if err != nil {
			return nil, err
		}
		if w[i].kind == literal || w[i].quoted {
			begun = begun || text != "" || w[i].quoted
			b.WriteString(text)
			continue
		}
		for _, r := range text {
			if r != ' ' && r != '\t' && r != '\n' {
				b.WriteRune(r)
				begun = true
			} else if begun {
				list, begun = append(list, b.String()), false
				b.Reset()
			}
		}
	}
	if begun {
		list = append(list, b.String())
	}
	return list, nil
}

// simple runs a simple command.
func (s *Shell) simple(c *simple, in string) (string, error) {
	var argv []string
	for _, w := range c.words {
		list, err := s.split(w)
		if err != nil {
			return "", err
		}
		argv = append(argv, list...)
	}
	for _, a := range c.assigns {
		v, err := s.expand(a.value)
		if err != nil {
			return "", err
		}
		s.vars[a.name] = v
	}
	if len(argv) == 0 {
		return "", nil
	}
	out, err := s.command(argv, in)
	if err != nil {
		if s.silent(c) && s.unknown(err) == nil && err != errExit {
			return "", nil // who throws the message away does not mind
		}
		return out, err
	}
	for _, r := range c.redirs {
		if out, err = s.redirect(r, out); err != nil {
			return "", err
		}
	}
	return out, nil
}

// silent reports whether what the command says on standard error is thrown away.
func (s *Shell) silent(c *simple) bool {
	var null, second bool
	for _, r := range c.redirs {
		second = second || strings.HasPrefix(r.op, "2") || strings.HasPrefix(r.op, "&")
		if r.file != nil {
			path, err := s.expand(r.file)
			null = null || err == nil && path == "/dev/null"
		}
	}
	return null && second
}

// redirect puts what a command has printed where it is to go.
func (s *Shell) redirect(r redir, out string) (string, error) {
	if r.file == nil {
		return out, nil // 2>&1: commands do not print on the second
	}
	path, err := s.expand(r.file)
	switch {
	case err != nil:
		return "", err
	case strings.HasPrefix(r.op, "2"):
		if path == "/dev/null" {
			return out, nil
		}
	case path == "/dev/null":
		return "", nil
	default:
		return "", s.write(path, out)
	}
	return "", fmt.Errorf("cannot write to %s", path)
}

// write writes to a file, which must be a setting.
func (s *Shell) write(path, text string) error {
	name, ok := sysctlOf(path)
	if !ok {
		return fmt.Errorf("cannot write to %s: only to settings below /proc/sys", path)
	}
	return s.host.SetSysctl(name, strings.TrimSpace(text))
}

// sysctlOf returns the setting that is at a path below /proc/sys.
func sysctlOf(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, "/proc/sys/")
	return strings.ReplaceAll(rest, "/", "."), ok
}

// Source runs a file with arguments. A relative path counts from the shell's directory.
func (s *Shell) Source(path string, args ...string) error {
	_, err := s.source(path, args)
	return err
}

// find reads a file. A relative path counts from the shell's directory, or one of those above it, or, since scripts may
// be run from elsewhere, from the working directory.
func (s *Shell) find(path string) ([]byte, error) {
	if filepath.IsAbs(path) {
		return os.ReadFile(path)
	}
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return nil, err
	}
	text, first := os.ReadFile(filepath.Join(dir, path))
	if first == nil {
		return text, nil
	}
	for up := filepath.Dir(dir); up != dir; up = filepath.Dir(dir) {
		dir = up
		if text, err := os.ReadFile(filepath.Join(dir, path)); err == nil {
			return text, nil
		}
	}
	if text, err := os.ReadFile(path); err == nil {
		return text, nil
	}
	return nil, first
}

// maxFiles is how deep files may run files.
const maxFiles = 10

func (s *Shell) source(path string, args []string) (string, error) {
	if s.depth >= maxFiles {
		return "", fmt.Errorf("%s: files that run files are nested too deep", path)
	}
	text, err := s.find(path)
	if err != nil {
		return "", fmt.Errorf("cannot run %s: %w", path, err)
	}
	list, err := parse(string(text))
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	before := s.args
	s.args = append([]string{path}, args...)
	s.depth++
	out, err := s.list(list, "")
	s.depth--
	s.args = before
	if err == errExit {
		return out, nil
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return out, err
}
