package shards

import (
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
)

// Role is what a file is in its sample.
type Role int

// The roles: KEY.jpg (or another picture), KEY.json, KEY.txt (or .text), KEY.cls (the
// number of its class) and KEY.labels.png (a label map of the picture).
const (
	Picture Role = iota
	JSON
	Text
	Class
	Labels
	roles
)

// extensionRoles are the roles by extension, beside pictures.
var extensionRoles = map[string]Role{"json": JSON, "txt": Text, "text": Text, "cls": Class, "labels.png": Labels}

// pictures are the extensions of pictures, without dots; a sample's picture is the one
// whose extension comes first.
var pictures = func() (all []string) {
	for _, e := range imaging.Extensions() {
		all = append(all, e[1:])
	}
	return all
}()

// roleOf returns the role of a file by its extension, and its rank among others of
// that role, the least first.
func roleOf(extension string) (role Role, rank int, ok bool) {
	if r := slices.Index(pictures, extension); r >= 0 {
		return Picture, r, true
	}
	role, ok = extensionRoles[extension]
	return role, 0, ok
}

// wanted reports whether a file may be part of a sample.
func wanted(name string) bool {
	_, _, ok := roleOf(lastExtension(name))
	return ok
}

// unread reports whether a file is a picture of a kind that is not read.
func unread(name string) bool {
	_, _, ok := imaging.Unread(name)
	return ok
}

func lastExtension(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}

// Sample is the files of one sample.
type Sample struct {
	Key string
	// Parts are where its files lie, by role; [None] for those that it lacks.
	Parts [roles]Part
	// Bytes is the size of all of them.
	Bytes int64
	// Unread is the name of a picture of a kind that is not read, where there is no
	// other.
	Unread string
}

// complete reports whether there is a picture and what says something about it.
func (s *Sample) complete() bool {
	return s.Parts[Picture] != None && (s.Parts[JSON] != None || s.Parts[Text] != None || s.Parts[Class] != None)
}

// draft is a sample that is being put together.
type draft struct {
	Sample
	extensions [roles]string
	plain      bool  // its key is the name up to the first dot
	err        error // of one of its files
}

func newDraft(key string, plain bool) *draft {
	d := &draft{Sample: Sample{Key: key}, plain: plain}
	for r := range d.Parts {
		d.Parts[r] = None
	}
	return d
}

// run is members that stand together and whose names agree up to the first dot.
type run struct {
	key    string // "" before the first
	drafts []*draft
	open   map[string]*draft // by key: what further members belong to
	left   *LeftOut
}

// Group joins members of a shard to samples. As webdataset has it, members that stand
// together and whose names agree up to the first dot are one sample. Where that makes
// one of many, because keys have dots ("22.00.jpg", "22.00.txt", "22.01.jpg"), names
// are parted at their last dot. A second file of one kind begins another sample with
// that key. Files of no role are counted in left, and so are second pictures of other
// kinds ("KEY.seg.png").
//
// An error of the members comes beside the key of its sample, if known, whose other
// files are dropped; it does not end the list.
func Group(members iter.Seq2[Member, error], left *LeftOut) iter.Seq2[Sample, error] {
	return grouped(members, left, splitKey)
}

// GroupFolder is [Group] for loose files, whose names are parted at their last dot:
// unlike in shards, what people call their photos may have dots in it.
func GroupFolder(members iter.Seq2[Member, error], left *LeftOut) iter.Seq2[Sample, error] {
	return grouped(members, left, splitName)
}

func grouped(members iter.Seq2[Member, error], left *LeftOut, split func(string) (key, extension string)) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		r := &run{left: left}
		for m, err := range members {
			key, extension := split(m.Name)
			if key == "" && err == nil {
				left.AddFile(m.Name)
				continue
			}
			if key != r.key || key == "" {
				if !r.end(yield) {
					return
				}
				*r = run{key: key, left: left, open: map[string]*draft{}}
			}
			if key != "" {
				r.add(m, extension, err)
				continue
			}
			if !yield(Sample{}, err) {
				return
			}
		}
		r.end(yield)
	}
}

