package shell

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// grep prints the lines of its input that match a pattern; -q, -c, -v, -i, -F and -w are known. No line is a failure.
func grep(s *Shell, argv []string, in string) (string, error) {
	flags, args := "", argv[1:]
	for len(args) > 0 && strings.HasPrefix(args[0], "-") && args[0] != "-" {
		if args[0] == "-e" {
			args = args[1:]
			break
		}
		flags, args = flags+args[0][1:], args[1:]
	}
	if len(args) != 1 || strings.Trim(flags, "qcviFwEs") != "" {
		return "", fmt.Errorf("grep: %q is not supported: a pattern for what a pipe brings", argv[1:])
	}
	pattern := args[0]
	if strings.Contains(flags, "F") {
		pattern = regexp.QuoteMeta(pattern)
	}
	if strings.Contains(flags, "w") {
		pattern = `\b(` + pattern + `)\b`
	}
	if strings.Contains(flags, "i") {
		pattern = "(?i)" + pattern
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return "", fmt.Errorf("grep: %w", err)
	}
	var out strings.Builder
	n := 0
	for line := range strings.Lines(in) {
		if re.MatchString(strings.TrimSuffix(line, "\n")) != strings.Contains(flags, "v") {
			n++
			out.WriteString(line)
		}
	}
	text := out.String()
	switch {
	case strings.Contains(flags, "q"):
		text = ""
	case strings.Contains(flags, "c"):
		text = strconv.Itoa(n) + "\n"
	}
	if n == 0 {
		return text, ErrStatus
	}
	return text, nil
}

// wc is wc -l, -c or -w.
func wc(s *Shell, argv []string, in string) (string, error) {
	if len(argv) == 2 {
		switch argv[1] {
		case "-l":
			return strconv.Itoa(strings.Count(in, "\n")) + "\n", nil
		case "-c":
			return strconv.Itoa(len(in)) + "\n", nil
		case "-w":
			return strconv.Itoa(len(strings.Fields(in))) + "\n", nil
		}
	}
	return "", fmt.Errorf("wc: %q is not supported", argv[1:])
}

// head is head -n N and tail -n N.
func head(s *Shell, argv []string, in string) (string, error) {
	n := 10
	if len(argv) > 1 {
		var err error
		if n, err = strconv.Atoi(strings.TrimLeft(strings.Join(argv[1:], ""), "-n")); err != nil {
			return "", fmt.Errorf("%s: %q is not supported", argv[0], argv[1:])
		}
	}
	lines := strings.SplitAfter(strings.TrimSuffix(in, "\n"), "\n")
	if n = min(n, len(lines)); argv[0] == "tail" {
		return strings.Join(lines[len(lines)-n:], ""), nil
	}
	return strings.Join(lines[:n], ""), nil
}

// sysctlFile is sysctl -p: name = value, a line each; # and ; begin comments, and a leading - forgives errors.
func (s *Shell) sysctlFile(path string) error {
	text, err := s.find(path)
	if err != nil {
		return fmt.Errorf("sysctl -p: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return fmt.Errorf("%s: %q is not name = value", path, line)
		}
		name, lenient := strings.CutPrefix(strings.TrimSpace(name), "-")
		if err := s.host.SetSysctl(strings.ReplaceAll(name, "/", "."), strings.TrimSpace(value)); err != nil && !lenient {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}
