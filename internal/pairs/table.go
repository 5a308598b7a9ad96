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

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/parquetio"
	"github.com/groupvit/groupvit/internal/shards"
)

// ErrTable is wrapped by errors about a table as a whole.
var ErrTable = errors.New("bad table")

// TableOptions say how tables are read: CSV, TSV and Parquet files with a picture
// a row, as a path (relative to the table's folder) and its caption. Rows that
// follow each other and name one picture are one sample with several captions.
// Without a column of captions they come from the .txt or .json beside the
// picture.
type TableOptions struct {
	// Image and Caption name the columns; "" takes the first that is called as such
	// columns usually are ("filepath", "image", "path", …; "caption", "title",
	// "text", …). A caption that is a JSON list of texts is several.
	Image, Caption string
	// Separator is the delimiter of CSV files; "" finds it in the first line:
	// a tab, a comma, a semicolon or "|".
	Separator string
}

// Names that columns usually have, in the order in which they are looked for.
// OpenCLIP's own are "filepath" and "title".
var (
	imageColumns   = []string{"filepath", "file_path", "image_path", "path", "image", "img", "file_name", "filename", "image_name", "file"}
	captionColumns = []string{"captions", "caption", "title", "text", "comment", "sentence", "description", "txt", "sentences", "sentences.raw", "alt_text", "json.captions", "json.caption"}
)

// row is what a table says of one picture.
type row struct {
	path           string
	captions, tags []string
}

// inlineRow is a row as it is kept in memory: the JSON that a shard would have.
type inlineRow struct {
	Captions []string `json:"captions"`
	Tags     []string `json:"tags,omitempty"`
	// Path is that of the picture, where the table may hold the picture itself.
	Path string `json:"path,omitempty"`
}

// column finds a column by what it was called, or by the usual names. −1 is none.
func column(columns []string, wanted string, usual []string) int {
	clean := func(s string) string {
		return strings.ToLower(strings.TrimSpace(strings.TrimPrefix(s, "\uFEFF")))
	}
	names := usual
	if wanted != "" {
		names = []string{clean(wanted)}
	}
	for _, name := range names {
		if i := slices.IndexFunc(columns, func(c string) bool { return clean(c) == name }); i >= 0 {
			return i
		}
	}
	return -1
}

// columnsOf finds the columns of a table.
func (o TableOptions) columnsOf(path string, columns []string) (image, caption int, err error) {
	image = column(columns, o.Image, imageColumns)
	caption = column(columns, o.Caption, captionColumns)
	shown := columns[:min(len(columns), 20)]
	switch {
	case image < 0 && o.Image != "":
		return 0, 0, fmt.Errorf("%w: %s has no column %q for the pictures, it has %q", ErrTable, path, o.Image, shown)
	case image < 0:
		return 0, 0, fmt.Errorf("%w: %s: none of its columns %q is called like one of paths (%s): name it with --csv-img-key", ErrTable, path, shown, strings.Join(imageColumns, ", "))
	case caption < 0 && o.Caption != "":
		return 0, 0, fmt.Errorf("%w: %s has no column %q for the captions, it has %q", ErrTable, path, o.Caption, shown)
	}
	return image, caption, nil
}

// leaveColumns counts the columns that are not used.
func leaveColumns(left *shards.LeftOut, columns []string, used ...int) {
	for i, name := range columns {
		if !slices.Contains(used, i) {
			left.AddPart(fmt.Sprintf("column %q", strings.TrimSpace(name)))
		}
	}
}

// texts reads a caption's column: one caption, or a JSON list.
func texts(value string) []string {
	var list []string
	if strings.HasPrefix(strings.TrimSpace(value), "[") && json.Unmarshal([]byte(value), &list) == nil {
		return list
	}
	return []string{value}
}

// tableEntries lists the samples of a table.
func (x *Index) tableEntries(ctx context.Context, path string, o TableOptions) iter.Seq2[entry, error] {
	if !shards.IsParquet(path) {
		return x.pathEntries(ctx, path, o.csvRows(path, &x.left))
	}
	if x.pages == nil {
		x.pages = parquetio.NewCache(pageCache)
	}
	file, pictures, err := o.openParquet(path, x.pages)
	switch {
	case err != nil:
		return func(yield func(entry, error) bool) { yield(entry{}, badTable(err)) }
	case pictures != nil:
		return x.parquetEntries(ctx, pictures)
	}
	return x.pathEntries(ctx, path, o.parquetRows(file, &x.left))
}

