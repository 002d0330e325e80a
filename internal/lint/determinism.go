package lint

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
)

// exempt are the packages and files that are where the nondeterministic comes from, and the tools and test kits that
// no stack runs: they may do as they please. Tests may, too.
var exempt = []string{
	"bench/...",
	"clock/real.go",
	"cmd/...",
	"internal/lint",
	"internal/netns",
	"internal/packetdrill/kernel",
	"link/afpacket",
	"link/linktest",
	"link/tuntap",
}

// forbidden are the functions a protocol package must not mention, by package; "*" stands for all of them.
var forbidden = map[string]struct {
	names   []string
	instead string
}{
	"time": {[]string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Sleep"},
		"time comes in as an Instant, or from clock.Runtime"},
	"context": {[]string{"AfterFunc", "WithDeadline", "WithDeadlineCause", "WithTimeout", "WithTimeoutCause"},
		"it starts a goroutine or a real timer; use clock.Runtime's AfterDone"},
	"math/rand":    {[]string{"*"}, "the global source is random; use a generator seeded from clock.Runtime's Entropy"},
	"math/rand/v2": {[]string{"*"}, "the global source is random; use a generator seeded from clock.Runtime's Entropy"},
	"maps":         {[]string{"All", "Keys", "Values"}, "the order of a map is random; sort what it yields with slices.Sorted"},
}

// forbiddenMethods are the same for methods, by "package.Type".
var forbiddenMethods = map[string]struct {
	names   []string
	instead string
}{
	"sync.WaitGroup": {[]string{"Go"}, "goroutines come from clock.Runtime's Go"},
	"sync.Map":       {[]string{"Range"}, "the order of a map is random"},
	"reflect.Value":  {[]string{"MapKeys", "MapRange"}, "the order of a map is random"},
}

// forbiddenImports are packages that have no deterministic use.
var forbiddenImports = map[string]string{
	"hash/maphash": "its seed is random; use flow.Key's Hash, or one seeded from clock.Runtime's Entropy",
	"crypto/rand":  "entropy comes from clock.Runtime",
}

// allow begins a comment, on the line it speaks of or the one above, that permits what is there for a reason.
const allow = "//lint:deterministic"

// Allowance is a comment that permits something.
type Allowance struct {
	Finding        // what would be reported
	Because string // the reason given
}

// Determinism looks through the protocol packages of t for what would make two runs of a simulation differ: real
// time, goroutines of their own, select, random sources beside clock.Runtime's Entropy, and the order of maps.
// A comment "//lint:deterministic because …" permits what is on its line or the next.
func (t *Tree) Determinism() ([]Finding, []Allowance, error) {
	var findings []Finding
	var allowed []Allowance
	for _, p := range t.Packages {
		rel := relative(p.ImportPath)
		if !p.Simulated() || isExempt(rel) || len(p.GoFiles) == 0 {
			continue
		}
		s, err := t.check(p.ImportPath, p.Dir, p.GoFiles)
		if err != nil {
			return nil, nil, err
		}
		s.files = slices.DeleteFunc(s.files, func(f *ast.File) bool {
			return isExempt(path.Join(rel, path.Base(s.fset.Position(f.Package).Filename)))
		})
		f, a := s.determinism()
		findings, allowed = append(findings, f...), append(allowed, a...)
	}
	return findings, allowed, nil
}

func isExempt(rel string) bool {
	return slices.ContainsFunc(exempt, func(e string) bool {
		tree, all := strings.CutSuffix(e, "/...")
		return rel == tree || all && strings.HasPrefix(rel, tree+"/")
	})
}

func (s *source) determinism() (findings []Finding, allowed []Allowance) {
	for _, f := range s.files {
		found := s.inspect(f)
		type comment struct {
			pos    token.Position
			reason string
			used   bool
		}
		comments := map[int]*comment{} // by line
		var lines []int
		for _, g := range f.Comments {
			for _, c := range g.List {
				if text, ok := strings.CutPrefix(c.Text, allow); ok {
					reason, ok := strings.CutPrefix(strings.TrimSpace(text), "because ")
					pos := s.fset.Position(c.Pos())
					if !ok || strings.TrimSpace(reason) == "" {
						findings = append(findings, Finding{pos, "a permission without a reason: write " + allow + " because …"})
						continue
					}
					comments[pos.Line] = &comment{pos: pos, reason: strings.TrimSpace(reason)}
					lines = append(lines, pos.Line)
				}
			}
		}
		for _, finding := range found {
			c := comments[finding.Pos.Line]
			if c == nil {
				c = comments[finding.Pos.Line-1]
			}
			if c == nil {
				findings = append(findings, finding)
				continue
			}
			c.used = true
			allowed = append(allowed, Allowance{finding, c.reason})
		}
		for _, line := range lines {
			if c := comments[line]; !c.used {
				findings = append(findings, Finding{c.pos, "a permission for nothing: the line it speaks of is in order"})
			}
		}
	}
	return findings, allowed
}

