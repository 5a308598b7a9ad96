package pairs

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/groupvit/groupvit/internal/parquetio"
	"github.com/groupvit/groupvit/internal/shards"
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
func Img2dataset(ctx context.Context, dir string) (layout string, samples *Index, err error) {
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
		case shards.TrimEnding(e.Name()) != e.Name():
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
	case len(tables) > 0:
		if _, pictures, err := (TableOptions{}).openParquet(tables[0], parquetio.NewCache(0)); err == nil && pictures == nil {
			return "", nil, fmt.Errorf("%w: %s holds no pictures: is it the metadata without its shards?", ErrSources, tables[0])
		}
		layout = "parquet"
	case records > 0:
		return "", nil, fmt.Errorf("%w: %s holds TFRecord files: let img2dataset write --output_format webdataset", ErrSources, dir)
	default:
		return "", nil, fmt.Errorf("%w: %s holds neither 00000.tar, a folder 00000 nor 00000.parquet, as img2dataset writes: %w", ErrSources, dir, fs.ErrNotExist)
	}
	samples, err = OpenIndex(ctx, dir)
	return layout, samples, err
}