// pageCache is how many bytes of pages of Parquet files an index keeps in memory.
const pageCache = 128 << 20

// badTable is the problem of a table as a whole.
func badTable(err error) error { return fmt.Errorf("%w: %w", errTable, err) }

// pathEntries lists the samples of a table of paths.
func (x *Index) pathEntries(ctx context.Context, path string, list iter.Seq2[row, error]) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		folder := filepath.Dir(path)
		var now row
		rows := 0
		more := true
		flush := func() {
			if now.path != "" && more {
				more = yield(x.tableEntry(folder, now))
			}
			now = row{}
		}
		for r, err := range list {
			if err == nil {
				rows++
				err = limits.Check("the number of rows", path, int64(rows), limits.TableRows, "split it")
			}
			switch {
			case !more || ctx.Err() != nil:
				return
			case err != nil:
				flush()
				if more {
					yield(entry{}, badTable(err))
				}
				return
			case r.path == "":
				flush()
				more = more && yield(entry{}, fmt.Errorf("%w: row %d names no picture", errNoPicture, rows))
			case r.path == now.path && len(now.captions) < limits.Captions:
				now.captions = append(now.captions, r.captions...)
			default:
				flush()
				now = r
			}
		}
		flush()
	}
}

// tableEntry is the sample of one picture.
func (x *Index) tableEntry(folder string, r row) (entry, error) {
	path := filepath.FromSlash(r.path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	key := strings.TrimSuffix(filepath.ToSlash(r.path), filepath.Ext(r.path))
	e := entry{key, none, none, none, none}
	var err error
	if e.picture, err = x.file(path); err != nil {
		return e, err
	}
	if len(r.captions) > 0 {
		e.json, err = x.keepInline(row{captions: r.captions})
		return e, err
	}
	// Without captions in the table, those beside the picture.
	beside := strings.TrimSuffix(path, filepath.Ext(path))
	e.json = x.beside(beside + ".json")
	e.text = x.beside(beside + ".txt")
	if e.json == none && e.text == none {
		return e, errNoCaption
	}
	return e, nil
}

// beside makes a part of a file beside a picture, if there is one.
func (x *Index) beside(path string) part {
	p, err := x.file(path)
	if err != nil && !errors.Is(err, errNoPicture) {
		x.left.AddPart("text or JSON beside a picture that cannot be read or is too large")
	}
	return p
}

// file makes a part of a whole file.
func (x *Index) file(path string) (part, error) {
	size, err := fileSize(path)
	if err != nil {
		return none, err
	}
	return part{File: x.files.Add(path), Size: int32(size)}, nil
}

// fileSize looks for a file that a table names.
func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("%w: %s is not there", errNoPicture, path)
	case err != nil:
		return 0, fmt.Errorf("%w: %w", errRead, err)
	case !info.Mode().IsRegular():
		return 0, fmt.Errorf("%w: %s is no file", errNoPicture, path)
	case info.Size() > limits.ShardMember:
		return 0, fmt.Errorf("%w: %s has %d bytes, the limit of one file is %d", errSize, path, info.Size(), limits.ShardMember)
	}
	return info.Size(), nil
}

// keepInline keeps what a row says in memory.
func (x *Index) keepInline(r row) (part, error) {
	b, err := json.Marshal(inlineRow{r.captions, r.tags, r.path})
	if err != nil {
		return none, fmt.Errorf("%w: %w", errJSON, err)
	}
	if err := limits.Check("what tables say, in bytes", r.path, int64(len(x.inline)+len(b)), limits.TableText, "pack it into shards (groupvit data pack)"); err != nil {
		return none, fmt.Errorf("%w: %w", errSize, err)
	}
	p := part{File: inlineFile, Size: int32(len(b)), Offset: int64(len(x.inline))}
	x.inline = append(x.inline, b...)
	return p, nil
}
