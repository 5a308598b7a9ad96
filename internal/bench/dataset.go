package bench

import (
	"errors"
	"fmt"
	"slices"

	"github.com/groupvit/groupvit/internal/shards"
	"github.com/groupvit/groupvit/internal/vocab"
)

var (
	// ErrLayout is wrapped by errors about a dataset as a whole: an unknown
	// name, missing folders or lists, bad class files.
	ErrLayout = errors.New("bad dataset")
	// ErrUsage is wrapped, beside ErrLayout, by errors about what was asked for:
	// an unknown layout, a bad limit or split, classes that are named twice.
	ErrUsage = errors.New("wrong request")
	// ErrSample is wrapped by errors about one photo or its mask.
	ErrSample = errors.New("bad sample")
)

// Ignore is the label of pixels that do not count.
const Ignore = 255

// Dataset is a benchmark that was opened: its classes and its photos. It is
// safe for concurrent use.
type Dataset struct {
	// Name is the layout's name, Root the folder it was opened in.
	Name, Root string
	// Benchmark is the name under which protocols have rules for it, "" where none
	// has.
	Benchmark string
	// Classes are what is told apart, in the order of labels: label i is
	// Classes[i]. There are at most 255.
	Classes []vocab.Class
	// Background is the label of the class "background", −1 where there is none
	// and every pixel that counts belongs to something named.
	Background int
	// Unnamed says what became of pixels of classes that were not selected:
	// "" (all classes are), "background" or "ignored".
	Unnamed string
	// Samples are the photos in the order of the dataset's list.
	Samples []Sample

	left   shards.LeftOut
	first  int        // mask value of the list's first class: 0, or 1 where 0 is ignored
	labels [256]int16 // by mask value: a label, Ignore, or −1 for a value that must not occur
}

// Sample is one photo and its mask, as paths.
type Sample struct {
	// ID is the name in the dataset's list.
	ID string
	// Photo and Mask are files below Root.
	Photo, Mask string
}

// Options say which part of a dataset to read.
type Options struct {
	// Classes are the names (or synonyms) of the classes to tell apart; none is
	// all. Pixels of the others count as background where "background" is
	// selected, else they are ignored.
	Classes []string
	// Split names the list of a VOC layout (ImageSets/Segmentation/Split.txt) or
	// the folder of another; "" is that of the validation set.
	Split string
	// Limit reads only so many photos, taken at even steps through the list; 0
	// is all.
	Limit int
	// Half reads "even" or "odd" photos of those only, counted from 0, so that what
	// is chosen on one half is reported on the other; "" is all.
	Half string
	// Skip, if set, is called with each photo or mask that is listed and cannot be
	// found, which is then left out; without it the first is an error.
	Skip func(id string, err error)
}

// Open reads a dataset's lists and looks for all its files, so that what is
// missing is found before hours of work. [Layouts] are its names; the table
// "layouts" says where their files lie.
//
// classes.txt, where a layout has one, holds one class a line, synonyms after it
// parted by commas; the mask value of a class is its line number from 0, and 255 is
// ignored.
func Open(name, root string, o Options) (*Dataset, error) {
	l, err := findLayout(name, root)
	if err != nil {
		return nil, err
	}
	d := &Dataset{Name: name, Root: root, Benchmark: l.benchmark, Background: -1}
	var all []vocab.Class
	if l.classes == "" {
		all, err = readClasses(root)
	} else {
		all, err = vocab.Classes(l.classes)
	}
	if err == nil {
		d.Samples, err = l.list(root, o.Split, &listing{left: &d.left, skip: o.Skip})
	}
	if err != nil {
		return nil, fmt.Errorf("dataset %s: %w", name, err)
	}
	if len(d.Samples) == 0 {
		return nil, fmt.Errorf("dataset %s: %w: %s lists no photo", name, ErrLayout, root)
	}
	if err := d.choose(all, o.Classes, l.zeroIgnored); err != nil {
		return nil, fmt.Errorf("dataset %s: %w", name, err)
	}
	if l.ignored > 0 {
		d.labels[l.ignored] = Ignore
	}
	if d.Samples, err = evenly(d.Samples, o.Limit); err != nil {
		return nil, err
	}
	if d.Samples, err = half(d.Samples, o.Half); err != nil {
		return nil, err
	}
	return d, nil
}

// choose makes the classes and the table from mask values to labels. With
// zeroIgnored, value 0 is ignored and class i has the value i+1: mmsegmentation's
// reduce_zero_label.
func (d *Dataset) choose(all []vocab.Class, names []string, zeroIgnored bool) error {
	for v := range d.labels {
		d.labels[v] = -1
	}
	d.labels[Ignore] = Ignore
	if zeroIgnored {
		d.first = 1
		d.labels[0] = Ignore
	}
	if len(names) == 0 {
		d.Classes = all
		for v := range all {
			d.labels[v+d.first] = int16(v)
		}
	} else {
		chosen := make([]int, len(names)) // place in all by label
		for i, name := range names {
			v, err := vocab.Find(all, name)
			if err != nil {
				return fmt.Errorf("%w: %w: %w", ErrLayout, ErrUsage, err)
			}
			if slices.Contains(chosen[:i], v) {
				return fmt.Errorf("%w: %w: class %q is selected twice", ErrLayout, ErrUsage, all[v].Name)
			}
			chosen[i] = v
			d.Classes = append(d.Classes, all[v])
		}
		rest := int16(Ignore)
		d.Unnamed = "ignored"
		for i, c := range d.Classes {
			if c.Name == vocab.Background {
				rest, d.Unnamed = int16(i), vocab.Background
			}
		}
		for v := range all {
			d.labels[v+d.first] = rest
		}
		for i, v := range chosen {
			d.labels[v+d.first] = int16(i)
		}
		if len(chosen) == len(all) {
			d.Unnamed = ""
		}
	}
	d.Background = slices.IndexFunc(d.Classes, func(c vocab.Class) bool { return c.Name == vocab.Background })
	return nil
}

// evenly takes n samples at even steps; 0 is all.
func evenly[S any](samples []S, n int) ([]S, error) {
	if n < 0 {
		return nil, fmt.Errorf("%w: %w: a limit of %d photos: it must be 0 (all) or more", ErrLayout, ErrUsage, n)
	}
	if n == 0 || n >= len(samples) {
		return samples, nil
	}
	taken := make([]S, n)
	for i := range taken {
		taken[i] = samples[i*len(samples)/n]
	}
	return taken, nil
}

// half takes every other sample, the first with "even" and the second with "odd".
func half[S any](samples []S, which string) ([]S, error) {
	first := 0
	switch which {
	case "":
		return samples, nil
	case "even":
	case "odd":
		first = 1
	default:
		return nil, fmt.Errorf("%w: %w: half %q: it must be even or odd", ErrLayout, ErrUsage, which)
	}
	var taken []S
	for i := first; i < len(samples); i += 2 {
		taken = append(taken, samples[i])
	}
	if len(taken) == 0 {
		return nil, fmt.Errorf("%w: %w: half %q of %d photos has none", ErrLayout, ErrUsage, which, len(samples))
	}
	return taken, nil
}

// Skipped says which files among the photos and masks are neither, by what they are;
// "" where all are.
func (d *Dataset) Skipped() string { return d.left.String() }

// Names returns the classes' names in the order of labels.
func (d *Dataset) Names() []string {
	names := make([]string, len(d.Classes))
	for i, c := range d.Classes {
		names[i] = c.Name
	}
	return names
}
