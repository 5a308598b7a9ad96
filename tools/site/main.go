// Command site writes the documents of this repository as plain web pages: the
// README is the first, then docs/ and the card of the embedded model.
//
//	go run -C tools/site . ../../dist/site
package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("page").Parse(pageHTML))

// markdown is GitHub's kind: tables, and an id for every heading.
var markdown = goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID()))

// first are the documents in the order of the navigation; the rest of docs/
// follows by name.
var first = []string{
	"README.md", "docs/README.md", "docs/install.md", "docs/first-photo.md", "docs/words.md", "docs/batches.md", "docs/serving.md",
	"docs/data.md", "docs/training.md", "docs/measuring.md", "docs/export.md", "docs/architecture.md", "docs/performance.md",
	"docs/experiments.md", "docs/history.md",
}

// last come after docs/.
var last = []string{"models/default/README.md", "CONTRIBUTING.md", "SECURITY.md"}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: site DIR")
		os.Exit(2)
	}
	if err := write(os.DirFS("../.."), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
}

// document is one page.
type document struct {
	// Source is the Markdown file, Target the page, both from the top.
	Source, Target string
	Title          string
	Body           template.HTML
	tree           ast.Node
	text           []byte
}

// write reads the documents of a repository and writes pages into dir.
func write(repository fs.FS, dir string) error {
	names, err := sources(repository)
	if err != nil {
		return err
	}
	var pages []*document
	for _, name := range names {
		d, err := read(repository, name)
		if err != nil {
			return err
		}
		pages = append(pages, d)
	}
	known := map[string]string{}
	for _, d := range pages {
		known[d.Source] = d.Target
	}
	for _, d := range pages {
		images, err := d.render(known)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := page.Execute(&out, map[string]any{"Page": d, "Pages": pages}); err != nil {
			return err
		}
		if err := put(filepath.Join(dir, d.Target), &out); err != nil {
			return err
		}
		for _, image := range images {
			f, err := repository.Open(image)
			if err != nil {
				return fmt.Errorf("%s: %w", d.Source, err)
			}
			err = put(filepath.Join(dir, filepath.FromSlash(image)), f)
			if err = errors.Join(err, f.Close()); err != nil {
				return err
			}
		}
	}
	return nil
}

// sources are the Markdown files that become pages, in the navigation's order.
func sources(repository fs.FS) ([]string, error) {
	docs, err := fs.Glob(repository, "docs/*.md")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range slices.Concat(first, docs, last) {
		if _, err := fs.Stat(repository, name); err == nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, errors.New("no documents: run this in tools/site, with go run -C tools/site")
	}
	return names, nil
}

// target is the page of a Markdown file: README.md is index.html, others lie flat.
func target(source string) string {
	if source == "README.md" {
		return "index.html"
	}
	name := strings.TrimPrefix(strings.TrimSuffix(source, ".md"), "docs/")
	return strings.ToLower(strings.TrimSuffix(strings.ReplaceAll(name, "/", "-"), "-README")) + ".html"
}

func read(repository fs.FS, name string) (*document, error) {
	b, err := fs.ReadFile(repository, name)
	if err != nil {
		return nil, err
	}
	d := &document{Source: name, Target: target(name), Title: name, text: b, tree: markdown.Parser().Parse(text.NewReader(b))}
	for n := d.tree.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok && h.Level == 1 {
			d.Title = string(h.Lines().Value(b))
			break
		}
	}
	return d, nil
}

// render makes the page's body: links to other documents go to their pages, links
// to the repository's other files stay what they say. It returns the images shown.
func (d *document) render(known map[string]string) (images []string, err error) {
	here := path.Dir(d.Source)
	err = ast.Walk(d.tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			u, err := url.Parse(string(n.Destination))
			if err != nil || u.Scheme != "" || u.Path == "" {
				return ast.WalkContinue, nil
			}
			if to, ok := known[path.Join(here, u.Path)]; ok {
				u.Path = to
				n.Destination = []byte(u.String())
			}
		case *ast.Image:
			u, err := url.Parse(string(n.Destination))
			if err == nil && u.Scheme == "" {
				image := path.Join(here, u.Path)
				images = append(images, image)
				n.Destination = []byte(image)
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := markdown.Renderer().Render(&out, d.text, d.tree); err != nil {
		return nil, fmt.Errorf("%s: %w", d.Source, err)
	}
	d.Body = template.HTML(reachable.Replace(out.String())) // of our own documents
	return images, nil
}

// reachable lets the keyboard scroll what is wider than the page, and makes cells of
// headers that say nothing. The renderer has escaped what looks so in the text.
var reachable = strings.NewReplacer(
	"<pre>", `<pre tabindex="0">`, "<table>", `<div class="wide" tabindex="0"><table>`, "</table>", "</table></div>", "<th></th>", "<td></td>")

// put writes a file and the folders above it.
func put(name string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
