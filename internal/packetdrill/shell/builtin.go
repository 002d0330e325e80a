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

// UnknownError is the error of a command that neither the shell nor the host knows.
type UnknownError struct{ Name string }

// Error names the command.
func (e *UnknownError) Error() string { return e.Name + ": unknown command" }

// ErrStatus is the error of a command that says no: false, test.
var ErrStatus = errors.New("the command failed")

// builtins are the commands the shell has. They return what they print.
var builtins map[string]func(s *Shell, argv []string, in string) (string, error)

func init() {
	nothing := func(*Shell, []string, string) (string, error) { return "", nil }
	builtins = map[string]func(s *Shell, argv []string, in string) (string, error){
		":": nothing, "true": nothing, "sync": nothing, "set": nothing, "umask": nothing, "wait": nothing,
		"false":  func(*Shell, []string, string) (string, error) { return "", ErrStatus },
		"echo":   echo,
		"printf": printf,
		"cat":    cat,
		"tee":    tee,
		"sysctl": sysctl,
		"sleep":  sleep,
		"usleep": sleep,
		"test":   test,
		"[[":     test,
		"grep":   grep,
		"egrep":  grep,
		"wc":     wc,
		"head":   head,
		"tail":   head,
		"trap":   nothing,
		"uname":  func(*Shell, []string, string) (string, error) { return "onlink\n", nil },
		"[":      test,
		"exit":   exit,
		"export": export,
		"unset":  unset,
		"cd":     changeDir,
		".":      dot,
		"source": dot,
		"sh":     runShell,
		"bash":   runShell,
		"sudo":   func(s *Shell, argv []string, in string) (string, error) { return s.command(argv[1:], in) },
		"env":    func(s *Shell, argv []string, in string) (string, error) { return s.command(argv[1:], in) },

		"set_sysctls.py": setSysctls,
	}
}

// command runs a command with its words.
func (s *Shell) command(argv []string, in string) (string, error) {
	if len(argv) == 0 {
		return "", errors.New("a command is missing")
	}
	name := argv[0]
	base := filepath.Base(name)
	if f, ok := builtins[base]; ok && (base == name || base == "set_sysctls.py" || strings.HasPrefix(name, "/bin/") ||
		strings.HasPrefix(name, "/usr/bin/") || strings.HasPrefix(name, "/sbin/") || strings.HasPrefix(name, "/usr/sbin/")) {
		return f(s, argv, in)
	}
	switch {
	case strings.HasPrefix(base, "sysctl_restore_") && strings.HasSuffix(base, ".sh"):
		return "", s.restore()
	case strings.HasSuffix(base, ".py"):
		return "", &UnknownError{name}
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/sbin/") && !strings.HasPrefix(name, "/usr/"):
		return s.source(name, argv[1:])
	}
	return s.host.Command(append([]string{base}, argv[1:]...))
}

func echo(s *Shell, argv []string, in string) (string, error) {
	argv = argv[1:]
	end := "\n"
	for len(argv) > 0 && (argv[0] == "-n" || argv[0] == "-e") {
		if argv[0] == "-n" {
			end = ""
		}
		argv = argv[1:]
	}
	return strings.Join(argv, " ") + end, nil
}

