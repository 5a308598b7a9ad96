package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link  = regexp.MustCompile(`(?:href|src)="([^"]+)"`)
	title = regexp.MustCompile(`<title>(.+)</title>`)
)

// Every document becomes a page with a title; pages and pictures that pages name
// are there.
func TestSite(t *testing.T) {
	dir := t.TempDir()
	if err := write(os.DirFS("../.."), dir); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.html"))
	if err != nil || len(pages) < 6 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, p := range pages {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if m := title.FindSubmatch(b); m == nil || strings.HasSuffix(string(m[1]), ".md") {
			t.Errorf("%s has no title", filepath.Base(p))
		}
		for _, m := range link.FindAllStringSubmatch(string(b), -1) {
			to, _, _ := strings.Cut(m[1], "#")
			if to == "" || strings.Contains(to, "://") || !strings.HasSuffix(to, ".html") && !strings.HasSuffix(to, ".png") {
				continue
			}
			if _, err := os.Stat(filepath.Join(dir, to)); err != nil {
				t.Errorf("%s names %s, which is not there", filepath.Base(p), m[1])
			}
		}
	}
}
