package masks

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/bench/convert"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
)

// ErrSource is wrapped by errors about where masks were looked for.
var ErrSource = errors.New("no masks")

// LayoutCOCO is the layout of a JSON file with COCO's instances, beside those of
// package bench.
const LayoutCOCO = "coco-json"

// Layouts are the names that Options.Layout takes.
func Layouts() []string { return append(bench.Layouts(), LayoutCOCO) }

// Options say which masks [Open] reads.
type Options struct {
	// Path is a folder, or a JSON file of COCO's instances.
	Path string
	// Layout is one of [Layouts]; "" is found out by [Detect].
	Layout string
	// Split is the part of a layout that has several; "" is that for training.
	Split string
	// Photos is the folder of the photos of a JSON file; "" is "images" beside it, or
	// its own folder.
	Photos string
	// Limit takes only so many photos, at even steps through the list; 0 is all.
	Limit int
	// Words, if set, decides which word a class is: see [Set.Classes].
	Words *nouns.WordList
	// Scratch is the folder in which a JSON file's masks are drawn; "" is that of the
	// system. [Set.Close] removes them.
	Scratch string
	// Skip, if set, is called with each photo that cannot be used.
	Skip func(pairs.Problem)
}

// Set is photos with masks that were opened. It is safe for concurrent use.
type Set struct {
	// Layout is the layout that was read.
	Layout string
	// Dataset are the photos and masks.
	Dataset *bench.Dataset
	// Classes say what the dataset's classes mean, in their order.
	Classes []Class
	// Notes say what of the annotations is not used.
	Notes []string

	options Options
	drawn   string // a folder to remove
}

// Open lists photos and masks. What is listed and missing is handed to Skip and left
// out. Errors wrap [ErrSource], bench.ErrLayout or convert.ErrInput.
func Open(ctx context.Context, o Options) (*Set, error) {
	s := &Set{Layout: o.Layout, options: o}
	if s.Layout == "" {
		var err error
		if s.Layout, err = Detect(o.Path); err != nil {
			return nil, err
		}
	}
	root, layout := o.Path, s.Layout
	if s.Layout == LayoutCOCO {
		if err := s.draw(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		root, layout = s.drawn, "folder"
	}
	split := o.Split
	if split == "" {
		split = trainSplits[layout]
	}
	skip := func(id string, err error) { s.skip(id, err) }
	var err error
	if s.Dataset, err = bench.Open(layout, root, bench.Options{Split: split, Limit: o.Limit, Skip: skip}); err == nil {
		s.Classes, err = classes(s.Dataset.Classes, o.Words)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("masks %s: %w", o.Path, err), s.Close())
	}
	if left := s.Dataset.Skipped(); left != "" {
		s.Notes = append(s.Notes, left)
	}
	s.Notes = append(s.Notes, notes(s.Classes, o.Words)...)
	return s, nil
}

// Close removes what was drawn.
func (s *Set) Close() error {
	if s.drawn == "" {
		return nil
	}
	return os.RemoveAll(s.drawn)
}

func (s *Set) skip(id string, err error) {
	if s.options.Skip != nil {
		s.options.Skip(pairs.Problem{Key: id, Source: s.options.Path, Err: fmt.Errorf("%w: %w", pairs.ErrLabels, err)})
	}
}

// trainSplits are the splits of layouts that are trained on: what they are measured on
// by default is kept for that.
var trainSplits = map[string]string{
	"voc12": "train", "voc21": "train", "voc20": "train", "context60": "train", "context59": "train", "scenes": "train",
	"coco-object": "train2017", "coco-stuff": "train2017", "ade20k": "training", "cityscapes": "train", "camvid": "train",
}

// Detect finds out the layout of masks by the folders that are there.
func Detect(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrSource, err)
	}
	if !info.IsDir() {
		if strings.EqualFold(filepath.Ext(path), ".json") {
			return LayoutCOCO, nil
		}
		return "", fmt.Errorf("%w: %s is neither a folder nor a JSON file of COCO's instances", ErrSource, path)
	}
	for _, l := range []struct {
		layout string
		needs  []string
	}{
		{"voc", []string{"JPEGImages", "SegmentationClass"}},
		{"folder", []string{"images", "masks", "classes.txt"}},
		{"cityscapes", []string{"leftImg8bit", "gtFine"}},
		{"ade20k", []string{"images/training", "annotations/training"}},
		{"camvid", []string{"train", "trainannot"}},
		{"beside", []string{"classes.txt"}},
	} {
		if !slices.ContainsFunc(l.needs, func(name string) bool {
			_, err := os.Stat(filepath.Join(path, filepath.FromSlash(name)))
			return err != nil
		}) {
			return l.layout, nil
		}
	}
	return "", fmt.Errorf("%w: %s: its layout is not known. Masks are indexed PNG files whose value is the class's line in classes.txt, counted from 0: "+
		"put classes.txt into the folder, and masks beside the photos (NAME.jpg, NAME.png), in masks/ (photos in images/), "+
		"or in SegmentationClass/ (photos in JPEGImages/); or name the layout: %s", ErrSource, path, strings.Join(Layouts(), ", "))
}

// draw makes masks of a JSON file.
func (s *Set) draw(ctx context.Context) error {
	var err error
	if s.drawn, err = os.MkdirTemp(s.options.Scratch, ".masks.tmp-"); err != nil {
		return err
	}
	photos := s.options.Photos
	if photos == "" {
		photos = filepath.Dir(s.options.Path)
		if beside := filepath.Join(photos, "images"); isDir(beside) {
			photos = beside
		}
	}
	r, err := convert.Run(ctx, LayoutCOCO, convert.Options{Input: s.options.Path, Output: s.drawn, Photos: photos})
	if err == nil {
		s.Notes = append(s.Notes, r.Notes()...)
	}
	return err
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Type() == fs.ModeDir
}
