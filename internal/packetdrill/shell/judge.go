package shell

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// test is test(1), with one comparison.
func test(s *Shell, argv []string, in string) (string, error) {
	args := argv[1:]
	if closing := map[string]string{"[": "]", "[[": "]]"}[argv[0]]; closing != "" {
		if len(args) == 0 || args[len(args)-1] != closing {
			return "", fmt.Errorf("%s: %s is missing", argv[0], closing)
		}
		args = args[:len(args)-1]
	}
	not := false
	for len(args) > 0 && args[0] == "!" {
		not, args = !not, args[1:]
	}
	ok, err := s.judge(args)
	if err == nil && ok == not {
		err = ErrStatus
	}
	return "", err
}

func (s *Shell) judge(args []string) (bool, error) {
	switch len(args) {
	case 0:
		return false, nil
	case 1:
		return args[0] != "", nil
	case 2:
		switch args[0] {
		case "-n":
			return args[1] != "", nil
		case "-z":
			return args[1] == "", nil
		case "-e", "-f", "-r", "-w", "-x", "-d", "-s":
			return s.exists(args[1]), nil
		}
	case 3:
		switch args[1] {
		case "=", "==":
			return args[0] == args[2], nil
		case "!=":
			return args[0] != args[2], nil
		}
		if f, ok := comparisons[args[1]]; ok {
			a, err1 := strconv.Atoi(args[0])
			b, err2 := strconv.Atoi(args[2])
			return f(a, b), errors.Join(err1, err2)
		}
	}
	return false, fmt.Errorf("test: %q is not supported", args)
}

var comparisons = map[string]func(a, b int) bool{
	"-eq": func(a, b int) bool { return a == b },
	"-ne": func(a, b int) bool { return a != b },
	"-lt": func(a, b int) bool { return a < b },
	"-le": func(a, b int) bool { return a <= b },
	"-gt": func(a, b int) bool { return a > b },
	"-ge": func(a, b int) bool { return a >= b },
}

// exists reports whether a file is there: a setting, where it is below /proc/sys.
func (s *Shell) exists(path string) bool {
	if name, ok := sysctlOf(path); ok {
		_, err := s.host.Sysctl(name)
		return err == nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.dir, path)
	}
	_, err := os.Stat(path)
	return err == nil
}
