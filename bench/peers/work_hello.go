package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The columns of what it costs a program to be linked with a stack.
const addedMB, modules = "MB over net", "modules"

// size is the unit of it.
var size = unit{rate: addedMB}

// helloPair is no pair of hosts, but the name of a program that serves HTTP through a stack: the folder below hello.
func helloPair(name, module string) opener {
	return func(family) (*pair, error) { return &pair{hello: name, module: module, close: func() {}}, nil }
}

// hello builds a program that serves HTTP, and tells by how much it is larger than the one that uses package net alone, without
// symbols, and how many modules a program has in its graph that requires the stack.
func hello(p *pair, m *meter) error {
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	where, err := goCommand(".", "list", "-m", "-f", "{{.Path}} {{.Dir}}")
	if err != nil || !strings.HasPrefix(where, "github.com/onlink-go/onlink/bench/peers ") {
		return errors.Join(errors.New("this is measured in the folder bench/peers alone"), err)
	}
	bare, err := built(dir, "net")
	if err != nil {
		return err
	}
	with, err := built(dir, p.hello)
	if err != nil {
		return err
	}
	m.values[addedMB] = float64(with-bare) / 1e6
	n, err := graph(dir, p.module)
	m.values[modules] = float64(n)
	return err
}

// built builds one of the programs and returns its size.
func built(dir, name string) (int64, error) {
	file := filepath.Join(dir, name)
	if _, err := goCommand(".", "build", "-trimpath", "-ldflags", "-s -w", "-o", file, "./hello/"+name); err != nil {
		return 0, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// graph counts the modules of a program's graph that requires the module in the version that is measured here.
func graph(dir, module string) (int, error) {
	at, err := goCommand(".", "list", "-m", "-f", `{{.Path}} {{.Version}}{{with .Replace}}`+"\n"+`replace {{$.Path}} => {{.Dir}}{{end}}`, module)
	if err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module hello\n\ngo 1.26\n\nrequire "+at), 0o666); err != nil {
		return 0, err
	}
	all, err := goCommand(dir, "list", "-mod=mod", "-m", "all")
	return strings.Count(all, "\n") - 1, err // the first is the program itself
}

// goCommand runs the go command, where there is a network if there is one.
func goCommand(dir string, args ...string) (string, error) {
	c := exec.Command("go", args...)
	c.Dir, c.Env = dir, append(os.Environ(), "GOWORK=off")
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	var err error
	if fault := atHome(func() { err = c.Run() }); fault != nil {
		return "", fault
	}
	if err != nil {
		return "", fmt.Errorf("go %s: %w: %s", args[0], err, bytes.TrimSpace(errs.Bytes()))
	}
	return out.String(), nil
}
