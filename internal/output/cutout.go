package output

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/groupvit/groupvit/internal/png"
	"github.com/groupvit/groupvit/internal/render"
)

// labelFile is a file for one label; write is nil where the photo has none.
type labelFile struct {
	name  string
	write func(io.Writer) error
}

// cutoutFiles are a file for each label, in their order.
func cutoutFiles(a *Answer) []labelFile {
	found := map[int]bool{}
	for _, s := range a.Found.Segments {
		found[s.ID] = true
	}
	var list []labelFile
	for i, name := range fileNames(a.Found.Labels) {
		f := labelFile{name: name}
		if found[i+1] {
			f.write = func(w io.Writer) error { return a.cutout(w, i+1) }
		}
		list = append(list, f)
	}
	return list
}

func (a *Answer) cutout(w io.Writer, label int) error {
	picture, err := render.Cutout(a.Photo, a.Found.Map, uint16(label), &render.Options{KeepSpecks: a.KeepSpecks})
	if err != nil {
		return err
	}
	return png.Encode(w, picture)
}

// cutouts are what the server sends: a PNG for each label that was found.
func cutouts(_ context.Context, a *Answer) (any, error) {
	list := []map[string]any{}
	for _, s := range a.Found.Segments {
		var b bytes.Buffer
		if err := a.cutout(&b, s.ID); err != nil {
			return nil, err
		}
		list = append(list, map[string]any{"id": s.ID, "label": s.Label, "png": b.Bytes()})
	}
	return list, nil
}

// longestName is the most that a label contributes to a file's name, in bytes.
const longestName = 80

// fileNames are names of files for labels: their letters and digits, the rest as "-",
// each another one, in capitals or not.
func fileNames(labels []string) []string {
	used := map[string]bool{}
	names := make([]string, len(labels))
	for i, l := range labels {
		name := fileName(l)
		if name == "" {
			name = fmt.Sprintf("label%d", i+1)
		}
		unique := name
		for n := 2; used[strings.ToLower(unique)]; n++ {
			unique = fmt.Sprintf("%s-%d", name, n)
		}
		used[strings.ToLower(unique)] = true
		names[i] = unique
	}
	return names
}

func fileName(label string) string {
	var b strings.Builder
	for _, r := range label {
		kept := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_'
		if !kept {
			r = '-'
		}
		if b.Len()+4 > longestName || !kept && strings.HasSuffix(b.String(), "-") {
			continue
		}
		b.WriteRune(r)
	}
	return strings.Trim(b.String(), "-")
}
