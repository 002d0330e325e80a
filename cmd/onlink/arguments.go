package main

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// flagsFirst puts the flags of a command before its other arguments, since kong takes these from one place only: people write
// flags wherever they come to mind, as in "dig @192.0.2.53 -x 192.0.2.1 +short".
func flagsFirst(app *kong.Application, args []string) []string {
	if len(args) == 0 {
		return args
	}
	i := slices.IndexFunc(app.Children, func(n *kong.Node) bool { return n.Name == args[0] || slices.Contains(n.Aliases, args[0]) })
	if i < 0 || len(app.Children[i].Children) > 0 {
		return args
	}
	valued := valuedFlags(app.Children[i])
	var flags, words []string
	rest := args[1:]
	for len(rest) > 0 {
		a := rest[0]
		rest = rest[1:]
		switch {
		case a == "--":
			words = append(words, rest...)
			rest = nil
		case len(a) < 2 || a[0] != '-':
			words = append(words, a)
		default:
			flags = append(flags, a)
			if takesNext(valued, a) && len(rest) > 0 {
				flags = append(flags, rest[0])
				rest = rest[1:]
			}
		}
	}
	return slices.Concat(args[:1], flags, []string{"--"}, words)
}

// valuedFlags returns which flags of a command have values, as "--port" and "-p".
func valuedFlags(n *kong.Node) map[string]bool {
	valued := map[string]bool{}
	for _, group := range n.AllFlags(false) {
		for _, f := range group {
			has := !f.IsBool() && !f.IsCounter()
			valued["--"+f.Name] = has
			for _, alias := range f.Aliases {
				valued["--"+alias] = has
			}
			if f.Short != 0 {
				valued["-"+string(f.Short)] = has
			}
		}
	}
	return valued
}

// takesNext reports whether the argument after a is the value of a flag in a: "--port", "-p", or the last of "-4p".
func takesNext(valued map[string]bool, a string) bool {
	if strings.HasPrefix(a, "--") {
		return valued[a]
	}
	for i, c := range a[1:] {
		if valued["-"+string(c)] {
			return i == len(a)-2 // what follows in a is the value otherwise
		}
	}
	return false
}
