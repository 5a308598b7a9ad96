package pairs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/parquetio"
	"github.com/groupvit/groupvit/internal/shards"
)

// Parquet files hold paths of pictures, as CSV files do, or the pictures themselves:
// as Hugging Face's datasets write them (a structure "image" of "bytes" and "path")
// and as img2dataset does (a column "jpg", "png" or "webp").

// parquetRows lists the rows of a Parquet file that holds paths.
func (o TableOptions) parquetRows(f *parquetio.File, left *shards.LeftOut) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		image, caption, err := o.columnsOf(f.Path(), f.Names())
		if err != nil {
			yield(row{}, err)
			return
		}
		leaveColumns(left, f.Names(), image, caption)
		for values, err := range f.Read(image, caption) {
			var r row
			if err == nil {
				r.path = strings.TrimSpace(strings.Join(values[0], ""))
				r.captions = captionsOf(values[1])
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// captionsOf reads the values of a caption's column: those that a sample may have and,
// where there are more, one beyond, so that the sample is refused and not cut.
func captionsOf(values []string) (captions []string) {
	for _, v := range values {
		captions = append(captions, texts(v)...)
	}
	return captions[:min(len(captions), limits.Captions+1)]
}

// pictureTable is a Parquet file that holds pictures.
type pictureTable struct {
	file   *parquetio.File
	values *parquetio.Values
	// image is the column of the pictures, path the one that says what each was called,
	// caption and tags those of texts, key names a sample, failure says why there is no
	// picture; −1 where there is none.
	image, path, caption, tags, key, failure int
}

// How columns that hold pictures are usually called, in the order in which they are
// looked for: alone, or with the field "bytes" of Hugging Face's feature Image.
var pictureColumns = []string{"image", "img", "picture", "photo", "jpg", "jpeg", "png", "webp", "image_bytes", "img_bytes", "bytes"}

// Further names of columns.
var (
	tagColumns     = []string{"tags", "keywords"}
	keyColumns     = []string{"key", "__key__"}
	failureColumns = []string{"error_message"}
)

// openParquet opens a Parquet file: with its pictures, if it holds any.
func (o TableOptions) openParquet(path string, cache *parquetio.Cache) (*parquetio.File, *pictureTable, error) {
	f, err := parquetio.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrTable, err)
	}
	picture, err := o.pictureColumn(f, cache)
	t := &pictureTable{file: f, image: picture}
	if picture < 0 || err != nil {
		return f, nil, err
	}
	if t.values, err = f.Values(picture, cache); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrTable, err)
	}
	names := f.Names()
	t.path = -1
	if structure, ok := strings.CutSuffix(names[picture], ".bytes"); ok {
		t.path = slices.Index(names, structure+".path")
	}
	t.caption = column(names, o.Caption, captionColumns)
	t.tags, t.key, t.failure = column(names, "", tagColumns), column(names, "", keyColumns), column(names, "", failureColumns)
	if t.caption < 0 && o.Caption != "" {
		return nil, nil, fmt.Errorf("%w: %s has no column %q for the captions, it has %q", ErrTable, path, o.Caption, names[:min(len(names), 20)])
	}
	return f, t, nil
}

// pictureColumn finds the column that holds pictures. −1 is none: then there are
// paths.
func (o TableOptions) pictureColumn(f *parquetio.File, cache *parquetio.Cache) (int, error) {
	columns, names := f.Columns(), f.Names()
	usual := pictureColumns
	if o.Image != "" {
		usual = []string{o.Image}
	}
	for _, name := range usual {
		for _, full := range []string{name + ".bytes", name} {
			i := column(names, full, nil)
			if i < 0 || !columns[i].Bytes || columns[i].Text {
				continue
			}
			if columns[i].Repeated {
				return -1, fmt.Errorf("%w: %s: column %q holds a list of pictures in each row: one is wanted", ErrTable, f.Path(), names[i])
			}
			if texts, err := holdsPaths(f, i, cache); err != nil || !texts {
				return i, err
			}
		}
	}
	if o.Image != "" {
		return -1, nil
	}
	// Hugging Face's feature Image under any name.
	for i, c := range columns {
		structure, ok := strings.CutSuffix(c.Name, ".bytes")
		if ok && c.Bytes && !c.Text && !c.Repeated && slices.Contains(names, structure+".path") {
			return i, nil
		}
	}
	return -1, nil
}

// holdsPaths reports whether a column of bytes that is not said to be text holds
// paths all the same, as some writers leave that out.
func holdsPaths(f *parquetio.File, column int, cache *parquetio.Cache) (bool, error) {
	values, err := f.Values(column, cache)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrTable, err)
	}
	for i := range min(f.Rows(), 16) {
		b, err := values.At(i)
		if err != nil || len(b) == 0 {
			continue // told where the row is read
		}
		_, err = imaging.Probe(b, "picture")
		return err != nil && len(b) <= limits.PathBytes && brokenText(string(b)) == nil, nil
	}
	return false, nil
}