func printf(s *Shell, argv []string, in string) (string, error) {
	if len(argv) < 2 {
		return "", errors.New("printf: a format is missing")
	}
	format := strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\\`, `\`).Replace(argv[1])
	var args []any
	for _, a := range argv[2:] {
		args = append(args, a)
	}
	if strings.Count(strings.ReplaceAll(format, "%%", ""), "%") != strings.Count(format, "%s")+strings.Count(format, "%d") {
		return "", fmt.Errorf("printf: the format %q is not supported", argv[1])
	}
	return fmt.Sprintf(strings.ReplaceAll(format, "%d", "%s"), args...), nil
}

// cat prints settings, and nothing else.
func cat(s *Shell, argv []string, in string) (string, error) {
	if len(argv) == 1 {
		return in, nil
	}
	var out strings.Builder
	for _, path := range argv[1:] {
		name, ok := sysctlOf(path)
		if !ok {
			return "", fmt.Errorf("cat: cannot read %s: only settings below /proc/sys", path)
		}
		v, err := s.host.Sysctl(name)
		if err != nil {
			return "", err
		}
		out.WriteString(v + "\n")
	}
	return out.String(), nil
}

func tee(s *Shell, argv []string, in string) (string, error) {
	for _, path := range argv[1:] {
		if path == "/dev/null" {
			continue
		}
		if err := s.write(path, in); err != nil {
			return "", err
		}
	}
	return in, nil
}

// sysctl is sysctl(8): it sets name=value and prints others.
func sysctl(s *Shell, argv []string, in string) (string, error) {
	var out strings.Builder
	var quiet, bare, lenient bool
	args := argv[1:]
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "-p" || strings.HasPrefix(a, "-p") || strings.HasPrefix(a, "--load"):
			path := strings.TrimPrefix(strings.TrimPrefix(a, "-p"), "--load")
			if path = strings.TrimPrefix(path, "="); path == "" && i+1 < len(args) {
				i++
				path = args[i]
			}
			return out.String(), s.sysctlFile(path)
		case strings.HasPrefix(a, "-"):
			quiet = quiet || strings.Contains(a, "q")
			bare = bare || strings.Contains(a, "n")
			lenient = lenient || strings.Contains(a, "e") && !strings.HasPrefix(a, "--")
			continue
		}
		name, value, set := strings.Cut(a, "=")
		if !set && i+2 < len(args) && args[i+1] == "=" { // name = value
			value, set, i = args[i+2], true, i+2
		}
		text, err := s.sysctl1(strings.ReplaceAll(name, "/", "."), strings.TrimSpace(value), set, bare)
		if err != nil && !lenient {
			return out.String(), err
		}
		if !quiet {
			out.WriteString(text)
		}
	}
	return out.String(), nil
}

// sysctl1 sets or prints one setting.
func (s *Shell) sysctl1(name, value string, set, bare bool) (string, error) {
	if set {
		if err := s.host.SetSysctl(name, value); err != nil {
			return "", err
		}
	} else {
		v, err := s.host.Sysctl(name)
		if err != nil {
			return "", err
		}
		value = v
	}
	if bare {
		return value + "\n", nil
	}
	return name + " = " + value + "\n", nil
}

// setSysctls is the helper of packetdrill's scripts: its arguments are /proc/sys/…=value, and it leaves a file that sets
// back what it has changed.
func setSysctls(s *Shell, argv []string, in string) (string, error) {
	for _, a := range argv[1:] {
		path, value, ok := strings.Cut(a, "=")
		name, below := sysctlOf(path)
		if !ok || !below {
			return "", fmt.Errorf("%s: %q is not /proc/sys/…=value", argv[0], a)
		}
		before, err := s.host.Sysctl(name)
		if err != nil {
			return "", err
		}
		if err := s.host.SetSysctl(name, value); err != nil {
			return "", err
		}
		s.saved = append(s.saved, setting{name, before})
	}
	return "", nil
}

// restore sets back what setSysctls has changed, the last first.
func (s *Shell) restore() error {
	for len(s.saved) > 0 {
		last := s.saved[len(s.saved)-1]
		s.saved = s.saved[:len(s.saved)-1]
		if err := s.host.SetSysctl(last.name, last.value); err != nil {
			return err
		}
	}
	return nil
}

func sleep(s *Shell, argv []string, in string) (string, error) {
	if len(argv) != 2 {
		return "", fmt.Errorf("%s: one time, please", argv[0])
	}
	unit := time.Second
	if argv[0] == "usleep" {
		unit = time.Microsecond
	}
	text := argv[1]
	for i, suffix := range []string{"s", "m", "h"} {
		if t, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = t, []time.Duration{time.Second, time.Minute, time.Hour}[i]
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= 0 && f < 1e6) {
		return "", fmt.Errorf("%s: %q is no time", argv[0], argv[1])
	}
	return "", s.host.Sleep(time.Duration(f * float64(unit)))
}

func exit(s *Shell, argv []string, in string) (string, error) {
	if len(argv) > 1 && argv[1] != "0" {
		return "", fmt.Errorf("exit %s", argv[1])
	}
	return "", errExit
}

func export(s *Shell, argv []string, in string) (string, error) {
	for _, a := range argv[1:] {
		if name, value, ok := strings.Cut(a, "="); ok {
			s.vars[name] = value
		}
	}
	return "", nil
}

func unset(s *Shell, argv []string, in string) (string, error) {
	for _, a := range argv[1:] {
		delete(s.vars, a)
	}
	return "", nil
}

func changeDir(s *Shell, argv []string, in string) (string, error) {
	if len(argv) != 2 {
		return "", errors.New("cd: one directory, please")
	}
	dir := argv[1]
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(s.dir, dir)
	}
	if fi, err := os.Stat(dir); err != nil || !fi.IsDir() {
		return "", fmt.Errorf("cd: %s is no directory", argv[1])
	}
	s.dir = dir
	return "", nil
}

func dot(s *Shell, argv []string, in string) (string, error) {
	if len(argv) < 2 {
		return "", fmt.Errorf("%s: a file is missing", argv[0])
	}
	return s.source(argv[1], argv[2:])
}

// runShell is sh file and sh -c "commands".
func runShell(s *Shell, argv []string, in string) (string, error) {
	args := argv[1:]
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		if strings.Contains(args[0], "c") && len(args) > 1 {
			list, err := parse(args[1])
			if err != nil {
				return "", err
			}
			return s.list(list, in)
		}
		args = args[1:]
	}
	if len(args) == 0 {
		return "", fmt.Errorf("%s: a file is missing", argv[0])
	}
	return s.source(args[0], args[1:])
}
