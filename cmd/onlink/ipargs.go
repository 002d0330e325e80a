package main

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// ipLong are flags as ip(8) writes them in long: with one dash.
var ipLong = map[string]string{
	"-br": "--brief", "-brief": "--brief", "-oneline": "--oneline", "-json": "--json", "-pretty": "--pretty", "-stats": "--stats",
	"-statistics": "--stats", "-details": "--details", "-timestamp": "--timestamp", "-ts": "--timestamp",
	"-4": "-4", "-6": "-6", "-j": "-j", "-o": "-o", "-s": "-s", "-d": "-d", "-p": "-p", "-t": "-t",
}

// ipObjects are the commands that take them, with the names that ip has for them.
var ipObjects = []struct{ name, command string }{{"address", "addr"}, {"addrlabel", "policy"}, {"policy", "policy"}, {"route", "route"},
	{"rule", "rule"}, {"neighbour", "neigh"}, {"neighbor", "neigh"}, {"maddress", "maddr"}, {"monitor", "monitor"}, {"link", "link"}}

// ipStyle takes the habits of those who know ip: flags before the object, as in "-4 -br addr", and with one dash; of an object's
// name, its first letters.
func ipStyle(app *kong.Application, args []string) []string {
	n := 0
	for n < len(args) && ipLong[args[n]] != "" {
		n++
	}
	if n == len(args) {
		return args
	}
	object := ipObject(app, args[n])
	if object == "" {
		return args
	}
	all := append([]string{object}, args[:n]...)
	all = append(all, args[n+1:]...)
	for i, a := range all {
		if long := ipLong[a]; long != "" {
			all[i] = long
		}
	}
	return all
}

// ipObject returns the command that an object's name, or its first letters, stands for; empty: none.
func ipObject(app *kong.Application, name string) string {
	for _, c := range app.Children {
		if c.Name == name || slices.Contains(c.Aliases, name) {
			name = c.Name
			if !slices.ContainsFunc(ipObjects, func(o struct{ name, command string }) bool { return o.command == name }) {
				return ""
			}
			return name
		}
	}
	for _, o := range ipObjects {
		if strings.HasPrefix(o.name, name) {
			return o.command
		}
	}
	return ""
}