// inspect returns what is forbidden in f, in the order of the source.
func (s *source) inspect(f *ast.File) (found []Finding) {
	report := func(n ast.Node, format string, args ...any) {
		found = append(found, Finding{s.fset.Position(n.Pos()), fmt.Sprintf(format, args...)})
	}
	sorted := map[*ast.Ident]bool{} // functions whose result is sorted at once
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			if why, ok := forbiddenImports[strings.Trim(n.Path.Value, `"`)]; ok {
				report(n, "import of %s: %s", n.Path.Value, why)
			}
		case *ast.GoStmt:
			report(n, "go statement: goroutines come from clock.Runtime's Go")
		case *ast.SelectStmt:
			report(n, "select: it chooses at random; wait on a clock.Cond")
		case *ast.RangeStmt:
			if isMap(s.info.Types[n.X].Type) {
				report(n, "range over a map: its order is random; keep a slice, or sort the keys")
			}
		case *ast.CallExpr:
			if id := called(n); id != nil && len(n.Args) > 0 {
				fn, ok := s.info.Uses[id].(*types.Func)
				if ok && fn.Pkg() != nil && fn.Pkg().Path() == "slices" && strings.HasPrefix(fn.Name(), "Sorted") {
					if inner, ok := n.Args[0].(*ast.CallExpr); ok {
						sorted[called(inner)] = true
					}
				}
			}
		case *ast.Ident:
			if why := forbids(s.info.Uses[n]); why != "" && !sorted[n] {
				report(n, "%s", why)
			}
		}
		return true
	})
	return found
}

// called returns the name of the function that c calls, as Sorted in slices.Sorted[int](…), or nil.
func called(c *ast.CallExpr) *ast.Ident {
	e := c.Fun
	if i, ok := e.(*ast.IndexExpr); ok {
		e = i.X
	}
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel
	case *ast.Ident:
		return e
	}
	return nil
}

// forbids says why obj must not be used, or "".
func forbids(obj types.Object) string {
	fn, ok := obj.(*types.Func)
	if !ok || fn.Pkg() == nil {
		return ""
	}
	if recv := fn.Signature().Recv(); recv != nil {
		t := recv.Type()
		if p, ok := t.(*types.Pointer); ok {
			t = p.Elem()
		}
		named, ok := t.(*types.Named)
		if !ok {
			return ""
		}
		typ := fn.Pkg().Path() + "." + named.Obj().Name()
		if rule, ok := forbiddenMethods[typ]; ok && slices.Contains(rule.names, fn.Name()) {
			return fmt.Sprintf("%s.%s: %s", typ, fn.Name(), rule.instead)
		}
		return ""
	}
	rule, ok := forbidden[fn.Pkg().Path()]
	switch {
	case !ok:
		return ""
	case slices.Contains(rule.names, fn.Name()):
	case rule.names[0] == "*" && !strings.HasPrefix(fn.Name(), "New"): // New, NewPCG, …: generators of one's own
	default:
		return ""
	}
	return fmt.Sprintf("%s.%s: %s", fn.Pkg().Path(), fn.Name(), rule.instead)
}

// isMap reports whether ranging over a t is ranging over a map, also where t is a type parameter.
func isMap(t types.Type) bool {
	if t == nil {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Map:
		return true
	case *types.Interface: // the constraint of a type parameter
		for i := range u.NumEmbeddeds() {
			if union, ok := u.EmbeddedType(i).(*types.Union); ok {
				for j := range union.Len() {
					if isMap(union.Term(j).Type()) {
						return true
					}
				}
			} else if isMap(u.EmbeddedType(i)) {
				return true
			}
		}
	}
	return false
}