// add adds a member, with what is wrong with it.
func (r *run) add(m Member, extension string, err error) {
	key := r.key
	role, rank, ok := roleOf(extension)
	if !ok && unread(m.Name) {
		r.unread(m.Name, extension)
		return
	}
	if !ok { // the key may have dots
		last := lastExtension(m.Name)
		role, rank, ok = roleOf(last)
		switch {
		case !ok && err == nil:
			r.left.AddFile(m.Name)
			return
		case ok:
			key += "." + extension[:len(extension)-len(last)-1]
			extension = last
		}
	}
	d := r.open[key]
	if d == nil || d.extensions[role] == extension {
		d = newDraft(key, key == r.key)
		r.drafts, r.open[key] = append(r.drafts, d), d
	}
	if err != nil {
		d.err = err
		return
	}
	d.Bytes += int64(m.Size)
	if d.Parts[role] != None {
		r.left.Add(KindSecond)
		if _, old, _ := roleOf(d.extensions[role]); old <= rank {
			return
		}
	}
	d.Parts[role], d.extensions[role] = m.Part, extension
}

// unread remembers a picture that cannot be read, which says why its sample has none.
func (r *run) unread(name, extension string) {
	key := r.key
	if dot := strings.LastIndexByte(extension, '.'); dot >= 0 {
		key += "." + extension[:dot]
	}
	d := r.open[key]
	if d == nil {
		d = newDraft(key, key == r.key)
		r.drafts, r.open[key] = append(r.drafts, d), d
	}
	d.Unread = name
	r.left.AddFile(name)
}

// end hands over the samples of a run.
func (r *run) end(yield func(Sample, error) bool) bool {
	for _, d := range r.settled() {
		if !yield(d.Sample, d.err) {
			return false
		}
	}
	return true
}

// settled decides which drafts are samples.
func (r *run) settled() []*draft {
	var plain, dotted []*draft
	whole, dottedPictures := false, 0
	for _, d := range r.drafts {
		if d.plain {
			plain = append(plain, d)
			whole = whole || d.complete() || d.err != nil
			continue
		}
		dotted = append(dotted, d)
		if d.Parts[Picture] != None {
			dottedPictures++
		}
		if d.complete() {
			return r.drafts // keys do have dots
		}
	}
	switch {
	case len(dotted) == 0:
		return plain
	case whole: // they come on top of a sample
		r.leave(dotted)
		return plain
	case dottedPictures > 1:
		return r.drafts // which belongs to what is not known
	}
	return []*draft{r.joined(plain, dotted)}
}

// leave counts the files of drafts as left out.
func (r *run) leave(drafts []*draft) {
	for _, d := range drafts {
		for role, p := range d.Parts {
			if p != None {
				r.left.Add("." + d.Key[strings.LastIndexByte(d.Key, '.')+1:] + "." + d.extensions[role])
			}
		}
	}
}

// joined is one sample of all files of a run ("1.image.jpg", "1.caption.txt").
func (r *run) joined(plain, dotted []*draft) *draft {
	all := newDraft(r.key, true)
	for _, d := range append(plain, dotted...) {
		if d.err != nil && all.err == nil {
			all.err = d.err
		}
		if all.Unread == "" {
			all.Unread = d.Unread
		}
		for role, p := range d.Parts {
			switch {
			case p == None:
			case all.Parts[role] != None:
				r.left.Add(KindSecond)
			default:
				all.Parts[role], all.extensions[role] = p, d.extensions[role]
				all.Bytes += int64(p.Size)
			}
		}
	}
	return all
}

// splitKey parts a name at the first dot after the last slash, as webdataset does.
// Hidden files have no key.
func splitKey(name string) (key, extension string) {
	dir, base := path.Split(strings.TrimPrefix(name, "./"))
	stem, extension, ok := strings.Cut(base, ".")
	if !ok || stem == "" {
		return "", ""
	}
	return dir + stem, strings.ToLower(extension)
}

// splitName parts a name at its last dot, or before a label map's ending. Hidden files
// have no key.
func splitName(name string) (key, extension string) {
	ending := path.Ext(name)
	if base := path.Base(name); ending == "" || strings.HasPrefix(base, ".") {
		return "", ""
	}
	if stem, ok := strings.CutSuffix(name, ".labels.png"); ok {
		return stem, "labels.png"
	}
	return strings.TrimSuffix(name, ending), strings.ToLower(ending[1:])
}
