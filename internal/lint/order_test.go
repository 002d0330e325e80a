package lint

import (
	"slices"
	"testing"
)

func TestTreeImportsPointDown(t *testing.T) {
	for _, f := range load(t).Order() {
		t.Error(f)
	}
}

func TestOrderFinds(t *testing.T) {
	ours := &struct{ Path string }{Module}
	theirs := &struct{ Path string }{"golang.org/x/net"}
	tree := &Tree{Packages: []*Package{
		{ImportPath: "sync", Standard: true, Imports: []string{"internal/sync"}},
		{ImportPath: "golang.org/x/net/bpf", Module: theirs, Imports: []string{"example.com/anything"}},

		{ImportPath: Module, Module: ours, Imports: []string{"sync", Module + "/internal/tcpsock", Module + "/wire",
			"golang.org/x/net/bpf"}},
		{ImportPath: Module + "/clock", Module: ours, Imports: []string{Module + "/wire"}},
		{ImportPath: Module + "/internal/tcp", Module: ours, Imports: []string{Module + "/wire", Module + "/mib"}},
		{ImportPath: Module + "/link", Module: ours, Imports: []string{Module + "/link/mem"}},
		{ImportPath: Module + "/mib", Module: ours, Imports: []string{"example.com/uninvited", "golang.org/x/network"}},
		{ImportPath: Module + "/packet", Module: ours, Imports: []string{Module}},
		{ImportPath: Module + "/internal/new", Module: ours},
	}}
	want := []string{
		Module + "/clock imports " + Module + "/wire, which is not below it",
		Module + "/internal/tcp imports " + Module + "/mib: it keeps to wire, clock",
		Module + "/link imports " + Module + "/link/mem, which is not below it",
		Module + "/mib imports example.com/uninvited: the library depends on golang.org/x/net, golang.org/x/sys only",
		Module + "/mib imports golang.org/x/network: the library depends on golang.org/x/net, golang.org/x/sys only",
		Module + "/packet imports " + Module + ", which is not below it",
		Module + "/internal/new stands nowhere: give it a place in internal/lint/order.go",
	}
	if got := tree.Order(); !slices.Equal(got, want) {
		for _, f := range got {
			t.Logf("found %s", f)
		}
		t.Errorf("want %q", want)
	}
}