// parquetEntries lists the samples of a Parquet file that holds pictures: their
// texts are read now and their pictures when they are wanted.
func (x *Index) parquetEntries(ctx context.Context, t *pictureTable) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		path := t.file.Path()
		if t.caption < 0 {
			names := t.file.Names()
			yield(entry{}, fmt.Errorf("%w: %w: %s: none of its columns %q is called like one of captions (%s): name it with --csv-caption-key",
				errTable, ErrTable, path, names[:min(len(names), 20)], strings.Join(captionColumns, ", ")))
			return
		}
		file := x.files.Add(path)
		if x.tables == nil {
			x.tables = map[int32]*pictureTable{}
		}
		x.tables[file] = t
		leaveColumns(&x.left, t.file.Names(), t.image, t.caption, t.tags, t.path, t.key, t.failure)
		number := int64(0)
		for values, err := range t.file.Read(t.caption, t.tags, t.path, t.key, t.failure) {
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				yield(entry{}, fmt.Errorf("%w: %w", errTable, err))
				return
			}
			e := entry{t.rowKey(number, values[3], values[2]), part{File: file, Offset: number}, none, none, none}
			number++
			if !yield(x.rowEntry(e, values)) {
				return
			}
		}
	}
}

// rowEntry completes the entry of a row with its captions, tags, path, key and
// failure.
func (x *Index) rowEntry(e entry, values [][]string) (entry, error) {
	if failure := strings.Join(values[4], ""); failure != "" {
		return e, fmt.Errorf("%w: %.200s", errNoPicture, failure)
	}
	r := row{captions: captionsOf(values[0]), tags: values[1], path: strings.Join(values[2], "")}
	if !slices.ContainsFunc(r.captions, func(c string) bool { return strings.TrimSpace(c) != "" }) {
		return e, errNoCaption
	}
	var err error
	e.json, err = x.keepInline(r)
	return e, err
}

// rowKey names the sample of a row: as the table does, as its picture was called, or
// by the table and the row's number.
func (t *pictureTable) rowKey(number int64, key, path []string) string {
	if k := strings.Join(key, ""); k != "" {
		return k
	}
	if p := filepath.ToSlash(strings.Join(path, "")); p != "" {
		return strings.TrimSuffix(p, filepath.Ext(p))
	}
	return fmt.Sprintf("%s-%09d", strings.TrimSuffix(filepath.Base(t.file.Path()), filepath.Ext(t.file.Path())), number+1)
}

// picture reads the encoded picture of a sample.
func (x *Index) picture(i int) ([]byte, error) {
	e := x.entries[i]
	t := x.tables[e.picture.File]
	if t == nil {
		return x.read(e.picture)
	}
	var path string
	if e.json.File == inlineFile {
		var inline inlineRow
		b, err := x.read(e.json)
		if err == nil {
			err = json.Unmarshal(b, &inline)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errJSON, err)
		}
		path = inline.Path
	}
	return t.picture(e.picture.Offset, path)
}

// picture reads the picture of a row; where the table has only its path, that file.
func (t *pictureTable) picture(row int64, path string) ([]byte, error) {
	b, err := t.values.At(row)
	var lost *fs.PathError
	switch {
	case errors.As(err, &lost):
		return nil, fmt.Errorf("%w: %w", errRead, err)
	case err != nil:
		return nil, fmt.Errorf("%w: row %d: %w", errTable, row+1, err)
	case len(b) > limits.ShardMember:
		return nil, fmt.Errorf("%w: row %d has %d bytes, the limit of one picture is %d", errSize, row+1, len(b), limits.ShardMember)
	case len(b) > 0:
		return b, nil
	case path == "":
		return nil, fmt.Errorf("%w: row %d holds none", errNoPicture, row+1)
	}
	path = filepath.FromSlash(path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(t.file.Path()), path)
	}
	if _, err := fileSize(path); err != nil {
		return nil, fmt.Errorf("row %d holds only a path: %w", row+1, err)
	}
	if b, err = os.ReadFile(path); err != nil {
		return nil, fmt.Errorf("%w: %w", errRead, err)
	}
	return b, nil
}

// Photo is a photo in a Parquet file.
type Photo struct {
	// Name is what the table calls it, or the number of its row, "" beside an error
	// about the rest of the file.
	Name string
	// Read returns the encoded picture.
	Read func() ([]byte, error)
}

// ParquetPhotos lists the photos of a Parquet file in the order of its rows; it needs
// no captions. An error about a row comes beside its name. An error about the file
// wraps [ErrTable], and so does that a file holds no pictures.
func ParquetPhotos(ctx context.Context, path string) iter.Seq2[Photo, error] {
	return func(yield func(Photo, error) bool) {
		f, t, err := TableOptions{}.openParquet(path, parquetio.NewCache(pageCache))
		if err == nil && t == nil {
			names := f.Names()
			err = fmt.Errorf("%w: %s: its columns %q hold no pictures (%s)", ErrTable, path, names[:min(len(names), 20)], strings.Join(pictureColumns, ", "))
		}
		if err != nil {
			yield(Photo{}, err)
			return
		}
		number := int64(0)
		for values, err := range t.file.Read(t.path, t.key, t.failure) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(Photo{}, fmt.Errorf("%w: from row %d of %d on: %w", ErrTable, number+1, t.file.Rows(), err))
				return
			}
			row, inside := number, strings.Join(values[0], "")
			number++
			p := Photo{t.rowKey(row, values[1], values[0]), func() ([]byte, error) { return t.picture(row, inside) }}
			if failure := strings.Join(values[2], ""); failure != "" {
				err = fmt.Errorf("%w: row %d: %.200s", errNoPicture, number, failure)
			}
			if !yield(p, err) {
				return
			}
		}
	}
}
