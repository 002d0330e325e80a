// Package lint checks the tree against two of its own rules, as tests: that nothing nondeterministic enters the
// protocol packages but through clock.Runtime ([Determinism]), and that imports point one way ([Order]).
//
// Run it by "go test ./internal/lint", with -v to see what is allowed by comment.
package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// Module is the path of the library's module.
const Module = "github.com/onlink-go/onlink"

// Package is what "go list" says of a package.
type Package struct {
	ImportPath string
	Dir        string
	GoFiles    []string // those built on this system, without tests
	Imports    []string
	Export     string // file with the types it exports
	Standard   bool
	Module     *struct{ Path string }
	Error      *struct{ Err string }
}

// Ours reports whether p belongs to the library's module.
func (p *Package) Ours() bool { return p.Module != nil && p.Module.Path == Module }

// Simulated reports whether the package runs in simulations: the library's, and the clients that are modules of their own.
func (p *Package) Simulated() bool {
	return p.Ours() || p.Module != nil && p.Module.Path == Module+"/dhcp"
}

// Finding is one breach of a rule.
type Finding struct {
	Pos  token.Position
	What string
}

// String writes f as compilers do.
func (f Finding) String() string { return fmt.Sprintf("%v: %s", f.Pos, f.What) }

// Tree is a set of packages with everything they import.
type Tree struct {
	Packages []*Package
	fset     *token.FileSet
	importer types.Importer
}

// Load asks "go list", in directory dir, for the packages that match the patterns, and for all they import. It builds
// them, for their types, so that a package which does not compile is an error.
func Load(dir string, patterns ...string) (*Tree, error) {
	args := append([]string{"list", "-export", "-deps",
		"-json=ImportPath,Dir,GoFiles,Imports,Export,Standard,Module,Error", "--"}, patterns...)
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	t := &Tree{fset: token.NewFileSet()}
	exports := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(Package)
		if err := d.Decode(p); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		if p.Error != nil {
			return nil, fmt.Errorf("%s: %s", p.ImportPath, p.Error.Err)
		}
		exports[p.ImportPath] = p.Export
		t.Packages = append(t.Packages, p)
	}
	t.importer = importer.ForCompiler(t.fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("go list gave no types of %q", path)
		}
		return os.Open(exports[path])
	})
	return t, nil
}

// Ours returns the packages of the library's module.
func (t *Tree) Ours() []*Package {
	return slices.DeleteFunc(slices.Clone(t.Packages), func(p *Package) bool { return !p.Ours() })
}

// source is a package parsed and with types.
type source struct {
	fset  *token.FileSet
	files []*ast.File
	info  types.Info
}

// check parses and type-checks the named files of dir as the package path.
func (t *Tree) check(path, dir string, names []string) (*source, error) {
	s := &source{fset: t.fset, info: types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Uses:  map[*ast.Ident]types.Object{},
	}}
	for _, name := range names {
		f, err := parser.ParseFile(t.fset, filepath.Join(dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, f)
	}
	conf := types.Config{Importer: t.importer}
	_, err := conf.Check(path, t.fset, s.files, &s.info)
	return s, err
}
