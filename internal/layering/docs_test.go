package layering

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const top = "../.."

// documents are the repository's Markdown files.
func documents(t *testing.T) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != top && (strings.HasPrefix(name, ".") || name == "runs" || name == "dist"):
			return fs.SkipDir
		case filepath.Ext(name) == ".md":
			list = append(list, path)
		}
		return nil
	})
	if err != nil || len(list) < 4 {
		t.Fatalf("%d documents, %v", len(list), err)
	}
	return list
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinks: what documents link to in the repository is there.
func TestLinks(t *testing.T) {
	for _, document := range documents(t) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			u, err := url.Parse(m[1])
			if err != nil || u.Scheme != "" || u.Path == "" {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(document), u.Path)); err != nil {
				t.Errorf("%s links to %s, which is not there", document, m[1])
			}
		}
	}
}

// declared are the names of each package's declarations, by the last part of
// its path: Name, Type.Method.
func declared(t *testing.T) map[string]map[string]bool {
	t.Helper()
	all := map[string]map[string]bool{}
	for _, dir := range []string{".", "internal/*", "internal/*/*", "mask", "serve"} {
		files, err := filepath.Glob(filepath.Join(top, dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil || strings.HasSuffix(name, "_test.go") {
				continue // being written, or a test
			}
			names := all[f.Name.Name]
			if names == nil {
				names = map[string]bool{}
				all[f.Name.Name] = names
			}
			for _, d := range f.Decls {
				declare(names, d)
			}
		}
	}
	return all
}

func declare(names map[string]bool, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil && len(d.Recv.List) == 1 {
			of := d.Recv.List[0].Type
			if star, ok := of.(*ast.StarExpr); ok {
				of = star.X
			}
			if id, ok := of.(*ast.Ident); ok {
				name = id.Name + "." + name
			}
		}
		names[name] = true
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				names[s.Name.Name] = true
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names[n.Name] = true
				}
			}
		}
	}
}

var code = regexp.MustCompile("`([A-Za-z]+(?:\\.[A-Za-z]+)+)`")

// TestArchitectureNamesWhatExists: a function, type or method that the document
// names as package.Name, package.Type.Method or, for the root, Type.Method is
// declared.
func TestArchitectureNamesWhatExists(t *testing.T) {
	packages := declared(t)
	text, err := os.ReadFile(filepath.Join(top, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, m := range code.FindAllStringSubmatch(string(text), -1) {
		first, rest, _ := strings.Cut(m[1], ".")
		names, ok := packages[first]
		if rest == "go" {
			continue // a file
		}
		switch {
		case ok:
			found++
			if !names[rest] {
				t.Errorf("%s is not declared", m[1])
			}
		case packages["groupvit"][first]:
			found++
			if !packages["groupvit"][m[1]] {
				t.Errorf("%s is not declared", m[1])
			}
		}
	}
	if found < 30 {
		t.Errorf("%d names of functions found", found)
	}
}
