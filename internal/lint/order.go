package lint

import (
	"fmt"
	"slices"
	"strings"
)

// levels are the packages of the library from the top to the bottom: each may import what is on the lines below its
// own. This is the tree of docs/design.md; whoever adds a package decides here where it stands.
var levels = [][]string{
	{"internal/lint"},
	{"internal/netns"}, // the kernel's, beside which others are measured
	{"internal/packetdrill/kernel"},
	{"internal/packetdrill"},
	{"internal/packetdrill/script", "internal/packetdrill/code", "internal/packetdrill/shell"},
	{"internal/packetdrill/abi"}, // the script language; these three import nothing of the stack
	{"simtest"},
	{"sim"},
	{""}, // package onlink
	{"socket", "dns"},
	{"internal/tcpsock"},
	{"internal/tcp", "internal/tcpauth", "internal/udp", "internal/icmp", "internal/raw", "internal/framesock"},
	{"internal/dgram"}, // what datagram sockets have in common
	{"internal/ip"},
	{"internal/nd"},
	{"internal/route"},
	{"internal/addrsel"},
	{"internal/neigh"},
	{"internal/netif"},
	{"internal/shard", "internal/ready"},
	{"internal/mcast"},
	{"link/mem", "link/tuntap", "link/afpacket", "link/impair", "link/capture", "link/linktest", "pcapfilter"},
	{"internal/vnet"}, // what the kernel says of frames
	{"internal/flow"},
	{"internal/offload"},
	{"link"},
	{"qdisc"},
	{"mib"},
	{"trace"},
	{"hook"},
	{"packet"},
	{"wire", "clock"},
}

// only are packages that keep to less than what is below them.
var only = map[string][]string{
	"internal/tcp":   {"wire", "clock"}, // a pure machine: it could serve any stack
	"internal/mcast": {"wire", "clock"}, // likewise
	"dns":            {"clock"},         // over whatever connections it is given
}

// dependencies are what the library may import from others.
var dependencies = []string{"golang.org/x/net", "golang.org/x/sys"}

// Order looks through the library's packages for imports that do not point down, and for dependencies it should not
// have. Tests may import what they like.
func (t *Tree) Order() []string {
	std := map[string]bool{"C": true, "unsafe": true}
	for _, p := range t.Packages {
		if p.Standard {
			std[p.ImportPath] = true
		}
	}
	var found []string
	for _, p := range t.Ours() {
		rel := relative(p.ImportPath)
		level := levelOf(rel)
		if level < 0 {
			found = append(found, fmt.Sprintf("%s stands nowhere: give it a place in internal/lint/order.go", p.ImportPath))
			continue
		}
		for _, path := range p.Imports {
			below, ours := relative(path), path == Module || strings.HasPrefix(path, Module+"/")
			switch may := only[rel]; {
			case std[path]:
			case !ours && !slices.ContainsFunc(dependencies, func(d string) bool {
				return path == d || strings.HasPrefix(path, d+"/")
			}):
				found = append(found, fmt.Sprintf("%s imports %s: the library depends on %s only", p.ImportPath, path,
					strings.Join(dependencies, ", ")))
			case !ours:
			case may != nil && !slices.Contains(may, below):
				found = append(found, fmt.Sprintf("%s imports %s: it keeps to %s", p.ImportPath, path, strings.Join(may, ", ")))
			case levelOf(below) >= 0 && levelOf(below) <= level:
				found = append(found, fmt.Sprintf("%s imports %s, which is not below it", p.ImportPath, path))
			}
		}
	}
	return found
}

// relative returns the path of a package of ours below the module's.
func relative(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, Module), "/")
}

func levelOf(rel string) int {
	return slices.IndexFunc(levels, func(l []string) bool { return slices.Contains(l, rel) })
}
