package pairs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// Img2dataset opens what img2dataset has written, in any of its layouts:
//
//   - webdataset: 00000.tar with KEY.jpg, KEY.txt and KEY.json
//   - files: folders 00000/ with the same files
//   - parquet: 00000.parquet with the pictures in a column (jpg, png or webp)
//
// Beside the first two lie 00000.parquet with metadata and 00000_stats.json, which
// are not needed: captions are in the JSON. Pictures that could not be fetched have
// no file (or no bytes in the column) and are problems. It returns the layout.
//
// Layouts as img2dataset 1.47 writes them (writer.py); its tfrecord output is not
// read.
func Img2dataset(ctx context.Context, dir string) (layout string, samples iter.Seq2[*Sample, error], err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrSources, err)
	}
	var tables []string
	tars, folders, records := 0, 0, 0
	for _, e := range entries {
		switch ending := filepath.Ext(e.Name()); {
		case e.IsDir() && strings.Trim(e.Name(), "0123456789") == "":
			folders++
		case ending == ".tar":
			tars++
		case ending == ".parquet":
			tables = append(tables, filepath.Join(dir, e.Name()))
		case ending == ".tfrecord":
			records++
		}
	}
	switch {
	case tars > 0 || folders > 0:
		layout = "files"
		if tars > 0 {
			layout = "webdataset"
		}
		x, err := OpenIndex(ctx, dir)
		if err != nil {
			return "", nil, err
		}
		return layout, withProblems(ctx, x), nil
	case len(tables) > 0:
		slices.Sort(tables)
		return "parquet", parquetPictures(ctx, tables), nil
	case records > 0:
		return "", nil, fmt.Errorf("%w: %s holds TFRecord files: let img2dataset write --output_format webdataset", ErrSources, dir)
	}
	return "", nil, fmt.Errorf("%w: %s holds neither 00000.tar, a folder 00000 nor 00000.parquet, as img2dataset writes: %w", ErrSources, dir, fs.ErrNotExist)
}

// withProblems yields all samples and those that cannot be used.
func withProblems(ctx context.Context, x *Index) iter.Seq2[*Sample, error] {
	return func(yield func(*Sample, error) bool) {
		for _, p := range x.Problems() {
			if !yield(&Sample{Key: p.Key, Source: p.Source}, p.Err) {
				return
			}
		}
		for s, err := range x.Samples(ctx) {
			if ctx.Err() != nil || !yield(s, err) {
				return
			}
		}
	}
}

// Columns of img2dataset's Parquet output.
var pictureColumns = []string{"jpg", "jpeg", "png", "webp", "image", "image.bytes"}

// parquetPictures yields the samples of Parquet files that hold pictures.
func parquetPictures(ctx context.Context, tables []string) iter.Seq2[*Sample, error] {
	choose := func(columns []string) ([]int, error) {
		picture := column(columns, "", pictureColumns)
		caption := column(columns, "", captionColumns)
		if caption < 0 {
			caption = column(columns, "txt", nil)
		}
		if picture < 0 {
			return nil, fmt.Errorf("%w: its columns %q hold no pictures (%s): is the metadata without its shards?", ErrTable, columns[:min(len(columns), 20)], strings.Join(pictureColumns, ", "))
		}
		return []int{picture, caption, column(columns, "key", nil), column(columns, "error_message", nil)}, nil
	}
	return func(yield func(*Sample, error) bool) {
		for _, path := range tables {
			number := 0
			for values, err := range parquetValues(path, choose) {
				if ctx.Err() != nil {
					return
				}
				number++
				s := &Sample{Key: fmt.Sprintf("%s-%09d", strings.TrimSuffix(filepath.Base(path), ".parquet"), number), Source: path}
				if err != nil {
					if !yield(s, errors.Join(errTable, err)) {
						return
					}
					continue
				}
				if len(values[2]) > 0 && values[2][0] != "" {
					s.Key = values[2][0]
				}
				if !yield(s, fromColumns(s, values)) {
					return
				}
			}
		}
	}
}

// fromColumns fills in a sample from its picture, captions, key and error.
func fromColumns(s *Sample, values [][]string) error {
	s.Picture = []byte(strings.Join(values[0], ""))
	for _, v := range values[1] {
		for _, caption := range texts(v) {
			if len(s.Captions) < limits.Captions {
				s.add(caption)
			}
		}
	}
	switch {
	case len(s.Picture) == 0 && len(values[3]) > 0:
		return fmt.Errorf("%w: %.200s", errNoPicture, values[3][0])
	case len(s.Picture) == 0:
		return errNoPicture
	case len(s.Captions) == 0:
		return errNoCaption
	}
	return nil
}
