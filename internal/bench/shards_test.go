package bench

import (
	"archive/tar"
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// member is a file of a shard.
type member struct {
	name    string
	content []byte
}

func shard(members ...member) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		if err := w.WriteHeader(&tar.Header{Name: m.name, Size: int64(len(m.content)), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			panic(err)
		}
		if _, err := w.Write(m.content); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestClassShards(t *testing.T) {
	numbers := shard(member{"a.cls", []byte("1\n")}, member{"a.jpg", photo(2, 1)}, member{"b.jpg", photo(3, 1)}, member{"b.cls", []byte("0")}, member{"c.jpg", photo(1, 1)})
	tags := shard(
		member{"x/1.png", photo(4, 1)}, member{"x/1.json", []byte(`{"tags":["bird","duck"],"captions":["a duck"]}`)}, member{"x/1.txt", []byte("a duck")},
		member{"x/2.png", photo(5, 1)}, member{"x/2.json", []byte(`{"captions":["a cow"]}`)}, member{"x/2.txt", []byte("cow\n")},
	)
	for name, c := range map[string]struct {
		files   files
		file    string
		classes string
		want    []string // name of the class, by photo
	}{
		"numbers and names": {files{"s0.tar": numbers, "classes.txt": []byte("tench, fish\ncat\n")}, "classes.txt", "tench|fish cat", []string{"cat", "tench"}},
		"ImageNet":          {files{"s0.tar": numbers}, "", "1000", []string{"goldfish", "tench"}},
		"tags and texts":    {files{"s0.tar": tags}, "", "bird cow", []string{"bird", "cow"}},
		"named tags":        {files{"s0.tar": tags, "classes.txt": []byte("dog\ncattle,cow\nBird")}, "classes.txt", "dog cattle|cow Bird", []string{"Bird", "cattle"}},
	} {
		root := c.files.write(t)
		o := ClassShardOptions{Shards: filepath.Join(root, "*.tar")}
		if c.file != "" {
			o.ClassesFile = filepath.Join(root, c.file)
		}
		s, err := OpenClassShards(o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var names []string
		for _, class := range s.List() {
			names = append(names, strings.Join(class.Names(), "|"))
		}
		if got := strings.Join(names, " "); got != c.classes && !(c.classes == "1000" && len(names) == 1000) {
			t.Errorf("%s: classes %s", name, got)
		}
		if s.Len() != len(c.want) {
			t.Fatalf("%s: %d photos", name, s.Len())
		}
		for i, want := range c.want {
			im, class, id, err := s.Photo(i)
			if err != nil || s.List()[class].Name != want || im.Height != 1 || !strings.Contains(id, "s0.tar: ") {
				t.Errorf("%s: photo %d is %v, class %d, %s, %v", name, i, im, class, id, err)
			}
		}
	}
}

func TestBadClassShards(t *testing.T) {
	good := shard(member{"a.jpg", photo(2, 1)}, member{"a.cls", []byte("7")})
	for name, c := range map[string]struct {
		files files
		file  string
		want  error
		says  string
	}{
		"no shard":         {files{}, "", ErrLayout, "no file is named so"},
		"no tar":           {files{"s.tar": []byte("this is no tar at all")}, "", ErrLayout, "s.tar"},
		"no class":         {files{"s.tar": shard(member{"a.jpg", photo(1, 1)})}, "", ErrLayout, "KEY.cls"},
		"number too large": {files{"s.tar": good, "c.txt": []byte("a\nb")}, "c.txt", ErrSample, "class 7"},
		"negative":         {files{"s.tar": shard(member{"a.jpg", photo(1, 1)}, member{"a.cls", []byte("-1")})}, "", ErrLayout, "KEY.cls"},
		"unknown name":     {files{"s.tar": shard(member{"a.jpg", photo(1, 1)}, member{"a.txt", []byte("unicorn")}), "c.txt": []byte("a\nb")}, "c.txt", ErrSample, "unicorn"},
		"missing classes":  {files{"s.tar": good}, "none.txt", ErrLayout, "none.txt"},
	} {
		root := c.files.write(t)
		o := ClassShardOptions{Shards: filepath.Join(root, "*.tar")}
		if c.file != "" {
			o.ClassesFile = filepath.Join(root, c.file)
		}
		if _, err := OpenClassShards(o); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

func FuzzClassShard(f *testing.F) {
	f.Add(shard(member{"a.jpg", photo(2, 1)}, member{"a.cls", []byte("7")}))
	f.Add(shard(member{"a.json", []byte(`{"tags":["x"]}`)}, member{"a.png", photo(1, 1)}))
	f.Fuzz(func(t *testing.T, content []byte) {
		root := files{"s.tar": content}.write(t)
		s, err := OpenClassShards(ClassShardOptions{Shards: filepath.Join(root, "s.tar")})
		if err != nil {
			return
		}
		for i := range min(s.Len(), 5) {
			if _, class, _, _ := s.Photo(i); class < 0 || class >= len(s.List()) {
				t.Fatalf("class %d of %d", class, len(s.List()))
			}
		}
	})
}

// Folders called as ImageNet's have its names, two of which are the same.
func TestImageNetFolders(t *testing.T) {
	f, err := OpenFolders(files{"n01440764/a.JPEG": photo(1, 1), "n03773504/b.png": photo(1, 1), "n04008634/c.png": photo(1, 1)}.write(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range f.List() {
		names = append(names, c.Name)
	}
	if got := strings.Join(names, ","); got != "tench,missile,missile" || f.Len() != 3 {
		t.Errorf("%s, %d photos", got, f.Len())
	}
}

// TestClassShardGrammar: shards are named as training names them, and what is not
// measured is told.
func TestClassShardGrammar(t *testing.T) {
	one := func(key string) []byte {
		return shard(member{key + ".jpg", photo(2, 1)}, member{key + ".cls", []byte("1")})
	}
	root := files{
		"a-000.tar": one("a"), "a-001.tar": one("b"),
		"b/x.tar": shard(member{"a.jpg", photo(2, 1)}, member{"a.cls", []byte("1")}, member{"b.jpg", photo(2, 1)}, member{"c.jpg", photo(1, 1)}, member{"c.cls", []byte("x")}, member{"d.npy", nil}),
	}.write(t)
	for pattern, want := range map[string]int{"a-{000..001}.tar": 2, "a-{0..0}00.tar": 1, "a-*.tar": 2, "b": 1} {
		s, err := OpenClassShards(ClassShardOptions{Shards: filepath.Join(root, pattern)})
		if err != nil || s.Len() != want {
			t.Errorf("%s: %v, want %d photos", pattern, err, want)
			continue
		}
		if got := s.Skipped(); (pattern == "b") != (got == "samples without a photo or a class: 2; 1 file left out: 1 .npy") || pattern != "b" && got != "" {
			t.Errorf("%s: skipped %q", pattern, got)
		}
	}
	if _, err := OpenClassShards(ClassShardOptions{Shards: filepath.Join(root, "a-{000..002}.tar")}); !errors.Is(err, ErrLayout) || !strings.Contains(err.Error(), "a-002.tar") {
		t.Errorf("a missing shard: %v", err)
	}
}
