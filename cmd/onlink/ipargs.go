package main

import "slices"

// ipLong are flags as ip(8) writes them in long: with one dash.
var ipLong = map[string]string{
	"-br": "--brief", "-brief": "--brief", "-oneline": "--oneline", "-json": "--json", "-pretty": "--pretty", "-stats": "--stats",
	"-statistics": "--stats", "-details": "--details", "-timestamp": "--timestamp", "-ts": "--timestamp",
	"-4": "-4", "-6": "-6", "-j": "-j", "-o": "-o", "-s": "-s", "-d": "-d", "-p": "-p", "-t": "-t",
}

// ipObjects are the commands that take them.
var ipObjects = []string{"addr", "a", "ad", "address", "link", "l", "route", "r", "ro", "neigh", "n", "neighbor", "neighbour", "rule", "ru",
	"maddr", "m", "maddress", "policy", "addrlabel", "monitor", "mo"}

// ipStyle takes the habits of those who know ip: flags before the object, as in "-4 -br addr", and with one dash.
func ipStyle(args []string) []string {
	n := 0
	for n < len(args) && ipLong[args[n]] != "" {
		n++
	}
	if n == len(args) || !slices.Contains(ipObjects, args[n]) {
		return args
	}
	all := append([]string{args[n]}, args[:n]...)
	all = append(all, args[n+1:]...)
	for i, a := range all {
		if long := ipLong[a]; long != "" {
			all[i] = long
		}
	}
	return all
}
